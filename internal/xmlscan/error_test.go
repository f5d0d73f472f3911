package xmlscan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every rule, with the text and the place of its error.
func TestErrors(t *testing.T) {
	long := strings.Repeat("n", 100)
	for _, test := range []struct{ src, want string }{
		// The document as a whole
		{"", "line 1, column 1: document is empty"},
		{" \r\n\t", "line 2, column 2: document is empty"},
		{"\uFEFF\n", "line 2, column 1: document is empty"},
		{"<!-- x -->\n", "line 2, column 1: document has no root element"},
		{"<?p?>", "line 1, column 6: document has no root element"},
		{"<a/>\n<b/>", "line 2, column 1: second root element <b>"},
		{"x<a/>", "line 1, column 1: text outside the root element"},
		{"<a/>\n x", "line 2, column 2: text outside the root element"},
		{"<a/>&amp;", "line 1, column 5: text outside the root element"},
		{"<a/>\uFEFF", "line 1, column 5: text outside the root element"},
		{"<a/><![CDATA[]]>", "line 1, column 5: CDATA section outside the root element"},
		{"<a/>\x00", "line 1, column 5: character U+0000 is not allowed"},
		{"\xFE\xFF\x00<", "line 1, column 1: invalid UTF-8"},
		{strings.Repeat("<x>\n", MaxDepth) + "<y/>", "line 257, column 1: elements nest deeper than 256"},

		// Tags
		{"<a>", "line 1, column 4: <a> of line 1 is not closed"},
		{"\n<a>\n <b>\n</b>", "line 4, column 5: <a> of line 2 is not closed"},
		{"<a>\n<b>\n</a>", "line 3, column 1: </a> does not close <b> of line 2"},
		{"<a></ab>", "line 1, column 4: </ab> does not close <a> of line 1"},
		{"<ab></a>", "line 1, column 5: </a> does not close <ab> of line 1"},
		{"<p:a></q:a>", "line 1, column 6: </q:a> does not close <p:a> of line 1"},
		{"<a/></a>", "line 1, column 5: </a> closes nothing"},
		{"</a>", "line 1, column 1: </a> closes nothing"},
		{"<a></a", `line 1, column 7: ">" of </a> expected, not the end of the document`},
		{"<a></a b>", `line 1, column 8: ">" of </a> expected, not "b"`},
		{"<a></a/>", `line 1, column 7: ">" of </a> expected, not "/"`},
		{"<a></ a>", "line 1, column 6: element name expected, not white space"},
		{"<a></", "line 1, column 6: element name expected, not the end of the document"},
		{"<", "line 1, column 1: tag is not closed"},
		{"<a><", "line 1, column 4: tag is not closed"},
		{"<a", "line 1, column 1: tag <a> is not closed"},
		{"<a>\n<b c='d' ", "line 2, column 1: tag <b> is not closed"},
		{"<>", `line 1, column 2: element name expected, not ">"`},
		{"< a/>", "line 1, column 2: element name expected, not white space"},
		{"<1/>", `line 1, column 2: element name expected, not "1"`},
		{"<-/>", `line 1, column 2: element name expected, not "-"`},
		{"<·/>", `line 1, column 2: element name expected, not "·"`},
		{"<×/>", `line 1, column 2: element name expected, not "×"`},
		{"<\U000F0000/>", "line 1, column 2: element name expected, not U+F0000"},
		{"<a×/>", `line 1, column 3: unexpected "×" in tag <a>`},
		{"<a\xFF/>", "line 1, column 3: invalid UTF-8"},
		{"<a></a \xFF>", `line 1, column 8: ">" of </a> expected, not invalid UTF-8`},
		{"<a\x01/>", "line 1, column 3: unexpected U+0001 in tag <a>"},
		{"<p:a:b/>", `line 1, column 5: a second ":" in a name`},
		{"<::/>", `line 1, column 3: a second ":" in a name`},
		{"<a></p:a:b>", `line 1, column 9: a second ":" in a name`},
		{"<a / >", `line 1, column 4: unexpected "/" in tag <a>`},
		{"<a/b>", `line 1, column 3: unexpected "/" in tag <a>`},
		{"<a <b/>", `line 1, column 4: unexpected "<" in tag <a>`},
		{"<" + long + ">", "line 1, column 103: <" + long[:60] + "…> of line 1 is not closed"},
		{"<é" + long + ">", "line 1, column 105: <é" + long[:58] + "…> of line 1 is not closed"},
		{"<n" + strings.Repeat("é", 50) + ">", "line 1, column 104: <n" + strings.Repeat("é", 29) + "…> of line 1 is not closed"},

		// Attributes
		{"<a b/>", "line 1, column 4: attribute b has no value"},
		{"<a b", "line 1, column 4: attribute b has no value"},
		{"<a b 'c'/>", "line 1, column 4: attribute b has no value"},
		{"<a b=c/>", "line 1, column 6: value of attribute b is not quoted"},
		{"<a b=", "line 1, column 6: value of attribute b is not quoted"},
		{"<a\nb='c>\n</a>", "line 3, column 1: \"<\" in the value of attribute b"},
		{"<a b=\"c'/>", "line 1, column 6: value of attribute b is not closed"},
		{"<a b='<'/>", `line 1, column 7: "<" in the value of attribute b`},
		{"<a b='1'c='2'/>", "line 1, column 9: white space missing before attribute c"},
		{"<a b='1'\n b='2'/>", "line 2, column 2: attribute b is given twice"},
		{"<a p:b='1' p:b='2'/>", "line 1, column 12: attribute p:b is given twice"},
		{"<a xmlns='1' xmlns='1'/>", "line 1, column 14: attribute xmlns is given twice"},
		{"<a p:q:b='1'/>", `line 1, column 7: a second ":" in a name`},
		{"<a 1='1'/>", `line 1, column 4: unexpected "1" in tag <a>`},
		{"<a ='1'/>", `line 1, column 4: unexpected "=" in tag <a>`},
		{"<a b='\x02'/>", "line 1, column 7: character U+0002 is not allowed"},
		{"<a b='\uFFFE'/>", "line 1, column 7: character U+FFFE is not allowed"},
		{"<a b='\xC0\x80'/>", "line 1, column 7: invalid UTF-8"},
		{"<a b='&x;'/>", "line 1, column 7: entity is not defined"},

		// Text
		{"<a>]]></a>", `line 1, column 4: "]]>" in text`},
		{"<a>\n ]]]></a>", `line 2, column 3: "]]>" in text`},
		{"<a>\x00</a>", "line 1, column 4: character U+0000 is not allowed"},
		{"<a>\x1F</a>", "line 1, column 4: character U+001F is not allowed"},
		{"<a>é\uFFFF</a>", "line 1, column 6: character U+FFFF is not allowed"},
		{"<a>\xED\xA0\x80</a>", "line 1, column 4: invalid UTF-8"},     // a surrogate
		{"<a>\xF4\x90\x80\x80</a>", "line 1, column 4: invalid UTF-8"}, // beyond U+10FFFF
		{"<a>\xC3</a>", "line 1, column 4: invalid UTF-8"},
		{"<a>x", "line 1, column 5: <a> of line 1 is not closed"},

		// References
		{"<a>&</a>", `line 1, column 4: "&" begins no reference`},
		{"<a>& b</a>", `line 1, column 4: "&" begins no reference`},
		{"<a>&;</a>", `line 1, column 4: "&" begins no reference`},
		{"<a>&lt</a>", `line 1, column 4: reference lacks its ";"`},
		{"<a>&lt", `line 1, column 4: reference lacks its ";"`},
		{"<a>&nbsp;</a>", "line 1, column 4: entity is not defined"},
		{"<a>&LT;</a>", "line 1, column 4: entity is not defined"},
		{"<a>&\xFF;</a>", "line 1, column 5: invalid UTF-8"},
		{"<a>&#65</a>", `line 1, column 4: character reference lacks its ";"`},
		{"<a>&#", `line 1, column 4: character reference lacks its ";"`},
		{"<a>&#;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#x;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#X41;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#4F;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#0;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#x1F;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#xD800;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#xFFFE;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#x110000;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#4294967361;</a>", "line 1, column 4: character reference names no allowed character"},
		{"<a>&#18446744073709551681;</a>", "line 1, column 4: character reference names no allowed character"},

		// Comments, CDATA sections, processing instructions
		{"<a><!-- </a>", "line 1, column 4: comment is not closed"},
		{"<a><!--", "line 1, column 4: comment is not closed"},
		{"<a><!-- --", "line 1, column 4: comment is not closed"},
		{"<a><!--->", "line 1, column 4: comment is not closed"},
		{"<a><!-- a -- b --></a>", `line 1, column 11: "--" in a comment`},
		{"<a><!-- a ---></a>", `line 1, column 11: "--" in a comment`},
		{"<a><!--\x01--></a>", "line 1, column 8: character U+0001 is not allowed"},
		{"<a><!--\xFF--></a>", "line 1, column 8: invalid UTF-8"},
		{"<a><![CDATA[ ]] ></a>", "line 1, column 4: CDATA section is not closed"},
		{"<a><![CDATA[\x01]]></a>", "line 1, column 13: character U+0001 is not allowed"},
		{"<a><![cdata[]]></a>", `line 1, column 4: "<!" begins neither a comment nor a CDATA section`},
		{"<a><!></a>", `line 1, column 4: "<!" begins neither a comment nor a CDATA section`},
		{"<!ENTITY x 'y'><a/>", `line 1, column 1: "<!" begins neither a comment nor a CDATA section`},
		{"<!DOCTYPE a><a/>", "line 1, column 1: DOCTYPE is refused"},
		{"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "line 2, column 1: DOCTYPE is refused"},
		{"<a><!DOCTYPE a></a>", "line 1, column 4: DOCTYPE is refused"},
		{"<a><?p </a>", "line 1, column 4: processing instruction is not closed"},
		{"<a><??></a>", `line 1, column 6: target of a processing instruction expected, not "?"`},
		{"<a><? p?></a>", "line 1, column 6: target of a processing instruction expected, not white space"},
		{"<a><?p:q:r?></a>", `line 1, column 9: a second ":" in a name`},
		{"<a><?p/?></a>", `line 1, column 7: unexpected "/" in the target of a processing instruction`},
		{"<a><?p \x01?></a>", "line 1, column 8: character U+0001 is not allowed"},

		// The XML declaration
		{" <?xml version='1.0'?><a/>", "line 1, column 2: XML declaration is not at the start of the document"},
		{"<a><?xml version='1.0'?></a>", "line 1, column 4: XML declaration is not at the start of the document"},
		{"<?XML version='1.0'?><a/>", "line 1, column 1: XML declaration is not at the start of the document"},
		{"<?xml?><a/>", "line 1, column 6: XML declaration has no version"},
		{"<?xml ?><a/>", "line 1, column 6: XML declaration has no version"},
		{"<?xml encoding='utf-8'?><a/>", "line 1, column 6: XML declaration has no version"},
		{"<?xml version?><a/>", "line 1, column 7: version in the XML declaration has no value"},
		{"<?xml version=1.0?><a/>", "line 1, column 15: version in the XML declaration is not quoted"},
		{"<?xml version='1.0?><a/>", "line 1, column 15: version in the XML declaration is not quoted"},
		{"<?xml version='1.0\x01'?><a/>", "line 1, column 19: character U+0001 is not allowed"},
		{"<?xml version='1.0' encoding?><a/>", "line 1, column 21: encoding in the XML declaration has no value"},
		{"<?xml version='1.0' standalone=yes?><a/>", "line 1, column 32: standalone in the XML declaration is not quoted"},
		{"<?xml version='2.0'?><a/>", `line 1, column 16: XML version "2.0" is not supported`},
		{"<?xml version='1.'?><a/>", `line 1, column 16: XML version "1." is not supported`},
		{"<?xml version='1.x'?><a/>", `line 1, column 16: XML version "1.x" is not supported`},
		{"<?xml version='1\n'?><a/>", `line 1, column 16: XML version "1\n" is not supported`},
		{"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", `line 1, column 31: encoding "ISO-8859-1" is not supported`},
		{"<?xml version='1.0' encoding='UTF-16'?><a/>", `line 1, column 31: encoding "UTF-16" is not supported`},
		{"<?xml version='1.0' encoding=''?><a/>", `line 1, column 31: encoding "" is not supported`},
		{"<?xml version='1.0' encoding='us-ascii'?><a>é</a>", "line 1, column 45: byte 0xc3 in a document declared US-ASCII"},
		{"<?xml version='1.0' encoding='us-ascii'?><é/>", "line 1, column 43: byte 0xc3 in a document declared US-ASCII"},
		{"<?xml version='1.0' encoding='us-ascii'?><!--é--><a/>", "line 1, column 46: byte 0xc3 in a document declared US-ASCII"},
		{"<?xml version='1.0' encoding='us-ascii'?><a/>\xFF", "line 1, column 46: byte 0xff in a document declared US-ASCII"},
		{"<?xml version='1.0' standalone='maybe'?><a/>", `line 1, column 33: standalone is neither "yes" nor "no"`},
		{"<?xml version='1.0' standalone=''?><a/>", `line 1, column 33: standalone is neither "yes" nor "no"`},
		{"<?xml version='1.0'encoding='utf-8'?><a/>", `line 1, column 20: unexpected "e" in the XML declaration`},
		{"<?xml version='1.0' standalone='no' encoding='utf-8'?><a/>", `line 1, column 37: unexpected "e" in the XML declaration`},
		{"<?xml version='1.0' x='y'?><a/>", `line 1, column 21: unexpected "x" in the XML declaration`},
	} {
		_, err := scan(t, test.src)
		var syntax *SyntaxError
		if !assert.ErrorAs(t, err, &syntax, test.src) {
			continue
		}
		assert.Equal(t, test.want, err.Error(), test.src)
		line, column := Position([]byte(test.src), syntax.Offset)
		assert.Equal(t, [2]int{syntax.Line, syntax.Column}, [2]int{line, column}, test.src)
		assert.Equal(t, strings.HasSuffix(test.want, "document is empty"), errors.Is(err, ErrEmpty), test.src)
	}
}

// Above compareAll another way finds the attribute given twice; both name the
// first one in the document.
func TestDuplicateAttributes(t *testing.T) {
	for _, n := range []int{2, compareAll, compareAll + 1, 5 * compareAll} {
		names := make([]string, n)
		for i := range names {
			names[i] = strings.Repeat("x", i%7) + string(rune('a'+i%23)) + strings.Repeat("y", i/23)
		}
		_, err := scan(t, "<a "+strings.Join(names, "='' ")+"=''/>")
		require.NoError(t, err, n)
		for i := 1; i < n; i++ {
			twice := slices.Clone(names)
			twice[i] = twice[i/2]
			twice[n-1] = twice[(n-1)/2]
			_, err := scan(t, "<a "+strings.Join(twice, "='' ")+"=''/>")
			var syntax *SyntaxError
			require.ErrorAs(t, err, &syntax)
			assert.Equal(t, "attribute "+twice[i]+" is given twice", syntax.Msg)
			assert.Equal(t, len("<a "+strings.Join(twice[:i], "='' ")+"='' "), syntax.Offset, "%d of %d", i, n)
		}
	}
}

func TestPosition(t *testing.T) {
	src := []byte("ab\r\n\ncé\n")
	for offset, want := range [][2]int{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {2, 1}, {3, 1}, {3, 2}, {3, 3}, {3, 4}, {4, 1}} {
		line, column := Position(src, offset)
		assert.Equal(t, want, [2]int{line, column}, offset)
	}
}
