// Package safedir opens the folders that hooks keep files in, and names the files.
//
// A hook runs as root, and names of guests are anybody's choice. So a folder is
// used only if it is a folder and no symbolic link, belongs to the user who runs the
// hook, and nobody else can write to it; and [FileName] makes of any text at all
// one name of a file, a different one for each.
package safedir

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"libvirt.org/go/libvirtxml"
)

// Runtime is the folder for what need not outlive a reboot: /run/virthook for root
// (/var/run/virthook where the system is not Linux), and virthook in /run/user/UID
// for a user. A system without /run/user has it in the user's [State].
func Runtime() (string, error) {
	uid := os.Geteuid()
	if uid == 0 {
		if runtime.GOOS == "linux" {
			return "/run/virthook", nil
		}
		return "/var/run/virthook", nil
	}
	return userRuntime("/run/user", uid)
}

// userRuntime decides by what does not change while the system runs: the folder of
// one user comes and goes with his sessions, and two processes that lock must find
// the same.
func userRuntime(base string, uid int) (string, error) {
	if _, err := os.Stat(base); errors.Is(err, fs.ErrNotExist) {
		dir, err := userState(os.Getenv("HOME"))
		return filepath.Join(dir, "run"), err
	}
	dir := filepath.Join(base, strconv.Itoa(uid))
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("no folder to lock in: %w: the user has no session; give another folder", err)
	}
	return filepath.Join(dir, "virthook"), nil
}

// State is the folder for what must outlive a reboot: /var/lib/virthook for root,
// and .local/state/virthook in $HOME for a user.
func State() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/virthook", nil
	}
	return userState(os.Getenv("HOME"))
}

func userState(home string) (string, error) {
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("no folder for state: HOME is %q: set it, or give another folder", home)
	}
	return filepath.Join(home, ".local/state/virthook"), nil
}

// Open opens a folder after having made what of its path is missing, with mode 0700.
// The folder is refused when it is a symbolic link, belongs to another user, or lets
// its group or the world write. Those above it are their owners' business.
func Open(path string) (*os.Root, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("folder %q: not an absolute path", path)
	}
	path = filepath.Clean(path) // with a slash at the end a link would be followed
	if err := makeAll(path); err != nil {
		return nil, err
	}
	return OpenExisting(path)
}

// OpenExisting is [Open] that makes nothing. Where the folder is missing, the error
// is [fs.ErrNotExist].
func OpenExisting(path string) (*os.Root, error) {
	path = filepath.Clean(path)
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, explain(path, err)
	}
	defer f.Close()
	checked, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(path, checked); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if opened, err := root.Stat("."); err != nil || !os.SameFile(opened, checked) {
		root.Close()
		return nil, fmt.Errorf("folder %s: another was put in its place while it was opened", path)
	}
	return root, nil
}

// check says whether others than the user who runs this can write to the folder.
func check(path string, info fs.FileInfo) error {
	uid := os.Geteuid()
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int64(st.Uid) != int64(uid) {
		return fmt.Errorf("folder %s: it belongs to uid %d, not to uid %d who runs this", path, st.Uid, uid)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("folder %s: others can write to it (mode %04o): chmod go-w it", path, mode)
	}
	return nil
}

// explain words why a folder cannot be opened; systems differ in what they say of links.
func explain(path string, err error) error {
	info, statErr := os.Lstat(path)
	switch {
	case statErr != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("folder %s: it is a symbolic link", path)
	case !info.IsDir():
		return fmt.Errorf("folder %s: it is not a folder", path)
	}
	if checkErr := check(path, info); checkErr != nil {
		return checkErr
	}
	return err
}

// makeAll makes the folder and those above it, so that a crash of the system keeps them.
func makeAll(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := makeAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return Sync(parent)
}

// Sync makes the names in a folder survive a crash of the system.
func Sync(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) { // one may make a folder where one may not read
			return nil
		}
		return err
	}
	defer dir.Close()
	return SyncDir(dir)
}

// SyncDir is [Sync] of an open folder.
func SyncDir(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) { // not with this file system
		return nil
	}
	return err
}

// maxPlain is how long a name may get before it is shortened; with prefix and ending
// it must keep below the 255 bytes of file systems.
const maxPlain = 160

// FileName makes a name for a file of any text. Each text has a name of its own, also
// where the file system does not tell A from a; it has no dot and no slash. Small
// letters, digits, - and _ stand for themselves.
func FileName(text string) string {
	if text == "" {
		return "%"
	}
	const hexDigits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	name := b.String()
	if len(name) > maxPlain {
		sum := sha256.Sum256([]byte(text))
		return name[:maxPlain/2] + "~" + hex.EncodeToString(sum[:])
	}
	return name
}

// Guest is the text that stands for a guest: "uuid-" and its UUID or, where libvirt
// tells none (bhyve before libvirt 9.7), "name-" and its name.
func Guest(d *libvirtxml.Domain) (string, error) {
	if d == nil || d.UUID == "" && d.Name == "" {
		return "", errors.New("a guest without UUID and name")
	}
	if d.UUID == "" {
		return "name-" + d.Name, nil
	}
	u := strings.ToLower(strings.ReplaceAll(d.UUID, "-", ""))
	if len(u) != 32 || strings.Trim(u, "0123456789abcdef") != "" {
		return "", fmt.Errorf("guest %q: %q is not a UUID", d.Name, d.UUID)
	}
	return "uuid-" + u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:], nil
}
