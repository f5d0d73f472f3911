package children

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const proc = "/proc/"

var deadly = syscall.SIGKILL // something else in tests

func adopt() {
	const setChildSubreaper = 36
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PRCTL, setChildSubreaper, 1, 0, 0, 0, 0)
}

func anyChild() bool {
	const all, how = 0, syscall.WNOHANG | syscall.WEXITED | syscall.WNOWAIT
	_, _, errno := syscall.RawSyscall6(syscall.SYS_WAITID, all, 0, 0, how, 0, 0)
	return errno != syscall.ECHILD
}

// Mark is an environment variable, as NAME=VALUE, by which a kept child's own children
// are known when they have left its session and lost their parents.
func Mark() string { return "VIRTHOOK_DETACHED_BY=" + strconv.Itoa(os.Getpid()) }

// process is one as /proc shows it. Its PID and start are never another's.
type process struct {
	pid  int
	name string

	parent, session int
	start           uint64 // ticks since boot
	zombie          bool
}

// finder looks for descendants, again and again.
type finder struct {
	found   []process // last time
	buf     [4096]byte
	zombies map[process]bool
	moved   bool // what was there has ended: it may have started something behind our back
	gone    int  // so often in a row something was gone that was listed, and may have been ours
}

// sure says that there were no others than those found last. /proc is read one process
// after the other, and one that starts another and ends can always be where it is not
// looked for. But then it is seen to have ended: nobody takes away the zombies of
// adopted children. Only those started here have somebody who waits for them, and are
// simply gone; so are processes of others, all the time on a busy host.
func (f *finder) sure() bool {
	const enough = 3
	return !f.moved && (f.gone == 0 || f.gone >= enough)
}

// find returns the descendants to end.
func (f *finder) find() []process {
	mu.Lock()
	defer mu.Unlock()
	f.moved, f.found = false, nil
	self := os.Getpid()
	// A /proc of another PID namespace tells of other processes.
	if link, err := os.Readlink(proc + "self"); err != nil || link != strconv.Itoa(self) {
		return nil
	}
	dir, err := os.Open(proc)
	if err != nil {
		return nil
	}
	names, _ := dir.Readdirnames(-1)
	dir.Close()

	all, gone := make(map[int]process, len(names)), false
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		p, err := f.read(pid)
		if err != nil {
			gone = true
			continue
		}
		all[pid] = p
	}
	if gone {
		f.gone++
	} else {
		f.gone = 0
	}

	fates := map[int]fate{self: ours}
	for _, p := range all {
		if p.pid == self || fateOf(p, all, fates) != ours {
			continue
		}
		if !p.zombie {
			f.found = append(f.found, p)
			continue
		}
		if !f.zombies[p] {
			if f.zombies == nil {
				f.zombies = map[process]bool{}
			}
			f.zombies[p], f.moved = true, true
		}
	}
	return f.found
}

// chase goes after processes that start another and end, faster than /proc can be read
// as a whole: the system says which process is the newest one.
func (f *finder) chase() {
	if !f.moved {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	const enough = 3 * time.Millisecond
	for began := time.Now(); time.Since(began) < enough; {
		text, err := os.ReadFile(proc + "loadavg")
		fields := strings.Fields(string(text))
		if err != nil || len(fields) == 0 {
			return
		}
		pid, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			return
		}
		if p, err := f.read(pid); err == nil && !p.zombie && f.descends(p) {
			p.kill()
		}
	}
}

// descends says whether a process is to be ended, by its ancestors alone.
func (f *finder) descends(p process) bool {
	const deepest = 100
	for range deepest {
		if kept[p.pid] || kept[p.session] || marked(p) {
			return false
		}
		if p.parent == os.Getpid() {
			return true
		}
		parent, err := f.read(p.parent)
		if err != nil || parent.start > p.start {
			return false
		}
		p = parent
	}
	return false
}

// fate is what becomes of a process.
type fate int

const (
	unknown fate = iota
	others       // no descendant
	ours         // to be ended
	spared       // kept
)

func fateOf(p process, all map[int]process, fates map[int]fate) fate {
	if known := fates[p.pid]; known != unknown {
		return known
	}
	fates[p.pid] = others // should what was read at different times make a circle
	f := others
	// Nobody is older than his parent. Who is has had another, with the same PID.
	if parent, ok := all[p.parent]; ok && parent.start <= p.start {
		f = fateOf(parent, all, fates)
	}
	if f == ours && (kept[p.pid] || kept[p.session] || marked(p)) {
		f = spared
	}
	fates[p.pid] = f
	return f
}

// marked says that the process has [Mark] in its environment.
func marked(p process) bool {
	if len(kept) == 0 || p.zombie {
		return false
	}
	text, err := os.ReadFile(proc + strconv.Itoa(p.pid) + "/environ")
	return err == nil && bytes.Contains(append([]byte{0}, text...), []byte("\x00"+Mark()+"\x00"))
}

// kill ends exactly this process. FindProcess gets a descriptor of it where the kernel
// has such (5.3): that cannot become another's, and if it was another's from the start,
// so is what is read now. An older kernel leaves a gap of a few instructions, in which
// the process must end, be waited for, and its number come round; a child of ours
// keeps its number until it is waited for here.
func (p process) kill() {
	if p.pid <= 1 {
		return // never a group, nor everybody
	}
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return
	}
	defer func() { _ = handle.Release() }()
	if now, err := new(finder).read(p.pid); err == nil && now.start == p.start {
		_ = handle.Signal(deadly)
	}
}

// read reads what the system says of one process.
func (f *finder) read(pid int) (process, error) {
	fd, err := again(func() (int, error) {
		return syscall.Open(proc+strconv.Itoa(pid)+"/stat", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return process{}, err
	}
	n, err := again(func() (int, error) { return syscall.Read(fd, f.buf[:]) })
	_ = syscall.Close(fd)
	if err != nil {
		return process{}, err
	}
	return parse(f.buf[:n])
}

func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

var errStat = errors.New("not as in proc_pid_stat(5)")

// parse reads /proc/PID/stat: "PID (NAME) STATE PARENT …". The name may hold anything,
// parentheses and newlines too; what comes after it is a letter and numbers.
func parse(text []byte) (process, error) {
	open, shut := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 1 || shut < open {
		return process{}, errStat
	}
	const state, parent, session, threads, start = 0, 1, 3, 17, 19
	fields := strings.Fields(string(text[shut+1:]))
	if len(fields) <= start {
		return process{}, errStat
	}
	var err error
	number := func(text string) uint64 {
		n, e := strconv.ParseUint(text, 10, 64)
		err = errors.Join(err, e)
		return n
	}
	p := process{
		pid: int(number(string(text[:open-1]))), name: string(text[open+1 : shut]),
		parent: int(number(fields[parent])), session: int(number(fields[session])),
		start: number(fields[start]),
	}
	// A process whose first thread has ended looks like a zombie; it is none while it
	// has others.
	p.zombie = (fields[state] == "Z" || fields[state] == "X") && number(fields[threads]) <= 1
	return p, err
}
