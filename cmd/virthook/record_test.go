package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/recording"
	"github.com/virthook/virthook/internal/redact"
)

// recorded is a hooks folder in which the recorder was installed, and the recording.
type recorded struct {
	t          *testing.T
	program    string // virthook
	hooks, dir string
}

// newRecorded installs the recorder with the program and more flags of record start.
func newRecorded(t *testing.T, program string, flags ...string) recorded {
	t.Helper()
	r := recorded{t, program, filepath.Join(t.TempDir(), "hooks"), filepath.Join(t.TempDir(), "recording")}
	out, err := r.virthook(append([]string{"start", "--to", r.dir}, flags...)...)
	require.NoError(t, err, out)
	return r
}

func (r recorded) virthook(args ...string) (string, error) {
	out, err := exec.Command(r.program, append([]string{"record", args[0], "--hooks-dir", r.hooks}, args[1:]...)...).CombinedOutput()
	return string(out), err
}

func (r recorded) hook(driver string) string {
	return filepath.Join(r.hooks, driver+".d", recorderName)
}

// call calls the recorder as libvirt does, which sees nothing of it.
func (r recorded) call(c hookexec.Call) {
	result, err := hookexec.Run(r.t.Context(), r.hook(c.Driver), c)
	assert.NoError(r.t, err)
	requireSilent(r.t, result)
}

func requireSilent(t *testing.T, r hookexec.Result) {
	assert.Zero(t, r.Status, "%s", r.Stderr)
	assert.Empty(t, r.Stdout)
	assert.Empty(t, r.Stderr)
}

func (r recorded) calls() []recording.Call {
	r.t.Helper()
	opened, err := recording.Open(r.dir)
	require.NoError(r.t, err)
	return opened.Calls
}

func (r recorded) problems() string {
	r.t.Helper()
	log, err := os.ReadFile(filepath.Join(r.dir, "errors.log"))
	if err != nil {
		require.ErrorIs(r.t, err, fs.ErrNotExist)
	}
	return string(log)
}

// made is what a recorded call was made of.
func made(c recording.Call) hookexec.Call {
	return hookexec.Call{Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.XML}
}

func named(name, op string) hookexec.Call {
	return hookexec.Call{Driver: "qemu", Object: name, Op: op, SubOp: "begin", Extra: "-", Input: []byte("<domain><name>" + op + "</name></domain>\n")}
}

// TestRecorder is about the recorder as libvirt has it: a process of the program that
// users have.
func TestRecorder(t *testing.T) {
	program := filepath.Join(t.TempDir(), "virthook")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, program string)
	}{
		{"captures", testRecorderCaptures},
		{"at once", testRecorderAtOnce},
		{"killed", testRecorderKilled},
		{"limit of calls", testRecorderLimitOfCalls},
		{"limit of bytes", testRecorderLimitOfBytes},
		{"names", testRecorderNames},
		{"operands", testRecorderOperands},
		{"folder", testRecorderFolder},
		{"disk", testRecorderDisk},
		{"input", testRecorderInput},
		{"held", testRecorderHeld},
		{"environment", testRecorderEnvironment},
		{"user", testRecorderUser},
		{"in a chain", testRecorderInChain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, program)
		})
	}
}

// All that real daemons sent comes back, without secrets and in order.
func testRecorderCaptures(t *testing.T, program string) {
	r := newRecorded(t, program)
	var want []hookexec.Call
	secrets := 0
	for _, c := range captures.All() {
		call := hookexec.Call{Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.XML}
		r.call(call)
		if c.XML != nil {
			call.Input = redact.XML(c.XML)
			secrets += bytes.Count(call.Input, []byte(redact.Mark))
		}
		want = append(want, call)
	}
	require.NotZero(t, secrets)
	calls := r.calls()
	require.Len(t, calls, len(want))
	for i, c := range calls {
		require.Equal(t, want[i], made(c))
		assert.Equal(t, os.Getuid(), c.UID)
		assert.Contains(t, c.Env, "LC_ALL=C")
		assert.Equal(t, r.hook(c.Driver), c.Program)
		info, err := os.Stat(c.File)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
		assert.Regexp(t, `^\d{8}T\d{6}\.\d{9}Z-`+c.Driver+"-"+c.Op+`-[0-9a-f]{8}\.call$`, filepath.Base(c.File))
	}
	info, err := os.Stat(r.dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	assert.Empty(t, r.problems())
}

// atOnce makes n calls at the same time, each with a name of its own.
func (r recorded) atOnce(n int) {
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { r.call(named(fmt.Sprint("guest", i), "start")) })
	}
	calls.Wait()
}

