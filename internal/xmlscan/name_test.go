package xmlscan

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// The productions as XML 1.0, fifth edition, prints them.
var (
	specChar          = [][2]rune{{0x9, 0x9}, {0xA, 0xA}, {0xD, 0xD}, {0x20, 0xD7FF}, {0xE000, 0xFFFD}, {0x10000, 0x10FFFF}}
	specNameStartChar = [][2]rune{
		{':', ':'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
		{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
	}
	specNameChar = append([][2]rune{{'-', '-'}, {'.', '.'}, {'0', '9'}, {0xB7, 0xB7}, {0x0300, 0x036F}, {0x203F, 0x2040}}, specNameStartChar...)
)

func TestProductions(t *testing.T) {
	in := func(spec [][2]rune, r rune) bool {
		return slices.ContainsFunc(spec, func(s [2]rune) bool { return s[0] <= r && r <= s[1] })
	}
	for r := rune(0); r <= utf8.MaxRune+1; r++ {
		if in(specChar, r) != validChar(r) || in(specNameStartChar, r) != nameStartChar(r) || in(specNameChar, r) != nameChar(r) {
			assert.Fail(t, "not the specification's", "%U", r)
		}
	}
}

// The table of ASCII says what the productions do.
func TestClass(t *testing.T) {
	for c := range class {
		r := rune(c)
		if c >= utf8.RuneSelf {
			assert.Zero(t, class[c], "%#x", c)
			continue
		}
		is := func(bit uint8) bool { return class[c]&bit != 0 }
		assert.Equal(t, validChar(r), is(isChar), "%U", r)
		assert.Equal(t, nameStartChar(r) && c != ':', is(isNameStart), "%U", r)
		assert.Equal(t, nameChar(r) && c != ':', is(isName), "%U", r)
		assert.Equal(t, c == ' ' || c == '\t' || c == '\n' || c == '\r', is(isSpace), "%U", r)
		assert.Equal(t, validChar(r) && c != '<' && c != '&' && c != ']', is(isText), "%U", r)
		assert.Equal(t, validChar(r) && c != '<' && c != '&' && c != '"' && c != '\'', is(isValue), "%U", r)
	}
}
