package state

import (
	"os"

	"github.com/virthook/virthook/sdk/internal/safedir"
)

// system is what makes a write last; tests look on, and kill the process in between.
var system = struct {
	write    func(f *os.File, text []byte) (int, error)
	syncFile func(f *os.File) error
	rename   func(root *os.Root, from, to string) error
	syncDir  func(dir *os.File) error
}{(*os.File).Write, (*os.File).Sync, (*os.Root).Rename, safedir.SyncDir}

// write replaces a file as a whole: others see the old text or the new one, and after
// a crash one of the two is there. The lock of the key is held, so that the name of
// the new file can be the same each time: what a killed process left of it is
// overwritten.
func write(root *os.Root, name string, text []byte) error {
	temp := name + ".new"
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = system.write(f, text)
	if err == nil {
		err = system.syncFile(f)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = root.Remove(temp)
		return err
	}
	if err := system.rename(root, temp, name); err != nil {
		return err
	}
	return syncDir(root)
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return system.syncDir(dir)
}
