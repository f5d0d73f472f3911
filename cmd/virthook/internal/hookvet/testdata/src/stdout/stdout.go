package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"log"
	"os"

	"example.com/generated"
	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

func main() {
	log.SetOutput(os.Stdout) // want `what is logged to os.Stdout beside a filter goes to the log, not into the guest's XML; return the document.* \(stdout\)`
	fmt.Println("main may")
	sdk.Main(
		// As a public hook does: a line for people on the output of both filters.
		sdk.OnQemuMigrateBegin(move),
		sdk.OnQemuRestoreBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			fmt.Printf("restoring %s\n", d.Name) // want `what fmt.Printf prints in reach of the filter of OnQemuRestoreBegin`
			return d, nil
		}),
		sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
			fmt.Printf("moving %s", e.Object) // want `what fmt.Printf prints in reach of the filter of On goes to the log`
			e.Replace(nil)
			return nil
		}),
		sdk.On(func(context.Context, *generated.VmmMigrateBegin) error {
			fmt.Print("hi") // want `filter of On goes`
			return nil
		}),
		sdk.OnEach[sdk.Event](func(context.Context, sdk.Event) error {
			fmt.Print("hi") // want `filter of OnEach goes`
			return nil
		}, (*sdk.QemuPrepareBegin)(nil), (*sdk.QemuMigrateBegin)(nil)),
		sdk.OnEach(func(context.Context, *sdk.QemuMigrateBegin) error {
			log.SetOutput(os.Stdout) // want `what is written to os.Stdout in reach of the filter of OnEach`
			return nil
		}),
		sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			fmt.Println("no filter: libvirt reads none of it")
			return nil
		}),
		sdk.OnQemuMigrateBegin(good),
	)
}

func move(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
	fmt.Println("incoming", d.Name) // want `what fmt.Println prints in reach of the filter of OnQemuMigrateBegin`
	d.Title = "moved"
	text, err := d.Marshal()
	if err != nil {
		return nil, err
	}
	if err := encode(text); err != nil {
		return nil, err
	}
	return nil, nil
}

func encode(text string) error {
	if _, err := os.Stdout.WriteString(text); err != nil { // want `what is written to os.Stdout`
		return err
	}
	if _, err := fmt.Fprint(os.Stdout, text); err != nil { // want `what is written to os.Stdout`
		return err
	}
	return xml.NewEncoder(os.Stdout).Encode(text) // want `what is written to os.Stdout`
}

func good(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
	d.Title = fmt.Sprintf("%s moved", d.Name)
	fmt.Fprintln(os.Stderr, "for the log")
	log.Print("for the log")
	return d, nil
}
