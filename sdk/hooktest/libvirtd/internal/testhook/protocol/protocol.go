// Package protocol is what the test hook and the tests that use it agree on.
package protocol

import (
	"encoding/xml"
	"time"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
	"github.com/virthook/virthook/sdk/metadata"
)

// The files, inside.
const (
	RulesFile = namespace.Run + "/rules.json"
	TypedFile = namespace.Run + "/typed"
	VirshFile = namespace.Run + "/virsh"
)

// Deadline is that of a handler which a rule lets hang.
const Deadline = 300 * time.Millisecond

// Rule is what the hook does in a call.
type Rule struct {
	Hook   string // the hook's file name; "": any
	Op     string // such as "qemu/start"
	Object string // the guest's or network's name; "": any
	Do     string
	Text   string // what Do is about
}

// Matches tells whether the rule is about a call.
func (r Rule) Matches(hook, op, object string) bool {
	return (r.Hook == "" || r.Hook == hook) && r.Op == op && (r.Object == "" || r.Object == object)
}

// What a rule does.
const (
	Fail  = "fail"
	Panic = "panic"
	Hang  = "hang"
	Print = "print"
	Leave = "leave" // a process behind, that has the hook's descriptors
	Virsh = "virsh" // calls libvirt

	StartAndHang = "start and hang" // with a child that runs
	Guarded      = "guarded"        // calls libvirt in ways that the SDK keeps from waiting

	// In filters only.
	Disk   = "disk"   // another path for the first disk
	Listen = "listen" // another address for VNC
	Memory = "memory" // twice of it, which no running guest can take
	Mark   = "mark"   // adds to the metadata
)

// Typed is what a handler was given: the typed document's.
type Typed struct {
	Hook, Op           string
	Name, UUID, Reason string
	Memory, Bridge     string
	Disks, MACs        []string
	Port, Owner        string
}

// MarksName is the metadata that Mark writes.
var MarksName = metadata.Name{Space: "http://virthook.test/marks", Prefix: "vh", Local: "marks"}

// Marks are the hooks that a filter went through.
type Marks struct {
	XMLName xml.Name `xml:"http://virthook.test/marks marks"`
	By      []string `xml:"by"`
}
