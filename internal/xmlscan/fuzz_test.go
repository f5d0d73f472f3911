package xmlscan

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What encoding/xml refuses and the scanner accepts, by what encoding/xml says.
var stdlibRefuses = []struct{ says, because string }{
	{"invalid XML name: ", "it has the names of XML's fourth edition"},
	{"xml: unsupported version ", "it takes no 1.1, and nothing between 1.0 and 2"},
	{"xml: encoding ", "it does not know that US-ASCII is UTF-8"},
}

func FuzzScan(f *testing.F) {
	for _, c := range recorded() {
		f.Add(c)
	}
	for _, src := range []string{
		"\uFEFF<?xml version='1.0' encoding='us-ascii' standalone='no'?>\n<!-- c --><a b='c' d=\"&lt;\"/>\n<?p i?>",
		"<p:a xmlns:p='u' xmlns='v' p:b='&#65;\r\n&#xD;'>t&amp;<![CDATA[<&]]>]]&gt;<b></b ></p:a>",
		"<é:ü·><𐀀/></é:ü·>",
		"<a><!DOCTYPE x></a>", "<a b='1' b='2'/>", "<a>]]></a>", "<a><!-- -- --></a>", "<a></b>", "<a>&x;</a>", "<a>\xFF</a>",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := scan(t, string(src))
		requireSkipAgrees(t, src, err)
		requireSolidAgrees(t, src)
		if err != nil {
			return
		}
		if _, err := withStdlib(src); err != nil {
			for _, known := range stdlibRefuses {
				if strings.Contains(err.Error(), known.says) {
					return
				}
			}
			t.Fatalf("accepted, but encoding/xml: %v", err)
		}
		requireSameAsStdlib(t, src)
	})
}

// requireSkipAgrees reads src, the root element by SkipElement, and requires the
// error that reading token by token found.
func requireSkipAgrees(t *testing.T, src []byte, want error) {
	var s Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err == nil && kind == Start {
			if err = s.SkipElement(); err == nil {
				require.Equal(t, 1, s.Depth())
			}
		}
		if err != nil {
			require.EqualError(t, want, err.Error())
			return
		}
		if kind == EOF {
			require.NoError(t, want)
			return
		}
	}
}

// requireSolidAgrees requires NextSolid to give what Next does, but for white space
// before a tag.
func requireSolidAgrees(t *testing.T, src []byte) {
	var all, solid Scanner
	all.Reset(src)
	solid.Reset(src)
	for {
		kind, err := all.Next()
		for kind == Text && all.Depth() > 0 && all.Span().To < len(src) && len(bytes.Trim(all.Bytes(all.Span()), " \t\r\n")) == 0 {
			kind, err = all.Next()
		}
		got, gotErr := solid.NextSolid()
		require.Equal(t, err, gotErr)
		require.Equal(t, kind, got)
		if err != nil {
			return
		}
		require.Equal(t, describeToken(&all, kind), describeToken(&solid, kind))
		require.Equal(t, all.Span(), solid.Span())
		if kind == EOF {
			return
		}
	}
}

func FuzzAppendText(f *testing.F) {
	for _, raw := range []string{"", "text", "&lt;&#65;&#x1F600;", "a\r\nb\rc\r", "&amp;lt;&#13;\n", "]]&gt;", "& &x; &#;"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		text := string(AppendText(nil, []byte(raw)))
		value := string(AppendAttr(nil, []byte(raw)))
		if !HasReference([]byte(raw)) {
			require.Equal(t, raw, text)
		}
		const attr, elem, cdata = "<a b='", "<a>", "<a><![CDATA["
		if src := attr + raw + "'/>"; one(src, Start, Span{0, len(src)}) {
			require.Equal(t, value, stdlibText(t, src))
		}
		if src := elem + raw + "</a>"; one(src, Text, Span{len(elem), len(elem) + len(raw)}) {
			require.Equal(t, text, stdlibText(t, src))
		}
		if src := cdata + raw + "]]></a>"; one(src, CDATA, Span{len(elem), len(src) - len("</a>")}) {
			require.Equal(t, string(AppendCDATA(nil, []byte(raw))), stdlibText(t, src))
		}
	})
}

// one says whether src is well-formed and has a token of that kind there.
func one(src string, kind Kind, span Span) (found bool) {
	var s Scanner
	s.Reset([]byte(src))
	for {
		k, err := s.Next()
		if err != nil || k == EOF {
			return err == nil && found
		}
		// Only one attribute, so that it is the raw one.
		found = found || k == kind && s.Span() == span && len(s.Attrs()) < 2
	}
}

// stdlibText returns the text or attribute values that encoding/xml reads.
func stdlibText(t *testing.T, src string) string {
	var v struct {
		Value string `xml:"b,attr"`
		Text  []byte `xml:",chardata"`
	}
	require.NoError(t, xml.NewDecoder(bytes.NewReader([]byte(src))).Decode(&v), src)
	return v.Value + string(v.Text)
}
