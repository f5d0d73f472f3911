package sdk

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
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
	FaultDeadline FaultKind = "deadline" // a Timeout expired, or the run was cancelled
	FaultInput    FaultKind = "input"    // the input cannot be read or decoded, or a matcher cannot tell
)

func (f *Fault) Error() string { return string(f.Kind) + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// guard runs f and makes a Fault of a panic and of the end of ctx. At the end of
// ctx it returns although f may still run: nothing that f does from then on may
// reach the result, so f must not touch what the caller reads after a Fault.
func guard(ctx context.Context, f func(context.Context) error) error {
	done := make(chan error, 1)
	go func() {
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
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		default:
			return &Fault{Kind: FaultDeadline, Err: context.Cause(ctx)}
		}
	}
	if err != nil && ctx.Err() != nil {
		// Whatever it says: it was stopped, it did not decide.
		return &Fault{Kind: FaultDeadline, Err: fmt.Errorf("%w: %w", context.Cause(ctx), err)}
	}
	return err
}

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
