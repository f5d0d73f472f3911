package codec

import "unicode/utf8"

// appendEscaped appends text as encoding/xml escapes it; in EncodeToken, which
// methods of libvirtxml call, it leaves line ends alone.
func appendEscaped(dst []byte, s string, newlines bool) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf && !special[c] {
			i++
			continue
		}
		size, escape := 1, ""
		switch c {
		case '"':
			escape = "&#34;"
		case '\'':
			escape = "&#39;"
		case '&':
			escape = "&amp;"
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '\t':
			escape = "&#x9;"
		case '\n':
			if newlines {
				escape = "&#xA;"
			}
		case '\r':
			escape = "&#xD;"
		default:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); !inCharset(r) || r == utf8.RuneError && size == 1 {
				escape = "\uFFFD"
			}
		}
		if escape != "" {
			dst = append(dst, s[from:i]...)
			dst = append(dst, escape...)
			from = i + size
		}
		i += size
	}
	return append(dst, s[from:]...)
}

// special are the ASCII characters that are not written as they are.
var special = [utf8.RuneSelf]bool{
	0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true,
	8: true, 9: true, 10: true, 11: true, 12: true, 13: true, 14: true, 15: true,
	16: true, 17: true, 18: true, 19: true, 20: true, 21: true, 22: true, 23: true,
	24: true, 25: true, 26: true, 27: true, 28: true, 29: true, 30: true, 31: true,
	'"': true, '\'': true, '&': true, '<': true, '>': true,
}

// inCharset says whether XML can hold the character.
func inCharset(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD ||
		r >= 0x10000 && r <= 0x10FFFF
}
