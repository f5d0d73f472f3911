package command

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/virthook/virthook/sdk/internal/callctx"
)

// recorded gives the command to a test that stands in for the system.
func (c Command) recorded(ctx context.Context, answer func(callctx.Command) callctx.Answer, stdout, stderr output) *Error {
	failed := &Error{Command: c.String(), Status: -1}
	if ctx.Err() != nil {
		failed.Err = context.Cause(ctx)
		return failed
	}
	a := answer(c.asked(false))
	_, _ = stdout.Write([]byte(a.Stdout))
	_, _ = stderr.Write([]byte(a.Stderr))
	select {
	case <-stdout.overflow():
		failed.Err = errTooMuch
		return failed
	default:
	}
	if a.Err != nil {
		failed.Err = a.Err
		return failed
	}
	if failed.Status = a.Status; a.Status == 0 {
		return nil
	}
	return failed
}

// recordedDetached is recorded for a command that nobody waits for: a test says only
// whether it was started.
func (c Command) recordedDetached(answer func(callctx.Command) callctx.Answer) (how string, err error) {
	a := answer(c.asked(true))
	if a.Err == nil && a.Status != 0 {
		a.Err = errors.New(strings.TrimSpace("not started, says the test: " + a.Stderr))
	}
	return "a command of a test", a.Err
}

func (c Command) asked(detached bool) callctx.Command {
	return callctx.Command{Name: c.Name, Args: c.Args, Stdin: c.Stdin, Env: c.Env, Dir: c.Dir, Detached: detached}
}

// findFor is find. Where a test stands in for the system a program need not be on the
// machine, but a command line in the place of its name stays an error.
func findFor(ctx context.Context, name string) (string, error) {
	path, err := find(name)
	if errors.Is(err, fs.ErrNotExist) && callctx.CommandIn(ctx) != nil && !strings.ContainsAny(name, " \t\n|&;<>()$`\\\"'*?") {
		return name, nil
	}
	return path, err
}
