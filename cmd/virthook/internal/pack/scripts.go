package pack

import (
	"bytes"
	"path"
	"strings"
	"text/template"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/templates"
)

// scriptNames are those of dpkg; rpm has %pre, %post and %preun.
var scriptNames = []string{"preinst", "postinst", "prerm"}

// reload says which daemons call hooks of a driver.
type reload struct {
	Driver string
	Units  []string
}

// script is what the templates of the maintainer scripts get.
type script struct {
	Package         string
	Payload, Sum    string
	HooksDir, State string
	HookName        string
	Drivers         []string
	Reloads         []reload
}

// scripts are the maintainer scripts by name.
func (p *Package) scripts() (map[string][]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"join": func(words []string) string { return strings.Join(words, " ") },
	}).ParseFS(templates.Package, "package/scripts/*.sh.tmpl")
	if err != nil {
		return nil, err
	}
	s := script{
		Package: p.Name, Payload: p.payload(), Sum: p.host.Sum,
		HooksDir: p.hooksDir, State: p.state(), HookName: p.host.hookName, Drivers: p.host.Drivers,
	}
	for _, d := range p.host.Drivers {
		s.Reloads = append(s.Reloads, reload{d, install.Daemons([]string{d})})
	}
	scripts := map[string][]byte{}
	for _, name := range scriptNames {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, path.Base(name)+".sh.tmpl", s); err != nil {
			return nil, err
		}
		scripts[name] = b.Bytes()
	}
	return scripts, nil
}
