package hooktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/virthook/virthook/sdk/command"
	"github.com/virthook/virthook/sdk/internal/callctx"
)

// Recorder records the commands of a test's handlers, and answers in their place.
type Recorder struct {
	t testing.TB

	mu       sync.Mutex
	strict   bool
	ended    bool
	answers  []*Answer
	commands []Command
	told     int // how many of them Ran has looked at
}

// Command is a command that a handler wanted to run.
type Command struct {
	command.Command
	Detached bool // started with Detach
}

// String is the command on one line, what does not speak for itself quoted, and with an
// & after it when it was detached: `sleep "1 2" &`.
func (c Command) String() string {
	if c.Detached {
		return c.Command.String() + " &"
	}
	return c.Command.String()
}

// Answer is what a command comes to: success, and nothing printed, unless it says more.
type Answer struct {
	recorder *Recorder
	words    []string
	used     bool
	gives    callctx.Answer
}

// Commands makes all that handlers of this test run through sdk/command be recorded and
// not run, from now on and in the tests in it that have no Commands of their own. A
// command that [Recorder.On] has no answer for succeeds and prints nothing. The programs
// need not be on the machine, but what sdk/command refuses is refused.
//
// Programs that a handler starts in another way, as with os/exec, do run; and so does all
// that a program called with [Exec] starts.
func Commands(t testing.TB) *Recorder {
	t.Helper()
	s := systemOf(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commands == nil {
		r := &Recorder{t: t}
		s.commands = r
		t.Cleanup(func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ended = true
		})
	}
	return s.commands
}

// On is the answer to commands that begin with these words. Of several that fit the one
// with the most words counts; several with the same words answer one after the other,
// and the last one stays.
//
//	rec.On("ip", "link", "show").Fail(1, "no such device")
//	rec.On("ip", "link", "show").Output("br0: up") // from the second time on
func (r *Recorder) On(name string, args ...string) *Answer {
	r.t.Helper()
	if strings.ContainsAny(name, " \t\n") {
		r.t.Fatalf("hooktest: On(%q): give each word for itself, On(%s)", name, quoted(strings.Fields(name)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := &Answer{recorder: r, words: append([]string{name}, args...)}
	r.answers = append(r.answers, a)
	return a
}

// Output makes the command print that on standard output.
func (a *Answer) Output(stdout string) *Answer {
	a.recorder.mu.Lock()
	defer a.recorder.mu.Unlock()
	a.gives.Stdout = stdout
	return a
}

// Fail makes the command end with that exit status, 1 to 255, and print that on standard
// error. One that is detached is not started then.
func (a *Answer) Fail(status int, stderr string) *Answer {
	a.recorder.t.Helper()
	if status < 1 || status > 255 {
		a.recorder.t.Fatalf("hooktest: Fail(%d): the exit status of a failure is 1 to 255", status)
	}
	a.recorder.mu.Lock()
	defer a.recorder.mu.Unlock()
	a.gives.Status, a.gives.Stderr = status, stderr
	return a
}

// Strict makes a command that [Recorder.On] has no answer for fail, and the test with it.
func (r *Recorder) Strict() *Recorder {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strict = true
	return r
}

var errUnexpected = errors.New("the test does not expect it: no On of its recorder fits")

// answer is what the handlers' contexts carry.
func (r *Recorder) answer(asked callctx.Command) callctx.Answer {
	c := Command{command.Command{
		Name: asked.Name, Args: slices.Clone(asked.Args), Stdin: slices.Clone(asked.Stdin), Env: slices.Clone(asked.Env), Dir: asked.Dir,
	}, asked.Detached}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commands = append(r.commands, c)
	if a := r.find(append([]string{c.Name}, c.Args...)); a != nil {
		a.used = true
		return a.gives
	}
	if r.strict {
		if !r.ended { // after that, Errorf would panic
			r.t.Errorf("hooktest: not expected: %s", c)
		}
		return callctx.Answer{Err: errUnexpected}
	}
	return callctx.Answer{}
}

// find is the answer to a command; nil when there is none.
func (r *Recorder) find(words []string) (found *Answer) {
	for _, a := range r.answers {
		n := len(a.words)
		switch {
		case n > len(words) || !slices.Equal(a.words, words[:n]):
		case found == nil || n > len(found.words) || n == len(found.words) && found.used:
			found = a
		}
	}
	return found
}

// Commands are all commands so far, in the order in which they were begun.
func (r *Recorder) Commands() []Command {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.commands)
}

// Ran fails the test unless exactly these commands have run since the last call of Ran,
// in this order, each as [Command.String] writes it. Without any, none must have run.
func (r *Recorder) Ran(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	var got []string
	for _, c := range r.commands[r.told:] {
		got = append(got, c.String())
	}
	r.told = len(r.commands)
	r.mu.Unlock()
	if text, same := compareLines(want, got); !same {
		r.t.Fatalf("other commands than wanted (- wanted, + ran):\n%s", text)
	}
}

func quoted(words []string) string {
	for i, w := range words {
		words[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(words, ", ")
}
