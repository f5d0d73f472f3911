package codec

import (
	"github.com/virthook/virthook/internal/xmlscan"
)

// finding is an Omission whose path is not looked for yet.
type finding struct {
	kind   findingKind
	span   xmlscan.Span // of an element only where it starts
	name   string       // of an attribute
	reason Reason
}

type findingKind uint8

const (
	attribute findingKind = iota
	missingAttribute
	element
	characters
)

func (d *decoder) omitAttr(a *xmlscan.Attr, reason Reason) {
	d.found = append(d.found, finding{attribute, a.All, d.doc[a.Name.From:a.Name.To], reason})
}

func (d *decoder) omitText(span xmlscan.Span, reason Reason) {
	d.found = append(d.found, finding{characters, span, "", reason})
}

// omitElement leaves out the current element but does not skip it.
func (d *decoder) omitElement(reason Reason) {
	d.found = append(d.found, finding{element, d.s.Span(), "", reason})
}

// unknownAttr leaves out an attribute that no field is for, unless it declares a
// namespace or a union knows it.
func (d *decoder) unknownAttr(a *xmlscan.Attr) {
	if !d.isDeclaration(a) && !d.isTaken(a) {
		d.omitAttr(a, Unknown)
	}
}

// noAttrs is for an element that no attribute is known of.
func (d *decoder) noAttrs() {
	attrs := d.s.Attrs()
	for i := range attrs {
		d.unknownAttr(&attrs[i])
	}
}

// unknownElement leaves out the current element.
func (d *decoder) unknownElement() {
	d.omitElement(Unknown)
	d.skip()
}

// unknownAround leaves out the current element, but its descendants are looked at.
func (d *decoder) unknownAround() { d.omitElement(Unknown) }

// noContent is for an element that no content is known of.
func (d *decoder) noContent() {
	for d.child() {
		d.unknownElement()
	}
}

// empty is for an element that nothing more is known of.
func (d *decoder) empty() {
	d.noAttrs()
	d.noContent()
}

// strayText leaves out text where none belongs, unless it is white space.
func (d *decoder) strayText(kind xmlscan.Kind) {
	if !isBlank(d.s.Bytes(d.s.Content())) {
		d.omitText(d.s.Span(), Unknown)
	}
}

// unknownChoice leaves out a discriminator whose value is not known, or which is
// missing.
func (d *decoder) unknownChoice(name string) {
	if a := d.find(name); a != nil {
		d.omitAttr(a, UnknownValue)
	} else {
		d.require(name)
	}
}

// require reports an attribute that is not there but has to be.
func (d *decoder) require(name string) {
	if d.find(name) == nil {
		d.found = append(d.found, finding{missingAttribute, d.s.Span(), name, Missing})
	}
}

// unknownVariant leaves out the current element as that of an unknown variant.
func (d *decoder) unknownVariant(name string) {
	d.unknownChoice(name)
	if len(d.s.Attrs()) > 1 || !d.s.SelfClosing() {
		d.omitElement(NoVariant)
	}
	d.skip()
}

// noVariant leaves out the current element because a discriminator around it has
// chosen no variant that it could be.
func (d *decoder) noVariant() {
	d.omitElement(NoVariant)
	d.skip()
}
