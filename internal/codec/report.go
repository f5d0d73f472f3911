package codec

import (
	"github.com/virthook/virthook/internal/xmlscan"
)

// Reason says why something is not in the typed view.
type Reason string

// The reasons.
const (
	// Unknown: libvirtxml has no field for it.
	Unknown Reason = "not known to libvirtxml"
	// UnknownValue: libvirtxml knows no variant of that name.
	UnknownValue Reason = "value not known to libvirtxml"
	// Missing: the attribute that says which variant it is is not there.
	Missing Reason = "missing"
	// NoVariant: it belongs to a variant that is not known.
	NoVariant Reason = "of a type not known to libvirtxml"
	// NotANumber: the field is for a number.
	NotANumber Reason = "not a number"
	// NotKept: libvirtxml takes the value for none.
	NotKept Reason = "value not kept by libvirtxml"
)

// Omission is something of the document that is not in its typed view.
type Omission struct {
	Path   string // e.g. /domain/devices/disk[2]/@type; an index where there are several
	Value  string // of an attribute or text; "…" for what may be secret
	Span   xmlscan.Span
	Reason Reason
}

// Report says what the typed view of a document leaves out.
type Report struct {
	src   []byte
	found []finding
	list  []Omission // once asked for
}

// Len returns how many omissions there are.
func (r *Report) Len() int { return len(r.found) }

// Omissions returns them in the order of the document. It is not meant for several
// goroutines at once.
func (r *Report) Omissions() []Omission {
	if r.list == nil && len(r.found) > 0 {
		r.list = locate(r.src, r.found)
	}
	return r.list
}
