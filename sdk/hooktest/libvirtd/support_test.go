//go:build integration

package libvirtd_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// testhook is the compiled hook of these tests.
var testhook string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if err := libvirtd.Available(); err != nil {
		fmt.Fprintln(os.Stderr, "integration tests:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "virthook")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	testhook = filepath.Join(dir, "hook")
	build := exec.Command("go", "build", "-o", testhook, "./internal/testhook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the hook: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// host is a daemon with the test hook for every driver.
type host struct {
	*libvirtd.Daemon
	t *testing.T
}

func hooks() []libvirtd.Option {
	return []libvirtd.Option{
		libvirtd.Hook("daemon", testhook), libvirtd.Hook("qemu", testhook),
		libvirtd.Hook("lxc", testhook), libvirtd.Hook("network", testhook),
	}
}

func start(t *testing.T, opts ...libvirtd.Option) host {
	t.Helper()
	return host{libvirtd.Start(t, append(hooks(), opts...)...), t}
}

// system is start for tests that need root's daemon.
func system(t *testing.T) host {
	t.Helper()
	needsRoot(t)
	return start(t)
}

func pair(t *testing.T) (source, destination host) {
	t.Helper()
	needsRoot(t)
	s, d := libvirtd.StartPair(t, hooks()...)
	return host{s, t}, host{d, t}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: a session daemon has neither networks nor containers nor migration")
	}
}

// rules are what the test hook does from now on.
func (h host) rules(rules ...protocol.Rule) {
	h.t.Helper()
	content, err := json.Marshal(rules)
	require.NoError(h.t, err)
	h.WriteFile(protocol.RulesFile, content)
}

// typed are the documents that the handlers were given, in order.
func (h host) typed() (ts []protocol.Typed) {
	h.t.Helper()
	content, err := h.ReadFile(protocol.TypedFile)
	require.NoError(h.t, err)
	for line := range bytes.Lines(content) {
		var typed protocol.Typed
		require.NoError(h.t, json.Unmarshal(line, &typed), "%s", line)
		ts = append(ts, typed)
	}
	return ts
}

// ops are the operations that libvirt called about one object, in order, with the
// reason of those that have one.
func (h host) ops(driver, object string) (ops []string) {
	h.t.Helper()
	for _, c := range h.Calls() {
		if c.Driver == driver && c.Object == object {
			ops = append(ops, strings.TrimSuffix(c.Op+" "+c.Extra, " -"))
		}
	}
	return ops
}

// containerOps is ops of a container. libvirt's lxc driver may notice a container's
// end twice, from destroy and from its monitor, and then calls stopped and release
// twice, with two reasons: they are taken for one here, with the last reason.
func (h host) containerOps(object string) (ops []string) {
	h.t.Helper()
	for _, op := range h.ops("lxc", object) {
		word, _, _ := strings.Cut(op, " ")
		i := slices.IndexFunc(ops, func(o string) bool { return strings.HasPrefix(o, word) })
		if again := word == "stopped" || word == "release"; again && i >= 0 && i >= len(ops)-2 {
			ops = slices.Delete(ops, i, i+1)
		}
		ops = append(ops, op)
	}
	return ops
}

// release is how a release is called by this libvirt: with the reason or without.
func (h host) release(reason string) string {
	if h.Version().AtLeast(10, 5) {
		return "release " + reason
	}
	return "release"
}

// oracle decodes a call with encoding/xml, the way that libvirtxml means to be used.
func oracle(t *testing.T, c libvirtd.Call) protocol.Typed {
	t.Helper()
	typed := protocol.Typed{Op: c.Driver + "/" + c.Op}
	switch c.Driver {
	case "daemon":
	case "network":
		var data struct {
			Network libvirtxml.Network      `xml:"network"`
			Port    *libvirtxml.NetworkPort `xml:"networkport"`
		}
		require.NoError(t, xml.Unmarshal(c.XML, &data))
		typed.Name, typed.UUID, typed.Bridge = data.Network.Name, data.Network.UUID, data.Network.Bridge.Name
		if p := data.Port; p != nil {
			typed.Port, typed.MACs, typed.Owner = p.UUID, []string{p.MAC.Address}, p.Owner.Name
		}
	default:
		d := c.Domain()
		typed.Name, typed.UUID = d.Name, d.UUID
		typed.Memory = fmt.Sprint(d.Memory.Value, " ", d.Memory.Unit)
		if c.Extra != "-" {
			typed.Reason = c.Extra
		}
		for _, disk := range d.Devices.Disks {
			typed.Disks = append(typed.Disks, disk.Source.File.File)
		}
		for _, i := range d.Devices.Interfaces {
			typed.MACs = append(typed.MACs, i.MAC.Address)
		}
	}
	return typed
}

// requireSameCalls holds what the handlers were given against what libvirt sent.
func (h host) requireSameCalls() {
	h.t.Helper()
	var sent []protocol.Typed
	for _, c := range h.Calls() {
		typed := oracle(h.t, c)
		typed.Hook = "50-hook"
		sent = append(sent, typed)
	}
	given := h.typed()
	// Reconnects of several guests run at once: order counts within a guest only.
	byObject := func(a, b protocol.Typed) int { return strings.Compare(a.Name+a.Op[:3], b.Name+b.Op[:3]) }
	slices.SortStableFunc(sent, byObject)
	slices.SortStableFunc(given, byObject)
	require.Equal(h.t, sent, given)
}

func (h host) mustVirsh(args ...string) string {
	h.t.Helper()
	out, err := h.Virsh(args...)
	require.NoError(h.t, err)
	return out
}

// install puts a program anywhere inside.
func (h host) install(path, program string) {
	h.t.Helper()
	content, err := os.ReadFile(program)
	require.NoError(h.t, err)
	h.WriteFile(path, content)
	require.NoError(h.t, h.Command(h.t.Context(), "chmod", "755", path).Run())
}
