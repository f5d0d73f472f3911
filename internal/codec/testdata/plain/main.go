// Command plain does what hook does with libvirtxml alone.
package main

import (
	"io"
	"os"

	"libvirt.org/go/libvirtxml"
)

func main() {
	src, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	var domain libvirtxml.Domain
	if err := domain.Unmarshal(string(src)); err != nil {
		os.Exit(1)
	}
	domain.Title = "changed"
	out, err := domain.Marshal()
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString(out)
}
