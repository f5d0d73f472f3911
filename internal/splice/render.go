package splice

import "bytes"

// render writes a new element in the manner of the original.
func (p *plan) render(pl *place) []byte {
	w := &writer{plan: p, unit: p.orig.unit()}
	w.element(pl.a, pl.in, pl.in.prefix(), nil, pl.in.childIndent(p))
	return w.out
}

// childIndent returns the line end and white space before an element in n.
func (n *node) childIndent(p *plan) []byte {
	if c := n.first.element(); c != nil {
		return c.indent()
	}
	outer := n.indent()
	if outer == nil {
		return nil
	}
	return append(bytes.Clone(outer), p.orig.unit()...)
}

// writer writes elements of the typed view.
type writer struct {
	plan *plan
	unit []byte
	out  []byte
}

// scope are the namespaces that new elements declare.
type scope struct {
	prefix, space []byte
	outer         *scope
}

// element writes a, which is to be in the element o of the original, perhaps with
// other new elements around it, the innermost of which has the prefix outer.
func (w *writer) element(a, o *node, outer []byte, s *scope, indent []byte) {
	prefix, declare := w.prefix(a, o, outer, s)
	name := append([]byte(nil), prefix...)
	if len(prefix) > 0 {
		name = append(name, ':')
	}
	name = append(name, a.name()...)
	quote := w.plan.quoteOf(o)

	w.out = append(append(w.out, '<'), name...)
	if declare {
		w.out = append(w.out, " xmlns"...)
		if len(prefix) > 0 {
			w.out = append(append(w.out, ':'), prefix...)
		}
		w.attribute(a.space, quote)
		s = &scope{prefix, a.space, s}
	}
	for _, attr := range a.attrs {
		if a.isDeclaration(attr) {
			continue
		}
		w.out = append(append(w.out, ' '), a.bytes(attr.Name)...)
		w.attribute(a.value(attr), quote)
	}

	var content []byte
	if w.plan.rules.isRaw(a) {
		content = a.bytes(a.content)
	} else {
		content = appendText(nil, a.typedText())
	}
	child := a.first.element()
	if w.plan.rules.isRaw(a) {
		child = nil
	}
	if len(content) == 0 && child == nil {
		w.out = append(w.out, "/>"...)
		return
	}
	w.out = append(append(w.out, '>'), content...)
	if child != nil {
		inner := indent
		if indent != nil {
			inner = append(bytes.Clone(indent), w.unit...)
		}
		for ; child != nil; child = child.next.element() {
			w.out = append(w.out, inner...)
			w.element(child, o, prefix, s, inner)
		}
		w.out = append(w.out, indent...)
	}
	w.out = append(append(append(w.out, "</"...), name...), '>')
}

// attribute writes ="value".
func (w *writer) attribute(value []byte, quote byte) {
	w.out = appendAttr(append(w.out, '=', quote), value, quote)
	w.out = append(w.out, quote)
}
