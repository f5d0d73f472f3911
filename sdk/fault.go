package sdk

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Fault is a failure that is nobody's decision: a panic, a deadline that expired,
// input that cannot be read or decoded.
type Fault struct {
	Kind  FaultKind
	Err   error
	Stack []byte // of a panic
}

// FaultKind says what happened.
type FaultKind string

// The kinds of fault.
const (
	FaultPanic    FaultKind = "panic"    // a handler panicked, or left by runtime.Goexit
	FaultDeadline FaultKind = "deadline" // a Timeout expired, the process was told to end, or the run was cancelled
	FaultInput    FaultKind = "input"    // the input cannot be read or decoded, or a matcher cannot tell
)

func (f *Fault) Error() string { return string(f.Kind) + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// grace is how long a handler has to return after its context has ended.
const grace = 100 * time.Millisecond

// guard runs f and makes a Fault of a panic and of the end of ctx. When ctx has ended
// it calls overdue, unless that is nil, and waits for the grace, because f may have
// something to say or to undo. Then it returns although f may still run: nothing that
// f does from then on may reach the result, so f must not touch what the caller reads
// after a Fault.
func guard(ctx context.Context, overdue func(), grace time.Duration, f func(context.Context) error) error {
	if ctx.Err() != nil {
		return &Fault{Kind: FaultDeadline, Err: context.Cause(ctx)}
	}
	done := make(chan error, 1)
	go func() {
		growStack(false)
		var err error
		returned := false
		defer func() {
			if v := recover(); v != nil {
				err = &Fault{Kind: FaultPanic, Err: fmt.Errorf("%v (%s)", v, panicPlace()), Stack: debug.Stack()}
			} else if !returned {
				err = &Fault{Kind: FaultPanic, Err: fmt.Errorf("the handler left by runtime.Goexit")}
			}
			done <- err
		}()
		err = f(ctx)
		returned = true
	}()
	var err error
	returned := false
	select {
	case err = <-done:
		returned = true
	case <-ctx.Done():
	}
	if ctx.Err() == nil {
		return err
	}
	// Whichever of the two was seen first.
	if overdue != nil {
		overdue()
	}
	if !returned {
		if err, returned = within(grace, done); !returned {
			return &Fault{Kind: FaultDeadline, Err: context.Cause(ctx)}
		}
	}
	if err != nil {
		// Whatever it says: it was stopped, it did not decide.
		err = &Fault{Kind: FaultDeadline, Err: fmt.Errorf("%w: %w", context.Cause(ctx), err)}
	}
	return err
}

// growStack makes the stack of a new goroutine, which is 2 KB, 32 KB at once: decoding
// takes more than 4 KB, and each time that a stack grows all the functions on it are
// looked up, in tables that are in no memory yet. From 32 KB on Go takes pages for it
// of which only those take memory that are used.
//
//go:noinline
func growStack(use bool) {
	if use {
		var room [16 << 10]byte
		fill(room[:])
	}
}

//go:noinline
func fill(b []byte) {
	for i := range b {
		b[i] = 1
	}
}

// within receives from c if that is possible before the limit is over.
func within[T any](limit time.Duration, c <-chan T) (v T, ok bool) {
	select {
	case v = <-c:
		return v, true
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case v = <-c:
		return v, true
	case <-timer.C:
		return v, false
	}
}

// deadlineError is the cause of a context that a [Timeout] ended.
type deadlineError struct{ timeout time.Duration }

func (e *deadlineError) Error() string { return fmt.Sprintf("not done within %v", e.timeout) }

// Unwrap makes it what contexts that time out have for a cause.
func (e *deadlineError) Unwrap() error { return context.DeadlineExceeded }

// panicPlace is the file and line that panicked, seen from a deferred function.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		// The runtime's own frames are between this one and the panic.
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}
