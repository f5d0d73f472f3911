//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// initialise is the first process of the namespaces: it makes them what a libvirtd
// needs, then does what it is asked to until nobody asks any more. Its end is the
// end of all processes inside.
func initialise(c namespace.Config) error {
	wait := os.NewFile(3, "the supervisor's pipe")
	if _, err := io.Copy(io.Discard, wait); err != nil {
		return err
	}
	if err := wait.Close(); err != nil {
		return err
	}
	if err := os.Setenv("PATH", namespace.Path); err != nil {
		return err
	}
	if err := mountAll(c); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(c.Name)); err != nil {
		return fmt.Errorf("setting the host's name: %w", err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("ip link set lo up: %w: %s", err, out)
	}
	for path, content := range c.Files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			return err
		}
	}
	for _, dir := range []string{namespace.Calls, namespace.Home, namespace.Runtime} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if c.Session {
		if err := dropCapabilities(); err != nil {
			return err
		}
	}
	d := &daemon{config: c, exits: make(map[int]chan syscall.WaitStatus)}
	go d.reap()
	answer(nil)

	requests := bufio.NewScanner(os.Stdin)
	for requests.Scan() {
		answer(d.do(requests.Text()))
	}
	return requests.Err()
}

// dropCapabilities leaves the daemon what a user has: nothing.
func dropCapabilities() error {
	const ambient, clearAll = 47, 4 // PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
	if _, _, errno := syscall.AllThreadsSyscall(syscall.SYS_PRCTL, ambient, clearAll, 0); errno != 0 {
		return fmt.Errorf("giving up capabilities: %w", errno)
	}
	return nil
}

// daemon is libvirtd.
type daemon struct {
	config namespace.Config
	pid    int // 0: it does not run
	exit   chan syscall.WaitStatus

	mu    sync.Mutex // held from a fork until its exit can be told
	exits map[int]chan syscall.WaitStatus
}

// reap waits for all children, the orphans of the namespaces among them.
func (d *daemon) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			time.Sleep(10 * time.Millisecond) // there is none yet
		case err == nil && (status.Exited() || status.Signaled()):
			d.mu.Lock()
			if exit, ok := d.exits[pid]; ok {
				exit <- status
				delete(d.exits, pid)
			}
			d.mu.Unlock()
		}
	}
}

func (d *daemon) do(request string) error {
	switch request {
	case namespace.Up:
		return d.up()
	case namespace.Reload:
		return d.signal(syscall.SIGHUP)
	case namespace.Down:
		return d.end(syscall.SIGTERM)
	case namespace.Kill:
		return d.end(syscall.SIGKILL)
	}
	return fmt.Errorf("no request %q", request)
}

// up starts libvirtd and waits for its word that it listens, which it gives the
// way that systemd asks for it.
func (d *daemon) up() error {
	if d.pid != 0 {
		return errors.New("libvirtd runs already")
	}
	program, err := exec.LookPath("libvirtd")
	if err != nil {
		return errors.New("there is no libvirtd in PATH: install the packages libvirt-daemon and libvirt-daemon-driver-qemu")
	}
	_ = os.Remove(namespace.Notify)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: namespace.Notify, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer notify.Close()
	out, err := os.OpenFile(namespace.Run+"/libvirtd.out", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()

	d.mu.Lock()
	p, err := os.StartProcess(program, []string{"libvirtd"}, &os.ProcAttr{
		Dir:   "/",
		Env:   append(d.config.Environ(), "NOTIFY_SOCKET="+namespace.Notify),
		Files: []*os.File{null, out, out},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		d.mu.Unlock()
		return err
	}
	d.pid, d.exit = p.Pid, make(chan syscall.WaitStatus, 1)
	d.exits[d.pid] = d.exit
	d.mu.Unlock()

	ready := make(chan error, 1)
	go func() {
		message := make([]byte, 4096)
		for {
			n, err := notify.Read(message)
			if err != nil || strings.Contains(string(message[:n]), "READY=1") {
				ready <- err
				return
			}
		}
	}()
	select {
	case err := <-ready:
		return err
	case status := <-d.exit:
		d.pid = 0
		said, _ := os.ReadFile(namespace.Run + "/libvirtd.out")
		return fmt.Errorf("libvirtd ended at once with status %d: %s", status.ExitStatus(), strings.TrimSpace(string(said)))
	case <-time.After(time.Minute):
		return errors.New("libvirtd did not get ready within a minute")
	}
}

func (d *daemon) signal(s syscall.Signal) error {
	if d.pid == 0 {
		return errors.New("libvirtd does not run")
	}
	return syscall.Kill(d.pid, s)
}

func (d *daemon) end(s syscall.Signal) error {
	if err := d.signal(s); err != nil {
		return err
	}
	select {
	case <-d.exit:
		d.pid = 0
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("libvirtd did not end within a minute of signal %d", s)
	}
}
