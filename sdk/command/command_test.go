package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/children"
	"github.com/virthook/virthook/sdk/internal/nolibvirt"
)

// The test's program is also what is run: role is what it is then.
const role = "COMMAND_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "tell": // what it got
		wd, _ := os.Getwd()
		stdin, _ := io.ReadAll(os.Stdin)
		_ = json.NewEncoder(os.Stdout).Encode(told{os.Args, os.Environ(), wd, string(stdin)})
	case "record": // what it got, as systemd-run would
		text, _ := json.Marshal(told{Args: os.Args, Env: os.Environ()})
		must(os.WriteFile(os.Getenv("FILE"), text, 0o600))
		code, _ := strconv.Atoi(os.Getenv("STATUS"))
		os.Exit(code)
	case "libvirtd": // leads the group that the hook is in
		c := exec.Command(self(), os.Args[1:]...)
		c.Env = append(os.Environ(), role+"=hook")
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if os.Args[1] == "detach" {
			c.ExtraFiles = []*os.File{os.NewFile(3, ""), os.NewFile(4, ""), os.NewFile(5, "")}
		}
		err := c.Run()
		fmt.Println("libvirtd lives, the hook says", err)
	case "hook":
		hook(os.Args[1:])
	case "escape": // leaves a child in a session of its own, with standard input and output
		c := exec.Command("sh", "-c", "echo $$; exec sleep 1000 2>/dev/null")
		if os.Args[1] == "noisy" {
			c = exec.Command("sh", "-c", "echo $$; exec yes 2>/dev/null")
		}
		c.Stdin, c.Stdout, c.SysProcAttr = os.Stdin, os.Stdout, &syscall.SysProcAttr{Setsid: true}
		ready, err := c.StderrPipe() // its end is the start of the program
		must(err)
		must(c.Start())
		_, _ = io.Copy(io.Discard, ready)
		fmt.Print(strings.Repeat("x", 60000))
	case "away": // leaves to another, in another session
		c := exec.Command(self(), os.Args[1:]...)
		c.Env, c.SysProcAttr = append(os.Environ(), role+"=stay"), &syscall.SysProcAttr{Setsid: true}
		must(c.Start())
	case "stay":
		// Its descriptors, but those that Go's runtime makes; the end of the last is awaited.
		fifo, err := os.OpenFile(os.Args[1], os.O_RDWR, 0)
		must(err)
		var open []string
		for fd := 3; fd <= 5; fd++ {
			if link, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); strings.HasPrefix(link, "pipe:") {
				open = append(open, link)
			}
		}
		if len(os.Args) > 3 {
			must(os.WriteFile(os.Args[3], []byte("here"), 0))
		}
		fmt.Fprintln(fifo, syscall.Getpgrp() == os.Getpid(), open)
		line := make([]byte, 1)
		reply, err := os.Open(os.Args[2])
		must(err)
		_, _ = reply.Read(line)
		fmt.Fprintln(fifo, "lives")
	}
	os.Exit(0)
}

type told struct {
	Args, Env  []string
	Dir, Stdin string
}

func self() string {
	path, err := os.Executable()
	must(err)
	return path
}

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(3)
	}
}

func hook(args []string) {
	switch args[0] {
	case "cancel":
		ctx, cancel := context.WithCancelCause(context.Background())
		fifo := args[1]
		go func() {
			f, err := os.Open(fifo)
			must(err)
			_, _ = f.Read(make([]byte, 1))
			cancel(errors.New("enough"))
		}()
		fmt.Println(Run(ctx, "sh", "-c", "sleep 1000 & echo x >"+fifo+"; wait"))
	case "detach":
		children.Adopt()
		booted = "/nonexistent"
		must(Command{Name: self(), Args: args[2:], Env: []string{role + "=" + args[1]}}.Detach(context.Background()))
		_, err := os.ReadFile(args[4]) // until it is there
		must(err)
		fmt.Println("left", children.End(time.Minute))
	}
}

