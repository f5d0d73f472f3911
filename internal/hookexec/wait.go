package hookexec

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// end is how and when a hook ended. What is in it may be read once done is closed,
// exit and state already once exited is.
type end struct {
	exited, done   chan struct{}
	state          *os.ProcessState
	err            error
	exit, duration time.Duration
}

func newEnd() *end { return &end{exited: make(chan struct{}), done: make(chan struct{})} }

// await waits for the end of the process and then for that of its streams.
func (e *end) await(p *os.Process, s *streams, start time.Time) {
	e.state, e.err = p.Wait()
	e.exit = time.Since(start)
	close(e.exited)
	s.pumps.Wait()
	e.duration = time.Since(start)
	close(e.done)
}

// Between the exit and the end of the outputs there are microseconds, ordinarily.
// Only after a hundred times that something was probably left behind, and it is
// worth to look for it, the longer it takes the less often.
const (
	firstLook = 10 * time.Millisecond
	lastPause = time.Second
)

// wait waits for the end of a hook and finds out what is in its way.
type wait struct {
	settings
	path    string
	pid     int
	start   time.Time
	streams *streams
	end     *end

	left []Process
	told *Waiting
}

// wait returns false when the context ended it.
func (w *wait) wait(ctx context.Context) bool {
	var late, look <-chan time.Time
	if w.tell != nil {
		late = time.After(w.tellAfter)
	}
	exited, pause := w.end.exited, firstLook
	for {
		select {
		case <-w.end.done:
			return true
		case <-ctx.Done():
			w.look(exited == nil)
			select {
			case <-w.end.done: // it has ended all the same
				return true
			default:
				return false
			}
		case <-exited:
			exited = nil
			look = time.After(pause)
			continue
		case <-look:
			w.look(true)
			pause = min(2*pause, lastPause)
			look = time.After(pause)
		case <-late:
			if exited == nil {
				w.look(true)
			}
		}
		w.report(exited == nil)
	}
}

// look adds what holds the pipes now to what was found before.
func (w *wait) look(exited bool) {
	for _, p := range holders(w.streams) {
		if p.PID == w.pid && !exited {
			continue // the hook itself
		}
		i, known := slices.BinarySearchFunc(w.left, p, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
		if known {
			w.left[i] = p // by now it may be another program
		} else {
			w.left = slices.Insert(w.left, i, p)
		}
	}
}

// report tells what is waited for when it is time, and unless it was told.
func (w *wait) report(exited bool) {
	if w.tell == nil || time.Since(w.start) < w.tellAfter {
		return
	}
	now := Waiting{Path: w.path, Exited: exited}
	if exited {
		now.Left = slices.Clone(w.left)
	}
	if w.told != nil && w.told.Exited == exited && slices.Equal(w.told.Left, now.Left) {
		return
	}
	w.told = &now
	w.tell(now)
}

// commandLimit is how many bytes of a command line are shown.
const commandLimit = 200

// Quote quotes an argument, as Go does, when it would be unclear without.
func Quote(arg string) string {
	unclear := func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune("\"'`\\", r)
	}
	if arg == "" || !utf8.ValidString(arg) || strings.ContainsFunc(arg, unclear) {
		return strconv.Quote(arg)
	}
	return arg
}

// commandLine joins arguments, quoting those that would be unclear, and cuts the
// result where it is too long for a line.
func commandLine(argv []string) string {
	var b strings.Builder
	for i, a := range argv {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(Quote(a))
		if b.Len() > commandLimit {
			break
		}
	}
	line := b.String()
	if len(line) <= commandLimit {
		return line
	}
	cut := commandLimit
	for !utf8.RuneStart(line[cut]) {
		cut--
	}
	return line[:cut] + "…"
}
