package hooktest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

func TestScenario(t *testing.T) {
	var names, reasons []string
	hooks := sdk.Group(
		sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
			names = append(names, e.Guest().Name)
			return nil
		}),
		sdk.OnQemuReleaseEnd(func(_ *libvirtxml.Domain, r sdk.ShutoffReason) error {
			reasons = append(reasons, string(r))
			return nil
		}),
	)
	booted := hooktest.Guest("web").On("lan").Boot()
	life := booted.Crash().Run(t, hooks).OK()
	assert.Equal(t, []string{
		"qemu/prepare", "network/port-created", "qemu/start", "qemu/started",
		"qemu/stopped", "network/port-deleted", "qemu/release",
	}, life.Order())
	booted.Save().Restore().Destroy().Run(t, hooks).OK() // the same beginning, another end
	assert.Equal(t, []string{"crashed", "saved", "destroyed"}, reasons)
	for _, name := range names {
		assert.Equal(t, "web", name)
	}
	assert.Len(t, life.Calls("release"), 1)
	assert.Len(t, life.Calls("network/port-created", "prepare"), 2)
	assert.Equal(t, []string{"start web", "crash web"}, []string{life.Steps[0].Name, life.Steps[1].Name})

	assert.Equal(t, []string{"qemu/prepare", "qemu/start", "qemu/stopped", "qemu/release"}, hooktest.Guest("web").FailToBoot().Run(t).Order())
	assert.Equal(t, []string{"lxc/prepare", "lxc/start", "lxc/started", "daemon/shutdown", "daemon/start", "lxc/reconnect", "lxc/stopped", "lxc/release"},
		hooktest.Container("box").Boot().RestartDaemon().Shutdown().Run(t).OK().Order())
	assert.Equal(t, []string{"network/start", "network/started", "daemon/reload"},
		hooktest.Guest("web").Then("net-start", "lan").Then("daemon-reload").Run(t).OK().Order())
}

func TestScenarioRefused(t *testing.T) {
	refuse := sdk.OnQemuStartedBegin(func(*libvirtxml.Domain) error { return errors.New("no room") })
	life := hooktest.Guest("web").Boot().Run(t, refuse)
	life.Refused("no room")
	assert.Equal(t, "start refused", life.Steps[0].Outcome)
	assert.Equal(t, []string{"qemu/prepare", "qemu/start", "qemu/started", "qemu/stopped", "qemu/release"}, life.Order())
	life.Calls("started")[0].Refused("no room")

	// An error at reconnect kills, a panic does not.
	kill := sdk.OnQemuReconnectBegin(func(*libvirtxml.Domain) error { return errors.New("gone") })
	life = hooktest.Guest("web").Boot().RestartDaemon().Run(t, kill)
	life.Refused("gone")
	assert.Equal(t, "guest killed", life.Steps[1].Outcome)
	buggy := sdk.OnQemuReconnectBegin(func(*libvirtxml.Domain) error { panic("a bug") })
	hooktest.Guest("web").Boot().RestartDaemon().Run(t, buggy).OK()

	// 11.3.0 loses what was saved.
	lose := sdk.OnQemuRestoreBegin(func(*libvirtxml.Domain) (*libvirtxml.Domain, error) { return nil, errors.New("no") })
	life = hooktest.Guest("web").Libvirt("11.3.0").Boot().Save().Restore().Run(t, lose)
	assert.Equal(t, "saved state lost", life.Calls("restore")[0].Libvirt())
	assert.Equal(t, "restore refused", hooktest.Run(t, hooktest.QemuRestoreBegin(), lose).Libvirt())

	// Before 10.5 there is no reason.
	sawReason := sdk.OnQemuReleaseEnd(func(_ *libvirtxml.Domain, r sdk.ShutoffReason) error { assert.Empty(t, r); return nil })
	hooktest.Guest("web").Libvirt("9.0.0").Boot().Destroy().Run(t, sawReason).OK()
}

func TestLibvirt(t *testing.T) {
	fails := sdk.OnAny(func(context.Context, *sdk.Call) error { return errors.New("no") })
	for want, call := range map[string]hooktest.Call{
		"start refused": hooktest.QemuPrepareBegin(), "guest killed": hooktest.QemuReconnectBegin(),
		"failure only logged": hooktest.QemuStoppedEnd(), "migration refused": hooktest.LibxlMigrateBegin(),
		"port refused": hooktest.NetworkPortCreatedBegin(), "refused": {Driver: "qemu", Object: "web", Op: "newest", SubOp: "begin"},
	} {
		assert.Equal(t, want, hooktest.Run(t, call, fails).Libvirt())
		assert.Equal(t, "continues", hooktest.Run(t, call).Libvirt())
	}
}

