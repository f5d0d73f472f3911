package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
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

// open opens what is at a path of the host, whatever it is, without changing its time of access.
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

// glob are the paths of the host that match. Links are followed as the host would, and
// what the root's own name holds is no pattern.
func (e *exam) glob(patterns ...string) (found []string) {
	for _, p := range patterns {
		matches := []string{"/"}
		for element := range strings.SplitSeq(strings.Trim(path.Clean("/"+p), "/"), "/") {
			var next []string
			for _, dir := range matches {
				if !strings.ContainsAny(element, `*?[\`) {
					next = append(next, path.Join(dir, element))
					continue
				}
				if info, err := e.stat(dir); err != nil || !info.IsDir() {
					continue
				}
				entries, _ := e.list(dir)
				for _, entry := range entries {
					if ok, _ := path.Match(element, entry.Name()); ok {
						next = append(next, path.Join(dir, entry.Name()))
					}
				}
			}
			matches = next
		}
		for _, m := range matches {
			dir, err := e.resolve(path.Dir(m))
			if err != nil {
				continue
			}
			if _, err := os.Lstat(e.shown(path.Join(dir, path.Base(m)))); err == nil {
				found = append(found, m)
			}
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
