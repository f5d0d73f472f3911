package main

import (
	"os"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

func main() {
	sdk.Main(sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
		os.Exit(1) //virthook:ignore exit the last handler, tested

		//virthook:ignore exit the last handler, tested
		os.Exit(2)

		os.Exit(3) //virthook:ignore shell not that one // want `this silences nothing: there is no finding of shell here \(ignore\)`

		//virthook:ignore exit // want `no reason given: write //virthook:ignore exit reason \(ignore\)`
		os.Exit(4)

		//virthook:ignore // want `no check named: write //virthook:ignore NAME reason \(ignore\)`
		//virthook:ignore exits because // want `there is no check "exits", only libvirtclient, exit, .* \(ignore\)`

		os.Exit(5) //virthook:ignore exit on its own line only
		os.Exit(6)
		//virthook:ignore exit too far // want `this silences nothing`

		os.Exit(7)
		return nil //virthook:ignored is another word
	}))
}
