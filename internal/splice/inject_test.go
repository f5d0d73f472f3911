package splice

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// inject puts things that the typed view does not know into a document, each with
// a number of its own, at places given by a random source.
func inject(r *rand.Rand, src []byte, n int) []byte {
	var tags, between []int
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return src
		}
		if kind == xmlscan.EOF {
			break
		}
		if kind == xmlscan.Start {
			tags = append(tags, s.Name().To)
			if !s.SelfClosing() {
				between = append(between, s.Span().To)
			}
		}
		if kind == xmlscan.End && s.Span().From < s.Span().To {
			between = append(between, s.Span().From)
			if s.Depth() > 1 {
				between = append(between, s.Span().To)
			}
		}
	}
	type piece struct {
		at   int
		text string
	}
	var pieces []piece
	for i := range n {
		at := between[r.IntN(len(between))]
		text := ""
		switch r.IntN(6) {
		case 0:
			at, text = tags[r.IntN(len(tags))], fmt.Sprintf(" unk%d='mark%d'", i, i)
		case 1:
			text = fmt.Sprintf("<future%d a=\"mark%d\"><b/>t</future%d>", i, i, i)
		case 2:
			text = fmt.Sprintf("<!-- mark%d -->", i)
		case 3:
			text = fmt.Sprintf("<u:el xmlns:u='urn:u'><u:in b='mark%d'/></u:el>", i)
		case 4:
			text = fmt.Sprintf("<future%d>\n<![CDATA[<mark%d>]]>\r\n</future%d>", i, i, i)
		case 5:
			text = fmt.Sprintf("<?pi mark%d?>", i)
		}
		pieces = append(pieces, piece{at, text})
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.at - b.at })
	var out strings.Builder
	from := 0
	for _, p := range pieces {
		out.Write(src[from:p.at])
		out.WriteString(p.text)
		from = p.at
	}
	out.Write(src[from:])
	return []byte(out.String())
}

// restyle writes a document in another way, as libvirt would read it, too.
func restyle(r *rand.Rand, src []byte) []byte {
	for range r.IntN(4) {
		switch r.IntN(6) {
		case 0: // all in one line
			src = regexp.MustCompile(`>\s+<`).ReplaceAll(src, []byte("><"))
		case 1:
			src = bytes.ReplaceAll(bytes.ReplaceAll(src, []byte("\r"), nil), []byte("\n"), []byte("\r\n"))
		case 2:
			src = bytes.ReplaceAll(src, []byte("  "), []byte("\t"))
		case 3: // other quotes
			src = regexp.MustCompile(`='([^'"<>]*)'`).ReplaceAll(src, []byte("=\"$1\""))
		default: // siblings in another order
			src = reorder(r, src)
		}
	}
	return src
}

// reorder exchanges two random siblings.
func reorder(r *rand.Rand, src []byte) []byte {
	t, err := parse(src)
	if err != nil {
		return src
	}
	for range 20 {
		a := &t.nodes[r.IntN(len(t.nodes))]
		if !a.isElement() || a.next.element() == nil {
			continue
		}
		b := a.next.element()
		for b.next.element() != nil && r.IntN(3) > 0 {
			b = b.next.element()
		}
		return slices.Concat(src[:a.span.From], b.bytes(b.span), src[a.span.To:b.span.From], a.bytes(a.span), src[b.span.To:])
	}
	return src
}
