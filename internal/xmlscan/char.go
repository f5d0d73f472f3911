package xmlscan

import (
	"strconv"
	"unicode/utf8"
)

// What an ASCII character may be. A byte of a longer character is nothing here
// and takes the slow path.
const (
	isSpace     = 1 << iota
	isNameStart // of a name's first part: ":" is looked at apart
	isName
	isText  // in character data, and nothing to look at there
	isValue // in an attribute value, and nothing to look at there
	isChar  // allowed in a document at all
)

// Short names for the table's rows.
const (
	no = 0
	ws = isSpace | pl
	pl = isText | isValue | isChar // plain
	le = isNameStart | isName | pl // letters and "_"
	nc = isName | pl               // digits, "-" and "."
	qu = isText | isChar           // quotes end a value
	br = isValue | isChar          // "]" may begin "]]>"
	sp = isChar                    // "<" and "&"
)

var class = [256]uint8{
	/* 0x00 */ no, no, no, no, no, no, no, no, no, ws, ws, no, no, ws, no, no,
	/* 0x10 */ no, no, no, no, no, no, no, no, no, no, no, no, no, no, no, no,
	/*   !" */ ws, pl, qu, pl, pl, pl, sp, qu, pl, pl, pl, pl, pl, nc, nc, pl,
	/* 0-9  */ nc, nc, nc, nc, nc, nc, nc, nc, nc, nc, pl, pl, sp, pl, pl, pl,
	/* @A-O */ pl, le, le, le, le, le, le, le, le, le, le, le, le, le, le, le,
	/* P-Z  */ le, le, le, le, le, le, le, le, le, le, le, pl, pl, br, pl, le,
	/* `a-o */ pl, le, le, le, le, le, le, le, le, le, le, le, le, le, le, le,
	/* p-z  */ le, le, le, le, le, le, le, le, le, le, le, pl, pl, pl, pl, pl,
}

var bom = []byte("\uFEFF")

// space returns where the white space at i ends.
func (s *Scanner) space(i int) int {
	for i < len(s.src) && class[s.src[i]]&isSpace != 0 {
		i++
	}
	return i
}

// indent is space for the usual case, a line end and blanks.
func (s *Scanner) indent(i int) int {
	if i < len(s.src) && s.src[i] == '\n' {
		if i = blanks(s.src, i+1); i < len(s.src) && s.src[i] == '<' {
			return i
		}
	}
	return s.space(i)
}

// char returns where the character at i ends, -1 after recording that it is none.
func (s *Scanner) char(i int) int {
	c := s.src[i]
	if c < utf8.RuneSelf {
		if class[c]&isChar == 0 {
			return s.fail(i, "character "+codePoint(rune(c))+" is not allowed")
		}
		return i + 1
	}
	if s.ascii {
		return s.fail(i, "byte 0x"+strconv.FormatInt(int64(c), 16)+" in a document declared US-ASCII")
	}
	r, size := utf8.DecodeRune(s.src[i:])
	switch {
	case r == utf8.RuneError && size == 1:
		return s.fail(i, "invalid UTF-8")
	case !validChar(r):
		return s.fail(i, "character "+codePoint(r)+" is not allowed")
	}
	return i + size
}

// chars checks the characters from i to end and returns end, -1 after an error.
func (s *Scanner) chars(i, end int) int {
	for i >= 0 && i < end {
		if class[s.src[i]]&isChar != 0 {
			i++
			continue
		}
		i = s.char(i)
	}
	return i
}

// validChar is the production Char of XML 1.0.
func validChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000:
		return false
	case r < 0xFFFE:
		return true
	}
	return r >= 0x10000 && r <= utf8.MaxRune
}
