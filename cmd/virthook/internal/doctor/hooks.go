package doctor

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// knownFolders are where builds of libvirt look for hooks: Linux distributions,
// FreeBSD and builds from source, NixOS.
var knownFolders = []string{"/etc/libvirt/hooks", "/usr/local/etc/libvirt/hooks", "/var/lib/libvirt/hooks"}

// file is one at a place where libvirt looks for hooks.
type file struct {
	driver   string
	path     string // as the host sees it
	inFolder bool   // of DRIVER.d
	link     bool
	real     string      // the path without links
	info     fs.FileInfo // of that; nil: it cannot be looked at
	err      error
	content  []byte // nil: not read
	sum      string
	module   string // of the main package, of a Go program
	sdk      string // the version of our SDK; "": not ours
	answer   *answer
	programs []string // interpreters, without links
}

// runs says whether libvirt executes the file.
func (f *file) runs() bool {
	return f.info != nil && f.info.Mode().IsRegular() && f.info.Mode().Perm()&0o111 != 0
}

func (f *file) entry(e *exam) Hook {
	h := Hook{Path: e.shown(f.path), Runs: f.runs() && !(f.inFolder && e.ignoresFolders()), SHA256: f.sum, Ours: f.sdk != "", SDK: f.sdk, Handles: []Handled{}}
	if f.answer != nil {
		h.Any = f.answer.Any
		for _, o := range f.answer.Handles {
			if o.Driver == f.driver {
				h.Handles = append(h.Handles, o)
			}
		}
	}
	return h
}

// findFolder decides which folder is examined, and says when libvirt reads another.
func (e *exam) findFolder() {
	reads := e.libvirt.folder
	e.hooks = path.Clean(cmp.Or(e.HooksDir, reads, e.firstFolder()))
	if reads != "" && e.real(reads) != e.real(e.hooks) {
		e.add("hooks-dir-elsewhere", e.shown(e.hooks), e.move(e.hooks, reads),
			"this libvirt (%s) reads %s, not %s", e.shown(e.libvirt.library), reads, e.hooks)
	}
	// Hooks where another build would read them.
	for _, other := range knownFolders {
		at := cmp.Or(reads, e.hooks)
		if e.real(other) == e.real(at) || e.real(other) == e.real(e.hooks) {
			continue
		}
		if e.hasHooks(other) {
			e.add("hooks-dir-elsewhere", e.shown(other), e.move(other, at), "there are hooks in %s, but libvirt reads %s", other, at)
		}
	}
	switch info, err := e.stat(e.hooks); {
	case errors.Is(err, fs.ErrNotExist):
		e.add("hooks-dir-missing", e.shown(e.hooks), "install -d -m 755 "+quoted(e.shown(e.hooks)), "there is no such folder")
	case err != nil:
		e.add("hooks-dir-missing", e.shown(e.hooks), "install -d -m 755 "+quoted(e.shown(e.hooks)), "it cannot be looked at: %s", reason(err))
	case !info.IsDir():
		e.add("hooks-dir-missing", e.shown(e.hooks), "mv "+quoted(e.shown(e.hooks))+" "+quoted(e.shown(e.hooks)+".moved")+" && install -d -m 755 "+quoted(e.shown(e.hooks)), "it is no folder")
	}
}

// real is the path without links, or as far as it goes.
func (e *exam) real(name string) string {
	if real, err := e.resolve(name); err == nil {
		return real
	}
	return path.Clean(name)
}

// move is the command that puts the hooks of one folder into another.
func (e *exam) move(from, to string) string {
	return "install -d -m 755 " + quoted(e.shown(to)) + " && cp -a " + quoted(e.shown(from)) + "/. " + quoted(e.shown(to)) + "/ && mv " + quoted(e.shown(from)) + " " + quoted(e.shown(from)+".moved")
}

func (e *exam) firstFolder() string {
	for _, dir := range knownFolders {
		if e.exists(dir) {
			return dir
		}
	}
	return knownFolders[0]
}

// hasHooks says whether a folder has files that libvirt would run.
func (e *exam) hasHooks(dir string) bool {
	for _, d := range e.Spec.Drivers {
		if e.isProgram(dir + "/" + d.Name) {
			return true
		}
		entries, _ := e.list(dir + "/" + d.Name + ".d")
		for _, entry := range entries {
			if e.isProgram(dir + "/" + d.Name + ".d/" + entry.Name()) {
				return true
			}
		}
	}
	return false
}

