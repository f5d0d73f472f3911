// Remarshal moves the guest's disks with libvirtxml, without virthook. What
// libvirtxml does not know is lost on the way.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"libvirt.org/go/libvirtxml"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var d libvirtxml.Domain
	if err := d.Unmarshal(string(in)); err != nil {
		return err
	}
	for i := range d.Devices.Disks {
		if s := d.Devices.Disks[i].Source; s != nil && s.File != nil {
			if name, ok := strings.CutPrefix(s.File.File, "/var/lib/libvirt/images/"); ok {
				s.File.File = "/srv/images/" + name
			}
		}
	}
	out, err := d.Marshal()
	if err != nil {
		return err
	}
	_, err = os.Stdout.WriteString(out)
	return err
}
