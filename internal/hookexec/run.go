package hookexec

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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
func Run(ctx context.Context, path string, c Call, opts ...Option) (Result, error) {
	if err := mustBeExecutable(path); err != nil {
		return Result{}, err
	}
	return run(ctx, path, c, opts)
}

// run is Run of what was executable when somebody looked.
func run(ctx context.Context, path string, c Call, opts []Option) (Result, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Result{}, err
	}
	argv, err := c.argv(path)
	if err != nil {
		return Result{}, err
	}
	r := Result{Path: path, Argv: argv, Env: environ(), Input: c.Input, Status: -1}
	if ctx.Err() != nil {
		return Result{}, &UnendedError{path, NotCalled, context.Cause(ctx)}
	}

	s, err := openStreams(c.Input)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", path, err)
	}
	defer s.close()
	r.Start = time.Now()
	p, err := os.StartProcess(path, argv, &os.ProcAttr{Dir: "/", Env: r.Env, Files: s.child[:]})
	closeAll(s.child[:])
	if err != nil {
		status, reason := execStatus(err)
		if reason == nil {
			return Result{}, err
		}
		r.Status, r.Exited = status, time.Since(r.Start)
		r.Duration = r.Exited
		r.Stderr = fmt.Appendf(nil, "libvirt:  error : cannot execute binary %s: %v\n", path, reason)
		return r, nil
	}

	s.pump(c.Input)
	e := newEnd()
	go e.await(p, s, r.Start)
	w := wait{path: path, start: r.Start, pid: p.Pid, streams: s, end: e}
	for _, o := range opts {
		o(&w.settings)
	}
	killed, gaveUp := false, !w.wait(ctx)
	if gaveUp {
		killed = p.Kill() == nil
		s.stop()
		<-e.done
		s.drain()
	}
	r.Exited, r.Duration, r.Left = e.exit, e.duration, w.left
	r.Stdout, r.Stderr = s.stdout.Bytes(), s.stderr.Bytes()
	if e.err != nil {
		return r, fmt.Errorf("%s: %w", path, e.err)
	}
	r.Status = e.state.ExitCode()
	if ws, ok := e.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		r.Signal = ws.Signal()
	}
	switch {
	case !gaveUp:
		return r, nil
	case killed && r.Signal == syscall.SIGKILL:
		return r, &UnendedError{path, Killed, context.Cause(ctx)}
	}
	return r, &UnendedError{path, OutputOpen, context.Cause(ctx)}
}

// streams are the hook's descriptors 0 to 2 and our ends of them.
type streams struct {
	child          [3]*os.File
	stdin          *os.File // nil: the hook's is /dev/null
	out, err       *os.File
	stdout, stderr capture
	pumps          sync.WaitGroup
	ended          [3]atomic.Bool // the pumps of 0 to 2
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
	pump := func(fd int, f func()) {
		s.pumps.Go(func() {
			f()
			s.ended[fd].Store(true)
		})
	}
	pump(1, func() { _, _ = io.Copy(&s.stdout, s.out) })
	pump(2, func() { _, _ = io.Copy(&s.stderr, s.err) })
	if s.stdin == nil {
		s.ended[0].Store(true)
		return
	}
	pump(0, func() {
		// A hook need not read: libvirt ignores EPIPE.
		_, _ = s.stdin.Write(input)
		_ = s.stdin.Close()
	})
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

func readRest(pipe *os.File, to io.Writer) {
	_ = pipe.SetDeadline(time.Time{})
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Read(func(fd uintptr) bool {
		buf := make([]byte, 1<<16) // as much as a pipe holds
		if n, _ := syscall.Read(int(fd), buf); n > 0 {
			_, _ = to.Write(buf[:n])
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
