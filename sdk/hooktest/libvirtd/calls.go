package libvirtd

import (
	"encoding/json"
	"os"
	"slices"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// Call is one call of a hook by libvirtd. It can be made again without libvirt, by
// [hooktest.Run] and [hooktest.Exec].
type Call struct {
	hooktest.Call
	Time time.Time
}

// Domain is the domain that the call carried. It fails no test, but panics when
// there was none.
func (c Call) Domain() *libvirtxml.Domain {
	d := new(libvirtxml.Domain)
	if err := d.Unmarshal(string(c.XML)); err != nil {
		panic("libvirtd: the call of " + c.Driver + " " + c.Op + " carries no domain: " + err.Error())
	}
	return d
}

// String is the operation and its object, such as "qemu/start/begin web -".
func (c Call) String() string {
	return c.Driver + "/" + c.Op + "/" + c.SubOp + " " + c.Object + " " + c.Extra
}

// Calls are the calls so far, in the order that libvirt made them. They are
// recorded by a hook in front of those under test: the XML is as libvirt wrote it.
func (d *Daemon) Calls() []Call {
	d.t.Helper()
	folder := d.helper.path(namespace.Calls)
	entries, err := os.ReadDir(folder) // sorted by name, which begins with the time
	if err != nil {
		d.t.Fatal(err)
	}
	calls := make([]Call, len(entries))
	for i, e := range entries {
		line, err := os.ReadFile(folder + "/" + e.Name())
		var r namespace.Record
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		calls[i] = Call{Time: r.Time, Call: hooktest.Call{Driver: r.Driver, Object: r.Object, Op: r.Op, SubOp: r.SubOp, Extra: r.Extra, XML: r.XML}}
	}
	return calls
}

// CallsOf are the [Daemon.Calls] of one operation, such as "qemu", "start".
func (d *Daemon) CallsOf(driver, op string) []Call {
	d.t.Helper()
	return slices.DeleteFunc(d.Calls(), func(c Call) bool { return c.Driver != driver || c.Op != op })
}

// ForgetCalls empties the record.
func (d *Daemon) ForgetCalls() {
	d.t.Helper()
	folder := d.helper.path(namespace.Calls)
	entries, err := os.ReadDir(folder)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.Remove(folder + "/" + e.Name()); err != nil {
			d.t.Fatal(err)
		}
	}
}
