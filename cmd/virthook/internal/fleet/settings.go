package fleet

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/gen/hookmain"
)

// settings turns YAML into Go values of a package's types.
type settings struct {
	file  string // the YAML
	pkg   *Package
	into  *list
	depth int
}

// position is that of a Go object, for messages.
func (p *Package) position(pos token.Pos) (file string, line int) {
	at := p.fset.Position(pos)
	return p.relative(at.Filename), at.Line
}

// value is the node as a value of the type. The place names the Go field. What does
// not fit is added to the problems, and the value is nil then.
func (s *settings) value(n *yaml.Node, t types.Type, place string) hookmain.Value {
	n = followed(n)
	if s.depth++; s.depth > 100 {
		s.wrong(n, t, place, "nested too deeply")
		return nil
	}
	defer func() { s.depth-- }()
	if isDuration(t) {
		return s.duration(n, t, place)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return s.constant(n, t, u, place)
	case *types.Slice:
		if n.Kind != yaml.SequenceNode {
			s.wrong(n, t, place, "%s where a list belongs", kindOf(n))
			return nil
		}
		l := hookmain.List{Type: typeOf(t)}
		ok := true
		for i, item := range n.Content {
			v := s.value(item, u.Elem(), fmt.Sprintf("%s[%d]", place, i))
			l.Items = append(l.Items, v)
			ok = ok && v != nil
		}
		if !ok {
			return nil
		}
		return l
	case *types.Map:
		return s.mapping(n, t, u, place)
	case *types.Struct:
		return s.structure(n, t, u, place)
	}
	return nil // findProblem has said so
}

func (s *settings) wrong(n *yaml.Node, t types.Type, place, format string, args ...any) {
	s.into.in(s.file, n.Line, "%s (%s): %s", place, typeName(t), fmt.Sprintf(format, args...))
}

func (s *settings) duration(n *yaml.Node, t types.Type, place string) hookmain.Value {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		s.wrong(n, t, place, "%s where a time with its unit belongs, such as 30s or 1h30m", described(n))
		return nil
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		s.wrong(n, t, place, "%q is no time with its unit, such as 30s or 1h30m", n.Value)
		return nil
	}
	return hookmain.Const{Value: d}
}

// described is a node in few words.
func described(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Value != "" && len(n.Value) < 60 && n.ShortTag() != "!!null" {
		return strconv.Quote(n.Value)
	}
	return kindOf(n)
}

// constant has four kinds: texts, bools, whole numbers and others.
func (s *settings) constant(n *yaml.Node, t types.Type, b *types.Basic, place string) hookmain.Value {
	tag := n.ShortTag()
	scalar := n.Kind == yaml.ScalarNode
	switch info := b.Info(); {
	case info&types.IsString != 0:
		switch {
		case !scalar || tag == "!!null":
			s.wrong(n, t, place, "%s where a text belongs", kindOf(n))
			return nil
		case tag != "!!str":
			s.wrong(n, t, place, "%s is %s, and a text belongs here: quote it", described(n), kindOf(n))
			return nil
		}
		return hookmain.Const{Value: n.Value}
	case info&types.IsBoolean != 0:
		if !scalar || tag != "!!bool" {
			s.wrong(n, t, place, "%s where true or false belongs", described(n))
			return nil
		}
		var v bool
		if err := n.Load(&v); err != nil {
			s.wrong(n, t, place, "%v", err)
			return nil
		}
		return hookmain.Const{Value: v}
	case info&types.IsInteger != 0:
		return s.integer(n, t, b, place)
	}
	if !scalar || tag != "!!int" && tag != "!!float" {
		s.wrong(n, t, place, "%s where a number belongs", described(n))
		return nil
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(n.Value, "_", ""), int(s.pkg.sizes.Sizeof(b)*8))
	switch {
	case err != nil || math.IsInf(v, 0) || math.IsNaN(v):
		s.wrong(n, t, place, "%s is not a number that it can hold", n.Value)
		return nil
	case b.Kind() == types.Float32:
		return hookmain.Const{Value: float32(v)}
	}
	return hookmain.Const{Value: v}
}