// What a filter makes of a guest is what the calls after it get.
func TestScenarioFilter(t *testing.T) {
	titles := map[string]string{}
	hooks := sdk.Group(
		sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Title = "moved"; return d, nil }),
		sdk.OnQemuStartBegin(func(d *libvirtxml.Domain) error { titles["start"] += d.Title + "."; return nil }),
	)
	life := hooktest.Guest("web").Boot().Migrate().Shutdown().Run(t, hooks).OK()
	assert.Equal(t, map[string]string{"start": ".moved."}, titles)
	assert.Equal(t, "moved", life.Calls("migrate")[0].Domain().Title)

	broken := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Memory.Value *= 2; return d, nil })
	hooktest.Guest("web").Boot().Migrate().Run(t, broken, sdk.CheckABI(false)).Refused("Target domain max memory")
}

func TestScenarioEdits(t *testing.T) {
	s := hooktest.Guest("web", func(d *libvirtxml.Domain) { d.Title = "shop" }).On("lan").Boot().Destroy()
	seen := 0
	life := s.Run(t, sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
		assert.Equal(t, "shop", e.Guest().Title)
		assert.Equal(t, "web", e.Guest().Name)
		seen++
		return nil
	})).OK()
	assert.Equal(t, 5, seen)
	assert.Len(t, life.Calls("port-created"), 1)
}

func TestScenarioAtOnce(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("web-%d", i))
	}
	var mu sync.Mutex
	seen := map[string]int{}
	life := hooktest.Guests(names...).Boot().Shutdown().Run(t, sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Guest().Name]++
		return nil
	})).OK()
	assert.Len(t, seen, 50)
	assert.Len(t, life.Calls(), 250)
}

func TestScenarioExec(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	script := "#!/bin/sh\n[ \"$2\" != started ] || { echo no room >&2; exit 3; }\n[ \"$2\" != stopped ] || kill -9 $$\n"
	require.NoError(t, os.WriteFile(program, []byte(script), 0o755))
	life := hooktest.Guest("web").Boot().Exec(t, program)
	life.Refused("unexpected exit status 3: no room")
	assert.Contains(t, life.String(), "start web: start refused\n  qemu/prepare/begin           web          continues\n")
	assert.Contains(t, life.String(), "qemu/stopped/end             web          failure only logged\n")
}

func TestScenarioFailures(t *testing.T) {
	refuse := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return errors.New("no room") })
	for name, x := range map[string]struct {
		f    func(t testing.TB)
		want string
	}{
		"not ok":           {func(t testing.TB) { hooktest.Guest("web").Boot().Run(t, refuse).OK() }, "start web: start refused: Hook script execution failed: "},
		"nothing done":     {func(t testing.TB) { hooktest.Guest("web").Destroy().Run(t).OK() }, "destroy web: not done: web is off"},
		"not refused":      {func(t testing.TB) { hooktest.Guest("web").Boot().Run(t).Refused("") }, `start web: continues: "", want a refusal with ""`},
		"refused for else": {func(t testing.TB) { hooktest.Guest("web").Boot().Run(t, refuse).Refused("time") }, `no room", want a refusal with "time"`},
		"no steps":         {func(t testing.TB) { hooktest.Guest("web").Run(t).Refused("") }, "the scenario has no steps"},
		"wrong scenario":   {func(t testing.TB) { hooktest.Guest("web").Then("fly").Run(t) }, `the scenario: step 1, fly: there is no action "fly"`},
		"wrong version":    {func(t testing.TB) { hooktest.Guest("web").Libvirt("newest").Boot().Run(t) }, `the scenario: "newest" is not a version`},
		"no program":       {func(t testing.TB) { hooktest.Guest("web").Boot().Exec(t, "/nonexistent") }, "/nonexistent"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, failure(t, x.f), x.want)
		})
	}
	// A scenario is a value.
	s := hooktest.Guest("web").Boot()
	a, b := s.Crash(), s.Destroy()
	assert.Contains(t, strings.Join(a.Run(t).Order(), " "), "release")
	assert.Equal(t, "destroy web", b.Run(t).Steps[1].Name)
	assert.Len(t, s.Run(t).Steps, 1)
}
