//go:build integration

package libvirtd_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// The handler's words reach the user in libvirt's own error.
const noWay = "no way, says the handler"

func assertRefused(t *testing.T, err error) {
	t.Helper()
	var refusal *libvirtd.VirshError
	if assert.ErrorAs(t, err, &refusal) {
		assert.Contains(t, refusal.Message, "Hook script execution failed")
		assert.Contains(t, refusal.Message, "unexpected exit status 1: "+noWay)
	}
}

// A start is refused at each of its steps, and what was done for it is undone.
func TestStartRefused(t *testing.T) {
	t.Parallel()
	h := system(t)
	net := h.Network("lan")
	net.Start()
	guest := h.Guest("web", libvirtd.Idle, libvirtd.NIC("lan"))
	box := h.Container("box", []string{"/bin/sleep", "1000"})
	failed := h.release("failed")

	for _, c := range []struct {
		op    string
		start func() (string, error)
		ops   func() []string
		want  []string // called of the guest, the refusing one among them
	}{
		{"qemu/prepare", guest.TryStart, h.guestOps("web"), []string{"prepare", "stopped", failed}},
		{"network/port-created", guest.TryStart, h.guestOps("web"), []string{"prepare", "stopped", failed}},
		{"qemu/start", guest.TryStart, h.guestOps("web"), []string{"prepare", "start", "stopped", failed}},
		{"qemu/started", guest.TryStart, h.guestOps("web"), []string{"prepare", "start", "started", "stopped", failed}},
		{"lxc/prepare", box.TryStart, h.boxOps("box"), []string{"prepare", "stopped", failed}},
		{"lxc/start", box.TryStart, h.boxOps("box"), []string{"prepare", "start", "stopped", failed}},
		{"lxc/started", box.TryStart, h.boxOps("box"), []string{"prepare", "start", "started", "stopped", failed}},
	} {
		h.ForgetCalls()
		h.rules(protocol.Rule{Op: c.op, Do: protocol.Fail, Text: noWay})
		_, err := c.start()
		assertRefused(t, err)
		assert.Equal(t, c.want, c.ops(), c.op)
		assert.False(t, guest.Running(), c.op)
		assert.False(t, box.Running(), c.op)
	}

	h.rules()
	guest.Start()
	box.Start()
	assert.True(t, guest.Running() && box.Running())
}

func (h host) guestOps(name string) func() []string {
	return func() []string { return h.ops("qemu", name) }
}
func (h host) boxOps(name string) func() []string {
	return func() []string { return h.containerOps(name) }
}

// A panic and an expired deadline refuse a start like an error, with what happened.
func TestStartFaults(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	for do, said := range map[string]string{protocol.Panic: "a bug", protocol.Hang: "deadline"} {
		h.rules(protocol.Rule{Op: "qemu/prepare", Do: do, Text: "a bug"})
		_, err := guest.TryStart()
		require.ErrorContains(t, err, "unexpected exit status 1", do)
		assert.ErrorContains(t, err, said)
		assert.False(t, guest.Running())
	}
}

// A network's start is refused. What was made for it is undone by later libvirts,
// with a call of stopped. 9.0.0 calls nothing more and, when started refuses, leaves
// the bridge behind, so that the network cannot be started again.
func TestNetworkRefused(t *testing.T) {
	t.Parallel()
	h := system(t)
	undone := h.Version().AtLeast(11, 3)
	for _, c := range []struct {
		op     string
		want   []string
		bridge bool // left behind
	}{
		{"start", []string{"start"}, false},
		{"started", []string{"start", "started"}, !undone},
	} {
		if undone {
			c.want = append(c.want, "stopped")
		}
		net := h.Network("net" + c.op)
		h.rules(protocol.Rule{Op: "network/" + c.op, Do: protocol.Fail, Text: noWay})
		_, err := net.TryStart()
		assertRefused(t, err)
		assert.False(t, net.Active(), c.op)
		assert.Equal(t, c.want, h.ops("network", net.Name))
		assert.Equal(t, c.bridge, h.Command(t.Context(), "ip", "link", "show", "vhnet"+c.op).Run() == nil, c.op)

		h.rules()
		_, err = net.TryStart()
		if c.bridge {
			require.ErrorContains(t, err, "already in use by interface", c.op)
			continue
		}
		require.NoError(t, err)
		assert.True(t, net.Active())
		net.Destroy()
	}
}

// Where libvirt ignores a failure the errand is done, and the log tells.
func TestFailureIgnored(t *testing.T) {
	t.Parallel()
	h := system(t)
	net := h.Network("lan")
	net.Start()
	guest := h.Guest("web", libvirtd.Idle, libvirtd.NIC("lan"))
	box := h.Container("box", []string{"/bin/sleep", "1000"})
	var rules []protocol.Rule
	for _, op := range []string{
		"qemu/stopped", "qemu/release", "lxc/stopped", "lxc/release", "network/port-deleted", "network/stopped",
		"daemon/start", "daemon/shutdown", "daemon/reload",
	} {
		rules = append(rules, protocol.Rule{Op: op, Do: protocol.Fail, Text: "ignore me at " + op})
	}
	guest.Start()
	box.Start()
	h.rules(rules...)
	guest.Destroy()
	box.Destroy()
	net.Destroy()
	h.Restart()
	h.Reload()
	for _, r := range rules {
		h.WaitFor("the log of "+r.Op, func() bool { return strings.Contains(h.Log(), r.Text) })
	}
	assert.False(t, guest.Running() || box.Running() || net.Active())
	assert.Equal(t, []string{"prepare", "start", "started", "stopped", h.release("destroyed")}, h.ops("qemu", "web"))
}

