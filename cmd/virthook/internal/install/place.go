package install

import (
	"regexp"
	"slices"
	"strings"

	"github.com/virthook/virthook/spec"
)

// Place is where a hook is: DRIVER or DRIVER.d/NAME below the hooks folder.
type Place struct {
	Driver string
	Name   string // "": the program DRIVER itself
}

// String is the place's path below the hooks folder.
func (p Place) String() string {
	if p.Name == "" {
		return p.Driver
	}
	return p.Driver + ".d/" + p.Name
}

// folder is the one of the place below the hooks folder, "." for DRIVER.
func (p Place) folder() string {
	if p.Name == "" {
		return "."
	}
	return p.Driver + ".d"
}

// libvirt runs whatever is executable there. These names are a choice: hidden files
// and backups are for doctor to find, not to be made.
var placeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

// ParsePlace reads DRIVER or DRIVER.d/NAME of one of the drivers.
func ParsePlace(text string, drivers []string) (Place, error) {
	folder, name, in := strings.Cut(text, "/")
	driver := folder
	if in {
		var ok bool
		if driver, ok = strings.CutSuffix(folder, ".d"); !ok || !placeName.MatchString(name) {
			return Place{}, usef("%q is no place for a hook: DRIVER.d/NAME or DRIVER, NAME of letters, digits and . _ + -", text)
		}
	}
	if !slices.Contains(drivers, driver) {
		return Place{}, usef("%q is no place for a hook: the driver is one of %s", text, strings.Join(drivers, ", "))
	}
	return Place{driver, name}, nil
}

func knownDrivers() ([]string, error) {
	s, err := spec.Builtin()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range s.Drivers {
		names = append(names, d.Name)
	}
	return names, nil
}

// folders is the version of libvirt that runs what is in DRIVER.d.
const folders spec.Version = "6.5.0"

var numbered = regexp.MustCompile(`^[0-9][0-9]-.`)

// defaultName is the name in DRIVER.d of a program: 50 leaves room on both sides.
func defaultName(program string) string {
	if numbered.MatchString(program) {
		return program
	}
	return "50-" + program
}

// places are where to put the program: those that were named, and the usual one for
// each driver that has none.
func places(program string, drivers, as []string, version spec.Version) ([]Place, error) {
	known, err := knownDrivers()
	if err != nil {
		return nil, err
	}
	var found []Place
	has := map[string]bool{}
	for _, text := range as {
		p, err := ParsePlace(text, known)
		if err != nil {
			return nil, err
		}
		if p.Name != "" && version != "" && version.Less(folders) {
			return nil, usef("--as: libvirt %s runs nothing in %s.d, which it does since %s: use --as %[2]s", version, p.Driver, folders)
		}
		if !slices.Contains(found, p) {
			found = append(found, p)
		}
		has[p.Driver] = true
	}
	for _, d := range drivers {
		switch {
		case !slices.Contains(known, d):
			return nil, usef("unknown driver %q: one of %s", d, strings.Join(known, ", "))
		case has[d]:
			continue
		}
		has[d] = true
		p := Place{Driver: d}
		if version == "" || !version.Less(folders) {
			if p.Name = defaultName(program); !placeName.MatchString(p.Name) {
				return nil, usef("%q is not a good name for a hook: name the place with --as %s.d/50-NAME", program, d)
			}
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b Place) int { return strings.Compare(a.String(), b.String()) })
	return found, nil
}
