//go:build integration

package libvirtd_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// A user's own daemon calls the same hooks. Run by root this is the system's daemon;
// make integration runs it as a user too.
func TestSession(t *testing.T) {
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	h.Restart()
	h.WaitFor("the reconnect", func() bool { return len(h.CallsOf("qemu", "reconnect")) == 1 })
	h.Reload()
	h.rules(protocol.Rule{Op: "qemu/restore", Do: protocol.Mark, Text: "restored"})
	h.mustVirsh("managedsave", "web")
	guest.Start()
	assert.Equal(t, []string{"restored"}, marks(t, guest))
	guest.Destroy()
	assert.Equal(t, []string{"prepare", "start", "started", "reconnect", "stopped", h.release("saved"),
		"restore", "prepare", "start", "started", "stopped", h.release("destroyed")}, h.ops("qemu", "web"))
	assert.Equal(t, []string{"start start", "shutdown shutdown", "start start", "reload SIGHUP"}, h.ops("daemon", "-"))
	h.requireSameCalls()

	h.rules(protocol.Rule{Op: "qemu/start", Do: protocol.Fail, Text: noWay})
	_, err := guest.TryStart()
	assertRefused(t, err)
}

// A daemon that is killed says nothing to its hooks, and finds its guests again.
func TestKilledDaemon(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	h.Kill()
	h.Up()
	h.WaitFor("the reconnect", func() bool { return len(h.CallsOf("qemu", "reconnect")) == 1 })
	assert.True(t, guest.Running())
	assert.Equal(t, []string{"start start", "start start"}, h.ops("daemon", "-"))
}

// What was recorded can be called again without libvirt.
func TestRecordedCallIsACall(t *testing.T) {
	t.Parallel()
	h := start(t)
	h.Guest("a \"web\" $(guest)", libvirtd.Idle).Start()
	calls := h.CallsOf("qemu", "started")
	require.Len(t, calls, 1)
	assert.Equal(t, "a \"web\" $(guest)", calls[0].Domain().Name)
	hooktest.Exec(t, testhook, hooktest.Call{Driver: "lxc", Object: "x", Op: "unknown", SubOp: "begin", Extra: "-", XML: calls[0].XML}).OK()
}