// readHooks collects the files where libvirt looks.
func (e *exam) readHooks() {
	for _, d := range e.Spec.Drivers {
		main := path.Join(e.hooks, d.Name)
		if _, err := os.Lstat(e.shown(e.realParent(main))); err == nil {
			e.readHook(&file{driver: d.Name, path: main})
		}
		folder := main + ".d"
		info, err := e.stat(folder)
		switch {
		case err == nil && !info.IsDir():
			e.add("driver-d-not-a-folder", e.shown(folder), "mv "+quoted(e.shown(folder))+" "+quoted(e.shown(path.Dir(folder)+"/moved-"+path.Base(folder))), "%s is no folder", path.Base(folder))
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			e.add("unreadable", e.shown(folder), "chmod 755 "+quoted(e.shown(folder)), "it cannot be looked at: %s", reason(err))
		case err == nil:
			entries, err := e.list(folder)
			if err != nil {
				e.add("unreadable", e.shown(folder), "chmod 755 "+quoted(e.shown(folder)), "it cannot be read: %s", reason(err))
			}
			for _, entry := range entries {
				e.readHook(&file{driver: d.Name, path: path.Join(folder, entry.Name()), inFolder: true})
			}
			if e.ignoresFolders() && len(entries) > 0 {
				e.add("driver-d-too-new", e.shown(folder), e.lift(d.Name), "libvirt %s does not look into it", e.libvirt.version)
			}
		}
	}
	if len(e.files) == 0 && e.exists(e.hooks) {
		e.add("no-hooks", e.shown(e.hooks), "", "no driver has a hook")
	}
}

// lift is the command that makes the first hook in DRIVER.d the driver's hook; "" when
// there is none, or something is in its place.
func (e *exam) lift(driver string) string {
	i := slices.IndexFunc(e.files, func(f *file) bool {
		name := path.Base(f.path)
		return f.driver == driver && (!f.inFolder || f.runs() && !backup(name) && !document(name))
	})
	if i < 0 || !e.files[i].inFolder {
		return ""
	}
	return "cp " + quoted(e.shown(e.files[i].path)) + " " + quoted(e.shown(path.Join(e.hooks, driver)))
}

// realParent is a path whose folder has no links.
func (e *exam) realParent(name string) string {
	return path.Join(e.real(path.Dir(name)), path.Base(name))
}

func (e *exam) readHook(f *file) {
	e.files = append(e.files, f)
	info, err := os.Lstat(e.shown(e.realParent(f.path)))
	f.link = err == nil && info.Mode()&fs.ModeSymlink != 0
	if f.real, f.err = e.resolve(f.path); f.err != nil {
		return
	}
	if f.info, f.err = os.Lstat(e.shown(f.real)); f.err != nil || !f.info.Mode().IsRegular() {
		return
	}
	if f.content = e.read(f.real); f.content == nil {
		return
	}
	sum := sha256.Sum256(f.content)
	f.sum = hex.EncodeToString(sum[:])
	f.readBuild()
}

const (
	ourModule = "github.com/virthook/virthook"
	ourTool   = ourModule + "/cmd/virthook"
)

// readBuild says whether the program links our SDK, without running it: Go notes
// the modules, and the names of functions are in every program.
func (f *file) readBuild() {
	info, err := buildinfo.Read(bytes.NewReader(f.content))
	if err != nil || info.Path == ourTool {
		return
	}
	f.module = cmp.Or(info.Path, info.Main.Path)
	version := ""
	if info.Main.Path == ourModule {
		version = cmp.Or(info.Main.Version, "(devel)")
	}
	for _, m := range info.Deps {
		if m.Path == ourModule {
			version = cmp.Or(m.Version, "(devel)")
		}
	}
	for _, function := range []string{"Main", "Run"} {
		if version != "" && bytes.Contains(f.content, []byte(ourModule+"/sdk."+function+"\x00")) {
			f.sdk = version
		}
	}
}

// reason is why a file cannot be looked at, in the system's words.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return err.Error()
}

func sortEntries(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
