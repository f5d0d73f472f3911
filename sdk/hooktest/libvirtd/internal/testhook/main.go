// Command testhook is the hook of package libvirtd's own tests. It has a typed
// handler of every operation that a daemon can call, writes down what each was
// given, and then does what the rules say: succeed, fail, or be a nuisance.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
	"github.com/virthook/virthook/sdk/metadata"
)

func main() {
	h := &hook{name: filepath.Base(os.Args[0])}
	content, err := os.ReadFile(protocol.RulesFile)
	if err == nil {
		err = json.Unmarshal(content, &h.rules)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	opts := h.handlers()
	for _, r := range h.rules {
		if r.Do == protocol.Hang || r.Do == protocol.StartAndHang {
			opts = append(opts, sdk.Timeout(protocol.Deadline))
		}
	}
	sdk.Main(opts...)
}

type hook struct {
	name  string
	rules []protocol.Rule
}

// handlers are plain functions, the form that most hooks are written in.
func (h *hook) handlers() []sdk.Option {
	domain := func(op string) func(*libvirtxml.Domain) error {
		return func(d *libvirtxml.Domain) error { return h.domain(op, d, "") }
	}
	released := func(op string) func(*libvirtxml.Domain, sdk.ShutoffReason) error {
		return func(d *libvirtxml.Domain, reason sdk.ShutoffReason) error { return h.domain(op, d, string(reason)) }
	}
	filter := func(op string) func(*libvirtxml.Domain) (*libvirtxml.Domain, error) {
		return func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			if err := h.domain(op, d, ""); err != nil {
				return nil, err
			}
			return d, h.edit(op, d)
		}
	}
	network := func(op string) func(*libvirtxml.Network) error {
		return func(n *libvirtxml.Network) error { return h.network(op, n, nil) }
	}
	port := func(op string) func(*libvirtxml.Network, *libvirtxml.NetworkPort) error {
		return func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) error { return h.network(op, n, p) }
	}
	daemon := func(op string) func() error {
		return func() error { return h.called(protocol.Typed{Op: op}) }
	}
	return []sdk.Option{
		sdk.OnDaemonStart(daemon("daemon/start")),
		sdk.OnDaemonShutdown(daemon("daemon/shutdown")),
		sdk.OnDaemonReloadBegin(daemon("daemon/reload")),

		sdk.OnQemuPrepareBegin(domain("qemu/prepare")),
		sdk.OnQemuStartBegin(domain("qemu/start")),
		sdk.OnQemuStartedBegin(domain("qemu/started")),
		sdk.OnQemuStoppedEnd(domain("qemu/stopped")),
		sdk.OnQemuReleaseEnd(released("qemu/release")),
		sdk.OnQemuMigrateBegin(filter("qemu/migrate")),
		sdk.OnQemuRestoreBegin(filter("qemu/restore")),
		sdk.OnQemuReconnectBegin(domain("qemu/reconnect")),

		sdk.OnLxcPrepareBegin(domain("lxc/prepare")),
		sdk.OnLxcStartBegin(domain("lxc/start")),
		sdk.OnLxcStartedBegin(domain("lxc/started")),
		sdk.OnLxcStoppedEnd(domain("lxc/stopped")),
		sdk.OnLxcReleaseEnd(released("lxc/release")),
		sdk.OnLxcReconnectBegin(domain("lxc/reconnect")),

		sdk.OnNetworkStartBegin(network("network/start")),
		sdk.OnNetworkStartedBegin(network("network/started")),
		sdk.OnNetworkStoppedEnd(network("network/stopped")),
		sdk.OnNetworkUpdatedBegin(network("network/updated")),
		sdk.OnNetworkPortCreatedBegin(port("network/port-created")),
		sdk.OnNetworkPortDeletedBegin(port("network/port-deleted")),
	}
}

func (h *hook) domain(op string, d *libvirtxml.Domain, reason string) error {
	t := protocol.Typed{Op: op, Name: d.Name, UUID: d.UUID, Reason: reason}
	if d.Memory != nil {
		t.Memory = fmt.Sprint(d.Memory.Value, " ", d.Memory.Unit)
	}
	if d.Devices != nil {
		for _, disk := range d.Devices.Disks {
			if disk.Source != nil && disk.Source.File != nil {
				t.Disks = append(t.Disks, disk.Source.File.File)
			}
		}
		for _, i := range d.Devices.Interfaces {
			if i.MAC != nil {
				t.MACs = append(t.MACs, i.MAC.Address)
			}
		}
	}
	return h.called(t)
}

