package hooktest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed string
	errors []string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Fatalf(format string, args ...any) { r.stop(fmt.Sprintf(format, args...)) }
func (r *recorder) Fatal(args ...any)                 { r.stop(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) stop(text string) { r.failed = text; panic(r) }

// failure runs f as a test of its own and returns what it failed with.
func failure(t *testing.T, f func(testing.TB)) string {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != r {
				panic(v)
			}
		}()
		f(r)
	}()
	return r.failed
}

func TestAssertions(t *testing.T) {
	refuse := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return errors.New("no room") })
	rename := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Title = "t"; return d, nil })
	prepare, migrate := hooktest.QemuPrepareBegin(), hooktest.QemuMigrateBegin()

	for name, x := range map[string]struct {
		f    func(t testing.TB)
		want string
	}{
		"ok":                {func(t testing.TB) { hooktest.Run(t, prepare).OK() }, ""},
		"not ok":            {func(t testing.TB) { hooktest.Run(t, prepare, refuse).OK() }, "qemu/prepare/begin of \"g1\": exit status 1: no room\n"},
		"refused":           {func(t testing.TB) { hooktest.Run(t, prepare, refuse).Refused("room") }, ""},
		"refused otherwise": {func(t testing.TB) { hooktest.Run(t, prepare, refuse).Refused("time") }, `qemu/prepare/begin of "g1": exit status 1 and "no room\n", want status 1 and "time"`},
		"not refused":       {func(t testing.TB) { hooktest.Run(t, prepare).Refused("") }, `qemu/prepare/begin of "g1": exit status 0 and "", want status 1 and ""`},
		"logged":            {func(t testing.TB) { hooktest.Run(t, prepare, refuse).Logged(`msg="no room"`) }, ""},
		"not logged": {func(t testing.TB) { hooktest.Run(t, prepare, refuse).Logged("no time") },
			"qemu/prepare/begin of \"g1\": \"no time\" is not in the log:\ntime="},
		"logged by a program": {func(t testing.TB) { hooktest.Exec(t, "/bin/true", prepare).Logged("x") }, "goes to the host's log"},
		"unchanged":           {func(t testing.TB) { hooktest.Run(t, migrate).Unchanged() }, ""},
		"changed":             {func(t testing.TB) { hooktest.Run(t, migrate, rename).Unchanged() }, "qemu/migrate/begin of \"m1\": the XML was changed:\n/domain/title: added <title>t</title>"},
		"unchanged, refused":  {func(t testing.TB) { hooktest.Run(t, prepare, refuse).Unchanged() }, "no room"},
		"domain":              {func(t testing.TB) { assert.Equal(t, "t", hooktest.Run(t, migrate, rename).Domain().Title) }, ""},
		"domain as it was":    {func(t testing.TB) { assert.Equal(t, "m1", hooktest.Run(t, migrate).Domain().Name) }, ""},
		"no domain":           {func(t testing.TB) { hooktest.Run(t, hooktest.DaemonStart()).Domain() }, `daemon/start/- of "-": decoding the domain: EOF`},
		"no program":          {func(t testing.TB) { hooktest.Exec(t, "/nonexistent", prepare) }, "/nonexistent"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, x.f)
			if x.want == "" {
				assert.Empty(t, got)
			}
			assert.Contains(t, got, x.want)
		})
	}
}

