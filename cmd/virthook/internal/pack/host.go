// Package pack makes packages of the folders that virthook build has written: deb and
// rpm, and a role for Ansible.
package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Host is a host's folder.
type Host struct {
	Dir     string // the folder, as it was given
	Name    string // of the host
	System  string // GOOS
	Arch    string // GOARCH
	Program string // the name of the binary
	Sum     string // its SHA-256
	Sets    []string
	Drivers []string // whose hook it is, sorted

	sbom     string // its file, "" without one
	hookName string // in DRIVER.d
}

type manifest struct {
	Version int      `json:"version"`
	Host    string   `json:"host"`
	Target  string   `json:"target"`
	Sets    []string `json:"sets"`
	Files   []struct {
		Path   string `json:"path"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
}

const (
	manifestFile = "manifest.json"
	sbomFile     = "sbom.cdx.json"
)

// What goes into paths and into shell scripts is of these letters.
var (
	plainName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
	plainFolder = regexp.MustCompile(`^(/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)
)

// ReadHost reads a host's folder and holds the files against its manifest.
func ReadHost(dir string) (*Host, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no host's folder, it has no %s: run virthook build", dir, manifestFile)
	}
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s: run virthook build again", filepath.Join(dir, manifestFile), fmt.Sprintf(format, args...))
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, wrong("%v", err)
	}
	h := &Host{Dir: dir, Name: m.Host, Sets: m.Sets}
	system, arch, ok := strings.Cut(m.Target, "/")
	h.System, h.Arch = system, arch
	switch {
	case m.Version != 1:
		return nil, fmt.Errorf("%s: version %d; this virthook reads version 1", filepath.Join(dir, manifestFile), m.Version)
	case !hostName.MatchString(m.Host):
		return nil, wrong("%q is no host's name", m.Host)
	case !ok || system == "" || arch == "":
		return nil, wrong("target %q is not GOOS/GOARCH", m.Target)
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return nil, wrong("%q leads out of the folder", f.Path)
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("%w: run virthook build again", err)
		}
		if sum := sumOf(content); sum != f.SHA256 {
			return nil, fmt.Errorf("%s: is not what %s says: run virthook build again", name, manifestFile)
		}
		folder, hook := path.Split(f.Path)
		driver, isHook := strings.CutSuffix(strings.TrimPrefix(path.Clean(folder), "hooks/"), ".d")
		switch {
		case f.Path == sbomFile:
			h.sbom = name
		case isHook && strings.HasPrefix(folder, "hooks/"):
			if !plainName.MatchString(driver) || !plainName.MatchString(hook) || h.hookName != "" && h.hookName != hook {
				return nil, wrong("%q is no place for a hook", f.Path)
			}
			if h.Sum != "" && f.SHA256 != h.Sum {
				return nil, wrong("%s is another program than %s", f.Path, h.Program)
			}
			h.Drivers, h.hookName = append(h.Drivers, driver), hook
		case folder == "" && h.Program == "" && plainName.MatchString(f.Path):
			h.Program, h.Sum = f.Path, f.SHA256
		default:
			return nil, wrong("%q is a file that is not known", f.Path)
		}
	}
	switch {
	case h.Program == "":
		return nil, wrong("it names no program")
	case len(h.Drivers) == 0:
		return nil, wrong("it names no hooks")
	}
	slices.Sort(h.Drivers)
	return h, nil
}

// program is the path of the binary.
func (h *Host) program() string { return filepath.Join(h.Dir, h.Program) }

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
