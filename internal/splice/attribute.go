package splice

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// attributes plans what makes the attributes of o say what those of a say.
func (p *plan) attributes(o, b, a *node) {
	for _, old := range b.attrs {
		name := b.bytes(old.Name)
		if b.isDeclaration(old) || a.attr(name) >= 0 {
			continue
		}
		if i := o.attr(name); i >= 0 {
			p.removeAttribute(o, i)
		} else if o.hasForeign(name) {
			p.refuse(o, string(name), reasonForeign)
		}
	}
	for i, attr := range a.attrs {
		if a.isDeclaration(attr) {
			continue
		}
		name, value := a.bytes(attr.Name), a.value(attr)
		if k := b.attr(name); k >= 0 && bytes.Equal(b.value(b.attrs[k]), value) {
			continue
		}
		k := o.attr(name)
		if k < 0 && o.hasForeign(name) {
			p.refuse(o, string(name), reasonForeign)
			continue
		}
		if k < 0 {
			p.insertAttribute(o, a, i)
			continue
		}
		old := o.attrs[k]
		if bytes.Equal(o.value(old), value) {
			continue
		}
		if p.isLeftOut(old.All) {
			p.refuse(o, string(name), reasonLeftOut)
			continue
		}
		quote := o.doc.src[old.Value.From-1]
		p.replace(old.Value, appendAttr(nil, value, quote))
	}
}

// hasForeign says whether there is an attribute of a name with a prefix. The typed
// view takes it for the one without.
func (n *node) hasForeign(name []byte) bool {
	for _, a := range n.attrs {
		if a.Local.From > a.Name.From && bytes.Equal(n.bytes(a.Local), name) && !n.isDeclaration(a) {
			return true
		}
	}
	return false
}

// removeAttribute removes an attribute and the white space before it.
func (p *plan) removeAttribute(o *node, i int) {
	from := o.qname.To
	if i > 0 {
		from = o.attrs[i-1].All.To
	}
	p.remove(xmlscan.Span{From: from, To: o.attrs[i].All.To})
}

// insertAttribute puts the attribute i of a into o: after the one that is before it
// in a, if o has that, or else at the start.
func (p *plan) insertAttribute(o, a *node, i int) {
	at := o.qname.To
	for k := i - 1; k >= 0; k-- {
		if j := o.attr(a.bytes(a.attrs[k].Name)); j >= 0 {
			at = o.attrs[j].All.To
			break
		}
	}
	quote := p.quoteOf(o)
	text := append([]byte{' '}, a.bytes(a.attrs[i].Name)...)
	text = append(text, '=', quote)
	text = appendAttr(text, a.value(a.attrs[i]), quote)
	p.insert(at, append(text, quote))
}

// quoteOf returns what the attributes of an element are quoted with, or else those
// of the document.
func (p *plan) quoteOf(o *node) byte {
	if len(o.attrs) > 0 {
		return o.doc.src[o.attrs[0].Value.To]
	}
	if p.quote == 0 {
		p.quote = '\''
		single, double := 0, 0
		for i := range p.orig.nodes {
			for _, a := range p.orig.nodes[i].attrs {
				if p.orig.src[a.Value.To] == '"' {
					double++
				} else {
					single++
				}
			}
		}
		if double > single {
			p.quote = '"'
		}
	}
	return p.quote
}
