package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// folder is a hooks folder. nil is one that is not there.
type folder struct {
	*os.Root
	dir  string   // as seen from here
	lock *os.File // nil: not locked
}

// openFolder opens the host's hooks folder; nil where there is none.
func openFolder(h *Host, hooksDir string) (*folder, error) {
	root, err := h.folder(hooksDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", h.Seen(hooksDir), cause(err))
	}
	return &folder{Root: root, dir: h.Seen(hooksDir)}, nil
}

func (f *folder) close() {
	if f == nil {
		return
	}
	if f.lock != nil {
		_ = f.lock.Close()
	}
	_ = f.Close()
}

// alone waits for others that install or uninstall there, and keeps them out.
func (f *folder) alone(ctx context.Context) error {
	lock, err := f.Open(".")
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir, cause(err))
	}
	f.lock = lock
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("%s: lock: %w", f.dir, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: another virthook changes it: %w", f.dir, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// seen is the path of something in the folder.
func (f *folder) seen(name string) string { return filepath.Join(f.dir, name) }

// makeFolder makes a folder with mode 0755 whatever the umask is, unless it is there.
func (f *folder) makeFolder(name string) (made bool, err error) {
	err = f.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err == nil {
		made = true
		err = f.Chmod(name, 0o755)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.seen(name), cause(err))
	}
	return made, err
}

// stage writes a file into the store: there it is in the file system that it goes to,
// and libvirt does not run it. It is on the disk when stage returns.
func (f *folder) stage(name string, content []byte, mode fs.FileMode) (temp string, err error) {
	if _, err := f.makeFolder(StoreName); err != nil {
		return "", err
	}
	temp = path.Join(StoreName, "new-"+strings.ReplaceAll(name, "/", "_"))
	file, err := f.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.seen(temp), cause(err))
	}
	_, err = file.Write(content)
	if err == nil && os.Geteuid() == 0 {
		err = file.Chown(0, 0) // a folder may give its group to what is made in it
	}
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = f.Remove(temp)
		return "", fmt.Errorf("%s: %w", f.seen(temp), cause(err))
	}
	return temp, nil
}

// keep puts what is at the place into the store, and leaves it where it is. As a
// second name of the same file it keeps mode, owner and labels too.
func (f *folder) keep(p Place, was found) error {
	if _, err := f.makeFolder(StoreName); err != nil {
		return err
	}
	name := path.Join(StoreName, keptName(p, was.sum))
	_ = f.Remove(name)
	err := f.Link(p.String(), name)
	if err != nil && was.info.Mode().IsRegular() { // no links in this file system
		err = f.copy(p.String(), name, was.info)
	}
	if err != nil {
		return fmt.Errorf("%s: keep it as %s: %w", f.seen(p.String()), name, cause(err))
	}
	return nil
}

func (f *folder) copy(from, to string, was fs.FileInfo) error {
	in, err := f.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := f.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if owner, ok := was.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		err = errors.Join(err, out.Chown(int(owner.Uid), int(owner.Gid)))
	}
	return errors.Join(err, out.Chmod(was.Mode().Perm()), out.Sync(), out.Close())
}

// kept says whether the store still holds what it should.
func (f *folder) kept(k *Kept) error {
	name := path.Join(StoreName, k.File)
	there, err := f.inspect(name)
	switch {
	case err != nil:
		return err
	case there.info == nil:
		return fmt.Errorf("%s: is gone, and cannot be put back", f.seen(name))
	case there.sum != k.SHA256:
		return fmt.Errorf("%s: was changed since it was kept, and is not put back", f.seen(name))
	}
	return nil
}

// move puts a file of the store at its name, in one step, and sees to it that the
// folder is on the disk.
func (f *folder) move(from, to string) error {
	if err := f.Rename(from, to); err != nil {
		return fmt.Errorf("%s: %w", f.seen(to), cause(err))
	}
	f.sync(path.Dir(to))
	return nil
}

// sync writes a folder to the disk. Not every file system can; all is well until the
// host loses power then too.
func (f *folder) sync(name string) {
	if dir, err := f.Open(name); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
}

// write puts the manifest in place, or removes it when nothing of ours is there.
func (f *folder) write(m *Manifest) error {
	if len(m.Hooks) == 0 && len(m.Created) == 0 && len(m.Reload) == 0 {
		if err := f.Remove(ManifestName); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", f.seen(ManifestName), cause(err))
		}
		f.sync(".")
		return nil
	}
	content, err := m.encode()
	if err != nil {
		return err
	}
	temp, err := f.stage(ManifestName, content, 0o644)
	if err != nil {
		return err
	}
	return f.move(temp, ManifestName)
}

// sweep removes from the store what the manifest does not need: of an install that
// was killed, and of versions before the last.
func (f *folder) sweep(m *Manifest) error {
	store, err := f.Open(StoreName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.seen(StoreName), cause(err))
	}
	names, err := store.Readdirnames(-1)
	_ = store.Close()
	for _, name := range names {
		if !m.keeps(name) {
			err = errors.Join(err, f.Remove(path.Join(StoreName, name)))
		}
	}
	if len(m.Hooks) == 0 || !hasKept(m) {
		_ = f.Remove(StoreName) // which fails when it is not empty
	}
	return err
}

func hasKept(m *Manifest) bool {
	for _, e := range m.Hooks {
		if e.Previous != nil || e.Replaced != nil {
			return true
		}
	}
	return false
}

// found is what is at a place.
type found struct {
	info fs.FileInfo // nil: nothing
	sum  string      // of a file's content, or of where a link leads to; "" for all else
}

func (f *folder) inspect(name string) (was found, err error) {
	if f == nil {
		return was, nil
	}
	info, err := f.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return was, nil
	case err != nil:
		return was, fmt.Errorf("%s: %w", f.seen(name), cause(err))
	}
	was.info = info
	var content []byte
	switch info.Mode().Type() {
	case 0:
		content, err = f.ReadFile(name)
	case fs.ModeSymlink:
		var target string
		target, err = f.Readlink(name)
		content = []byte("link to " + target)
	default:
		return was, nil
	}
	if err != nil {
		return was, fmt.Errorf("%s: %w", f.seen(name), cause(err))
	}
	was.sum = sumOf(content)
	return was, nil
}
