// Package hookimpl is what generated code needs of the SDK's runtime, and for
// generated code only. Programs use package sdk.
package hookimpl

import "libvirt.org/go/libvirtxml"

// Version1 is the handshake between generated code and the runtime: generated
// code names the version that it was written for. Where it does not compile,
// code and runtime are of different virthook releases: generate again.
const Version1 = 1

// Op is what the runtime knows of one operation.
type Op struct {
	Driver, Op, SubOp string

	Input          Input
	Filter         bool // libvirt reads standard output
	ABICheck       ABICheck
	EmptyInput     bool // some libvirt that makes the call passes no XML
	FailureIgnored bool // no libvirt stops anything when the hook fails
	FaultPasses    bool // a fault must not be taken for a refusal
}

// Input is what standard input carries.
type Input uint8

// The kinds of input.
const (
	None Input = iota
	Domain
	Network
	NetworkPort // a network and its port
)

// ABICheck is how libvirt holds a filter's output against the guest's ABI.
type ABICheck uint8

// The kinds of check.
const (
	NoABICheck ABICheck = iota
	ABIMigration
	ABIRestore // also compares the current memory
)

// Document is the decoded input: what Op.Input names is set, the rest is nil.
type Document struct {
	Domain      *libvirtxml.Domain
	Network     *libvirtxml.Network
	NetworkPort *libvirtxml.NetworkPort
}

// Word is the fourth operand as a value of an enum: "" where libvirt passes "-".
func Word(extra string) string {
	if extra == "-" {
		return ""
	}
	return extra
}

// NonNil panics when the handler given to the function of that name is nil.
func NonNil(function string, isNil bool) {
	if isNil {
		panic(function + ": nil handler")
	}
}
