package codec

import (
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// Change is how a place of the document differs from the typed value.
type Change uint8

// The changes.
const (
	Same     Change = iota
	Changed         // another value
	Added           // not in the document
	Removed         // no longer in the typed value
	Replaced        // an element that is another one altogether
	Moved           // an item of a list that is to be elsewhere
)

func (c Change) String() string {
	return [...]string{"same", "changed", "added", "removed", "replaced", "moved"}[c]
}

// Visit is a place of the document and what the typed value has for it.
type Visit struct {
	Path   string // e.g. /domain/devices/disk[2]/@type; of text, that of its element
	Change Change
	// Name is the attribute's, "" for text and elements.
	Name string
	// Element is set when it is about an element as a whole.
	Element bool
	// Span is that of the attribute's value, of the text, or of the element; of a
	// removed attribute, with its name. It has no width where something is to be
	// inserted that the document lacks.
	Span xmlscan.Span
	// New is the value that an attribute or text is to have, references resolved,
	// or the XML of an element, indented for its depth but for the first line.
	New string
	// Rest: the text is in several pieces, with something else between; this is
	// not the first, and New is empty.
	Rest bool
	// Raw: New is XML, the content of an element that is kept as it is written.
	Raw bool
	// To is where a moved element is to be.
	To int
	// SelfClosing: the Span is the "/>" of an element that gets its first content.
	SelfClosing bool
	// Ambiguous: the document says it several times, which the type has no room for.
	Ambiguous bool
}

// WalkDomain goes over a document and a typed value and calls visit for each
// attribute and text that the types know, absent ones included, and for each
// element that is only in one of both. Values are compared, not how they are
// written: where the value is what decoding gave, nothing differs.
func WalkDomain(src []byte, v *libvirtxml.Domain, visit func(Visit)) error {
	return walk(src, v, DecodeDomain, (*walker).domain, true, visit)
}

// WalkNetwork is WalkDomain for a network.
func WalkNetwork(src []byte, v *libvirtxml.Network, visit func(Visit)) error {
	return walk(src, v, DecodeNetwork, (*walker).network, true, visit)
}

// WalkNetworkPort is WalkDomain for a network port.
func WalkNetworkPort(src []byte, v *libvirtxml.NetworkPort, visit func(Visit)) error {
	return walk(src, v, DecodeNetworkPort, (*walker).networkPort, true, visit)
}

// CompareDomain returns what WalkDomain visits and finds not to be the same.
func CompareDomain(src []byte, v *libvirtxml.Domain) ([]Visit, error) {
	return compare(src, v, DecodeDomain, (*walker).domain)
}

// CompareNetwork is CompareDomain for a network.
func CompareNetwork(src []byte, v *libvirtxml.Network) ([]Visit, error) {
	return compare(src, v, DecodeNetwork, (*walker).network)
}

// CompareNetworkPort is CompareDomain for a network port.
func CompareNetworkPort(src []byte, v *libvirtxml.NetworkPort) ([]Visit, error) {
	return compare(src, v, DecodeNetworkPort, (*walker).networkPort)
}

func compare[T any](src []byte, v *T, decode func([]byte) (*T, *Report, error), step func(*walker, *T, *T)) ([]Visit, error) {
	var list []Visit
	err := walk(src, v, decode, step, false, func(v Visit) { list = append(list, v) })
	return list, err
}

func walk[T any](src []byte, v *T, decode func([]byte) (*T, *Report, error), step func(*walker, *T, *T), all bool, visit func(Visit)) error {
	old, _, err := decode(src)
	if err != nil {
		return err
	}
	w := &walker{all: all, doc: string(src)}
	w.s.Reset(src)
	if !w.child() {
		return w.err
	}
	step(w, old, v)
	if w.err == nil {
		w.err = w.enc.err
	}
	if w.err != nil {
		return w.err
	}
	markAmbiguous(w.visits)
	for _, v := range w.visits {
		visit(v)
	}
	return nil
}

// markAmbiguous marks what differs at several places with one path.
func markAmbiguous(visits []Visit) {
	type key struct {
		path    string
		element bool
	}
	first := map[key]int{}
	for i, v := range visits {
		if v.Change == Same || v.Rest || v.Element && v.Change != Removed && v.Change != Replaced {
			continue
		}
		k := key{v.Path, v.Element}
		if other, ok := first[k]; ok {
			visits[i].Ambiguous, visits[other].Ambiguous = true, true
		} else {
			first[k] = i
		}
	}
}
