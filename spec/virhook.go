package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/scanner"
)

// Tables are the names that a version of libvirt has for hooks: the string
// tables of its src/util/virhook.c.
type Tables struct {
	Drivers []string            // in the order of the source, as are the others
	Ops     map[string][]string // by driver
	SubOps  []string
}

// Count is the number of operations.
func (t *Tables) Count() int {
	n := 0
	for _, ops := range t.Ops {
		n += len(ops)
	}
	return n
}

// ParseVirhook reads the tables from the source of libvirt's src/util/virhook.c.
// The operations of a driver are in the table virHook<Driver>Op, for whatever
// drivers the table virHookDriver names.
func ParseVirhook(src []byte) (*Tables, error) {
	tables, err := parseTables(src)
	if err != nil {
		return nil, err
	}
	t := &Tables{Ops: map[string][]string{}}
	for _, e := range tables {
		switch e.name {
		case "virHookDriver":
			t.Drivers = e.values
		case "virHookSubop":
			t.SubOps = e.values
		}
	}
	if t.Drivers == nil {
		return nil, errors.New("no VIR_ENUM_IMPL of virHookDriver")
	}
	if t.SubOps == nil {
		return nil, errors.New("no VIR_ENUM_IMPL of virHookSubop")
	}
	for _, e := range tables {
		between, isOps := strings.CutPrefix(e.name, "virHook")
		between, isOp := strings.CutSuffix(between, "Op")
		if !isOps || !isOp {
			continue
		}
		i := slices.IndexFunc(t.Drivers, func(d string) bool { return strings.EqualFold(GoName(d), between) })
		if i < 0 {
			return nil, fmt.Errorf("line %d: %s belongs to none of the drivers %s", e.line, e.name, strings.Join(t.Drivers, ", "))
		}
		t.Ops[t.Drivers[i]] = e.values
	}
	for _, d := range t.Drivers {
		if t.Ops[d] == nil {
			return nil, fmt.Errorf("no VIR_ENUM_IMPL of virHook%sOp, the operations of %s", GoName(d), d)
		}
	}
	return t, nil
}

// stringTable is one VIR_ENUM_IMPL(name, LAST, "value", …).
type stringTable struct {
	name   string
	values []string
	line   int
}

// parseTables finds the string tables among the tokens of a C source: comments
// and the breaking of lines do not matter.
func parseTables(src []byte) ([]stringTable, error) {
	var s scanner.Scanner
	s.Init(bytes.NewReader(src))
	s.Mode = scanner.ScanIdents | scanner.ScanChars | scanner.ScanStrings | scanner.ScanComments | scanner.SkipComments
	s.Error = func(*scanner.Scanner, string) {} // C outside the tables need not be Go
	var tables []stringTable
	for tok := s.Scan(); tok != scanner.EOF; tok = s.Scan() {
		if s.TokenText() != "VIR_ENUM_IMPL" {
			continue
		}
		t, err := parseTable(&s)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// parseTable reads what comes after the word VIR_ENUM_IMPL.
func parseTable(s *scanner.Scanner) (stringTable, error) {
	t := stringTable{line: s.Position.Line}
	unexpected := func() (stringTable, error) {
		return t, fmt.Errorf("line %d: unexpected %q in the VIR_ENUM_IMPL of line %d", s.Position.Line, s.TokenText(), t.line)
	}
	for i, want := range []rune{'(', scanner.Ident, ',', scanner.Ident} {
		if s.Scan() != want {
			return unexpected()
		}
		if i == 1 {
			t.name = s.TokenText()
		}
	}
	for {
		switch s.Scan() {
		case ')':
			return t, nil
		case ',':
		default:
			return unexpected()
		}
		switch s.Scan() {
		case ')': // after a last comma
			return t, nil
		case scanner.String:
		default:
			return unexpected()
		}
		v, err := strconv.Unquote(s.TokenText())
		if err != nil {
			return unexpected()
		}
		t.values = append(t.values, v)
	}
}

// NameAt is the operation's name in the given libvirt, which may be a former
// one, or in the newest when v is empty.
func (o *Op) NameAt(v Version) string {
	name, until := o.Op, Version("")
	for _, f := range o.Replaces {
		if v != "" && v.Less(f.Until) && (until == "" || f.Until.Less(until)) {
			name, until = f.Op, f.Until
		}
	}
	return name
}

// Compare says what the spec has and the tables of the given libvirt lack, and
// the other way round: one line for each driver, operation and sub-operation.
//
// What the spec says is newer than that libvirt need not be there; an empty
// version is one that has all of the spec. An operation that libvirt no longer
// calls (until) may be in its tables or not: they keep names without use.
func (s *Spec) Compare(t *Tables, libvirt Version) []string {
	var diff []string
	report := func(format string, args ...any) { diff = append(diff, fmt.Sprintf(format, args...)) }

	used, needed := map[string]bool{}, map[string]bool{} // sub-operations of the spec, and of it in that libvirt
	for _, d := range s.Drivers {
		theirs, known := t.Ops[d.Name]
		missing := false
		for _, o := range d.Ops {
			used[o.SubOp] = true
			if libvirt != "" && libvirt.Less(o.Since) {
				continue
			}
			needed[o.SubOp] = true
			name := o.NameAt(libvirt)
			if !slices.Contains(theirs, name) && !o.over(libvirt) {
				missing = true
				if known {
					report("operation %s/%s: in the spec, not in libvirt", d.Name, name)
				}
			}
		}
		if !known && missing {
			report("driver %s: in the spec, not in libvirt", d.Name)
		}
		for _, name := range theirs {
			if !slices.ContainsFunc(d.Ops, func(o *Op) bool { return o.NameAt(libvirt) == name }) {
				report("operation %s/%s: in libvirt, not in the spec", d.Name, name)
			}
		}
	}
	for _, d := range t.Drivers {
		if s.Driver(d) == nil {
			report("driver %s: in libvirt, not in the spec", d)
		}
	}
	for _, sub := range t.SubOps {
		if !used[sub] {
			report("sub-operation %s: in libvirt, not in the spec", sub)
		}
	}
	for _, sub := range slices.Sorted(maps.Keys(needed)) {
		if !slices.Contains(t.SubOps, sub) {
			report("sub-operation %s: in the spec, not in libvirt", sub)
		}
	}
	return diff
}

// over says whether the given libvirt no longer makes this call.
func (o *Op) over(v Version) bool { return o.Until != "" && (v == "" || !v.Less(o.Until)) }

var projectVersion = regexp.MustCompile(`\A(?:\s|#[^\n]*\n)*project\s*\([^)]*?\bversion\s*:\s*'([^']*)'`)

// SourceVersion reads the version of a libvirt source tree from its
// meson.build; it is empty where there is none.
func SourceVersion(fsys fs.FS) Version {
	data, err := fs.ReadFile(fsys, "meson.build")
	if err != nil {
		return ""
	}
	m := projectVersion.FindSubmatch(data)
	if m == nil {
		return ""
	}
	v, err := ParseVersion(string(m[1]))
	if err != nil {
		return ""
	}
	return v
}
