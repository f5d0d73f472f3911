package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/abi"
	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/sdk/hookimpl"
	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/oneline"
)

// Exit statuses of a hook.
const (
	exitOK     = 0
	exitFailed = 1 // a handler or the input refuses
	exitUsage  = 2 // libvirt cannot have sent this
)

// Run is [Main] without the process: args[0] is the path that the program was
// called by, the four operands follow, and the result is the exit status. What
// libvirt would read is written to stdout, the one line of a failure to stderr; with
// the status 0 a line there for each error that a policy lets pass.
//
// Run touches no process state, so that tests can run many at once: what
// handlers print goes where it always goes. Handlers that a deadline cut off may
// still be running when it returns.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, opts ...Option) int {
	p := newProgram(opts)
	call, status, done := p.call(args, stdout, stderr)
	if done {
		return status
	}
	ctx, cancel := withTimeout(ctx, p.timeout)
	defer cancel()
	return p.run(ctx, call, &input{r: stdin}, stdout, stderr)
}

func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, &deadlineError{d})
}

// run calls the handlers that take the call and answers libvirt.
func (p *program) run(ctx context.Context, call *Call, in *input, stdout, stderr io.Writer) int {
	r := &run{call: call, op: p.op(call), document: in.read, known: new(known), overdue: p.overdue}
	r.group(ctx, p.root, settings{})

	if len(r.errs) > 0 { // one line: libvirt puts all of standard error into its message
		fmt.Fprintln(stderr, oneline.Escape(errorText(r.errs)))
		return exitFailed
	}
	if r.changed != nil {
		if len(r.changed) > firstRead {
			widen(stdout)
		}
		if _, err := stdout.Write(r.changed); err != nil {
			fmt.Fprintln(stderr, oneline.Escape("writing the changed XML: "+err.Error()))
			return exitFailed
		}
	}
	for _, err := range r.passed { // libvirt drops these; who calls the hook by hand sees them
		fmt.Fprintln(stderr, oneline.Escape("passed: "+err.Error()))
	}
	return exitOK
}

// run is one call on its way through the handlers.
type run struct {
	call     *Call
	op       *hookimpl.Op // nil: not of this SDK's spec
	document func() ([]byte, error)
	changed  []byte // the document as filters changed it, nil when none did
	known    *known
	errs     []error
	passed   []error // what a policy lets pass
	overdue  func()  // is called when the time of a handler is over; nil: nothing is to be done
	late     int     // how many handlers did not return in time
}

// group runs the handlers of g in order; stop means that the run has failed and
// no other handler is to run.
func (r *run) group(ctx context.Context, g *group, outer settings) (stop bool) {
	s := g.settings.within(outer)
	if t := g.settings.timeout; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = withTimeout(ctx, t)
		defer cancel()
	}
	if g.match != nil {
		began := time.Now()
		matched, err := r.match(ctx, g.match, s)
		if err != nil {
			return r.fail(s, err, time.Since(began))
		}
		if !matched {
			return false
		}
	}
	for _, n := range g.inOrder(r.call) {
		if !n.handles(r.call) {
			continue
		}
		late := r.late
		switch n := n.(type) {
		case *group:
			stop = r.group(ctx, n, s)
		case *handler:
			stop = r.handler(ctx, n, s)
		}
		// One that was not in time cuts off those after it. After one that just was,
		// the next finds no time left, and says so.
		if stop || ctx.Err() != nil && r.late > late {
			return stop
		}
	}
	return false
}

func (r *run) match(ctx context.Context, m Matcher, s settings) (bool, error) {
	c := r.newCall(s)
	matched := make(chan bool, 1)
	err := guard(ctx, r.overdue, grace, func(context.Context) error {
		ok, err := m(c)
		matched <- ok
		return err
	})
	if err != nil {
		var f *Fault
		if !errors.As(err, &f) {
			err = &Fault{Kind: FaultInput, Err: fmt.Errorf("matching the call: %w", err)}
		}
		return false, err
	}
	return <-matched, nil
}

