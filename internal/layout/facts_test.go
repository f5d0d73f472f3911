package layout_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// proofs calls f for all that the spec says of how it was checked.
func proofs(t *testing.T, f func(place string, v spec.Verified)) {
	t.Helper()
	s, err := spec.Builtin()
	require.NoError(t, err)
	for _, d := range s.Drivers {
		for _, o := range d.Ops {
			f(d.Name+"/"+o.Op, o.Verified)
		}
		for _, l := range d.Lifecycles {
			f(d.Name+" "+l.Action, l.Verified)
		}
	}
	for _, e := range s.Enums {
		f("enum "+e.Name, spec.Verified{Source: e.Source})
	}
	for _, topic := range s.Topics {
		for _, fact := range topic.Facts {
			f("fact "+fact.Name, fact.Verified)
		}
	}
}

// The tests that the spec names are there.
func TestProofsExist(t *testing.T) {
	tests := testFunctions(t, "../..")
	named := 0
	proofs(t, func(place string, v spec.Verified) {
		for _, test := range v.Tests {
			named++
			assert.True(t, tests[test], "%s: there is no %s in the module", place, test)
		}
	})
	assert.NotZero(t, named)
}

// testFunctions are the tests below a folder, whatever their build tags.
func testFunctions(t *testing.T, folder string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != folder && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				found[f.Name.Name] = true
			}
		}
		return nil
	}))
	return found
}

// The files of libvirt's source that the spec names are there. What virhook.c says is
// compared by the tests of package spec.
func TestSourcesExist(t *testing.T) {
	root := os.Getenv("VIRTHOOK_LIBVIRT_SRC")
	if root == "" {
		t.Skip("VIRTHOOK_LIBVIRT_SRC does not name a libvirt source tree")
	}
	proofs(t, func(place string, v spec.Verified) {
		for _, file := range v.Source {
			assert.FileExists(t, filepath.Join(root, file), place)
		}
	})
}
