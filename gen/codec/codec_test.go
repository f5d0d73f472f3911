package codec

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const output = "../../internal/codec"

func TestOutputIsFresh(t *testing.T) {
	files, err := Render(output)
	require.NoError(t, err)
	names, err := stale(output, files)
	require.NoError(t, err)
	assert.Empty(t, names, "generated files are not as the generator makes them now; run: %s", Command)
}

func TestRenderingIsDeterministic(t *testing.T) {
	first, err := Render(output)
	require.NoError(t, err)
	second, err := Render(output)
	require.NoError(t, err)
	assert.Equal(t, first, second)
}

func TestWritingSaysWhatChanged(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	var out bytes.Buffer
	require.NoError(t, Write(dir, &out))
	assert.Contains(t, out.String(), "wrote domain_decode.gen.go\n")
	assert.Contains(t, out.String(), "+ DomainDisk.Device attr device string omitempty\n")

	out.Reset()
	require.NoError(t, Write(dir, &out))
	assert.Empty(t, out.String())

	inventory := filepath.Join(dir, inventoryName)
	content, err := os.ReadFile(inventory)
	require.NoError(t, err)
	old := strings.Replace(string(content), "DomainDisk.Device attr device string omitempty\n", "DomainDisk.Gone attr gone string\n", 1)
	require.NoError(t, os.WriteFile(inventory, []byte(old), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "old_decode.gen.go"), nil, 0o600))
	require.NoError(t, Write(dir, &out))
	assert.Equal(t, `wrote codec.inventory.txt
removed old_decode.gen.go
+ DomainDisk.Device attr device string omitempty
- DomainDisk.Gone attr gone string
`, out.String())
	assert.NoFileExists(t, filepath.Join(dir, "old_decode.gen.go"))
}

// withTable builds the model with another table.
func withTable(t *testing.T, change func([]custom) []custom) error {
	t.Helper()
	s, err := load(output)
	require.NoError(t, err)
	before := table
	defer func() { table = before }()
	table = change(append([]custom(nil), before...))
	_, err = build(s)
	return err
}

func TestTableMustFit(t *testing.T) {
	assert.EqualError(t, withTable(t, func(c []custom) []custom { return c[1:] }),
		"libvirtxml.DomainDisk has custom XML methods that the table of unions does not name")
	assert.EqualError(t, withTable(t, func(c []custom) []custom {
		return append(c, custom{Type: "StorageEncryption", Kind: leaf})
	}), "table: no libvirtxml.StorageEncryption with custom XML methods is in a document")
	assert.EqualError(t, withTable(t, func(c []custom) []custom {
		return append(c, custom{Type: "DomainAlias", Kind: leaf})
	}), "table: no libvirtxml.DomainAlias with custom XML methods is in a document")
	assert.EqualError(t, withTable(t, func(c []custom) []custom { return append(c, c[0]) }),
		"table: DomainDisk is there twice")
	assert.EqualError(t, withTable(t, func(c []custom) []custom {
		for i := range c {
			if c[i].Type == "DomainAddressPCI" {
				c[i].Attrs = c[i].Attrs[1:]
			}
		}
		return c
	}), "table: DomainAddressPCI: field Domain is not named")
	assert.EqualError(t, withTable(t, func(c []custom) []custom {
		for i := range c {
			if c[i].Type == "DomainDiskSource" {
				c[i].Variants = c[i].Variants[1:]
			}
		}
		return c
	}), "table: DomainDiskSource: field File is not named")
}
