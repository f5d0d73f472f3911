// Command hook is a hook of the SDK; what it handles is chosen when it is linked.
package main

import (
	"context"
	"os"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hookimpl"
)

// These are set by the linker.
var (
	handles = "qemu"
	mark    = "" // the file that marks leaves
)

func main() {
	qemu := sdk.OnQemuStartBegin(func(*libvirtxml.Domain) error { return nil })
	switch handles {
	case "filter", "filter2":
		sdk.Main(sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { return nil, nil }))
	case "attach":
		sdk.Main(qemu, sdk.OnQemuAttachBegin(func(*libvirtxml.Domain) error { return nil }))
	case "network":
		sdk.Main(sdk.OnNetworkUpdatedBegin(func(*libvirtxml.Network) error { return nil }))
	case "both":
		sdk.Main(qemu, sdk.OnNetworkStartBegin(func(*libvirtxml.Network) error { return nil }))
	case "future":
		sdk.Main(qemu, sdk.On(func(context.Context, *future) error { return nil }))
	case "marks":
		_ = os.WriteFile(mark, nil, 0o600)
	case "hang":
		time.Sleep(time.Hour)
	}
	sdk.Main(qemu)
}

// future is an operation of another spec.
type future struct{ *sdk.Call }

func (*future) HookOp() *hookimpl.Op {
	return &hookimpl.Op{Driver: "qemu", Op: "paused", SubOp: "end", Input: hookimpl.Domain}
}

func (*future) HookNew(c *sdk.Call, _ hookimpl.Document) sdk.Event { return &future{c} }
