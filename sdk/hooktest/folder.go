package hooktest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Files are files with their content, by names with slashes, for [Dir]. A name with a
// slash at its end is that of an empty folder.
type Files map[string]string

// Folder is a folder that handlers write to, with what was in it at first.
type Folder struct {
	t      testing.TB
	path   string
	before map[string]file
}

// file is one file of a folder.
type file struct {
	mode fs.FileMode
	text string // the content, or what a link leads to
}

// Dir makes a temporary folder with these files, in the place of one of the system's.
// The files have mode 0644 and the folders 0755. It goes when the test has ended.
//
//	sys := hooktest.Dir(t, hooktest.Files{"cpu0/scaling_governor": "powersave"})
//	hooktest.Run(t, hooktest.QemuPrepareBegin(), Hooks(sys.Path())).OK()
//	sys.Changed(`cpu0/scaling_governor: "powersave" -> "performance"`)
func Dir(t testing.TB, files Files) *Folder {
	t.Helper()
	top := t.TempDir()
	must := func(err error) {
		if err != nil {
			t.Fatalf("hooktest: making the test's folder: %v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		dir, isDir := strings.CutSuffix(name, "/")
		if !filepath.IsLocal(filepath.FromSlash(dir)) {
			t.Fatalf("hooktest: %q is not the name of a file in the test's folder", name)
		}
		file := filepath.Join(top, filepath.FromSlash(dir))
		if isDir {
			must(os.MkdirAll(file, 0o755))
			continue
		}
		must(os.MkdirAll(filepath.Dir(file), 0o755))
		must(os.WriteFile(file, []byte(files[name]), 0o644))
	}
	// Whatever the umask is.
	must(filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	}))
	return Watch(t, top)
}

// Watch remembers what is in a folder, which need not be there yet, so that
// [Folder.Changed] can tell what has become of it since.
func Watch(t testing.TB, path string) *Folder {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatalf("hooktest: %v", err)
	}
	f := &Folder{t: t, path: path}
	f.before = f.look()
	return f
}

// Path is the folder's own or, with names, that of something in it.
func (f *Folder) Path(names ...string) string {
	return filepath.Join(append([]string{f.path}, names...)...)
}

// Changes says how the folder differs from what it was at first, one line for each
// difference, in the order of the paths:
//
//	governor: "powersave" -> "performance"
//	governor: mode 0644 -> 0600
//	run/web.conf: added 0644 "mtu 9000\n"
//	run: added folder 0755
//	latest: added link to "run/web.conf"
//	old.conf: removed
//
// Of more than 1000 bytes the number and a checksum stand for them.
func (f *Folder) Changes() []string {
	f.t.Helper()
	after := f.look()
	names := slices.Collect(maps.Keys(f.before))
	for name := range after {
		if _, ok := f.before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines []string
	for _, name := range names {
		old, was := f.before[name]
		now, is := after[name]
		if was && is && old.mode.Type() == now.mode.Type() {
			if old.text != now.text {
				lines = append(lines, name+": "+content(old.text)+" -> "+content(now.text))
			}
			if old.mode != now.mode {
				lines = append(lines, name+": mode "+permissions(old.mode)+" -> "+permissions(now.mode))
			}
			continue
		}
		if was {
			lines = append(lines, name+": removed")
		}
		if is {
			lines = append(lines, name+": added "+now.String())
		}
	}
	return lines
}

// Changed fails the test unless these are the [Folder.Changes], exactly. Without any the
// folder must be as it was at first.
func (f *Folder) Changed(want ...string) {
	f.t.Helper()
	if text, same := compareLines(want, f.Changes()); !same {
		f.t.Fatalf("%s: other changes than wanted (- wanted, + made):\n%s", f.path, text)
	}
}

// look reads all that is in the folder.
func (f *Folder) look() map[string]file {
	f.t.Helper()
	files := map[string]file{}
	err := filepath.WalkDir(f.path, func(full string, e fs.DirEntry, err error) error {
		if err != nil {
			if full == f.path && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		name, err := filepath.Rel(f.path, full)
		if err != nil || name == "." {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		found := file{mode: info.Mode()}
		switch found.mode.Type() {
		case 0:
			var text []byte
			text, err = os.ReadFile(full)
			found.text = string(text)
		case fs.ModeSymlink:
			found.text, err = os.Readlink(full)
		}
		files[path.Clean(filepath.ToSlash(name))] = found
		return err
	})
	if err != nil {
		f.t.Fatalf("hooktest: looking at the folder: %v", err)
	}
	return files
}

// String says what the file is.
func (f file) String() string {
	switch f.mode.Type() {
	case 0:
		return permissions(f.mode) + " " + content(f.text)
	case fs.ModeDir:
		return "folder " + permissions(f.mode)
	case fs.ModeSymlink:
		return "link to " + strconv.Quote(f.text)
	}
	return "special file " + f.mode.String()
}

// permissions are those bits of a mode that chmod(1) sets, as it writes them.
func permissions(mode fs.FileMode) string {
	bits := uint32(mode.Perm())
	for i, special := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
		if mode&special != 0 {
			bits |= 0o1000 << i
		}
	}
	return fmt.Sprintf("%04o", bits)
}

func content(text string) string {
	const most = 1000
	if len(text) > most {
		return fmt.Sprintf("%d bytes (sha256 %.8x)", len(text), sha256.Sum256([]byte(text)))
	}
	return strconv.Quote(text)
}
