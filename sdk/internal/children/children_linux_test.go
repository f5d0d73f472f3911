package children

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test's program is also that of all processes: the stand-in for libvirtd leads
// their process group, the hook is in that group, and the others descend from the hook.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILDREN_TEST") {
	case "":
		os.Exit(m.Run())
	case "libvirtd":
		c := again1("hook", os.Args[1:]...)
		c.ExtraFiles = []*os.File{os.Stdout, lifeline} // 3 is not used
		err := c.Run()
		fmt.Println("libvirtd lives, the hook says", err)
	case "hook":
		runtime.LockOSThread() // for the name of the process, which is its first thread's
		scenarios[os.Args[1]](os.Args[2:])
	case "child":
		go func() { // no test leaves anything behind, not even a failed one
			_, _ = io.Copy(io.Discard, lifeline)
			os.Exit(0)
		}()
		child(os.Args[1:])
	}
	os.Exit(0)
}

// What processes inherit. Nobody closes them, so neither may the collector.
var (
	ready    = os.NewFile(3, "ready")    // who is there says so; at its end all are gone
	lifeline = os.NewFile(4, "lifeline") // held by the test
)

func init() {
	if os.Getenv("CHILDREN_TEST") == "child" {
		runtime.LockOSThread() // main on the first thread
	}
}

func again1(role string, args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "CHILDREN_TEST="+role)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c
}

// child does one thing after the other, and sleeps in the end.
func child(does []string) {
	descend := func(does []string) *exec.Cmd {
		c := again1("child", does...)
		c.Stdout, c.Stderr = nil, nil
		c.ExtraFiles = []*os.File{ready, lifeline}
		must(c.Start())
		return c
	}
	for i, do := range does {
		switch rest := does[i+1:]; do {
		case "session":
			_, err := syscall.Setsid()
			must(err)
		case "group":
			must(syscall.Setpgid(0, 0))
		case "fork": // and leave the rest to the other
			descend(rest)
			os.Exit(0)
		case "parent": // of the one that does the rest
			descend(rest)
			sleep()
		case "zombies":
			for range 3 {
				descend([]string{"exit"})
			}
		case "exit":
			os.Exit(0)
		case "respawn":
			for {
				_ = descend(rest).Wait()
			}
		case "ignore":
			signal.Ignore()
		case "headless": // the first thread ends, and leaves what it has to the others
			go sleep()
			_, _, _ = syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
		case "clear": // another program, without environment
			exe, _ := os.Executable()
			must(syscall.Exec(exe, append([]string{"x"}, rest...), []string{"CHILDREN_TEST=child"}))
		default:
			name, _ := strconv.Unquote(do)
			call(name)
		}
	}
	sleep()
}

func sleep() {
	fmt.Fprintln(ready, os.Getpid())
	for {
		_ = syscall.Pause()
	}
}

// call gives this process a name.
func call(name string) {
	const setName = 15
	text := append([]byte(name), 0)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setName, uintptr(unsafe.Pointer(&text[0])), 0)
}

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(3)
	}
}

// family is what the hook starts.
type family struct {
	pipe *bufio.Reader
	end  *os.File
}

func newFamily() *family {
	r, w, err := os.Pipe()
	must(err)
	return &family{pipe: bufio.NewReader(r), end: w}
}

func (f *family) command(does string) *exec.Cmd {
	c := again1("child", strings.Fields(does)...)
	c.Stdout, c.Stderr = nil, nil
	c.ExtraFiles = []*os.File{f.end, lifeline}
	return c
}

// await waits until n are there, and returns their PIDs.
func (f *family) await(n int) (pids []int) {
	for range n {
		line, err := f.pipe.ReadString('\n')
		must(err)
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		must(err)
		pids = append(pids, pid)
	}
	return pids
}

// last is what they said since, up to the end of the last of them.
func (f *family) last() string {
	f.end.Close()
	text, err := io.ReadAll(f.pipe)
	must(err)
	return string(text)
}

func lives(pid int) bool {
	p, err := new(finder).read(pid)
	return err == nil && !p.zombie
}

const ample = time.Minute // is a hang, not a wait

