package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/verdict"
)

// jsonFields lists the fields of a type by path, with the words that docs/json.md
// has for their types.
func jsonFields(t *testing.T, in reflect.Type, prefix string, to map[string]string) {
	for i := range in.NumField() {
		tag, option, _ := strings.Cut(in.Field(i).Tag.Get("json"), ",")
		require.NotEmpty(t, tag, in.Field(i).Name)
		of, path := in.Field(i).Type, prefix+tag
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		word := map[reflect.Kind]string{
			reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "number", reflect.Float64: "number",
			reflect.Struct: "object", reflect.Slice: "array of strings",
		}[of.Kind()]
		switch {
		case of.Kind() == reflect.Struct:
			jsonFields(t, of, path+".", to)
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
			word = "array of objects"
			jsonFields(t, of.Elem(), path+"[].", to)
		}
		if option == "omitempty" {
			word += ", may be absent"
		}
		to[path] = word
	}
}

// TestFireJSONIsDocumented holds docs/json.md against what fire prints.
func TestFireJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/json.md")
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(page), "<!-- fire: begin -->")
	section, _, found := strings.Cut(section, "<!-- fire: end -->")
	require.True(t, found)

	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(section, -1) {
		assert.NotContains(t, documented, m[1], "twice")
		documented[m[1]] = m[2]
	}
	printed := map[string]string{}
	jsonFields(t, reflect.TypeFor[firedJSON](), "", printed)
	assert.Equal(t, printed, documented)

	for _, w := range verdict.Words() {
		assert.Contains(t, section, "`"+string(w)+"`")
	}
	for _, c := range []verdict.Cause{verdict.Failed, verdict.NotXML, verdict.WrongRoot, verdict.NotAGuest, verdict.ABIBroken, verdict.NeverEnded} {
		assert.Contains(t, section, "`"+string(c)+"`")
	}
}
