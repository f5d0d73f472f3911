package hooktest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/metadata"
	"github.com/virthook/virthook/sdk/state"
)

// changed is what the edits made of libvirt's XML.
func changed(t *testing.T, edits ...func(*libvirtxml.Domain)) []string {
	return hooktest.ChangesOf(t, hooktest.QemuMigrateBegin().XML, hooktest.QemuMigrateBegin(edits...).XML)
}

func TestReadyMadeEdits(t *testing.T) {
	assert.Equal(t, []string{"/domain/uuid: 11111111-2222-3333-4444-555555555555 -> 69e9bc72-72fa-4cd1-b01b-d788b3f80781"},
		changed(t, hooktest.WithUUID("69e9bc72-72fa-4cd1-b01b-d788b3f80781")))
	assert.Equal(t, []string{"/domain/memory: 32768 -> 2097152", "/domain/currentMemory: 32768 -> 2097152"}, changed(t, hooktest.WithMemory(2048)))
	assert.Equal(t, []string{"/domain/devices/disk/source/@file: /var/lib/libvirt/images/m1.qcow2 -> /srv/a.qcow2"}, changed(t, hooktest.WithDisk("hda", "/srv/a.qcow2")))
	assert.Equal(t, []string{`/domain/devices/disk[2]: added <disk type="file" device="disk"><source file="/srv/b.qcow2"/><target dev="vdb"/></disk>`},
		changed(t, hooktest.WithDisk("vdb", "/srv/b.qcow2")))

	app := metadata.Name{Prefix: "app", Space: "urn:app", Local: "role"}
	assert.Equal(t, []string{`/domain/metadata/app:role: added <app:role xmlns:app="urn:app">db</app:role>`}, changed(t, hooktest.WithMetadata(app, "db")))
	assert.PanicsWithValue(t, "hooktest: metadata: <role>: no namespace given, without which libvirt drops it",
		func() { hooktest.QemuStartBegin(hooktest.WithMetadata(metadata.Name{Local: "role"}, "db")) })

	// Where the disk has no file, and where there is nothing.
	d := hooktest.Run(t, hooktest.LibxlStartBegin(hooktest.WithDisk("xvda", "/srv/c.img"))).Domain()
	require.NotNil(t, d.Devices.Disks[0].Source.File)
	assert.Equal(t, "/srv/c.img", d.Devices.Disks[0].Source.File.File)
	var empty libvirtxml.Domain
	hooktest.WithDisk("vda", "/x")(&empty)
	hooktest.WithMemory(1)(&empty)
	assert.Equal(t, "vda", empty.Devices.Disks[0].Target.Dev)
	assert.EqualValues(t, 1024, empty.Memory.Value)
}

// Guests of different names are different guests, and one name is one guest.
func TestNamed(t *testing.T) {
	key := func(c hooktest.Call) string {
		key, err := state.Guest(hooktest.Run(t, c).Domain())
		require.NoError(t, err)
		return key
	}
	web := hooktest.QemuPrepareBegin(hooktest.Named("web"))
	assert.Equal(t, "web", web.Object)
	assert.Equal(t, key(web), key(hooktest.QemuReleaseEnd("", hooktest.Named("web"))))
	assert.NotEqual(t, key(web), key(hooktest.QemuPrepareBegin(hooktest.Named("db"))))
	assert.Regexp(t, `^uuid-[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, key(web))
	assert.Equal(t, "a \"b\"\n<c>", hooktest.Run(t, hooktest.LxcStartBegin(hooktest.Named("a \"b\"\n<c>"))).Domain().Name)
}
