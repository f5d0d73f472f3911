// Command recorder is a hook that stores what libvirt calls it with and changes
// nothing. Package libvirtd puts it in front of the hooks under test.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

func main() {
	start := time.Now()
	sdk.Main(sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
		input, err := c.Input()
		if err != nil {
			return err
		}
		line, err := json.Marshal(namespace.Record{
			Time: start, Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, XML: input,
		})
		if err != nil {
			return err
		}
		// Files are listed by name: the name gives the order.
		name := fmt.Sprintf("%020d-%d", start.UnixNano(), os.Getpid())
		temp := filepath.Join(namespace.Run, name)
		if err := os.WriteFile(temp, line, 0o600); err != nil {
			return err
		}
		return os.Rename(temp, filepath.Join(namespace.Calls, name))
	}))
}
