package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/virthook/virthook/sdk"
)

// record is one line of the file.
type record struct {
	Time   time.Time `json:"time"`
	Driver string    `json:"driver"`
	Object string    `json:"object"`
	UUID   string    `json:"uuid,omitempty"`
	Op     string    `json:"op"`
	SubOp  string    `json:"sub_op"`
	Extra  string    `json:"extra"`
	Error  string    `json:"error,omitempty"` // why the UUID is not known
}

// Hooks writes each call to the file.
func Hooks(file string) sdk.Option {
	return sdk.Group(
		sdk.Timeout(5*time.Second), // somebody may sit on the lock
		sdk.OnError(sdk.Pass),
		sdk.OnFault(sdk.Pass),
		sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
			r := record{Time: time.Now().UTC(), Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra}
			var err error
			if r.UUID, err = uuid(c); err != nil {
				r.Error = err.Error()
			}
			line, err := json.Marshal(r)
			if err != nil {
				return err
			}
			return appendLine(file, append(line, '\n'))
		}),
	)
}

// uuid is that of the guest or network, "" where the call carries no XML.
func uuid(c *sdk.Call) (string, error) {
	input, err := c.Input()
	if err != nil || len(input) == 0 {
		return "", err
	}
	var doc struct {
		UUID    string `xml:"uuid"`         // <domain>
		Network string `xml:"network>uuid"` // <hookData>
	}
	err = xml.Unmarshal(input, &doc)
	return doc.UUID + doc.Network, err
}

// appendLine adds a line whole or not at all, while other hooks add theirs.
func appendLine(file string, line []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("locking %s: %w", file, err)
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if n, err := f.Write(line); err != nil {
		if n > 0 { // the disk is full
			_ = f.Truncate(info.Size())
		}
		return err
	}
	return f.Close()
}