func testRecorderAtOnce(t *testing.T, program string) {
	r := newRecorded(t, program)
	r.atOnce(50)
	names := map[string]bool{}
	for _, c := range r.calls() {
		names[c.Object] = true
		assert.Equal(t, named("", "start").Input, c.XML)
	}
	assert.Len(t, names, 50)
	assert.Len(t, r.calls(), 50)
	assert.Empty(t, r.problems())
	for _, e := range r.files() {
		assert.NotRegexp(t, `\.call-`, e.Name(), "left behind")
	}
}

// A recorder that is killed at any moment leaves whole calls or none.
func testRecorderKilled(t *testing.T, program string) {
	r := newRecorded(t, program)
	input := []byte("<domain>" + strings.Repeat("<a b='c'/>\n", 300_000) + "</domain>")
	start := time.Now()
	call := named("whole", "start")
	call.Input = input
	r.call(call)
	length := time.Since(start)
	killed := 0
	for i := range 60 {
		known := len(r.files())
		cmd := &exec.Cmd{Path: r.hook("qemu"), Args: []string{r.hook("qemu"), fmt.Sprint("g", i), "start", "begin", "-"}, Stdin: bytes.NewReader(input), Env: []string{"LC_ALL=C"}}
		require.NoError(t, cmd.Start())
		if i%2 == 0 {
			time.Sleep(time.Duration(rand.Int64N(int64(length)))) // the random instant
		} else {
			for deadline := time.Now().Add(10 * time.Second); len(r.files()) == known && time.Now().Before(deadline); {
			} // while it writes, or has just done so
		}
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			killed++
		}
	}
	assert.Greater(t, killed, 10)
	call.Object = "last"
	r.call(call)
	calls := r.calls()
	assert.LessOrEqual(t, len(calls), 62)
	assert.GreaterOrEqual(t, len(calls), 62-killed)
	assert.Equal(t, "last", calls[len(calls)-1].Object)
	for _, c := range calls {
		require.True(t, bytes.Equal(input, c.XML), c.File)
	}
	t.Logf("%d of 60 killed, %d calls stored", killed, len(calls))
}

// files are all in the recording's folder.
func (r recorded) files() []fs.DirEntry {
	entries, err := os.ReadDir(r.dir)
	require.NoError(r.t, err)
	return entries
}

func (r recorded) status() (s recordStatus) {
	out, err := r.virthook("status", "--json")
	require.NoError(r.t, err, out)
	require.NoError(r.t, json.Unmarshal([]byte(out), &s))
	return s
}

func testRecorderLimitOfCalls(t *testing.T, program string) {
	r := newRecorded(t, program, "--limit", "10")
	assert.False(t, r.status().Full)
	r.atOnce(9)
	assert.False(t, r.status().Full)
	assert.Len(t, r.calls(), 9)
	r.atOnce(30)
	r.atOnce(10)
	assert.Len(t, r.calls(), 10, "not one more, whoever is faster")
	assert.Equal(t, 1, strings.Count(r.problems(), "\n"), r.problems())
	assert.Contains(t, r.problems(), "the limit is reached")
	assert.True(t, r.status().Full)
}

