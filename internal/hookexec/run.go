package hookexec

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Run calls one hook and waits for it as libvirt does: until it has exited and
// both its standard output and its standard error are at their end, which a
// process that it left behind can hold up for as long as that one lives.
//
// How the hook ended is in the Result. The error says that it could not be
// called at all, and then the Result is empty, or that ctx ended the wait: then
// the hook itself is killed if it still runs, what it left behind is not, and the
// Result holds what came until then.
func Run(ctx context.Context, path string, c Call) (Result, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Result{}, err
	}
	argv, err := c.argv(path)
	if err != nil {
		return Result{}, err
	}
	r := Result{Path: path, Argv: argv, Input: c.Input, Status: -1}
	if err := mustBeExecutable(path); err != nil {
		return Result{}, err
	}
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("%s: not called: %w", path, context.Cause(ctx))
	}

	s, err := openStreams(c.Input)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", path, err)
	}
	defer s.close()
	start := time.Now()
	p, err := os.StartProcess(path, argv, &os.ProcAttr{Dir: "/", Env: environ(), Files: s.child[:]})
	closeAll(s.child[:])
	if err != nil {
		status, reason := execStatus(err)
		if reason == nil {
			return Result{}, err
		}
		r.Status, r.Duration = status, time.Since(start)
		r.Stderr = fmt.Appendf(nil, "libvirt:  error : cannot execute binary %s: %v\n", path, reason)
		return r, nil
	}

	s.pump(c.Input)
	var state *os.ProcessState
	var waitErr error
	done := make(chan struct{})
	go func() {
		state, waitErr = p.Wait()
		s.pumps.Wait()
		close(done)
	}()
	killed, gaveUp := false, false
	select {
	case <-done:
	case <-ctx.Done():
		gaveUp = true
		killed = p.Kill() == nil
		s.stop()
		<-done
		s.drain()
	}
	r.Duration = time.Since(start)
	r.Stdout, r.Stderr = s.stdout.Bytes(), s.stderr.Bytes()
	if waitErr != nil {
		return r, fmt.Errorf("%s: %w", path, waitErr)
	}
	r.Status = state.ExitCode()
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		r.Signal = ws.Signal()
	}
	switch {
	case !gaveUp:
		return r, nil
	case killed && r.Signal == syscall.SIGKILL:
		return r, fmt.Errorf("%s: still running, killed: %w", path, context.Cause(ctx))
	}
	return r, fmt.Errorf("%s: exited, but a process that it left behind keeps its output open, for which libvirt would wait on: %w",
		path, context.Cause(ctx))
}

// streams are the hook's descriptors 0 to 2 and our ends of them.
type streams struct {
	child          [3]*os.File
	stdin          *os.File // nil: the hook's is /dev/null
	out, err       *os.File
	stdout, stderr bytes.Buffer
	pumps          sync.WaitGroup
}

// openStreams makes the pipes that libvirt makes.
func openStreams(input []byte) (s *streams, err error) {
	s = &streams{}
	defer func() {
		if err != nil {
			closeAll(s.child[:])
			s.close()
		}
	}()
	if input == nil {
		s.child[0], err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
	} else {
		s.child[0], s.stdin, err = os.Pipe()
	}
	if err != nil {
		return nil, err
	}
	if s.out, s.child[1], err = os.Pipe(); err != nil {
		return nil, err
	}
	if s.err, s.child[2], err = os.Pipe(); err != nil {
		return nil, err
	}
	return s, nil
}

// pump writes the input and reads both outputs, all at the same time.
func (s *streams) pump(input []byte) {
	s.pumps.Go(func() { _, _ = io.Copy(&s.stdout, s.out) })
	s.pumps.Go(func() { _, _ = io.Copy(&s.stderr, s.err) })
	if s.stdin != nil {
		s.pumps.Go(func() {
			// A hook need not read: libvirt ignores EPIPE.
			_, _ = s.stdin.Write(input)
			_ = s.stdin.Close()
		})
	}
}

// stop ends the pumps.
func (s *streams) stop() {
	now := time.Now()
	for _, f := range []*os.File{s.stdin, s.out, s.err} {
		_ = f.SetDeadline(now)
	}
}

// drain reads what stopped pumps left in the pipes.
func (s *streams) drain() {
	readRest(s.out, &s.stdout)
	readRest(s.err, &s.stderr)
}

func readRest(pipe *os.File, to *bytes.Buffer) {
	_ = pipe.SetDeadline(time.Time{})
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) bool {
		buf := make([]byte, 1<<16) // as much as a pipe holds
		if n, _ := syscall.Read(int(fd), buf); n > 0 {
			to.Write(buf[:n])
		}
		return true // and not wait for more
	})
}

// close closes our ends.
func (s *streams) close() { closeAll([]*os.File{s.stdin, s.out, s.err}) }

// closeAll closes files, some of which may be nil or closed already.
func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
