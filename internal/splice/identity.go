package splice

import (
	"bytes"
	"strings"
)

// key returns what identifies an element by one of the rules' identities, false
// where it lacks a part of it.
func (n *node) key(identity string) (string, bool) {
	if !strings.Contains(identity, "+") {
		v, ok := n.at(identity)
		return string(v), ok
	}
	var b strings.Builder
	for part := range strings.SplitSeq(identity, "+") {
		v, ok := n.at(part)
		if !ok {
			return "", false
		}
		b.Write(v)
		b.WriteByte(0)
	}
	return b.String(), true
}

// at returns the attribute or text at a path such as mac/@address.
func (n *node) at(path string) ([]byte, bool) {
	for {
		name, rest, deeper := strings.Cut(path, "/")
		if attr, ok := strings.CutPrefix(name, "@"); ok {
			i := n.attr([]byte(attr))
			if i < 0 {
				return nil, false
			}
			return n.value(n.attrs[i]), true
		}
		child := n.first.element()
		for child != nil && string(child.name()) != name {
			child = child.next.element()
		}
		if child == nil {
			return nil, false
		}
		if !deeper {
			return trim(child.text()), true
		}
		n, path = child, rest
	}
}

// likeness counts what two elements have in common, and what of n the other one
// contradicts.
func (n *node) likeness(other *node) (alike, unlike int) {
	for _, a := range n.attrs {
		if n.isDeclaration(a) {
			continue
		}
		i := other.attr(n.bytes(a.Name))
		switch {
		case i < 0:
		case sameValue(n.value(a), other.value(other.attrs[i])):
			alike++
		default:
			unlike++
		}
	}
	if n.first.element() == nil {
		switch t, u := trim(n.text()), trim(other.text()); {
		case len(t) == 0 && len(u) == 0:
		case sameValue(t, u):
			alike++
		default:
			unlike++
		}
		return alike, unlike
	}
	c := other.first.element()
	for child := n.first.element(); child != nil; child = child.next.element() {
		// Both are in about the same order: go on where the last one was found.
		found := find(c, child.name())
		if found == nil {
			if found = find(other.first.element(), child.name()); found == nil {
				continue
			}
		}
		x, y := child.likeness(found)
		alike, unlike = alike+x, unlike+y
		c = found.next.element()
	}
	return alike, unlike
}

// find returns the first element of a name from n on.
func find(n *node, name []byte) *node {
	for n != nil && !bytes.Equal(n.name(), name) {
		n = n.next.element()
	}
	return n
}

// sameValue says whether two values are the same, perhaps as numbers in another
// notation.
func sameValue(a, b []byte) bool {
	a, b = trim(a), trim(b)
	if bytes.Equal(a, b) {
		return true
	}
	x, ok := number(a, 0)
	if !ok {
		return false
	}
	if y, ok := number(b, 0); ok && x == y {
		return true
	}
	// ccw and zpci addresses are hexadecimal even without "0x".
	x16, ok1 := number(a, 16)
	y16, ok2 := number(b, 16)
	y, ok3 := number(b, 0)
	return ok1 && ok3 && x16 == y || ok2 && x == y16
}
