// Package jsondoc is for tests: it holds docs/json.md against the types that are printed.
package jsondoc

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Check compares a section of the page, between <!-- NAME: begin --> and its end, with
// the fields of a type. The error names each field that is missing, gone or of another
// type; section is the text, for a test to look into.
func Check(page, name string, of reflect.Type) (section string, err error) {
	content, err := os.ReadFile(page)
	if err != nil {
		return "", err
	}
	_, section, _ = strings.Cut(string(content), "<!-- "+name+": begin -->")
	section, _, found := strings.Cut(section, "<!-- "+name+": end -->")
	if !found {
		return "", fmt.Errorf("%s has no section %s", page, name)
	}
	documented, printed := map[string]string{}, map[string]string{}
	var problems []error
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		if documented[m[1]] != "" {
			problems = append(problems, fmt.Errorf("%s: documented twice", m[1]))
		}
		documented[m[1]] = m[2]
	}
	fields(of, "", printed)
	for _, path := range slices.Sorted(maps.Keys(printed)) {
		if documented[path] != printed[path] {
			problems = append(problems, fmt.Errorf("%s: documented as %q, printed as %q", path, documented[path], printed[path]))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(documented)) {
		if printed[path] == "" {
			problems = append(problems, fmt.Errorf("%s: documented, and not printed", path))
		}
	}
	return section, errors.Join(problems...)
}

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|")

// fields lists those of a type by path, with the words that the page has for their types.
func fields(in reflect.Type, prefix string, to map[string]string) {
	for i := range in.NumField() {
		tag, option, _ := strings.Cut(in.Field(i).Tag.Get("json"), ",")
		of, path := in.Field(i).Type, prefix+tag
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		word := map[reflect.Kind]string{
			reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "number", reflect.Int64: "number", reflect.Float64: "number",
			reflect.Struct: "object", reflect.Slice: "array of strings",
		}[of.Kind()]
		switch {
		case of.Kind() == reflect.Struct:
			fields(of, path+".", to)
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
			word = "array of objects"
			fields(of.Elem(), path+"[].", to)
		}
		if option == "omitempty" {
			word += ", may be absent"
		}
		to[path] = word
	}
}
