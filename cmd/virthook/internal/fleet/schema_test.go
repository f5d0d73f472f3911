package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("virthook.schema.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	id := doc.(map[string]any)["$id"].(string)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return s
}

// plainDoc is the YAML document as an editor's schema check sees it.
func plainDoc(t *testing.T, data string) (doc any, ok bool) {
	t.Helper()
	var v any
	if err := yaml.Load([]byte(data), &v); err != nil {
		return nil, false
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(out))
	require.NoError(t, err)
	return doc, true
}

// What the loader refuses the schema refuses, where it can see it.
func TestSchemaAgreesWithLoader(t *testing.T) {
	s := schema(t)
	doc, _ := plainDoc(t, base)
	require.NoError(t, s.Validate(doc))
	for _, c := range wrongCases() {
		t.Run(c.name, func(t *testing.T) {
			doc, ok := plainDoc(t, strings.Replace(base, c.old, c.new, 1))
			switch {
			case !ok: // two keys of one name are no YAML for many
			case c.unseen:
				assert.NoError(t, s.Validate(doc), "the schema sees it after all")
			default:
				assert.Error(t, s.Validate(doc), "the schema takes what the loader refuses")
			}
		})
	}
}

// The schema has the drivers that the spec has.
func TestSchemaDrivers(t *testing.T) {
	for _, d := range builtin(t).Drivers {
		doc, _ := plainDoc(t, strings.Replace(base, "drivers: lxc", "drivers: "+d.Name, 1))
		assert.NoError(t, schema(t).Validate(doc))
	}
}
