package codec

import (
	"fmt"
	"go/types"
	"reflect"
	"slices"
	"strings"
)

// roots are the types of whole documents, each rendered into files of its own
// with those that no earlier one reaches.
var roots = []string{"Domain", "Network", "NetworkPort"}

// model is every struct that a document can hold.
type model struct {
	version string
	structs map[string]*structure
	order   []*structure // as reached, roots first
}

// structure is one struct of libvirtxml.
type structure struct {
	Name   string
	Root   string // the root whose files it is in
	Elem   *name  // its XMLName's tag, nil when it has none
	Fields []field
	Custom *custom // nil: only the tags say how it is coded
	Slots  map[string]slot
	digest string // of its custom methods
}

// slot is a field that the tags hide and that a custom method fills: a pointer to
// a variant, a string or a number.
type slot struct {
	Type   string // of the struct a pointer leads to
	Scalar scalar
	Ptr    bool
}

// name is an element's.
type name struct{ Space, Local string }

type mode int

const (
	element mode = iota
	attr
	chardata
	cdata
	innerxml
)

func (m mode) String() string {
	return [...]string{"element", "attr", "chardata", "cdata", "innerxml"}[m]
}

// scalar is the kind of a value that is not a struct; its text is the Go type.
type scalar string

// field is a field that the tags say how to code.
type field struct {
	Go        string
	Mode      mode
	Name      name
	OmitEmpty bool
	Ptr       bool
	Slice     bool
	Scalar    scalar // "" when Struct is set
	Struct    string
}

// build makes the model from the package, with encoding/xml's rules for tags. What
// no tag of libvirtxml uses (paths, ",any", ",comment", embedding …) is refused.
func build(s *source) (*model, error) {
	m := &model{version: s.version, structs: map[string]*structure{}}
	for _, root := range roots {
		if err := m.reach(s, root, root); err != nil {
			return nil, err
		}
	}
	return m, m.applyTable(s)
}

// reach adds the struct of that name and all it reaches.
func (m *model) reach(s *source, typ, root string) error {
	if m.structs[typ] != nil {
		return nil
	}
	obj, ok := s.pkg.Scope().Lookup(typ).(*types.TypeName)
	if !ok {
		return fmt.Errorf("libvirtxml has no type %s", typ)
	}
	under, ok := obj.Type().Underlying().(*types.Struct)
	if !ok {
		return fmt.Errorf("libvirtxml.%s is no struct", typ)
	}
	t := &structure{Name: typ, Root: root, Slots: map[string]slot{}}
	m.structs[typ] = t
	m.order = append(m.order, t)
	next, err := t.addFields(s, under)
	if err != nil {
		return err
	}
	if err := t.unambiguous(); err != nil {
		return err
	}
	for _, n := range next {
		if err := m.reach(s, n, root); err != nil {
			return err
		}
	}
	return nil
}

// addFields adds the fields of a struct, and those of what it embeds in their
// place. It returns the structs that they lead to.
func (t *structure) addFields(s *source, under *types.Struct) (next []string, err error) {
	for i := range under.NumFields() {
		v := under.Field(i)
		tag := reflect.StructTag(under.Tag(i)).Get("xml")
		at := t.Name + "." + v.Name()
		switch {
		case v.Embedded():
			inner, ok := v.Type().Underlying().(*types.Struct)
			if !ok || tag != "" || !v.Exported() || s.bodies[v.Name()+".UnmarshalXML"] != "" {
				return nil, fmt.Errorf("%s: embedding this is not supported", at)
			}
			more, err := t.addFields(s, inner)
			if err != nil {
				return nil, err
			}
			next = append(next, more...)
		case !v.Exported():
		case tag == "-":
			sl, err := slotOf(v.Type())
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			t.Slots[v.Name()] = sl
			if sl.Type != "" {
				next = append(next, sl.Type)
			}
		case v.Name() == "XMLName":
			space, local, ok := strings.Cut(tag, " ")
			if !ok {
				space, local = "", tag
			}
			if local == "" || strings.Contains(local, ",") || t.Elem != nil {
				return nil, fmt.Errorf("%s: tag %q is not supported", at, tag)
			}
			t.Elem = &name{space, local}
		default:
			f, err := fieldOf(v, tag)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
			if f.Struct != "" {
				next = append(next, f.Struct)
			}
			t.Fields = append(t.Fields, f)
		}
	}
	return next, nil
}

