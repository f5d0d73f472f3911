package hooktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
	"github.com/virthook/virthook/sdk/hooktest"
)

// does is a hook whose handler of qemu/start/begin does that.
func does(f func(ctx context.Context) error) sdk.Option {
	return sdk.On(func(ctx context.Context, _ *sdk.QemuStartBegin) error { return f(ctx) })
}

func TestCommandsAreRecorded(t *testing.T) {
	rec := hooktest.Commands(t)
	rec.On("no-such-program", "show").Output("br0: up\n")
	marker := filepath.Join(t.TempDir(), "marker")
	hook := does(func(ctx context.Context) error {
		out, err := command.Output(ctx, "no-such-program", "show", "br0")
		assert.Equal(t, "br0: up\n", string(out))
		return errors.Join(err,
			command.Run(ctx, "touch", marker),
			command.Detach(ctx, "sleep", "1 2"),
			command.Command{Name: "/nowhere/nft", Args: []string{"-f", "-"}, Stdin: []byte("table x"), Env: []string{"A=b"}, Dir: "/tmp"}.Run(ctx))
	})
	hooktest.Run(t, hooktest.QemuStartBegin(), hook).OK()
	assert.NoFileExists(t, marker, "it was run")
	rec.Ran("no-such-program show br0", "touch "+marker, `sleep "1 2" &`, "/nowhere/nft -f -")
	rec.Ran()

	all := rec.Commands()
	require.Len(t, all, 4)
	assert.True(t, all[2].Detached)
	assert.Equal(t, hooktest.Command{Command: command.Command{
		Name: "/nowhere/nft", Args: []string{"-f", "-"}, Stdin: []byte("table x"), Env: []string{"A=b"}, Dir: "/tmp",
	}}, all[3])

	// Since the last Ran only.
	require.NoError(t, command.Run(hooktest.Context(t), "touch", marker))
	rec.Ran("touch " + marker)
	assert.Same(t, rec, hooktest.Commands(t))
}

func TestAnswers(t *testing.T) {
	rec := hooktest.Commands(t)
	rec.On("ip").Output("any")
	rec.On("ip", "link", "show").Fail(1, "no such device\n")
	rec.On("ip", "link", "show").Output("up")
	rec.On("ip", "link").Output("link").Fail(255, "worse")
	ctx := hooktest.Context(t)
	run := func(args ...string) (string, error) {
		out, err := command.Output(ctx, "ip", args...)
		return string(out), err
	}

	_, err := run("link", "show", "br0")
	var failed *command.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, command.Error{Command: "ip link show br0", Status: 1, Stderr: "no such device\n"}, *failed)
	for range 2 {
		out, err := run("link", "show", "br1")
		require.NoError(t, err)
		assert.Equal(t, "up", out)
	}
	out, err := run("link", "add")
	require.EqualError(t, err, "command: ip link add: exit status 255: worse")
	assert.Equal(t, "link", out)
	out, err = run("addr")
	require.NoError(t, err)
	assert.Equal(t, "any", out)
	out, err = run()
	require.NoError(t, err)
	assert.Equal(t, "any", out)
	require.NoError(t, command.Run(ctx, "ipset", "list"), "another program")

	require.EqualError(t, command.Detach(ctx, "ip", "link", "add"), `command: ip link add: not started, says the test: worse`)

	ended, cancel := context.WithCancelCause(ctx)
	cancel(errors.New("time is over"))
	before := len(rec.Commands())
	require.EqualError(t, command.Run(ended, "ip"), "command: ip: time is over")
	assert.Len(t, rec.Commands(), before)

	rec.On("huge").Output(string(make([]byte, 16<<20+1)))
	_, err = command.Output(ctx, "huge")
	require.EqualError(t, err, "command: huge: more than 16 MiB of output")
}

// What sdk/command refuses is refused without a program, too.
func TestRefusalsWhenRecorded(t *testing.T) {
	rec := hooktest.Commands(t)
	ctx := hooktest.Context(t)
	for want, c := range map[string]command.Command{
		"virsh asks libvirt":                   {Name: "virsh", Args: []string{"list"}},
		`"qemu:///system" is a libvirt`:        {Name: "sh", Args: []string{"-c", "x -c qemu:///system"}},
		"no such program in /usr/local/sbin":   {Name: "ip link show"},
		"neither an absolute path nor a plain": {Name: "./ip"},
		"holds a NUL":                          {Name: "ip", Args: []string{"\x00"}},
		`folder "x": not an absolute path`:     {Name: "ip", Dir: "x"},
		`environment "x": not NAME=VALUE`:      {Name: "ip", Env: []string{"x"}},
	} {
		assert.ErrorContains(t, c.Run(ctx), want)
	}
	require.NoError(t, command.Detach(ctx, "virsh", "list"))
	require.Error(t, command.Command{Name: "x", Stdin: []byte("y")}.Detach(ctx))
	rec.Ran("virsh list &")
}

