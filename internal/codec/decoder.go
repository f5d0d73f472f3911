package codec

import (
	"encoding/xml"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// decoder has a method for each type, which is called with the scanner at the
// Start of an element and leaves it at its End.
type decoder struct {
	source
	err error // of the scanner; all loops end then

	found  []finding
	report *Report // room for it, nil: none yet

	// The attributes of the element that starts at takenAt which a union has
	// looked at, so that its variant does not take them for unknown.
	taken   []string
	takenAt int
	room    [8]string // for taken, which is short

	slabs slabs // room for what there is much of

	// The list that has grown last, but for short ones, how long it was then, and where.
	grown struct {
		list  any
		n, at int
	}

	beside *comparison // that of devices as they are decoded, nil: none
}

// source is what a document is read from.
type source struct {
	s   *xmlscan.Scanner
	doc string // the document, which all strings of the result are cut from
	// plain: nothing in the document needs to be resolved, which is the usual case
	// and saves looking at each value.
	plain bool
	uri   string // the last namespace, as most of a document's are the same
}

// reset makes it a decoder of the document of a scanner.
func (d *decoder) reset(s *xmlscan.Scanner, doc string) {
	*d = decoder{source: source{s: s, doc: doc}, takenAt: -1}
	d.taken = d.room[:0]
	if s != nil {
		d.plain = !xmlscan.HasReference(s.Src())
	}
}

// child goes to the next child of the current element. It returns false at the
// element's End, and after an error.
func (d *decoder) child() bool {
	for d.err == nil {
		kind, err := d.s.NextSolid()
		switch kind {
		case xmlscan.Start:
			return true
		case xmlscan.End:
			return false
		case xmlscan.Text, xmlscan.CDATA:
			d.strayText(kind)
		default:
			d.err = err
		}
	}
	return false
}

// childOrText is child for an element whose text is wanted.
func (d *decoder) childOrText(t *text) bool {
	for d.err == nil {
		kind, err := d.s.Next()
		if err != nil {
			d.err = err
			return false
		}
		switch kind {
		case xmlscan.Start:
			return true
		case xmlscan.End:
			return false
		case xmlscan.Text, xmlscan.CDATA:
			t.add(&d.source, kind)
		}
	}
	return false
}

// descendant goes to the next Start inside the element of that depth, at whatever
// depth it is: so do the methods of libvirtxml that read tokens themselves.
func (d *decoder) descendant(depth int) bool {
	for d.err == nil {
		kind, err := d.s.NextSolid()
		if err != nil {
			d.err = err
			return false
		}
		switch kind {
		case xmlscan.Start:
			return true
		case xmlscan.End:
			if d.s.Depth() == depth {
				return false
			}
		case xmlscan.Text, xmlscan.CDATA:
			d.strayText(kind)
		}
	}
	return false
}

// skip goes to the End of the current element.
func (d *decoder) skip() {
	if d.err == nil {
		d.err = d.s.SkipElement()
	}
}

// name returns the local name of the current element.
func (d *source) name() string {
	n := d.s.Local()
	return d.doc[n.From:n.To]
}

// space returns the namespace of the current element; a prefix that stands for
// none is one itself, as in encoding/xml.
func (d *source) space() string {
	name, local := d.s.Name(), d.s.Local()
	var prefix []byte
	if local.From > name.From {
		prefix = d.s.Bytes(xmlscan.Span{From: name.From, To: local.From - 1})
	}
	uri, ok := d.s.Space(prefix)
	if !ok {
		uri = prefix
	}
	if len(uri) == 0 {
		return ""
	}
	if string(uri) != d.uri {
		d.uri = string(uri)
	}
	return d.uri
}

func (d *decoder) xmlName() xml.Name {
	return xml.Name{Space: d.space(), Local: d.name()}
}

// local returns the name of an attribute without its prefix, by which alone
// encoding/xml goes.
func (d *decoder) local(a *xmlscan.Attr) string {
	return d.doc[a.Local.From:a.Local.To]
}

// find returns the first attribute of the current element with that local name.
func (d *decoder) find(name string) *xmlscan.Attr {
	attrs := d.s.Attrs()
	for i := range attrs {
		if d.local(&attrs[i]) == name {
			return &attrs[i]
		}
	}
	return nil
}

// attr returns the value of that attribute, "" when there is none.
func (d *decoder) attr(name string) string {
	if a := d.find(name); a != nil {
		return d.attrString(a)
	}
	return ""
}

// take is find, and marks the attribute as known.
func (d *decoder) take(name string) *xmlscan.Attr {
	a := d.find(name)
	if a != nil {
		if at := d.s.Span().From; at != d.takenAt {
			d.takenAt = at
			d.taken = d.taken[:0]
		}
		d.taken = append(d.taken, name)
	}
	return a
}

// choice returns the value of a discriminator, and whether it is given at all.
func (d *decoder) choice(name, otherwise string) (value string, given bool) {
	a := d.take(name)
	if a == nil {
		return otherwise, false
	}
	return d.attrString(a), true
}

// lastChoice is choice for a type of which the last attribute of the name counts.
func (d *decoder) lastChoice(name string) (value string) {
	d.take(name)
	attrs := d.s.Attrs()
	for i := range attrs {
		if d.local(&attrs[i]) == name {
			value = d.attrString(&attrs[i])
		}
	}
	return value
}

// chardevSource creates the source that the attribute type names, nil when that is
// unknown.
func (d *decoder) chardevSource(otherwise string) *libvirtxml.DomainChardevSource {
	typ, _ := d.choice("type", otherwise)
	src := d.newChardevSource(typ)
	if src == nil {
		d.unknownChoice("type")
	}
	return src
}

// isType says whether the attribute type has that value; where not, the element is
// left out.
func (d *decoder) isType(value string) bool {
	if typ, _ := d.choice("type", ""); typ == value {
		return true
	}
	d.unknownVariant("type")
	return false
}

// isUnset says whether an attribute has the value that stands for none.
func (d *decoder) isUnset(a *xmlscan.Attr, value string) bool {
	if d.attrString(a) != value {
		return false
	}
	d.omitAttr(a, NotKept)
	return true
}

// inner returns the content of the current element as it is written.
func (d *decoder) inner() string {
	if d.s.SelfClosing() {
		d.skip()
		return ""
	}
	from := d.s.Span().To
	d.skip()
	if d.err != nil {
		return ""
	}
	return d.doc[from:d.s.Span().From]
}

// isDeclaration says whether an attribute declares a namespace.
func (d *decoder) isDeclaration(a *xmlscan.Attr) bool {
	name := d.doc[a.Name.From:a.Name.To]
	return name == "xmlns" || strings.HasPrefix(name, "xmlns:")
}

// isTaken says whether a union has looked at an attribute of the current element.
func (d *decoder) isTaken(a *xmlscan.Attr) bool {
	return d.takenAt == d.s.Span().From && slices.Contains(d.taken, d.local(a))
}

// ensure returns what a pointer leads to, which it makes where that is nil: an
// element that is there twice is decoded into one value, as by encoding/xml.
func ensure[T any](p **T) *T {
	if *p == nil {
		*p = new(T)
	}
	return *p
}

// grow appends a zero value and returns where it is. It writes the zeros: see fresh.
func grow[T any](d *decoder, list *[]T) *T {
	n := len(*list)
	if n == cap(*list) {
		*list = slices.Grow(*list, d.expectIn(list, n))
	}
	*list = (*list)[:n+1]
	clear((*list)[n:])
	return &(*list)[n]
}

// fresh writes zeros over what is zero. A new page of memory that is read before it is
// written, as all is that is filled only where it is nil, costs two page faults, and
// with the second the other processors are told.
func fresh[T any](items []T) { clear(items) }

// growIn is grow for a list that begins in the room there is for it. No other list
// gets that room: what is appended later overwrites nothing.
func growIn[T any](d *decoder, list *[]T, room *[]T) *T {
	if cap(*list) == 0 {
		*list, *room = (*room)[:0], nil
	}
	return grow(d, list)
}

// expect guesses how many more of something there will be in the document after n:
// as many in the rest of it as in what is behind.
func (d *decoder) expect(n int) int { return d.guess(n, n, 0) }

// expectIn is expect for a list. Devices of a kind follow each other: one that grows
// again goes on as it has since it grew last.
func (d *decoder) expectIn(list any, n int) int {
	more := d.expect(n)
	if d.grown.list == list {
		more = max(more, d.guess(n, n-d.grown.n, d.grown.at))
	}
	const short = 4 // such as there are in each device
	if n >= short {
		d.grown.list, d.grown.n, d.grown.at = list, n, d.s.Span().From
	}
	return more
}

// guess guesses how many more there will be after n, of which some are since a place in
// the document. It is some more, as the devices do not begin at its start, at least a
// fraction of n, so that lists grow in good time, and bounded by n, as few say little.
func (d *decoder) guess(n, some, since int) int {
	at := d.s.Span().From
	more := some * (len(d.doc) - at) / max(at-since, 1)
	return min(max(more+more/8, n/4), 16*n) + 1
}

// slab gives out values of one allocation, so that there are fewer.
type slab[T any] struct {
	items []T
	next  int // of items
	kept  int // items, which release does not take back
	given int // of earlier items
}

// maxSlab is how many values an allocation has at most. They are kept as long as any
// of them is.
const maxSlab = 64

// ensure is ensure for a type that has a slab.
func (b *slab[T]) ensure(d *decoder, p **T) *T {
	if *p == nil {
		*p = b.new(d)
	}
	return *p
}

func (b *slab[T]) new(d *decoder) *T {
	if b.next == len(b.items) {
		b.refill(d)
	}
	v := &b.items[b.next]
	b.next++
	return v
}

func (b *slab[T]) refill(d *decoder) {
	b.given += len(b.items)
	b.items, b.next, b.kept = make([]T, min(d.expect(b.given), maxSlab)), 0, 0
	fresh(b.items)
}

func (b *slab[T]) keep() { b.kept = b.next }

func (b *slab[T]) release() {
	clear(b.items[b.kept:b.next])
	b.next = b.kept
}
