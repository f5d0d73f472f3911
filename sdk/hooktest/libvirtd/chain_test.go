//go:build integration

package libvirtd_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// chain is a host with three hooks of qemu, in the order of their names.
func chain(t *testing.T) host {
	t.Helper()
	return host{libvirtd.Start(t,
		libvirtd.HookAs("qemu.d/3-last", testhook),
		libvirtd.HookAs("qemu.d/1-first", testhook),
		libvirtd.HookAs("qemu.d/2-middle", testhook),
	), t}
}

// called are the hooks that ran in an operation, in order.
func (h host) called(op string) (names []string) {
	h.t.Helper()
	for _, typed := range h.typed() {
		if typed.Op == op {
			names = append(names, typed.Hook)
		}
	}
	return names
}

var all = []string{"1-first", "2-middle", "3-last"}

// All hooks of a chain run, even after one that failed, and its failure is the chain's.
func TestChainFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	h := chain(t)
	guest := h.Guest("web", libvirtd.Idle)
	h.rules(protocol.Rule{Hook: "2-middle", Op: "qemu/prepare", Do: protocol.Fail, Text: noWay})
	_, err := guest.TryStart()
	assertRefused(t, err)
	assert.Equal(t, all, h.called("qemu/prepare"))
	assert.Empty(t, h.called("qemu/start"))
	assert.Equal(t, all, h.called("qemu/release"))
}

// Each filter gets what the one before has made of the XML.
func TestFiltersInARow(t *testing.T) {
	t.Parallel()
	h := chain(t)
	guest := h.Guest("web", libvirtd.Idle, withAll)
	guest.Start()
	moved := guest.Disk + ".moved"
	h.Image(moved, libvirtd.Idle)
	h.rules(
		protocol.Rule{Hook: "1-first", Op: "qemu/restore", Do: protocol.Disk, Text: moved},
		protocol.Rule{Hook: "1-first", Op: "qemu/restore", Do: protocol.Mark, Text: "first"},
		// 2-middle changes nothing and writes nothing: libvirt goes on with what it has.
		protocol.Rule{Hook: "3-last", Op: "qemu/restore", Do: protocol.Mark, Text: "last"},
	)
	h.mustVirsh("managedsave", "web")
	guest.Start()
	assert.Equal(t, all, h.called("qemu/restore"))
	assert.Equal(t, []string{"first", "last"}, marks(t, guest))
	requireDisk(t, guest, moved)
	requireAll(t, guest)
	for i, want := range []string{guest.Disk, moved, moved} {
		assert.Equal(t, want, h.typedOf("qemu/restore")[i].Disks[0], all[i])
	}
}

func (h host) typedOf(op string) (ts []protocol.Typed) {
	h.t.Helper()
	for _, typed := range h.typed() {
		if typed.Op == op {
			ts = append(ts, typed)
		}
	}
	return ts
}

// A filter that fails in the middle refuses the restore, whatever the others made of it.
func TestFilterFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	h := chain(t)
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	h.mustVirsh("save", "web", "/run/virthook/web.save")
	h.rules(
		protocol.Rule{Hook: "1-first", Op: "qemu/restore", Do: protocol.Mark, Text: "first"},
		protocol.Rule{Hook: "2-middle", Op: "qemu/restore", Do: protocol.Fail, Text: noWay},
		protocol.Rule{Hook: "3-last", Op: "qemu/restore", Do: protocol.Mark, Text: "last"},
	)
	_, err := h.Virsh("restore", "/run/virthook/web.save")
	assertRefused(t, err)
	assert.Equal(t, all, h.called("qemu/restore"))
	assert.False(t, guest.Running())
}
