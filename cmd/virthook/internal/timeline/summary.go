package timeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
)

// Slow is how long a call or a hook may take before it is marked: as long as it lasts,
// libvirt's other commands for the same guest wait, and often those for all.
const Slow = time.Second

// foldAbove is the number of calls above which a step of calls that are alike is
// shown as a summary by operation.
const foldAbove = 40

// level is how bad a verdict is.
type level int

const (
	fine   level = iota // libvirt goes on
	marked              // it goes on, but somebody should know
	bad                 // it refuses, kills, loses or hangs
)

// OK says whether every step came out as the scenario wants it.
func (t *Timeline) OK() bool { return t.unexpected() == 0 }

func (t *Timeline) unexpected() int {
	n := 0
	for _, s := range t.Steps {
		if !s.Expected {
			n++
		}
	}
	return n
}

// calls are those of all steps.
func (t *Timeline) calls() []*Call {
	var calls []*Call
	for _, s := range t.Steps {
		calls = append(calls, s.sorted()...)
	}
	return calls
}

// sorted are the step's calls by time.
func (s Step) sorted() []*Call {
	calls := make([]*Call, len(s.Calls))
	for i := range s.Calls {
		calls[i] = &s.Calls[i]
	}
	slices.SortStableFunc(calls, func(a, b *Call) int { return cmp.Compare(a.At, b.At) })
	return calls
}

// outcome says how the step ended, and whether the scenario wants that.
func (s Step) outcome() string {
	switch {
	case s.Outcome == "" && s.Expected:
		return "went through"
	case s.Outcome == "":
		return "went through, not as expected"
	case s.Expected:
		return s.Outcome + ", as expected"
	}
	return s.Outcome + ", not as expected"
}

// folded are the operations to show in place of the calls, when these are many and alike.
func (s Step) folded() []*operation {
	if len(s.Calls) <= foldAbove {
		return nil
	}
	if ops := operations(s.sorted()); len(ops)*4 <= len(s.Calls) {
		return ops
	}
	return nil
}

func (c *Call) level() level {
	switch {
	case !c.Verdict.GoesOn():
		return bad
	case !c.Verdict.OK() || c.Verdict.Tainted || c.Duration > Slow || c.left():
		return marked
	}
	return fine
}

// badOutput says whether what the hooks printed is why libvirt does not go on.
func (c *Call) badOutput() bool {
	switch c.Verdict.Cause {
	case verdict.NoCause, verdict.Failed, verdict.NeverEnded:
		return false
	}
	return true
}

func (c *Call) left() bool {
	return slices.ContainsFunc(c.Hooks, func(h Hook) bool { return len(h.Left) > 0 })
}

// notes say what the verdict's word does not.
func (c *Call) notes() []string {
	var notes []string
	if c.badOutput() { // of other causes the word tells, or the hook that is shown
		notes = append(notes, string(c.Verdict.Cause))
	}
	if c.Verdict.Changed {
		notes = append(notes, "XML changed")
	}
	if c.Verdict.Tainted {
		notes = append(notes, "guest tainted")
	}
	if c.Duration > Slow {
		notes = append(notes, "slow")
	}
	if c.left() {
		notes = append(notes, "process left")
	}
	return notes
}

// operation is the call's, as the spec names it.
func (c *Call) operation() string { return c.Driver + "/" + c.Op + "/" + c.SubOp }

// extra is the fourth operand, or nothing when it says nothing.
func (c *Call) extra() string {
	if c.Extra == "-" {
		return ""
	}
	return c.Extra
}

func (h Hook) failed() bool { return h.Status != 0 || h.Signal != 0 }

// stderr is what the hook printed there, without the end of the last line.
func (h Hook) stderr() string { return strings.TrimRight(h.Stderr, "\r\n") }

// message is libvirt's, without the many lines of a hook's that it ends with:
// these are shown with the hook.
func (c *Call) message() string {
	m := strings.TrimRight(c.Verdict.Message, "\r\n")
	for _, h := range c.Hooks {
		if rest, ok := strings.CutSuffix(m, h.stderr()); ok && strings.Contains(h.stderr(), "\n") {
			return rest + "…"
		}
	}
	return m
}

// ending is how the hook ended, in libvirt's words.
func (h Hook) ending() string {
	if h.GaveUp {
		return "still running, killed"
	}
	if h.Signal != 0 {
		return fmt.Sprintf("fatal signal %d (%s)", h.Signal, syscall.Signal(h.Signal))
	}
	return fmt.Sprintf("exit status %d", h.Status)
}

// String says who keeps what open.
func (p Process) String() string {
	return fmt.Sprintf("process %d, which keeps %s open: %s", p.PID, p.Holds, hookexec.Quote(p.Command))
}

// operation is what the calls of one operation on one host came to.
type operation struct {
	Host, Name string
	Calls      int
	Failures   int
	Marked     int
	Median     time.Duration
	Slowest    *Call
	durations  []time.Duration
}

// operations are those of the calls, in the order in which they first came.
func operations(calls []*Call) []*operation {
	var ops []*operation
	index := map[[2]string]*operation{}
	for _, c := range calls {
		key := [2]string{c.Host, c.operation()}
		o := index[key]
		if o == nil {
			o = &operation{Host: c.Host, Name: c.operation(), Slowest: c}
			index[key] = o
			ops = append(ops, o)
		}
		o.Calls++
		o.durations = append(o.durations, c.Duration)
		if !c.Verdict.OK() {
			o.Failures++
		} else if c.level() != fine {
			o.Marked++
		}
		if c.Duration > o.Slowest.Duration {
			o.Slowest = c
		}
	}
	for _, o := range ops {
		slices.Sort(o.durations)
		n := len(o.durations)
		o.Median = (o.durations[(n-1)/2] + o.durations[n/2]) / 2
	}
	return ops
}

// atOnce is how many of the calls ran at the same time, at most.
func atOnce(calls []*Call) int {
	type edge struct {
		at time.Duration
		by int
	}
	var edges []edge
	for _, c := range calls {
		edges = append(edges, edge{c.At, 1}, edge{c.At + c.Duration, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	most, now := 0, 0
	for _, e := range edges {
		now += e.by
		most = max(most, now)
	}
	return most
}

// slowest is the call that took longest, nil when there is none.
func slowest(calls []*Call) *Call {
	if len(calls) == 0 {
		return nil
	}
	return slices.MaxFunc(calls, func(a, b *Call) int { return cmp.Compare(a.Duration, b.Duration) })
}

func failures(calls []*Call) int {
	n := 0
	for _, c := range calls {
		if !c.Verdict.OK() {
			n++
		}
	}
	return n
}

// counted is the number with its noun: "1 call", "3 calls".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

// short is a duration with about three figures, as people compare them.
func short(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d == 0:
		return "0 ms"
	case ms < 0.0995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case d < 59995*time.Millisecond:
		return fmt.Sprintf("%.2f s", ms/1000)
	}
	s := int(math.Round(d.Seconds()))
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// round is a duration that is one of few figures.
func round(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%g ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%g s", d.Seconds())
}

// seconds is a point in time, which lines up with others.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

// hosts says whether there is more than one, so that it matters which.
func (t *Timeline) hosts() bool { return len(t.Hosts) > 1 }

// title is what the scenario is called.
func (t *Timeline) title() string { return strings.TrimSpace(t.Scenario) }
