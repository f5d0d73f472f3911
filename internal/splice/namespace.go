package splice

import "bytes"

// prefix returns the prefix that a new element is written with in o, inside of an
// element that has the prefix outer, and whether it is to be declared.
func (w *writer) prefix(a, o *node, outer []byte, s *scope) (prefix []byte, declare bool) {
	// Where the typed view has no namespace, an element is in that of the one
	// around it, whatever the original calls it.
	if bytes.Equal(a.space, a.parent.space) {
		return outer, false
	}
	for inner := s; inner != nil; inner = inner.outer {
		if bytes.Equal(inner.space, a.space) && inner.isVisible(s) {
			return inner.prefix, false
		}
	}
	if prefix, ok := o.prefixFor(a.space); ok {
		return prefix, false
	}
	if known := w.plan.rules.Prefixes[string(a.space)]; known != "" {
		if _, bound := o.spaceOf([]byte(known)); !bound {
			return []byte(known), true
		}
	}
	return nil, true
}

// isVisible says whether nothing from inner on up to s has its prefix declared again.
func (s *scope) isVisible(inner *scope) bool {
	for ; inner != s; inner = inner.outer {
		if bytes.Equal(inner.prefix, s.prefix) {
			return false
		}
	}
	return true
}

// prefix returns what is before the ":" of an element's name.
func (n *node) prefix() []byte {
	if n.local.From == n.qname.From {
		return nil
	}
	return n.doc.src[n.qname.From : n.local.From-1]
}

// prefixFor returns a prefix that stands for a namespace in an element.
func (n *node) prefixFor(space []byte) ([]byte, bool) {
	if bytes.Equal(n.space, space) {
		return n.prefix(), true
	}
	for at := n; at != nil; at = at.parent {
		for _, a := range at.attrs {
			if !at.isDeclaration(a) || !bytes.Equal(at.value(a), space) {
				continue
			}
			var prefix []byte
			if a.Local.From > a.Name.From {
				prefix = at.bytes(a.Local)
			}
			if uri, ok := n.spaceOf(prefix); ok && bytes.Equal(uri, space) {
				return prefix, true
			}
		}
	}
	if len(space) == 0 {
		if uri, ok := n.spaceOf(nil); !ok || len(uri) == 0 {
			return nil, true
		}
	}
	return nil, false
}

// spaceOf returns the namespace that a prefix stands for in an element.
func (n *node) spaceOf(prefix []byte) ([]byte, bool) {
	name := []byte("xmlns")
	if len(prefix) > 0 {
		name = append(append(name, ':'), prefix...)
	}
	for at := n; at != nil; at = at.parent {
		if i := at.attr(name); i >= 0 {
			return at.value(at.attrs[i]), true
		}
	}
	return nil, false
}
