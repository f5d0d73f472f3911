//go:build integration

package libvirtd_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
	"github.com/virthook/virthook/sdk/metadata"
)

const appMetadata = `<app:app xmlns:app="http://example.com/app"><app:role since="2026">web</app:role></app:app>`

// withAll gives a guest what a filter must not lose: VNC with a password, metadata
// of somebody else's, and arguments for QEMU that libvirt knows nothing of.
func withAll(d *libvirtxml.Domain) {
	d.Metadata = &libvirtxml.DomainMetadata{XML: appMetadata}
	d.Devices.Graphics = []libvirtxml.DomainGraphic{{VNC: &libvirtxml.DomainGraphicVNC{
		AutoPort: "yes", Listen: "127.0.0.1", Passwd: "secret",
	}}}
	d.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{
		Args: []libvirtxml.DomainQEMUCommandlineArg{{Value: "-msg"}, {Value: "timestamp=on"}},
	}
}

// requireAll holds that the guest still has all of it.
func requireAll(t *testing.T, g *libvirtd.Guest) {
	t.Helper()
	d := g.Domain()
	assert.Contains(t, d.Metadata.XML, "since=\"2026\">web</app:role>")
	assert.Equal(t, "secret", d.Devices.Graphics[0].VNC.Passwd)
	require.NotNil(t, d.QEMUCommandline)
	assert.Equal(t, []libvirtxml.DomainQEMUCommandlineArg{{Value: "-msg"}, {Value: "timestamp=on"}}, d.QEMUCommandline.Args)
	assert.Contains(t, g.CommandLine(), "timestamp=on")
}

func requireDisk(t *testing.T, g *libvirtd.Guest, disk string) {
	t.Helper()
	assert.Equal(t, disk, g.Domain().Devices.Disks[0].Source.File.File)
	assert.Contains(t, strings.Join(g.CommandLine(), " "), disk)
}

func marks(t *testing.T, g *libvirtd.Guest) []string {
	t.Helper()
	var m protocol.Marks
	_, err := metadata.Get(g.Domain(), protocol.MarksName, &m)
	require.NoError(t, err)
	return m.By
}

// What a filter of the incoming migration changes is what runs on the destination,
// and all else is as it was.
func TestMigrateFilter(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)
	guest := source.Guest("web", libvirtd.Idle, withAll)
	guest.Start()
	moved := guest.Disk + ".moved"
	destination.Image(moved, libvirtd.Idle)
	destination.rules(
		protocol.Rule{Op: "qemu/migrate", Do: protocol.Disk, Text: moved},
		protocol.Rule{Op: "qemu/migrate", Do: protocol.Listen, Text: "127.0.0.2"},
	)
	_, err := guest.Migrate(destination.Daemon)
	require.NoError(t, err)

	arrived := guest.On(destination.Daemon)
	assert.True(t, arrived.Running())
	requireDisk(t, arrived, moved)
	vnc := arrived.Domain().Devices.Graphics[0].VNC
	assert.Equal(t, "127.0.0.2", vnc.Listen)
	assert.Contains(t, strings.Join(arrived.CommandLine(), " "), "127.0.0.2:")
	requireAll(t, arrived)
	assert.True(t, arrived.Tainted(), "libvirt marks a guest whose XML a hook changed")
	state, _ := guest.State()
	assert.Equal(t, "shut off", state)
}

// A filter that changes nothing is none to libvirt.
func TestFilterWithoutAnEdit(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)
	guest := source.Guest("web", libvirtd.Idle, withAll)
	guest.Start()
	source.mustVirsh("save", "web", "/run/virthook/web.save")
	source.mustVirsh("restore", "/run/virthook/web.save")
	assert.False(t, guest.Tainted())
	_, err := guest.Migrate(destination.Daemon)
	require.NoError(t, err)

	arrived := guest.On(destination.Daemon)
	requireAll(t, arrived)
	assert.False(t, arrived.Tainted())
	assert.NotContains(t, source.Log()+destination.Log(), "hook-script")
}

// The filter of a restore changes what is restored, from a file and from libvirt's
// own store.
func TestRestoreFilter(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		save, restore []string
	}{
		"file":    {[]string{"save", "web", "/run/virthook/web.save"}, []string{"restore", "/run/virthook/web.save"}},
		"managed": {[]string{"managedsave", "web"}, []string{"start", "web"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t)
			guest := h.Guest("web", libvirtd.Idle, withAll)
			guest.Start()
			moved := guest.Disk + ".moved"
			h.Image(moved, libvirtd.Idle)
			h.rules(
				protocol.Rule{Op: "qemu/restore", Do: protocol.Disk, Text: moved},
				protocol.Rule{Op: "qemu/restore", Do: protocol.Mark, Text: "one"},
			)
			h.mustVirsh(how.save...)
			h.mustVirsh(how.restore...)
			requireDisk(t, guest, moved)
			requireAll(t, guest)
			assert.Equal(t, []string{"one"}, marks(t, guest))
			assert.True(t, guest.Tainted())
		})
	}
}

// What no running guest can take is refused by the SDK, with the reason, before
// libvirt gets to see it.
func TestFilterOfTheABI(t *testing.T) {
	t.Parallel()
	source, destination := pair(t)
	guest := source.Guest("web", libvirtd.Idle)
	guest.Start()
	destination.rules(protocol.Rule{Op: "qemu/migrate", Do: protocol.Memory})
	_, err := guest.Migrate(destination.Daemon)
	require.ErrorContains(t, err, "Hook script execution failed")
	assert.ErrorContains(t, err, "memory")
	assert.True(t, guest.Running())
}