// An update of a running network stands whatever the hook says. What the user is
// told depends on whether the stored configuration was asked for too.
func TestNetworkUpdateFailed(t *testing.T) {
	t.Parallel()
	h := system(t)
	h.Network("lan").Start()
	h.rules(protocol.Rule{Op: "network/updated", Do: protocol.Fail, Text: noWay})

	update := func(mac, ip, scope string) error {
		_, err := h.Virsh("net-update", "lan", "add", "ip-dhcp-host", "<host mac='"+mac+"' ip='"+ip+"'/>", scope)
		return err
	}
	require.NoError(t, update("52:54:00:00:00:01", "127.99.0.11", "--live"))
	assert.Contains(t, h.mustVirsh("net-dumpxml", "lan"), "127.99.0.11")

	err := update("52:54:00:00:00:02", "127.99.0.12", "--config")
	assert.Contains(t, h.mustVirsh("net-dumpxml", "lan", "--inactive"), "127.99.0.12", "saved all the same")
	assertRefused(t, err)
	assert.Len(t, h.CallsOf("network", "updated"), 2)
}

func TestMigrateRefused(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)
	guest := source.Guest("web", libvirtd.Idle)
	guest.Start()
	for do, said := range map[string]string{protocol.Fail: noWay, protocol.Panic: noWay, protocol.Hang: "deadline"} {
		destination.ForgetCalls()
		destination.rules(protocol.Rule{Op: "qemu/migrate", Do: do, Text: noWay})
		_, err := guest.Migrate(destination.Daemon)
		require.ErrorContains(t, err, "Hook script execution failed", do)
		assert.ErrorContains(t, err, said)
		assert.True(t, guest.Running(), "it runs on where it was")
		_, err = destination.Virsh("domstate", "web")
		assert.ErrorContains(t, err, "failed to get domain")
		assert.Equal(t, []string{"migrate"}, destination.ops("qemu", "web"), do)
	}
	assert.Equal(t, []string{"prepare", "start", "started"}, source.ops("qemu", "web"))
}

// A refused restore keeps the file. Of a managed save that is libvirt's business:
// between 9.0 and 12.8 there were versions that deleted it and reported success.
func TestRestoreRefused(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	const file = "/run/virthook/web.save"
	h.mustVirsh("save", "web", file)
	h.rules(protocol.Rule{Op: "qemu/restore", Do: protocol.Fail, Text: noWay})
	_, err := h.Virsh("restore", file)
	assertRefused(t, err)
	assert.True(t, h.Exists(file))
	assert.False(t, guest.Running())
	h.rules()
	h.mustVirsh("restore", file)

	h.mustVirsh("managedsave", "web")
	h.rules(protocol.Rule{Op: "qemu/restore", Do: protocol.Fail, Text: noWay})
	_, err = guest.TryStart()
	if v := h.Version(); v.AtLeast(11, 3) && !v.AtLeast(12, 8) {
		require.NoError(t, err, "libvirt reports success")
		assert.False(t, guest.Running())
		assert.Contains(t, h.mustVirsh("dominfo", "web"), "Managed save:   no", "the memory of the guest is lost")
		return
	}
	assertRefused(t, err)
	assert.False(t, guest.Running())
	assert.Contains(t, h.mustVirsh("dominfo", "web"), "Managed save:   yes")
	h.rules()
	guest.Start()
	assert.True(t, guest.Running())
}

// An error in reconnect kills what runs. That is why a fault must not be one.
func TestReconnect(t *testing.T) {
	t.Parallel()
	h := system(t)
	for _, driver := range []struct {
		name   string
		guest  *libvirtd.Guest
		ops    func() []string
		reason string
	}{
		{"qemu", h.Guest("web", libvirtd.Idle), h.guestOps("web"), "daemon"},
		{"lxc", h.Container("box", []string{"/bin/sleep", "1000"}), h.boxOps("box"), "failed"},
	} {
		op := driver.name + "/reconnect"
		driver.guest.Start()
		reconnect := func() {
			h.Restart()
			h.WaitFor("the reconnect", func() bool { return len(h.CallsOf(driver.name, "reconnect")) == 1 })
		}
		for _, do := range []string{protocol.Panic, protocol.Hang} {
			h.rules(protocol.Rule{Op: op, Do: do, Text: "a bug"})
			h.ForgetCalls()
			reconnect()
			// A call of the driver waits until it has done with the guest.
			assert.True(t, driver.guest.Running(), "%s: %s", op, do)
			assert.Equal(t, []string{"reconnect"}, driver.ops(), do)
		}

		// What no handler can be given: half of the XML.
		h.WriteHook(driver.name+".d/50-hook", "#!/bin/sh\nhead -c 100 | exec /run/virthook/"+driver.name+" \"$@\"\n")
		h.install("/run/virthook/"+driver.name, testhook)
		h.rules()
		h.ForgetCalls()
		reconnect()
		assert.True(t, driver.guest.Running(), "%s: undecodable", op)
		h.Install(driver.name+".d/50-hook", testhook)

		h.rules(protocol.Rule{Op: op, Do: protocol.Fail, Text: noWay})
		h.ForgetCalls()
		reconnect()
		driver.guest.WaitOff()
		assert.Contains(t, h.Log(), noWay)
		h.WaitFor("the release", func() bool { return len(h.CallsOf(driver.name, "release")) > 0 })
		assert.Equal(t, []string{"reconnect", "stopped", h.release(driver.reason)}, driver.ops(), "%s: an error kills", op)
	}
}
