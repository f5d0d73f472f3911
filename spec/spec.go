// Package spec holds the facts about libvirt's hooks: which operations each
// driver has, since which version, what libvirt passes and what it makes of the
// answer. The facts are the YAML files beside this one; the code loads and
// validates them, and everything that lists operations is generated from here.
//
// The authority for every fact is libvirt's source and behaviour, not its hooks
// page; each operation says where it was read and on which versions it was seen.
package spec

import (
	"embed"
	"iter"
	"slices"

	"github.com/virthook/virthook/spec/strict"
)

//go:embed *.yaml
var builtin embed.FS

// Spec is a set of drivers with their operations, the enums that they use, and what
// is known of hooks beyond single operations.
type Spec struct {
	Drivers []*Driver // sorted by name
	Enums   []*Enum   // in the order of enums.yaml
	Topics  []*Topic  // in the order of facts.yaml
}

// Driver is one hook program of libvirt: hooks/NAME and the scripts in
// hooks/NAME.d.
type Driver struct {
	Name    string `yaml:"driver"`
	Object  string `yaml:"object"` // what the first operand names: guest, network or none
	Summary string `yaml:"summary"`
	Doc     string `yaml:"doc"`
	Ops     []*Op  `yaml:"operations"`

	Lifecycles []*Lifecycle `yaml:"lifecycles,omitempty"`

	File  string `yaml:"-"` // the base name of the file that it was read from
	lines strict.Lines
}

// Op is one call that libvirt makes of a driver's hooks.
type Op struct {
	Op       string    `yaml:"op"`
	SubOp    string    `yaml:"sub_op"`
	Since    Version   `yaml:"since"`           // the first libvirt that calls it
	Until    Version   `yaml:"until,omitempty"` // the first libvirt that no longer calls it
	Replaces []Former  `yaml:"replaces,omitempty"`
	Host     string    `yaml:"host"`                // in a migration: any, source or destination
	Input    Inputs    `yaml:"input"`               // what stdin carries, newest first
	Output   string    `yaml:"output"`              // none or filter
	ABICheck string    `yaml:"abi_check,omitempty"` // for filters: as what libvirt refuses another ABI, migration or restore
	Failure  []Failure `yaml:"failure"`
	Fault    string    `yaml:"fault"` // what the SDK makes of a fault: fail or pass
	Extra    *Extra    `yaml:"extra,omitempty"`
	After    []string  `yaml:"after,omitempty"` // what comes right before in the ordinary course, as OP or DRIVER/OP
	Summary  string    `yaml:"summary"`
	Doc      string    `yaml:"doc"`
	Example  *Example  `yaml:"example,omitempty"`
	Verified Verified  `yaml:"verified"`

	Driver *Driver `yaml:"-"`
	lines  strict.Lines
}

// Example is a handler of an operation, as the documentation shows it. Its parameters
// are d, of type *libvirtxml.Domain, n (*libvirtxml.Network), p
// (*libvirtxml.NetworkPort) and the name of [Extra], as far as the handler has them.
type Example struct {
	Summary string   `yaml:"summary"`           // what it does
	Imports []string `yaml:"imports,omitempty"` // beside the SDK and libvirtxml
	Code    string   `yaml:"code"`              // the handler's body
	Extra   string   `yaml:"extra,omitempty"`   // the word of [Extra] that the sample has; "": the first
	Prints  string   `yaml:"prints"`            // what comes of it on a sample
}

// Former is a name that an operation had in older versions.
type Former struct {
	Op    string  `yaml:"op"`
	Until Version `yaml:"until"` // the first libvirt that uses the new name
	Doc   string  `yaml:"doc"`
}

// Inputs is what stdin carries, newest libvirt first. In YAML a plain word is
// a list of one.
type Inputs []Input

// Input is what stdin carries since a version of libvirt.
type Input struct {
	Kind  string  `yaml:"kind"` // domain, network, network+port or none
	Since Version `yaml:"since,omitempty"`
}

// Failure is what libvirt does when the hook exits with a status other than 0.
type Failure struct {
	Effect string   `yaml:"effect"`          // refused, killed, forgotten, lost or ignored
	Since  Version  `yaml:"since,omitempty"` // from this libvirt on
	Seen   Versions `yaml:"seen,omitempty"`  // real daemons on which this was observed
	Doc    string   `yaml:"doc,omitempty"`
}

// Extra is the fourth operand where it is not "-".
type Extra struct {
	Name  string  `yaml:"name,omitempty"`
	Enum  string  `yaml:"enum,omitempty"`
	Const string  `yaml:"const,omitempty"`
	Since Version `yaml:"since,omitempty"` // before it the operand is "-"
}

// Verified says how facts were checked.
type Verified struct {
	Seen   Versions `yaml:"seen,omitempty"`  // real daemons on which it was seen
	Source Strings  `yaml:"source"`          // files of libvirt's source where it was read
	Tests  Strings  `yaml:"tests,omitempty"` // tests of this module that show it
}

