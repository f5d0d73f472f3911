package hookexec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/hookexec"
)

// TestMain makes the test binary a hook that says what it was given, when it is
// called under the name of a driver. A variable could not tell it: hooks get none.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "qemu" {
		probe()
		return
	}
	os.Exit(m.Run())
}

type report struct {
	Args, Env []string
	Dir       string
	Stdin     string
	DevNull   bool
}

func probe() {
	in, _ := io.ReadAll(os.Stdin)
	info, _ := os.Stdin.Stat()
	null, _ := os.Stat(os.DevNull)
	dir, _ := os.Getwd()
	_ = json.NewEncoder(os.Stdout).Encode(report{os.Args, os.Environ(), dir, string(in), os.SameFile(info, null)})
	// Not by returning: a program with the race detector takes a second to exit.
	_ = syscall.Exec("/bin/sh", []string{"sh", "-c", "exit 0"}, nil)
}

func runProbe(t *testing.T, c hookexec.Call) report {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path, cleanup, err := hookexec.Link(self, "qemu")
	require.NoError(t, err)
	defer cleanup()
	r, err := hookexec.Run(t.Context(), path, c)
	require.NoError(t, err)
	require.Zero(t, r.Status, "%s", r.Stderr)
	assert.Equal(t, path, r.Path)
	var got report
	require.NoError(t, json.Unmarshal(r.Stdout, &got))
	assert.Equal(t, got.Args, r.Argv)
	return got
}

func TestArguments(t *testing.T) {
	for _, name := range []string{"g1", "a b", `a "b" 'c'`, "$HOME `x` *", "line\nline", "--help", "-"} {
		t.Run(name, func(t *testing.T) {
			got := runProbe(t, hookexec.Call{Driver: "qemu", Object: name, Op: "release", SubOp: "end", Extra: "from snapshot"})
			assert.Equal(t, []string{name, "release", "end", "from snapshot"}, got.Args[1:])
		})
	}
	t.Run("missing operands", func(t *testing.T) {
		got := runProbe(t, hookexec.Call{Driver: "qemu", Op: "x"})
		assert.Equal(t, []string{"-", "x", "-", "-"}, got.Args[1:])
	})
}