var scenarios = map[string]func(args []string){
	"end": func(args []string) {
		Adopt()
		f := newFamily()
		for _, does := range args {
			must(f.command(does).Start())
		}
		pids := f.await(len(args))
		var running []int
		for _, p := range Running() {
			running = append(running, p.PID)
		}
		for _, pid := range pids {
			if !slices.Contains(running, pid) {
				fmt.Println("not found:", pid)
			}
		}
		left := End(ample)
		f.last()
		fmt.Println("left", left, "running", Running())
	},
	"names": func(args []string) {
		Adopt()
		for _, does := range args {
			f := newFamily()
			must(f.command(does).Start())
			f.await(1)
			fmt.Printf("%q\n", Running()[0].Name)
			fmt.Println("left", End(ample))
			f.last()
		}
	},
	"respawn": func([]string) {
		Adopt()
		f := newFamily()
		for range 3 {
			must(f.command("respawn respawn session").Start())
		}
		f.await(3)
		left := End(ample)
		f.last()
		fmt.Println("left", left)
	},
	"hop": func([]string) {
		Adopt()
		f := newFamily()
		const hop = `if [ $1 = 0 ] || [ $1 = 1980 ]; then echo 1 >&3; fi; if [ $1 != 0 ]; then sh -c "$0" "$0" $(($1-1)) & fi`
		c := exec.Command("/bin/sh", "-c", hop, hop, "2000")
		c.ExtraFiles = []*os.File{f.end}
		must(c.Start())
		f.await(1)
		left := End(ample)
		fmt.Println("left", left, "last", f.last())
	},
	"keep": func(args []string) {
		Adopt()
		f, doomed := newFamily(), newFamily()
		for _, does := range args {
			must(Start(func() (int, error) {
				c := f.command(does)
				c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
				c.Env = append(c.Env, Mark())
				err := c.Start()
				if err != nil {
					return 0, err
				}
				go func() { _ = c.Wait() }()
				return c.Process.Pid, nil
			}))
		}
		must(doomed.command("parent fork session").Start())
		pids := f.await(len(args) + strings.Count(strings.Join(args, " "), "parent"))
		doomed.await(2)
		left := End(ample)
		doomed.last()
		dead := 0
		for _, pid := range pids {
			if !lives(pid) {
				dead++
			}
		}
		fmt.Println("left", left, "dead", dead, "any", Any())
		kept = nil
		fmt.Println("left", End(ample), Running())
		f.last()
	},
	"undead": func([]string) {
		Adopt()
		f := newFamily()
		c := f.command("parent session")
		must(c.Start())
		pids := f.await(2)
		deadly = 0
		left := End(20 * time.Millisecond)
		var found []int
		for _, p := range left {
			found = append(found, p.PID)
		}
		slices.Sort(found)
		slices.Sort(pids)
		fmt.Println("all left:", slices.Equal(found, pids))
		deadly = syscall.SIGKILL
		fmt.Println("left", End(ample))
		f.last()
	},
	"held up": func([]string) {
		Adopt()
		f := newFamily()
		must(f.command("").Start())
		f.await(1)
		starting.Lock()
		End(20 * time.Millisecond)
		f.last()
		fmt.Println("ended")
	},
}

// run runs a hook under its libvirtd and returns what both say.
func run(t *testing.T, scenario string, args ...string) string {
	t.Helper()
	life, hold, err := os.Pipe()
	require.NoError(t, err)
	defer hold.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*ample)
	defer cancel()
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(ctx, program, append([]string{scenario}, args...)...)
	c.Env = append(os.Environ(), "CHILDREN_TEST=libvirtd")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what would kill it does not kill the test
	c.ExtraFiles = []*os.File{life, life}
	c.Stderr = os.Stderr
	out, err := c.Output()
	life.Close()
	assert.NoError(t, err)
	return string(out)
}

const done = "libvirtd lives, the hook says <nil>\n"

func TestEnd(t *testing.T) {
	for _, does := range []string{
		"", "ignore", "fork", "session", "fork session", "session fork", "group", "session fork group fork session",
		"fork fork fork", "headless", "fork headless", "zombies", "fork zombies", "ignore session fork ignore",
	} {
		t.Run(does, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, "left [] running []\n"+done, run(t, "end", does))
		})
	}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "left [] running []\n"+done, run(t, "end", "", "fork session", "fork", "session fork group", "zombies", "headless"))
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "left [] running []\n"+done, run(t, "end"))
	})
}

func TestEndWhatKeepsStarting(t *testing.T) {
	assert.Equal(t, "left []\n"+done, run(t, "respawn"))
	assert.Equal(t, "left [] last \n"+done, run(t, "hop"), "a chain of processes that start another and end; it was not ended, but ran out")
}