// soon is long enough for what must not hang.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func sh(script string) Command { return Command{Name: "sh", Args: []string{"-c", script}} }

func failure(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	require.True(t, errors.As(err, &e), "%v", err)
	assert.NotContains(t, e.Error(), "\n")
	return e
}

func TestEnding(t *testing.T) {
	require.NoError(t, Run(soon(t), "true"))
	e := failure(t, sh("echo one >&2; printf 'two\\033[1m\\n' >&2; exit 7").Run(soon(t)))
	assert.Equal(t, 7, e.Status)
	assert.Equal(t, "one\ntwo\x1b[1m\n", e.Stderr)
	assert.Equal(t, `command: sh -c "echo one >&2; printf 'two\\033[1m\\n' >&2; exit 7": exit status 7: one\ntwo\x1b[1m`, e.Error())

	e = failure(t, sh("kill -TERM $$").Run(soon(t)))
	assert.Equal(t, []any{-1, syscall.SIGTERM}, []any{e.Status, e.Signal})
	assert.Equal(t, `command: sh -c "kill -TERM $$": ended by a signal, terminated`, e.Error())
	assert.NoError(t, e.Unwrap())
}

func TestNotStarted(t *testing.T) {
	e := failure(t, Run(soon(t), "no-such-program-here"))
	require.ErrorIs(t, e, fs.ErrNotExist)
	assert.Contains(t, e.Error(), "command: no-such-program-here: no such program in /usr/local/sbin:")
	require.ErrorIs(t, Run(soon(t), "/no-such-program-here"), fs.ErrNotExist)
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o600))
	require.ErrorIs(t, Run(soon(t), file), fs.ErrPermission)
	require.ErrorIs(t, Detach(soon(t), file), fs.ErrPermission)

	for _, name := range []string{"", ".", "..", "./sh", "bin/sh", "../bin/sh", "a/", "sh\x00"} {
		assert.ErrorContains(t, Run(soon(t), name), "neither an absolute path nor a plain name", name)
		assert.ErrorContains(t, Detach(soon(t), name), "neither an absolute path nor a plain name", name)
	}
	assert.ErrorContains(t, Run(soon(t), "true", "a\x00b"), "holds a NUL")
	assert.ErrorContains(t, Command{Name: "true", Dir: "tmp"}.Run(soon(t)), "not an absolute path")
	assert.ErrorContains(t, Command{Name: "true", Env: []string{"X"}}.Run(soon(t)), "not NAME=VALUE")
	assert.ErrorContains(t, Command{Name: "true", Stdin: []byte("x")}.Detach(soon(t)), "standard input")

	made := filepath.Join(t.TempDir(), "made")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	assert.EqualError(t, Run(ctx, "touch", made), "command: touch "+made+": enough")
	assert.ErrorContains(t, Detach(ctx, "touch", made), ": enough")
	assert.EqualError(t, Run(ctx, "/no-such-program-here"), "command: /no-such-program-here: enough", "not even tried")
	assert.NoFileExists(t, made)
}

// Neither the daemon's PATH nor the current folder says what is run.
func TestPath(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"true", "only-here"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nexit 9\n"), 0o700))
	}
	t.Setenv("PATH", dir)
	t.Chdir(dir)
	require.NoError(t, Run(soon(t), "true"))
	require.ErrorIs(t, Run(soon(t), "only-here"), fs.ErrNotExist)
	assert.Equal(t, 9, failure(t, Run(soon(t), filepath.Join(dir, "only-here"))).Status)
	require.NoError(t, sh(`! command -v only-here`).Run(soon(t)))
}

func tell(t *testing.T, c Command) told {
	t.Helper()
	c.Name, c.Env = self(), append(c.Env, role+"=tell")
	out, err := c.Output(soon(t))
	require.NoError(t, err)
	var got told
	require.NoError(t, json.Unmarshal(out, &got))
	return got
}

