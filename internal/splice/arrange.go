package splice

import (
	"slices"

	"github.com/virthook/virthook/internal/xmlscan"
)

// arrange decides where the elements go and plans the edits of those that stay and
// of those that are exchanged.
func (p *plan) arrange(g *group) {
	list := len(g.after) > 1 || len(g.before) > 1
	if some := slices.Concat(g.after, g.before); !list && len(some) > 0 {
		list = p.rules.isList(some[0])
	}
	from, certain := origins(g.before, g.orig, list)
	if !g.changed() {
		for i, a := range g.after {
			g.places = append(g.places, &place{in: g.in, a: a, b: g.before[i], from: from[i], slot: from[i], done: true})
		}
		return
	}
	if !certain {
		p.refuse(g.orig[0], "", reasonSeveral)
		return
	}

	of := pair(g.before, g.after, p.rules)
	kept := make([]bool, len(g.before))
	for i, a := range g.after {
		pl := &place{in: g.in, a: a}
		if k := of[i]; k >= 0 {
			kept[k] = true
			pl.b, pl.at, pl.from = g.before[k], k, from[k]
			// What the typed view made up and nobody changed is not written.
			pl.done = pl.from == nil && same(pl.b, a)
		}
		g.places = append(g.places, pl)
	}
	if p.hidden(g, from, list) {
		return
	}

	g.settle()
	var vacant []*node
	for _, o := range g.orig {
		if k := slices.Index(from, o); k >= 0 && (!kept[k] || !g.occupied(o)) {
			vacant = append(vacant, o)
		}
	}
	vacant = g.fill(vacant)

	for _, pl := range g.places {
		switch {
		case pl.done || pl.slot == nil:
		case pl.slot == pl.from:
			p.element(pl.from, pl.b, pl.a)
		default:
			p.replace(pl.slot.span, p.content(pl))
		}
	}
	for _, o := range vacant {
		if g.texts {
			p.remove(o.span)
		} else {
			p.remove(o.line())
		}
	}
}

// hidden merges a new element with the one that the typed view took for nothing. It
// is true where nothing more is to be done.
func (p *plan) hidden(g *group, from []*node, list bool) bool {
	if list || len(g.places) != 1 || g.places[0].from != nil || g.places[0].done {
		return false
	}
	var unseen []*node
	for _, o := range g.orig {
		if !slices.Contains(from, o) {
			unseen = append(unseen, o)
		}
	}
	switch len(unseen) {
	case 0:
		return false
	case 1:
		pl := g.places[0]
		name := unseen[0].qname
		if p.isLeftOut(xmlscan.Span{From: name.From - 1, To: name.From}) {
			p.refuse(unseen[0], "", reasonLeftOut)
			return true
		}
		pl.from, pl.slot = unseen[0], unseen[0]
		p.merge(pl.from, pl.a)
		pl.done = true
	default:
		p.refuse(unseen[0], "", reasonSeveral)
	}
	return true
}

// content returns an element as it is to be written where it was not before.
func (p *plan) content(pl *place) []byte {
	if pl.from == nil {
		return p.render(pl)
	}
	start := len(p.edits)
	p.element(pl.from, pl.b, pl.a)
	inner := slices.Clone(p.edits[start:])
	p.edits = p.edits[:start]
	return p.write(pl.from.span.From, pl.from.span.To, inner)
}
