package xmlscan

import (
	"bytes"
	"slices"
	"strconv"
)

// startTag reads <name …> or <name …/> and returns where it ends.
func (s *Scanner) startTag(i int) int {
	end, local := s.readName(i + 1)
	if end <= i+1 {
		if end < 0 {
			return end
		}
		return s.fail(end, "element name expected, not "+s.describe(end))
	}
	s.name = Span{i + 1, end}
	s.local = local
	if len(s.open) == 0 {
		if s.rooted {
			return s.fail(i, "second root element <"+s.quote(s.name)+">")
		}
		s.rooted = true
	}
	if len(s.open) == MaxDepth {
		return s.fail(i, "elements nest deeper than "+strconv.Itoa(MaxDepth))
	}
	s.enter()

	s.attrs = s.attrs[:0]
	s.names, s.mayRepeat, s.mayDeclare = 0, false, false
	i = end
	src := s.src
	for {
		if i = s.usualAttributes(i); i < len(src) && src[i] == '>' {
			return s.finishTag(i + 1)
		}
		next := s.space(i)
		if next >= len(src) {
			return s.fail(s.name.From-1, "tag <"+s.quote(s.name)+"> is not closed")
		}
		switch src[next] {
		case '>':
			return s.finishTag(next + 1)
		case '/':
			if next+1 < len(src) && src[next+1] == '>' {
				s.selfClosing = true
				return s.finishTag(next + 2)
			}
		}
		if i = s.attribute(i, next); i < 0 {
			return i
		}
	}
}

// enter opens the element whose name has been read.
func (s *Scanner) enter() {
	n := len(s.open)
	if n == cap(s.open) {
		s.open = slices.Grow(s.open, n+1)
	}
	s.open = s.open[:n+1]
	e := &s.open[n]
	e.name.From, e.name.To = s.name.From, s.name.To
	e.local = s.local
	e.bindings = len(s.bindings.list)
}

// usualAttributes reads attributes from i on for as long as they are as libvirt writes
// them: a blank, a name of small letters, and a value without a reference. It returns
// where it stopped, before what is to be looked at closely.
func (s *Scanner) usualAttributes(i int) int {
	src := s.src
	for i < len(src) && src[i] == ' ' {
		end := letters(src, i+1)
		if end == i+1 || end+1 >= len(src) || src[end] != '=' {
			break
		}
		quote := src[end+1]
		if quote != '\'' && quote != '"' {
			break
		}
		from := end + 2
		to := plain(src, from, quote)
		if to >= len(src) || src[to] != quote {
			break
		}
		s.addAttr(i+1, i+1, end, from, to)
		i = to + 1
	}
	return i
}

// addAttr adds an attribute whose name is from name to end, without its prefix from
// local on, and whose value is the other two.
func (s *Scanner) addAttr(name, local, end, from, to int) {
	n := len(s.attrs)
	if n == cap(s.attrs) {
		s.attrs = slices.Grow(s.attrs, n+1)
	}
	s.attrs = s.attrs[:n+1]
	// Field by field: an Attr put together elsewhere would be copied.
	a := &s.attrs[n]
	a.All.From, a.All.To = name, to+1
	a.Name.From, a.Name.To = name, end
	a.Local.From, a.Local.To = local, end
	a.Value.From, a.Value.To = from, to

	first := s.src[name]
	bit := uint64(1) << ((uint(first) + uint(end-name)<<2) % 64)
	s.mayRepeat = s.mayRepeat || s.names&bit != 0
	s.names |= bit
	s.mayDeclare = s.mayDeclare || first == 'x'
}

// attribute reads the attribute at i, after white space that starts at before, and
// returns where it ends.
func (s *Scanner) attribute(before, i int) int {
	src := s.src
	end, local := s.readName(i)
	if end <= i {
		if end < 0 {
			return end
		}
		return s.fail(i, "unexpected "+s.describe(i)+" in tag <"+s.quote(s.name)+">")
	}
	name := Span{i, end}
	if before == i {
		return s.fail(i, "white space missing before attribute "+s.quote(name))
	}
	if end < len(src) && src[end] != '=' {
		end = s.space(end)
	}
	if end >= len(src) || src[end] != '=' {
		return s.fail(i, "attribute "+s.quote(name)+" has no value")
	}
	end++
	if end < len(src) && src[end] != '\'' && src[end] != '"' {
		end = s.space(end)
	}
	if end >= len(src) || src[end] != '\'' && src[end] != '"' {
		return s.fail(end, "value of attribute "+s.quote(name)+" is not quoted")
	}
	from := end + 1
	to := s.value(from, src[end], name)
	if to < 0 {
		return to
	}
	s.addAttr(name.From, local, name.To, from, to)
	return to + 1
}

// value reads an attribute value up to its closing quote and returns where that is.
func (s *Scanner) value(i int, quote byte, name Span) int {
	src := s.src
	from := i
	for i >= 0 {
		i = plain(src, i, quote)
		for i < len(src) && class[src[i]]&isValue != 0 {
			i++
		}
		if i >= len(src) {
			return s.fail(from-1, "value of attribute "+s.quote(name)+" is not closed")
		}
		switch src[i] {
		case quote:
			return i
		case '<':
			return s.fail(i, "\"<\" in the value of attribute "+s.quote(name))
		case '&':
			i = s.reference(i)
		default:
			i = s.char(i)
		}
	}
	return i
}

// finishTag does what needs all attributes of the start tag that ends at end.
func (s *Scanner) finishTag(end int) int {
	if s.mayRepeat {
		if twice := s.duplicate(); twice >= 0 {
			name := s.attrs[twice].Name
			return s.fail(name.From, "attribute "+s.quote(name)+" is given twice")
		}
	}
	if s.mayDeclare {
		for i := range s.attrs {
			s.declare(&s.attrs[i])
		}
	}
	return end
}

// endTag reads </name> and returns where it ends.
func (s *Scanner) endTag(i int) int {
	src := s.src
	if len(s.open) > 0 {
		// The usual case: exactly the name that is to be closed.
		open := &s.open[len(s.open)-1]
		name := src[open.name.From:open.name.To]
		end := i + 2 + len(name)
		if end < len(src) && src[end] == '>' && string(src[i+2:end]) == string(name) {
			s.name = Span{i + 2, end}
			s.local = i + 2 + open.local - open.name.From
			return end + 1
		}
	}
	end, local := s.readName(i + 2)
	if end <= i+2 {
		if end < 0 {
			return end
		}
		return s.fail(end, "element name expected, not "+s.describe(end))
	}
	s.name = Span{i + 2, end}
	s.local = local
	if len(s.open) == 0 {
		return s.fail(i, "</"+s.quote(s.name)+"> closes nothing")
	}
	if open := s.open[len(s.open)-1].name; !bytes.Equal(s.Bytes(open), s.Bytes(s.name)) {
		return s.fail(i, "</"+s.quote(s.name)+"> does not close <"+s.quote(open)+"> of line "+s.line(open.From))
	}
	if end = s.space(end); end >= len(src) || src[end] != '>' {
		return s.fail(end, "\">\" of </"+s.quote(s.name)+"> expected, not "+s.describe(end))
	}
	return end + 1
}
