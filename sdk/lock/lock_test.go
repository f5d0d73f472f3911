package lock_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
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
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/lock"
)

// The test's program is also that of the processes that lock.
func TestMain(m *testing.M) {
	switch os.Getenv("LOCK_TEST") {
	case "":
		os.Exit(m.Run())
	case "hold":
		_, err := lock.Named(context.Background(), "n", lock.In(os.Getenv("DIR")))
		fmt.Println("held", err)
		_, _ = io.Copy(io.Discard, os.Stdin) // to its end
	case "leave a child":
		_, err := lock.Named(context.Background(), "n", lock.In(os.Getenv("DIR")))
		c := exec.Command("/proc/self/exe")
		c.Path, _ = os.Executable()
		c.Env = append(os.Environ(), "LOCK_TEST=idle")
		c.Stdin, c.Stdout = os.Stdin, os.Stdout
		fmt.Println("held", errors.Join(err, c.Start()))
		_ = c.Wait()
	case "idle":
		_, _ = io.Copy(io.Discard, os.Stdin)
		fmt.Println("idle ends")
	case "count":
		_, _ = io.Copy(io.Discard, os.Stdin)
		if err := count(os.Getenv("DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(0)
}

const counts = 3 // of each process

func count(dir string) error {
	for i := range counts {
		l, err := lock.Named(context.Background(), "n", lock.In(filepath.Join(dir, "locks")))
		if err != nil {
			return err
		}
		file := filepath.Join(dir, "counter")
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(text))
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(n+1)), 0o600); err != nil {
			return err
		}
		unlock := l.Unlock
		if (i+os.Getpid())%2 == 0 {
			unlock = l.Remove
		}
		if err := unlock(); err != nil {
			return err
		}
	}
	return nil
}

// process starts this program again.
type process struct {
	*exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

func start(t *testing.T, what, dir string, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(program)}
	p.Args = append([]string{"/etc/libvirt/hooks/qemu"}, args...)
	p.Env = append(os.Environ(), "LOCK_TEST="+what, "DIR="+dir)
	p.Stderr = os.Stderr
	p.stdin, err = p.StdinPipe()
	require.NoError(t, err)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.Start())
	t.Cleanup(func() { p.stdin.Close(); _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

func (p *process) says(t *testing.T, want string) {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, want+"\n", line)
}

// folder is one that nobody else can write to, whatever the umask.
func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "own") }

// soon is long enough for what must succeed.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// held asserts that the lock n is held, and returns what is said of it.
func held(t *testing.T, dir string) *lock.HeldError {
	t.Helper()
	for wait := 20 * time.Millisecond; ; wait *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		_, err := lock.Named(ctx, "n", lock.In(dir))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var e *lock.HeldError
		if errors.As(err, &e) {
			return e
		}
		// The time was over before it was tried: the machine is busy.
	}
}

func TestWaitingNamesTheHolder(t *testing.T) {
	dir := folder(t)
	p := start(t, "hold", dir, "web \"1\"\n", "prepare", "begin", "-")
	p.says(t, "held <nil>")

	e := held(t, dir)
	assert.Equal(t, p.Process.Pid, e.Holder.PID)
	assert.False(t, e.Gone)
	assert.Equal(t, fmt.Sprintf(`lock: the lock "n" is held by pid %d (/etc/libvirt/hooks/qemu, qemu/prepare/begin of "web \"1\"\n"): context deadline exceeded`, p.Process.Pid), e.Error())

	// The one who waits gets it when the holder is done.
	got := make(chan error, 1)
	go func() {
		l, err := lock.Named(soon(t), "n", lock.In(dir))
		if err == nil {
			err = l.Unlock()
		}
		got <- err
	}()
	p.stdin.Close()
	require.NoError(t, <-got)
}

func TestKilledHolderLeavesNoLock(t *testing.T) {
	dir := folder(t)
	p := start(t, "hold", dir)
	p.says(t, "held <nil>")
	held(t, dir)
	require.NoError(t, p.Process.Kill())
	l, err := lock.Named(soon(t), "n", lock.In(dir))
	require.NoError(t, err)
	require.NoError(t, l.Unlock())
}

