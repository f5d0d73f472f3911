// Package fleet reads virthook.yaml, which says what hooks the hosts of a fleet get,
// and builds them: one static program for each distinct combination of handler
// packages, settings and target, in a folder for each host.
package fleet

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/spec/strict"
)

// Fleet is a virthook.yaml that holds together in itself. Of the packages that it
// names nothing is known yet.
type Fleet struct {
	File     string          // the path, as it was given
	Warnings strict.Problems // what is of no effect

	sets    map[string]*set
	known   bool // the sets are all; otherwise the file is not even YAML of this form
	entries []*entry
	listed  []string // names of hosts, in the order of the file and then of the inventory

	inventory string // the path of that; "": there is none, and other hosts may match

	plain    map[string]*entry // the first entry that lists the name
	patterns []pattern
}

// set is a named list of handler packages.
type set struct {
	name     string
	packages []text
}

// entry is what one or more hosts have.
type entry struct {
	Names    texts        `yaml:"name"`
	Target   text         `yaml:"target,omitempty"`
	Version  text         `yaml:"libvirt,omitempty"`
	Libvirt  spec.Version `yaml:"-"` // what Version says; "": not known
	Drivers  texts        `yaml:"drivers,omitempty"`
	Sets     texts        `yaml:"sets"`
	Settings node         `yaml:"settings,omitempty"`

	lines strict.Lines
	index int
}

type pattern struct {
	text  string
	entry *entry
}

// document is the file as it is written.
type document struct {
	Version   int      `yaml:"version"`
	Inventory text     `yaml:"inventory,omitempty"`
	Sets      setsNode `yaml:"sets"`
	Hosts     []*entry `yaml:"hosts"`

	lines strict.Lines
}

type setsNode struct {
	byName map[string]texts
	lines  strict.Lines
}

// text is a string and its line.
type text struct {
	value string
	line  int
	wrong string // why it is none
	plain bool   // without quotes
}

// texts is a list of strings; in YAML a plain one is a list of one.
type texts []text

// node is what is looked at later.
type node struct{ *yaml.Node }

// UnmarshalYAML remembers the lines.
func (d *document) UnmarshalYAML(n *yaml.Node) error {
	type plain document
	d.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(d))
}

// UnmarshalYAML remembers the lines.
func (e *entry) UnmarshalYAML(n *yaml.Node) error {
	type plain entry
	e.lines = strict.LinesOf(n)
	return strict.Node(n, (*plain)(e))
}

// UnmarshalYAML remembers the lines.
func (s *setsNode) UnmarshalYAML(n *yaml.Node) error {
	s.lines = strict.LinesOf(n)
	return strict.Node(n, &s.byName)
}

// UnmarshalYAML reads a text or remembers what is wrong, so that one that is wrong does
// not hide others.
func (t *text) UnmarshalYAML(n *yaml.Node) error {
	*t = text{line: n.Line}
	n = followed(n)
	switch {
	case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
		t.wrong = kindOf(n) + " where a text belongs"
	case n.ShortTag() != "!!str": // 1e3 is a name only with quotes
		t.wrong = fmt.Sprintf("%s is %s, and a text belongs here: quote it", n.Value, kindOf(n))
	default:
		t.value = n.Value
		t.plain = n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	}
	return nil
}

// UnmarshalYAML takes a string for a list of one.
func (ts *texts) UnmarshalYAML(n *yaml.Node) error {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*ts = make(texts, len(items))
	for i, item := range items {
		if err := (*ts)[i].UnmarshalYAML(item); err != nil {
			return err
		}
	}
	return nil
}

// UnmarshalYAML keeps the node.
func (s *node) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s where a mapping belongs", kindOf(n))
	}
	s.Node = n
	return nil
}

func (ts texts) values() []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = t.value
	}
	return out
}

// line is where the entry begins.
func (e *entry) line() int { return e.lines.Of("") }

// Defaults of an entry.
const defaultTarget = "linux/amd64"

var defaultDrivers = []string{"qemu", "network"}

