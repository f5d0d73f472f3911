package xmlscan

import (
	"bytes"
	"unicode/utf8"
)

// reference checks the reference at i, which is at "&", and returns where it ends.
func (s *Scanner) reference(i int) int {
	if _, n := resolve(s.src[i:]); n > 0 {
		return i + n
	}
	return s.failReference(i)
}

// failReference records what is wrong with the reference at i. It does not quote
// it: what looks like one may be a part of a password.
func (s *Scanner) failReference(i int) int {
	if i+1 < len(s.src) && s.src[i+1] == '#' {
		end := i + 2
		for end < len(s.src) && class[s.src[end]]&isName != 0 {
			end++
		}
		if end == len(s.src) || s.src[end] != ';' {
			return s.fail(i, "character reference lacks its \";\"")
		}
		return s.fail(i, "character reference names no allowed character")
	}
	end, _ := s.readName(i + 1)
	switch {
	case end < 0:
		return end
	case end == i+1:
		return s.fail(i, "\"&\" begins no reference")
	case end == len(s.src) || s.src[end] != ';':
		return s.fail(i, "reference lacks its \";\"")
	}
	return s.fail(i, "entity is not defined")
}

// resolve returns the character that the reference at the start of raw stands for
// and the reference's length, 0 where it is not a valid one.
func resolve(raw []byte) (r rune, n int) {
	if len(raw) < 4 {
		return 0, 0
	}
	switch raw[1] {
	case '#':
		return resolveNumber(raw)
	case 'l':
		if string(raw[:4]) == "&lt;" {
			return '<', 4
		}
	case 'g':
		if string(raw[:4]) == "&gt;" {
			return '>', 4
		}
	case 'a':
		if bytes.HasPrefix(raw, []byte("&amp;")) {
			return '&', 5
		}
		if bytes.HasPrefix(raw, []byte("&apos;")) {
			return '\'', 6
		}
	case 'q':
		if bytes.HasPrefix(raw, []byte("&quot;")) {
			return '"', 6
		}
	}
	return 0, 0
}

// resolveNumber is resolve for &#digits; and &#xdigits;.
func resolveNumber(raw []byte) (r rune, n int) {
	i, base := 2, rune(10)
	if raw[i] == 'x' {
		i, base = 3, 16
	}
	for ; i < len(raw); i++ {
		digit := base
		switch c := raw[i]; {
		case c >= '0' && c <= '9':
			digit = rune(c - '0')
		case c >= 'a' && c <= 'f':
			digit = rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			digit = rune(c-'A') + 10
		}
		if digit >= base {
			break
		}
		// Beyond the last character it stays there: leading zeros may follow
		// in any number, and nothing overflows.
		r = min(r*base+digit, utf8.MaxRune+1)
	}
	// No digits at all are a 0 too, and that is no Char.
	if i == len(raw) || raw[i] != ';' || !validChar(r) {
		return 0, 0
	}
	return r, i + 1
}

// HasReference says whether AppendText or AppendAttr would change anything: there
// is a reference or a carriage return.
func HasReference(b []byte) bool {
	return bytes.IndexByte(b, '&') >= 0 || bytes.IndexByte(b, '\r') >= 0
}

// AppendText appends character data as a program is to see it: references
// resolved, line ends as \n. The data comes from a Text token, so that it is valid.
func AppendText(dst, raw []byte) []byte {
	return appendResolved(dst, raw, true)
}

// AppendAttr appends an attribute value as a program is to see it. Like encoding/xml
// it resolves references and makes line ends \n, but leaves \n and \t as they are,
// where the XML standard makes them spaces.
func AppendAttr(dst, raw []byte) []byte {
	return appendResolved(dst, raw, true)
}

// AppendCDATA appends the content of a CDATA section as a program is to see it: a
// "&" in it is just that, line ends become \n.
func AppendCDATA(dst, raw []byte) []byte {
	return appendResolved(dst, raw, false)
}

func appendResolved(dst, raw []byte, references bool) []byte {
	from := 0
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '&':
			r, n := rune(0), 0
			if references {
				r, n = resolve(raw[i:])
			}
			if n == 0 {
				i++
				continue
			}
			dst = append(dst, raw[from:i]...)
			dst = utf8.AppendRune(dst, r)
			i += n
			from = i
		case '\r':
			dst = append(dst, raw[from:i]...)
			dst = append(dst, '\n')
			i++
			if i < len(raw) && raw[i] == '\n' {
				i++
			}
			from = i
		default:
			i++
		}
	}
	return append(dst, raw[from:]...)
}