func TestChildrenDoNotInherit(t *testing.T) {
	dir := folder(t)
	p := start(t, "leave a child", dir)
	p.says(t, "held <nil>")
	held(t, dir)
	require.NoError(t, p.Process.Kill())
	l, err := lock.Named(soon(t), "n", lock.In(dir))
	require.NoError(t, err)
	require.NoError(t, l.Unlock())
	p.stdin.Close()
	p.says(t, "idle ends") // until here it lived
}

func TestCounter(t *testing.T) {
	const processes = 200
	dir := folder(t)
	require.NoError(t, os.Mkdir(dir, 0o700))
	counter := filepath.Join(dir, "counter")
	require.NoError(t, os.WriteFile(counter, []byte("0"), 0o600))

	gate, open, err := os.Pipe()
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	var ps []*exec.Cmd
	for range processes {
		p := exec.Command(program)
		p.Env = append(os.Environ(), "LOCK_TEST=count", "DIR="+dir)
		p.Stdin, p.Stderr = gate, os.Stderr
		require.NoError(t, p.Start())
		ps = append(ps, p)
	}
	gate.Close()
	open.Close() // now
	for _, p := range ps {
		assert.NoError(t, p.Wait())
	}
	text, err := os.ReadFile(counter)
	require.NoError(t, err)
	assert.Equal(t, strconv.Itoa(processes*counts), string(text))
}