func (e *entry) target() string { return cmp.Or(e.Target.value, defaultTarget) }

func (e *entry) drivers() []string {
	if e.Drivers == nil {
		return defaultDrivers
	}
	return e.Drivers.values()
}

// Load reads the file and the inventory that it names. What is wrong is named with
// file and line, all of it at once: the error is of type [strict.Problems] then.
func Load(file string, s *spec.Spec) (*Fleet, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d document
	problems := &list{file: file, problems: strict.Decode(file, data, &d)}
	f := &Fleet{File: file, sets: map[string]*set{}, plain: map[string]*entry{}}
	f.known = len(problems.problems) == 0
	if d.Version != 1 && (f.known || d.Version != 0) {
		problems.add(d.lines.Of("version"), "version is %d; this virthook reads version 1", d.Version)
	}
	f.readSets(&d, problems)
	for i, e := range d.Hosts {
		if e == nil {
			problems.add(d.lines.Of(fmt.Sprintf("hosts[%d]", i)), "hosts has an empty item")
			continue
		}
		e.index = i
		f.entries = append(f.entries, e)
		f.check(e, s, problems)
	}
	if len(f.entries) == 0 && len(problems.problems) == 0 {
		problems.add(d.lines.Of("hosts"), "there are no hosts")
	}
	inventory := f.readInventory(d.Inventory, problems)
	if err := problems.problems.Err(); err != nil {
		return nil, err
	}
	f.index()
	f.enumerate(inventory, problems)
	if err := problems.problems.Err(); err != nil {
		return nil, err
	}
	f.warn(&d)
	return f, nil
}

// list gathers problems of one file, and of others where they say so.
type list struct {
	file     string
	problems strict.Problems
}

func (l *list) add(line int, format string, args ...any) { l.in(l.file, line, format, args...) }

// wrong adds what is wrong with a text in itself.
func (l *list) wrong(t text) bool {
	if t.wrong != "" {
		l.add(t.line, "%s", t.wrong)
	}
	return t.wrong != ""
}

func (l *list) in(file string, line int, format string, args ...any) {
	p := strict.Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(l.problems, p) {
		l.problems = append(l.problems, p)
	}
}

// word is what sets are named with.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func (f *Fleet) readSets(d *document, problems *list) {
	for name, packages := range d.Sets.byName {
		line := d.Sets.lines.Of(name)
		if !word.MatchString(name) {
			problems.add(line, "set %q: a name is letters, digits, _ and -", name)
		}
		if len(packages) == 0 {
			problems.add(line, "set %q has no packages", name)
		}
		first := map[string]int{}
		for _, p := range packages {
			if problems.wrong(p) {
				continue
			}
			if why := wrongPackage(p.value); why != "" {
				problems.add(p.line, "package %q: %s", p.value, why)
			} else if at := first[path.Clean(p.value)]; at > 0 {
				problems.add(p.line, "package %s is in this set already, at line %d", p.value, at)
			} else {
				first[path.Clean(p.value)] = p.line
			}
		}
		f.sets[name] = &set{name, packages}
	}
}

// packageName is what import paths are made of.
var packageName = regexp.MustCompile(`^(\./)?[A-Za-z0-9_~+][A-Za-z0-9_~+./-]*$`)

// wrongPackage says why the text names no package; "": it does.
func wrongPackage(p string) string {
	rel, isFolder := strings.CutPrefix(p, "./")
	switch {
	case p == "":
		return "the name is missing"
	case strings.Contains(p, "..."):
		return "a set names packages one by one, for their order counts"
	case p == "." || isFolder && path.Clean(rel) == ".":
		return "it must be a folder below this file's"
	case path.IsAbs(p) || strings.HasPrefix(path.Clean(p), ".."):
		return "it is outside of the project: a package is ./FOLDER or an import path"
	case !packageName.MatchString(p):
		return "a package is ./FOLDER or an import path"
	}
	return ""
}

// hostName is what may be a folder's name everywhere: a name of DNS, and underscores.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

const hostNameIs = "a host's name is letters, digits, dots, - and _"

func isPattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

// check looks at one entry by itself.
func (f *Fleet) check(e *entry, s *spec.Spec, problems *list) {
	if len(e.Names) == 0 {
		problems.add(e.lines.Of("name"), "name is missing: which hosts is this for?")
	}
	for _, n := range e.Names {
		if problems.wrong(n) {
			continue
		}
		if isPattern(n.value) {
			if _, err := path.Match(n.value, ""); err != nil {
				problems.add(n.line, "%q is not a pattern", n.value)
			}
		} else if !hostName.MatchString(n.value) {
			problems.add(n.line, "%q: %s", n.value, hostNameIs)
		}
	}
	if problems.wrong(e.Target) {
		e.Target.value = ""
	} else if goos, arch, ok := strings.Cut(e.target(), "/"); !ok || goos == "" || arch == "" || strings.Contains(arch, "/") {
		problems.add(e.Target.line, "target %q: it is GOOS/GOARCH, such as linux/arm64", e.Target.value)
	}
	if v := e.Version; !problems.wrong(v) && v.line > 0 {
		var err error
		if e.Libvirt, err = spec.ParseVersion(v.value); err != nil {
			problems.add(v.line, "libvirt: %v", err)
		} else if v.plain { // 10.10 would be 10.1
			problems.add(v.line, "libvirt: a version must be quoted: %q", v.value)
		}
	}
	if e.Drivers != nil && len(e.Drivers) == 0 {
		problems.add(e.lines.Of("drivers"), "drivers is empty: leave it out for %s", strings.Join(defaultDrivers, " and "))
	}
	seen := map[string]bool{}
	for _, d := range e.Drivers {
		line := d.line
		switch {
		case problems.wrong(d):
		case s.Driver(d.value) == nil:
			problems.add(line, "unknown driver %q: one of %s", d.value, driverNames(s))
		case seen[d.value]:
			problems.add(line, "driver %s is listed twice", d.value)
		}
		seen[d.value] = true
	}
	if len(e.Sets) == 0 {
		problems.add(e.lines.Of("sets"), "sets is missing: what do these hosts run?")
	}
	in := map[string]string{} // which set a package is from
	for i, t := range e.Sets {
		line := t.line
		if problems.wrong(t) {
			continue
		}
		set := f.sets[t.value]
		if set == nil {
			if f.known {
				problems.add(line, "there is no set %q", t.value)
			}
			continue
		}
		if slices.Contains(e.Sets.values()[:i], t.value) {
			problems.add(line, "set %s is listed twice", set.name)
			continue
		}
		for _, p := range set.packages {
			name := path.Clean(p.value)
			if other := in[name]; other != "" && other != set.name { // that is said already
				problems.add(line, "%s is in the sets %s and %s: it would run twice, and in which place its filters run is not defined", p.value, other, set.name)
			}
			in[name] = set.name
		}
	}
}

func driverNames(s *spec.Spec) string {
	var names []string
	for _, d := range s.Drivers {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

// readInventory reads names of hosts, a line each; # begins a comment.
func (f *Fleet) readInventory(file text, problems *list) []text {
	if file.line == 0 || problems.wrong(file) {
		return nil
	}
	name := file.value
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(f.File), name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		var wrong *fs.PathError
		if errors.As(err, &wrong) {
			err = wrong.Err
		}
		problems.add(file.line, "inventory %s: %v", file.value, err)
		return nil
	}
	f.inventory = name
	var names []text
	first := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		host, _, _ := strings.Cut(lines.Text(), "#")
		if host = strings.TrimSpace(host); host == "" {
			continue
		}
		switch {
		case !hostName.MatchString(host):
			problems.in(name, n, "%q: %s", host, hostNameIs)
		case first[host] > 0:
			problems.in(name, n, "%s is at line %d already", host, first[host])
		default:
			first[host] = n
			names = append(names, text{value: host, line: n})
		}
	}
	if err := lines.Err(); err != nil {
		problems.in(name, 0, "%v", err)
	}
	return names
}
