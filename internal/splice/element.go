package splice

import "bytes"

// element plans what makes o, which b came from, say what a says.
func (p *plan) element(o, b, a *node) {
	if same(b, a) {
		return
	}
	p.attributes(o, b, a)
	if p.rules.isRaw(a) {
		p.raw(o, b, a)
		return
	}
	if o.empties(b, a) {
		p.replace(o.content, nil)
		return
	}
	p.text(o, b, a)
	p.children(o, b, a)
}

// empties says whether nothing is left in an element whose white space the typed
// view reads as a text: it goes with what was between.
func (o *node) empties(b, a *node) bool {
	if a.content.From < a.content.To || b.first.element() == nil || !b.keepsBlanks() {
		return false
	}
	elements := 0
	for c := b.first.element(); c != nil; c = c.next.element() {
		elements++
	}
	for c := o.first; c != nil; c = c.next {
		switch {
		case c.isElement() && find(b.first.element(), c.name()) != nil:
			elements--
		case !c.isBlank():
			return false
		}
	}
	return elements == 0
}

// keepsBlanks says whether an element of the typed view has a text beside elements:
// the line ends in it are written as references then, those of indentation are not.
func (n *node) keepsBlanks() bool {
	for c := n.first; c != nil; c = c.next {
		if c.isText() && bytes.IndexByte(c.bytes(c.content), '&') >= 0 {
			return true
		}
	}
	return false
}

// merge plans what makes o, which the typed view does not have, say what a says. It
// is for what the view takes for nothing, such as a zero: a second element of the
// name would not be looked at by libvirt.
func (p *plan) merge(o, a *node) {
	nothing := &node{doc: a.doc, parent: a.parent, kind: a.kind, local: a.local, qname: a.qname, space: a.space}
	p.attributes(o, nothing, a)
	if p.rules.isRaw(a) {
		p.raw(o, nothing, a)
		return
	}
	p.text(o, nothing, a)
	p.children(o, nothing, a)
}

// raw plans the content of an element that the typed view carries as bytes.
func (p *plan) raw(o, b, a *node) {
	content := a.bytes(a.content)
	if string(b.bytes(b.content)) == string(content) {
		return
	}
	if o.selfClosing {
		if len(content) > 0 {
			p.open(o, content)
		}
		return
	}
	p.replace(o.content, content)
}

// refuse records that an edit of n, or of something in it, is not carried over.
func (p *plan) refuse(n *node, attr, reason string) {
	path := n.path()
	if attr != "" {
		path += "/@" + attr
	}
	p.refusals = append(p.refusals, Refusal{path, reason})
}
