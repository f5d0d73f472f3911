// Command teller is a hook that refuses everything and says what it was given.
package main

import (
	"context"
	"fmt"

	"github.com/virthook/virthook/sdk"
)

func main() {
	sdk.Main(sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
		d := e.Guest()
		disks, interfaces := 0, 0
		if d.Devices != nil {
			disks, interfaces = len(d.Devices.Disks), len(d.Devices.Interfaces)
		}
		return fmt.Errorf("%s: %s %q, %d disks, %d interfaces", e.Info().ID(), d.Type, d.Name, disks, interfaces)
	}))
}
