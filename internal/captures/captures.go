// Package captures holds hook calls that real libvirt daemons made, recorded
// with their arguments and standard input.
//
// The folder recorded/VERSION has one pair of files for a call: NAME.argv, one
// argument a line with the program first, and NAME.xml, the bytes that came on
// standard input (none for the daemon's own hooks). No libvirt could be recorded
// with the libxl and bhyve drivers: samples/DRIVER.xml are documents written by
// hand that stand in for theirs, and samples/DRIVER-off.xml the same guests while
// libvirt has no id for them, and so leaves out what it has made up itself.
package captures

import (
	"cmp"
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/virthook/virthook/internal/version"
)

//go:embed recorded samples
var files embed.FS

// Capture is one call of a hook.
type Capture struct {
	Version                          string // of libvirt; empty for a stand-in, which no libvirt sent
	Driver, Object, Op, SubOp, Extra string
	XML                              []byte // nil: standard input was /dev/null
	Name                             string // e.g. "qemu.release.end.crashed"; unique in a version
}

// All returns every recorded call, sorted by version and name. The caller may
// keep and change what it gets.
func All() []Capture {
	// The files are part of the program: reading them cannot fail, and a test
	// says that every one of them is well-formed.
	names, _ := fs.Glob(files, "recorded/*/*.argv")
	all := make([]Capture, 0, len(names))
	for _, name := range names {
		all = append(all, read(strings.TrimSuffix(name, ".argv")))
	}
	slices.SortFunc(all, func(a, b Capture) int {
		return cmp.Or(version.Compare(a.Version, b.Version), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// read loads the pair of files recorded/VERSION/NAME.{argv,xml}.
func read(stem string) Capture {
	argv, _ := files.ReadFile(stem + ".argv")
	xml, _ := files.ReadFile(stem + ".xml")
	if len(xml) == 0 {
		xml = nil
	}
	// Padded, so that a malformed file shows as empty fields and not as a panic.
	a := append(strings.Split(strings.TrimSuffix(string(argv), "\n"), "\n"), "", "", "", "")
	return Capture{
		Version: path.Base(path.Dir(stem)),
		Driver:  path.Base(a[0]),
		Object:  a[1],
		Op:      a[2],
		SubOp:   a[3],
		Extra:   a[4],
		XML:     xml,
		Name:    path.Base(stem),
	}
}
