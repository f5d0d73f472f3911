package hookexec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/hookexec"
)

// onlyLinux is for tests of who holds a pipe, which only Linux tells.
func onlyLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
}

// found calls then as soon as it is known what keeps a hook's outputs open.
func found(then func(hookexec.Waiting)) hookexec.Option {
	once := false
	return hookexec.OnWait(0, func(w hookexec.Waiting) {
		if w.Exited && len(w.Left) > 0 && !once {
			once = true
			then(w)
		}
	})
}

// TestLeft: who keeps which output open is found while it is waited for, and is in
// the result although it is gone then.
func TestLeft(t *testing.T) {
	onlyLinux(t)
	for _, tt := range []struct{ redirect, holds string }{
		{"", "stdout and stderr"},
		{"2>/dev/null", "stdout"},
		{">/dev/null", "stderr"},
		{"9>&1 >/dev/null 2>&1", "stdout"},
	} {
		t.Run(tt.holds, func(t *testing.T) {
			dir := t.TempDir()
			leave, ready := fifo(t, dir, "leave"), fifo(t, dir, "ready")
			path := script(t, dir, "qemu", fmt.Sprintf(`(exec %s; echo >%s; exec cat %s) &
echo $! >%s/pid; read x <%[2]s`, tt.redirect, ready, leave, dir))
			var told hookexec.Waiting
			r, err := hookexec.Run(t.Context(), path, hookexec.Call{Input: []byte("<domain/>")}, found(func(w hookexec.Waiting) {
				told = w
				write(leave)
			}))
			require.NoError(t, err)
			pid, err := os.ReadFile(dir + "/pid")
			require.NoError(t, err)
			require.Len(t, r.Left, 1)
			assert.Equal(t, string(pid), fmt.Sprintln(r.Left[0].PID))
			assert.Equal(t, tt.holds, r.Left[0].Holds)
			assert.Equal(t, hookexec.Waiting{Path: path, Exited: true, Left: told.Left}, told)
			assert.Equal(t, r.Left[0].PID, told.Left[0].PID)
			assert.Greater(t, r.Duration, r.Exited)
			assert.Positive(t, r.Exited)
		})
	}
}

// TestLeftCommand: the command line is one line of bounded length, whatever it holds.
func TestLeftCommand(t *testing.T) {
	onlyLinux(t)
	for name, tt := range map[string]struct{ arg, want string }{
		"plain":   {`one`, ` -c "read x" one`},
		"control": {`"$(printf 'a\nb\033[31m')"`, ` -c "read x" "a\nb\x1b[31m"`},
		"empty":   {`''`, ` -c "read x" ""`},
		"long":    {`$(printf '%0400d' 7)`, strings.Repeat("0", 100) + "…"},
		"UTF-8":   {`"$(printf 'ü%.0s' $(seq 200))"`, "ü…"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			leave := fifo(t, dir, "leave")
			path := script(t, dir, "qemu", fmt.Sprintf(`sh -c 'read x' %s <>%s &
while read -r line </proc/$!/comm; [ "$line" != sh ]; do :; done`, tt.arg, leave))
			r, err := hookexec.Run(t.Context(), path, hookexec.Call{}, found(func(hookexec.Waiting) { write(leave) }))
			require.NoError(t, err)
			require.Len(t, r.Left, 1)
			assert.True(t, strings.HasSuffix(r.Left[0].Command, tt.want), r.Left[0].Command)
			assert.LessOrEqual(t, len(r.Left[0].Command), 210)
		})
	}
}

// TestLeftStdin: libvirt also waits until its input is read or nobody can.
func TestLeftStdin(t *testing.T) {
	onlyLinux(t)
	dir := t.TempDir()
	leave := fifo(t, dir, "leave")
	path := script(t, dir, "qemu", fmt.Sprintf(`exec 9<&0
cat %s >/dev/null 2>&1 &`, leave))
	r, err := hookexec.Run(t.Context(), path, hookexec.Call{Input: make([]byte, 1<<20)}, found(func(hookexec.Waiting) { write(leave) }))
	require.NoError(t, err)
	require.Len(t, r.Left, 1)
	assert.Equal(t, "stdin", r.Left[0].Holds)
}