func TestEnvironment(t *testing.T) {
	for _, name := range []string{"LD_PRELOAD", "LD_LIBRARY_PATH", "USER", "LOGNAME", "TMPDIR", "DYLD_INSERT_LIBRARIES", "DYLD_FORCE_FLAT_NAMESPACE"} {
		t.Setenv(name, "") // so that it is restored
		require.NoError(t, os.Unsetenv(name))
	}
	t.Setenv("PATH", "/usr/bin:/bin")
	t.Setenv("HOME", "/root")
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("EDITOR", "vi")
	got := runProbe(t, hookexec.Call{Driver: "qemu"})
	assert.Equal(t, []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/root"}, got.Env)

	temp := t.TempDir()
	t.Setenv("USER", "root")
	t.Setenv("LOGNAME", "")
	t.Setenv("TMPDIR", temp)
	t.Setenv("LD_LIBRARY_PATH", "/opt/lib")
	got = runProbe(t, hookexec.Call{Driver: "qemu"})
	assert.Equal(t, []string{
		"LC_ALL=C", "LD_LIBRARY_PATH=/opt/lib", "PATH=/usr/bin:/bin", "HOME=/root", "USER=root", "LOGNAME=", "TMPDIR=" + temp,
	}, got.Env)
}

func TestWorkingDirectory(t *testing.T) {
	assert.Equal(t, "/", runProbe(t, hookexec.Call{Driver: "qemu"}).Dir)
}

func TestStdin(t *testing.T) {
	got := runProbe(t, hookexec.Call{Driver: "qemu"})
	assert.True(t, got.DevNull, "no input is /dev/null")

	got = runProbe(t, hookexec.Call{Driver: "qemu", Input: []byte{}})
	assert.False(t, got.DevNull, "an empty input is a pipe")
	assert.Empty(t, got.Stdin)

	got = runProbe(t, hookexec.Call{Driver: "qemu", Input: []byte("<domain/>\n")})
	assert.Equal(t, "<domain/>\n", got.Stdin)
}

func TestMegabyte(t *testing.T) {
	input := bytes.Repeat([]byte("<a/>\n"), 1<<20/5)
	for name, body := range map[string]string{
		"not read":       "exit 0",
		"closed":         "exec <&-; echo closed; exit 0",
		"read in part":   "head -c 100 >/dev/null",
		"read":           "cat >/dev/null",
		"read and echo":  "cat",
		"printed before": "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; cat >/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := hookexec.Run(t.Context(), script(t, t.TempDir(), "qemu", body), hookexec.Call{Driver: "qemu", Input: input})
			require.NoError(t, err)
			assert.Zero(t, r.Status)
			switch name {
			case "read and echo":
				assert.True(t, bytes.Equal(input, r.Stdout))
			case "printed before":
				assert.Len(t, r.Stdout, 1000000)
				assert.Len(t, r.Stderr, 1000000)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		status        int
		signal        syscall.Signal
		stderr        string
	}{
		{"success", "#!/bin/sh\necho out; echo err >&2\n", 0, 0, "err\n"},
		{"failure", "#!/bin/sh\necho out; echo err >&2; exit 3\n", 3, 0, "err\n"},
		{"255", "#!/bin/sh\necho out; exit 255\n", 255, 0, ""},
		{"signal", "#!/bin/sh\necho out; kill -TERM $$\n", -1, syscall.SIGTERM, ""},
		{"kill", "#!/bin/sh\necho out; kill -KILL $$\n", -1, syscall.SIGKILL, ""},
		{"no executable format", "echo out\n", 126, 0, "Exec format error\n"},
		{"no interpreter", "#!/no/such\n", 127, 0, "No such file or directory\n"},
		{"carriage return", "#!/bin/sh\r\necho out\r\n", 127, 0, "No such file or directory\n"},
		{"interpreter not executable", "#!/etc/passwd\n", 126, 0, "Permission denied\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, t.TempDir(), "qemu", tt.content, 0o755)
			r, err := hookexec.Run(t.Context(), path, hookexec.Call{Driver: "qemu", Input: []byte("<domain/>")})
			require.NoError(t, err)
			assert.Equal(t, tt.status, r.Status)
			assert.Equal(t, tt.signal, r.Signal)
			assert.Equal(t, tt.status != 0, r.Failed())
			if tt.status == 126 || tt.status == 127 {
				assert.Equal(t, "libvirt:  error : cannot execute binary "+path+": "+tt.stderr, string(r.Stderr))
				return
			}
			assert.Equal(t, "out\n", string(r.Stdout))
			assert.Equal(t, tt.stderr, string(r.Stderr))
			assert.Positive(t, r.Duration)
		})
	}
}

func TestNoHook(t *testing.T) {
	dir := t.TempDir()
	_, err := hookexec.Run(t.Context(), filepath.Join(dir, "none"), hookexec.Call{})
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = hookexec.Run(t.Context(), dir, hookexec.Call{})
	assert.ErrorContains(t, err, "not a regular file")
	plain := file(t, dir, "plain", "#!/bin/sh\n", 0o644)
	_, err = hookexec.Run(t.Context(), plain, hookexec.Call{})
	assert.ErrorContains(t, err, "not executable")
	_, err = hookexec.Run(t.Context(), script(t, dir, "qemu", "exit 0"), hookexec.Call{Object: "a\x00b"})
	assert.ErrorContains(t, err, "NUL")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := hookexec.Run(ctx, filepath.Join(dir, "qemu"), hookexec.Call{})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, r.Path)
}

func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "qemu", `echo "$0"`)
	t.Chdir(dir)
	r, err := hookexec.Run(t.Context(), "qemu", hookexec.Call{})
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "qemu")+"\n", string(r.Stdout))
}

// TestWaitsForChildren: what a hook leaves behind holds libvirt up while it has
// one of the outputs open.
func TestWaitsForChildren(t *testing.T) {
	for _, output := range []string{"1", "2"} {
		t.Run("descriptor "+output, func(t *testing.T) {
			dir := t.TempDir()
			alone, leave := fifo(t, dir, "alone"), fifo(t, dir, "leave")
			closed := map[string]string{"1": "2>/dev/null", "2": ">/dev/null"}[output]
			path := script(t, dir, "qemu", fmt.Sprintf(`hook=$$
(while kill -0 $hook; do :; done 2>/dev/null; echo >%s; read x <%s; echo late >&%s) %s &
echo early >&%[3]s`, alone, leave, output, closed))
			go func() {
				read(alone) // the hook is gone, and Run must still wait
				write(leave)
			}()
			r, err := hookexec.Run(t.Context(), path, hookexec.Call{})
			require.NoError(t, err)
			assert.Zero(t, r.Status)
			assert.Equal(t, "early\nlate\n", string(r.Stdout)+string(r.Stderr))
		})
	}
}

