// Package eventjson is what fire --json and replay --json have in common: how they print
// one call of a driver's hooks. docs/json.md describes it field by field.
package eventjson

import (
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/verdict"
)

// Verdict is what libvirt makes of it.
type Verdict struct {
	Word    verdict.Word  `json:"word"`
	Cause   verdict.Cause `json:"cause"`
	Message string        `json:"message"`
	Changed bool          `json:"changed"`
	Tainted bool          `json:"tainted"`
	OK      bool          `json:"ok"`
}

// VerdictOf is a verdict.
func VerdictOf(v verdict.Verdict) Verdict {
	return Verdict{
		Word: v.Word, Cause: v.Cause, Message: v.Message,
		Changed: v.Changed, Tainted: v.Tainted, OK: v.GoesOn(),
	}
}

// Call is one program that was run.
type Call struct {
	Path       string   `json:"path"`
	Argv       []string `json:"argv"`
	Status     int      `json:"status"` // -1: ended by the signal
	Signal     int      `json:"signal"` // 0: it exited
	Stdout     string   `json:"stdout"`
	Stderr     string   `json:"stderr"`
	AtMS       float64  `json:"at_ms"`
	DurationMS float64  `json:"duration_ms"`
	ExitedMS   float64  `json:"exited_ms"`
	Slow       bool     `json:"slow"`
	Left       []Left   `json:"left"`
}

// Left is a process that kept libvirt waiting.
type Left struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	Holds   string `json:"holds"`
}

// Line is one of a difference.
type Line struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

var kinds = map[xmldiff.Kind]string{
	xmldiff.Same: "same", xmldiff.Place: "place", xmldiff.Removed: "removed", xmldiff.Added: "added",
}

// Diff is a difference, nil when there is none.
func Diff(diff []xmldiff.Line) (lines []Line) {
	for _, l := range diff {
		lines = append(lines, Line{kinds[l.Kind], l.Text})
	}
	return lines
}

// MS is a duration in milliseconds, with up to three decimals.
func MS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
