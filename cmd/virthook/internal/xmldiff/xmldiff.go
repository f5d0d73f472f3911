// Package xmldiff shows how two XML documents differ: in what they say, and not
// in quotes, indentation, the order of attributes or the way that empty elements
// are written.
package xmldiff

import (
	"fmt"

	"github.com/aymanbagabas/go-udiff"
)

// contextLines are shown unchanged around each change.
const contextLines = 2

// Diff returns the difference as lines, those of each change under the path of
// the element that it is in:
//
//	@@ /domain
//	   <name>g1</name>
//	-  <title>old</title>
//	+  <title>new</title>
//	   <memory unit="KiB">32768</memory>
//
// It is empty when the documents say the same. The error is that after is not
// one XML document, or, saying so, that before is not.
func Diff(before, after []byte) ([]Line, error) {
	from, err := canonical(before)
	if err != nil {
		return nil, fmt.Errorf("the XML before: %w", err)
	}
	to, err := canonical(after)
	if err != nil {
		return nil, err
	}
	a, b := from.String(), to.String()
	u, err := udiff.ToUnifiedDiff("", "", a, udiff.Lines(a, b), contextLines)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, h := range u.Hunks {
		lines = append(lines, Line{Kind: Place, Text: "@@ /" + place(h, from, to)})
		f, t := h.FromLine-1, h.ToLine-1 // the next lines of each
		for _, l := range h.Lines {
			switch l.Kind {
			case udiff.Delete:
				lines = append(lines, Line{Kind: Removed, Text: "-" + from[f].text})
				f++
			case udiff.Insert:
				lines = append(lines, Line{Kind: Added, Text: "+" + to[t].text})
				t++
			default:
				lines = append(lines, Line{Kind: Same, Text: " " + from[f].text})
				f++
				t++
			}
		}
	}
	return lines, nil
}

// place is the path of the hunk's first change.
func place(h *udiff.Hunk, from, to document) string {
	for i, l := range h.Lines {
		switch l.Kind { // up to here both documents have the same lines
		case udiff.Delete:
			return from[h.FromLine-1+i].path
		case udiff.Insert:
			return to[h.ToLine-1+i].path
		}
	}
	return ""
}

// Line is one line of a difference.
type Line struct {
	Kind Kind
	Text string // with the sign in front
}

// Kind says what a line stands for.
type Kind int

// The kinds of lines.
const (
	Same    Kind = iota // context
	Place               // where the lines after it are
	Removed             // only in the document before
	Added               // only in the document after
)

var colours = map[Kind]string{Place: "\x1b[36m", Removed: "\x1b[31m", Added: "\x1b[32m"}

// Coloured is the line's text for a terminal.
func (l Line) Coloured() string {
	if c, ok := colours[l.Kind]; ok {
		return c + l.Text + "\x1b[m"
	}
	return l.Text
}
