package sdk

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/sdk/hookimpl"
)

// Call is one call of a hook as libvirt made it. Names are untrusted input: they
// may hold spaces, quotes, newlines and bytes that are not UTF-8.
type Call struct {
	Driver string // the hook that was called: qemu, lxc, network, …
	Object string // the guest's or network's name; "-" for daemon
	Op     string // the operation: prepare, start, …
	SubOp  string // begin, end or "-"
	Extra  string // the fourth operand: "-" where libvirt has nothing to say

	input   func() ([]byte, error)
	anyABI  bool // a filter may change the guest's ABI
	log     slog.Handler
	changed []byte // by the filter that the call went to; nil when it changed nothing
	omitted []*codec.Report
	known   *known
}

// known is what all handlers of a run share of their call.
type known struct {
	uuid    atomic.Pointer[string] // of the object, when somebody has decoded it
	omitted sync.Once              // told to the log
}

// Info returns c; it makes every event say what call it is.
func (c *Call) Info() *Call { return c }

// ID names the operation: "qemu/migrate/begin".
func (c *Call) ID() string { return c.Driver + "/" + c.Op + "/" + c.SubOp }

// String names the operation and the object, quoted: `qemu/start/begin of "web"`.
func (c *Call) String() string { return c.ID() + " of " + strconv.Quote(c.Object) }

// Input returns the XML as it came in or, after filters that changed it, as they
// left it. It is read from libvirt at the first use; the result is the caller's
// own. Where libvirt passes nothing it is empty.
func (c *Call) Input() ([]byte, error) {
	raw, err := c.raw()
	return bytes.Clone(raw), err
}

func (c *Call) raw() ([]byte, error) {
	if c.input == nil {
		return nil, nil
	}
	return c.input()
}

// Logger returns a logger whose records name the call: they have its driver, object,
// op and sub_op, the uuid where the input was decoded, and the reason of a release.
// They reach the log that [Log] chooses, whatever the exit status; libvirt itself drops
// what a hook says when it succeeds.
func (c *Call) Logger() *slog.Logger {
	if c.log == nil {
		return slog.New(slog.DiscardHandler)
	}
	as := []slog.Attr{slog.String("driver", c.Driver), slog.String("object", c.Object), slog.String("op", c.Op), slog.String("sub_op", c.SubOp)}
	if c.known != nil {
		if uuid := c.known.uuid.Load(); uuid != nil {
			as = append(as, slog.String("uuid", *uuid))
		}
	}
	if reason := hookimpl.Word(c.Extra); reason != "" && c.Op == "release" {
		as = append(as, slog.String("reason", reason))
	}
	return slog.New(c.log.WithAttrs(as))
}
