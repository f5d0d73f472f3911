package hooktest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/metadata"
	"github.com/virthook/virthook/sdk/state"
)

// Hooks is what a hook program registers, and its tests test.
func Hooks() sdk.Option {
	return sdk.Group(
		sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
			if d.Name != "web" {
				return errors.New(d.Name + " is not ours")
			}
			return nil
		}),
		sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			for i := range d.Devices.Disks {
				if s := d.Devices.Disks[i].Source; s != nil && s.File != nil {
					s.File.File = filepath.Join("/srv/images", filepath.Base(s.File.File))
				}
			}
			return d, nil
		}),
	)
}

// Bridge is a hook that runs commands.
func Bridge() sdk.Option {
	return sdk.On(func(ctx context.Context, e *sdk.QemuStartBegin) error {
		if err := command.Run(ctx, "ip", "link", "show", "br0"); err == nil {
			return nil
		}
		return command.Run(ctx, "ip", "link", "add", "br0", "type", "bridge")
	})
}

// Governor is a hook that writes files, and remembers in its state what was in them.
func Governor(sysfs string) sdk.Option {
	file := filepath.Join(sysfs, "cpu0/scaling_governor")
	return sdk.Group(
		sdk.On(func(ctx context.Context, e *sdk.QemuPrepareBegin) error {
			return governors.Update(ctx, "cpu0", func(entry *state.Entry[string]) error {
				before, err := os.ReadFile(file)
				entry.Value = string(before)
				return errors.Join(err, os.WriteFile(file, []byte("performance"), 0o644))
			})
		}),
		sdk.On(func(ctx context.Context, e *sdk.QemuReleaseEnd) error {
			r, err := governors.Load(ctx, "cpu0")
			if err != nil {
				return err
			}
			return os.WriteFile(file, []byte(r.Value), 0o644)
		}),
	)
}

var governors = state.Store[string]{Name: "governors"}

// A first test.
func Example() {
	_ = func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(), Hooks()).Refused("g1 is not ours")
		hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named("web")), Hooks()).OK()
	}
}

// What a filter changes.
func ExampleResult_Changed() {
	_ = func(t *testing.T) {
		call := hooktest.QemuMigrateBegin(hooktest.WithDisk("vdb", "/var/tmp/b.raw"))
		hooktest.Run(t, call, Hooks()).Changed(
			"/domain/devices/disk[1]/source/@file: /var/lib/libvirt/images/m1.qcow2 -> /srv/images/m1.qcow2",
			"/domain/devices/disk[2]/source/@file: /var/tmp/b.raw -> /srv/images/b.raw",
		)
	}
}

// The whole answer in a file, which go test -update writes.
func ExampleResult_Golden() {
	_ = func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuMigrateBegin(), Hooks()).Golden("testdata/migrate.golden")
	}
}

// Commands that are recorded, and answered.
func ExampleCommands() {
	_ = func(t *testing.T) {
		rec := hooktest.Commands(t)
		rec.On("ip", "link", "show").Fail(1, "Device \"br0\" does not exist.")
		hooktest.Run(t, hooktest.QemuStartBegin(), Bridge()).OK()
		rec.Ran("ip link show br0", "ip link add br0 type bridge")
	}
}

// Files in the place of the system's, and a guest's life: what prepare has saved in
// sdk/state release finds, in a folder of the test's own.
func ExampleDir() {
	_ = func(t *testing.T) {
		sys := hooktest.Dir(t, hooktest.Files{"cpu0/scaling_governor": "powersave"})
		hooktest.Run(t, hooktest.QemuPrepareBegin(), Governor(sys.Path())).OK()
		sys.Changed(`cpu0/scaling_governor: "powersave" -> "performance"`)
		hooktest.Run(t, hooktest.QemuReleaseEnd(sdk.ShutoffReasonCrashed), Governor(sys.Path())).OK()
		sys.Changed() // as it was
	}
}

// What handlers have saved, seen from the test.
func ExampleContext() {
	_ = func(t *testing.T) {
		sys := hooktest.Dir(t, hooktest.Files{"cpu0/scaling_governor": "powersave"})
		hooktest.Run(t, hooktest.QemuPrepareBegin(), Governor(sys.Path())).OK()
		r, err := governors.Load(hooktest.Context(t), "cpu0")
		if err != nil || r.Value != "powersave" {
			t.Errorf("saved %q, %v", r.Value, err)
		}
	}
}

// Metadata that the hook's authors give their guests.
func ExampleWithMetadata() {
	_ = func(t *testing.T) {
		tier := metadata.Name{Prefix: "shop", Space: "http://shop.example.com/", Local: "tier"}
		hooktest.Run(t, hooktest.QemuStartBegin(hooktest.Named("web"), hooktest.WithMetadata(tier, "gold")), Hooks()).OK()
	}
}

// What the examples show is so.
func TestExamples(t *testing.T) {
	hooktest.Run(t, hooktest.QemuPrepareBegin(), Hooks()).Refused("g1 is not ours")
	hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named("web")), Hooks()).OK()
	call := hooktest.QemuMigrateBegin(hooktest.WithDisk("vdb", "/var/tmp/b.raw"))
	hooktest.Run(t, call, Hooks()).Changed(
		"/domain/devices/disk[1]/source/@file: /var/lib/libvirt/images/m1.qcow2 -> /srv/images/m1.qcow2",
		"/domain/devices/disk[2]/source/@file: /var/tmp/b.raw -> /srv/images/b.raw",
	)
	rec := hooktest.Commands(t)
	rec.On("ip", "link", "show").Fail(1, "Device \"br0\" does not exist.")
	hooktest.Run(t, hooktest.QemuStartBegin(), Bridge()).OK()
	rec.Ran("ip link show br0", "ip link add br0 type bridge")

	sys := hooktest.Dir(t, hooktest.Files{"cpu0/scaling_governor": "powersave"})
	hooktest.Run(t, hooktest.QemuPrepareBegin(), Governor(sys.Path())).OK()
	sys.Changed(`cpu0/scaling_governor: "powersave" -> "performance"`)
	r, err := governors.Load(hooktest.Context(t), "cpu0")
	if err != nil || r.Value != "powersave" {
		t.Errorf("saved %q, %v", r.Value, err)
	}
	hooktest.Run(t, hooktest.QemuReleaseEnd(sdk.ShutoffReasonCrashed), Governor(sys.Path())).OK()
	sys.Changed() // as it was
}
