// Package install puts hooks where libvirt finds them and takes them away again. A
// libvirt that runs meanwhile sees the old file or the new one, never a part of one
// and never none, also when this process is killed.
package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// UseError is an error of who called: the command line does not say enough, or it
// contradicts itself.
type UseError struct{ error }

func usef(format string, args ...any) error { return &UseError{fmt.Errorf(format, args...)} }

// Unwrap returns the error without the mark.
func (e *UseError) Unwrap() error { return e.error }

// inOneLine is an error of all of them, of use when the first is one; nil without any.
func inOneLine(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	err := errs[0]
	for _, next := range errs[1:] {
		err = fmt.Errorf("%w; %w", err, next)
	}
	return err
}

// Host is a machine with hooks: this one, which is the zero value, or the one in a
// folder such as an image's.
type Host struct {
	dir   string   // of the image, absolute; "": this host
	image *os.Root // nil: this host
}

// OpenHost opens the machine in the folder; "" is this host.
func OpenHost(folder string) (*Host, error) {
	if folder == "" {
		return &Host{}, nil
	}
	dir, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	image, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usef("--root: %w", err)
	}
	return &Host{dir, image}, nil
}

// Close gives back what the host holds.
func (h *Host) Close() {
	if h.image != nil {
		_ = h.image.Close()
	}
}

// IsImage says that the host is not this one, so that nothing of it runs.
func (h *Host) IsImage() bool { return h.image != nil }

// Seen is the host's path as it is seen from here.
func (h *Host) Seen(name string) string { return filepath.Join(h.dir, name) }

// Stat follows links as the host does; an image's never lead out of it.
func (h *Host) Stat(name string) (fs.FileInfo, error) {
	if h.image == nil {
		return os.Stat(name)
	}
	inside, err := h.inside(name)
	if err != nil {
		return nil, err
	}
	return h.image.Lstat(inside)
}

// Open opens a file to read it; links are as for Stat.
func (h *Host) Open(name string) (*os.File, error) {
	if h.image == nil {
		return os.Open(name)
	}
	inside, err := h.inside(name)
	if err != nil {
		return nil, err
	}
	return h.image.Open(inside)
}

// folder opens a folder in which links do not lead out of it.
func (h *Host) folder(name string) (*os.Root, error) {
	if h.image == nil {
		return os.OpenRoot(name)
	}
	inside, err := h.inside(name)
	if err != nil {
		return nil, err
	}
	return h.image.OpenRoot(inside)
}

// mkdir makes one folder with mode 0755, whatever the umask is.
func (h *Host) mkdir(name string) error {
	if h.image == nil {
		if err := os.Mkdir(name, 0o755); err != nil {
			return err
		}
		return os.Chmod(name, 0o755)
	}
	inside, err := h.inside(name)
	if err != nil {
		return err
	}
	if err := h.image.Mkdir(inside, 0o755); err != nil {
		return err
	}
	return h.image.Chmod(inside, 0o755)
}

// rmdir removes a folder that is empty.
func (h *Host) rmdir(name string) {
	if h.image == nil {
		_ = os.Remove(name)
	} else if inside, err := h.inside(name); err == nil {
		_ = h.image.Remove(inside)
	}
}

// inside is where a path of the image leads to in it, without links: an absolute
// link starts at the image, and .. ends there. What does not exist is kept.
func (h *Host) inside(name string) (string, error) {
	const most = 40 // links, as Linux has it
	at, rest := "/", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		next := path.Join(at, part)
		if next == at || part == ".." {
			at = next
			continue
		}
		info, err := h.image.Lstat(next[1:])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path.Join(append([]string{next}, rest...)...)[1:], nil
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink == 0:
			at = next
			continue
		}
		if links++; links > most {
			return "", &fs.PathError{Op: "stat", Path: h.Seen(name), Err: syscall.ELOOP}
		}
		target, err := h.image.Readlink(next[1:])
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	if at == "/" {
		return ".", nil
	}
	return at[1:], nil
}

// exists says whether there is something, links followed.
func (h *Host) exists(name string) bool {
	_, err := h.Stat(name)
	return err == nil
}

// isFolder says whether it is a folder, links followed.
func (h *Host) isFolder(name string) bool {
	info, err := h.Stat(name)
	return err == nil && info.IsDir()
}

// isProgram says whether it is a file that can be executed, links followed.
func (h *Host) isProgram(name string) bool {
	info, err := h.Stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
