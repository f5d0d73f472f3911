package xmlscan

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// item is a token as encoding/xml tells of it.
type item struct {
	Kind  string
	Name  xml.Name
	Attrs []xml.Attr
	Text  string
}

// withStdlib reads a document with encoding/xml.
func withStdlib(src []byte) (items []item, err error) {
	d := xml.NewDecoder(bytes.NewReader(src))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			items = append(items, item{Kind: "start", Name: token.Name, Attrs: append([]xml.Attr(nil), token.Attr...)})
		case xml.EndElement:
			items = append(items, item{Kind: "end", Name: token.Name})
		case xml.CharData:
			items = append(items, item{Kind: "text", Text: string(token)})
		case xml.Comment:
			items = append(items, item{Kind: "comment", Text: string(token)})
		case xml.ProcInst:
			items = append(items, item{Kind: "instruction", Text: token.Target + " " + string(token.Inst)})
		case xml.Directive:
			items = append(items, item{Kind: "directive", Text: string(token)})
		}
	}
}

// withScanner reads a document with a Scanner and puts together what encoding/xml
// gives.
func withScanner(src []byte) (items []item, err error) {
	var s Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return items, err
		}
		switch kind {
		case EOF:
			return items, nil
		case Start:
			it := item{Kind: "start", Name: resolved(&s, s.Name(), s.Local(), true)}
			for _, a := range s.Attrs() {
				it.Attrs = append(it.Attrs, xml.Attr{
					Name:  resolved(&s, a.Name, a.Local, false),
					Value: string(AppendAttr(nil, s.Bytes(a.Value))),
				})
			}
			items = append(items, it)
		case End:
			items = append(items, item{Kind: "end", Name: resolved(&s, s.Name(), s.Local(), true)})
		case Text:
			items = append(items, item{Kind: "text", Text: string(AppendText(nil, s.Bytes(s.Content())))})
		case CDATA:
			items = append(items, item{Kind: "text", Text: string(AppendCDATA(nil, s.Bytes(s.Content())))})
		case Comment:
			items = append(items, item{Kind: "comment", Text: string(s.Bytes(s.Content()))})
		case PI:
			content := s.Bytes(s.Content())
			target, _ := s.readName(s.Content().From)
			target -= s.Content().From
			items = append(items, item{Kind: "instruction", Text: string(content[:target]) + " " + string(bytes.TrimLeft(content[target:], " \t\r\n"))})
		}
	}
}

// resolved gives a name the namespace that encoding/xml does: the prefix itself
// where that is not declared, and xmlns as it is.
func resolved(s *Scanner, name, local Span, element bool) xml.Name {
	n := xml.Name{Local: string(s.Bytes(local))}
	var prefix []byte
	if local.From > name.From {
		prefix = s.Bytes(Span{name.From, local.From - 1})
	}
	if string(prefix) == "xmlns" || len(prefix) == 0 && (!element || n.Local == "xmlns") {
		n.Space = string(prefix)
		return n
	}
	if space, ok := s.Space(prefix); ok {
		n.Space = string(space)
	} else {
		n.Space = string(prefix)
	}
	return n
}

// requireSameAsStdlib compares what both read in a document that both accept.
func requireSameAsStdlib(t *testing.T, src []byte) {
	t.Helper()
	got, err := withScanner(src)
	require.NoError(t, err)
	want, err := withStdlib(src)
	require.NoError(t, err)
	if bytes.HasPrefix(src, bom) {
		// A text to encoding/xml, and one with the white space after it.
		require.Equal(t, "text", want[0].Kind)
		want[0].Text = want[0].Text[len(bom):]
		if len(want[0].Text) > 0 {
			got = got[1:]
		}
	}
	if fmt.Sprint(want) != fmt.Sprint(got) { // much faster than a comparison by reflection
		require.Equal(t, want, got)
	}
	require.Len(t, got, len(want))
}
