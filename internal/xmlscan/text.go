package xmlscan

import "bytes"

// text reads character data up to the next "<" and returns where it ends.
func (s *Scanner) text(i int) int {
	if len(s.open) == 0 {
		return s.outside(i)
	}
	src := s.src
	s.content.From = i
	if src[i] == '\n' {
		i = blanks(src, i+1)
	}
	for i >= 0 {
		i = plain(src, i, ']')
		for i < len(src) && class[src[i]]&isText != 0 {
			i++
		}
		if i >= len(src) || src[i] == '<' {
			s.content.To = i
			return i
		}
		switch src[i] {
		case '&':
			i = s.reference(i)
		case ']':
			if bytes.HasPrefix(src[i:], []byte("]]>")) {
				return s.fail(i, "\"]]>\" in text")
			}
			i++
		default:
			i = s.char(i)
		}
	}
	return i
}

// outside reads what is before or after the root element: white space, and a byte
// order mark at the very start.
func (s *Scanner) outside(i int) int {
	if i == 0 && bytes.HasPrefix(s.src, bom) {
		s.content = Span{len(bom), len(bom)}
		return len(bom)
	}
	end := s.space(i)
	if end < len(s.src) && s.src[end] != '<' {
		if s.char(end) < 0 {
			return -1
		}
		return s.fail(end, "text outside the root element")
	}
	s.content = Span{i, end}
	return end
}
