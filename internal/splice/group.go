package splice

import (
	"bytes"
	"slices"
)

// group are the elements of one name in one parent, in all three documents.
type group struct {
	before, after, orig []*node
	places              []*place // of after

	in          *node // the element of the original they are in
	name, space []byte
	inherited   bool // the namespace is that of the parent
	texts       bool // the parent is to have nothing but a text: white space counts
}

// place is what becomes of an element of after.
type place struct {
	a    *node
	b    *node // nil: new
	at   int   // the index of b
	from *node // the element of the original it is made from; nil: none
	slot *node // the element of the original in whose place it is; nil: between two
	in   *node // the element of the original it is in
	done bool  // there is nothing to write
}

// groups sorts the children of an element by name.
func groups(o, b, a *node) []*group {
	var all []*group
	of := func(n *node) *group {
		for _, g := range all {
			if bytes.Equal(g.name, n.name()) && bytes.Equal(g.space, n.space) {
				return g
			}
		}
		g := &group{in: o, texts: becomesText(b, a), name: n.name(), space: n.space, inherited: bytes.Equal(n.space, n.parent.space)}
		all = append(all, g)
		return g
	}
	for c := b.first.element(); c != nil; c = c.next.element() {
		g := of(c)
		g.before = append(g.before, c)
	}
	for c := a.first.element(); c != nil; c = c.next.element() {
		g := of(c)
		g.after = append(g.after, c)
	}
	for c := o.first.element(); c != nil; c = c.next.element() {
		for _, g := range all {
			// The typed view takes an element without a namespace of its own
			// from any namespace.
			if bytes.Equal(g.name, c.name()) && (g.inherited || bytes.Equal(g.space, c.space)) {
				g.orig = append(g.orig, c)
				break
			}
		}
	}
	return all
}

// changed says whether there is a difference.
func (g *group) changed() bool {
	return !slices.EqualFunc(g.before, g.after, same)
}
