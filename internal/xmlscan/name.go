package xmlscan

import "unicode/utf8"

// readName reads the name at i and returns where it ends and where it starts
// without its prefix. The end is i where there is no name, -1 after an error.
func (s *Scanner) readName(i int) (end, local int) {
	src := s.src
	if i >= len(src) {
		return i, i
	}
	if class[src[i]]&isNameStart == 0 {
		return s.readAnyName(i)
	}
	end = letters(src, i+1)
	for end < len(src) && class[src[end]]&isName != 0 {
		end++
	}
	if end < len(src) && (src[end] == ':' || src[end] >= utf8.RuneSelf) {
		return s.readAnyName(i)
	}
	return end, i
}

// readAnyName is readName for names with a prefix or with letters beyond ASCII.
//
// ":a" and "a:" are names of XML, though not of its namespaces: they are taken
// as names without a prefix, as encoding/xml does.
func (s *Scanner) readAnyName(i int) (end, local int) {
	colon := -1
	end = i
	for end < len(s.src) {
		r, size := utf8.DecodeRune(s.src[end:])
		if r == ':' {
			if colon >= 0 {
				return s.fail(end, "a second \":\" in a name"), 0
			}
			colon = end
		} else if r == utf8.RuneError && size == 1 || s.ascii && size > 1 {
			return s.char(end), 0
		} else if !nameChar(r) || end == i && !nameStartChar(r) {
			break
		}
		end += size
	}
	if colon > i && colon+1 < end {
		return end, colon + 1
	}
	return end, i
}

// nameStartChar is the production NameStartChar of XML 1.0, fifth edition.
func nameStartChar(r rune) bool {
	if r < utf8.RuneSelf {
		return class[r]&isNameStart != 0 || r == ':'
	}
	switch {
	case r < 0x300:
		return r >= 0xC0 && r != 0xD7 && r != 0xF7
	case r < 0x2000:
		return r >= 0x370 && r != 0x37E
	case r < 0x3001:
		return r == 0x200C || r == 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF
	case r < 0x10000:
		return r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD
	}
	return r <= 0xEFFFF
}

// nameChar is the production NameChar of XML 1.0, fifth edition.
func nameChar(r rune) bool {
	if r < utf8.RuneSelf {
		return class[r]&isName != 0 || r == ':'
	}
	return nameStartChar(r) || r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}
