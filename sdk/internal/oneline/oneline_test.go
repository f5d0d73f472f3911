package oneline_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/sdk/internal/oneline"
)

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "plain ünïcode \"quoted\" \\": "plain ünïcode \"quoted\" \\",
		"a\nb\r\tc": `a\nb\r\tc`, "\x1b[31m": `\x1b[31m`, "\xff\u2028": `\xff\u2028`,
	} {
		assert.Equal(t, want, oneline.Escape(s), strconv.Quote(s))
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\nb\xff")
	f.Fuzz(func(t *testing.T, s string) {
		out := oneline.Escape(s)
		assert.Negative(t, strings.IndexFunc(out, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", out)
		assert.Equal(t, out, oneline.Escape(out), "what is printable stays")
	})
}