func testRecorderLimitOfBytes(t *testing.T, program string) {
	r := newRecorded(t, program, "--limit", "64KiB")
	big := named("big", "start")
	big.Input = []byte("<domain>" + strings.Repeat(" ", 20<<10) + "</domain>")
	for range 5 {
		r.call(big)
	}
	assert.Len(t, r.calls(), 2, "three take 6 blocks of 4 KiB each, and more than 64 KiB")
	r.call(named("small", "start"))
	assert.Len(t, r.calls(), 2, "the end is the end")
	s := r.status()
	assert.True(t, s.Full)
	assert.Equal(t, 2, s.Calls)
	assert.LessOrEqual(t, s.Bytes, int64(64<<10))
	assert.Len(t, s.Errors, 1)
}

// Names are anybody's choice, and never part of a path or a line.
func testRecorderNames(t *testing.T, program string) {
	r := newRecorded(t, program)
	names := []string{"a b", `"quoted"`, "line\nline", "../../../etc/passwd", "/etc/passwd", "-", "--help", "$(id)", "\x1b[31m", "ü\u2028", "not utf8 \xff\xfe", strings.Repeat("x", 10_000), "password=x"}
	for _, name := range names {
		r.call(named(name, "start"))
	}
	op := named("op", "../../x")
	r.call(op)
	op.Op = strings.Repeat("o", 300)
	r.call(op)
	calls := r.calls()
	require.Len(t, calls, len(names)+2)
	for i, name := range names {
		assert.Equal(t, name, calls[i].Object)
	}
	assert.Equal(t, "../../x", calls[len(names)].Op)
	assert.Equal(t, op.Op, calls[len(names)+1].Op)
	assert.Empty(t, r.problems())
	out, err := exec.Command(program, "record", "show", r.dir).Output()
	require.NoError(t, err)
	assert.Equal(t, len(names)+3, bytes.Count(out, []byte("\n")), "a line a call")
	assert.NotContains(t, string(out), "\x1b")
}

// callWith runs the recorder with any operands.
func callWith(t *testing.T, path string, stdin io.Reader, operands ...string) hookexec.Result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := &exec.Cmd{Path: path, Args: append([]string{path}, operands...), Stdin: stdin, Stdout: &out, Stderr: &errs, Env: []string{}}
	require.NoError(t, cmd.Run())
	return hookexec.Result{Status: cmd.ProcessState.ExitCode(), Stdout: out.Bytes(), Stderr: errs.Bytes()}
}

// What libvirt does not do today must not make it refuse a guest tomorrow.
func testRecorderOperands(t *testing.T, program string) {
	r := newRecorded(t, program)
	for _, operands := range [][]string{nil, {"--help"}, {"events"}, {"record", "stop"}, {"a", "b", "c"}, {"a", "b", "c", "d", "e\nf"}} {
		requireSilent(t, callWith(t, r.hook("qemu"), nil, operands...))
	}
	assert.Empty(t, r.calls())
	assert.Equal(t, 6, strings.Count(r.problems(), "\n"))
	assert.Contains(t, r.problems(), `not stored: 5 operands, libvirt passes 4`)

	// Where it is not in a folder of a driver, or nothing says where to store.
	elsewhere := t.TempDir()
	for _, name := range []string{recorderName, "qemu.d/" + recorderName} {
		path := filepath.Join(elsewhere, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.Symlink(program, path))
		requireSilent(t, callWith(t, path, strings.NewReader("<a/>"), "web", "start", "begin", "-"))
	}
	for _, config := range []string{"", "{", `{"version": 2, "dir": "/tmp"}`, `{"version": 1, "dir": "here"}`, `{"version": 1}`} {
		require.NoError(t, os.WriteFile(filepath.Join(elsewhere, recorderConfigName), []byte(config), 0o644))
		requireSilent(t, callWith(t, filepath.Join(elsewhere, "qemu.d", recorderName), nil, "web", "start", "begin", "-"))
	}
}

