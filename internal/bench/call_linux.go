package main

import (
	"errors"
	"syscall"
	"time"
	"unsafe"
)

// call runs the program as virCommandRun of libvirt does: three pipes and one
// thread that polls them, with the input written as far as the pipe takes it. The
// answer's bytes are valid until the next call.
func (c *caller) call(what call) (answer, error) {
	start := time.Now()
	var in, out, err [2]int
	for _, pipe := range []*[2]int{&in, &out, &err} {
		if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
			return answer{}, err
		}
	}
	pid, forkErr := syscall.ForkExec(what.argv[0], what.argv, &syscall.ProcAttr{
		Dir: "/", Env: c.env, Files: []uintptr{uintptr(in[0]), uintptr(out[1]), uintptr(err[1])},
	})
	forked := time.Now()
	for _, fd := range []int{in[0], out[1], err[1]} {
		_ = syscall.Close(fd)
	}
	if forkErr != nil {
		for _, fd := range []int{in[1], out[0], err[0]} {
			_ = syscall.Close(fd)
		}
		return answer{}, forkErr
	}
	pumpErr := c.pump(in[1], out[0], err[0], what.input)
	var status syscall.WaitStatus
	waitErr := retry(func() error { _, err := syscall.Wait4(pid, &status, 0, nil); return err })
	end := time.Now()
	return answer{end.Sub(start), end.Sub(forked), status, c.stdout, c.stderr}, errors.Join(pumpErr, waitErr)
}

// pollfd is struct pollfd.
type pollfd struct {
	fd      int32
	events  int16
	revents int16
}

const (
	pollIn  = 0x1
	pollOut = 0x4
)

// pump writes the input and reads the outputs to their end. It closes the pipes.
func (c *caller) pump(in, out, err int, input []byte) error {
	c.stdout, c.stderr = c.stdout[:0], c.stderr[:0]
	if err := syscall.SetNonblock(in, true); err != nil {
		return err
	}
	fds := [3]pollfd{{int32(in), pollOut, 0}, {int32(out), pollIn, 0}, {int32(err), pollIn, 0}}
	finish := func(fd *pollfd) {
		_ = syscall.Close(int(fd.fd))
		fd.fd = -1 // poll passes it over
	}
	if len(input) == 0 {
		finish(&fds[0])
	}
	for fds[0].fd >= 0 || fds[1].fd >= 0 || fds[2].fd >= 0 {
		if err := poll(fds[:]); err != nil {
			return err
		}
		if fds[0].revents != 0 {
			n, err := syscall.Write(in, input)
			input = input[max(n, 0):]
			// A hook need not read: EPIPE is no error.
			if err != nil && err != syscall.EAGAIN && err != syscall.EINTR || len(input) == 0 {
				finish(&fds[0])
			}
		}
		for i, to := range []*[]byte{&c.stdout, &c.stderr} {
			fd := &fds[i+1]
			if fd.revents == 0 {
				continue
			}
			n, err := syscall.Read(int(fd.fd), c.chunk)
			if n > 0 {
				*to = append(*to, c.chunk[:n]...)
			} else if err != syscall.EINTR {
				finish(fd)
			}
		}
	}
	return nil
}

func poll(fds []pollfd) error {
	return retry(func() error {
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), 0, 0, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}

func retry(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
