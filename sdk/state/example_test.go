package state_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/state"
)

// Device is what prepare leaves for release to know.
type Device struct{ Address, Driver string }

// What one process saves at prepare, another reads at release.
func Example() {
	top, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(top)
	devices := state.Store[Device]{Name: "gpu", Dir: filepath.Join(top, "state")} // a hook leaves Dir out

	domain := &libvirtxml.Domain{Name: "web", UUID: "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"}
	key, err := state.Guest(domain)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = devices.Update(context.Background(), key, func(e *state.Entry[Device]) error {
		e.Value = Device{Address: "0000:01:00.0", Driver: "nvidia"}
		return nil
	})
	fmt.Println(err)

	r, err := devices.Load(context.Background(), key)
	fmt.Println(r.Value.Driver, r.Stale, err)

	e, err := devices.Open(context.Background(), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	fmt.Println(e.Delete())
	_, err = devices.Load(context.Background(), key)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// <nil>
	// nvidia false <nil>
	// <nil>
	// true
}

// Two guests need a bridge: the first one that comes makes it.
func ExampleUsers() {
	type bridge struct{ Users state.Users }
	var b bridge // as a rule the Value of an Entry
	fmt.Println(b.Users.Add("guest 1"), b.Users.Add("guest 1"), b.Users.Add("guest 2"))
	fmt.Println(b.Users.Remove("guest 1"), b.Users.Remove("guest 1"), b.Users.Remove("guest 2"))
	// Output:
	// true false false
	// false false true
}
