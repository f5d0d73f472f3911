package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// output takes what a program writes.
type output interface {
	io.Writer
	overflow() <-chan struct{} // closed when it was too much
}

// tail keeps the end.
type tail struct {
	most int
	buf  []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*t.most {
		t.cut = true
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-t.most:]...)
	}
	return len(p), nil
}

func (t *tail) overflow() <-chan struct{} { return nil }

func (t *tail) text() []byte {
	if len(t.buf) > t.most {
		return t.buf[len(t.buf)-t.most:]
	}
	return t.buf
}

// whole keeps all, up to a limit.
type whole struct {
	text []byte
	full chan struct{}
	once sync.Once
}

const maxOutput = 16 << 20

func (w *whole) Write(p []byte) (int, error) {
	room := maxOutput - len(w.text)
	if len(p) > room {
		w.once.Do(func() { close(w.full) })
	}
	w.text = append(w.text, p[:min(room, len(p))]...)
	return len(p), nil
}

func (w *whole) overflow() <-chan struct{} { return w.full }

// undying is how long a killed program is waited for: one in an uninterruptible sleep
// does not end.
const undying = 5 * time.Second

// run runs the program, and returns nil when it has succeeded.
func (c Command) run(ctx context.Context, p program, stdout, stderr output) *Error {
	failed := &Error{Command: c.String(), Status: -1}
	if ctx.Err() != nil {
		failed.Err = context.Cause(ctx)
		return failed
	}
	s, err := newStreams(c.Stdin, stdout, stderr)
	if err != nil {
		failed.Err = err
		return failed
	}
	process, err := os.StartProcess(p.path, p.argv, &os.ProcAttr{
		Dir: p.dir, Env: p.env, Files: s.theirs,
		Sys: &syscall.SysProcAttr{Setpgid: true}, // never the hook's group, which is libvirtd's
	})
	s.started()
	if err != nil {
		s.finish()
		failed.Err = err
		return failed
	}

	// Nobody has waited for the process until reap, so that its PID, which is its
	// group's too, is no one else's.
	kill := func() {
		_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
		_ = process.Signal(syscall.SIGKILL) // it may have gone to another group
	}
	type ending struct {
		state *os.ProcessState
		err   error
	}
	ended := make(chan ending, 1)
	go func() {
		if awaitEnd(process.Pid) {
			_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
		}
		state, err := process.Wait()
		ended <- ending{state, err}
	}()

	var why error
	var end ending
	select {
	case end = <-ended:
	case <-ctx.Done():
		why = context.Cause(ctx)
	case <-stdout.overflow():
		why = errTooMuch
	}
	if why != nil {
		kill()
		timer := time.NewTimer(undying)
		defer timer.Stop()
		select {
		case end = <-ended:
		case <-timer.C:
			why = fmt.Errorf("%w; process %d does not end though it was killed", why, process.Pid)
		}
	}
	s.finish()
	select {
	case <-stdout.overflow():
		if why == nil {
			why = errTooMuch
		}
	default:
	}

	failed.Err = why
	if end.err != nil && failed.Err == nil {
		failed.Err = end.err
	}
	if end.state != nil {
		failed.Status = end.state.ExitCode()
		if status, ok := end.state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			failed.Signal = status.Signal()
		}
		if end.state.Success() && failed.Err == nil {
			return nil
		}
	}
	return failed
}

var errTooMuch = fmt.Errorf("more than %d MiB of output", maxOutput>>20)

// streams are the three of a program, and our ends of them.
type streams struct {
	theirs []*os.File
	input  *os.File // our end of standard input, nil without one
	ours   []*os.File
	work   []func() // what is done at our ends meanwhile
	wg     sync.WaitGroup
}

func newStreams(input []byte, outputs ...output) (s *streams, err error) {
	s = new(streams)
	defer func() {
		if err != nil {
			s.started()
			s.finish()
		}
	}()
	if len(input) == 0 {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return s, err
		}
		s.theirs = append(s.theirs, null)
	} else {
		r, w, err := os.Pipe()
		if err != nil {
			return s, err
		}
		s.theirs, s.input = append(s.theirs, r), w
		s.work = append(s.work, func() {
			_, _ = w.Write(input) // a program need not read it
			w.Close()
		})
	}
	for _, out := range outputs {
		r, w, err := os.Pipe()
		if err != nil {
			return s, err
		}
		s.theirs, s.ours = append(s.theirs, w), append(s.ours, r)
		s.work = append(s.work, func() { collect(r, out) })
	}
	return s, nil
}

// started closes what only the program is to have, and begins to work.
func (s *streams) started() {
	for _, f := range s.theirs {
		f.Close()
	}
	for _, do := range s.work {
		s.wg.Go(do)
	}
}

// finish waits for what the program has written, and for nobody else who may hold the
// other ends.
func (s *streams) finish() {
	if s.input != nil {
		s.input.Close()
	}
	for _, f := range s.ours {
		_ = f.SetReadDeadline(time.Unix(1, 0))
	}
	s.wg.Wait()
	for _, f := range s.ours {
		f.Close()
	}
}

// collect reads until the end of file or the deadline, and then what is there already.
func collect(r *os.File, out output) {
	buf := make([]byte, 32<<10)
	if _, err := io.CopyBuffer(writer{out}, reader{r}, buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	raw, err := r.SyscallConn()
	if err != nil || r.SetReadDeadline(time.Time{}) != nil {
		return
	}
	// No more than a pipe holds: another may go on writing.
	const most = 1 << 20
	for got := 0; got < most; {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			for {
				var err error
				if n, err = syscall.Read(int(fd), buf); !errors.Is(err, syscall.EINTR) {
					return true // do not wait
				}
			}
		})
		if err != nil || n <= 0 {
			return
		}
		_, _ = out.Write(buf[:n])
		got += n
	}
}

// reader and writer hide the ways around the buffer.
type (
	reader struct{ io.Reader }
	writer struct{ io.Writer }
)