func TestKept(t *testing.T) {
	for _, does := range [][]string{
		{""}, {"fork"}, {"fork fork"},
		{"fork clear"},                        // known by its session
		{"fork session", "fork fork session"}, // known by their mark
		{"session-less", "fork"},
	} {
		t.Run(strings.Join(does, ", "), func(t *testing.T) {
			t.Parallel()
			out := run(t, "keep", does...)
			assert.Equal(t, "left [] dead 0 any true\nleft [] []\n"+done, out)
		})
	}
	// Its parent is there: that is enough.
	assert.Equal(t, "left [] dead 0 any true\nleft [] []\n"+done, run(t, "keep", "parent clear session", "fork"))
}

func TestLeft(t *testing.T) {
	assert.Equal(t, "all left: true\nleft []\n"+done, run(t, "undead"))
}

func TestHeldUp(t *testing.T) {
	assert.Equal(t, "ended\n"+done, run(t, "held up"))
}

func TestNames(t *testing.T) {
	names := []string{"a b", ") Z 1 1 (", "x) S 1\n2 3", "((()))", "\n", "\xff\x01", ""}
	var does []string
	var want strings.Builder
	for _, n := range names {
		does = append(does, strings.ReplaceAll(strconv.QuoteToASCII(n), " ", `\x20`))
		fmt.Fprintf(&want, "%q\nleft []\n", n)
	}
	assert.Equal(t, want.String()+done, run(t, "names", does...))
}

func TestParse(t *testing.T) {
	const rest = " 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 12345 6 7"
	for _, name := range []string{"", "a", "a b", ")", "(", ") S 1 (", "\n) R 1\n", "1 (x) S 2 3"} {
		p, err := parse([]byte("42 (" + name + ") S" + rest))
		require.NoError(t, err)
		assert.Equal(t, process{pid: 42, name: name, parent: 7, session: 9, start: 12345}, p)
		p, err = parse([]byte("42 (" + name + ") Z" + rest))
		require.NoError(t, err)
		assert.True(t, p.zombie)
	}
	for _, text := range []string{"", "42", "42 (a", "(a) S" + rest, ")(", "42 (a) S 7", "x (a) S" + rest, "42 (a) S" + strings.Replace(rest, "7", "x", 1)} {
		_, err := parse([]byte(text))
		assert.Error(t, err, text)
	}
	self, err := new(finder).read(os.Getpid())
	require.NoError(t, err)
	assert.Equal(t, os.Getppid(), self.parent)
}

// One that is older than its parent is none of its children.
func TestFate(t *testing.T) {
	all := map[int]process{
		10: {pid: 10, parent: 1, start: 100},
		20: {pid: 20, parent: 10, start: 100},
		21: {pid: 21, parent: 20, start: 200},
		22: {pid: 22, parent: 20, start: 50},
		23: {pid: 23, parent: 22, start: 300},
		30: {pid: 30, parent: 31, start: 7},
		31: {pid: 31, parent: 30, start: 7},
		40: {pid: 40, parent: 9999, start: 500},
	}
	for pid, want := range map[int]fate{20: ours, 21: ours, 22: others, 23: others, 30: others, 31: others, 40: others} {
		assert.Equal(t, want, fateOf(all[pid], all, map[int]fate{10: ours}), pid)
	}
}

// The PID of one that has ended is another's now.
func TestKillNobodyElse(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	c := exec.Command("cat")
	c.Stdin = r
	var out bytes.Buffer
	c.Stdout = &out
	require.NoError(t, c.Start())
	p, err := new(finder).read(c.Process.Pid)
	require.NoError(t, err)
	p.start--
	p.kill()
	for _, pid := range []int{0, -1, 1, -p.pid} {
		process{pid: pid}.kill()
	}
	_, err = w.WriteString("alive")
	require.NoError(t, err)
	w.Close()
	require.NoError(t, c.Wait())
	assert.Equal(t, "alive", out.String())
}

// Looking for children leaves them to those who wait for them.
func TestAnySteals(t *testing.T) {
	c := exec.Command("/bin/sh", "-c", "exit 7")
	require.NoError(t, c.Start())
	const processID = 1
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, processID, uintptr(c.Process.Pid), 0, syscall.WEXITED|syscall.WNOWAIT, 0, 0)
	require.Zero(t, errno)
	for range 3 {
		assert.True(t, Any())
		assert.Empty(t, Running(), "it is a zombie")
		assert.Empty(t, End(ample))
	}
	var status *exec.ExitError
	require.True(t, errors.As(c.Wait(), &status))
	assert.Equal(t, 7, status.ExitCode())
}

func TestNoAllocation(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(10, func() { anyChild() }))
}
