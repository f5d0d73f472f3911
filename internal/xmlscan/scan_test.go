package xmlscan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var kindNames = [...]string{"EOF", "Start", "End", "Text", "CDATA", "Comment", "PI"}

// scan reads all of src and returns its tokens, one a line, and the error. It
// fails the test where the spans do not make up what was read.
func scan(t testing.TB, src string) (tokens []string, err error) {
	t.Helper()
	var s Scanner
	s.Reset([]byte(src))
	for at := 0; ; {
		kind, err := s.Next()
		if err != nil {
			return tokens, err
		}
		span := s.Span()
		require.Equal(t, at, span.From, "token %d, a %s", len(tokens), kindNames[kind])
		require.LessOrEqual(t, span.From, span.To)
		at = span.To
		if kind == EOF {
			require.Equal(t, len(src), at, "the tokens do not reach the end")
			require.Zero(t, s.Depth())
			return tokens, nil
		}
		require.Less(t, len(tokens), len(src)+1, "more tokens than bytes")
		tokens = append(tokens, describeToken(&s, kind))
	}
}

// describeToken is "Kind depth [text]" and what else the scanner tells of it.
func describeToken(s *Scanner, kind Kind) string {
	text := func(span Span) string { return string(s.Bytes(span)) }
	d := fmt.Sprintf("%s %d [%s]", kindNames[kind], s.Depth(), text(s.Span()))
	switch kind {
	case Start, End:
		d += " name=" + text(s.Name()) + " local=" + text(s.Local())
		for _, a := range s.Attrs() {
			d += fmt.Sprintf(" {%s|%s|%s|%s}", text(a.All), text(a.Name), text(a.Local), text(a.Value))
		}
		if s.SelfClosing() {
			d += " self-closing"
		}
	default:
		if span := s.Content(); span != s.Span() {
			d += " content=" + text(span)
		}
	}
	return d
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		src  string
		want []string
	}{
		{`<a/>`, []string{
			"Start 1 [<a/>] name=a local=a self-closing",
			"End 1 [] name=a local=a",
		}},
		{`<a>x &amp; y</a >`, []string{
			"Start 1 [<a>] name=a local=a",
			"Text 1 [x &amp; y]",
			"End 1 [</a >] name=a local=a",
		}},
		{`<q:a b = '"' q:c="'>"  />`, []string{
			`Start 1 [<q:a b = '"' q:c="'>"  />] name=q:a local=a {b = '"'|b|b|"} {q:c="'>"|q:c|c|'>} self-closing`,
			"End 1 [] name=q:a local=a",
		}},
		{`<q:a></q:a>`, []string{
			"Start 1 [<q:a>] name=q:a local=a",
			"End 1 [</q:a>] name=q:a local=a",
		}},
		{`<é:ü><b/></é:ü >`, []string{
			"Start 1 [<é:ü>] name=é:ü local=ü",
			"Start 2 [<b/>] name=b local=b self-closing",
			"End 2 [] name=b local=b",
			"End 1 [</é:ü >] name=é:ü local=ü",
		}},
		// No names of a namespace, but names.
		{`<:a b:=""/>`, []string{
			`Start 1 [<:a b:=""/>] name=:a local=:a {b:=""|b:|b:|} self-closing`,
			"End 1 [] name=:a local=:a",
		}},
		{"\uFEFF<?xml version='1.0' encoding=\"utf-8\" standalone='no' ?>\n<!----><a><![CDATA[<&]]]]><!--x--></a><?p q?>\r\n", []string{
			"Text 0 [\uFEFF] content=",
			"PI 0 [<?xml version='1.0' encoding=\"utf-8\" standalone='no' ?>] content=xml version='1.0' encoding=\"utf-8\" standalone='no' ",
			"Text 0 [\n]",
			"Comment 0 [<!---->] content=",
			"Start 1 [<a>] name=a local=a",
			"CDATA 1 [<![CDATA[<&]]]]>] content=<&]]",
			"Comment 1 [<!--x-->] content=x",
			"End 1 [</a>] name=a local=a",
			"PI 0 [<?p q?>] content=p q",
			"Text 0 [\r\n]",
		}},
	} {
		got, err := scan(t, test.src)
		assert.NoError(t, err, test.src)
		assert.Equal(t, test.want, got, test.src)
	}
}

