// Package hooktest tests hooks without libvirt. A first test:
//
//	func TestRefusesUnknownGuests(t *testing.T) {
//		call := hooktest.QemuPrepareBegin(func(d *libvirtxml.Domain) { d.Name = "stranger" })
//		hooktest.Run(t, call, Hooks()).Refused("stranger is not ours")
//	}
//
// [Run] calls handlers in the test's own process, many at once if need be; [Exec]
// calls a compiled hook as libvirt does.
package hooktest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/sdk"
)

// Result is how a hook answered.
type Result struct {
	Status int    // the exit status
	Stdout []byte // what libvirt would read
	Stderr string // what libvirt would log, were Status not 0
	Log    string // what the handlers logged, one record a line; of Run only

	t    testing.TB
	call Call
}

// Run calls the handlers as [sdk.Main] would, in this process.
func Run(t testing.TB, c Call, opts ...sdk.Option) *Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	var log safeBuffer
	args := []string{"/etc/libvirt/hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
	opts = append([]sdk.Option{sdk.Log(slog.NewTextHandler(&log, nil))}, opts...)
	status := sdk.Run(context.Background(), args, bytes.NewReader(c.XML), &stdout, &stderr, opts...)
	return &Result{Status: status, Stdout: stdout.Bytes(), Stderr: stderr.String(), Log: log.String(), t: t, call: c}
}

// Exec calls a compiled hook as libvirt does: under the name hooks/DRIVER, with
// libvirt's environment and the XML through a pipe. It waits until the hook and
// all that it leaves behind have closed standard output and error.
func Exec(t testing.TB, program string, c Call) *Result {
	t.Helper()
	path, cleanup, err := hookexec.Link(program, c.Driver)
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	r, err := hookexec.Run(t.Context(), path, hookexec.Call{
		Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.XML,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Result{Status: r.Status, Stdout: r.Stdout, Stderr: string(r.Stderr), t: t, call: c}
}

// OK fails the test unless the hook succeeded.
func (r *Result) OK() *Result {
	r.t.Helper()
	if r.Status != 0 {
		r.t.Fatalf("%s of %q: exit status %d: %s", r.id(), r.call.Object, r.Status, r.Stderr)
	}
	return r
}

// Refused fails the test unless the hook exited with 1 and its line of error has
// the text in it.
func (r *Result) Refused(text string) *Result {
	r.t.Helper()
	if r.Status != 1 || !strings.Contains(r.Stderr, text) {
		r.t.Fatalf("%s of %q: exit status %d and %q, want status 1 and %q", r.id(), r.call.Object, r.Status, r.Stderr, text)
	}
	return r
}

// Unchanged fails the test unless the hook succeeded and left the XML as it is.
func (r *Result) Unchanged() *Result {
	r.t.Helper()
	if r.OK(); len(r.Stdout) > 0 {
		r.t.Fatalf("%s of %q: the XML was changed:\n%s", r.id(), r.call.Object, r.Stdout)
	}
	return r
}

// Domain is the domain that libvirt would go on with: the one that a filter
// returned or, when it changed nothing, the one of the call. It fails the test
// when the hook failed or there is no domain.
func (r *Result) Domain() *libvirtxml.Domain {
	r.t.Helper()
	r.OK()
	xml := r.Stdout
	if len(bytes.TrimSpace(xml)) == 0 {
		xml = r.call.XML
	}
	d := new(libvirtxml.Domain)
	if err := d.Unmarshal(string(xml)); err != nil {
		r.t.Fatalf("%s of %q: decoding the domain: %v", r.id(), r.call.Object, err)
	}
	return d
}

func (r *Result) id() string { return r.call.Driver + "/" + r.call.Op + "/" + r.call.SubOp }

// safeBuffer is a buffer that handlers cut off by a deadline may still write to.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
