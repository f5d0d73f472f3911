package splice

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// typedText returns the text of an element of the typed view: all of it where there
// is nothing else, and without the indentation where there are elements.
func (n *node) typedText() []byte {
	text := n.text()
	if n.first.element() != nil {
		return trim(text)
	}
	return text
}

// becomesText says whether a has a text, perhaps of white space, in the place of
// the elements of b.
func becomesText(b, a *node) bool {
	return a.content.From < a.content.To && a.first.element() == nil && b.first.element() != nil
}

// text plans what makes the character data of o say what that of a says.
func (p *plan) text(o, b, a *node) {
	was, is := b.typedText(), a.typedText()
	if bytes.Equal(was, is) {
		return
	}
	now := o.text()
	if bytes.Equal(now, is) {
		return
	}
	for c := o.first; c != nil; c = c.next {
		if c.isText() && p.isLeftOut(c.span) && len(trim(c.bytes(c.content))) > 0 {
			p.refuse(o, "", reasonLeftOut)
			return
		}
	}
	if bytes.Equal(now, was) || becomesText(b, a) {
		p.setText(o, is)
		return
	}
	p.setCore(o, is)
}

// setText makes a text all of an element's character data.
func (p *plan) setText(o *node, text []byte) {
	var first *node
	for c := o.first; c != nil; c = c.next {
		if !c.isText() {
			continue
		}
		if first != nil {
			p.remove(c.span)
			continue
		}
		first = c
		p.replaceText(c, c.content, text)
	}
	if first == nil {
		p.addText(o, text)
	}
}

// setCore is setText for an element with white space around its text that does not
// count, as with numbers, which stays.
func (p *plan) setCore(o *node, text []byte) {
	done := false
	for c := o.first; c != nil; c = c.next {
		if !c.isText() {
			continue
		}
		raw := c.bytes(c.content)
		core := trim(raw)
		if len(core) == 0 {
			continue
		}
		from := c.content.From + bytes.Index(raw, core)
		span := xmlscan.Span{From: from, To: from + len(core)}
		if done {
			p.remove(span)
			continue
		}
		done = true
		p.replaceText(c, span, text)
	}
	if !done {
		p.addText(o, text)
	}
}

// replaceText puts text in the place of a span of a text node.
func (p *plan) replaceText(c *node, span xmlscan.Span, text []byte) {
	if c.kind == xmlscan.CDATA {
		if !bytes.Contains(text, []byte("]]>")) && !bytes.Contains(text, []byte("\r")) && span.To <= c.content.To {
			p.replace(span, text)
			return
		}
		span = c.span
	}
	p.replace(span, appendText(nil, text))
}

// addText gives a text to an element that has none.
func (p *plan) addText(o *node, text []byte) {
	if len(text) == 0 {
		return
	}
	if o.selfClosing {
		p.open(o, appendText(nil, text))
		return
	}
	p.insert(o.content.From, appendText(nil, text))
}

// open writes <x/> as <x>content</x>. It may be called twice: what comes later is
// put behind.
func (p *plan) open(o *node, content []byte) {
	end := o.qname.To
	if len(o.attrs) > 0 {
		end = o.attrs[len(o.attrs)-1].All.To
	}
	closing := append([]byte("</"), o.bytes(o.qname)...)
	closing = append(closing, '>')
	for i := range p.edits {
		e := &p.edits[i]
		if e.span.From == end && e.span.To == o.tag.To {
			text := bytes.TrimSuffix(e.text, closing)
			e.text = append(append(text, content...), closing...)
			return
		}
	}
	text := append([]byte{'>'}, content...)
	p.replace(xmlscan.Span{From: end, To: o.tag.To}, append(text, closing...))
}
