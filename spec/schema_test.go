package spec_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/virthook/virthook/spec"
)

func schema(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	id := doc.(map[string]any)["$id"].(string)
	assert.Equal(t, "https://github.com/virthook/virthook/spec/"+file, id)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, c.AddResource(id, doc))
	s, err := c.Compile(id)
	require.NoError(t, err)
	return s
}

// plainDoc is the YAML document as an editor's schema check sees it.
func plainDoc(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Load(data, &v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
	require.NoError(t, err)
	return doc
}

func TestFilesMatchSchemas(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 8)
	for _, file := range files {
		kind := "driver"
		if file == "enums.yaml" || file == "facts.yaml" {
			kind = strings.TrimSuffix(file, ".yaml")
		}
		name := kind + ".schema.json"
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NoError(t, schema(t, name).Validate(plainDoc(t, data)), file)
		assert.True(t, bytes.HasPrefix(data, []byte("# yaml-language-server: $schema="+name+"\n")), "%s: names its schema for editors", file)
	}
}

// A document that is wrong is refused by the loader, and by the schema where a
// schema can see it.
func TestSchemaAgreesWithLoader(t *testing.T) {
	driver, enums := schema(t, "driver.schema.json"), schema(t, "enums.schema.json")
	for _, c := range append(validateCases(), decodeCases()...) {
		t.Run(c.name, func(t *testing.T) {
			file, s := "qemu.yaml", driver
			if c.enums {
				file, s = "enums.yaml", enums
			}
			data := c.files(t)[file].Data
			if c.unseen != "" {
				var v any
				if yaml.Load(data, &v) == nil {
					assert.NoError(t, s.Validate(plainDoc(t, data)), "the schema sees it after all")
				}
				return
			}
			assert.Error(t, s.Validate(plainDoc(t, data)), "the schema takes what the loader refuses")
		})
	}
}

// The unedited documents of those cases are good for both.
func TestSchemaTakesTheBase(t *testing.T) {
	_, err := spec.Load(fstest.MapFS{"qemu.yaml": {Data: []byte(baseDriver)}, "enums.yaml": {Data: []byte(baseEnums)}})
	require.NoError(t, err)
	assert.NoError(t, schema(t, "driver.schema.json").Validate(plainDoc(t, []byte(baseDriver))))
	assert.NoError(t, schema(t, "enums.schema.json").Validate(plainDoc(t, []byte(baseEnums))))
}
