//go:build integration

package libvirtd_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// diagnosis is what virthook doctor --json prints.
type diagnosis struct {
	OK       bool
	HooksDir string `json:"hooks_dir"`
	Libvirt  string
	Findings []struct{ ID, Severity, Place, What, Mend string }
	Drivers  []struct {
		Driver, Daemon, Knows string
		Running               bool
	}
}

// ids are the findings, but for hooks that have not run yet.
func (d diagnosis) ids() (ids []string) {
	for _, f := range d.Findings {
		if f.ID != "never-fired" {
			ids = append(ids, f.ID+" "+strings.TrimPrefix(f.Place, "/etc/libvirt/hooks/"))
		}
	}
	return ids
}

func (d diagnosis) neverFired(place string) bool {
	for _, f := range d.Findings {
		if f.ID == "never-fired" && f.Place == "/etc/libvirt/hooks/"+place {
			return true
		}
	}
	return false
}

func (d diagnosis) knows(driver string) string {
	for _, entry := range d.Drivers {
		if entry.Driver == driver {
			return entry.Knows
		}
	}
	return ""
}

// firing is a hook that says that it was run.
const firing = "#!/bin/sh\ncat >/dev/null\ntouch /run/virthook/fired\n"

const doctorProgram = "/run/virthook/virthook"

// patient is a host with the doctor inside.
func patient(t *testing.T, opts ...libvirtd.Option) host {
	t.Helper()
	needsRoot(t)
	h := host{libvirtd.Start(t, opts...), t}
	h.install(doctorProgram, libvirtd.Build(t, "github.com/virthook/virthook/cmd/virthook"))
	return h
}

func (h host) doctor() (d diagnosis) {
	h.t.Helper()
	cmd := h.Command(h.t.Context(), doctorProgram, "doctor", "--json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	require.NoError(h.t, json.Unmarshal(stdout.Bytes(), &d), "%v: %s%s", err, &stdout, &stderr)
	var exit *exec.ExitError
	if d.OK {
		require.NoError(h.t, err)
	} else if assert.ErrorAs(h.t, err, &exit) {
		assert.Equal(h.t, 1, exit.ExitCode())
	}
	return d
}

// mend runs the command of the one finding with the id.
func (h host) mend(d diagnosis, id string) {
	h.t.Helper()
	for _, f := range d.Findings {
		if f.ID == id {
			h.sh(f.Mend)
			return
		}
	}
	h.t.Fatalf("no finding %s among %v", id, d.Findings)
}

func (h host) sh(script string) {
	h.t.Helper()
	out, err := h.Command(h.t.Context(), "sh", "-euc", script).CombinedOutput()
	require.NoError(h.t, err, "%s: %s", script, out)
}

// Nothing is found on a healthy host, before and after its hooks have run.
func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	h := patient(t, hooks()...)
	d := h.doctor()
	assert.Empty(t, d.ids())
	assert.True(t, d.OK)
	assert.Equal(t, h.Version().String(), d.Libvirt)
	assert.Equal(t, "/etc/libvirt/hooks", d.HooksDir)
	assert.True(t, d.neverFired("qemu.d/50-hook"))
	assert.False(t, d.neverFired("daemon"), "it has run at the daemon's start")
	for _, driver := range d.Drivers {
		assert.Equal(t, "libvirtd", driver.Daemon)
		assert.True(t, driver.Running)
		assert.Equal(t, "yes", driver.Knows, driver.Driver)
	}
	assert.Len(t, d.Drivers, 4)

	h.Guest("web", libvirtd.Idle).Start()
	d = h.doctor()
	assert.Empty(t, d.ids())
	assert.False(t, d.neverFired("qemu.d/50-hook"))
}

// The first hook of a driver does not fire until the daemon is reloaded, and doctor
// knows which of the two it is.
func TestDoctorNotReloaded(t *testing.T) {
	t.Parallel()
	h := patient(t)
	h.Down()
	h.Remove("qemu")
	h.Up()
	d := h.doctor()
	assert.Empty(t, d.ids())
	assert.Equal(t, "no", d.knows("qemu"))
	assert.Equal(t, "yes", d.knows("network"))

	h.WriteHook("qemu.d/50-hook", firing)
	d = h.doctor()
	require.Equal(t, []string{"not-reloaded qemu"}, d.ids())
	assert.Equal(t, "problem", d.Findings[0].Severity)
	assert.Equal(t, "no", d.knows("qemu"))
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	guest.Destroy()
	assert.False(t, h.Exists("/run/virthook/fired"), "the hook has fired")
	assert.True(t, h.doctor().neverFired("qemu.d/50-hook"))

	h.Reload()
	d = h.doctor()
	assert.Empty(t, d.ids())
	assert.Equal(t, "yes", d.knows("qemu"))
	guest.Start()
	assert.True(t, h.Exists("/run/virthook/fired"))
	assert.False(t, h.doctor().neverFired("qemu.d/50-hook"))
}

