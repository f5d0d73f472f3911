package main

import (
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
)

// Hooks are the handlers, with the rules of that file. The file is read at each
// call, so that a change of it needs no reload. A file that cannot be read, or is
// wrong, refuses the guest: it would start on disks that are not there.
func Hooks(rulesFile string) sdk.Option {
	relocate := func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		rules, err := readRules(rulesFile)
		if err != nil {
			return nil, err
		}
		if d.Devices == nil {
			return d, nil
		}
		for i := range d.Devices.Disks {
			disk := &d.Devices.Disks[i]
			rules.relocate(disk.Source)
			for b := disk.BackingStore; b != nil; b = b.BackingStore {
				rules.relocate(b.Source)
			}
		}
		return d, nil
	}
	return sdk.Group(
		sdk.OnQemuMigrateBegin(relocate),
		sdk.OnQemuRestoreBegin(relocate),
		sdk.OnLibxlMigrateBegin(relocate),
	)
}

// relocate moves the source, when a rule is about it.
func (r rules) relocate(s *libvirtxml.DomainDiskSource) {
	switch {
	case s == nil:
	case s.File != nil:
		s.File.File = r.move(s.File.File)
	case s.Block != nil:
		s.Block.Dev = r.move(s.Block.Dev)
	}
}
