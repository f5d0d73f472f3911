package codec

import (
	"unsafe"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// Value is a string of a typed document that stands in the XML as it is, and what it
// is in another typed document.
type Value struct {
	Span  xmlscan.Span // of an attribute's value or of a text
	New   string
	Lists int // how many lists of several items it is in: so many elements around it are one of several by right
}

// difference is what sets two typed documents apart. Its other methods are generated,
// one a type.
type difference struct {
	raw     []byte // what the strings of the first are cut from
	values  []Value
	other   bool // there is something else than values
	several int  // how many lists of more than one item are around
}

func (d *difference) same(is bool) {
	if !is {
		d.other = true
	}
}

// both says whether there is a value on both sides, to be compared.
func (d *difference) both(old, now bool) bool {
	d.same(old == now)
	return old && now
}

// text finds where a string that has changed stands: it is part of the document
// itself, unless it had to be written otherwise there, with references for instance.
// It is called a thousand times; inlined it would be a third of a megabyte.
//
//go:noinline
func (d *difference) text(old, now string) {
	if old == now || d.other {
		return
	}
	if old == "" {
		d.other = true
		return
	}
	at := uintptr(unsafe.Pointer(unsafe.StringData(old))) - uintptr(unsafe.Pointer(unsafe.SliceData(d.raw)))
	if at >= uintptr(len(d.raw)) || at+uintptr(len(old)) > uintptr(len(d.raw)) {
		d.other = true
		return
	}
	from := int(at)
	d.values = append(d.values, Value{Span: xmlscan.Span{From: from, To: from + len(old)}, New: now, Lists: d.several})
}

// redundant is for a value that says things twice: a change of it is no matter of
// single places.
func (d *difference) redundant(before int) { d.same(len(d.values) == before) }

// lists says whether two lists are to be compared item by item.
func (d *difference) lists(old, now int, bothNil bool) bool {
	d.same(old == now && bothNil)
	return !d.other && old > 0
}

// list is a list that is being compared.
type list struct {
	changes
	before  int // values before the current item
	several bool
}

// changes are those of the items of a list.
type changes struct {
	items   int // that have changed
	unknown bool
}

// item counts a changed item. It is known when it is the same device as before, by
// what libvirt tells such devices apart by.
func (c *changes) item(known bool) {
	c.items++
	c.unknown = c.unknown || !known
}

// areInPlace says whether the items are where they were. Several that have changed may
// be items that have changed places, with all that the typed document does not show of
// them.
func (c *changes) areInPlace() bool { return c.items < 2 || !c.unknown }

func (d *difference) list(n int) list {
	if n > 1 {
		d.several++
	}
	return list{before: len(d.values), several: n > 1}
}

// changed says whether the item that was compared last has changed.
func (l *list) changed(d *difference) bool {
	before := l.before
	l.before = len(d.values)
	return l.before > before
}

func (l *list) end(d *difference) {
	if l.several {
		d.several--
	}
	d.same(l.areInPlace())
}

func isSameDisk(old, now *libvirtxml.DomainDisk) bool {
	return old.Target != nil && now.Target != nil && old.Target.Dev != "" && old.Target.Dev == now.Target.Dev
}

func isSameInterface(old, now *libvirtxml.DomainInterface) bool {
	return old.MAC != nil && now.MAC != nil && old.MAC.Address != "" && old.MAC.Address == now.MAC.Address
}
