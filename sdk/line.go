package sdk

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// oneLine makes s printable on one line of a log: control characters, line
// separators and bytes that are not UTF-8 are escaped as Go escapes them.
func oneLine(s string) string {
	clean := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if strings.IndexFunc(s, clean) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if clean(r) {
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}
