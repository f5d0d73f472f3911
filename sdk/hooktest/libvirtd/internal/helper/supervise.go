//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// supervise starts the first process inside and cleans up after it. It is a
// process of its own because it must outlive both that one and the test.
func supervise(c namespace.Config, config string) error {
	// A signal meant for the test, from a terminal say, must not stop the cleaning up:
	// the test's end is seen as the end of standard input.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	runtime.LockOSThread() // the kernel sends Pdeathsig when the thread ends

	var groups cgroups
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
	}
	if c.Session {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: c.UID, HostID: c.UID, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: c.GID, HostID: c.GID, Size: 1}}
		attr.AmbientCaps = []uintptr{capNetAdmin, capSysAdmin}
	} else {
		attr.Cloneflags |= syscall.CLONE_NEWCGROUP
		var err error
		if groups, err = enterCgroups(fmt.Sprintf("virthook-%d", os.Getpid())); err != nil {
			return err
		}
		defer groups.remove()
	}

	inside := exec.Command("/proc/self/exe", "init", config)
	inside.Args[0] = "helper"
	inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
	inside.SysProcAttr = attr
	// The first process answers too, and must not be first: it waits for the end of a pipe.
	wait, goAhead, err := os.Pipe()
	if err != nil {
		return err
	}
	inside.ExtraFiles = []*os.File{wait}
	if err := inside.Start(); err != nil {
		return fmt.Errorf("namespaces cannot be made: %w", err)
	}
	groups.leave()
	send(namespace.Answer{PID: inside.Process.Pid})
	if err := goAhead.Close(); err != nil {
		return err
	}
	_ = inside.Wait() // killed or not, there is nothing more to do for it
	return nil
}

// From linux/capability.h.
const (
	capNetAdmin = 12
	capSysAdmin = 21
)
