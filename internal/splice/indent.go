package splice

import "bytes"

// indent returns the line end and the white space that an element of the original
// has before it, or else a sibling.
func (n *node) indent() []byte {
	own := func(n *node) []byte {
		if n.prev == nil || !n.prev.isText() {
			return nil
		}
		return lastLine(n.prev.bytes(n.prev.span))
	}
	if s := own(n); s != nil {
		return s
	}
	if n.parent == nil {
		return n.doc.lineEnd()
	}
	for c := n.parent.first; c != nil; c = c.next {
		if c.isText() {
			continue
		}
		if s := own(c); s != nil {
			return s
		}
	}
	return nil
}

// lineEnd returns how the root's lines end, nothing where it has one line only.
func (t *tree) lineEnd() []byte {
	content := t.src[t.root.content.From:t.root.content.To]
	i := bytes.IndexByte(content, '\n')
	switch {
	case i < 0:
		return nil
	case i > 0 && content[i-1] == '\r':
		return []byte("\r\n")
	}
	return []byte("\n")
}

// unit returns by how much an element of the root is indented more than the root.
func (t *tree) unit() []byte {
	if c := t.root.first.element(); c != nil {
		if s := bytes.TrimLeft(c.indent(), "\r\n"); len(s) > 0 {
			return s
		}
	}
	return []byte("  ")
}
