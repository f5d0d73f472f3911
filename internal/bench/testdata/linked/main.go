// Linked does nothing either, but links what no typed hook can do without.
package main

import (
	_ "context"
	_ "os"
	_ "os/signal"

	_ "libvirt.org/go/libvirtxml"
)

func main() {}
