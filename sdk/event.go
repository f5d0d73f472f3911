package sdk

import (
	"github.com/virthook/virthook/sdk/hookimpl"
	"libvirt.org/go/libvirtxml"
)

// Event is one call of one operation, decoded. The types that implement it are
// generated, one an operation; each embeds its [*Call].
type Event interface {
	// Info returns the call.
	Info() *Call

	// HookOp and HookNew are for the package's own use. They work on nil pointers.
	HookOp() *hookimpl.Op
	HookNew(*Call, hookimpl.Document) Event
}

// DomainEvent is an event that carries a guest's domain.
type DomainEvent interface {
	Event
	// Guest returns the event's Domain. In a filter it is the document to edit.
	Guest() *libvirtxml.Domain
}

// Filter is the part of an event whose document the handler may change: libvirt
// goes on with the result. Edit the event's Domain in place, or give other XML
// with Replace. A Domain set to nil means no change.
type Filter struct {
	raw []byte
	set bool
}

// Replace gives libvirt this XML, whatever becomes of the event's Domain. It must
// be one well-formed <domain>; otherwise the run fails and nothing is written.
// The XML that came in, byte for byte, counts as no change.
func (f *Filter) Replace(xml []byte) { f.raw, f.set = xml, true }

func (f *Filter) replacement() ([]byte, bool) { return f.raw, f.set }
