// Package strict reads YAML that people write: what it does not know, or finds twice,
// is a mistake, and every mistake is named with its file and line.
package strict

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Problem is one fault, at a place in a file.
type Problem struct {
	File string
	Line int // 0: the file as a whole
	Text string
}

// Error returns "FILE:LINE: TEXT".
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Problems is every fault that was found, in the order of files and lines.
type Problems []Problem

// Error returns a line for each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is the problems sorted by place, or nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return ps
}

// Decode reads one YAML document strictly and turns whatever the library finds
// into Problems of that file.
func Decode(file string, data []byte, out any) Problems {
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

// Node decodes a node into a type without its UnmarshalYAML, unknown keys refused.
func Node(n *yaml.Node, out any) error {
	return n.Load(out, yaml.WithKnownFields(), yaml.WithUniqueKeys())
}

// Lines maps the keys of a mapping to their lines, and "key[i]" to the lines of
// a list's items, so that who checks the content can name the place.
type Lines map[string]int

// LinesOf are those of a mapping.
func LinesOf(n *yaml.Node) Lines {
	ls := Lines{"": n.Line}
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

// Of is the line of the key, or of the mapping that lacks it.
func (ls Lines) Of(key string) int {
	if l, ok := ls[key]; ok {
		return l
	}
	return ls[""]
}
