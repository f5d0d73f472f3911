package libvirtd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// hooksFolder is where libvirt looks for hooks, a session daemon too.
const hooksFolder = "/etc/libvirt/hooks/"

type hook struct{ name, program string }

// Install puts a copy of a program below /etc/libvirt/hooks, under a name such as
// qemu.d/50-mine, in one step: a running daemon sees the old one or the new one.
func (d *Daemon) Install(name, program string) {
	d.t.Helper()
	content, err := os.ReadFile(program)
	if err != nil {
		d.t.Fatal(err)
	}
	d.WriteHook(name, string(content))
}

// WriteHook is [Daemon.Install] of a script.
func (d *Daemon) WriteHook(name, script string) {
	d.t.Helper()
	// Written beside the folder and moved: libvirt calls whatever is in there.
	temp := d.helper.path("/etc/libvirt/new-hook")
	to := d.helper.path(hooksFolder + name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), writeProgram(temp, []byte(script)), os.Rename(temp, to)); err != nil {
		d.t.Fatalf("installing the hook %s: %v", name, err)
	}
}

// writeProgram writes a file that is executed at once. A process that this one
// starts meanwhile would have it open for writing until it executes its own
// program, and the system executes no file that is open for writing.
func writeProgram(path string, content []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, 0o755)
}

// Remove removes a hook.
func (d *Daemon) Remove(name string) {
	d.t.Helper()
	if err := os.RemoveAll(d.helper.path(hooksFolder + name)); err != nil {
		d.t.Fatal(err)
	}
}

// ReadFile reads a file as it is inside.
func (d *Daemon) ReadFile(path string) ([]byte, error) { return os.ReadFile(d.helper.path(path)) }

// WriteFile writes a file inside, and the folders that it needs.
func (d *Daemon) WriteFile(path string, content []byte) {
	d.t.Helper()
	at := d.helper.path(path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, content, 0o644)); err != nil {
		d.t.Fatal(err)
	}
}

// Exists tells whether there is such a file inside.
func (d *Daemon) Exists(path string) bool {
	d.t.Helper()
	_, err := os.Lstat(d.helper.path(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
	return err == nil
}

// Log is what libvirtd has logged so far: warnings, errors, and all about hooks.
func (d *Daemon) Log() string {
	log, err := d.ReadFile(namespace.Run + "/libvirtd.log")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(log)
}