func TestContextEndsTheWaitForChildren(t *testing.T) {
	dir := t.TempDir()
	alone, leave, left := fifo(t, dir, "alone"), fifo(t, dir, "leave"), fifo(t, dir, "left")
	path := script(t, dir, "qemu", fmt.Sprintf(`hook=$$
(while kill -0 $hook; do :; done 2>/dev/null; echo >%s; read x <%s; echo alive >%s) &
echo early; exit 4`, alone, leave, left))
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := fmt.Errorf("enough")
	go func() {
		read(alone)
		cancel(reason)
	}()
	r, err := hookexec.Run(ctx, path, hookexec.Call{})
	assert.ErrorIs(t, err, reason)
	assert.ErrorContains(t, err, path+": exited, but a process that it left behind keeps its output open")
	assert.Equal(t, 4, r.Status)
	assert.Equal(t, "early\n", string(r.Stdout))
	write(leave)
	assert.Equal(t, "alive\n", read(left), "what was left behind is not killed")
}

func TestContextKillsTheHook(t *testing.T) {
	dir := t.TempDir()
	ready, never := fifo(t, dir, "ready"), fifo(t, dir, "never")
	path := script(t, dir, "qemu", fmt.Sprintf("echo early; echo >%s; exec cat %s", ready, never))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		read(ready)
		cancel()
	}()
	// The input is more than a pipe holds, and nobody reads it.
	r, err := hookexec.Run(ctx, path, hookexec.Call{Input: make([]byte, 1<<20)})
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorContains(t, err, path+": still running, killed")
	assert.Equal(t, -1, r.Status)
	assert.Equal(t, syscall.SIGKILL, r.Signal)
	assert.Equal(t, "early\n", string(r.Stdout))
}

func TestNoDescriptorIsLeftOpen(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc: " + err.Error())
		}
		return len(fds)
	}
	path := script(t, t.TempDir(), "qemu", "exit 0")
	broken := file(t, t.TempDir(), "qemu", "no format", 0o755)
	run := func() {
		for _, p := range []string{path, broken} {
			_, err := hookexec.Run(t.Context(), p, hookexec.Call{Input: []byte("x")})
			require.NoError(t, err)
		}
	}
	run() // the runtime opens some of its own
	before := count()
	for range 5 {
		run()
	}
	assert.Equal(t, before, count())
}

func TestLink(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "my hook", "exit 0")
	t.Chdir(dir)
	path, cleanup, err := hookexec.Link("my hook", "libxl")
	require.NoError(t, err)
	assert.True(t, filepath.IsAbs(path))
	assert.Equal(t, "hooks/libxl", filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path))
	target, err := os.Readlink(path)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "my hook"), target)
	cleanup()
	assert.NoDirExists(t, filepath.Dir(filepath.Dir(path)))
	assert.FileExists(t, filepath.Join(dir, "my hook"))

	for _, driver := range []string{"", "..", "a/b"} {
		_, _, err = hookexec.Link("my hook", driver)
		assert.ErrorContains(t, err, "not the name of a driver")
	}
	_, _, err = hookexec.Link("none", "qemu")
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = hookexec.Link(".", "qemu")
	assert.ErrorContains(t, err, "not a regular file")
}

// script writes a shell script that may be run.
func script(t *testing.T, dir, name, body string) string {
	t.Helper()
	return file(t, dir, name, "#!/bin/sh\n"+body+"\n", 0o755)
}

func file(t *testing.T, dir, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	// A process that is forked while the file is open for writing would make
	// its execution fail with ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func fifo(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	require.False(t, strings.ContainsAny(path, " '\""), "scripts do not quote it")
	return path
}

// read waits for a writer and returns all that it writes.
func read(fifo string) string {
	b, err := os.ReadFile(fifo)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// write waits for a reader and writes a line.
func write(fifo string) { _ = os.WriteFile(fifo, []byte("\n"), 0) }