func TestStrict(t *testing.T) {
	r := &recorder{TB: t}
	rec := hooktest.Commands(r).Strict()
	rec.On("ip")
	res := hooktest.Run(r, hooktest.QemuStartBegin(), does(func(ctx context.Context) error {
		return errors.Join(command.Run(ctx, "ip", "link"), command.Run(ctx, "tc", "qdisc"))
	}))
	res.Refused("command: tc qdisc: the test does not expect it: no On of its recorder fits")
	assert.Equal(t, []string{"hooktest: not expected: tc qdisc"}, r.errors)
	rec.Ran("ip link", "tc qdisc")
}

func TestRanFails(t *testing.T) {
	assert.Equal(t, "other commands than wanted (- wanted, + ran):\n  a\n- b\n+ c\n  d\n", failure(t, func(t testing.TB) {
		rec := hooktest.Commands(t)
		for _, name := range []string{"a", "c", "d"} {
			require.NoError(t, command.Run(hooktest.Context(t), name))
		}
		rec.Ran("a", "b", "d")
	}))
	t.Run("words", func(t *testing.T) {
		assert.Equal(t, `hooktest: On("ip link show"): give each word for itself, On("ip", "link", "show")`,
			failure(t, func(t testing.TB) { hooktest.Commands(t).On("ip link show") }))
	})
	for _, status := range []int{0, -1, 256} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			assert.Equal(t, fmt.Sprintf("hooktest: Fail(%d): the exit status of a failure is 1 to 255", status),
				failure(t, func(t testing.TB) { hooktest.Commands(t).On("x").Fail(status, "") }))
		})
	}
}

// Without Commands a command is run.
func TestCommandsAreRun(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	hooktest.Run(t, hooktest.QemuStartBegin(), does(func(ctx context.Context) error { return command.Run(ctx, "touch", marker) })).OK()
	assert.FileExists(t, marker)
}

// A recorder is that of its test and of those in it, and of no other.
func TestRecordersOfTests(t *testing.T) {
	outer := hooktest.Commands(t)
	var wait sync.WaitGroup
	wait.Add(2)
	t.Run("group", func(t *testing.T) {
		for _, name := range []string{"one", "two"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				rec := hooktest.Commands(t)
				rec.On("who").Output(name)
				wait.Done()
				wait.Wait() // both are there
				for range 50 {
					hooktest.Run(t, hooktest.QemuStartBegin(), does(func(ctx context.Context) error {
						out, err := command.Output(ctx, "who")
						assert.Equal(t, name, string(out))
						return err
					})).OK()
				}
				assert.Len(t, rec.Commands(), 50)
			})
		}
		t.Run("three", func(t *testing.T) {
			hooktest.Run(t, hooktest.QemuStartBegin(), does(func(ctx context.Context) error { return command.Run(ctx, "outer") })).OK()
		})
	})
	outer.Ran("outer")
}

// A handler that outlives its test runs nothing either.
func TestCommandAfterTheTest(t *testing.T) {
	var ctx context.Context
	marker := filepath.Join(t.TempDir(), "marker")
	t.Run("over", func(t *testing.T) {
		hooktest.Commands(t).Strict().On("touch")
		ctx = hooktest.Context(t)
	})
	require.NoError(t, command.Run(ctx, "touch", marker))
	require.ErrorContains(t, command.Run(ctx, "rm", marker), "the test does not expect it")
	assert.NoFileExists(t, marker)
}

// A cleanup that was registered before Commands comes after all of ours.
func TestCommandsInACleanup(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "marker")
	touch := does(func(ctx context.Context) error { return command.Run(ctx, "touch", marker) })
	for range 2 { // the same name, as with -count=2
		ran := -1
		again(t, func(t testing.TB, cleanup func(func())) {
			var rec *hooktest.Recorder
			cleanup(func() {
				hooktest.Run(t, hooktest.QemuStartBegin(), touch).OK()
				ran = len(rec.Commands())
			})
			rec = hooktest.Commands(t)
			hooktest.Run(t, hooktest.QemuStartBegin(), touch).OK()
		})
		assert.Equal(t, 2, ran)
	}
	assert.NoFileExists(t, marker)
	again(t, func(t testing.TB, _ func(func())) { hooktest.Run(t, hooktest.QemuStartBegin(), touch).OK() })
	assert.FileExists(t, marker, "the recorder is that of an earlier test")
}

// rerun is a test that is run several times under one name.
type rerun struct {
	testing.TB
	cleanups []func()
}

func (r *rerun) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func again(t *testing.T, f func(testing.TB, func(func()))) {
	r := &rerun{TB: t}
	f(r, r.Cleanup)
	for len(r.cleanups) > 0 {
		last := r.cleanups[len(r.cleanups)-1]
		r.cleanups = r.cleanups[:len(r.cleanups)-1]
		last()
	}
}

func TestCommandsOfTheRaw(t *testing.T) {
	rec := hooktest.Commands(t)
	c := hooktest.QemuStartBegin()
	var out bytes.Buffer
	args := []string{c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
	hook := does(func(ctx context.Context) error { return command.Run(ctx, "ip") })
	assert.Zero(t, sdk.Run(hooktest.Context(t), args, bytes.NewReader(c.XML), &out, &out, hook), out.String())
	rec.Ran("ip")
}
