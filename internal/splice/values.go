package splice

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/xmlscan"
)

// Values puts values of another typed document into a document, the rest of which stays as it is, and
// says where: the paths of attributes and elements, without indexes, each once in a row.
//
// It is the short way for the usual edit, of a few paths or addresses. It returns
// false, and has done nothing, where that is not all there is to do: a value that is
// no attribute's or not an element's whole text, one of somebody else's namespace, one
// that may stand there twice, an empty one, or one that XML cannot hold.
//
// The elements without, one after the other and well-formed, are not looked at: no value
// stands there. Empty spans among them mean nothing.
func Values(src []byte, values []codec.Value, without []xmlscan.Span) (out []byte, paths []string, ok bool) {
	slices.SortFunc(values, func(a, b codec.Value) int { return a.Span.From - b.Span.From })
	values = slices.Compact(values) // two fields may be one place
	grown := 0
	for i, v := range values {
		if !isPlain(v.New) || i > 0 && v.Span.From < values[i-1].Span.To {
			return nil, nil, false
		}
		grown += 2*len(v.New) + 8
	}
	f := newFinder(src, values)
	f.without = without
	if !f.findAll() {
		return nil, nil, false
	}
	out = make([]byte, 0, len(src)+grown)
	at := 0
	for i, v := range values {
		out = append(out, src[at:v.Span.From]...)
		if f.found[i].attribute {
			out = appendAttr(out, []byte(v.New), src[v.Span.To])
		} else {
			out = appendText(out, []byte(v.New))
		}
		at = v.Span.To
	}
	return append(out, src[at:]...), f.paths, true
}

// isPlain says whether a value is written as it is, but for references.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' {
			return false
		}
	}
	return s != "" && utf8.ValidString(s) && !strings.ContainsAny(s, "\uFFFD\uFFFE\uFFFF")
}

// finder looks for values in a document.
type finder struct {
	src    []byte
	values []codec.Value
	s      xmlscan.Scanner

	without []xmlscan.Span // elements to be passed over

	open    []parent
	foreign int       // how many of the open elements are in, or are, somebody else's
	names   []sibling // of the children of the open elements, the inner ones last
	count   []int     // by sibling.group: how many there are

	found   []location // of the values, so far
	around  []int      // the groups of the elements around them, one place after the other
	paths   []string   // each once in a row
	scratch []byte     // for a path
}

// newFinder gives a finder room for a usual guest in one allocation: a process that
// looks once pays for each size that it allocates.
func newFinder(src []byte, values []codec.Value) *finder {
	room := &struct {
		finder
		open   [16]parent
		names  [64]sibling
		count  [128]int
		around [64]int
		found  [16]location
		path   [128]byte
	}{}
	room.finder = finder{
		src: src, values: values, open: room.open[:0], names: room.names[:0], count: room.count[:0],
		around: room.around[:0], found: room.found[:0], scratch: room.path[:0],
	}
	return &room.finder
}

// location is where a value was found.
type location struct {
	attribute bool
	depth     int // how many elements are around it
}

// parent is an open element.
type parent struct {
	name     xmlscan.Span
	group    int
	children int // where its children's names begin
	groups   int // how many groups there were before them …
	found    int // … and values
}

// sibling is a name that children of an element have.
type sibling struct {
	name  xmlscan.Span
	group int
}

// maxNames bounds the names that are compared with each other.
const maxNames = 256

func (f *finder) findAll() bool {
	f.s.Reset(f.src)
	began := false // the last token was the start of the current element
	for {
		kind, err := f.s.Next()
		switch {
		case err != nil:
			return false
		case kind == xmlscan.EOF:
			return len(f.found) == len(f.values) && f.allAreAlone()
		case kind == xmlscan.Start:
			if !f.start() || f.missed() {
				return false
			}
			if f.passOver() {
				kind = xmlscan.End
			}
		case kind == xmlscan.End:
			f.end()
		case kind == xmlscan.Text && len(f.found) < len(f.values) && f.s.Span() == f.wanted():
			if !began || f.foreign > 0 || !f.isWhole() {
				return false
			}
			f.add(nil)
		}
		began = kind == xmlscan.Start
	}
}

