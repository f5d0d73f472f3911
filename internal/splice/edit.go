package splice

import (
	"cmp"
	"slices"

	"github.com/virthook/virthook/internal/xmlscan"
)

// edit puts text in the place of a span of the original.
type edit struct {
	span xmlscan.Span
	text []byte
}

// plan collects what is to be done to the original.
type plan struct {
	orig     *tree
	rules    *Rules
	leftOut  []xmlscan.Span
	edits    []edit
	refusals Refusals
	overlap  bool // two edits of the same bytes were planned
	quote    byte // what attributes are mostly quoted with; 0 until asked
}

// isLeftOut says whether the typed view could not make sense of what is at a span.
func (p *plan) isLeftOut(span xmlscan.Span) bool {
	return slices.ContainsFunc(p.leftOut, func(out xmlscan.Span) bool {
		return out.From < span.To && span.From < out.To
	})
}

func (p *plan) replace(span xmlscan.Span, text []byte) {
	p.edits = append(p.edits, edit{span, text})
}

func (p *plan) insert(at int, text []byte) {
	p.edits = append(p.edits, edit{xmlscan.Span{From: at, To: at}, text})
}

func (p *plan) remove(span xmlscan.Span) {
	p.edits = append(p.edits, edit{span, nil})
}

// write returns a part of the original with edits applied, which it sorts. What is
// inserted at one place keeps the order in which it was planned.
func (p *plan) write(from, to int, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int {
		if c := cmp.Compare(a.span.From, b.span.From); c != 0 {
			return c
		}
		return cmp.Compare(min(1, a.span.To-a.span.From), min(1, b.span.To-b.span.From))
	})
	size := to - from
	for _, e := range edits {
		size += len(e.text)
	}
	out := make([]byte, 0, size)
	for _, e := range edits {
		if e.span.From < from {
			p.overlap = true
		} else {
			out = append(out, p.orig.src[from:e.span.From]...)
		}
		from = max(from, e.span.To)
		out = append(out, e.text...)
	}
	return append(out, p.orig.src[from:to]...)
}
