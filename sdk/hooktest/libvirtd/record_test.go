//go:build integration

package libvirtd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/recording"
	"github.com/virthook/virthook/internal/redact"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// virthook record stores what libvirt sends: the same calls, in the same order, as
// the recorder of these tests sees, without the secrets.
func TestVirthookRecord(t *testing.T) {
	t.Parallel()
	h := host{libvirtd.Start(t), t}
	h.install("/run/virthook/virthook", libvirtd.Build(t, "github.com/virthook/virthook/cmd/virthook"))
	record := func(args ...string) string {
		t.Helper()
		out, err := h.Command(t.Context(), "/run/virthook/virthook", append([]string{"record"}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	said := record("start", "--to", "/run/virthook/recording", "--driver", "daemon,qemu,network")
	assert.Contains(t, said, "recorded from now on: daemon, network, qemu")
	h.ForgetCalls() // the daemon's start

	guest := h.Guest(`a "web"`, libvirtd.Idle, withAll)
	guest.Start()
	h.Restart()
	h.WaitFor("the reconnect", func() bool { return len(h.CallsOf("qemu", "reconnect")) == 1 })
	h.mustVirsh("managedsave", `a "web"`)
	guest.Start()
	guest.Destroy()

	var status recordStatus
	require.NoError(t, json.Unmarshal([]byte(record("status", "--json")), &status))
	calls := h.Calls()
	assert.Equal(t, len(calls), status.Calls)
	assert.Empty(t, status.Errors)

	// Out of the namespace, which the daemon's user may do alone.
	dir := filepath.Join(t.TempDir(), "recording")
	require.NoError(t, os.Mkdir(dir, 0o700))
	tar := h.Command(t.Context(), "tar", "-C", "/run/virthook/recording", "-cf", "-", ".")
	untar := exec.Command("tar", "-C", dir, "--no-same-owner", "-xf", "-")
	var err error
	untar.Stdin, err = tar.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, tar.Start())
	out, err := untar.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, tar.Wait())
	recorded, err := recording.Open(dir)
	require.NoError(t, err)
	require.Len(t, recorded.Calls, len(calls))
	for i, c := range recorded.Calls {
		want := calls[i]
		assert.Equal(t, []string{want.Driver, want.Object, want.Op, want.SubOp, want.Extra}, []string{c.Driver, c.Object, c.Op, c.SubOp, c.Extra}, i)
		assert.Equal(t, string(redact.XML(want.XML)), string(c.XML), want)
	}

	// Gone is gone, and the guest starts without it.
	assert.Contains(t, record("stop"), "kept /run/virthook/recording: "+fmt.Sprint(len(calls))+" calls")
	guest.Start()
	assert.False(t, h.Exists("/etc/libvirt/hooks/virthook-record.json"))
	assert.Greater(t, len(h.Calls()), len(calls))
	assert.NotRegexp(t, `error : .*00-virthook-record`, h.Log())
}

type recordStatus struct {
	Calls  int      `json:"calls"`
	Errors []string `json:"errors"`
}
