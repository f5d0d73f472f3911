package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What install keeps in the hooks folder. libvirt looks there at nothing but DRIVER
// and DRIVER.d, and so runs none of it.
const (
	ManifestName = "virthook-install.json" // which files are ours
	StoreName    = ".virthook"             // the folder of what they replaced, and of what is being written
)

// Manifest says which files in a hooks folder install has put there. It is written
// before they are: what a file is, its content tells.
type Manifest struct {
	Version int      `json:"version"`
	Hooks   []Entry  `json:"hooks"`   // by place
	Created []string `json:"created"` // the folders DRIVER.d that were made

	// The drivers that had no hook, and when they got one, unless install has
	// reloaded their daemons.
	Reload map[string]time.Time `json:"reload,omitempty"`
}

// Entry is one file of ours.
type Entry struct {
	Place     string    `json:"place"`
	Program   string    `json:"program"`
	SHA256    string    `json:"sha256"`
	Installed time.Time `json:"installed"`
	Previous  *Kept     `json:"previous,omitempty"` // our version before this one
	Replaced  *Kept     `json:"replaced,omitempty"` // what was there before ours
}

// Kept is a file that was replaced.
type Kept struct {
	SHA256 string `json:"sha256"` // of a symbolic link: of where it leads to
	File   string `json:"file"`   // in the store
}

// ReadManifest reads the one in the host's hooks folder; it is empty where there is
// none.
func ReadManifest(h *Host, hooksDir string) (*Manifest, error) {
	f, err := openFolder(h, hooksDir)
	if err != nil {
		return nil, err
	}
	defer f.close()
	return f.manifest()
}

func (f *folder) manifest() (*Manifest, error) {
	m := &Manifest{Version: 1, Hooks: []Entry{}, Created: []string{}}
	if f == nil {
		return m, nil
	}
	content, err := f.ReadFile(ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	seen := f.seen(ManifestName)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", seen, cause(err))
	}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, fmt.Errorf("%s: %w", seen, err)
	}
	if m.Version != 1 {
		return nil, fmt.Errorf("%s: not a list of installed hooks of version 1", seen)
	}
	known, err := knownDrivers()
	if err != nil {
		return nil, err
	}
	for _, e := range m.Hooks {
		if _, err := ParsePlace(e.Place, known); err != nil {
			return nil, fmt.Errorf("%s: %s", seen, err)
		}
		for _, k := range []*Kept{e.Previous, e.Replaced} {
			if k != nil && (!filepath.IsLocal(k.File) || strings.Contains(k.File, "/")) {
				return nil, fmt.Errorf("%s: %q is not the name of a kept file", seen, k.File)
			}
		}
	}
	for _, folder := range m.Created {
		if driver, ok := strings.CutSuffix(folder, ".d"); !ok || !slices.Contains(known, driver) {
			return nil, fmt.Errorf("%s: %q is not a driver's folder", seen, folder)
		}
	}
	return m, nil
}

// Entry is the one for the place, nil when nothing of ours is there.
func (m *Manifest) Entry(p Place) *Entry {
	for i := range m.Hooks {
		if m.Hooks[i].Place == p.String() {
			return &m.Hooks[i]
		}
	}
	return nil
}

func (m *Manifest) clone() *Manifest {
	c := *m
	c.Hooks, c.Created = slices.Clone(m.Hooks), slices.Clone(m.Created)
	c.Reload = map[string]time.Time{}
	for d, at := range m.Reload {
		c.Reload[d] = at
	}
	return &c
}

func (m *Manifest) set(e Entry) {
	m.drop(e.Place)
	m.Hooks = append(m.Hooks, e)
	slices.SortFunc(m.Hooks, func(a, b Entry) int { return strings.Compare(a.Place, b.Place) })
}

func (m *Manifest) drop(place string) {
	m.Hooks = slices.DeleteFunc(m.Hooks, func(e Entry) bool { return e.Place == place })
}

func (m *Manifest) encode() ([]byte, error) {
	content, err := json.MarshalIndent(m, "", "  ")
	return append(content, '\n'), err
}

func (m *Manifest) equal(other *Manifest) bool {
	a, errA := m.encode()
	b, errB := other.encode()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// keeps says whether the file in the store is needed.
func (m *Manifest) keeps(file string) bool {
	return slices.ContainsFunc(m.Hooks, func(e Entry) bool {
		return e.Previous != nil && e.Previous.File == file || e.Replaced != nil && e.Replaced.File == file
	})
}

// cause is a system error without the path, which the caller says better.
func cause(err error) error {
	var perr *fs.PathError
	var lerr *os.LinkError
	switch {
	case errors.As(err, &perr):
		return perr.Err
	case errors.As(err, &lerr):
		return lerr.Err
	}
	return err
}
