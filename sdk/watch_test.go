//go:build linux || freebsd

package sdk_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
)

// familyPipe, descriptor 3, is a pipe that a hook and all that it starts have open: it
// is at its end when they are gone. The file must not be collected, which closes it.
var familyPipe = sync.OnceValue(func() *os.File { return os.NewFile(3, "pipe") })

// spawn starts a shell, whose standard output is the pipe, and lets it run.
func spawn(script string) error {
	child := exec.Command("/bin/sh", "-c", script)
	child.Stdout = familyPipe()
	return child.Start()
}

// bigFamily is a child, its child, one that has lost its parent, and one in a session
// and so in a process group of its own.
const bigFamily = `sh -c 'echo ready; sleep 1000' &
(sh -c 'echo ready; sleep 1000' &)
setsid sh -c 'echo ready; sleep 1000' &
trap '' TERM INT HUP
echo ready
while :; do sleep 1000; done`

func init() {
	programs["family"] = func() []sdk.Option {
		stuck := func(d *libvirtxml.Domain) error {
			if err := spawn(bigFamily); err != nil {
				return err
			}
			select {} // whatever its context says
		}
		return []sdk.Option{sdk.Timeout(3 * time.Second), sdk.OnQemuPrepareBegin(stuck), sdk.OnQemuReconnectBegin(stuck)}
	}
	programs["goes on starting"] = func() []sdk.Option {
		return []sdk.Option{sdk.Timeout(300 * time.Millisecond), sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			for {
				if err := spawn("echo ready; sleep 1000"); err != nil {
					return err
				}
			}
		})}
	}
	programs["waits for a child"] = func() []sdk.Option {
		return []sdk.Option{sdk.Timeout(300 * time.Millisecond), sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			if err := exec.Command("/bin/sleep", "1000").Run(); err != nil {
				return fmt.Errorf("the child: %w", err)
			}
			return nil
		})}
	}
	programs["waits"] = func() []sdk.Option {
		wait := func(ctx context.Context, e sdk.DomainEvent) error {
			untilSignalsAreWatched()
			fmt.Fprintln(familyPipe(), "ready")
			<-ctx.Done()
			return fmt.Errorf("undone after %w", ctx.Err())
		}
		return []sdk.Option{sdk.OnDomain(wait)}
	}
	programs["is late"] = func() []sdk.Option {
		wait := func(ctx context.Context, e sdk.DomainEvent) error {
			if at, ok := ctx.Deadline(); !ok || time.Until(at) > 50*time.Millisecond {
				return fmt.Errorf("the deadline is %v, %v", at, ok)
			}
			below, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-below.Done()
			return fmt.Errorf("undone after %w", ctx.Err())
		}
		return []sdk.Option{sdk.Timeout(50 * time.Millisecond), sdk.OnDomain(wait)}
	}
	programs["asks libvirt"] = func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			out, err := exec.Command("/bin/sh", "-c", `echo "$LIBVIRT_DEFAULT_URI"`).Output()
			return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
		})}
	}
	programs["leaves one behind"] = func() []sdk.Option {
		return []sdk.Option{sdk.Log(reportLog()), sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			child := exec.Command("/bin/sh", "-c", "echo ready; read line <&3; echo ended by itself")
			child.Stdout = familyPipe()
			child.ExtraFiles = []*os.File{os.NewFile(4, "to wait for")}
			return child.Start()
		})}
	}
}

// reportLog logs into the report.
func reportLog() slog.Handler {
	f, err := os.OpenFile(os.Getenv(reportVariable), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return slog.NewJSONHandler(f, nil)
}

// untilSignalsAreWatched returns when the process no longer dies of a SIGTERM: the
// first signal that a program asks for starts the loop of package signal.
func untilSignalsAreWatched() {
	stacks := make([]byte, 1<<20)
	for !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("os/signal.loop")) {
		runtime.Gosched()
	}
}

// hook is a hook that runs, and the pipe that it shares with all that it starts.
type hook struct {
	*exec.Cmd
	stderr strings.Builder
	pipe   *bufio.Reader
	report string
}

func startHook(t *testing.T, program, op string, set func(*exec.Cmd)) *hook {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // so that nothing hangs here
	t.Cleanup(cancel)
	h := &hook{Cmd: exec.CommandContext(ctx, os.Args[0]), pipe: bufio.NewReader(r), report: t.TempDir() + "/report"}
	h.Args = []string{qemuHook, "web", op, "begin", "-"}
	h.Env = append(os.Environ(), programVariable+"="+program, reportVariable+"="+h.report)
	h.Stdin, h.Stderr = strings.NewReader(string(sampleXML(t, "qemu", op, "begin"))), &h.stderr
	h.ExtraFiles = []*os.File{w}
	if set != nil {
		set(h.Cmd)
	}
	require.NoError(t, h.Start())
	require.NoError(t, w.Close())
	// Where a process is left the test fails here and not at the end of all tests.
	time.AfterFunc(time.Minute, func() { r.Close() })
	return h
}

// awaitReady waits for so many processes to say that they are there.
func (h *hook) awaitReady(t *testing.T, n int) {
	for range n {
		line, err := h.pipe.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "ready\n", line)
	}
}

// awaitEnd waits for the hook and for all that it started.
func (h *hook) awaitEnd(t *testing.T) (status int) {
	_ = h.Wait()
	_, err := io.ReadAll(h.pipe)
	require.NoError(t, err, "something that the hook started is still there")
	return h.ProcessState.ExitCode()
}

