package install

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/virthook/virthook/spec"
)

// home is a place where libvirt is installed, and the hooks folder of that one.
type home struct {
	hooks     string
	daemons   []string // folders
	libraries []string // patterns below /
	marks     []string // files that say that it is there
}

var homes = []home{
	{
		hooks:     "/etc/libvirt/hooks",
		daemons:   []string{"/usr/sbin", "/usr/bin"},
		libraries: []string{"usr/lib/*/libvirt.so.0.*", "usr/lib64/libvirt.so.0.*", "usr/lib/libvirt.so.0.*"},
	},
	{ // built from source, and FreeBSD's ports
		hooks:     "/usr/local/etc/libvirt/hooks",
		daemons:   []string{"/usr/local/sbin"},
		libraries: []string{"usr/local/lib/*/libvirt.so.0.*", "usr/local/lib64/libvirt.so.0.*", "usr/local/lib/libvirt.so.0.*"},
	},
	{
		hooks: "/var/lib/libvirt/hooks",
		marks: []string{"/etc/NIXOS"},
	},
}

func (m home) installed(h *Host) bool {
	if slices.ContainsFunc(m.marks, h.exists) {
		return true
	}
	return slices.ContainsFunc(m.daemons, func(folder string) bool {
		return slices.ContainsFunc(daemonNames(), func(name string) bool { return h.isProgram(path.Join(folder, name)) })
	})
}

// HooksDir finds the host's hooks folder: the one that its libvirt reads, or without
// a libvirt the one that is there, or in an image without either the usual one. It need
// not exist.
func HooksDir(h *Host) (string, error) {
	var read, there []string
	for _, m := range homes {
		if m.installed(h) {
			read = append(read, m.hooks)
		}
		if h.isFolder(m.hooks) {
			there = append(there, m.hooks)
		}
	}
	found, why := read, "each belongs to a libvirt that is installed"
	if len(read) == 0 {
		found, why = there, "each exists, and no libvirt is installed"
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if h.IsImage() {
			return homes[0].hooks, nil
		}
		return "", usef("found neither a libvirt nor a hooks folder: say where it is with --hooks-dir, such as %s", homes[0].hooks)
	}
	return "", usef("found several hooks folders, %s: %s: say which with --hooks-dir", strings.Join(found, ", "), why)
}

// LibvirtVersion is that of the libvirt which reads the hooks folder, by the name of
// its library; "" where that is not known.
func LibvirtVersion(h *Host, hooksDir string) spec.Version {
	fsys := os.DirFS("/")
	if h.image != nil {
		fsys = h.image.FS()
	}
	var found spec.Version
	for _, m := range homes {
		if m.hooks != hooksDir {
			continue
		}
		for _, pattern := range m.libraries {
			names, _ := fs.Glob(fsys, pattern)
			for _, name := range names {
				v, ok := libraryVersion(path.Base(name))
				if ok && found != "" && found != v {
					return ""
				}
				if ok {
					found = v
				}
			}
		}
	}
	return found
}

// libraryVersion reads libvirt.so.0.11003.0, which is of 11.3.0.
func libraryVersion(name string) (spec.Version, bool) {
	number, patch, _ := strings.Cut(strings.TrimPrefix(name, "libvirt.so.0."), ".")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return "", false
	}
	v, err := spec.ParseVersion(fmt.Sprintf("%d.%d.%s", n/1000, n%1000, patch))
	return v, err == nil
}

// onlyOwners refuses a folder of hooks into which others than root, and who runs
// this, can put programs that libvirt runs as root. It says how to mend it.
func onlyOwners(seen string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s: not a folder", seen)
	}
	if uid := int(info.Sys().(*syscall.Stat_t).Uid); uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("%s: belongs to user %d, who could replace what libvirt runs as root: chown root %[1]s", seen, uid)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%s: others can write to it (mode %04o), and so replace what libvirt runs as root: chmod go-w %[1]s", seen, mode)
	}
	return nil
}

// absent are the folders that must be made so that this one is there, the outermost
// first.
func (h *Host) absent(dir string) ([]string, error) {
	if h.IsImage() { // where links of the image may lead to what is not there either
		inside, err := h.inside(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Seen(dir), cause(err))
		}
		dir = path.Join("/", inside)
	}
	var names []string
	for ; !h.exists(dir) && filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		names = append(names, dir)
	}
	slices.Reverse(names)
	return names, nil
}
