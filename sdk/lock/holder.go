package lock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Holder is a process that has taken a lock, as it described itself.
type Holder struct {
	PID     int    `json:"pid"`
	Program string `json:"program"`
	Doing   string `json:"doing,omitempty"`

	// Start tells the process from a later one with its number; "" where the system
	// does not say.
	Start string `json:"start,omitempty"`
}

// HeldError says that a lock was not free until the context ended.
type HeldError struct {
	Lock string // which lock it is, in words

	// Holder is who wrote last that it holds the lock: nil when nobody did.
	Holder *Holder
	// Gone says that the Holder has ended, so that another process, which has not said
	// who it is, holds the lock.
	Gone bool

	Err error // why waiting ended
}

func (e *HeldError) Error() string {
	who := "by a process that has not said who it is"
	if h := e.Holder; h != nil {
		described := fmt.Sprintf("pid %d (%s", h.PID, h.Program)
		if h.Doing != "" {
			described += ", " + h.Doing
		}
		described += ")"
		switch {
		case e.Gone:
			who += "; the last that did, " + described + ", has ended"
		case h.PID == os.Getpid():
			who = "by this process itself, " + described
		case h.Start == "":
			who = "probably by " + described
		default:
			who = "by " + described
		}
	}
	return fmt.Sprintf("lock: %s is held %s: %v", e.Lock, who, e.Err)
}

// Unwrap returns why waiting ended, [context.DeadlineExceeded] as a rule.
func (e *HeldError) Unwrap() error { return e.Err }

// describe writes into the locked file who holds it. That helps those who wait; the
// lock is as good without it.
func describe(f *os.File, doing string) {
	h := Holder{PID: os.Getpid(), Program: os.Args[0], Doing: doing}
	_, h.Start = stat(h.PID)
	text, err := json.Marshal(h)
	if err != nil {
		return
	}
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(text, 0)
	}
}

// who reads who holds the lock.
func (e *HeldError) who(root *os.Root, name string) {
	text, err := root.ReadFile(name)
	h := new(Holder)
	if err != nil || json.Unmarshal(text, h) != nil || h.PID <= 0 {
		return
	}
	// The text of one that was killed stays until the next holder has written its own.
	e.Holder, e.Gone = h, h.ended()
}

// ended says for sure that the process is none any more.
func (h *Holder) ended() bool {
	if errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH) {
		return true
	}
	state, start := stat(h.PID)
	return state == "Z" || h.Start != "" && start != "" && start != h.Start
}

// stat is the state of a process and when it was started, in ticks since boot; both
// are "" where the system does not say.
func stat(pid int) (state, start string) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", ""
	}
	// The second field is the program's name in parentheses; it may hold anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const third, startTime = 3, 22
	if len(fields) <= startTime-third {
		return "", ""
	}
	return fields[0], fields[startTime-third]
}

// calledWith says in words what libvirt called a hook with.
func calledWith(args []string) string {
	if len(args) != 5 {
		return ""
	}
	driver := filepath.Base(args[0])
	if dir, ok := strings.CutSuffix(filepath.Base(filepath.Dir(args[0])), ".d"); ok {
		driver = dir
	}
	return fmt.Sprintf("%s/%s/%s of %q", driver, args[2], args[3], args[1])
}
