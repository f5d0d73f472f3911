package hookexec

import (
	"errors"
	"io/fs"
)

// UnendedError says that the wait for a hook was given up, which libvirt never does.
type UnendedError struct {
	Path  string
	State State
	Cause error // why, the context's
}

// State is what became of a hook that was not waited for.
type State int

// The states.
const (
	NotCalled  State = iota // it was not its turn yet
	Killed                  // it was still running
	OutputOpen              // it has ended, and another process keeps its output open
)

// Error returns one line.
func (e *UnendedError) Error() string {
	text := ": not called: "
	switch e.State {
	case Killed:
		text = ": still running, killed: "
	case OutputOpen:
		text = ": exited, but a process that it left behind keeps its output open, for which libvirt would wait on: "
	}
	return e.Path + text + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *UnendedError) Unwrap() error { return e.Cause }

// FolderError says that DRIVER.d cannot be read, which fails the call.
type FolderError struct {
	Dir string
	Err error
}

// Error returns "cannot open directory 'DIR': REASON", as libvirt does.
func (e *FolderError) Error() string {
	reason := e.Err
	var perr *fs.PathError
	if errors.As(reason, &perr) {
		reason = perr.Err
	}
	return "cannot open directory '" + e.Dir + "': " + capital(reason)
}

// Unwrap returns the reason.
func (e *FolderError) Unwrap() error { return e.Err }
