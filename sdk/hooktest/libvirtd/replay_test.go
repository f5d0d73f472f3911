//go:build integration

package libvirtd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// life is something that is done to real daemons, and the scenario that is the same.
type life struct {
	scenario string // a built-in one's name, or YAML
	refuse   string // "DRIVER/OPERATION" at which a hook fails, also "… after OPERATION" of the same driver
	live     func(l *lives)
	after    func(l *lives) // makes the hosts ready for the next one
	apart    bool           // only what is done to each object is in order
}

// lives are hosts on which lives are led, one after another.
type lives struct {
	host
	destination *host  // nil: there is one host
	tool        string // virthook
	web, box    *libvirtd.Guest
	network     *libvirtd.Network
}

// TestReplayOrder: what virthook replay calls is what a real libvirt calls, in the same
// order, in every scenario that is built in and after every refusal.
func TestReplayOrder(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	tool := libvirtd.Build(t, "github.com/virthook/virthook/cmd/virthook")
	t.Run("one host", func(t *testing.T) {
		t.Parallel()
		l := &lives{host: start(t), tool: tool}
		l.network = l.Network("default")
		l.network.Start()
		l.web = l.Guest("web", libvirtd.UntilKey, libvirtd.NIC("default"))
		l.box = l.Container("box", []string{"/bin/sh", "-c", "until [ -e " + untilThere + " ]; do sleep 0.05; done"})
		l.lead(oneHost())
	})
	t.Run("two hosts", func(t *testing.T) {
		t.Parallel()
		source, destination := pair(t)
		l := &lives{host: source, destination: &destination, tool: tool}
		l.web = l.Guest("web", libvirtd.UntilKey)
		l.lead(twoHosts())
	})
}

const (
	untilThere = "/run/virthook/box.end" // the container ends when there is such a file
	saved      = "/run/virthook/web.save"
	ownGuests  = "scenario: own\nguests: [{name: web, networks: [default]}, {name: box, driver: lxc}, {name: g, networks: [default], count: 10}]\nsteps: "
)

