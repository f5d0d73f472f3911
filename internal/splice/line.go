package splice

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// line returns what goes away with an element: the line it is alone on.
func (n *node) line() xmlscan.Span {
	span := n.span
	if n.prev == nil || n.prev.kind != xmlscan.Text {
		return span
	}
	if next := n.next; next != nil && next.kind != xmlscan.Text {
		return span // something else follows on the line
	} else if next != nil {
		rest := next.bytes(next.span)
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[:i]
		} else if next.next != nil {
			return span
		}
		if len(trim(rest)) > 0 {
			return span
		}
	}
	return xmlscan.Span{From: n.prev.span.To - len(lastLine(n.prev.bytes(n.prev.span))), To: span.To}
}

// lastLine returns the white space at the end of a text from its last line end on,
// nothing if there is none or something else is there.
func lastLine(text []byte) []byte {
	i := bytes.LastIndexByte(text, '\n')
	if i < 0 || len(trim(text[i:])) > 0 {
		return nil
	}
	if i > 0 && text[i-1] == '\r' {
		i--
	}
	return text[i:]
}