// What a killed holder wrote about itself is not told as what is.
func TestStaleHolder(t *testing.T) {
	dir := folder(t)
	p := start(t, "hold", dir)
	p.says(t, "held <nil>")
	require.NoError(t, p.Process.Kill())
	_ = p.Wait()

	// Somebody holds it, and has not written who.
	f, err := os.OpenFile(filepath.Join(dir, "name-n.lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	e := held(t, dir)
	assert.True(t, e.Gone)
	assert.Equal(t, fmt.Sprintf(`lock: the lock "n" is held by a process that has not said who it is; the last that did, pid %d (/etc/libvirt/hooks/qemu), has ended: context deadline exceeded`, p.Process.Pid), e.Error())

	// The number is that of another process by now.
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		require.NoError(t, os.WriteFile(f.Name(), fmt.Appendf(nil, `{"pid":%d,"program":"p","start":"1"}`, os.Getpid()), 0o600))
		assert.True(t, held(t, dir).Gone)
	}
	require.NoError(t, os.WriteFile(f.Name(), fmt.Appendf(nil, `{"pid":%d,"program":"p"}`, os.Getppid()), 0o600))
	assert.Contains(t, held(t, dir).Error(), "is held probably by pid")
	for _, text := range []string{"", "{", "[]", `{"pid":-1}`} {
		require.NoError(t, os.WriteFile(f.Name(), []byte(text), 0o600))
		assert.Equal(t, `lock: the lock "n" is held by a process that has not said who it is: context deadline exceeded`, held(t, dir).Error())
	}
}

// Nor is what one wrote that has unlocked, and lives on.
func TestFormerHolder(t *testing.T) {
	dir := folder(t)
	l, err := lock.Named(t.Context(), "n", lock.In(dir))
	require.NoError(t, err)
	require.NoError(t, l.Unlock())
	f, err := os.OpenFile(filepath.Join(dir, "name-n.lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	assert.Nil(t, held(t, dir).Holder)
}

func TestSameProcess(t *testing.T) {
	dir := folder(t)
	l, err := lock.Named(t.Context(), "n", lock.In(dir), lock.As("counting"))
	require.NoError(t, err)
	assert.Contains(t, held(t, dir).Error(), "is held by this process itself, pid ")
	assert.Contains(t, held(t, dir).Error(), ", counting)")
	require.NoError(t, l.Unlock())
	require.NoError(t, l.Unlock(), "again")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = lock.Named(ctx, "n", lock.In(dir))
	require.EqualError(t, err, `lock: the lock "n": enough`)
}

// One that gave up waiting does not get the lock later.
func TestGivenUp(t *testing.T) {
	dir := folder(t)
	l, err := lock.Named(t.Context(), "n", lock.In(dir))
	require.NoError(t, err)
	for range 10 {
		held(t, dir)
	}
	require.NoError(t, l.Unlock())
	l, err = lock.Named(soon(t), "n", lock.In(dir))
	require.NoError(t, err)
	require.NoError(t, l.Unlock())
}

// Who waits for a file that is deleted meanwhile holds the new one, not the old.
func TestRemove(t *testing.T) {
	dir := folder(t)
	first, err := lock.Named(t.Context(), "n", lock.In(dir))
	require.NoError(t, err)
	const waiters = 20
	inside := make(chan int, 1)
	inside <- 0
	errs := make(chan error, waiters)
	for range waiters {
		go func() {
			l, err := lock.Named(soon(t), "n", lock.In(dir))
			if err == nil {
				select {
				case n := <-inside:
					inside <- n + 1
				default:
					err = errors.New("two at once")
				}
				err = errors.Join(err, l.Remove())
			}
			errs <- err
		}()
	}
	require.NoError(t, first.Remove())
	for range waiters {
		assert.NoError(t, <-errs)
	}
	assert.Equal(t, waiters, <-inside)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Each takes locks of its own: all can be held at once.
func TestNames(t *testing.T) {
	dir := folder(t)
	long := strings.Repeat("x", 300)
	names := []string{"", "n", "N", "%4e", "host", "host.lock", ".", "..", "../n", "/n", "n/", "a b", "a\nb", "a'b", `a"b`, "a;b", "\x00", "\xff", "ü", "u\u0308", long, long + "y", "~", strings.Repeat("..", 200)}
	var all []*lock.Lock
	add := func(l *lock.Lock, err error) {
		t.Helper()
		require.NoError(t, err)
		all = append(all, l)
	}
	add(lock.Host(soon(t), lock.In(dir)))
	for _, n := range names {
		add(lock.Named(soon(t), n, lock.In(dir)))
	}
	const uuid = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
	add(lock.Guest(soon(t), &libvirtxml.Domain{Name: "n", UUID: uuid}, lock.In(dir)))
	add(lock.Guest(soon(t), &libvirtxml.Domain{Name: "n"}, lock.In(dir)))
	add(lock.Guest(soon(t), &libvirtxml.Domain{Name: uuid}, lock.In(dir)))
	add(lock.Guest(soon(t), &libvirtxml.Domain{Name: "uuid-" + uuid}, lock.In(dir)))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, len(all))
	assert.Len(t, entries(t, filepath.Dir(dir)), 1, "nothing beside the folder")

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = lock.Guest(ctx, &libvirtxml.Domain{Name: "m", UUID: strings.ToUpper(strings.ReplaceAll(uuid, "-", ""))}, lock.In(dir))
	require.ErrorContains(t, err, `lock: the lock of guest "m" is held by`)
	for _, l := range all {
		assert.NoError(t, l.Remove())
	}

	for _, d := range []*libvirtxml.Domain{nil, {}, {Name: "n", UUID: "../../etc"}, {Name: "n", UUID: uuid + "0"}} {
		_, err := lock.Guest(t.Context(), d, lock.In(dir))
		assert.ErrorContains(t, err, "lock: ")
	}
	assert.Empty(t, entries(t, dir))
}

func entries(t *testing.T, dir string) []os.DirEntry {
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	return list
}

func TestLinksAreNotFollowed(t *testing.T) {
	dir := folder(t)
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "victim"), nil, 0o600))
	require.NoError(t, os.Symlink("victim", filepath.Join(dir, "name-n.lock")))
	_, err := lock.Named(soon(t), "n", lock.In(dir))
	require.EqualError(t, err, `lock: the lock "n": `+dir+"/name-n.lock: it is not a regular file")

	require.NoError(t, os.Remove(filepath.Join(dir, "name-n.lock")))
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "name-n.lock")))
	_, err = lock.Named(soon(t), "n", lock.In(dir))
	require.Error(t, err)
	assert.NoFileExists(t, outside)
}
