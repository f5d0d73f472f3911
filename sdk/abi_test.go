package sdk_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

// What libvirt would refuse comes from the hook, with the path, where libvirt makes the check.
func TestCheckABI(t *testing.T) {
	double := func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		d.Memory.Value *= 2
		d.CurrentMemory.Value *= 2
		return d, nil
	}
	const want = "libvirt would refuse it: /domain/memory: Target domain max memory 65536 does not match source 32768"
	r := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(double)).Refused(want)
	assert.Empty(t, r.Stdout)
	hooktest.Run(t, hooktest.QemuRestoreBegin(), sdk.OnQemuRestoreBegin(double)).Refused("libvirt would refuse it: /domain/memory: Target domain max memory")
	hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
		in, err := e.Input()
		e.Replace(bytes.ReplaceAll(in, []byte("32768"), []byte("65536")))
		return err
	})).Refused(want)

	t.Run("of current memory, at restore alone", func(t *testing.T) {
		balloon := func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.CurrentMemory.Value /= 2; return d, nil }
		hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(balloon)).Domain()
		hooktest.Run(t, hooktest.QemuRestoreBegin(), sdk.OnQemuRestoreBegin(balloon)).Refused("/domain/currentMemory: Target domain current memory")
	})
	t.Run("switched off", func(t *testing.T) {
		d := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.CheckABI(false), sdk.Group(sdk.OnQemuMigrateBegin(double))).Domain()
		assert.EqualValues(t, 65536, d.Memory.Value)
		hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.CheckABI(false), sdk.Group(sdk.CheckABI(true), sdk.OnQemuMigrateBegin(double))).Refused(want)
	})
	t.Run("libvirt has none for libxl", func(t *testing.T) {
		hooktest.Run(t, hooktest.LibxlMigrateBegin(), sdk.OnLibxlMigrateBegin(double)).Domain()
	})
	t.Run("what is free", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			d.Title, d.Devices.Disks[0].Source.File.File = "t", "/elsewhere"
			return d, nil
		})).Domain()
	})
}