func TestEdits(t *testing.T) {
	c := hooktest.QemuStartBegin(
		func(d *libvirtxml.Domain) { d.Name = "web <1>" },
		func(d *libvirtxml.Domain) { d.Name += " & more" },
	)
	assert.Equal(t, "web <1> & more", c.Object)
	assert.Equal(t, "web <1> & more", hooktest.Run(t, c).Domain().Name)

	c = hooktest.NetworkStartBegin(func(n *libvirtxml.Network) { n.Name = "lan" })
	assert.Equal(t, "lan", c.Object)
	hooktest.Run(t, c, sdk.OnNetworkStartBegin(func(n *libvirtxml.Network) error { assert.Equal(t, "lan", n.Name); return nil })).OK()

	c = hooktest.NetworkPortDeletedBegin(func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) { p.Owner.Name = "web" })
	hooktest.Run(t, c, sdk.OnNetworkPortDeletedBegin(func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) error {
		assert.Equal(t, "web", p.Owner.Name)
		return nil
	})).OK()

	// An edit leaves all else as it was.
	plain, renamed := hooktest.QemuMigrateBegin(), hooktest.QemuMigrateBegin(func(d *libvirtxml.Domain) { d.Name = "db" })
	assert.Equal(t, strings.Replace(string(plain.XML), "<name>m1</name>", "<name>db</name>", 1), string(renamed.XML))
	ports, moved := hooktest.NetworkPortCreatedBegin(), hooktest.NetworkPortCreatedBegin(func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) {
		n.Name, p.Owner.Name = "lan", "web"
	})
	assert.Equal(t, strings.NewReplacer("<name>hk</name>", "<name>lan</name>", "<name>g1</name>", "<name>web</name>").Replace(string(ports.XML)), string(moved.XML))

	// What libvirt's bytes cannot be made to say is libvirtxml's to write.
	c = hooktest.LibxlMigrateBegin(func(d *libvirtxml.Domain) {
		target := d.Devices.Disks[0].Target
		d.Devices.Disks = []libvirtxml.DomainDisk{
			{Target: target, Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: "/a"}}},
			{Target: &libvirtxml.DomainDiskTarget{Dev: "xvdb"}, Device: "cdrom"},
		}
	})
	assert.Len(t, hooktest.Run(t, c).Domain().Devices.Disks, 2)
	assert.PanicsWithValue(t, "hooktest: qemu/start/begin: the edit cannot be made: the edited document has a character that XML cannot hold",
		func() { hooktest.QemuStartBegin(func(d *libvirtxml.Domain) { d.Title = "\x00" }) })
	assert.PanicsWithValue(t, "hooktest: network/start/begin: the edit cannot be made: the edited document has a character that XML cannot hold",
		func() { hooktest.NetworkStartBegin(func(n *libvirtxml.Network) { n.Name = "\x00" }) })
	assert.PanicsWithValue(t, "hooktest: qemu/start/begin: the edit changes nothing that the XML shows",
		func() {
			hooktest.QemuStartBegin(func(d *libvirtxml.Domain) { d.Devices.Watchdogs = []libvirtxml.DomainWatchdog{} })
		})

	// Without edits the bytes are libvirt's own: single quotes.
	assert.Contains(t, string(hooktest.QemuStartBegin().XML), "type='")
	assert.Equal(t, "-", hooktest.LxcReleaseEnd("").Extra)
	assert.Equal(t, "from snapshot", hooktest.LxcReleaseEnd(sdk.ShutoffReasonFromSnapshot).Extra)
	assert.PanicsWithValue(t, "hooktest: no XML is known for vbox/start/begin: make the Call yourself",
		func() { hooktest.DomainCall("vbox", "start", "begin", "") })
}

// Each call made by a generated function is one that its own handlers take.
func TestEveryConstructor(t *testing.T) {
	calls := []hooktest.Call{
		hooktest.BhyvePrepareBegin(), hooktest.BhyveStartBegin(), hooktest.BhyveStartedBegin(), hooktest.BhyveStoppedEnd(), hooktest.BhyveReleaseEnd(),
		hooktest.DaemonStart(), hooktest.DaemonReloadBegin(), hooktest.DaemonShutdown(),
		hooktest.LibxlPrepareBegin(), hooktest.LibxlStartBegin(), hooktest.LibxlStartedBegin(), hooktest.LibxlStoppedEnd(), hooktest.LibxlReleaseEnd(),
		hooktest.LibxlMigrateBegin(), hooktest.LibxlReconnectBegin(),
		hooktest.LxcPrepareBegin(), hooktest.LxcStartBegin(), hooktest.LxcStartedBegin(), hooktest.LxcStoppedEnd(),
		hooktest.LxcReleaseEnd(sdk.ShutoffReasonShutdown), hooktest.LxcReconnectBegin(),
		hooktest.NetworkStartBegin(), hooktest.NetworkStartedBegin(), hooktest.NetworkUpdatedBegin(), hooktest.NetworkPortCreatedBegin(),
		hooktest.NetworkPortDeletedBegin(), hooktest.NetworkStoppedEnd(),
		hooktest.QemuPrepareBegin(), hooktest.QemuStartBegin(), hooktest.QemuStartedBegin(), hooktest.QemuStoppedEnd(),
		hooktest.QemuReleaseEnd(sdk.ShutoffReasonCrashed), hooktest.QemuMigrateBegin(), hooktest.QemuRestoreBegin(), hooktest.QemuReconnectBegin(),
		hooktest.QemuAttachBegin(),
	}
	seen := map[string]bool{}
	for _, c := range calls {
		hooktest.Run(t, c, sdk.OnEach(func(_ context.Context, e sdk.Event) error {
			op := e.HookOp()
			assert.Equal(t, []string{c.Driver, c.Op, c.SubOp}, []string{op.Driver, op.Op, op.SubOp})
			seen[e.Info().ID()] = true
			return nil
		}, sdk.Events()...)).OK()
	}
	assert.Len(t, seen, 36)
}

func TestExec(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho \"$0 $*\" >&2; cat\nexit $(wc -c <\"$0\" | tr -dc 0-9 | cut -c1)\n"), 0o755))
	r := hooktest.Exec(t, program, hooktest.QemuMigrateBegin())
	assert.Regexp(t, `/qemu m1 migrate begin -\n$`, r.Stderr)
	assert.Equal(t, string(hooktest.QemuMigrateBegin().XML), string(r.Stdout))
	assert.NotZero(t, r.Status)
	_, err := exec.LookPath(program)
	require.NoError(t, err, "the program is still there")
}
