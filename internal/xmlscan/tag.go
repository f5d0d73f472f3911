package xmlscan

import (
	"bytes"
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
	s.open = append(s.open, element{s.name, local, len(s.bindings.list)})

	s.attrs = s.attrs[:0]
	i = end
	src := s.src
	for {
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
	s.attrs = append(s.attrs, Attr{Span{i, to + 1}, name, Span{local, name.To}, Span{from, to}})
	return to + 1
}

// value reads an attribute value up to its closing quote and returns where that is.
func (s *Scanner) value(i int, quote byte, name Span) int {
	src := s.src
	from := i
	for i >= 0 {
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
	if twice := s.duplicate(); twice >= 0 {
		name := s.attrs[twice].Name
		return s.fail(name.From, "attribute "+s.quote(name)+" is given twice")
	}
	for i := range s.attrs {
		if a := &s.attrs[i]; s.src[a.Name.From] == 'x' {
			s.declare(a)
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