func (s *settings) integer(n *yaml.Node, t types.Type, b *types.Basic, place string) hookmain.Value {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" {
		s.wrong(n, t, place, "%s where a whole number belongs", described(n))
		return nil
	}
	digits := strings.TrimLeft(n.Value, "+-")
	if len(digits) > 1 && digits[0] == '0' && unicode.IsDigit(rune(digits[1])) {
		s.wrong(n, t, place, "%s: without the zero it is decimal, with 0o octal", n.Value)
		return nil
	}
	bits := int(s.pkg.sizes.Sizeof(b) * 8)
	text := strings.ReplaceAll(strings.TrimPrefix(n.Value, "+"), "_", "")
	if b.Info()&types.IsUnsigned != 0 {
		v, err := strconv.ParseUint(text, 0, bits)
		if err != nil {
			s.wrong(n, t, place, "%s is not within 0 and %d", n.Value, uint64(math.MaxUint64)>>(64-bits))
			return nil
		}
		return hookmain.Const{Value: v}
	}
	v, err := strconv.ParseInt(text, 0, bits)
	if err != nil {
		s.wrong(n, t, place, "%s is not within %d and %d", n.Value, int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits))
		return nil
	}
	return hookmain.Const{Value: v}
}

func (s *settings) mapping(n *yaml.Node, t types.Type, m *types.Map, place string) hookmain.Value {
	if n.Kind != yaml.MappingNode {
		s.wrong(n, t, place, "%s where a mapping belongs", kindOf(n))
		return nil
	}
	entries, err := pairs(n)
	if err != nil {
		s.wrong(n, t, place, "%v", err)
		return nil
	}
	v := hookmain.Map{Type: typeOf(t)}
	ok := true
	seen := map[any]bool{}
	for _, p := range entries {
		at := fmt.Sprintf("%s[%q]", place, p.key.Value)
		key, isConst := s.value(p.key, m.Key(), "key of "+place).(hookmain.Const)
		value := s.value(p.value, m.Elem(), at)
		switch {
		case !isConst || value == nil:
			ok = false
		case seen[key.Value]: // 1 and 0x1
			s.wrong(p.key, t, place, "key %s is there twice", p.key.Value)
			ok = false
		default:
			seen[key.Value] = true
			v.Entries = append(v.Entries, hookmain.Entry{Key: key, Value: value})
		}
	}
	if !ok {
		return nil
	}
	slices.SortFunc(v.Entries, func(a, b hookmain.Entry) int { return compareKeys(a.Key.Value, b.Key.Value) })
	return v
}

func compareKeys(a, b any) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case time.Duration:
		return cmp.Compare(a, b.(time.Duration))
	}
	return 0
}

func (s *settings) structure(n *yaml.Node, t types.Type, st *types.Struct, place string) hookmain.Value {
	if n.Kind != yaml.MappingNode {
		s.wrong(n, t, place, "%s where a mapping belongs", kindOf(n))
		return nil
	}
	given, err := pairs(n)
	if err != nil {
		s.wrong(n, t, place, "%v", err)
		return nil
	}
	v := hookmain.Struct{Type: typeOf(t)}
	ok := true
	known := map[string]bool{}
	var keys []string
	for _, f := range fieldsOf(st) {
		known[f.key] = true
		keys = append(keys, f.key)
		at := place + "." + f.field.Name()
		var value hookmain.Value
		if i := slices.IndexFunc(given, func(p pair) bool { return p.key.Value == f.key }); i >= 0 {
			value = s.value(given[i].value, f.field.Type(), at)
		} else if f.optional {
			continue
		} else if f.hasDefault {
			value = s.defaultOf(f, at)
		} else {
			file, line := s.pkg.position(f.field.Pos())
			s.wrong(n, f.field.Type(), at, "the key %s is missing; the field is at %s:%d", f.key, file, line)
		}
		ok = ok && value != nil
		v.Fields = append(v.Fields, hookmain.Field{Name: f.field.Name(), Value: value})
	}
	for _, p := range given {
		if !known[p.key.Value] {
			s.wrong(p.key, t, place, "unknown key %q; there is %s", p.key.Value, orNone(keys))
			ok = false
		}
	}
	if !ok {
		return nil
	}
	return v
}

