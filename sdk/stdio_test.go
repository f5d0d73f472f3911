package sdk

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where there is no file in memory the SDK's own file is one without a name or,
// without a folder for it, the null device.
func TestTempFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f := tempFile()
	require.NotNil(t, f)
	defer f.Close()
	_, err := io.WriteString(f, "  printed\n")
	require.NoError(t, err)
	assert.Equal(t, "printed", (&stdio{file: f}).printed())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)

	t.Setenv("TMPDIR", dir+"/none")
	null := tempFile()
	require.NotNil(t, null)
	defer null.Close()
	assert.Equal(t, os.DevNull, null.Name())
	assert.Empty(t, (&stdio{file: null}).printed())
	assert.Empty(t, (&stdio{}).printed())
}
