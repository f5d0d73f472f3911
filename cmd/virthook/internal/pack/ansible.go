package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/virthook/virthook/cmd/virthook/internal/fleet"
	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/templates"
)

// File is one to be written.
type File struct {
	Content []byte
	Mode    os.FileMode
}

// Role is a role for Ansible that installs for each host what was built for it.
type Role struct {
	Name  string // also of its folder
	Hosts []string
	files map[string]File // by path in the role, with slashes
}

// roleHost is what vars/main.yml says of a host. JSON is YAML.
type roleHost struct {
	File    string   `json:"file"` // in the role's files
	Sum     string   `json:"sha256"`
	Drivers []string `json:"drivers"`
}

// role is what the templates of the role get.
type role struct {
	Name, Program, HookName, HooksDir, State string
	Drivers                                  []string // all that there are
	Hosts, Units                             string   // JSON
}

const roleMarker = ".virthook-role"

// NewRole makes a role of the packages, which are all of one project.
func NewRole(packages []*Package, o Options) (*Role, error) {
	s, err := spec.Builtin()
	if err != nil {
		return nil, err
	}
	first := packages[0]
	r := &Role{Name: strings.ReplaceAll(first.family, "-", "_"), files: map[string]File{}}
	r.Name = strings.Map(func(c rune) rune {
		if c == '.' || c == '+' {
			return '_'
		}
		return c
	}, r.Name)
	hosts, units := map[string]roleHost{}, map[string][]string{}
	values := role{Name: r.Name, Program: first.host.Program, HookName: first.host.hookName, HooksDir: o.HooksDir, State: first.state()}
	for _, p := range packages {
		if p.host.Program != first.host.Program || p.host.hookName != first.host.hookName {
			return nil, fmt.Errorf("%s and %s are of two projects, %s and %s: a role is for one", first.host.Dir, p.host.Dir, first.host.Program, p.host.Program)
		}
		content, err := os.ReadFile(p.host.program())
		if err != nil {
			return nil, err
		}
		file := path.Join(p.host.Sum[:16], p.host.Program)
		r.files["files/"+file] = File{content, 0o755}
		for _, name := range p.Hosts {
			hosts[name] = roleHost{file, p.host.Sum, p.host.Drivers}
			r.Hosts = append(r.Hosts, name)
		}
	}
	slices.Sort(r.Hosts)
	for _, d := range s.Drivers {
		values.Drivers = append(values.Drivers, d.Name)
		units[d.Name] = install.Daemons([]string{d.Name})
	}
	if values.Hosts, err = asJSON(hosts); err != nil {
		return nil, err
	}
	if values.Units, err = asJSON(units); err != nil {
		return nil, err
	}
	const at = "package/ansible"
	return r, fs.WalkDir(templates.Package, at, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := fs.ReadFile(templates.Package, name)
		if err != nil {
			return err
		}
		to, isTemplate := strings.CutSuffix(strings.TrimPrefix(name, at+"/"), ".tmpl")
		if isTemplate {
			// Ansible's own templates have the usual brackets.
			t, err := template.New(name).Delims("<<", ">>").Parse(string(content))
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := t.Execute(&b, values); err != nil {
				return err
			}
			content = b.Bytes()
		}
		r.files[to] = File{content, 0o644}
		return nil
	})
}

// asJSON is sorted by key.
func asJSON(value any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(value)
	return strings.TrimSpace(b.String()), err
}

// CanWrite says why the role cannot be written to a folder: virthook has not made it.
func (r *Role) CanWrite(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		if _, err := os.Stat(filepath.Join(dir, roleMarker)); err != nil {
			return fmt.Errorf("%s: virthook package has not made this, so it does not replace it", dir)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Write makes the folder of the role, in the place of one that virthook has made before.
// All may read it, whatever the umask is.
func (r *Role) Write(dir string) error {
	if err := r.CanWrite(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), ".virthook-role-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	r.files[roleMarker] = File{[]byte("Written by virthook package, which replaces this folder.\n"), 0o644}
	for name, f := range r.files {
		to := filepath.Join(fresh, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.Content, f.Mode); err != nil {
			return err
		}
		if err := os.Chmod(to, f.Mode); err != nil {
			return err
		}
	}
	err = filepath.WalkDir(fresh, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = os.Chmod(name, 0o755)
		}
		return err
	})
	if err != nil {
		return err
	}
	return fleet.ReplaceFolder(fresh, dir)
}
