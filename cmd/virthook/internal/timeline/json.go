package timeline

import (
	"encoding/json"
	"io"
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/verdict"
)

// JSON writes the timeline for programs, as docs/json.md describes it. The error
// is w's.
func (t *Timeline) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(replayed(t))
}

type replayedJSON struct {
	Version    int        `json:"version"`
	Scenario   string     `json:"scenario"`
	Summary    string     `json:"summary"`
	Libvirt    string     `json:"libvirt"`
	Hooks      string     `json:"hooks"`
	Hosts      []string   `json:"hosts"`
	OK         bool       `json:"ok"`
	DurationMS float64    `json:"duration_ms"`
	Steps      []stepJSON `json:"steps"`
}

type stepJSON struct {
	Action     string      `json:"action"`
	Host       string      `json:"host"`
	AtMS       float64     `json:"at_ms"`
	DurationMS float64     `json:"duration_ms"`
	Outcome    string      `json:"outcome"`
	Expected   bool        `json:"expected"`
	Events     []eventJSON `json:"events"`
}

// eventJSON is what fire --json prints of its one event, and where and when it was.
type eventJSON struct {
	Host       string      `json:"host"`
	Driver     string      `json:"driver"`
	Object     string      `json:"object"`
	Op         string      `json:"op"`
	SubOp      string      `json:"sub_op"`
	Extra      string      `json:"extra"`
	AtMS       float64     `json:"at_ms"`
	DurationMS float64     `json:"duration_ms"`
	OK         bool        `json:"ok"`
	Verdict    verdictJSON `json:"verdict"`
	Calls      []callJSON  `json:"calls"`
	Output     *string     `json:"output,omitempty"`
	Diff       []diffJSON  `json:"diff,omitempty"`
}

type verdictJSON struct {
	Word    verdict.Word  `json:"word"`
	Cause   verdict.Cause `json:"cause"`
	Message string        `json:"message"`
	Changed bool          `json:"changed"`
	Tainted bool          `json:"tainted"`
	OK      bool          `json:"ok"`
}

type callJSON struct {
	Path       string     `json:"path"`
	Argv       []string   `json:"argv"`
	Status     int        `json:"status"`
	Signal     int        `json:"signal"`
	Stdout     string     `json:"stdout"`
	Stderr     string     `json:"stderr"`
	AtMS       float64    `json:"at_ms"`
	DurationMS float64    `json:"duration_ms"`
	ExitedMS   float64    `json:"exited_ms"`
	Slow       bool       `json:"slow"`
	Left       []leftJSON `json:"left"`
}

type leftJSON struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	Holds   string `json:"holds"`
}

type diffJSON struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

var diffKinds = map[xmldiff.Kind]string{
	xmldiff.Same: "same", xmldiff.Place: "place", xmldiff.Removed: "removed", xmldiff.Added: "added",
}

func replayed(t *Timeline) replayedJSON {
	r := replayedJSON{
		Version: 1, Scenario: t.Scenario, Summary: t.Summary, Libvirt: t.Libvirt, Hooks: t.Hooks,
		Hosts: list(t.Hosts), OK: t.OK(), DurationMS: ms(t.Duration), Steps: []stepJSON{},
	}
	for _, s := range t.Steps {
		step := stepJSON{
			Action: s.Action, Host: s.Host, AtMS: ms(s.At), DurationMS: ms(s.Duration),
			Outcome: s.Outcome, Expected: s.Expected, Events: []eventJSON{},
		}
		for _, c := range s.sorted() {
			step.Events = append(step.Events, event(c))
		}
		r.Steps = append(r.Steps, step)
	}
	return r
}

func event(c *Call) eventJSON {
	v := c.Verdict
	e := eventJSON{
		Host: c.Host, Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra,
		AtMS: ms(c.At), DurationMS: ms(c.Duration), OK: v.GoesOn(), Calls: []callJSON{},
		Verdict: verdictJSON{Word: v.Word, Cause: v.Cause, Message: v.Message, Changed: v.Changed, Tainted: v.Tainted, OK: v.GoesOn()},
	}
	for _, h := range c.Hooks {
		call := callJSON{
			Path: h.Path, Argv: list(h.Argv), Status: h.Status, Signal: h.Signal, Stdout: h.Stdout, Stderr: h.Stderr,
			AtMS: ms(h.At), DurationMS: ms(h.Duration), ExitedMS: ms(h.Exited), Slow: h.Duration > Slow, Left: []leftJSON{},
		}
		for _, p := range h.Left {
			call.Left = append(call.Left, leftJSON(p))
		}
		e.Calls = append(e.Calls, call)
	}
	if c.Output != nil {
		output := string(c.Output)
		e.Output = &output
	}
	for _, l := range c.Diff {
		e.Diff = append(e.Diff, diffJSON{diffKinds[l.Kind], l.Text})
	}
	return e
}

// list is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// ms is a duration in milliseconds, with three decimals.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
