package reach

import (
	"os"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

var _ = sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
	os.Exit(1) // tests may
	return nil
})
