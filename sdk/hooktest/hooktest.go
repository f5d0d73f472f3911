// Package hooktest tests hooks without libvirt. A first test:
//
//	func TestStrangersStayOut(t *testing.T) {
//		hooktest.Run(t, hooktest.QemuPrepareBegin(), Hooks()).Refused("g1 is not ours")
//		hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named("web")), Hooks()).OK()
//	}
//
// [Run] calls handlers in the test's own process, many at once if need be; [Exec]
// calls a compiled hook as libvirt does.
//
// # Calls
//
// For each operation there is a function that makes a call of it, with XML that a real
// libvirt sent. Edits are made in libvirt's own bytes. [Named], [WithDisk] and others
// are ready-made, and any function of the document is one:
//
//	hooktest.QemuStartBegin(hooktest.Named("web"), func(d *libvirtxml.Domain) { d.Title = "shop" })
//
// # What the hook answered
//
// A [Result] says it, and most of its methods fail the test when it is another answer
// than theirs. [Result.Changed] holds a filter's changes against lines such as
//
//	/domain/devices/disk[1]/source/@file: /var/lib/a.qcow2 -> /srv/a.qcow2
//
// and [Result.Golden] all of the answer against a file, which go test -update writes.
//
// # What the hook did
//
// A handler that Run calls does not touch the host where it does so through the packages
// of the SDK, with the ctx that it is given:
//
//   - What sdk/state, sdk/lock and sdk/pair keep is in a temporary folder of the test's,
//     without the author's doing anything. All Runs of one test have the same, so that a
//     release finds what a prepare has saved; a subtest has its own. Only a folder that
//     the author gives (Store.Dir, Resource.Dir, lock.In) is that folder, here as there.
//   - What sdk/command would run is recorded and answered once the test has called
//     [Commands]; otherwise it is run.
//   - For files there are [Dir] and [Watch].
//
// A program that Exec calls is a process as any other: it runs its commands, and has its
// state on the host.
package hooktest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/sdk"
)

// Result is how a hook answered.
type Result struct {
	Status int    // the exit status
	Stdout []byte // what libvirt would read
	Stderr string // what libvirt would log, were Status not 0
	Log    string // what the handlers logged, one record a line; of Run only

	t         testing.TB
	call      Call
	exec      bool               // of a process
	signal    syscall.Signal     // that ended the process
	operation *verdict.Operation // as the libvirt of a scenario has it; nil: there is no scenario
}

// Run calls the handlers as [sdk.Main] would, in this process. Their ctx is that of
// [Context].
func Run(t testing.TB, c Call, opts ...sdk.Option) *Result {
	t.Helper()
	return run(Context(t), t, c, opts)
}

func run(ctx context.Context, t testing.TB, c Call, opts []sdk.Option) *Result {
	var stdout, stderr bytes.Buffer
	var log safeBuffer
	args := []string{"/etc/libvirt/hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
	opts = append([]sdk.Option{sdk.Log(slog.NewTextHandler(&log, nil))}, opts...)
	status := sdk.Run(ctx, args, bytes.NewReader(c.XML), &stdout, &stderr, opts...)
	return &Result{Status: status, Stdout: stdout.Bytes(), Stderr: stderr.String(), Log: log.String(), t: t, call: c}
}

// Exec calls a compiled hook as libvirt does: under the name hooks/DRIVER, with
// libvirt's environment and the XML through a pipe. It waits until the hook and
// all that it leaves behind have closed standard output and error. Nothing stands in
// for the system: the hook's commands are run, and its state is the host's.
func Exec(t testing.TB, program string, c Call) *Result {
	t.Helper()
	r, err := execute(t, program, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// execute is Exec for any goroutine of a test's.
func execute(t testing.TB, program string, c Call) (*Result, error) {
	path, cleanup, err := hookexec.Link(program, c.Driver)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	r, err := hookexec.Run(t.Context(), path, hookexec.Call{
		Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.XML,
	})
	if err != nil {
		return nil, err
	}
	return &Result{
		Status: r.Status, Stdout: r.Stdout, Stderr: string(r.Stderr), t: t, call: c, exec: true, signal: r.Signal,
	}, nil
}

// OK fails the test unless the hook succeeded.
func (r *Result) OK() *Result {
	r.t.Helper()
	if r.Status != 0 {
		r.t.Fatalf("%s: exit status %d: %s", r.call, r.Status, r.Stderr)
	}
	return r
}

// Refused fails the test unless the hook exited with 1 and its line of error has
// the text in it.
func (r *Result) Refused(text string) *Result {
	r.t.Helper()
	if r.Status != 1 || !strings.Contains(r.Stderr, text) {
		r.t.Fatalf("%s: exit status %d and %q, want status 1 and %q", r.call, r.Status, r.Stderr, text)
	}
	return r
}

// Unchanged fails the test unless the hook succeeded and left the XML as it is.
func (r *Result) Unchanged() *Result {
	r.t.Helper()
	if r.OK(); len(r.Stdout) > 0 {
		text := string(r.Stdout)
		if lines, err := r.changes(); err == nil && len(lines) > 0 {
			text = strings.Join(lines, "\n")
		}
		r.t.Fatalf("%s: the XML was changed:\n%s", r.call, text)
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
		r.t.Fatalf("%s: decoding the domain: %v", r.call, err)
	}
	return d
}

// Logged fails the test unless a handler logged something with the text in it. Values
// are quoted where need be: tap="my tap".
func (r *Result) Logged(text string) *Result {
	r.t.Helper()
	switch {
	case r.exec:
		r.t.Fatalf("%s: what a program logs goes to the host's log: Logged is of Run only", r.call)
	case !strings.Contains(r.Log, text):
		r.t.Fatalf("%s: %q is not in the log:\n%s", r.call, text, r.Log)
	}
	return r
}

// Changes says what a filter changed in the XML, one line for each change, in the order
// of the document; none when it changed nothing. It fails the test when the hook failed
// or what it printed is not XML.
//
//	/domain/devices/disk[2]/source/@file: /var/lib/b.qcow2 -> /srv/b.qcow2
//	/domain/name: web -> db
//	/domain/@id: removed 3
//	/domain/devices/disk[3]: added <disk type="file"><source file="/srv/c.iso"/></disk>
//
// An index counts elements of one name and is there only where there are several: of
// what was added in the new document, else in the old one. Values are quoted as Go
// quotes them when they do not speak for themselves. What both documents say is no
// change: comments, layout, the order of attributes and of elements with different
// names.
func (r *Result) Changes() []string {
	r.t.Helper()
	r.OK()
	lines, err := r.changes()
	if err != nil {
		r.t.Fatalf("%s: %v", r.call, err)
	}
	return lines
}

func (r *Result) changes() ([]string, error) {
	if len(bytes.TrimSpace(r.Stdout)) == 0 {
		return nil, nil
	}
	before, err := parseXML(r.call.XML)
	if err != nil {
		return nil, fmt.Errorf("reading the XML of the call: %w", err)
	}
	after, err := parseXML(r.Stdout)
	if err != nil {
		return nil, fmt.Errorf("reading the XML that was printed: %w", err)
	}
	return changesOf(before, after), nil
}

// Changed fails the test unless the hook succeeded and these are the [Result.Changes],
// exactly.
func (r *Result) Changed(want ...string) *Result {
	r.t.Helper()
	if text, same := compareLines(want, r.Changes()); !same {
		r.t.Fatalf("%s: other changes than wanted (- wanted, + made):\n%s", r.call, text)
	}
	return r
}

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
