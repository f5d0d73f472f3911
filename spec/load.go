package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/spec/strict"
)

// The files of a spec folder that are not a driver's.
const (
	enumsFile = "enums.yaml"
	factsFile = "facts.yaml"
)

// Builtin returns the spec that this module ships.
func Builtin() (*Spec, error) { return Load(builtin) }

// Problem is one fault of a spec, at a place in one of its files.
type Problem = strict.Problem

// Problems is every fault that was found, in the order of files and lines.
type Problems = strict.Problems

// Load reads and validates a spec folder: every *.yaml file at the top of it is
// a driver's, but for enums.yaml and facts.yaml. Other files are left alone. The error is of
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
			problems = append(problems, strict.Decode(name, data, &doc)...)
			s.Enums = present(doc.Enums, &problems, name, doc.lines, "enums")
			continue
		}
		if name == factsFile {
			var doc factsDoc
			problems = append(problems, strict.Decode(name, data, &doc)...)
			s.Topics = present(doc.Topics, &problems, name, doc.lines, "topics")
			for _, t := range s.Topics {
				t.Facts = present(t.Facts, &problems, name, t.lines, "facts")
			}
			continue
		}
		d := &Driver{File: name}
		problems = append(problems, strict.Decode(name, data, d)...)
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
func present[T any](list []*T, problems *Problems, file string, ls strict.Lines, key string) []*T {
	var out []*T
	for i, item := range list {
		if item == nil {
			*problems = append(*problems, Problem{File: file, Line: ls.Of(fmt.Sprintf("%s[%d]", key, i)), Text: key + " has an empty item"})
			continue
		}
		out = append(out, item)
	}
	return out
}

// enumsDoc is the content of enums.yaml.
type enumsDoc struct {
	Enums []*Enum `yaml:"enums"`
	lines strict.Lines
}

// UnmarshalYAML remembers the lines.
func (e *enumsDoc) UnmarshalYAML(n *yaml.Node) error {
	type plain enumsDoc
	e.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(e))
}

// factsDoc is the content of facts.yaml.
type factsDoc struct {
	Topics []*Topic `yaml:"topics"`
	lines  strict.Lines
}

// UnmarshalYAML remembers the lines.
func (f *factsDoc) UnmarshalYAML(n *yaml.Node) error {
	type plain factsDoc
	f.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(f))
}

// UnmarshalYAML remembers the lines.
func (t *Topic) UnmarshalYAML(n *yaml.Node) error {
	type plain Topic
	t.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(t))
}

// UnmarshalYAML remembers the lines.
func (f *Fact) UnmarshalYAML(n *yaml.Node) error {
	type plain Fact
	f.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(f))
}

// UnmarshalYAML remembers the lines.
func (d *Driver) UnmarshalYAML(n *yaml.Node) error {
	type plain Driver
	d.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(d))
}

// UnmarshalYAML remembers the lines.
func (o *Op) UnmarshalYAML(n *yaml.Node) error {
	type plain Op
	o.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(o))
}

// UnmarshalYAML remembers the lines.
func (l *Lifecycle) UnmarshalYAML(n *yaml.Node) error {
	type plain Lifecycle
	l.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(l))
}

// UnmarshalYAML remembers the lines.
func (e *Enum) UnmarshalYAML(n *yaml.Node) error {
	type plain Enum
	e.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(e))
}

// UnmarshalYAML takes a word for a list of one.
func (in *Inputs) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*in = Inputs{{Kind: n.Value}}
		return nil
	}
	return strict.Node(n, (*[]Input)(in))
}

// Strings is a list of strings; in YAML a plain one is a list of one.
type Strings []string

// UnmarshalYAML takes a string for a list of one.
func (s *Strings) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*s = Strings{n.Value}
		return nil
	}
	return strict.Node(n, (*[]string)(s))
}
