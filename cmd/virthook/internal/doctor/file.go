package doctor

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkFile looks at one hook.
func (e *exam) checkFile(f *file) {
	at := e.shown(f.path)
	name := path.Base(f.path)
	switch {
	case f.link && errors.Is(f.err, fs.ErrNotExist):
		e.add("dangling-link", at, "rm "+quoted(at), "the link leads to %s, which is not there", f.real)
		return
	case f.err != nil:
		e.add("unreadable", at, "ls -l "+quoted(at), "it cannot be looked at: %s", reason(f.err))
		return
	case !f.info.Mode().IsRegular():
		if f.inFolder && f.info.IsDir() {
			e.add("not-a-file", at, "mv "+quoted(at)+" "+quoted(e.shown(e.hooks)+"/"), "a folder in %s", path.Base(path.Dir(f.path)))
		} else {
			e.add("not-a-file", at, "mv "+quoted(at)+" "+quoted(at+".moved"), "it is %s, not a regular file", kind(f.info.Mode()))
		}
		return
	case !f.runs():
		if !f.inFolder || !backup(name) && !document(name) { // those are rather not to run
			e.add("not-executable", at, "chmod 755 "+quoted(at), "its mode is %04o, without the bit x", f.info.Mode().Perm())
		}
		return
	}
	if f.inFolder && backup(name) {
		e.add("backup-runs", at, "mv "+quoted(at)+" "+quoted(e.shown(e.hooks)+"/"), "it looks like a copy that is not meant to run, but it is executable")
	} else if f.inFolder && document(name) {
		e.add("document-runs", at, "chmod a-x "+quoted(at), "it looks like a text, but it is executable")
	}
	if f.info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		e.add("setuid", at, "chmod u-s,g-s "+quoted(e.shown(f.real)), "its mode has setuid or setgid")
	}
	if f.link && !strings.HasPrefix(f.real, e.real(e.hooks)+"/") {
		e.add("link-out", at, "cp --remove-destination "+quoted(e.shown(f.real))+" "+quoted(at), "the link leads to %s, out of the hooks folder", f.real)
	}
	e.checkPath(f)
	if m, known := e.mountOf(f.real); known && slices.Contains(m.options, "noexec") {
		e.add("noexec", at, "mount -o remount,exec "+quoted(m.at), "the file system at %s is mounted noexec", m.at)
	}
	e.checkProgram(f)
	e.checkFired(f)
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// checkPath looks at the file and at all folders above it and above the link to it:
// who can write to one of them decides what libvirt runs.
func (e *exam) checkPath(f *file) {
	paths := []string{f.real}
	for _, p := range []string{f.real, e.realParent(f.path), f.path} {
		for p != "/" {
			p = path.Dir(p)
			paths = append(paths, p)
		}
	}
	for _, p := range paths {
		real, err := e.resolve(p)
		if err != nil {
			continue
		}
		at := e.shown(real)
		info, err := os.Lstat(at)
		if err != nil {
			continue
		}
		if uid, known := ownerOf(info); known && uid != 0 && uid != e.owner {
			e.add("owner", at, "chown root:root "+quoted(at), "it belongs to the user %d", uid)
		}
		m := info.Mode()
		if info.IsDir() && m&fs.ModeSticky != 0 { // what is in it is its owner's
			continue
		}
		if m.Perm()&0o022 != 0 {
			who := "its group"
			if m.Perm()&0o002 != 0 {
				who = "everybody"
			}
			e.add("writable", at, "chmod go-w "+quoted(at), "its mode is %04o: %s may write to it", m.Perm(), who)
		}
	}
}

// checkFired says when it is sure that a hook has never run: the system notes when
// a file was read, by whatever, and to run it is to read it. Where it notes that at
// all, it does so for the first time after each change.
func (e *exam) checkFired(f *file) {
	m, known := e.mountOf(f.real)
	if !known || !slices.Contains(m.options, "relatime") && !slices.Contains(m.options, "strictatime") {
		return
	}
	access, change, ok := times(f.info)
	if ok && !access.After(change) {
		e.add("never-fired", e.shown(f.path), "", "nobody has run it since it was put here or changed, %s", change.UTC().Format(time.DateTime+" UTC"))
	}
}

// logged is when a hook of the driver that is ours has last written to the journal,
// which proves that it runs; nil: there is no such entry. It writes when something
// goes wrong, and what its author logs.
func (e *exam) logged(d Driver) *time.Time {
	if e.Run == nil || !slices.ContainsFunc(d.Hooks, func(h Hook) bool { return h.Ours }) {
		return nil
	}
	out, err := e.Run(e.ctx, "journalctl", "--quiet", "--lines=1", "--output=json", "--identifier=virthook-"+d.Driver)
	var entry struct {
		Time string `json:"__REALTIME_TIMESTAMP"` // microseconds
	}
	if err != nil || json.Unmarshal(out, &entry) != nil {
		return nil
	}
	n, err := strconv.ParseInt(entry.Time, 10, 64)
	if err != nil {
		return nil
	}
	t := time.UnixMicro(n).UTC()
	return &t
}
