package timeline

import (
	"encoding/json"
	"io"

	"github.com/virthook/virthook/cmd/virthook/internal/eventjson"
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
	Host       string            `json:"host"`
	Driver     string            `json:"driver"`
	Object     string            `json:"object"`
	Op         string            `json:"op"`
	SubOp      string            `json:"sub_op"`
	Extra      string            `json:"extra"`
	AtMS       float64           `json:"at_ms"`
	DurationMS float64           `json:"duration_ms"`
	OK         bool              `json:"ok"`
	Verdict    eventjson.Verdict `json:"verdict"`
	Calls      []eventjson.Call  `json:"calls"`
	Output     *string           `json:"output,omitempty"`
	Diff       []eventjson.Line  `json:"diff,omitempty"`
}

func replayed(t *Timeline) replayedJSON {
	r := replayedJSON{
		Version: 1, Scenario: t.Scenario, Summary: t.Summary, Libvirt: t.Libvirt, Hooks: t.Hooks,
		Hosts: list(t.Hosts), OK: t.OK(), DurationMS: eventjson.MS(t.Duration), Steps: []stepJSON{},
	}
	for _, s := range t.Steps {
		step := stepJSON{
			Action: s.Action, Host: s.Host, AtMS: eventjson.MS(s.At), DurationMS: eventjson.MS(s.Duration),
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
		AtMS: eventjson.MS(c.At), DurationMS: eventjson.MS(c.Duration), OK: v.GoesOn(), Calls: []eventjson.Call{},
		Verdict: eventjson.VerdictOf(v), Diff: eventjson.Diff(c.Diff),
	}
	for _, h := range c.Hooks {
		call := eventjson.Call{
			Path: h.Path, Argv: list(h.Argv), Status: h.Status, Signal: h.Signal, Stdout: h.Stdout, Stderr: h.Stderr,
			AtMS: eventjson.MS(h.At), DurationMS: eventjson.MS(h.Duration), ExitedMS: eventjson.MS(h.Exited), Slow: h.Duration > Slow, Left: []eventjson.Left{},
		}
		for _, p := range h.Left {
			call.Left = append(call.Left, eventjson.Left(p))
		}
		e.Calls = append(e.Calls, call)
	}
	if c.Output != nil {
		output := string(c.Output)
		e.Output = &output
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
