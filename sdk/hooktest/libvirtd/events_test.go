//go:build integration

package libvirtd_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// reachable are the operations that a real daemon calls: all but qemu attach, which
// no libvirt calls any more, and those of libxl and bhyve, which need Xen and FreeBSD.
var reachable = []string{
	"daemon/reload", "daemon/shutdown", "daemon/start",
	"lxc/prepare", "lxc/reconnect", "lxc/release", "lxc/start", "lxc/started", "lxc/stopped",
	"network/port-created", "network/port-deleted", "network/start", "network/started", "network/stopped", "network/updated",
	"qemu/migrate", "qemu/prepare", "qemu/reconnect", "qemu/release", "qemu/restore", "qemu/start", "qemu/started", "qemu/stopped",
}

// Every operation that a daemon can call is called, and its handler gets what
// libvirt sent.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)
	net := source.Network("lan")
	net.Start()
	source.mustVirsh("net-update", "lan", "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:01' ip='127.99.0.12'/>", "--live")

	web := source.Guest("web", libvirtd.Idle, libvirtd.NIC("lan"))
	web.Start()
	box := source.Container("box", []string{"/bin/sleep", "1000"})
	box.Start()
	source.Restart()
	source.WaitFor("the reconnects", func() bool {
		return len(source.CallsOf("qemu", "reconnect")) == 1 && len(source.CallsOf("lxc", "reconnect")) == 1
	})
	source.Reload()
	source.mustVirsh("save", "web", "/run/virthook/web.save")
	source.mustVirsh("restore", "/run/virthook/web.save")
	web.Destroy()
	box.Destroy()
	net.Destroy()

	mover := source.Guest("mover", libvirtd.Idle)
	mover.Start()
	_, err := mover.Migrate(destination.Daemon)
	require.NoError(t, err)
	assert.True(t, mover.On(destination.Daemon).Running())
	source.Down()
	source.Up() // the hook of the shutdown has ended when the daemon has

	seen := make(map[string]bool)
	for _, h := range []host{source, destination} {
		for _, c := range h.Calls() {
			seen[c.Driver+"/"+c.Op] = true
		}
		h.requireSameCalls()
	}
	assert.Equal(t, reachable, slices.Sorted(maps.Keys(seen)))

	assert.Equal(t, []string{"prepare", "start", "started", "reconnect", "stopped", source.release("saved"),
		"restore", "prepare", "start", "started", "stopped", source.release("destroyed")}, source.ops("qemu", "web"))
	assert.Equal(t, []string{"prepare", "start", "started", "reconnect", "stopped", source.release("destroyed")},
		source.containerOps("box"))
	assert.Equal(t, []string{"prepare", "start", "started", "stopped", source.release("migrated")}, source.ops("qemu", "mover"))
	assert.Equal(t, []string{"migrate", "prepare", "start", "started"}, destination.ops("qemu", "mover"))
	assert.Equal(t, []string{"start", "started", "updated", "port-created", "port-created", "port-deleted", "port-created", "port-deleted", "stopped"},
		source.ops("network", "lan"))
	assert.Equal(t, []string{"start start", "shutdown shutdown", "start start", "reload SIGHUP", "shutdown shutdown", "start start"},
		source.ops("daemon", "-"))
}

// An interface that is plugged into a running guest has a port of its network.
func TestInterfacePluggedIn(t *testing.T) {
	t.Parallel()
	h := system(t)
	h.Network("lan").Start()
	h.Guest("web", libvirtd.Idle).Start()
	const mac = "52:54:00:9a:53:a9"
	h.mustVirsh("attach-interface", "web", "network", "lan", "--mac", mac, "--model", "e1000", "--live")
	h.mustVirsh("detach-interface", "web", "network", "--mac", mac, "--live")
	created := h.CallsOf("network", "port-created")
	require.Len(t, created, 1)
	assert.Equal(t, []string{mac}, oracle(t, created[0]).MACs)
	h.requireSameCalls()
}

// The reason of release, which older libvirts do not give.
func TestReleaseReasons(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)

	run := func(name string, boots libvirtd.BootSector) *libvirtd.Guest {
		g := source.Guest(name, boots)
		g.Start()
		return g
	}
	run("destroyed", libvirtd.Idle).Destroy()
	run("shutdown", libvirtd.PowerOff).WaitOff()
	run("crashed", libvirtd.Panic).WaitOff()
	killed := run("crashed-emulator", libvirtd.Idle)
	killed.Kill()
	killed.WaitOff()
	run("saved", libvirtd.Idle)
	source.mustVirsh("managedsave", "saved")
	_, err := run("migrated", libvirtd.Idle).Migrate(destination.Daemon)
	require.NoError(t, err)

	reverted := run("from snapshot", libvirtd.Idle)
	source.mustVirsh("snapshot-create-as", "from snapshot", "before")
	reverted.Destroy()
	reverted.Start()
	source.mustVirsh("snapshot-revert", "from snapshot", "before", "--force")

	failed := source.Guest("failed", libvirtd.Idle)
	source.WriteFile(failed.Disk, []byte("no disk of the format that the XML promises"))
	_, err = failed.TryStart()
	require.Error(t, err)

	want := map[string][]string{
		"destroyed": {"destroyed"}, "shutdown": {"shutdown"}, "crashed": {"crashed"}, "crashed-emulator": {"crashed"},
		"saved": {"saved"}, "migrated": {"migrated"}, "failed": {"failed"},
	}
	got := make(map[string][]string)
	for _, typed := range source.typed() {
		if typed.Op == "qemu/release" {
			got[typed.Name] = append(got[typed.Name], typed.Reason)
		}
	}
	if !source.Version().AtLeast(10, 5) {
		for name, reasons := range got {
			for _, reason := range reasons {
				assert.Empty(t, reason, name)
			}
		}
		return
	}
	assert.Contains(t, got["from snapshot"], "from snapshot")
	delete(got, "from snapshot")
	assert.Equal(t, want, got)
	source.requireSameCalls()
	// The reason daemon is TestReconnect's.
}