func TestSurroundings(t *testing.T) {
	for _, name := range []string{"USER", "LOGNAME"} {
		t.Setenv(name, "x")
		os.Unsetenv(name)
	}
	t.Setenv("HOME", "/home/h")
	t.Setenv("TMPDIR", "/var/tmp")
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("VIRTHOOK_TEST_SECRET", "x")
	got := tell(t, Command{Dir: "/usr", Env: []string{"A=1", "A=2", "LC_ALL=C.UTF-8"}})
	assert.Equal(t, "/usr", got.Dir)
	assert.Empty(t, got.Stdin)
	assert.ElementsMatch(t, []string{
		"PATH=" + path, "LC_ALL=C.UTF-8", "HOME=/home/h", "TMPDIR=/var/tmp", "A=2", role + "=tell",
		nolibvirt.Name + "=" + nolibvirt.Value,
	}, got.Env)
	assert.Equal(t, "/", tell(t, Command{}).Dir)
	assert.Equal(t, "some text", tell(t, Command{Stdin: []byte("some text")}).Stdin)
}

// hostile is an argument that could be taken for something else.
func hostile(r *rand.Rand) string {
	parts := []string{"$", "${HOME}", "$HOME", "$$", "%", "%n", "`id`", "'", `"`, `\`, " ", "\n", ";", "*", "-", "--", "=", "@", "é", "\x01", "a", "|", "&", "~", "!"}
	var s strings.Builder
	for range r.IntN(6) {
		s.WriteString(parts[r.IntN(len(parts))])
	}
	return s.String()
}

func TestArgumentsArriveUnchanged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		args := make([]string, r.IntN(8))
		for i := range args {
			args[i] = hostile(r)
		}
		assert.Equal(t, args, append([]string{}, tell(t, Command{Args: args}).Args[1:]...))
	}
}

func TestOutput(t *testing.T) {
	out, err := Output(soon(t), "printf", `a\nb`)
	require.NoError(t, err)
	assert.Equal(t, "a\nb", string(out))

	out, err = sh("head -c 16777216 /dev/zero").Output(soon(t))
	require.NoError(t, err)
	assert.Len(t, out, 16<<20)
	for _, c := range []Command{{Name: "cat", Args: []string{"/dev/zero"}}, sh("head -c 16777217 /dev/zero")} {
		out, err = c.Output(soon(t))
		require.ErrorIs(t, err, errTooMuch)
		assert.Len(t, out, 16<<20)
	}

	// Much on standard error, and of Run on standard output, is no harm.
	e := failure(t, sh("head -c 50000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1").Run(soon(t)))
	assert.Len(t, e.Stderr, maxTail)
	kept := &tail{most: 10}
	for range 100 {
		_, _ = kept.Write([]byte("0123456"))
	}
	assert.Equal(t, "4560123456", string(kept.text()))
	assert.LessOrEqual(t, len(kept.buf), 20)
	assert.True(t, strings.HasSuffix(e.Stderr, "xx\nend\n") || strings.HasSuffix(e.Stderr, "xxend\n"))
	assert.Less(t, len(e.Error()), 2000)
}

func TestLargeInputThatNobodyReads(t *testing.T) {
	input := bytes.Repeat([]byte("x"), 1<<20)
	require.NoError(t, Command{Name: "true", Stdin: input}.Run(soon(t)))
	out, err := Command{Name: "wc", Args: []string{"-c"}, Stdin: input}.Output(soon(t))
	require.NoError(t, err)
	assert.Equal(t, "1048576", strings.TrimSpace(string(out)))
	c := Command{Name: self(), Args: []string{"silent"}, Env: []string{role + "=escape"}, Stdin: input}
	out, err = c.Output(soon(t))
	require.NoError(t, err, "another holds the other end")
	pid, _, _ := bytes.Cut(out, []byte("\n"))
	end(t, pid)
}

// end ends the process with that PID.
func end(t *testing.T, out []byte) {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	require.NoError(t, err)
	require.Greater(t, pid, 1)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL), "it lives")
}

// Who left the group may hold the pipes as long as it likes, and write to them: what the
// program has written itself is there, and no more is waited for.
func TestGrandchildHoldsThePipes(t *testing.T) {
	for _, how := range []string{"silent", "noisy"} {
		out, err := Command{Name: self(), Args: []string{how}, Env: []string{role + "=escape"}}.Output(soon(t))
		pid, rest, _ := bytes.Cut(out, []byte("\n"))
		end(t, pid)
		if how == "silent" { // the other may have been too noisy
			require.NoError(t, err)
			assert.Equal(t, strings.Repeat("x", 60000), string(rest))
		}
	}
}

// fifo returns the path of a new one.
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

// What is left in the group is ended with its leader: the end of the fifo shows it.
func TestGroupEnds(t *testing.T) {
	for name, script := range map[string]string{
		"success": "sleep 1000 >F & echo >F", "failure": "sleep 1000 >F & echo >F; exit 1",
		"ctx": "sleep 1000 >F & sleep 1000 & echo x >F; wait",
	} {
		t.Run(name, func(t *testing.T) {
			path := fifo(t)
			ctx, cancel := context.WithCancelCause(soon(t))
			read := make(chan error, 1)
			go func() {
				f, err := os.Open(path)
				if err == nil {
					_, err = f.Read(make([]byte, 1))
					if name == "ctx" {
						cancel(errors.New("enough"))
					}
					_, _ = io.Copy(io.Discard, f)
				}
				if errors.Is(err, io.EOF) {
					err = nil
				}
				read <- err
			}()
			err := sh(strings.ReplaceAll(script, "F", path)).Run(ctx)
			if name == "ctx" {
				assert.ErrorContains(t, err, ": enough")
			}
			select {
			case err := <-read:
				assert.NoError(t, err)
			case <-soon(t).Done():
				t.Error("it lives")
			}
		})
	}
}

// hookUnder runs a hook in the process group of a stand-in for libvirtd.
func hookUnder(t *testing.T, files []*os.File, args ...string) string {
	t.Helper()
	c := exec.CommandContext(soon(t), self(), args...)
	c.Env = append(os.Environ(), role+"=libvirtd")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.ExtraFiles = files
	out, err := c.CombinedOutput() // to the end of file
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestOwnGroup(t *testing.T) {
	f := fifo(t)
	assert.Equal(t, fmt.Sprintf("command: sh -c %q: enough\nlibvirtd lives, the hook says <nil>\n", "sleep 1000 & echo x >"+f+"; wait"),
		hookUnder(t, nil, "cancel", f))
}

// The detached one holds no pipe of the hook's: reading both ends though it lives on.
func TestDetach(t *testing.T) {
	for _, who := range []string{"stay", "away"} {
		t.Run(who, func(t *testing.T) { testDetach(t, who) })
	}
}

func testDetach(t *testing.T, who string) {
	says, told := fifo(t), fifo(t)
	f, err := os.OpenFile(says, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.SetReadDeadline(time.Now().Add(time.Minute/4)))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	assert.Equal(t, "left []\nlibvirtd lives, the hook says <nil>\n", hookUnder(t, []*os.File{r, r, r}, "detach", who, says, told, fifo(t)))

	reply, err := os.OpenFile(told, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reply.Close()
	buf := make([]byte, 100)
	n, err := f.Read(buf)
	require.NoError(t, err)
	session, open, _ := strings.Cut(strings.TrimSpace(string(buf[:n])), " ")
	assert.Equal(t, "true", session, "its own")
	assert.Equal(t, "[]", open, "descriptors of the hook's")
	_, err = reply.Write([]byte{0})
	require.NoError(t, err)
	n, err = f.Read(buf)
	require.NoError(t, err, "it was ended")
	assert.Equal(t, "lives\n", string(buf[:n]))
}

func TestDetachedEnvironment(t *testing.T) {
	booted = "/nonexistent"
	defer func() { booted = "/run/systemd/system" }()
	path := fifo(t)
	require.NoError(t, Detach(soon(t), "sh", "-c", "(pwd; env) >"+path, "x", "virsh", "-c", "qemu:///system"))
	out, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(out), "/\n"))
	assert.Contains(t, string(out), "PATH=/usr/local/sbin:")
	assert.NotContains(t, string(out), nolibvirt.Name)
}

// systemd sets up a systemd that only writes down what it is asked.
func systemd(t *testing.T, status int) (asked func() told) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "asked")
	script := filepath.Join(dir, "systemd-run")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexport %s=record FILE=%s STATUS=%d\nexec %s \"$@\"\n", role, file, status, self()), 0o700))
	oldBooted, oldRun, oldUser := booted, systemdRun, runUser
	t.Cleanup(func() { booted, systemdRun, runUser = oldBooted, oldRun, oldUser })
	booted, systemdRun, runUser = dir, script, dir
	user := filepath.Join(dir, strconv.Itoa(os.Geteuid()))
	require.NoError(t, os.Mkdir(user, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(user, "bus"), nil, 0o600))
	return func() (got told) {
		text, err := os.ReadFile(file)
		if err == nil {
			require.NoError(t, json.Unmarshal(text, &got))
			require.NoError(t, os.Remove(file))
		}
		return got
	}
}

func TestSystemd(t *testing.T) {
	asked := systemd(t, 0)
	t.Setenv("HOME", "/home/h")
	c := Command{Name: "virsh", Args: []string{"a b", "x$HOME", "%n", "--user", "", "é\n"}, Env: []string{"X=$Y %n"}, Dir: "/usr//lib/../"}
	if _, err := find("virsh"); err != nil {
		c.Name = "true"
	}
	require.NoError(t, c.Detach(soon(t)))
	got := asked()
	options, program, _ := strings.Cut(strings.Join(got.Args[1:], "\x00"), "\x00--\x00")
	file, err := find(c.Name)
	require.NoError(t, err)
	assert.Equal(t, file+"\x00a b\x00x$$HOME\x00%n\x00--user\x00\x00é\n", program)
	for _, want := range []string{"--collect", "--quiet", "--no-block", "--working-directory=/usr", "--setenv=X=$Y %n", "--setenv=PATH=" + path, "--setenv=HOME=/home/h"} {
		assert.Contains(t, strings.Split(options, "\x00"), want)
	}
	assert.NotContains(t, options, nolibvirt.Name)
	user := os.Geteuid() != 0
	assert.Equal(t, user, strings.Contains(options, "--user"))
	assert.Equal(t, user, strings.Contains(strings.Join(got.Env, "\n"), "XDG_RUNTIME_DIR="+runUser))
}

// What systemd would not hand on as it is goes the other way, and so does everything
// when it refuses.
func TestNotBySystemd(t *testing.T) {
	asked := systemd(t, 0)
	for _, arg := range []string{"$HOME", "\xff"} {
		path := fifo(t)
		require.NoError(t, Detach(soon(t), "sh", "-c", `printf %s "$0" >`+path, arg))
		out, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, arg, string(out))
		assert.Empty(t, asked().Args)
	}
	asked = systemd(t, 1)
	path := fifo(t)
	require.NoError(t, Detach(soon(t), "sh", "-c", "echo here >"+path))
	out, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "here\n", string(out))
	assert.NotEmpty(t, asked().Args)
}

func TestLibvirtIsRefused(t *testing.T) {
	dir := t.TempDir()
	made := filepath.Join(dir, "made")
	virsh, link := filepath.Join(dir, "virsh"), filepath.Join(dir, "list-guests")
	require.NoError(t, os.WriteFile(virsh, []byte("#!/bin/sh\ntouch "+made+"\n"), 0o700))
	require.NoError(t, os.Symlink("virsh", link))
	t.Setenv("XDG_RUNTIME_DIR", "/home/h/run")
	refused := []Command{
		{Name: virsh}, {Name: link},
		{Name: "touch", Args: []string{made, "-c", "qemu:///system"}},
		{Name: "touch", Args: []string{made, "-cqemu:///system"}},
		{Name: "touch", Args: []string{made, "--connect", "lxc:///"}},
		{Name: "touch", Args: []string{made, "--connect=qemu+ssh://host/system"}},
		{Name: "env", Args: []string{"LIBVIRT_DEFAULT_URI=qemu:///system", "touch", made}},
		{Name: "touch", Args: []string{made}, Env: []string{"LIBVIRT_DEFAULT_URI="}},
		{Name: "touch", Args: []string{made}, Env: []string{"VIRSH_DEFAULT_CONNECT_URI=qemu:///system"}},
		{Name: "touch", Args: []string{made}, Env: []string{"S=/run/libvirt/libvirt-sock"}},
		{Name: "touch", Args: []string{made, "/run/libvirt/libvirt-sock"}},
		{Name: "touch", Args: []string{made, "unix:/var/run/libvirt/virtqemud-sock-ro,x"}},
		{Name: "touch", Args: []string{made, "/run/user/1000/libvirt/libvirt-sock"}},
		{Name: "touch", Args: []string{made, "/home/h/run/libvirt/libvirt-sock"}},
		sh("touch " + made + "; virsh --connect 'qemu:///system' list"),
		sh("touch " + made + "; LIBVIRT_DEFAULT_URI=qemu:///session virsh list"),
	}
	for _, c := range refused {
		_, err := c.Output(soon(t))
		require.ErrorIs(t, err, errLibvirt, c.String())
		require.ErrorIs(t, c.Run(soon(t)), errLibvirt, c.String())
		assert.Contains(t, err.Error(), "start it with Detach")
	}
	assert.NoFileExists(t, made)

	for _, c := range []Command{
		{Name: "echo", Args: []string{"-c", "qemu"}}, {Name: "echo", Args: []string{"qemu:///system"}},
		{Name: "echo", Args: []string{"-c", "http://x/"}}, {Name: "echo", Args: []string{"/run/libvirt/qemu/web.pid"}},
		{Name: "echo", Args: []string{"a guest named -c qemu:///system"}},
		{Name: "echo", Args: []string{"virsh"}}, sh("echo virsh"),
	} {
		assert.NoError(t, c.Run(soon(t)), c.String())
	}
}

func TestLog(t *testing.T) {
	var text bytes.Buffer
	ctx := callctx.With(soon(t), func() *slog.Logger {
		return slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	logged := func() string { defer text.Reset(); return text.String() }
	require.NoError(t, Run(ctx, "echo", "a b"))
	line := logged()
	for _, want := range []string{"level=DEBUG", `command="echo \"a b\""`, "duration=", `stdout="a b\n"`} {
		assert.Contains(t, line, want)
	}
	require.NoError(t, sh("echo hm >&2").Run(ctx))
	line = logged()
	assert.Contains(t, line, "level=INFO")
	assert.Contains(t, line, `stderr="hm\n"`)
	require.Error(t, sh("echo bad >&2; exit 3").Run(ctx))
	line = logged()
	assert.Contains(t, line, "level=WARN")
	assert.Contains(t, line, "exit status 3")
	_, err := Output(ctx, "echo", "secret")
	require.NoError(t, err)
	assert.NotContains(t, logged(), "stdout=")
	require.Error(t, Run(ctx, "no-such-program"))
	assert.Contains(t, logged(), "level=WARN")
	assert.Equal(t, 0, text.Len())
}