// Without its folder the recorder stores nothing, and in nobody else's.
func testRecorderFolder(t *testing.T, program string) {

	r := newRecorded(t, program)
	call := named("web", "start")
	r.call(call)
	require.Len(t, r.calls(), 1)

	require.NoError(t, os.Chmod(r.dir, 0o770))
	r.call(call)
	require.NoError(t, os.Chmod(r.dir, 0o700))
	assert.Len(t, r.calls(), 1, "others can write to it")

	moved := r.dir + ".moved"
	require.NoError(t, os.Rename(r.dir, moved))
	r.call(call)
	assert.NoFileExists(t, r.dir)
	require.NoError(t, os.Symlink(moved, r.dir))
	r.call(call)
	require.NoError(t, os.Remove(r.dir))
	require.NoError(t, os.WriteFile(r.dir, nil, 0o600))
	r.call(call)
	require.NoError(t, os.Remove(r.dir))
	require.NoError(t, os.Rename(moved, r.dir))
	assert.Len(t, r.calls(), 1)
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(r.dir, 65534, 65534))
		r.call(call)
		assert.Len(t, r.calls(), 1)
		return
	}
	require.NoError(t, os.Chmod(r.dir, 0o500))
	r.call(call)
	require.NoError(t, os.Chmod(r.dir, 0o700))
	assert.Len(t, r.calls(), 1)
}

// A file that cannot grow is no call, and no failure.
func testRecorderDisk(t *testing.T, program string) {
	r := newRecorded(t, program)
	path := r.hook("qemu")
	script := `ulimit -f 4; exec "$0" web start begin -`
	cmd := exec.Command("sh", "-c", script, path)
	cmd.Stdin = strings.NewReader("<domain>" + strings.Repeat(" ", 100_000) + "</domain>")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Empty(t, out)
	assert.Empty(t, r.calls())
	assert.Contains(t, r.problems(), "qemu web start begin -: not stored: ")
	assert.Contains(t, r.problems(), "file too large")
	for _, e := range r.files() {
		assert.Contains(t, []string{".blocks", "errors.log"}, e.Name())
	}
}

func testRecorderInput(t *testing.T, program string) {
	r := newRecorded(t, program, "--limit", "10")
	for _, in := range []string{"\x00\xff\n\n", "no XML", "\n", "<a passwd='x'>\xff"} {
		call := named("web", "start")
		call.Input = []byte(in)
		r.call(call)
	}
	calls := r.calls()
	require.Len(t, calls, 4)
	assert.Equal(t, "\x00\xff\n\n", string(calls[0].XML))
	assert.Equal(t, "no XML", string(calls[1].XML))
	assert.Equal(t, "\n", string(calls[2].XML))
	assert.Equal(t, "<a passwd='[redacted]'>\xff", string(calls[3].XML))

	call := named("web", "start")
	call.Input = bytes.Repeat([]byte("<a/>"), recorderInput/4+1)
	r.call(call)
	assert.Len(t, r.calls(), 4)
	assert.Contains(t, r.problems(), "more than 67108864 bytes")
}

// Who holds the input open does not hold libvirt.
func testRecorderHeld(t *testing.T, program string) {
	r := newRecorded(t, program)
	in, held, err := os.Pipe()
	require.NoError(t, err)
	defer held.Close()
	requireSilent(t, callWith(t, r.hook("qemu"), in, "web", "start", "begin", "-"))
	assert.Empty(t, r.calls())
	assert.Contains(t, r.problems(), "web start begin -: not stored: not done after 10s")
}

func testRecorderEnvironment(t *testing.T, program string) {
	r := newRecorded(t, program)
	path := r.hook("qemu")
	cmd := &exec.Cmd{Path: path, Args: []string{path, "web", "start", "begin", "-"}, Env: []string{"LC_ALL=C", "HOME=/root", "MINE=s3cr3t", "LD_PRELOAD=http://u:s3cr3t@h"}}
	require.NoError(t, cmd.Run())
	calls := r.calls()
	require.Len(t, calls, 1)
	assert.Equal(t, []string{"LC_ALL=C", "HOME=/root", "MINE=[redacted]", "LD_PRELOAD=http://u:[redacted]@h"}, calls[0].Env)
	assert.Nil(t, calls[0].XML)
}

