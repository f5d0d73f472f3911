// Relocate-disks is a hook for hosts that keep disk images elsewhere than the
// host that a guest comes from: when a guest arrives by migration, or is restored
// from a save file, its disks are looked for where the rules say.
//
// The rules are a JSON file:
//
//	{"rules": [{"from": "/var/lib/libvirt/images", "to": "/srv/nvme/images"}]}
//
// Each names a folder of the source and the folder that takes its place here. A
// rule holds for all that is below its folder; where several do, the longest
// wins. Backing files and block devices are moved alike.
//
// Install the program as hooks/qemu, hooks/qemu.d/NAME or, for Xen, hooks/libxl. The
// images themselves must be there already: by shared storage, by
// virsh migrate --copy-storage-all, or copied along with a save file.
package main

import "github.com/virthook/virthook/sdk"

// rulesFile can be set when linking: -ldflags "-X main.rulesFile=/path".
var rulesFile = "/etc/virthook/relocate-disks.json"

func main() {
	sdk.Main(Hooks(rulesFile))
}
