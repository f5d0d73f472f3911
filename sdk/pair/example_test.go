package pair_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/pair"
)

var discard = slog.DiscardHandler

// Governor sets the CPUs' governor while a guest of the class gpu-* runs; file is
// /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor or the like.
func Governor(file, dir string) sdk.Option {
	return pair.Shared("governor", pair.Resource[string]{
		When: sdk.Name("gpu-*"),
		Acquire: func(ctx context.Context, _ *libvirtxml.Domain) (before string, err error) {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			before = string(text)
			if err := pair.Progress(ctx, before); err != nil { // known from here on, whatever comes
				return "", err
			}
			return before, os.WriteFile(file, []byte("performance"), 0o600)
		},
		Release: func(ctx context.Context, _ *libvirtxml.Domain, before string) error {
			if before == "" {
				return nil // Acquire did not get as far as changing it
			}
			return os.WriteFile(file, []byte(before), 0o600)
		},
		Dir: dir, // empty in a hook, a folder of its own in a test
	})
}

// In a hook: func main() { sdk.Main(Governor("/sys/…/scaling_governor", "")) }
func Example() {
	top, err := os.MkdirTemp("", "pair")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(top)
	file := filepath.Join(top, "scaling_governor")
	if err := os.WriteFile(file, []byte("powersave"), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	hook := Governor(file, filepath.Join(top, "state"))
	fire := func(c hooktest.Call) {
		args := []string{c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
		status := sdk.Run(context.Background(), args, bytes.NewReader(c.XML), os.Stdout, os.Stdout, hook)
		now, err := os.ReadFile(file)
		fmt.Println(c.Op, c.Object, status, string(now), err)
	}
	for _, name := range []string{"gpu-1", "gpu-2", "web"} {
		fire(hooktest.QemuPrepareBegin(guest(name, 1)))
	}
	for _, name := range []string{"web", "gpu-1", "gpu-2", "gpu-2"} {
		fire(hooktest.QemuReleaseEnd(sdk.ShutoffReasonShutdown, guest(name, 0)))
	}
	// Output:
	// prepare gpu-1 0 performance <nil>
	// prepare gpu-2 0 performance <nil>
	// prepare web 0 performance <nil>
	// release web 0 performance <nil>
	// release gpu-1 0 performance <nil>
	// release gpu-2 0 powersave <nil>
	// release gpu-2 0 powersave <nil>
}
