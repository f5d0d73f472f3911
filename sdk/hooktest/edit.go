package hooktest

import (
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/lifecycle"
	"github.com/virthook/virthook/sdk/metadata"
)

// Named is an edit that names the guest, and gives it the UUID that goes with the name:
// the same in each call, and another one than that of any other name.
func Named(name string) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		d.Name, d.UUID = name, lifecycle.UUID(name)
	}
}

// WithUUID is an edit that gives the guest a UUID.
func WithUUID(uuid string) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) { d.UUID = uuid }
}

// WithMemory is an edit that gives the guest so many MiB, all of them in use.
func WithMemory(mib uint) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		if d.Memory == nil {
			d.Memory = new(libvirtxml.DomainMemory)
		}
		d.Memory.Value, d.Memory.Unit = mib<<10, "KiB"
		if d.CurrentMemory == nil {
			d.CurrentMemory = new(libvirtxml.DomainCurrentMemory)
		}
		d.CurrentMemory.Value, d.CurrentMemory.Unit = mib<<10, "KiB"
	}
}

// WithDisk is an edit that leads a disk to a file: the one with that target, such as
// vda, or else a new one.
func WithDisk(target, file string) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		source := &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: file}}
		if d.Devices == nil {
			d.Devices = new(libvirtxml.DomainDeviceList)
		}
		for i := range d.Devices.Disks {
			if disk := &d.Devices.Disks[i]; disk.Target != nil && disk.Target.Dev == target {
				if disk.Source != nil && disk.Source.File != nil {
					disk.Source.File.File = file
				} else {
					disk.Source = source
				}
				return
			}
		}
		d.Devices.Disks = append(d.Devices.Disks, libvirtxml.DomainDisk{
			Device: "disk", Source: source, Target: &libvirtxml.DomainDiskTarget{Dev: target},
		})
	}
}

// WithMetadata is an edit that puts an element into <metadata>, as [metadata.Set] does.
// It panics where that fails.
func WithMetadata(name metadata.Name, v any) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		if err := metadata.Set(d, name, v); err != nil {
			panic("hooktest: " + err.Error())
		}
	}
}
