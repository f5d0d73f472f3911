// Package scenario reads what virthook replay plays: YAML files that say which guests
// there are and what is done to them, and the ones that are built in.
package scenario

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/internal/lifecycle"
	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/spec/strict"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// document is a scenario as it is written.
type document struct {
	Scenario string  `yaml:"scenario"`
	Summary  string  `yaml:"summary"`
	Libvirt  string  `yaml:"libvirt,omitempty"`
	Guests   []guest `yaml:"guests,omitempty"`
	Steps    []step  `yaml:"steps"`
	lines    strict.Lines
}

type guest struct {
	Name     string   `yaml:"name"`
	Driver   string   `yaml:"driver,omitempty"`
	Networks []string `yaml:"networks,omitempty"`
	XML      string   `yaml:"xml,omitempty"`   // a file, beside the scenario's
	Count    int      `yaml:"count,omitempty"` // NAME-1 to NAME-COUNT
}

// step is ACTION, {ACTION: OBJECT} or {ACTION: [OBJECT…]}, with expect beside it.
type step struct {
	action  string
	objects []string
	expect  string
	line    int
}

// UnmarshalYAML remembers the lines.
func (d *document) UnmarshalYAML(n *yaml.Node) error {
	type plain document
	d.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(d))
}

// UnmarshalYAML reads one of the three forms.
func (s *step) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	if n.Kind == yaml.ScalarNode {
		s.action = n.Value
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return errors.New("a step is an action, or an action and to what it is done")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		switch {
		case key == "expect":
			if err := value.Load(&s.expect); err != nil {
				return errors.New("expect is one word or a few")
			}
		case s.action != "":
			return fmt.Errorf("a step has one action, not %s and %s", s.action, key)
		default:
			s.action = key
			if err := s.names(value); err != nil {
				return err
			}
		}
	}
	if s.action == "" {
		return errors.New("a step without an action")
	}
	return nil
}

func (s *step) names(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		s.objects = []string{n.Value}
		if n.Tag == "!!null" {
			s.objects = nil
		}
		return nil
	}
	if err := n.Load(&s.objects); err != nil {
		return fmt.Errorf("%s: to what it is done is a name or a list of names", s.action)
	}
	return nil
}

// Names are those of the built-in scenarios, sorted.
func Names() []string {
	files, _ := fs.Glob(builtin, "builtin/*.yaml")
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	return files
}

// Load reads the built-in scenario of that name or, when it is no such name, the file.
// What is wrong with it is named with file and line.
func Load(name string) (*lifecycle.Scenario, error) {
	if slices.Contains(Names(), name) {
		data, err := builtin.ReadFile("builtin/" + name + ".yaml")
		if err != nil {
			return nil, err
		}
		return parse(name+".yaml", data)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./") {
		return nil, fmt.Errorf("no scenario %q: it is one of %s, or a file", name, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}

// parse reads one document; the file's name is for errors and for files beside it.
func parse(file string, data []byte) (*lifecycle.Scenario, error) {
	var d document
	if err := strict.Decode(file, data, &d).Err(); err != nil {
		return nil, err
	}
	var ps strict.Problems
	problem := func(line int, format string, args ...any) {
		ps = append(ps, strict.Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	s := &lifecycle.Scenario{Name: d.Scenario, Summary: d.Summary}
	if d.Scenario == "" {
		problem(d.lines.Of(""), "scenario is missing: it is the name")
	}
	if d.Libvirt != "" {
		v, err := spec.ParseVersion(d.Libvirt)
		if err != nil {
			problem(d.lines.Of("libvirt"), "libvirt: %v", err)
		}
		s.Libvirt = string(v)
	}
	several := map[string][]string{} // the guests of a count, by its name
	var lines []int                  // of each guest
	for i, g := range d.Guests {
		line := d.lines.Of(fmt.Sprintf("guests[%d]", i))
		guests, err := g.guests(filepath.Dir(file))
		if err != nil {
			problem(line, "guest %q: %v", g.Name, err)
		}
		for _, one := range guests {
			lines = append(lines, line)
			if one.Name != g.Name {
				several[g.Name] = append(several[g.Name], one.Name)
			}
		}
		s.Guests = append(s.Guests, guests...)
	}
	if len(d.Steps) == 0 {
		problem(d.lines.Of("steps"), "there are no steps")
	}
	for _, st := range d.Steps {
		var objects []string
		for _, o := range st.objects {
			if all, ok := several[o]; ok {
				objects = append(objects, all...)
			} else {
				objects = append(objects, o)
			}
		}
		s.Steps = append(s.Steps, lifecycle.Step{Action: st.action, Objects: objects, Expect: st.expect})
	}
	if len(ps) > 0 {
		return nil, ps.Err()
	}
	if _, err := lifecycle.New(s); err != nil {
		var step *lifecycle.StepError
		var guest *lifecycle.GuestError
		switch {
		case errors.As(err, &step):
			problem(d.Steps[step.Step].line, "%v", step.Err)
		case errors.As(err, &guest):
			problem(lines[guest.Guest], "%v", err)
		default:
			problem(0, "%v", err)
		}
		return nil, ps.Err()
	}
	return s, nil
}

// guests are what one entry stands for.
func (g guest) guests(dir string) ([]lifecycle.Guest, error) {
	one := lifecycle.Guest{Name: g.Name, Driver: g.Driver, Networks: g.Networks}
	if g.XML != "" {
		path := g.XML
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		xml, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		one.XML = xml
	}
	if g.Count == 0 {
		return []lifecycle.Guest{one}, nil
	}
	if g.Count < 0 || g.Count > 10000 {
		return nil, fmt.Errorf("count is %d, not 1 to 10000", g.Count)
	}
	all := make([]lifecycle.Guest, g.Count)
	for i := range all {
		all[i] = one
		all[i].Name = fmt.Sprintf("%s-%d", g.Name, i+1)
		all[i].UUID = lifecycle.UUID(all[i].Name)
	}
	return all, nil
}

// Summaries are the built-in scenarios with what each is about.
func Summaries() ([][2]string, error) {
	var all [][2]string
	for _, name := range Names() {
		s, err := Load(name)
		if err != nil {
			return nil, err
		}
		all = append(all, [2]string{name, cmp.Or(s.Summary, s.Name)})
	}
	return all, nil
}
