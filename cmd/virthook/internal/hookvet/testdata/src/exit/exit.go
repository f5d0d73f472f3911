package main

import (
	"context"
	"errors"
	"log"
	"os"
	"runtime"
	"syscall"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

func main() {
	if len(os.Args) > 9 {
		os.Exit(3) // main's own
	}
	// As a public hook does: whatever fails later, the status stays 0.
	code := 0
	defer os.Exit(code) // want `the argument of a deferred os.Exit is read now.* \(exit\)`
	code = sdk.Run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr, hooks())
}

func second() {
	defer os.Exit(1) // a constant is what it is
	sdk.Main(hooks())
}

func hooks() sdk.Option {
	logger := log.New(os.Stderr, "", 0)
	return sdk.Group(
		sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
			status := 0
			defer os.Exit(status) // want `os.Exit in reach of the handler of OnQemuPrepareBegin ends the hook before the SDK can answer libvirt; return an error`
			if d.Name == "" {
				log.Fatalf("no name") // want `log.Fatalf in reach of the handler of OnQemuPrepareBegin`
			}
			logger.Fatal("never") // want `\(\*log.Logger\).Fatal in reach`
			return nil
		}),
		sdk.OnAny(func(context.Context, *sdk.Call) error {
			runtime.Goexit() // want `runtime.Goexit in reach of the handler of OnAny`
			syscall.Exit(1)  // want `syscall.Exit in reach`
			sdk.Main()       // want `sdk.Main in reach`
			give := os.Exit  // want `os.Exit in reach`
			give(1)
			log.Print("is fine") // and so is a panic, which the SDK makes a fault
			panic("fault")
		}),
		sdk.OnQemuPrepareBegin(good),
	)
}

func good(d *libvirtxml.Domain) error {
	if d.Name == "" {
		return errors.New("no name")
	}
	return nil
}