func (r *run) handler(ctx context.Context, h *handler, s settings) (stop bool) {
	c := r.newCall(s)
	next := h.decoded(h.event(c))
	for i := len(s.wraps) - 1; i >= 0; i-- {
		next = s.wraps[i](next)
	}
	ctx = callctx.With(ctx, c.Logger)
	began := time.Now()
	if err := guard(ctx, r.overdue, grace, func(ctx context.Context) error { return next(ctx, c) }); err != nil {
		return r.fail(s, err, time.Since(began))
	}
	if s.logCalls != nil && *s.logCalls {
		c.Logger().Info("done", "duration", time.Since(began), "changed", c.changed != nil)
	}
	if c.changed != nil {
		r.changed = c.changed
		r.document = func() ([]byte, error) { return c.changed, nil }
	}
	return false
}

// decoded is the innermost Handler: it decodes what the handler takes, for it
// alone, and calls it.
func (h *handler) decoded(e Event) Handler {
	if h.runAny != nil {
		return h.runAny
	}
	op := e.HookOp()
	return func(ctx context.Context, c *Call) error {
		doc, err := c.decode(op)
		if err != nil {
			return &Fault{Kind: FaultInput, Err: err}
		}
		e := e.HookNew(c, doc)
		if err := h.run(ctx, e); err != nil {
			return err
		}
		if !op.Filter {
			return nil
		}
		edit, err := edited(e)
		if err != nil || edit.XML == nil {
			return err
		}
		if op.ABICheck != hookimpl.NoABICheck && !c.anyABI {
			if err := checkABI(op, edit); err != nil {
				return err
			}
		}
		c.changed = edit.XML
		return nil
	}
}

func (r *run) newCall(s settings) *Call {
	c := *r.call
	c.input, c.log, c.known = r.document, s.log, r.known
	c.anyABI = s.abi != nil && !*s.abi
	return &c
}

// fail records err or, where the policy for it says Pass, goes on. Either way the log
// is told.
func (r *run) fail(s settings, err error, took time.Duration) (stop bool) {
	policy := Fail
	var f *Fault
	isFault := errors.As(err, &f)
	if isFault && f.Kind == FaultDeadline {
		r.late++
	}
	switch {
	case isFault && s.onFault != nil:
		policy = *s.onFault
	case isFault && (r.op == nil || r.op.FaultPasses):
		policy = Pass
	case !isFault && s.onError != nil:
		policy = *s.onError
	}
	if isFault {
		err = fmt.Errorf("%w in %s", err, r.call)
	}
	log := r.newCall(s).Logger().With("duration", took, "passed", policy == Pass)
	if isFault {
		log = log.With("fault", string(f.Kind))
		if len(f.Stack) > 0 {
			log = log.With("stack", string(f.Stack))
		}
	}
	log.Error(err.Error())
	if policy == Pass {
		r.passed = append(r.passed, err)
		return false
	}
	r.errs = append(r.errs, err)
	return r.op == nil || !r.op.FailureIgnored
}

// edited is what a filter's handler made of its document.
func edited(e Event) (edit document.Edit[libvirtxml.Domain], err error) {
	raw, err := e.Info().raw()
	if err != nil {
		return edit, err
	}
	if f, ok := e.(interface{ replacement() ([]byte, bool) }); ok {
		if xml, set := f.replacement(); set {
			edit, err := document.ReplaceDomain(raw, xml)
			if err != nil {
				return edit, fmt.Errorf("the XML given to Replace: %w", err)
			}
			return edit, nil
		}
	}
	g, ok := e.(DomainEvent)
	if !ok || g.Guest() == nil {
		return edit, nil
	}
	edit, err = document.ApplyDomain(raw, g.Guest())
	if errors.Is(err, document.ErrNoEffect) {
		e.Info().Logger().Warn("a handler changed the domain, but nothing of that shows in the XML")
		return edit, nil
	}
	return edit, err
}

// checkABI holds what a filter made of the domain against libvirt's own checks.
func checkABI(op *hookimpl.Op, edit document.Edit[libvirtxml.Domain]) error {
	if edit.Paths != nil && !slices.ContainsFunc(edit.Paths, abi.Compares) {
		return nil
	}
	check := abi.Check
	if op.ABICheck == hookimpl.ABIRestore {
		check = abi.CheckRestore
	}
	if err := check(edit.Before, edit.After); err != nil {
		return fmt.Errorf("libvirt would refuse it: %w", err)
	}
	return nil
}

func errorText(errs []error) string {
	var b strings.Builder
	for i, err := range errs {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}
