package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

var hooks = Hooks("testdata/rules.json")

func TestDisksOfRealGuestsMove(t *testing.T) {
	for name, call := range map[string]hooktest.Call{
		"migrate": hooktest.QemuMigrateBegin(),
		"restore": hooktest.QemuRestoreBegin(),
	} {
		t.Run(name, func(t *testing.T) {
			disk := hooktest.Run(t, call, hooks).Domain().Devices.Disks[0]
			assert.Equal(t, "/srv/nvme/images", filepath.Dir(disk.Source.File.File))
		})
	}
}

func TestEveryKindOfDisk(t *testing.T) {
	file := func(name string) *libvirtxml.DomainDiskSource {
		return &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: name}}
	}
	call := hooktest.LibxlMigrateBegin(func(d *libvirtxml.Domain) {
		d.Devices.Disks = []libvirtxml.DomainDisk{
			{Source: file("/var/lib/libvirt/images/a.qcow2"), BackingStore: &libvirtxml.DomainDiskBackingStore{
				Format:       &libvirtxml.DomainDiskFormat{Type: "qcow2"},
				Source:       file("/var/lib/libvirt/images/cold/base.qcow2"),
				BackingStore: &libvirtxml.DomainDiskBackingStore{},
			}},
			{Source: &libvirtxml.DomainDiskSource{Block: &libvirtxml.DomainDiskSourceBlock{Dev: "/dev/vg0/data"}}},
			{Source: &libvirtxml.DomainDiskSource{Network: &libvirtxml.DomainDiskSourceNetwork{Protocol: "rbd", Name: "pool/c"}}},
			{Device: "cdrom"}, // empty
			{Source: file("/var/lib/libvirt/images-of-others/d.raw")},
		}
		for i := range d.Devices.Disks {
			d.Devices.Disks[i].Target = &libvirtxml.DomainDiskTarget{Dev: "xvd" + string(rune('a'+i))}
		}
	})
	disks := hooktest.Run(t, call, hooks).Domain().Devices.Disks
	require.Len(t, disks, 5)
	assert.Equal(t, "/srv/nvme/images/a.qcow2", disks[0].Source.File.File)
	assert.Equal(t, "/srv/hdd/base.qcow2", disks[0].BackingStore.Source.File.File)
	assert.Equal(t, "/dev/vg1/data", disks[1].Source.Block.Dev)
	assert.Equal(t, "pool/c", disks[2].Source.Network.Name)
	assert.Equal(t, "/var/lib/libvirt/images-of-others/d.raw", disks[4].Source.File.File)
}

func TestNothingToMove(t *testing.T) {
	hooktest.Run(t, hooktest.QemuMigrateBegin(func(d *libvirtxml.Domain) {
		d.Devices.Disks[0].Source.File.File = "/elsewhere/disk.raw"
	}), hooks).Unchanged()
	hooktest.Run(t, hooktest.QemuMigrateBegin(func(d *libvirtxml.Domain) { d.Devices = nil }), hooks).Unchanged()
	hooktest.Run(t, hooktest.QemuPrepareBegin(), hooks).Unchanged()
}

func TestWrongRulesRefuse(t *testing.T) {
	for rules, want := range map[string]string{
		``:                                       "EOF",
		`{"rules": [}`:                           "invalid character",
		`{"rule": []}`:                           `unknown field "rule"`,
		`{"rules": []} {}`:                       "something after the rules",
		`{"rules": [{"from": "images"}]}`:        `rule 1: "images" is not an absolute folder`,
		`{"rules": [{"from": "/a", "to": "/"}]}`: `rule 1: "/" is not an absolute folder`,
		`{"rules": [{"from":"/a","to":"/b"},{"from":"/a/","to":"/c"}]}`: "rule 2: a second rule for /a",
	} {
		t.Run(want, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rules.json")
			require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
			r := hooktest.Run(t, hooktest.QemuMigrateBegin(), Hooks(file)).Refused(want)
			assert.Empty(t, r.Stdout)
		})
	}
	hooktest.Run(t, hooktest.QemuMigrateBegin(), Hooks("testdata/none.json")).Refused("testdata/none.json: no such file")
}

// Two filters in a row: the second gets what the first made.
func TestTwoPools(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"rules": [{"from": "/srv/nvme", "to": "/srv/new"}]}`), 0o600))
	d := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.Group(hooks, Hooks(file))).Domain()
	assert.Equal(t, "/srv/new/images", filepath.Dir(d.Devices.Disks[0].Source.File.File))
}
