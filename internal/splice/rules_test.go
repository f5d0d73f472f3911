package splice

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"libvirt.org/go/libvirtxml"
)

// The lists in the rules are those of libvirtxml, all of them and no others.
func TestLists(t *testing.T) {
	for _, test := range []struct {
		doc   any
		root  string
		rules *Rules
	}{
		{libvirtxml.Domain{}, "domain", domainRules()},
		{libvirtxml.Network{}, "network", networkRules()},
		{libvirtxml.NetworkPort{}, "networkport", networkPortRules()},
	} {
		lists, single := map[string]bool{}, map[string]bool{}
		collect(reflect.TypeOf(test.doc), test.root, lists, single, map[string]bool{})
		assert.ElementsMatch(t, slices.Collect(maps.Keys(lists)), test.rules.Lists, test.root)
		for path := range single {
			assert.NotContains(t, test.rules.Lists, path, "one in one place, several in another")
		}
	}
}

// collect finds the elements that are in slices, and those that are not.
func collect(typ reflect.Type, name string, lists, single, seen map[string]bool) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ.Name()+" "+name] {
		return
	}
	seen[typ.Name()+" "+name] = true
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag, flags, _ := strings.Cut(f.Tag.Get("xml"), ",")
		switch {
		case f.Name == "XMLName" || flags != "" && flags != "omitempty":
			continue
		case tag == "-" || f.Anonymous:
			collect(f.Type, name, lists, single, seen)
			continue
		case tag == "":
			tag = nameOf(f)
		}
		parent := name
		if outer, inner, ok := strings.Cut(tag, ">"); ok {
			parent, tag = outer, inner
		}
		typ := f.Type
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Slice {
			lists[parent+"/"+tag] = true
		} else {
			single[parent+"/"+tag] = true
		}
		collect(f.Type, tag, lists, single, seen)
	}
}

// nameOf returns what a field without a name in its tag is called: by the XMLName
// of its type.
func nameOf(f reflect.StructField) string {
	typ := f.Type
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() == reflect.Struct {
		if x, ok := typ.FieldByName("XMLName"); ok {
			name, _, _ := strings.Cut(x.Tag.Get("xml"), ",")
			return name[strings.LastIndexByte(name, ' ')+1:]
		}
	}
	return f.Name
}
