package main

import (
	"github.com/virthook/virthook/cmd/virthook/internal/eventjson"
	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
)

// firedJSON is what fire --json prints. docs/json.md describes it field by field.
type firedJSON struct {
	Version int               `json:"version"`
	Driver  string            `json:"driver"`
	Object  string            `json:"object"`
	Op      string            `json:"op"`
	SubOp   string            `json:"sub_op"`
	Extra   string            `json:"extra"`
	Libvirt string            `json:"libvirt"`
	Filter  bool              `json:"filter"`
	OK      bool              `json:"ok"`
	Verdict eventjson.Verdict `json:"verdict"`
	Then    string            `json:"then,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
	Calls   []eventjson.Call  `json:"calls"`
	Output  *string           `json:"output,omitempty"` // of a filter that prints XML
	Diff    []eventjson.Line  `json:"diff,omitempty"`
}

// json is the report for programs.
func (f *fired) json() firedJSON {
	v := f.verdict
	j := firedJSON{
		Version: 1, Driver: f.call.Driver, Object: f.call.Object, Op: f.call.Op, SubOp: f.call.SubOp, Extra: f.call.Extra,
		Libvirt: string(f.libvirt), Filter: f.filter, OK: v.GoesOn(),
		Verdict: eventjson.VerdictOf(v), Then: f.then, Notes: f.notes, Calls: []eventjson.Call{},
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
	j.Diff = eventjson.Diff(diff)
	return j
}

func (f *fired) callJSON(r hookexec.Result) eventjson.Call {
	c := eventjson.Call{
		Path: r.Path, Argv: r.Argv, Status: r.Status, Signal: int(r.Signal),
		Stdout: string(r.Stdout), Stderr: string(r.Stderr),
		AtMS: eventjson.MS(r.Start.Sub(f.start)), ExitedMS: eventjson.MS(r.Exited), DurationMS: eventjson.MS(r.Duration),
		Slow: f.isSlow(r), Left: []eventjson.Left{},
	}
	for _, p := range r.Left {
		c.Left = append(c.Left, eventjson.Left(p))
	}
	return c
}