func oneHost() []life {
	start := func(l *lives) { l.try(l.web.TryStart()) }
	return []life{
		{scenario: "boot", live: func(l *lives) { start(l); l.web.Shutdown() }},
		{scenario: "destroy", live: func(l *lives) { start(l); l.web.Destroy() }},
		{scenario: "crash", live: func(l *lives) { start(l); l.web.Kill(); l.web.WaitOff() }},
		{scenario: "failed-start", live: func(l *lives) {
			good, bad := l.web.XML(), l.web.Domain()
			bad.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{Args: []libvirtxml.DomainQEMUCommandlineArg{{Value: "-nonsense"}}}
			xml, err := bad.Marshal()
			require.NoError(l.t, err)
			l.web.Define(xml)
			_, err = l.web.TryStart()
			require.Error(l.t, err)
			l.web.Define(good)
		}},
		{scenario: "save-restore", live: func(l *lives) {
			start(l)
			l.mustVirsh("save", "web", saved)
			l.mustVirsh("restore", saved)
			l.web.Shutdown()
		}},
		{scenario: "daemon-restart", apart: true, live: func(l *lives) {
			l.Down()
			l.ForgetCalls()
			l.Up()
			start(l)
			l.box.Start()
			l.Restart()
			l.waitCalled("qemu", "reconnect")
			l.waitCalled("lxc", "reconnect")
			l.Reload()
			l.box.Destroy()
			l.web.Shutdown()
			l.Down()
		}, after: func(l *lives) { l.Up() }},
		{scenario: "network", live: func(l *lives) {
			l.network.Destroy()
			l.ForgetCalls()
			l.network.Start()
			start(l)
			l.mustVirsh("net-update", "default", "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:01' ip='127.99.0.12'/>", "--live")
			l.web.Destroy()
			l.network.Destroy()
		}, after: func(l *lives) { l.network.Start() }},
		{scenario: "container", live: func(l *lives) {
			l.box.Start()
			l.WriteFile(untilThere, nil)
			l.box.WaitOff()
			l.waitCalled("lxc", "release")
		}, after: func(l *lives) {
			require.NoError(l.t, l.Command(l.t.Context(), "rm", untilThere).Run())
		}},
		{scenario: ownGuests + "[start: g, destroy: g]", apart: true, live: func(l *lives) {
			var guests []*libvirtd.Guest
			for i := range 10 {
				guests = append(guests, l.Guest(fmt.Sprintf("g-%d", i+1), libvirtd.Idle, libvirtd.NIC("default")))
			}
			for _, do := range []func(*libvirtd.Guest){(*libvirtd.Guest).Start, (*libvirtd.Guest).Destroy} {
				var all sync.WaitGroup
				for _, g := range guests {
					all.Go(func() { do(g) })
				}
				all.Wait()
			}
		}},

		{scenario: ownGuests + "[start: web]", refuse: "qemu/prepare", live: start},
		{scenario: ownGuests + "[start: web]", refuse: "network/port-created", live: start},
		{scenario: ownGuests + "[start: web]", refuse: "qemu/start", live: start},
		{scenario: ownGuests + "[start: web]", refuse: "qemu/started", live: start},
		{scenario: ownGuests + "[start: web, destroy: web]", refuse: "qemu/stopped", live: func(l *lives) { start(l); l.web.Destroy() }},
		{scenario: ownGuests + "[start: web, destroy: web]", refuse: "network/port-deleted", live: func(l *lives) { start(l); l.web.Destroy() }},
		{scenario: ownGuests + "[start: box]", refuse: "lxc/prepare", live: func(l *lives) { l.try(l.box.TryStart()) }},
		{scenario: ownGuests + "[start: box]", refuse: "lxc/start", live: func(l *lives) { l.try(l.box.TryStart()) }},
		{scenario: ownGuests + "[start: box]", refuse: "lxc/started", live: func(l *lives) { l.try(l.box.TryStart()) }},
		{scenario: ownGuests + "[start: web, save: web, restore: web]", refuse: "qemu/restore", live: restoreRefused},
		{scenario: ownGuests + "[start: web, save: web, restore: web]", refuse: "qemu/prepare after restore", live: restoreRefused},
		{scenario: ownGuests + "[start: web, save: web, restore: web]", refuse: "qemu/started after restore", live: restoreRefused},
		{scenario: ownGuests + "[start: web, daemon-restart]", refuse: "qemu/reconnect", live: func(l *lives) {
			start(l)
			l.Restart()
			l.waitCalled("qemu", "release")
		}},
		// 11.3.0 may forget the container for this, and 9.0.0 cannot start the network
		// again after the last: nothing comes after them.
		{scenario: ownGuests + "[start: box, daemon-restart]", refuse: "lxc/reconnect", apart: true, live: func(l *lives) {
			l.box.Start()
			l.Restart()
			l.waitCalled("lxc", "release")
		}},
		{scenario: ownGuests + "[net-start: default]", refuse: "network/start", live: networkRefused},
		{scenario: ownGuests + "[net-start: default]", refuse: "network/started", live: networkRefused},
	}
}

func twoHosts() []life {
	migrate := func(l *lives) {
		l.web.Start()
		l.try(l.web.Migrate(l.destination.Daemon))
		for _, web := range []*libvirtd.Guest{l.web, l.web.On(l.destination.Daemon)} {
			if web.Active() {
				web.Shutdown()
			}
		}
	}
	return []life{
		{scenario: "migrate", live: migrate},
		{scenario: "migrate", refuse: "qemu/migrate", live: migrate},
		{scenario: "migrate", refuse: "qemu/prepare after migrate", live: migrate},
		{scenario: "migrate", refuse: "qemu/started after migrate", live: migrate},
	}
}

func restoreRefused(l *lives) {
	l.web.Start()
	l.mustVirsh("save", "web", saved)
	_, err := l.Virsh("restore", saved)
	require.Error(l.t, err)
}

func networkRefused(l *lives) {
	_, _ = l.Virsh("net-destroy", "default") // it may be off
	l.ForgetCalls()
	_, err := l.network.TryStart()
	require.Error(l.t, err)
}

// try is for what a hook may refuse.
func (l *lives) try(string, error) {}

func (l *lives) waitCalled(driver, op string) {
	l.WaitFor(driver+" "+op, func() bool { return len(l.CallsOf(driver, op)) > 0 })
}

func (l *lives) lead(all []life) {
	for _, life := range all {
		name, _, _ := strings.Cut(life.scenario, "\nguests")
		if _, steps, own := strings.Cut(life.scenario, "steps: "); own {
			name = steps
		}
		if life.refuse != "" {
			name += ", " + life.refuse
		}
		hooks := l.refuse(life.refuse)
		l.forget()
		life.live(l)
		real := l.called()
		replayed := l.replayed(life.scenario, hooks)
		if life.apart {
			slices.SortStableFunc(real, byObject)
			slices.SortStableFunc(replayed, byObject)
		}
		assert.Equal(l.t, strings.Join(real, "\n"), strings.Join(replayed, "\n"), name)
		l.refuse("")
		if life.after != nil {
			life.after(l)
		}
	}
}

