package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// checkRoot fails where there is no host to examine.
func (e *exam) checkRoot() error {
	dir := e.shown("/")
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	// An image that a user has unpacked is the user's, and root's only inside.
	if e.Root != "" {
		e.owner, _ = ownerOf(info)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (uid uint32, known bool) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid, true
	}
	return 0, false
}

var errLoop = errors.New("too many links")

// resolve follows the links in a path, below the root as the host would. What it
// returns with an error is how far it came.
func (e *exam) resolve(name string) (string, error) {
	done, rest := "/", strings.Trim(path.Clean("/"+name), "/")
	for links := 0; rest != ""; {
		first, after, _ := strings.Cut(rest, "/")
		rest = after
		at := path.Join(done, first)
		info, err := os.Lstat(e.shown(at))
		if err != nil {
			return at, err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = at
			continue
		}
		if links++; links > 40 {
			return at, errLoop
		}
		target, err := os.Readlink(e.shown(at))
		if err != nil {
			return at, err
		}
		if !path.IsAbs(target) {
			target = path.Join(done, target)
		}
		done, rest = "/", strings.Trim(path.Join(target, rest), "/")
	}
	return done, nil
}

// stat is [os.Stat] of a path of the host.
func (e *exam) stat(name string) (fs.FileInfo, error) {
	real, err := e.resolve(name)
	if err != nil {
		return nil, err
	}
	return os.Lstat(e.shown(real))
}

func (e *exam) exists(name string) bool { _, err := e.stat(name); return err == nil }

// isProgram says whether the path is a file that root can execute.
func (e *exam) isProgram(name string) bool {
	info, err := e.stat(name)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// open opens a regular file of the host without changing its time of access.
func (e *exam) open(name string) (*os.File, error) {
	real, err := e.resolve(name)
	if err != nil {
		return nil, err
	}
	return openQuietly(e.shown(real))
}

func openQuietly(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|noatime, 0)
	if errors.Is(err, syscall.EPERM) { // that of others
		f, err = os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	return f, err
}

const largest = 512 << 20 // bytes of a file that is read

// read is the content of a file of the host, or nil.
func (e *exam) read(name string) []byte {
	f, err := e.open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil || len(content) > largest {
		return nil
	}
	return content
}

// list is what is in a folder of the host, sorted by the bytes of the names.
func (e *exam) list(name string) ([]fs.DirEntry, error) {
	f, err := e.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	sortEntries(entries)
	return entries, nil
}

// glob is [filepath.Glob] below the root, with paths of the host.
func (e *exam) glob(patterns ...string) (found []string) {
	for _, p := range patterns {
		matches, _ := filepath.Glob(e.shown(p))
		for _, m := range matches {
			found = append(found, "/"+strings.TrimPrefix(strings.TrimPrefix(m, e.Root), "/"))
		}
	}
	return found
}

// quoted is a path as the shell takes it.
func quoted(name string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-+,:@%~", r)
	}
	if strings.TrimFunc(name, plain) == "" && !strings.HasPrefix(name, "~") {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
