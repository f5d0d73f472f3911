package abi

import "strings"

// uncompared are parts of a domain that no rule looks at: what filters change most.
var uncompared = []string{
	"/domain/title",
	"/domain/description",
	"/domain/metadata",
	"/domain/os/kernel",
	"/domain/os/initrd",
	"/domain/os/cmdline",
	"/domain/devices/emulator",
	"/domain/devices/disk/source",
	"/domain/devices/disk/backingStore",
	"/domain/devices/graphics",
	"/domain/devices/interface/source/@bridge",
	"/domain/devices/interface/source/@network",
	"/domain/devices/interface/source/@dev",
}

// Compares says whether Check may look at what is at a path, which has no indexes. It
// errs on the safe side, and saves building the rules for an edit that none is about.
func Compares(path string) bool {
	for _, u := range uncompared {
		if rest, ok := strings.CutPrefix(path, u); ok && (rest == "" || rest[0] == '/') {
			return false
		}
	}
	return true
}
