package libvirtd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// patience bounds each wait for libvirt. It is long, because a slow machine is no
// failure of a hook.
const patience = time.Minute

// VirshError is libvirt's refusal.
type VirshError struct {
	Args    []string
	Status  int    // of virsh
	Message string // what virsh said, with libvirt's error in it
}

func (e *VirshError) Error() string {
	return fmt.Sprintf("virsh %s: exit status %d: %s", strings.Join(e.Args, " "), e.Status, e.Message)
}

// Virsh runs a command of virsh on the qemu and network drivers and returns what it
// printed. The error is a *[VirshError] when libvirt refused.
func (d *Daemon) Virsh(args ...string) (string, error) { return d.virsh(d.URI("qemu"), args) }

// VirshLXC is [Daemon.Virsh] on the lxc driver.
func (d *Daemon) VirshLXC(args ...string) (string, error) { return d.virsh(d.URI("lxc"), args) }

// URI is what a client inside connects to: driver is qemu or lxc.
func (d *Daemon) URI(driver string) string {
	uri := driver + ":///system"
	if d.Session() {
		uri = driver + ":///session"
	}
	if sockets := d.socketFolder(); sockets != "" {
		uri += "?socket=" + sockets + "/libvirt-sock"
	}
	return uri
}

// must is for what is not the matter of the test.
func (d *Daemon) must(out string, err error) string {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

func (d *Daemon) virsh(uri string, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Ended from inside too: what is killed outside is nsenter alone.
	inside := append([]string{"--kill-after=1", fmt.Sprint(patience.Seconds()), "virsh", "--quiet", "--connect", uri}, args...)
	cmd := d.Command(ctx, "timeout", inside...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && ctx.Err() == nil && exit.ExitCode() != 124:
		return stdout.String(), &VirshError{Args: args, Status: exit.ExitCode(), Message: strings.TrimSpace(stderr.String())}
	case err != nil:
		return stdout.String(), fmt.Errorf("virsh %s: %w, after %v: %s", strings.Join(args, " "), err, patience, stderr.String())
	}
	return stdout.String(), nil
}

// WaitFor fails the test unless the condition comes true within a minute: for what
// libvirt does in its own time, such as reconnecting.
func (d *Daemon) WaitFor(what string, condition func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("waiting for %s: it has not come in %v; the calls were %v", what, patience, d.Calls())
		}
	}
}
