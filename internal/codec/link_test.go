package codec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// build links a program of testdata and returns its symbols and size.
func build(t *testing.T, name string) (symbols string, size int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := os.Stat(path)
	require.NoError(t, err)
	out, err = exec.Command("go", "tool", "nm", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out), info.Size()
}

func TestHookDoesNotLinkEncodingXML(t *testing.T) {
	symbols, size := build(t, "hook")
	var found []string
	for line := range strings.Lines(symbols) {
		if strings.Contains(line, " encoding/xml.(*Decoder)") || strings.Contains(line, " encoding/xml.(*Encoder)") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	assert.Empty(t, found)
	// The test can fail: there they are.
	plain, plainSize := build(t, "plain")
	assert.Contains(t, plain, " encoding/xml.(*Decoder).unmarshal\n")
	t.Logf("a hook that decodes, compares and encodes: %d bytes; with libvirtxml alone: %d bytes", size, plainSize)
}
