// Package timeline shows what a scenario's calls of hooks came to, as text for a
// terminal, as JSON and as a page of HTML.
package timeline

import (
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/verdict"
)

// Timeline is a scenario that was played.
type Timeline struct {
	Scenario string // its name, such as "boot"
	Summary  string
	Libvirt  string   // the version that was played; "" for the newest
	Hooks    string   // the program or the folder that was called
	Hosts    []string // in order; one, or source and destination
	Steps    []Step
	Duration time.Duration // of the whole
}

// Step is one thing that is done to a guest, a network or the daemon.
type Step struct {
	Action   string        // such as "start web" or "migrate web"
	Host     string        // on which, or from which
	At       time.Duration // since the scenario began
	Duration time.Duration
	Outcome  string // "" when it went through, else in libvirt's terms such as "start refused"
	Expected bool   // the scenario wants this outcome; false is a failure of the scenario
	Calls    []Call // in order of their beginning
}

// Call is one call of a driver's hooks, of which there may be several.
type Call struct {
	Host                             string
	Driver, Object, Op, SubOp, Extra string

	At, Duration time.Duration
	Verdict      verdict.Verdict
	Hooks        []Hook // none: libvirt has nothing to call
	Input        []byte
	Output       []byte         // of a filter that changes the XML: what libvirt takes in place of Input
	Diff         []xmldiff.Line // of a filter that changes the XML
}

// Hook is one program that was run for a call.
type Hook struct {
	Path           string
	Argv           []string
	Status         int // -1 when a signal ended it
	Signal         int
	Stdout, Stderr string
	At, Duration   time.Duration
	Exited         time.Duration // when the program itself ended; less than Duration when something kept its output open
	Left           []Process     // what kept it open
	GaveUp         bool          // the wait was given up while the program ran, and it was killed
}

// Process is one that a hook left behind and that keeps libvirt waiting.
type Process struct {
	PID     int
	Command string // its command line
	Holds   string // "stdout", "stderr", "stdout and stderr" or "stdin"
}
