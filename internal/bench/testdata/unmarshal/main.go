// Unmarshal reads the guest with libvirtxml, without virthook.
package main

import (
	"fmt"
	"io"
	"os"

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
	return d.Unmarshal(string(in))
}