// passOver goes to the end of an element where no value stands, if it is one.
func (f *finder) passOver() bool {
	from := f.s.Span().From
	for len(f.without) > 0 && f.without[0].To <= from { // or an empty one
		f.without = f.without[1:]
	}
	if len(f.without) == 0 || f.without[0].From > from {
		return false
	}
	f.s.Leave(f.without[0].To)
	f.end()
	return true
}

func (f *finder) wanted() xmlscan.Span { return f.values[len(f.found)].Span }

// missed says whether the next value is before where the finder has come to.
func (f *finder) missed() bool {
	return len(f.found) < len(f.values) && f.wanted().From < f.s.Span().To
}

func (f *finder) start() bool {
	group, ok := f.group()
	if !ok {
		return false
	}
	f.open = append(f.open, parent{f.s.Name(), group, len(f.names), len(f.count), len(f.found)})
	if f.foreign > 0 || f.s.Local() != f.s.Name() || f.redeclares() {
		f.foreign++
		return true
	}
	for _, a := range f.s.Attrs() {
		if len(f.found) == len(f.values) {
			break
		}
		if a.Value == f.wanted() && a.Local == a.Name {
			f.add(&a)
		}
	}
	return true
}

// group counts the current element among its siblings of that name.
func (f *finder) group() (group int, ok bool) {
	from := 0
	if len(f.open) > 0 {
		from = f.open[len(f.open)-1].children
	}
	name := f.s.Name()
	for _, other := range f.names[from:] {
		if string(f.s.Bytes(other.name)) == string(f.s.Bytes(name)) {
			f.count[other.group]++
			return other.group, true
		}
	}
	group = len(f.count)
	f.count = append(f.count, 1)
	f.names = append(f.names, sibling{name, group})
	return group, len(f.names)-from <= maxNames
}

// allAreAlone says whether no value is in an element of which there are several but
// should be one.
func (f *finder) allAreAlone() bool {
	around := f.around
	for i, v := range f.values {
		several := 0
		for _, group := range around[:f.found[i].depth] {
			if f.count[group] > 1 {
				several++
			}
		}
		around = around[f.found[i].depth:]
		if several != v.Lists {
			return false
		}
	}
	return true
}

// redeclares says whether the element puts itself into a namespace.
func (f *finder) redeclares() bool {
	for _, a := range f.s.Attrs() {
		if string(f.s.Bytes(a.Name)) == "xmlns" {
			return true
		}
	}
	return false
}

func (f *finder) end() {
	last := len(f.open) - 1
	p := f.open[last]
	f.names = f.names[:p.children]
	if len(f.found) == p.found { // nobody will ask for the groups
		f.count = f.count[:p.groups]
	}
	f.open = f.open[:last]
	if f.foreign > 0 {
		f.foreign--
	}
}

// isWhole says whether the text that begins after a start tag goes on to the end tag.
func (f *finder) isWhole() bool {
	end := f.s.Span().To
	return end+1 < len(f.src) && f.src[end] == '<' && f.src[end+1] == '/'
}

// add notes that the value which is wanted is the attribute's, or the text of the
// element.
func (f *finder) add(a *xmlscan.Attr) {
	f.scratch = f.scratch[:0]
	for _, p := range f.open {
		f.scratch = append(append(f.scratch, '/'), f.s.Bytes(p.name)...)
		f.around = append(f.around, p.group)
	}
	if a != nil {
		f.scratch = append(append(f.scratch, "/@"...), f.s.Bytes(a.Name)...)
	}
	if n := len(f.paths); n == 0 || f.paths[n-1] != string(f.scratch) {
		f.paths = append(f.paths, string(f.scratch))
	}
	f.found = append(f.found, location{a != nil, len(f.open)})
}
