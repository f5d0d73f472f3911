package xmlscan

import "bytes"

var (
	xmlSpace   = []byte("http://www.w3.org/XML/1998/namespace")
	xmlnsSpace = []byte("http://www.w3.org/2000/xmlns/")
)

// searchAll is up to how many bindings are searched one after the other. libvirt's
// documents have one or two; a map keeps a million of them from being quadratic.
const searchAll = 16

// binding is a namespace declaration in scope.
type binding struct {
	prefix []byte // empty: the default namespace
	uri    []byte

	// Once in the map: the prefix's hash, and the next binding outwards with the
	// same one, -1 if there is none.
	hash  uint64
	outer int
}

// bindings are the namespace declarations in scope, outermost first.
type bindings struct {
	list   []binding
	byHash map[uint64]int // of the first mapped ones, the innermost with a hash
	mapped int
}

// leave drops all bindings but the first n.
func (b *bindings) leave(n int) {
	for ; b.mapped > n; b.mapped-- {
		last := &b.list[b.mapped-1]
		if last.outer >= 0 {
			b.byHash[last.hash] = last.outer
		} else {
			delete(b.byHash, last.hash)
		}
	}
	clear(b.list[n:])
	b.list = b.list[:n]
}

// find returns the innermost binding of a prefix.
func (b *bindings) find(prefix []byte, h *hasher) ([]byte, bool) {
	if len(b.list) <= searchAll {
		for i := len(b.list) - 1; i >= 0; i-- {
			if bytes.Equal(b.list[i].prefix, prefix) {
				return b.list[i].uri, true
			}
		}
		return nil, false
	}
	b.mapAll(h)
	i, ok := b.byHash[h.sum(prefix)]
	for ok && i >= 0 {
		if bytes.Equal(b.list[i].prefix, prefix) {
			return b.list[i].uri, true
		}
		i = b.list[i].outer
	}
	return nil, false
}

// mapAll puts the bindings into the map that are not in it.
func (b *bindings) mapAll(h *hasher) {
	if b.byHash == nil {
		b.byHash = map[uint64]int{}
	}
	for ; b.mapped < len(b.list); b.mapped++ {
		next := &b.list[b.mapped]
		next.hash = h.sum(next.prefix)
		next.outer = -1
		if outer, ok := b.byHash[next.hash]; ok {
			next.outer = outer
		}
		b.byHash[next.hash] = b.mapped
	}
}

// declare records the binding that an attribute makes if it is xmlns="…" or
// xmlns:prefix="…".
func (s *Scanner) declare(a *Attr) {
	var prefix []byte
	switch name := s.Bytes(a.Name); {
	case string(name) == "xmlns":
	case a.Local.From > a.Name.From && string(s.src[a.Name.From:a.Local.From]) == "xmlns:":
		prefix = s.Bytes(a.Local)
	default:
		return
	}
	uri := s.Bytes(a.Value)
	if HasReference(uri) {
		uri = AppendAttr(nil, uri)
	}
	s.bindings.list = append(s.bindings.list, binding{prefix: prefix, uri: uri})
}

// Space returns the namespace that a prefix stands for at the current Start or
// End, the default namespace for an empty prefix. A namespace that was undeclared
// by an empty name is returned as that: empty, true. The prefixes xml and xmlns
// are always bound.
func (s *Scanner) Space(prefix []byte) ([]byte, bool) {
	switch string(prefix) {
	case "xml":
		return xmlSpace, true
	case "xmlns":
		return xmlnsSpace, true
	}
	return s.bindings.find(prefix, &s.hasher)
}
