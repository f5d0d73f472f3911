package nolibvirt_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/internal/nolibvirt"
)

func TestVirsh(t *testing.T) {
	virsh, err := exec.LookPath("virsh")
	if err != nil {
		t.Skip("no virsh here")
	}
	for _, arg := range [][]string{{"list"}, {"-r", "list"}, {"uri"}} {
		c := exec.CommandContext(t.Context(), virsh, arg...)
		c.WaitDelay = time.Second
		c.Env = append(os.Environ(), nolibvirt.Name+"="+nolibvirt.Value)
		out, err := c.CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), nolibvirt.Value)
		assert.NotContains(t, string(out), "socket")
	}
}
