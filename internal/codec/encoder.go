package codec

import (
	"slices"
	"strconv"

	"libvirt.org/go/libvirtxml"
)

// encoder has a method for each type, which writes an element of the given name, or
// none. It writes what xml.MarshalIndent with two spaces does.
type encoder struct {
	buf   []byte
	depth int
	// inStart is set from a start tag on until something else is written in the
	// element, so that </x> follows <x> or text at once.
	inStart bool
	// pending are the attributes that the next start tag begins with.
	pending []pair
	scratch [24]byte
	err     error
}

type pair struct{ name, value string }

// lead has the next element begin with an attribute.
func (e *encoder) lead(name, value string) { e.pending = append(e.pending, pair{name, value}) }

func (e *encoder) leadUint64(name string, n uint64) { e.lead(name, strconv.FormatUint(n, 10)) }

func (e *encoder) leadInt64(name string, n int64) { e.lead(name, strconv.FormatInt(n, 10)) }

// drop forgets attributes of an element that was not written after all.
func (e *encoder) drop() { e.pending = e.pending[:0] }

func (e *encoder) indent() {
	if len(e.buf) > 0 {
		e.buf = append(e.buf, '\n')
	}
	for range e.depth {
		e.buf = append(e.buf, ' ', ' ')
	}
}

// open begins a start tag.
func (e *encoder) open(name string) {
	e.begin(name)
	e.leads()
}

// openSpace is open for an element of a namespace, which it declares.
func (e *encoder) openSpace(name, space string) {
	e.begin(name)
	e.attrString("xmlns", space)
	e.leads()
}

func (e *encoder) begin(name string) {
	if cap(e.buf)-len(e.buf) < 512 {
		e.buf = slices.Grow(e.buf, len(e.buf)+8<<10) // large ones seldom
	}
	e.indent()
	e.depth++
	e.inStart = true
	e.buf = append(e.buf, '<')
	e.buf = append(e.buf, name...)
}

func (e *encoder) leads() {
	for _, p := range e.pending {
		e.attrString(p.name, p.value)
	}
	e.pending = e.pending[:0]
}

// endStart ends a start tag.
func (e *encoder) endStart() { e.buf = append(e.buf, '>') }

// close writes an end tag.
func (e *encoder) close(name string) {
	e.depth--
	if !e.inStart {
		e.indent()
	}
	e.inStart = false
	e.buf = append(e.buf, '<', '/')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '>')
}

// empty writes an element without content.
func (e *encoder) empty(name string) {
	e.open(name)
	e.endStart()
	e.close(name)
}

func (e *encoder) attrName(name string) {
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '=', '"')
}

func (e *encoder) attrString(name, value string) {
	e.attrName(name)
	e.buf = appendEscaped(e.buf, value, true)
	e.buf = append(e.buf, '"')
}

func (e *encoder) attrUint64(name string, n uint64) {
	e.attrName(name)
	e.buf = append(strconv.AppendUint(e.buf, n, 10), '"')
}

func (e *encoder) attrInt64(name string, n int64) {
	e.attrName(name)
	e.buf = append(strconv.AppendInt(e.buf, n, 10), '"')
}

func (e *encoder) attrHex(name string, n uint64, digits int) {
	e.attrName(name)
	e.hex(n, digits)
	e.buf = append(e.buf, '"')
}

// hex writes 0x and at least so many digits.
func (e *encoder) hex(n uint64, digits int) {
	s := strconv.AppendUint(e.scratch[:0], n, 16)
	e.buf = append(e.buf, '0', 'x')
	for i := len(s); i < digits; i++ {
		e.buf = append(e.buf, '0')
	}
	e.buf = append(e.buf, s...)
}

// The methods elementX write an element that has only text, leafX as well but as
// the methods of libvirtxml write text, with line ends as they are.

func (e *encoder) elementString(name, value string) {
	e.open(name)
	e.endStart()
	e.textString(value)
	e.close(name)
}

func (e *encoder) elementUint64(name string, n uint64) {
	e.open(name)
	e.endStart()
	e.textUint64(n)
	e.close(name)
}

func (e *encoder) leafString(name, value string) {
	e.open(name)
	e.endStart()
	e.buf = appendEscaped(e.buf, value, false)
	e.close(name)
}

func (e *encoder) leafUint64(name string, n uint64) { e.elementUint64(name, n) }

func (e *encoder) leafHex(name string, n uint64, digits int) {
	e.open(name)
	e.endStart()
	e.hex(n, digits)
	e.close(name)
}

func (e *encoder) textString(s string) { e.buf = appendEscaped(e.buf, s, true) }

func (e *encoder) textUint64(n uint64) { e.buf = strconv.AppendUint(e.buf, n, 10) }

func (e *encoder) textInt64(n int64) { e.buf = strconv.AppendInt(e.buf, n, 10) }

func (e *encoder) cdataInt64(n int64) {
	e.buf = append(e.buf, "<![CDATA["...)
	e.textInt64(n)
	e.buf = append(e.buf, "]]>"...)
}

// raw writes content as it is.
func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

// chardevSource writes a source that says its type itself.
func (e *encoder) chardevSource(name string, v *libvirtxml.DomainChardevSource) {
	if typ := chardevChoice(v); typ != "" {
		e.lead("type", typ)
	}
	e.domainChardevSource(name, v)
}

// orZero returns what a pointer leads to, a zero value for nil.
func orZero[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}
