// Package children knows the processes that this one has started, and those that they
// have started, to leave none behind.
//
// A hook shares its process group with libvirtd, so nothing here signals a group: each
// process is ended by itself.
//
// A process that loses its parent would get out of sight. After [Adopt] it becomes a
// child of this process instead. That works on Linux and FreeBSD; elsewhere no
// processes are found, and none are ended.
package children

import (
	"sync"
	"time"
)

// Process is one that runs.
type Process struct {
	PID  int
	Name string // as the system has it, cut to a few bytes, and anybody's choice; "" on FreeBSD
}

var (
	starting sync.Mutex // held while a child to keep is started, and while others are ended

	mu   sync.Mutex
	kept map[int]bool
)

// Adopt makes this process the parent of all its descendants that lose theirs. It
// costs one system call.
func Adopt() { adopt() }

// Keep says that a child is meant to outlive this process: neither it nor what it
// starts is ended. Where it leads a session that includes all of the session.
func Keep(pid int) {
	mu.Lock()
	defer mu.Unlock()
	keep(pid)
}

func keep(pid int) {
	if kept == nil {
		kept = map[int]bool{} // not before: every hook would pay for it
	}
	kept[pid] = true
}

// Start starts a child to keep. [End] in another goroutine does not come between its
// start and Keep.
func Start(start func() (pid int, err error)) error {
	starting.Lock()
	defer starting.Unlock()
	pid, err := start()
	if err == nil {
		Keep(pid)
	}
	return err
}

// Any says whether there are children at all: kept ones and zombies count. It costs one
// system call, and takes no child from those who wait for it: it looks with WNOWAIT and
// leaves zombies to them, or to the end of this process.
func Any() bool { return anyChild() }

// Running returns the descendants that are neither kept nor zombies.
func Running() []Process {
	if !Any() {
		return nil
	}
	return running()
}

// running has a frame of several KB, for which the stack would grow: most often nobody
// has started anything.
//
//go:noinline
func running() []Process {
	starting.Lock()
	defer starting.Unlock()
	return public(new(finder).find())
}

// End kills the descendants that are not kept, those too that are started meanwhile. It
// returns when there are none, or when the limit is over; left are those that were
// still there then, such as one in an uninterruptible sleep, or another user's.
func End(limit time.Duration) (left []Process) {
	// Most often there are none. A process whose children are adopted has no
	// descendants when it has no children.
	if !Any() {
		return nil
	}
	const most = 20 * time.Millisecond
	var (
		f        finder
		deadline = time.Now().Add(limit)
		pause    = time.Millisecond / 2
		killed   = map[process]bool{}
	)
	for {
		left, news := f.round(deadline, killed)
		switch {
		case len(left) == 0 && f.sure():
			return nil
		case !time.Now().Before(deadline):
			return public(left)
		case news: // they may have started others: at once
			continue
		}
		time.Sleep(min(pause, max(time.Until(deadline), 0)))
		pause = min(2*pause, most)
	}
}

// round kills what it finds, and says whether some of it was not known before.
func (f *finder) round(deadline time.Time, killed map[process]bool) (found []process, news bool) {
	// Whoever starts a child to keep may be held up, by a dead file server for one: then
	// that child is not spared.
	locked := starting.TryLock()
	for ; !locked && time.Now().Before(deadline); locked = starting.TryLock() {
		time.Sleep(time.Millisecond / 2)
	}
	if locked {
		defer starting.Unlock()
	}
	found = f.find()
	for _, p := range found {
		p.kill()
		news = news || !killed[p]
		killed[p] = true
	}
	f.chase()
	return found, news
}

func public(ps []process) []Process {
	var result []Process
	for _, p := range ps {
		result = append(result, Process{PID: p.pid, Name: p.name})
	}
	return result
}
