package lifecycle_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/gen/lifecycle"
	"github.com/virthook/virthook/spec"
)

func TestFresh(t *testing.T) {
	s, err := spec.Builtin()
	require.NoError(t, err)
	want, err := lifecycle.Render(s)
	require.NoError(t, err)
	got, err := os.ReadFile("../../internal/lifecycle/" + lifecycle.File)
	require.NoError(t, err)
	assert.True(t, string(want) == string(got), "%s is stale: %s", lifecycle.File, lifecycle.Command)
}