// What doctor says of a hook is what libvirt does with it.
func TestDoctorIsRight(t *testing.T) {
	t.Parallel()
	h := patient(t)
	guest := h.Guest("web", libvirtd.Idle)
	const at = "/etc/libvirt/hooks/qemu.d/"
	for name, c := range map[string]struct {
		plant  func()
		id     string
		fires  bool
		refuse string // what libvirt says of the start; "": the guest starts
		mends  bool   // then it fires and the guest starts
	}{
		"healthy": {func() { h.WriteHook("qemu.d/60-x", firing) }, "", true, "", false},
		"mode": {func() { h.WriteHook("qemu.d/60-x", firing); h.sh("chmod 644 " + at + "60-x") },
			"not-executable qemu.d/60-x", false, "", true},
		"backup":      {func() { h.WriteHook("qemu.d/60-x~", firing) }, "backup-runs qemu.d/60-x~", true, "", false},
		"hidden":      {func() { h.WriteHook("qemu.d/.60-x.swp", firing) }, "backup-runs qemu.d/.60-x.swp", true, "", false},
		"text":        {func() { h.WriteHook("qemu.d/README", "#!/bin/sh\nexit 3\n") }, "document-runs qemu.d/README", false, "exit status 3", false},
		"folder":      {func() { h.WriteHook("qemu.d/60-x/run", firing) }, "not-a-file qemu.d/60-x", false, "", false},
		"interpreter": {func() { h.WriteHook("qemu.d/60-x", "#!/usr/bin/no-such\n") }, "interpreter-missing qemu.d/60-x", false, "exit status 127", false},
		"env":         {func() { h.WriteHook("qemu.d/60-x", "#!/usr/bin/env no-such\n") }, "interpreter-missing qemu.d/60-x", false, "exit status 127", false},
		"CR LF": {func() { h.WriteHook("qemu.d/60-x", strings.ReplaceAll(firing, "\n", "\r\n")) },
			"crlf qemu.d/60-x", false, "exit status 127", true},
		"no #!": {func() { h.WriteHook("qemu.d/60-x", firing[len("#!/bin/sh\n"):]) }, "no-format qemu.d/60-x", false, "exit status 126", true},
		"empty": {func() { h.WriteHook("qemu.d/60-x", "") }, "empty qemu.d/60-x", false, "exit status 126", false},
		"dangling": {func() { h.sh("mkdir -p " + at + "; ln -s /nowhere " + at + "60-x") },
			"dangling-link qemu.d/60-x", false, "", false},
		"file for a folder": {func() { h.sh("rm -rf " + at + "; echo >/etc/libvirt/hooks/qemu.d") },
			"driver-d-not-a-folder qemu.d", false, "cannot open directory", false},
		"helper": {func() { h.WriteHook("qemu.sh", firing) }, "never-looked-at qemu.sh", false, "", false},
		"machine": {func() {
			h.Install("qemu.d/60-x", testhook)
			// The field of the machine, e_machine, becomes ppc64.
			h.sh(`printf '\025\000' | dd of=` + at + `60-x bs=1 seek=18 conv=notrunc`)
		}, "wrong-machine qemu.d/60-x", false, "exit status 126", false},
		"noexec": {func() {
			h.WriteHook("qemu.d/60-x", firing)
			h.sh("mount --bind " + at + " " + at + " && mount -o remount,bind,noexec " + at)
		}, "noexec qemu.d/60-x", false, "exit status 126", true},
	} {
		h.sh("rm -rf /run/virthook/fired " + at + " /etc/libvirt/hooks/qemu.* && mkdir " + at)
		c.plant()
		d := h.doctor()
		try := func() error {
			_, err := guest.TryStart()
			if err == nil {
				guest.Destroy()
			}
			return err
		}
		if c.id == "" {
			assert.Empty(t, d.ids(), name)
		} else {
			assert.Contains(t, d.ids(), c.id, name)
			assert.Len(t, d.ids(), 1, name)
		}
		err := try()
		assert.Equal(t, c.fires, h.Exists("/run/virthook/fired"), name)
		if c.refuse == "" {
			assert.NoError(t, err, name)
		} else if assert.Error(t, err, name) {
			assert.Contains(t, err.Error()+h.Log(), c.refuse, name)
		}
		if c.mends {
			id, _, _ := strings.Cut(c.id, " ")
			h.mend(d, id)
			assert.Empty(t, h.doctor().ids(), name)
			assert.NoError(t, try(), name)
			assert.True(t, h.Exists("/run/virthook/fired"), name)
		}
		if name == "noexec" {
			h.sh("umount " + at)
		}
	}

	h.sh("rm -rf /etc/libvirt/hooks/qemu.*")
	h.Down()
	assert.Contains(t, h.doctor().ids(), "daemon-not-running libvirtd")
	h.Up()
	assert.Empty(t, h.doctor().ids())
}
