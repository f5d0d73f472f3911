package sdk

import (
	"bytes"
	"log/slog"
	"strconv"
	"sync"

	"github.com/virthook/virthook/internal/codec"
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
	told    *sync.Once // the log, of what is omitted
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

// Logger returns a logger whose records name the call. They reach the log that
// [Log] chooses, whatever the exit status; libvirt itself drops what a hook says
// when it succeeds.
func (c *Call) Logger() *slog.Logger {
	if c.log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(c.log).With("driver", c.Driver, "object", c.Object, "op", c.Op, "sub_op", c.SubOp)
}
