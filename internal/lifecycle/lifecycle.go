// Package lifecycle plays what happens to guests, networks and the daemon, and makes
// the calls of hooks that libvirt makes then: in its order, and with what follows when
// a hook refuses. The order is the spec's; the XML is what a real libvirt sent, or what
// the caller gives.
package lifecycle

//go:generate go run ../../gen/lifecycle/cmd/lifecyclegen

import (
	"slices"
	"strings"

	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/internal/version"
)

// operation is what the spec says of an operation. Lists of versions are newest first,
// and the last item holds for all that is older.
type operation struct {
	driver, op, subOp string
	since, until      string
	former            []since // the names that it had before a version
	inputs, effects   []since
	filter            bool
	abiCheck          string
	extra             extra
}

// since is a word that holds from a version on; former names hold until it.
type since struct{ version, word string }

// extra is the fourth operand: a word that is always the same, or a reason.
type extra struct {
	word   string
	reason bool
	since  string // before it the operand is "-"
}

// Action is something that is done, and what libvirt calls then. Calls are named
// DRIVER/OPERATION; those for ports stand for one call for each.
type Action struct {
	Driver, Name string
	Summary      string
	From, To     string // states: "off", "running", "saved"; To "": as before
	Destination  []string
	Calls        []string
	Guests       string   // the action that every running guest goes through then
	Ignored      []string // calls whose failure is only logged here
	Reason       string   // what release is given
	Fails        bool     // libvirt itself fails after Calls
	Refused      []Refusal
}

// Refusal is what follows when a hook refuses.
type Refusal struct {
	At     []string // calls; none: any
	Since  string   // a version
	Calls  []string
	Reason string
	To     string // a state; "": as before
}

// States of guests and networks.
const (
	Off     = "off"
	Running = "running"
	Saved   = "saved"
)

// Actions returns every action of a driver, in the spec's order.
func Actions(driver string) []Action {
	var of []Action
	for _, a := range actions {
		if a.Driver == driver {
			of = append(of, a)
		}
	}
	return of
}

func find(driver, action string) (Action, bool) {
	i := slices.IndexFunc(actions, func(a Action) bool { return a.Driver == driver && a.Name == action })
	if i < 0 {
		return Action{}, false
	}
	return actions[i], true
}

// refusal is what follows when the call is refused.
func (a Action) refusal(call, libvirt string) Refusal {
	for _, r := range a.Refused {
		if (r.At == nil || slices.Contains(r.At, call)) && !older(libvirt, r.Since) {
			return r
		}
	}
	return Refusal{}
}

func operationOf(ref string) operation {
	driver, op, _ := strings.Cut(ref, "/")
	i := slices.IndexFunc(operations, func(o operation) bool { return o.driver == driver && o.op == op })
	return operations[i] // the spec was checked: it is there
}

// in says whether the version makes the call.
func (o operation) in(libvirt string) bool {
	return !older(libvirt, o.since) && (o.until == "" || libvirt != "" && older(libvirt, o.until))
}

// name is the operation's in a version.
func (o operation) name(libvirt string) string {
	for _, f := range o.former {
		if libvirt != "" && older(libvirt, f.version) {
			return f.word
		}
	}
	return o.op
}

// at is the word of a list that holds in a version.
func at(list []since, libvirt string) string {
	for _, s := range list {
		if !older(libvirt, s.version) {
			return s.word
		}
	}
	return ""
}

// operand is the fourth one.
func (o operation) operand(libvirt, reason string) string {
	switch {
	case older(libvirt, o.extra.since):
	case o.extra.reason && reason != "":
		return reason
	case o.extra.word != "":
		return o.extra.word
	}
	return "-"
}

// judged is the operation as verdicts need it.
func (o operation) judged(libvirt string) verdict.Operation {
	return verdict.Operation{
		Driver: o.driver, Op: o.name(libvirt), SubOp: o.subOp,
		Libvirt: libvirt, Effect: at(o.effects, libvirt), Filter: o.filter, ABICheck: o.abiCheck,
	}
}

// Judged is what a verdict on an operation depends on in a version of libvirt, "" the
// newest. Of one that the spec does not know it is little.
func Judged(driver, op, subOp, libvirt string) verdict.Operation {
	for _, o := range operations {
		if o.driver == driver && o.name(libvirt) == op && o.subOp == subOp {
			return o.judged(libvirt)
		}
	}
	return verdict.Operation{Driver: driver, Op: op, SubOp: subOp, Libvirt: libvirt}
}

// older says whether a version is older than another. No version is the newest as the
// first operand and the oldest as the second.
func older(libvirt, than string) bool {
	return libvirt != "" && than != "" && version.Compare(libvirt, than) < 0
}