func orNone(keys []string) string {
	if len(keys) == 0 {
		return "none"
	}
	return strings.Join(keys, ", ")
}

// defaultOf is the value in the field's tag. What is wrong with it is wrong in Go.
func (s *settings) defaultOf(f field, place string) hookmain.Value {
	file, line := s.pkg.position(f.field.Pos())
	n := defaultNode(f, line)
	if n == nil {
		s.into.in(file, line, "%s (%s): the default %q is no YAML", place, typeName(f.field.Type()), f.defaultText)
		return nil
	}
	in := *s
	in.file = file
	return in.value(n, f.field.Type(), place)
}

// defaultNode is the default as YAML; of a text field it is the text itself.
func defaultNode(f field, line int) *yaml.Node {
	if b, ok := f.field.Type().Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.defaultText, Line: line}
	}
	var doc yaml.Node
	if err := yaml.Load([]byte(f.defaultText), &doc); err != nil {
		return nil
	}
	n := &doc
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	setLine(n, line)
	return n
}

func setLine(n *yaml.Node, line int) {
	n.Line = line
	for _, c := range n.Content {
		setLine(c, line)
	}
}

// field is a field of a struct that YAML can set.
type field struct {
	field       *types.Var
	key         string
	optional    bool
	hasDefault  bool
	defaultText string
}

func fieldsOf(st *types.Struct) []field {
	var fields []field
	for i := range st.NumFields() {
		v := st.Field(i)
		tag := reflect.StructTag(st.Tag(i))
		name, options, _ := strings.Cut(tag.Get("yaml"), ",")
		if !v.Exported() || name == "-" {
			continue
		}
		f := field{field: v, key: cmp.Or(name, snake(v.Name())), optional: options == "omitempty"}
		f.defaultText, f.hasDefault = tag.Lookup("default")
		fields = append(fields, f)
	}
	return fields
}

// wholeWords are written with capitals in their midst.
var wholeWords = []string{"KiB", "MiB", "GiB", "TiB", "IPv4", "IPv6"}

// snake is a Go name as a key: MaxMemoryMiB is max_memory_mib, HTTPServer http_server
// and HostCPUs host_cpus.
func snake(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i := 0; i < len(runes); {
		n := wordAt(runes[i:])
		if b.Len() > 0 && runes[i] != '_' && !strings.HasSuffix(b.String(), "_") {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(runes[i : i+n])))
		i += n
	}
	return b.String()
}

// wordAt is the length of the word that the name begins with.
func wordAt(name []rune) int {
	for _, w := range wholeWords {
		if strings.HasPrefix(string(name), w) && !lowerAt(name, len(w)) {
			return len(w)
		}
	}
	upper := 0
	for upper < len(name) && unicode.IsUpper(name[upper]) {
		upper++
	}
	switch {
	case upper > 1 && upper < len(name) && name[upper] == 's' && !lowerAt(name, upper+1):
		return upper + 1 // CPUs
	case upper > 1 && lowerAt(name, upper):
		return upper - 1 // HTTPServer
	}
	n := max(upper, 1)
	for n < len(name) && !unicode.IsUpper(name[n]) && name[n] != '_' {
		n++
	}
	return n
}

func lowerAt(name []rune, i int) bool { return i < len(name) && unicode.IsLower(name[i]) }

func isDuration(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" && named.Obj().Name() == "Duration"
}