// What looks wrong and is not.
func TestAccepted(t *testing.T) {
	nested := strings.Repeat("<x>", MaxDepth-1) + "<y/>" + strings.Repeat("</x>", MaxDepth-1)
	for _, src := range []string{
		`<?xml version="1.1"?><a/>`,
		`<?xml version='1.0' encoding='US-ASCII'?><a/>`,
		`<?xml version='1.0' encoding='Us-Ascii'?><a/>`,
		"<?xml\tversion\n=\r'1.0'\tstandalone='yes'?><a/>",
		"\uFEFF\n<a/>",
		`<a b="]]>"/>`,
		`<a>]] ]> > ' "</a>`,
		`<a>]]</a>`,
		`<a>]]&gt;</a>`,
		"<a>\t\r\n\x7f\u0080\uFFFD\U0001FFFE\U0010FFFF</a>",
		"<a>\uFEFF</a>",
		"<_/>", "<a-b.c1/>", "<a·/>", "<À/>", "<𐀀/>", "<a‿/>",
		`<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x41;&#xaF;&#x00000000000000000000041;&#x10FFFF;</a>`,
		`<a b="&lt;&#10;"/>`,
		`<a></a  >`,
		"<a b=\n'1'\tc\r='2'\n/>",
		`<a p:b="1" q:b="2"/>`, // p and q are not declared
		`<p:a xmlns:q="u" xmlns:r="u" q:b="" r:b=""/>`,
		`<a><?xmlx?><?p:q?><?p ??></a>`,
		`<a><!-- - -> <b> & --></a>`,
		"<!-- a --><?p?><a/><!-- b --> <?p?>",
		nested,
	} {
		_, err := scan(t, src)
		assert.NoError(t, err, src)
	}
}

func TestErrorsAndTheEndStay(t *testing.T) {
	var s Scanner
	_, err := s.Next()
	require.ErrorIs(t, err, ErrEmpty)

	s.Reset([]byte("<a>x</b>"))
	for _, want := range []Kind{Start, Text} {
		kind, err := s.Next()
		require.NoError(t, err)
		require.Equal(t, want, kind)
	}
	_, first := s.Next()
	require.EqualError(t, first, "line 1, column 5: </b> does not close <a> of line 1")
	kind, again := s.Next()
	assert.Same(t, first, again)
	assert.Equal(t, EOF, kind)
	assert.Empty(t, s.Attrs())
	assert.Zero(t, s.Name())
	assert.Zero(t, s.Local())
	assert.Zero(t, s.Content())

	s.Reset([]byte("<a/>"))
	for _, want := range []Kind{Start, End, EOF, EOF, EOF} {
		kind, err := s.Next()
		require.NoError(t, err)
		require.Equal(t, want, kind)
	}
	assert.Equal(t, Span{4, 4}, s.Span())
	assert.Equal(t, "<a/>", string(s.Src()))
}

// A scanner that is used again knows nothing of the document before.
func TestReset(t *testing.T) {
	var s Scanner
	s.Reset([]byte(`<?xml version="1.0" encoding="us-ascii"?><a xmlns="u" xmlns:p="v"><b/`))
	for {
		if _, err := s.Next(); err != nil {
			break
		}
	}
	s.Reset([]byte("<é p:x=''/>"))
	kind, err := s.Next()
	require.NoError(t, err)
	assert.Equal(t, "Start 1 [<é p:x=''/>] name=é local=é {p:x=''|p:x|x|} self-closing", describeToken(&s, kind))
	for _, prefix := range []string{"", "p"} {
		_, ok := s.Space([]byte(prefix))
		assert.False(t, ok, prefix)
	}
}

func TestSkipElement(t *testing.T) {
	const src = `<a><b i="1"><b/><b>x<!--y--></b></b><c/><d></a>`
	var s Scanner
	s.Reset([]byte(src))
	next := func() string {
		kind, err := s.Next()
		require.NoError(t, err)
		return describeToken(&s, kind)
	}
	require.NoError(t, s.SkipElement(), "before the first token")
	next()
	require.Equal(t, `Start 2 [<b i="1">] name=b local=b {i="1"|i|i|1}`, next())
	require.NoError(t, s.SkipElement())
	assert.Equal(t, "End 2 [</b>] name=b local=b", describeToken(&s, End))
	require.NoError(t, s.SkipElement(), "at an End")
	require.Equal(t, "Start 2 [<c/>] name=c local=c self-closing", next())
	require.NoError(t, s.SkipElement())
	assert.Equal(t, "End 2 [] name=c local=c", describeToken(&s, End))
	require.Equal(t, "Start 2 [<d>] name=d local=d", next())
	assert.EqualError(t, s.SkipElement(), "line 1, column 44: </a> does not close <d> of line 1")
}

func TestNoAllocations(t *testing.T) {
	src := domainXML(150 << 10)
	var s Scanner
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		s.Reset(src)
		for {
			kind, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if kind == EOF {
				return
			}
		}
	}))
}