// The hook is in libvirtd's process group, so a sibling stands in for libvirtd.
func sibling(t *testing.T) (set func(*exec.Cmd), alive func() bool) {
	s := exec.Command("/bin/sleep", "1000")
	s.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, s.Start())
	over := make(chan struct{})
	go func() { _ = s.Wait(); close(over) }()
	t.Cleanup(func() { _ = s.Process.Kill(); <-over })
	set = func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: s.Process.Pid} }
	alive = func() bool {
		select {
		case <-over:
			return false
		default:
			return true
		}
	}
	return set, alive
}

func TestFamilyEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	set, alive := sibling(t)
	h := startHook(t, "family", "prepare", set)
	h.awaitReady(t, 4)
	assert.Equal(t, 1, h.awaitEnd(t))
	assert.Equal(t, `deadline: not done within 3s in qemu/prepare/begin of "web"`+"\n", h.stderr.String())
	assert.True(t, alive(), "the hook killed its own process group")
}

// A handler that waits for a child returns when that is ended, and its error is told.
func TestHandlerThatWaitsForAChild(t *testing.T) {
	t.Parallel()
	h := startHook(t, "waits for a child", "prepare", nil)
	assert.Equal(t, 1, h.awaitEnd(t))
	assert.Equal(t, `deadline: not done within 300ms: the child: signal: killed in qemu/prepare/begin of "web"`+"\n", h.stderr.String())
}

func TestFamilyEndsWithTheProcess(t *testing.T) {
	for _, x := range []struct {
		signal syscall.Signal
		op     string
		status int
		stderr string
	}{
		{syscall.SIGTERM, "prepare", 1, `deadline: the process was told to end: terminated: undone after context canceled in qemu/prepare/begin of "web"`},
		{syscall.SIGINT, "prepare", 1, `deadline: the process was told to end: interrupt: undone after context canceled in qemu/prepare/begin of "web"`},
		{syscall.SIGTERM, "reconnect", 0, `passed: deadline: the process was told to end: terminated: undone after context canceled in qemu/reconnect/begin of "web"`},
	} {
		t.Run(fmt.Sprint(x.signal, " ", x.op), func(t *testing.T) {
			t.Parallel()
			set, alive := sibling(t)
			h := startHook(t, "waits", x.op, set)
			h.awaitReady(t, 1)
			require.NoError(t, h.Process.Signal(x.signal))
			assert.Equal(t, x.status, h.awaitEnd(t))
			assert.Equal(t, x.stderr+"\n", h.stderr.String())
			assert.True(t, alive())
		})
	}
}

// A handler that was cut off may go on to start processes, until the very end.
func TestNoneIsStartedInTheEnd(t *testing.T) {
	t.Parallel()
	h := startHook(t, "goes on starting", "prepare", nil)
	h.awaitReady(t, 1)
	_, err := io.Copy(io.Discard, h.pipe)
	require.NoError(t, err)
	assert.Equal(t, 1, h.awaitEnd(t))
	assert.Contains(t, h.stderr.String(), "deadline: not done within 300ms")
}

// What the handler has to say in the end is not lost, and its context is one with a deadline.
func TestHandlerThatHeedsItsDeadline(t *testing.T) {
	t.Parallel()
	h := startHook(t, "is late", "prepare", nil)
	assert.Equal(t, 1, h.awaitEnd(t))
	assert.Equal(t, `deadline: not done within 50ms: undone after context deadline exceeded in qemu/prepare/begin of "web"`+"\n", h.stderr.String())
}

func TestChildrenCannotAskLibvirt(t *testing.T) {
	t.Parallel()
	a := process{program: "asks libvirt", argv: []string{qemuHook, "g", "prepare", "begin", "-"}, stdin: sampleXML(t, "qemu", "prepare", "begin")}.run(t)
	assert.Contains(t, a.stderr, "a hook must not ask libvirt")
}

// Who returns in time may leave a child. It is told, and not ended.
func TestLeftBehind(t *testing.T) {
	t.Parallel()
	wait, end, err := os.Pipe() // for the child to wait for
	require.NoError(t, err)
	defer wait.Close()
	h := startHook(t, "leaves one behind", "prepare", func(c *exec.Cmd) { c.ExtraFiles = append(c.ExtraFiles, wait) })
	h.awaitReady(t, 1)
	_ = h.Wait()
	assert.Zero(t, h.ProcessState.ExitCode(), h.stderr.String())
	log, err := os.ReadFile(h.report)
	require.NoError(t, err)
	assert.Contains(t, string(log), "left processes behind")
	assert.Contains(t, string(log), "(sh)")
	require.NoError(t, end.Close())
	line, err := h.pipe.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "ended by itself\n", line)
}

// What comes after a handler that has used up the time, but succeeded, is not left out in silence.
func TestNoTimeLeft(t *testing.T) {
	var ran []string
	slow := sdk.On(func(ctx context.Context, _ *sdk.QemuPrepareBegin) error {
		<-ctx.Done()
		ran = append(ran, "slow")
		return nil
	})
	next := sdk.On(func(context.Context, *sdk.QemuPrepareBegin) error {
		ran = append(ran, "next")
		return nil
	})
	run := func(opts ...sdk.Option) (int, string) {
		var stderr strings.Builder
		opts = slices.Insert(opts, 0, sdk.Timeout(time.Millisecond))
		status := sdk.Run(t.Context(), []string{qemuHook, "g", "prepare", "begin", "-"}, strings.NewReader("<domain/>"), io.Discard, &stderr, opts...)
		return status, stderr.String()
	}
	status, stderr := run(slow)
	assert.Zero(t, status, stderr)
	status, stderr = run(slow, next)
	assert.Equal(t, 1, status)
	assert.Equal(t, `deadline: not done within 1ms in qemu/prepare/begin of "g"`+"\n", stderr)
	assert.Equal(t, []string{"slow", "slow"}, ran)
}
