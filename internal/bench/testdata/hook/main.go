// Hook is a virthook hook: one handler that only reads, one filter that leaves the
// guest as it is, one that moves its disks, and none for the other operations.
package main

import (
	"errors"
	"strings"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

func main() {
	sdk.Main(
		sdk.OnQemuPrepareBegin(check),
		sdk.OnQemuRestoreBegin(keep),
		sdk.OnQemuMigrateBegin(relocate),
	)
}

func check(d *libvirtxml.Domain) error {
	if d.Memory == nil || d.Devices == nil {
		return errors.New("no memory or no devices")
	}
	for i := range d.Devices.Disks {
		if s := d.Devices.Disks[i].Source; s != nil && s.File != nil && s.File.File == "" {
			return errors.New("a disk without a file")
		}
	}
	return nil
}

func keep(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { return d, nil }

func relocate(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
	for i := range d.Devices.Disks {
		if s := d.Devices.Disks[i].Source; s != nil && s.File != nil {
			if name, ok := strings.CutPrefix(s.File.File, "/var/lib/libvirt/images/"); ok {
				s.File.File = "/srv/images/" + name
			}
		}
	}
	return d, nil
}
