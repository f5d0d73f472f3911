package doctor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A name that would be a pattern is a name where it is the root's.
func TestRootIsNoPattern(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.remove("/proc") // which says too where the library is
	odd := filepath.Join(t.TempDir(), "im[a]ge*")
	require.NoError(t, os.Rename(h.root, odd))
	h.root = odd
	r := h.examine()
	assert.Empty(t, lines(r))
	assert.Equal(t, "11.3.0", r.Libvirt)
}

// Links of an image lead to where they do on its own host, and never out of it.
func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	folder := "/libvirt/connection-driver"
	require.NoError(t, os.MkdirAll(outside+folder, 0o755))
	require.NoError(t, os.WriteFile(outside+folder+"/libvirt_driver_lxc.so", nil, 0o600))

	for _, at := range []string{"/usr/lib64", "/usr/lib/aarch64-linux-gnu"} { // one by name and one by pattern
		h := newHost(t)
		h.write(hooks+"/lxc", 0o755, script)
		h.link(outside, at)
		finding(t, h.examine(), "daemon-missing")

		h.write(outside+folder+"/libvirt_driver_lxc.so", 0o644, "")
		assert.Empty(t, lines(h.examine()))
	}
}