// Lifecycle is what libvirt calls, in order, when something is done to a guest, to a
// network or to the daemon. Calls are named OP or DRIVER/OP; the port operations of
// the network driver stand for one call for each port.
type Lifecycle struct {
	Action  string `yaml:"action"` // what is done, in the words of virsh where it has one
	Summary string `yaml:"summary"`
	From    string `yaml:"from,omitempty"` // the state that the object must be in: off, running or saved
	To      string `yaml:"to,omitempty"`   // the state that it is in afterwards

	Destination []string  `yaml:"destination,omitempty"` // calls on the other host of a migration, all of them first
	Calls       []string  `yaml:"calls"`
	Guests      string    `yaml:"guests,omitempty"`  // the action that every running guest goes through then
	Ignored     []string  `yaml:"ignored,omitempty"` // calls whose failure is only logged here
	Reason      string    `yaml:"reason,omitempty"`  // what release is given
	Fails       bool      `yaml:"fails,omitempty"`   // libvirt itself fails after Calls, and goes on as if a hook had refused
	Refused     []Refusal `yaml:"refused,omitempty"` // what follows when a hook refuses; the first that matches holds, none: nothing follows
	Doc         string    `yaml:"doc,omitempty"`
	Verified    Verified  `yaml:"verified"`

	lines strict.Lines
}

// Refusal is what libvirt calls after a hook has refused.
type Refusal struct {
	At     []string `yaml:"at,omitempty"` // the calls that were refused; none: any
	Since  Version  `yaml:"since,omitempty"`
	Calls  []string `yaml:"calls"`
	Reason string   `yaml:"reason,omitempty"`
	To     string   `yaml:"to,omitempty"` // the state afterwards; "": From
}

// States of an object, as Lifecycle.From and Lifecycle.To.
const (
	StateOff     = "off" // also of a network that is inactive
	StateRunning = "running"
	StateSaved   = "saved"
)

// Enum is a set of words that libvirt passes as an operand.
type Enum struct {
	Name    string  `yaml:"name"`
	Since   Version `yaml:"since"`
	Summary string  `yaml:"summary"`
	Doc     string  `yaml:"doc"`
	Source  Strings `yaml:"source"`
	Values  []Value `yaml:"values"`

	lines strict.Lines
}

// Value is one word of an Enum.
type Value struct {
	Value   string `yaml:"value"`
	Summary string `yaml:"summary"`
}

// Topic is a part of what is known of hooks beyond single operations.
type Topic struct {
	Name    string  `yaml:"topic"`
	Summary string  `yaml:"summary"`
	Facts   []*Fact `yaml:"facts"`

	lines strict.Lines
}

// Fact is one thing that libvirt does.
type Fact struct {
	Name     string   `yaml:"fact"`
	Summary  string   `yaml:"summary"`
	Doc      string   `yaml:"doc"`
	Since    Version  `yaml:"since,omitempty"` // the first libvirt of which it is true
	Until    Version  `yaml:"until,omitempty"` // the first of which it no longer is
	Verified Verified `yaml:"verified"`        // by seeing or by reading, at least

	lines strict.Lines
}

// Kinds of input, as Input.Kind and in the tool's JSON.
const (
	InputNone        = "none"
	InputDomain      = "domain"
	InputNetwork     = "network"
	InputNetworkPort = "network+port"
)

// Effects of a failing hook, as Failure.Effect.
const (
	EffectRefused   = "refused"   // what libvirt was about to do does not happen
	EffectKilled    = "killed"    // the running guest is killed
	EffectForgotten = "forgotten" // the guest runs on, but libvirt no longer manages it
	EffectLost      = "lost"      // saved state is deleted
	EffectIgnored   = "ignored"   // logged, nothing stops
)

// All yields every operation, drivers in order.
func (s *Spec) All() iter.Seq[*Op] {
	return func(yield func(*Op) bool) {
		for _, d := range s.Drivers {
			for _, o := range d.Ops {
				if !yield(o) {
					return
				}
			}
		}
	}
}

// Driver returns the driver of that name, or nil.
func (s *Spec) Driver(name string) *Driver {
	for _, d := range s.Drivers {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Enum returns the enum of that name, or nil.
func (s *Spec) Enum(name string) *Enum {
	for _, e := range s.Enums {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Find returns the driver's operations of that name. It is nearly always one:
// libvirt gives every operation a single sub-operation.
func (d *Driver) Find(op string) []*Op {
	var found []*Op
	for _, o := range d.Ops {
		if o.Op == op {
			found = append(found, o)
		}
	}
	return found
}

// ID names the operation for people: "qemu/migrate/begin".
func (o *Op) ID() string { return o.Driver.Name + "/" + o.Op + "/" + o.SubOp }

// InputAt is the kind of input of the given libvirt, or of the newest when v is empty.
func (o *Op) InputAt(v Version) string {
	for _, in := range o.Input {
		if v == "" || in.Since == "" || !v.Less(in.Since) {
			return in.Kind
		}
	}
	return InputNone
}

// FailureAt is what the given libvirt does when the hook fails, or the newest
// known one when v is empty.
func (o *Op) FailureAt(v Version) Failure {
	if i := o.failureAt(v); i >= 0 {
		return o.Failure[i]
	}
	return Failure{}
}

func (o *Op) failureAt(v Version) int {
	return slices.IndexFunc(o.Failure, func(f Failure) bool {
		return v == "" || f.Since == "" || !v.Less(f.Since)
	})
}

// Filters says whether libvirt reads the hook's standard output.
func (o *Op) Filters() bool { return o.Output == "filter" }

// FailureIgnored says that no known libvirt stops anything when the hook fails.
func (o *Op) FailureIgnored() bool {
	for _, f := range o.Failure {
		if f.Effect != EffectIgnored {
			return false
		}
	}
	return true
}

// In says whether the given libvirt makes this call.
func (o *Op) In(v Version) bool {
	return !v.Less(o.Since) && (o.Until == "" || v.Less(o.Until))
}
