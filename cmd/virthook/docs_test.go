package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/gen/docs"
	"github.com/virthook/virthook/spec"
)

// What is in docs/reference is what `virthook docs` writes, and nothing else.
func TestReferenceIsFresh(t *testing.T) {
	const dir = "../../docs/reference"
	s, err := spec.Builtin()
	require.NoError(t, err)
	files, err := documentation(newRoot(), s, docs.Formats, docs.Options{SDK: sdkPath, Sample: sampleFor("")})
	require.NoError(t, err)
	p, err := newPlan(dir, files)
	require.NoError(t, err)
	assert.Empty(t, p.stale(), "run go generate ./...")

	for o := range s.All() { // what an example prints comes of the sample beside it
		if o.Extra != nil && o.Extra.Enum != "" {
			require.NotNil(t, o.Example, o.ID())
			shown, _ := sampleFor("")(o)
			assert.Equal(t, o.Example.Extra, shown.Argv[4], o.ID())
		}
	}

	err = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			assert.Contains(t, files, filepath.ToSlash(rel), "nothing generates it")
		}
		return err
	})
	require.NoError(t, err)
}
