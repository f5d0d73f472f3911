package splice

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// node is an element, or another token in one.
type node struct {
	doc         *tree
	parent      *node
	next, prev  *node // siblings
	first, last *node // children
	span        xmlscan.Span
	tag         xmlscan.Span // of an element: its start tag
	content     xmlscan.Span // of an element: between its tags; of text: without delimiters
	local       xmlscan.Span
	qname       xmlscan.Span
	space       []byte // the namespace of an element
	attrs       []xmlscan.Attr
	kind        xmlscan.Kind
	selfClosing bool
}

// tree is a document cut into nodes that point into its bytes.
type tree struct {
	src  []byte
	root *node

	nodes []node         // where the next nodes are taken from
	attrs []xmlscan.Attr // where the next attributes are taken from
}

// parse reads a document.
func parse(src []byte) (*tree, error) {
	t := &tree{src: src}
	// Counted beforehand: one allocation for all nodes, or few.
	t.nodes = make([]node, 0, bytes.Count(src, []byte("<"))*2+8)
	var s xmlscan.Scanner
	s.Reset(src)
	var at *node
	for {
		kind, err := s.Next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case xmlscan.EOF:
			return t, nil
		case xmlscan.End:
			at.content = xmlscan.Span{From: at.tag.To, To: s.Span().From}
			at.span.To = s.Span().To
			at = at.parent
			continue
		}
		if at == nil && kind != xmlscan.Start {
			continue // beside the root
		}
		n := t.node(at)
		n.kind = kind
		n.span = s.Span()
		if kind != xmlscan.Start {
			n.content = s.Content()
			continue
		}
		n.tag = s.Span()
		n.qname = s.Name()
		n.local = s.Local()
		n.attrs = t.keep(s.Attrs())
		n.selfClosing = s.SelfClosing()
		var prefix []byte
		if n.local.From > n.qname.From {
			prefix = src[n.qname.From : n.local.From-1]
		}
		n.space, _ = s.Space(prefix)
		if at == nil {
			t.root = n
		}
		at = n
	}
}

// node returns a new last child of parent.
func (t *tree) node(parent *node) *node {
	if len(t.nodes) == cap(t.nodes) {
		t.nodes = make([]node, 0, 2*cap(t.nodes))
	}
	t.nodes = t.nodes[:len(t.nodes)+1]
	n := &t.nodes[len(t.nodes)-1]
	n.doc, n.parent = t, parent
	if parent == nil {
		return n
	}
	if n.prev = parent.last; n.prev != nil {
		n.prev.next = n
	} else {
		parent.first = n
	}
	parent.last = n
	return n
}

// keep copies attributes, which the scanner uses again.
func (t *tree) keep(attrs []xmlscan.Attr) []xmlscan.Attr {
	if len(attrs) == 0 {
		return nil
	}
	if len(t.attrs)+len(attrs) > cap(t.attrs) {
		t.attrs = make([]xmlscan.Attr, 0, max(2*cap(t.attrs), len(attrs), 64))
	}
	from := len(t.attrs)
	t.attrs = append(t.attrs, attrs...)
	return t.attrs[from:len(t.attrs):len(t.attrs)]
}

// bytes returns the bytes of a span of the node's document.
func (n *node) bytes(s xmlscan.Span) []byte { return n.doc.src[s.From:s.To] }

// name returns the name of an element without its prefix.
func (n *node) name() []byte { return n.bytes(n.local) }

// isElement says whether the node is an element.
func (n *node) isElement() bool { return n.kind == xmlscan.Start }

// isText says whether the node is character data.
func (n *node) isText() bool { return n.kind == xmlscan.Text || n.kind == xmlscan.CDATA }

// isBlank says whether the node is white space as it is.
func (n *node) isBlank() bool {
	return n.kind == xmlscan.Text && len(trim(n.bytes(n.span))) == 0
}

// element returns n or the next sibling that is an element, nil if there is none.
func (n *node) element() *node {
	for n != nil && !n.isElement() {
		n = n.next
	}
	return n
}

// same says whether two nodes of two documents are written alike.
func same(a, b *node) bool {
	return bytes.Equal(a.bytes(a.span), b.bytes(b.span))
}

// isDeclaration says whether an attribute declares a namespace.
func (n *node) isDeclaration(a xmlscan.Attr) bool {
	name := n.bytes(a.Name)
	return string(name) == "xmlns" || bytes.HasPrefix(name, []byte("xmlns:"))
}

// attr returns the index of the attribute with a name as written, -1 if there is none.
func (n *node) attr(name []byte) int {
	for i := range n.attrs {
		if bytes.Equal(n.bytes(n.attrs[i].Name), name) {
			return i
		}
	}
	return -1
}

// value returns what an attribute says, references resolved.
func (n *node) value(a xmlscan.Attr) []byte {
	raw := n.bytes(a.Value)
	if !xmlscan.HasReference(raw) {
		return raw
	}
	return xmlscan.AppendAttr(nil, raw)
}

// text returns all character data right in an element, references resolved.
func (n *node) text() []byte {
	if n.first != nil && n.first == n.last && n.first.kind == xmlscan.Text {
		if raw := n.bytes(n.first.content); !xmlscan.HasReference(raw) {
			return raw
		}
	}
	var out []byte
	for c := n.first; c != nil; c = c.next {
		switch c.kind {
		case xmlscan.Text:
			out = xmlscan.AppendText(out, c.bytes(c.content))
		case xmlscan.CDATA:
			out = xmlscan.AppendCDATA(out, c.bytes(c.content))
		}
	}
	return out
}

// trim removes white space of XML from both ends.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