func (l *lives) hosts() []host {
	if l.destination == nil {
		return []host{l.host}
	}
	return []host{l.host, *l.destination}
}

func (l *lives) forget() {
	for _, h := range l.hosts() {
		h.ForgetCalls()
	}
}

// refuse installs a hook that fails at an operation, "" none, on the daemons, and in a
// folder for virthook replay.
func (l *lives) refuse(what string) (folder string) {
	l.t.Helper()
	folder = l.t.TempDir()
	for _, driver := range []string{"qemu", "lxc", "network"} {
		for _, h := range l.hosts() {
			h.Remove(driver + ".d/60-refuse")
			h.Remove(driver + ".d/seen")
		}
	}
	if what == "" {
		return folder
	}
	what, after, _ := strings.Cut(what, " after ")
	driver, op, _ := strings.Cut(what, "/")
	script := fmt.Sprintf("#!/bin/sh\n[ \"$2\" != %s ]\n", op)
	if after != "" {
		// What is in the folder and no program is of no interest to libvirt.
		script = fmt.Sprintf("#!/bin/sh\nseen=${0%%/*}/seen\n[ \"$2\" != %s ] || : >$seen\n[ \"$2\" != %s ] || [ ! -e $seen ]\n", after, op)
	}
	for _, h := range l.hosts() {
		h.WriteHook(driver+".d/60-refuse", script)
	}
	require.NoError(l.t, os.Mkdir(filepath.Join(folder, driver+".d"), 0o755))
	require.NoError(l.t, os.WriteFile(filepath.Join(folder, driver+".d", "60-refuse"), []byte(script), 0o755))
	return folder
}

// called is what the daemons called since they were told to forget, in order.
func (l *lives) called() (lines []string) {
	l.t.Helper()
	type call struct {
		libvirtd.Call
		host string
	}
	var all []call
	for i, h := range l.hosts() {
		name := ""
		if l.destination != nil {
			name = []string{"source", "destination"}[i]
		}
		for _, c := range h.Calls() {
			all = append(all, call{c, name})
		}
	}
	slices.SortStableFunc(all, func(a, b call) int { return a.Time.Compare(b.Time) })
	for _, c := range all {
		line := callLine(c.host, c.Driver, c.Op, c.Object, c.Extra)
		// A container's end may be noticed from two sides (see containerOps).
		if c.Driver == "lxc" && (c.Op == "stopped" || c.Op == "release") {
			lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, callLine(c.host, c.Driver, c.Op, c.Object, "")) })
		}
		lines = append(lines, line)
	}
	return lines
}

func callLine(host, driver, op, object, extra string) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s/%s %s %s", host, driver, op, object, strings.TrimPrefix(extra, "-")))
}

// byObject orders lines by host and object, and by nothing else.
func byObject(a, b string) int {
	object := func(line string) string {
		fields := strings.Fields(line)
		for i, f := range fields {
			if strings.Contains(f, "/") {
				return strings.Join(fields[:i], " ") + " " + strings.Split(f, "/")[0] + " " + fields[i+1]
			}
		}
		return line
	}
	return strings.Compare(object(a), object(b))
}

// replayed is what virthook replay calls.
func (l *lives) replayed(scenario, hooks string) (lines []string) {
	l.t.Helper()
	if strings.Contains(scenario, "\n") {
		file := filepath.Join(l.t.TempDir(), "own.yaml")
		require.NoError(l.t, os.WriteFile(file, []byte(scenario), 0o644))
		scenario = file
	}
	cmd := exec.Command(l.tool, "replay", scenario, "--hooks", hooks, "--libvirt", l.Version().String(), "--json")
	out, err := cmd.Output() // it fails where libvirt does not go on
	var replayed struct {
		Steps []struct {
			Events []struct{ Host, Driver, Op, Object, Extra string }
		}
	}
	require.NoError(l.t, json.Unmarshal(out, &replayed), "%s: %v", cmd, err)
	for _, s := range replayed.Steps {
		for _, c := range s.Events {
			lines = append(lines, callLine(c.Host, c.Driver, c.Op, c.Object, c.Extra))
		}
	}
	return lines
}