func (h *hook) network(op string, n *libvirtxml.Network, p *libvirtxml.NetworkPort) error {
	t := protocol.Typed{Op: op, Name: n.Name, UUID: n.UUID}
	if n.Bridge != nil {
		t.Bridge = n.Bridge.Name
	}
	if p != nil {
		t.Port = p.UUID
		if p.MAC != nil {
			t.MACs = []string{p.MAC.Address}
		}
		if p.Owner != nil {
			t.Owner = p.Owner.Name
		}
	}
	return h.called(t)
}

// called writes the call down and does what the first rule about it says.
func (h *hook) called(t protocol.Typed) error {
	t.Hook = h.name
	line, err := json.Marshal(t)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(protocol.TypedFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil { // one write: whole lines, however many write
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if i := slices.IndexFunc(h.rules, func(r protocol.Rule) bool { return r.Matches(h.name, t.Op, t.Name) }); i >= 0 {
		return do(h.rules[i])
	}
	return nil
}

func do(r protocol.Rule) error {
	switch r.Do {
	case protocol.Fail:
		return errors.New(r.Text)
	case protocol.Panic:
		panic(r.Text)
	case protocol.Hang:
		time.Sleep(time.Hour) // deaf to its context, as handlers are
	case protocol.StartAndHang:
		if err := exec.Command("setsid", "sleep", "1000").Start(); err != nil {
			return err
		}
		time.Sleep(time.Hour)
	case protocol.Guarded:
		return guarded(r.Text)
	case protocol.Print:
		fmt.Println(r.Text)
		fmt.Fprintln(os.Stderr, r.Text)
	case protocol.Leave:
		// With every descriptor of the hook, as a careless handler would.
		child := exec.Command("sleep", "1000")
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
		return child.Start()
	case protocol.Virsh:
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, "virsh", "-q", "-c", "qemu:///system", "domstate", r.Text).CombinedOutput()
		return os.WriteFile(protocol.VirshFile, fmt.Appendf(nil, "%v %v: %s", ctx.Err(), err, out), 0o600)
	}
	return nil
}

// guarded asks libvirt about the guest by a script, by the helper, and by leaving it to
// run after the hook, which is the one that gets an answer.
func guarded(guest string) error {
	ctx := context.Background()
	script, err := exec.Command("sh", "-c", "virsh -q domstate "+guest).CombinedOutput()
	if err == nil {
		return errors.New("the script was answered")
	}
	refused := command.Run(ctx, "virsh", "-q", "domstate", guest)
	if err := command.Detach(ctx, "virsh", "-q", "-c", "qemu:///system", "desc", guest, "--config", "--new-desc", "by a detached command"); err != nil {
		return err
	}
	return os.WriteFile(protocol.VirshFile, fmt.Appendf(nil, "%s\n%v", script, refused), 0o600)
}

// edit makes the changes that rules ask for.
func (h *hook) edit(op string, d *libvirtxml.Domain) error {
	for _, r := range h.rules {
		if !r.Matches(h.name, op, d.Name) {
			continue
		}
		switch r.Do {
		case protocol.Disk:
			d.Devices.Disks[0].Source.File.File = r.Text
		case protocol.Listen:
			vnc := d.Devices.Graphics[0].VNC
			vnc.Listen = r.Text
			for i := range vnc.Listeners {
				if vnc.Listeners[i].Address != nil {
					vnc.Listeners[i].Address.Address = r.Text
				}
			}
		case protocol.Memory:
			d.Memory.Value *= 2
		case protocol.Mark:
			var marks protocol.Marks
			if _, err := metadata.Get(d, protocol.MarksName, &marks); err != nil {
				return err
			}
			marks.By = append(marks.By, r.Text)
			if err := metadata.Set(d, protocol.MarksName, marks); err != nil {
				return err
			}
		}
	}
	return nil
}
