// Audit is a hook that writes down every call that libvirt makes, of every driver:
// one line of JSON each, in the order in which they were made on this host. It
// also records operations that are newer than itself.
//
// Install it as the hook of each driver, alone or as hooks/DRIVER.d/00-audit. It
// never stops a guest: what it cannot write down goes to the system's log.
package main

import "github.com/virthook/virthook/sdk"

// auditFile can be set when linking: -ldflags "-X main.auditFile=/path".
var auditFile = "/var/log/libvirt/hooks.jsonl"

func main() {
	sdk.Main(Hooks(auditFile))
}
