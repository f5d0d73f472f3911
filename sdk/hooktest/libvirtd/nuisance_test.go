//go:build integration

package libvirtd_test

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// A process that a handler leaves behind, with the hook's descriptors, keeps no
// pipe of libvirt's open: the start ends while that process lives.
func TestProcessLeftBehind(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Op: "qemu/prepare", Do: protocol.Leave})
	guest.Start()
	out, err := h.Command(t.Context(), "pgrep", "-x", "sleep").Output()
	require.NoError(t, err, "the process that was left behind is gone: this shows nothing")
	assert.Len(t, strings.Fields(string(out)), 1)
	assert.True(t, guest.Running())
	assert.NoError(t, xml.Unmarshal([]byte(guest.XML()), new(any)))
}

// A handler that sleeps past its deadline is given up.
func TestDeadline(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Op: "qemu/stopped", Do: protocol.Hang})
	guest.Start()
	guest.Destroy() // within virsh's patience, though the handler would sleep for an hour
	assert.Contains(t, h.Log(), "deadline")
	assert.False(t, guest.Running())
}

// What a handler prints in a filter is not the guest's XML.
func TestPrintInAFilter(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle, withAll)
	guest.Start()
	h.mustVirsh("managedsave", "web")
	h.rules(
		protocol.Rule{Op: "qemu/restore", Do: protocol.Print, Text: "<domain>debugging output"},
		protocol.Rule{Op: "qemu/restore", Do: protocol.Mark, Text: "printed"},
	)
	guest.Start()
	assert.Equal(t, []string{"printed"}, marks(t, guest))
	requireAll(t, guest)
	assert.NotContains(t, guest.XML(), "debugging")
}

// A handler that asks libvirt about its own guest would wait for libvirt, which
// waits for the handler. A deadline of the command's ends it.
func TestHookCallsVirsh(t *testing.T) {
	t.Parallel()
	h := system(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Op: "qemu/prepare", Do: protocol.Virsh, Text: "web"})
	begin := time.Now()
	guest.Start()
	t.Logf("the start took %v", time.Since(begin).Round(100*time.Millisecond))
	said, err := h.ReadFile(protocol.VirshFile)
	require.NoError(t, err)
	assert.Contains(t, string(said), "context deadline exceeded", "it was answered: a deadlock no more?")
	assert.True(t, guest.Running())
}

// At the deadline what the handler has started ends as well, and nobody else: the
// daemon is in the hook's process group.
func TestDeadlineEndsChildren(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Op: "qemu/started", Do: protocol.StartAndHang})
	_, err := guest.TryStart()
	require.ErrorContains(t, err, "deadline: not done within")
	assert.Error(t, h.Command(t.Context(), "pgrep", "-x", "sleep").Run(), "the child is still there")
	h.rules()
	guest.Start() // the daemon is there
}

// What asks libvirt is kept from waiting, in a script and from the helper; what is left
// to run after the hook is answered.
func TestHookIsKeptFromVirsh(t *testing.T) {
	t.Parallel()
	h := system(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Op: "qemu/prepare", Do: protocol.Guarded, Text: "web"})
	guest.Start()
	said, err := h.ReadFile(protocol.VirshFile)
	require.NoError(t, err)
	assert.Contains(t, string(said), "a hook must not ask libvirt")
	assert.Contains(t, string(said), "virsh asks libvirt: libvirt waits for the hook")
	require.Eventually(t, func() bool {
		return strings.TrimSpace(h.mustVirsh("desc", "web", "--config")) == "by a detached command"
	}, time.Minute, 20*time.Millisecond, "the detached command was not answered")
}
