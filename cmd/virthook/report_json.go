package main

import (
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
)

// firedJSON is what fire --json prints. docs/json.md describes it field by field.
type firedJSON struct {
	Version int         `json:"version"`
	Driver  string      `json:"driver"`
	Object  string      `json:"object"`
	Op      string      `json:"op"`
	SubOp   string      `json:"sub_op"`
	Extra   string      `json:"extra"`
	Libvirt string      `json:"libvirt"`
	Filter  bool        `json:"filter"`
	OK      bool        `json:"ok"`
	Verdict verdictJSON `json:"verdict"`
	Calls   []callJSON  `json:"calls"`
	Output  *string     `json:"output,omitempty"` // of a filter that prints XML
	Diff    []diffJSON  `json:"diff,omitempty"`
}

type verdictJSON struct {
	Word    string `json:"word"`
	Cause   string `json:"cause"`
	Message string `json:"message"`
	Changed bool   `json:"changed"`
	Tainted bool   `json:"tainted"`
	OK      bool   `json:"ok"`
	Then    string `json:"then,omitempty"`
}

type callJSON struct {
	Path       string     `json:"path"`
	Argv       []string   `json:"argv"`
	Status     int        `json:"status"` // -1: ended by the signal
	Signal     int        `json:"signal"` // 0: it exited
	Stdout     string     `json:"stdout"`
	Stderr     string     `json:"stderr"`
	AtMS       float64    `json:"at_ms"`
	ExitedMS   float64    `json:"exited_ms"`
	DurationMS float64    `json:"duration_ms"`
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

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// json is the report for programs.
func (f *fired) json() firedJSON {
	v := f.verdict
	j := firedJSON{
		Version: 1, Driver: f.call.Driver, Object: f.call.Object, Op: f.call.Op, SubOp: f.call.SubOp, Extra: f.call.Extra,
		Libvirt: string(f.libvirt), Filter: f.filter, OK: v.GoesOn(), Calls: []callJSON{},
		Verdict: verdictJSON{
			Word: string(v.Word), Cause: string(v.Cause), Message: v.Message,
			Changed: v.Changed, Tainted: v.Tainted, OK: v.GoesOn(), Then: f.then,
		},
	}
	for _, r := range f.outcome.Results {
		j.Calls = append(j.Calls, f.callJSON(r))
	}
	if f.outcome.Output == nil {
		return j
	}
	output := string(f.outcome.Output)
	j.Output = &output
	diff, _ := xmldiff.Diff(f.call.Input, f.outcome.Output) // what is not XML has none
	for _, l := range diff {
		j.Diff = append(j.Diff, diffJSON{diffKinds[l.Kind], l.Text})
	}
	return j
}

func (f *fired) callJSON(r hookexec.Result) callJSON {
	c := callJSON{
		Path: r.Path, Argv: r.Argv, Status: r.Status, Signal: int(r.Signal),
		Stdout: string(r.Stdout), Stderr: string(r.Stderr),
		AtMS: milliseconds(r.Start.Sub(f.start)), ExitedMS: milliseconds(r.Exited), DurationMS: milliseconds(r.Duration),
		Slow: f.isSlow(r), Left: []leftJSON{},
	}
	for _, p := range r.Left {
		c.Left = append(c.Left, leftJSON(p))
	}
	return c
}
