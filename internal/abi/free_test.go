package abi

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/document"
)

func TestNoRuleIsAboutWhatIsNotCompared(t *testing.T) {
	for _, r := range Rules() {
		assert.True(t, Compares(r.Path), r.Path)
	}
	assert.True(t, Compares("/domain/devices/disk/sources"))
	assert.True(t, Compares("/domain/devices/interface/source/address/@slot"))
}

// An edit of which Compares says that nobody looks at it passes the check.
func TestWhatIsNotComparedPasses(t *testing.T) {
	seen := map[string]bool{}
	check := func(name string, xml []byte) {
		first, _, err := document.Domain(xml)
		if err != nil {
			return
		}
		for i := range stringsOf(reflect.ValueOf(first)) {
			edited, _, err := document.Domain(xml)
			require.NoError(t, err)
			leaf := stringsOf(reflect.ValueOf(edited))[i]
			leaf.SetString(leaf.String() + "0")
			edit, err := document.ApplyDomain(xml, edited)
			if err != nil || len(edit.Paths) == 0 || Compares(edit.Paths[0]) {
				continue
			}
			seen[edit.Paths[0]] = true
			assert.NoError(t, CheckRestore(edit.Before, edit.After), "%s: %s", name, edit.Paths)
		}
	}
	for _, c := range captures.All() {
		if strings.HasPrefix(string(c.XML), "<domain") {
			check(c.Name, c.XML)
		}
	}
	if dir := os.Getenv("VIRTHOOK_CORPUS"); dir != "" {
		n := 0
		require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".xml" {
				return err
			}
			xml, err := os.ReadFile(path)
			if n++; n%10 == 0 && strings.Contains(string(xml), "<domain ") {
				check(path, xml)
			}
			return err
		}))
	}
	t.Logf("%d kinds of place", len(seen))
	assert.Greater(t, len(seen), 3)
}

// stringsOf are the strings in a document that are not empty.
func stringsOf(v reflect.Value) (found []reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return stringsOf(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, stringsOf(v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, stringsOf(v.Index(i))...)
		}
	case reflect.String:
		if v.String() != "" {
			found = append(found, v)
		}
	}
	return found
}
