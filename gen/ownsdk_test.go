package gen_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/spec"
)

// module is a Go module of somebody else's that uses this one.
type module struct{ dir string }

func newModule(t *testing.T) module {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	m := module{dir: t.TempDir()}
	m.write(t, "go.mod", `module example.com/own

go 1.25.0

require github.com/virthook/virthook v0.0.0

replace github.com/virthook/virthook => `+root+"\n")
	sum, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	m.write(t, "go.sum", string(sum))
	return m
}

func (m module) write(t *testing.T, name, content string) {
	file := filepath.Join(m.dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

// goCommand runs the go command without a network.
func (m module) goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func ownSpec(t *testing.T) *spec.Spec {
	s, err := spec.Load(os.DirFS("testdata/ownspec"))
	require.NoError(t, err)
	return s
}

// An SDK generated in another module, from a spec with an operation and a driver
// of its own, compiles, and its handlers mix with ours in one Main.
func TestOwnSDK(t *testing.T) {
	m := newModule(t)
	for name, content := range render(t, ownSpec(t), "example.com/own/hooks-sdk") {
		m.write(t, "hooks-sdk/"+name, string(content))
	}
	m.write(t, "main.go", `package main

import (
	"context"
	"fmt"
	"os"

	"example.com/own/hooks-sdk"
	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

func say(a ...any) {
	f, err := os.OpenFile(os.Getenv("REPORT"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(f, a...)
}

func main() {
	sdk.Main(
		sdk.OnQemuStartBegin(func(d *libvirtxml.Domain) error { say("ours", d.Name); return nil }),
		hookssdk.OnQemuHibernateBegin(func(d *libvirtxml.Domain, depth hookssdk.SleepDepth) (*libvirtxml.Domain, error) {
			say("own", d.Name, depth == hookssdk.SleepDepthVeryDeep)
			d.Title = "asleep"
			return d, nil
		}),
		sdk.On(func(_ context.Context, e *hookssdk.QemuHibernateBegin) error {
			say("rich", e.Domain.Title, e.Depth)
			return nil
		}),
		hookssdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error { say("domain", e.Info().ID()); return nil }),
		hookssdk.OnGpuLend(func() error { say("gpu"); return nil }),
		sdk.OnAny(func(_ context.Context, c *sdk.Call) error { say("any", c.ID()); return nil }),
	)
}
`)
	// Its test kit has the added operation too.
	m.write(t, "main_test.go", `package main

import (
	"testing"

	"example.com/own/hooks-sdk"
	"example.com/own/hooks-sdk/hooktest"
	kit "github.com/virthook/virthook/sdk/hooktest"
	"libvirt.org/go/libvirtxml"
)

func TestHibernate(t *testing.T) {
	call := hooktest.QemuHibernateBegin(hookssdk.SleepDepthLight, func(d *libvirtxml.Domain) { d.Name = "bear" })
	d := kit.Run(t, call, hookssdk.OnQemuHibernateBegin(func(d *libvirtxml.Domain, depth hookssdk.SleepDepth) (*libvirtxml.Domain, error) {
		d.Title = string(depth)
		return d, nil
	})).Domain()
	if d.Title != "light" || d.Name != "bear" {
		t.Fatal(d.Title, d.Name)
	}
	kit.Run(t, hooktest.GpuLend(), hookssdk.OnGpuLend(func() error { return nil })).Unchanged()
}
`)
	out, err := m.goCommand("vet", "./...")
	require.NoError(t, err, out)
	out, err = m.goCommand("test", "./...")
	require.NoError(t, err, out)
	out, err = m.goCommand("build", "-o", "hook", ".")
	require.NoError(t, err, out)

	sample, ok := captures.Sample("qemu", "start", "begin")
	require.True(t, ok)
	report := filepath.Join(m.dir, "report")
	fire := func(argv ...string) string {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(filepath.Join(m.dir, "hook"))
		cmd.Args = argv
		cmd.Env = []string{"REPORT=" + report}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(sample.XML), &stdout, &stderr
		require.NoError(t, cmd.Run(), "%s", &stderr)
		return stdout.String()
	}
	assert.Empty(t, fire("hooks/qemu", "g", "start", "begin", "-"))
	assert.Contains(t, fire("hooks/qemu", "g", "hibernate", "begin", "very deep"), "<title>asleep</title>")
	assert.Empty(t, fire("hooks/gpu", "-", "lend", "-", "now"))
	got, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Equal(t, strings.Join([]string{
		"ours g1", "any qemu/start/begin",
		"own g1 true", "rich asleep very deep", "domain qemu/hibernate/begin", "any qemu/hibernate/begin",
		"gpu", "any gpu/lend/-", "",
	}, "\n"), string(got))
}

// Generated code of another release says so when it is compiled.
func TestHandshake(t *testing.T) {
	m := newModule(t)
	for name, content := range render(t, ownSpec(t), "example.com/own/hooks") {
		m.write(t, "hooks/"+name, strings.ReplaceAll(string(content), "hookimpl.Version1", "hookimpl.Version2"))
	}
	out, err := m.goCommand("build", "./hooks")
	assert.Error(t, err)
	assert.Contains(t, out, "undefined: hookimpl.Version2")
	events, err := os.ReadFile(filepath.Join(m.dir, "hooks", "events.gen.go"))
	require.NoError(t, err)
	assert.Contains(t, string(events), "generate again.\nconst _ = hookimpl.Version2")
}

// A handler of the wrong type does not compile.
func TestWrongSignatures(t *testing.T) {
	m := newModule(t)
	for _, option := range []string{
		"sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) error { return nil })",
		"sdk.OnQemuPrepareBegin(func(d libvirtxml.Domain) error { return nil })",
		"sdk.OnQemuReleaseEnd(func(d *libvirtxml.Domain, reason string) error { return nil })",
		"sdk.OnNetworkStartBegin(func(d *libvirtxml.Domain) error { return nil })",
		"sdk.OnNetworkPortCreatedBegin(func(n *libvirtxml.Network) error { return nil })",
		"sdk.OnDaemonStart(func() {})",
		"sdk.On(func(ctx context.Context, e sdk.QemuStartBegin) error { return nil })",
		"sdk.On(func(ctx context.Context, d *libvirtxml.Domain) error { return nil })",
		"sdk.OnAny(func(c *sdk.Call) error { return nil })",
		"sdk.OnDomain(func(ctx context.Context, e *sdk.QemuStartBegin) error { return nil })",
		"func(d *libvirtxml.Domain) error { return nil }",
	} {
		m.write(t, "main.go", `package main

import (
	"context"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

var (
	_ context.Context
	_ libvirtxml.Domain
)

func main() { sdk.Main(`+option+`) }
`)
		out, err := m.goCommand("build", "-o", os.DevNull, ".")
		assert.Error(t, err, option)
		assert.Regexp(t, `main\.go:15:\d+: `, out, option)
	}
}