// typeName is a type for messages, with the package's name.
func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

// typeOf is how the program writes a type that findProblem has nothing against.
func typeOf(t types.Type) hookmain.Type {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return hookmain.Type{Name: t.Obj().Name()}
		}
		return hookmain.Type{Path: t.Obj().Pkg().Path(), Name: t.Obj().Name()}
	case *types.Basic:
		return hookmain.Type{Name: t.Name()}
	case *types.Slice:
		elem := typeOf(t.Elem())
		return hookmain.Type{Elem: &elem}
	case *types.Map:
		key, elem := typeOf(t.Key()), typeOf(t.Elem())
		return hookmain.Type{Key: &key, Elem: &elem}
	}
	panic("fleet: no way to write " + t.String())
}

// checkTypes adds a problem for each field, in Go, that YAML cannot fill.
func (p *Package) checkTypes(into *list) {
	seen := map[types.Type]bool{}
	var check func(t types.Type, v *types.Var, named bool)
	check = func(t types.Type, v *types.Var, named bool) {
		bad := func(format string, args ...any) {
			file, line := p.position(v.Pos())
			into.in(file, line, "field %s of %s: %s", v.Name(), typeName(v.Type()), fmt.Sprintf(format, args...))
		}
		t = types.Unalias(t)
		if isDuration(t) {
			return
		}
		if n, ok := t.(*types.Named); ok {
			// Constants convert to a type that has no name for the program.
			_, basic := n.Underlying().(*types.Basic)
			if !n.Obj().Exported() && n.Obj().Pkg() != nil && (named || !basic) {
				bad("the type %s is not exported, and the program must name it", typeName(n))
				return
			}
			if seen[t] {
				return
			}
			seen[t] = true
			if n.TypeArgs().Len() > 0 {
				bad("settings cannot be of generic types")
				return
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Basic:
			if u.Info()&(types.IsString|types.IsBoolean|types.IsInteger|types.IsFloat) == 0 || u.Kind() == types.Uintptr {
				bad("settings cannot be %s", u)
			}
		case *types.Slice:
			check(u.Elem(), v, true)
		case *types.Map:
			if k, ok := u.Key().Underlying().(*types.Basic); !ok || k.Info()&(types.IsString|types.IsInteger) == 0 {
				bad("the keys of a map are texts or whole numbers")
				return
			}
			check(u.Key(), v, true)
			check(u.Elem(), v, true)
		case *types.Struct:
			if _, ok := t.(*types.Named); !ok {
				bad("a struct within settings needs a type with a name")
				return
			}
			p.checkFields(u, into, func(f *types.Var) { check(f.Type(), f, false) })
		default:
			bad("settings are texts, numbers, bools, times, and lists, maps and structs of these")
		}
	}
	st := p.settings.Underlying().(*types.Struct)
	seen[p.settings] = true
	p.checkFields(st, into, func(f *types.Var) { check(f.Type(), f, false) })
}

func (p *Package) checkFields(st *types.Struct, into *list, check func(*types.Var)) {
	keys := map[string]string{}
	for _, f := range fieldsOf(st) {
		file, line := p.position(f.field.Pos())
		if f.field.Embedded() {
			into.in(file, line, "field %s: settings cannot embed; give the field a name", f.field.Name())
			continue
		}
		if other := keys[f.key]; other != "" {
			into.in(file, line, "the fields %s and %s have one key, %s", other, f.field.Name(), f.key)
		}
		keys[f.key] = f.field.Name()
		check(f.field)
	}
	for i := range st.NumFields() { // a slip in a tag would make a field required
		tag := reflect.StructTag(st.Tag(i))
		if _, options, found := strings.Cut(tag.Get("yaml"), ","); found && options != "omitempty" && options != "" {
			file, line := p.position(st.Field(i).Pos())
			into.in(file, line, "field %s: of the options in a yaml tag only omitempty is known", st.Field(i).Name())
		}
	}
}