// unambiguous refuses two fields for one attribute or element, for which
// encoding/xml has rules that libvirtxml does not need.
func (t *structure) unambiguous() error {
	type key struct {
		attr bool
		name name
	}
	seen := map[key]bool{}
	for _, f := range t.Fields {
		k := key{f.Mode == attr, f.Name}
		if f.Mode != element && f.Mode != attr {
			k = key{}
		}
		if seen[k] || f.Name.Space != "" && seen[key{false, name{"", f.Name.Local}}] {
			return fmt.Errorf("%s.%s: another field is for the same content", t.Name, f.Go)
		}
		seen[k] = true
	}
	return nil
}

// fieldOf reads one field and its tag.
func fieldOf(v *types.Var, tag string) (field, error) {
	f := field{Go: v.Name()}
	if space, rest, ok := strings.Cut(tag, " "); ok {
		f.Name.Space, tag = space, rest
	}
	options := strings.Split(tag, ",")
	f.Name.Local = options[0]
	for _, o := range options[1:] {
		switch o {
		case "attr":
			f.Mode = attr
		case "chardata":
			f.Mode = chardata
		case "cdata":
			f.Mode = cdata
		case "innerxml":
			f.Mode = innerxml
		case "omitempty":
			f.OmitEmpty = true
		case "": // a trailing comma; encoding/xml minds it not either
		default:
			return f, fmt.Errorf("tag option %q is not supported", o)
		}
	}
	if strings.Contains(f.Name.Local, ">") {
		return f, fmt.Errorf("path %q is not supported", f.Name.Local)
	}
	if f.Mode == attr && f.Name.Space != "" {
		return f, fmt.Errorf("attributes with a namespace are not supported")
	}
	t := v.Type()
	if s, ok := t.(*types.Slice); ok {
		f.Slice, t = true, s.Elem()
	}
	if p, ok := t.(*types.Pointer); ok {
		f.Ptr, t = true, p.Elem()
	}
	if f.Slice && (f.Ptr || f.Mode != element) {
		return f, fmt.Errorf("type %s is not supported here", v.Type())
	}
	switch t := t.(type) {
	case *types.Basic:
		if !slices.Contains([]string{"string", "int", "int64", "uint", "uint64"}, t.Name()) {
			return f, fmt.Errorf("type %s is not supported", t)
		}
		f.Scalar = scalar(t.Name())
	case *types.Named:
		under, ok := t.Underlying().(*types.Struct)
		if !ok || t.Obj().Pkg().Path() != libvirtxmlPath || f.Mode != element {
			return f, fmt.Errorf("type %s is not supported", t)
		}
		f.Struct = t.Obj().Name()
		if f.Name.Local == "" {
			f.Name = xmlNameOf(under, f.Name)
		}
	default:
		return f, fmt.Errorf("type %s is not supported", t)
	}
	if f.Name.Local == "" && (f.Mode == element || f.Mode == attr) {
		f.Name.Local = v.Name()
	}
	if f.Mode == innerxml && (f.Scalar != "string" || f.Ptr) {
		return f, fmt.Errorf("innerxml of %s is not supported", v.Type())
	}
	return f, nil
}

// xmlNameOf returns what the XMLName of a struct says, else otherwise.
func xmlNameOf(s *types.Struct, otherwise name) name {
	for i := range s.NumFields() {
		if s.Field(i).Name() == "XMLName" {
			tag := reflect.StructTag(s.Tag(i)).Get("xml")
			if space, local, ok := strings.Cut(tag, " "); ok {
				return name{space, local}
			}
			return name{"", tag}
		}
	}
	return otherwise
}

// slotOf reads the type of a field whose tag is "-".
func slotOf(t types.Type) (slot, error) {
	var s slot
	p, ok := t.(*types.Pointer)
	if ok {
		s.Ptr, t = true, p.Elem()
	}
	switch t := t.(type) {
	case *types.Basic:
		s.Scalar = scalar(t.Name())
		return s, nil
	case *types.Named:
		if s.Ptr && t.Obj().Pkg().Path() == libvirtxmlPath {
			s.Type = t.Obj().Name()
			return s, nil
		}
	}
	return s, fmt.Errorf("type %s is not supported", t)
}
