package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// call is what libvirt calls: a program, its arguments and what it reads.
type call struct {
	argv  []string // the path of the program first
	input []byte
}

// answer is what came of it.
type answer struct {
	took           time.Duration // from before the fork until the exit and the end of both outputs
	ran            time.Duration // the same, since the exec
	status         syscall.WaitStatus
	stdout, stderr []byte
}

// caller calls programs one after the other, and keeps its memory between calls so
// that its garbage collector has nothing to do.
type caller struct {
	env            []string
	stdout, stderr []byte
	chunk          []byte
}

func newCaller() *caller {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "HOME"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	// libvirt, too, reads the outputs in pieces of 1024 bytes.
	return &caller{env: env, stdout: make([]byte, 0, 1<<16), chunk: make([]byte, 1024)}
}

// mustSucceed is an error unless the program succeeded in silence.
func (a answer) mustSucceed() error {
	switch {
	case !a.status.Exited() || a.status.ExitStatus() != 0:
		return fmt.Errorf("status %#x: %s", int(a.status), a.stderr)
	case len(a.stderr) != 0:
		return fmt.Errorf("it says %q", a.stderr)
	}
	return nil
}
