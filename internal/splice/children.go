package splice

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// children plans what makes the elements in o say what those in a say.
func (p *plan) children(o, b, a *node) {
	if b.first.element() == nil && a.first.element() == nil {
		return
	}
	places := map[*node]*place{}
	waiting := false
	for _, g := range groups(o, b, a) {
		p.arrange(g)
		for _, pl := range g.places {
			places[pl.a] = pl
			waiting = waiting || !pl.done && pl.slot == nil
		}
	}
	if !waiting || len(p.refusals) > 0 {
		return
	}
	var all []*place
	for c := a.first.element(); c != nil; c = c.next.element() {
		if pl := places[c]; pl != nil {
			all = append(all, pl)
		}
	}
	var last []*place // for the end of the parent
	for i, pl := range all {
		if pl.done || pl.slot != nil {
			continue
		}
		after, anchor := anchor(all, i)
		switch {
		case anchor == nil:
			last = append(last, pl)
		case after:
			p.insert(anchor.span.To, append(bytes.Clone(anchor.indent()), p.content(pl)...))
		default:
			p.insert(anchor.span.From, append(p.content(pl), anchor.indent()...))
		}
	}
	if len(last) > 0 {
		p.addLast(o, last)
	}
}

// anchor returns the element of the original to put a new element next to, and
// whether after it: one of its name before it or after it, or else any.
func anchor(all []*place, i int) (after bool, o *node) {
	alike := func(k int) bool {
		x, y := all[k].a, all[i].a
		return bytes.Equal(x.name(), y.name()) && bytes.Equal(x.space, y.space)
	}
	for _, others := range []bool{false, true} {
		for k := i - 1; k >= 0; k-- {
			if all[k].slot != nil && (others || alike(k)) {
				return true, all[k].slot
			}
		}
		for k := i + 1; k < len(all); k++ {
			if all[k].slot != nil && (others || alike(k)) {
				return false, all[k].slot
			}
		}
	}
	return false, nil
}

// addLast writes elements at the end of one that has none to put them next to.
func (p *plan) addLast(o *node, places []*place) {
	outer := o.indent()
	inner := outer
	if outer != nil {
		inner = append(bytes.Clone(outer), p.orig.unit()...)
	}
	var text []byte
	for _, pl := range places {
		text = append(text, inner...)
		text = append(text, p.content(pl)...)
	}
	if o.selfClosing {
		p.open(o, append(text, outer...))
		return
	}
	at := o.content.To
	if o.last != nil && o.last.kind == xmlscan.Text {
		if end := lastLine(o.last.bytes(o.last.span)); end != nil {
			p.insert(at-len(end), text)
			return
		}
	}
	p.insert(at, append(text, outer...))
}
