package timeline

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape makes text that may hold anything harmless to a terminal: a line break,
// an escape sequence, a mark that turns the direction of writing.
func escape(s string) string {
	s = strings.ReplaceAll(s, "\t", "    ")
	harmless := func(r rune) bool { return !unicode.IsGraphic(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, harmless) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch size := utf8.RuneLen(r); {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i])|0x100, 16)[1:])
		case unicode.IsGraphic(r):
			b.WriteString(s[i : i+size])
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// wide are the characters that take two columns: those of East Asia and pictures.
// It holds their blocks and not every exception, which costs a column at worst.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1}, {0x231a, 0x231b, 1}, {0x23e9, 0x23ec, 1}, {0x2614, 0x2615, 1}, {0x2648, 0x2653, 1},
		{0x26aa, 0x26ab, 1}, {0x2705, 0x2705, 1}, {0x274c, 0x274c, 1}, {0x2753, 0x2755, 1}, {0x2b50, 0x2b50, 1},
		{0x2e80, 0x303e, 1}, {0x3041, 0x4dbf, 1}, {0x4e00, 0xa4cf, 1}, {0xa960, 0xa97c, 1}, {0xac00, 0xd7a3, 1},
		{0xf900, 0xfaff, 1}, {0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{
		{0x1f300, 0x1f64f, 1}, {0x1f680, 0x1f6ff, 1}, {0x1f900, 0x1f9ff, 1}, {0x1fa70, 0x1faff, 1}, {0x20000, 0x3fffd, 1},
	},
}

// columns is how many a terminal takes for the text.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// cut shortens text to a width by leaving out its middle: names tend to differ
// at their ends.
func cut(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	head, tail := width/2, width-width/2-1 // one for the dots
	from := 0
	for i, r := range s {
		if head -= runeColumns(r); head < 0 {
			break
		}
		from = i + utf8.RuneLen(r)
	}
	to := len(s)
	for rest := s; ; {
		r, size := utf8.DecodeLastRuneInString(rest)
		if tail -= runeColumns(r); tail < 0 {
			break
		}
		if rest = rest[:len(rest)-size]; runeColumns(r) > 0 { // else its base is missing yet
			to = len(rest)
		}
	}
	return s[:from] + "…" + s[to:]
}
