package spec

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// enumsFile is the one file of a spec folder that is not a driver's.
const enumsFile = "enums.yaml"

// Builtin returns the spec that this module ships.
func Builtin() (*Spec, error) { return Load(builtin) }

// Problem is one fault of a spec, at a place in one of its files.
type Problem struct {
	File string
	Line int // 0: the file as a whole
	Text string
}

func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems is every fault that was found, in the order of files and lines.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return ps
}

// Load reads and validates a spec folder: every *.yaml file at the top of it is
// a driver's, but for enums.yaml. Other files are left alone. The error is of
// type [Problems] when the folder could be read but its content is wrong.
func Load(dir fs.FS) (*Spec, error) {
	s, problems, err := parse(dir)
	if err != nil {
		return nil, err
	}
	if err := s.validate(problems); err != nil {
		return nil, err
	}
	return s, nil
}

// parse reads a spec folder and says what did not decode.
func parse(dir fs.FS) (*Spec, Problems, error) {
	entries, err := fs.ReadDir(dir, ".") // not Glob, which takes an unreadable folder for an empty one
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the spec folder: %w", err)
	}
	s := &Spec{}
	var problems Problems
	for _, entry := range entries { // sorted, and a driver's file bears its name
		name := entry.Name()
		if path.Ext(name) == ".yml" {
			problems = append(problems, Problem{File: name, Text: "spec files are named *.yaml"})
			continue
		}
		if path.Ext(name) != ".yaml" {
			continue
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, nil, err
		}
		if name == enumsFile {
			var doc enumsDoc
			problems = append(problems, decode(name, data, &doc)...)
			s.Enums = present(doc.Enums, &problems, name, doc.lines, "enums")
			continue
		}
		d := &Driver{File: name}
		problems = append(problems, decode(name, data, d)...)
		d.Ops = present(d.Ops, &problems, name, d.lines, "operations")
		d.Lifecycles = present(d.Lifecycles, &problems, name, d.lines, "lifecycles")
		for _, o := range d.Ops {
			o.Driver = d
		}
		s.Drivers = append(s.Drivers, d)
	}
	if len(s.Drivers) == 0 && len(problems) == 0 {
		return nil, nil, errors.New("no driver file (*.yaml) in the spec folder")
	}
	return s, problems, nil
}

// present drops the items of a list that hold nothing and reports them: "- " alone
// decodes to nil, which nothing after this expects.
func present[T any](list []*T, problems *Problems, file string, ls lines, key string) []*T {
	var out []*T
	for i, item := range list {
		if item == nil {
			*problems = append(*problems, Problem{file, ls.of(fmt.Sprintf("%s[%d]", key, i)), key + " has an empty item"})
			continue
		}
		out = append(out, item)
	}
	return out
}

// decode reads one YAML document strictly and turns whatever the library finds
// into Problems of that file.
func decode(file string, data []byte, out any) Problems {
	err := yaml.Load(data, out, yaml.WithKnownFields(), yaml.WithUniqueKeys())
	if err == nil {
		return nil
	}
	var ps Problems
	for _, e := range flatten(err) {
		p := Problem{File: file, Text: e.Error()}
		var le *yaml.LoadError
		if errors.As(e, &le) {
			p.Line, p.Text = le.Mark.Line, le.Message
		}
		p.Text = plain(p.Text)
		ps = append(ps, p)
	}
	return ps
}

func flatten(err error) []error {
	var les *yaml.LoadErrors
	if errors.As(err, &les) {
		out := make([]error, len(les.Errors))
		for i, e := range les.Errors {
			out[i] = e
		}
		return out
	}
	return []error{err}
}

var (
	unknownKey = regexp.MustCompile(`^field (.*) not found in type \S+$`)
	wrongKind  = regexp.MustCompile("(?s)^cannot construct (\\S+)(?: `.*`)? into (\\S+)$")
)

// plain says in the terms of the file what the YAML library says in Go's.
func plain(text string) string {
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("unknown key %q", m[1])
	}
	if m := wrongKind.FindStringSubmatch(text); m != nil {
		want := "a mapping"
		switch {
		case m[2] == "string":
			want = "a text"
		case strings.HasPrefix(m[2], "[]"), strings.HasSuffix(m[2], "Versions"):
			want = "a list"
		}
		return fmt.Sprintf("%s where %s belongs", yamlKind(m[1]), want)
	}
	switch {
	case strings.Contains(text, "no documents"):
		return "the file is empty"
	case strings.Contains(text, "found multiple"):
		return "the file holds more than one document"
	case strings.HasPrefix(text, "block sequence entries are not allowed"):
		return `a "-" must be quoted here` // sub_op: -
	}
	return text
}

func yamlKind(tag string) string {
	switch tag {
	case "!!seq":
		return "a list"
	case "!!map":
		return "a mapping"
	}
	return "a single value"
}

// strict decodes a node into a type without its UnmarshalYAML, unknown keys refused.
func strict(n *yaml.Node, out any) error {
	return n.Load(out, yaml.WithKnownFields(), yaml.WithUniqueKeys())
}

// lines maps the keys of a mapping to their lines, and "key[i]" to the lines of
// a list's items, so that Validate can name the place.
type lines map[string]int

func linesOf(n *yaml.Node) lines {
	ls := lines{"": n.Line}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		ls[key.Value] = key.Line
		if value.Kind == yaml.SequenceNode {
			for j, item := range value.Content {
				ls[fmt.Sprintf("%s[%d]", key.Value, j)] = item.Line
			}
		}
	}
	return ls
}

// of is the line of the key, or of the mapping that lacks it.
func (ls lines) of(key string) int {
	if l, ok := ls[key]; ok {
		return l
	}
	return ls[""]
}

// enumsDoc is the content of enums.yaml.
type enumsDoc struct {
	Enums []*Enum `yaml:"enums"`
	lines lines
}

// UnmarshalYAML remembers the lines.
func (e *enumsDoc) UnmarshalYAML(n *yaml.Node) error {
	type plain enumsDoc
	e.lines = linesOf(n)
	return strict(n, (*plain)(e))
}

// UnmarshalYAML remembers the lines.
func (d *Driver) UnmarshalYAML(n *yaml.Node) error {
	type plain Driver
	d.lines = linesOf(n)
	return strict(n, (*plain)(d))
}

// UnmarshalYAML remembers the lines.
func (o *Op) UnmarshalYAML(n *yaml.Node) error {
	type plain Op
	o.lines = linesOf(n)
	return strict(n, (*plain)(o))
}

// UnmarshalYAML remembers the lines.
func (l *Lifecycle) UnmarshalYAML(n *yaml.Node) error {
	type plain Lifecycle
	l.lines = linesOf(n)
	return strict(n, (*plain)(l))
}

// UnmarshalYAML remembers the lines.
func (e *Enum) UnmarshalYAML(n *yaml.Node) error {
	type plain Enum
	e.lines = linesOf(n)
	return strict(n, (*plain)(e))
}

// UnmarshalYAML takes a word for a list of one.
func (in *Inputs) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*in = Inputs{{Kind: n.Value}}
		return nil
	}
	return strict(n, (*[]Input)(in))
}

// Strings is a list of strings; in YAML a plain one is a list of one.
type Strings []string

// UnmarshalYAML takes a string for a list of one.
func (s *Strings) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*s = Strings{n.Value}
		return nil
	}
	return strict(n, (*[]string)(s))
}