func TestNothingLeft(t *testing.T) {
	r, err := hookexec.Run(t.Context(), script(t, t.TempDir(), "qemu", "cat; sleep 1000 >/dev/null 2>&1 & kill $!"), hookexec.Call{Input: []byte("x")})
	require.NoError(t, err)
	assert.Empty(t, r.Left)
	assert.Positive(t, r.Exited)
	assert.GreaterOrEqual(t, r.Duration, r.Exited)
	assert.False(t, r.Start.IsZero())
	assert.Contains(t, r.Env, "LC_ALL=C")
}

// TestLeftWhenGivenUp: also the end of the context says who was waited for.
func TestLeftWhenGivenUp(t *testing.T) {
	onlyLinux(t)
	dir := t.TempDir()
	alone, leave, ready := fifo(t, dir, "alone"), fifo(t, dir, "leave"), fifo(t, dir, "ready")
	reason := errors.New("enough")
	for name, tt := range map[string]struct {
		body  string
		start string
		state hookexec.State
	}{
		"after the exit": {fmt.Sprintf(`hook=$$
(while kill -0 $hook; do :; done 2>/dev/null; echo >%s; exec cat %s) &`, alone, leave), alone, hookexec.OutputOpen},
		"before": {fmt.Sprintf(`(echo >%s; exec cat %s) &
kill -STOP $$`, ready, leave), ready, hookexec.Killed},
	} {
		t.Run(name, func(t *testing.T) {
			path := script(t, t.TempDir(), "qemu", tt.body)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				read(tt.start)
				cancel(reason)
			}()
			r, err := hookexec.Run(ctx, path, hookexec.Call{})
			write(leave)
			var unended *hookexec.UnendedError
			require.ErrorAs(t, err, &unended)
			assert.Equal(t, hookexec.UnendedError{Path: path, State: tt.state, Cause: reason}, *unended)
			require.Len(t, r.Left, 1, "the hook itself is not among them")
			assert.Equal(t, "stdout and stderr", r.Left[0].Holds)
		})
	}
}

// TestOnWait: first the hook itself is waited for, then what it left behind, and
// each is told once.
func TestOnWait(t *testing.T) {
	onlyLinux(t)
	dir := t.TempDir()
	goOn, leave := fifo(t, dir, "on"), fifo(t, dir, "leave")
	path := script(t, dir, "qemu", fmt.Sprintf("read x <%s; cat %s & ", goOn, leave))
	var told []string
	r, err := hookexec.Run(t.Context(), path, hookexec.Call{}, hookexec.OnWait(0, func(w hookexec.Waiting) {
		told = append(told, fmt.Sprint(w.Exited, len(w.Left)))
		assert.Equal(t, path, w.Path)
		switch {
		case !w.Exited:
			write(goOn)
		case len(w.Left) > 0:
			go func() { // it is looked at again before long, and that is nothing to tell
				for range 2 {
					again := fifo(t, t.TempDir(), "leave")
					_, _ = hookexec.Run(t.Context(), script(t, t.TempDir(), "qemu", "cat "+again+" &"), hookexec.Call{},
						found(func(hookexec.Waiting) { write(again) }))
				}
				write(leave)
			}()
		}
	}))
	require.NoError(t, err)
	assert.Len(t, r.Left, 1)
	require.NotEmpty(t, told)
	assert.Equal(t, "false 0", told[0])
	assert.Equal(t, "true 1", told[len(told)-1])
	assert.LessOrEqual(t, len(told), 3)
	assert.Equal(t, 1, strings.Count(strings.Join(told, ","), "true 1"))
}

func TestOutputIsBounded(t *testing.T) {
	r, err := hookexec.Run(t.Context(), script(t, t.TempDir(), "qemu", "head -c 70000000 /dev/zero; echo end >&2"), hookexec.Call{})
	require.NoError(t, err)
	assert.Len(t, r.Stdout, 64<<20)
	assert.Equal(t, "end\n", string(r.Stderr))
}

func TestFolderError(t *testing.T) {
	hooks := t.TempDir()
	file(t, hooks, "qemu.d", "a file", 0o644)
	_, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu"}, true)
	assert.EqualError(t, err, "cannot open directory '"+hooks+"/qemu.d': Not a directory")
}