// A user's daemon calls the hook that root has installed, and may not write to
// root's recording.
func testRecorderUser(t *testing.T, program string) {
	setpriv, err := exec.LookPath("setpriv")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("needs root and setpriv, to be another user")
	}
	r := newRecorded(t, program)
	home, shut := t.TempDir(), t.TempDir()
	for dir := home; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	require.NoError(t, os.Chown(home, 65534, 65534))
	asUser := func(home string) {
		cmd := exec.Command(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", r.hook("qemu"), "web", "start", "begin", "-")
		cmd.Env = []string{"HOME=" + home}
		cmd.Stdin = strings.NewReader("<domain/>")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err)
		assert.Empty(t, out)
	}
	for _, home := range []string{home, home, shut, "/no/such", "relative", ""} {
		asUser(home)
	}
	assert.Empty(t, r.calls())
	assert.Empty(t, r.problems())
	since := r.status().Since
	dir, err := recording.UserDir(home, *since)
	require.NoError(t, err)
	own, err := recording.Open(dir)
	require.NoError(t, err)
	require.Len(t, own.Calls, 2)
	assert.Equal(t, 65534, own.Calls[0].UID)
	assert.Equal(t, "<domain/>", string(own.Calls[0].XML))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())

	status := exec.Command(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", program, "record", "status", "--hooks-dir", r.hooks)
	status.Env = []string{"HOME=" + home}
	require.NoError(t, os.Chmod(filepath.Dir(program), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(program)), 0o755))
	out, err := status.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "recording into "+dir)
	assert.Contains(t, string(out), "2 calls")
}

// The recorder changes nothing of what other hooks get and libvirt takes.
func testRecorderInChain(t *testing.T, program string) {
	r := newRecorded(t, program)
	filter := filepath.Join(r.hooks, "qemu.d", "50-filter")
	require.NoError(t, exec.Command("sh", "-c", `printf '#!/bin/sh\nsed s/one/two/\n' >"$0"; chmod 755 "$0"`, filter).Run())
	call := named("web", "restore")
	call.Input = []byte("<domain><name>one</name></domain>\n")
	o, err := hookexec.Chain(t.Context(), r.hooks, call, true)
	require.NoError(t, err)
	assert.False(t, o.Failed)
	require.Len(t, o.Results, 2)
	assert.Equal(t, call.Input, o.Results[1].Input)
	assert.Equal(t, "<domain><name>two</name></domain>\n", string(o.Output))
	require.Len(t, r.calls(), 1)
	assert.Equal(t, call, made(r.calls()[0]))

	out, err := r.virthook("stop")
	require.NoError(t, err, out)
	assert.NoFileExists(t, r.hook("qemu"))
	assert.FileExists(t, filter)
	assert.NoDirExists(t, filepath.Join(r.hooks, "lxc.d"), "start has made it")
	o, err = hookexec.Chain(t.Context(), r.hooks, call, true)
	require.NoError(t, err)
	assert.Len(t, o.Results, 1)
}

// Two starts at once: one records.
func TestRecordStartsAtOnce(t *testing.T) {
	t.Parallel()
	hooks := filepath.Join(t.TempDir(), "hooks")
	to := t.TempDir()
	failed := make([]bool, 8)
	var starts sync.WaitGroup
	for i := range failed {
		starts.Go(func() {
			cmd := exec.Command("virthook", "record", "start", "--hooks-dir", hooks, "--to", filepath.Join(to, fmt.Sprint(i)), "--driver", "qemu")
			failed[i] = cmd.Run() != nil
		})
	}
	starts.Wait()
	winner := slices.Index(failed, false)
	require.GreaterOrEqual(t, winner, 0)
	assert.NotContains(t, failed[winner+1:], false)
	c, err := readRecorderConfig(hooks)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(to, fmt.Sprint(winner)), c.Dir)
	for i := range failed {
		_, err := os.Stat(filepath.Join(to, fmt.Sprint(i)))
		assert.Equal(t, i == winner, err == nil, "the folder of start %d", i)
	}
	is, err := isRecorder(filepath.Join(hooks, "qemu.d", recorderName))
	require.NoError(t, err)
	assert.True(t, is)
	entries, err := os.ReadDir(hooks)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "%v", entries)
}
