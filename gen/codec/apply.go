package codec

import (
	"fmt"
	"slices"
	"strings"
)

// applyTable gives each struct with custom methods its entry of the table.
func (m *model) applyTable(s *source) error {
	entries := map[string]*custom{}
	for i := range table {
		c := &table[i]
		if entries[c.Type] != nil {
			return fmt.Errorf("table: %s is there twice", c.Type)
		}
		entries[c.Type] = c
	}
	for _, t := range m.order {
		read, write := s.bodies[t.Name+".UnmarshalXML"], s.bodies[t.Name+".MarshalXML"]
		c := entries[t.Name]
		if read == "" && write == "" {
			continue
		}
		delete(entries, t.Name)
		switch {
		case c == nil:
			return fmt.Errorf("libvirtxml.%s has custom XML methods that the table of unions does not name", t.Name)
		case read == "" || write == "":
			return fmt.Errorf("table: libvirtxml.%s has not both UnmarshalXML and MarshalXML", t.Name)
		}
		t.Custom, t.digest = c, read+" "+write
		if err := m.check(t); err != nil {
			return fmt.Errorf("table: %s: %w", t.Name, err)
		}
	}
	for _, c := range table {
		if entries[c.Type] != nil {
			return fmt.Errorf("table: no libvirtxml.%s with custom XML methods is in a document", c.Type)
		}
	}
	// Not addressable where libvirtxml encodes a copy of what is around it, so
	// that encoding/xml would pass its methods by.
	for _, t := range m.order {
		for _, f := range t.Fields {
			if f.Struct != "" && !f.Ptr && !f.Slice && m.structs[f.Struct].Custom != nil {
				return fmt.Errorf("libvirtxml.%s.%s: a custom type by value is not supported", t.Name, f.Go)
			}
		}
	}
	return nil
}

// check says whether the fields that the entry of a type names are there, and
// whether all that the tags hide are named.
func (m *model) check(t *structure) error {
	c := t.Custom
	if c.Kind == byHand || c.Kind == "" {
		return nil
	}
	named := map[string]bool{}
	for _, v := range c.Variants {
		if v.Field == "" {
			continue
		}
		named[v.Field] = true
		if _, coded := t.field(v.Field); t.hidden(v) == "" || coded && (c.Kind == wraps || c.Kind == embeds) {
			return fmt.Errorf("%s is no variant", v.Field)
		}
	}
	for _, i := range slices.Concat(c.Attrs, c.Children) {
		named[i.Field] = true
		if _, err := t.item(i); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(t.Slots) {
		if !named[name] && c.Kind != chardev {
			return fmt.Errorf("field %s is not named", name)
		}
	}
	if c.Kind == leaf {
		for _, f := range t.Fields {
			if !named[f.Go] {
				return fmt.Errorf("field %s is not named", f.Go)
			}
		}
	}
	if c.Kind == chooses {
		f, ok := t.field(c.Field)
		if !ok || f.Struct == "" {
			return fmt.Errorf("%s is no union", c.Field)
		}
		if k := m.structs[f.Struct]; k == nil {
			return fmt.Errorf("%s is not reached", f.Struct)
		}
	}
	return nil
}

func (t *structure) field(name string) (field, bool) {
	i := slices.IndexFunc(t.Fields, func(f field) bool { return f.Go == name })
	if i < 0 {
		return field{}, false
	}
	return t.Fields[i], true
}

// item returns the field that an item of a leaf names.
func (t *structure) item(i item) (field, error) {
	f, ok := t.field(i.Field)
	switch {
	case !ok || f.Slice || i.Struct != (f.Struct != ""):
		return f, fmt.Errorf("field %s is not as the table says", i.Field)
	case f.Scalar != "" && (f.Scalar == "string") != (i.Format == ""):
		return f, fmt.Errorf("the format of %s does not fit", i.Field)
	}
	return f, nil
}

// lower returns the name of the functions for a type.
func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
