package codec

import (
	"bytes"
	"errors"
	"slices"
	"sync/atomic"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// Same is what a comparison has found to be as it should: devices of a document that do
// not differ from those of a typed domain.
type Same struct {
	src     []byte
	devices []xmlscan.Span // in the order of the document; one that differs is empty
	room    [40]xmlscan.Span
}

// Devices returns where they are in the document, one after the other.
func (s *Same) Devices() []xmlscan.Span { return s.devices }

// CompareDomain compares a document with a typed domain: with what ViewDomain would
// make of it. It returns the strings that differ; ok is false when something else
// differs too, or a string does not stand in the document as it is. With no string and
// ok, reflect.DeepEqual would say that they are equal. Where ok is false the end of the
// document may not have been looked at.
//
// An empty same is filled. One that is filled, by a comparison of another document with
// the same domain, says what need not be decoded again: a device that is there, byte
// for byte, in the same place of the order. The devices of both documents must be in the
// scope of the same namespaces.
func CompareDomain(src []byte, now *libvirtxml.Domain, same *Same) (values []Value, ok bool, err error) {
	c := takeComparison()
	defer c.giveBack()
	c.raw = src
	if c.known = same; same != nil && same.src == nil {
		same.src, same.devices, c.fills = src, same.room[:0], true
	}
	left := *now // what is to be compared in the end
	c.now, c.rest = orZero(now.Devices), *orZero(now.Devices)
	if now.Devices != nil {
		left.Devices = &c.rest
	}
	old, _, err := document(src, shared(src), "domain", c.decode)
	if errors.Is(err, errDiffers) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	c.domain(old, &left)
	return c.values, !c.other, nil
}

// decode decodes the domain that is compared. Its devices are compared one by one while
// they are decoded, in memory that the next ones use again: to have all of a document in
// memory takes longer than to decode it.
func (c *comparison) decode(d *decoder) *libvirtxml.Domain {
	d.beside = c
	d.report = &c.room.report
	c.room.seed(&d.slabs)
	d.domain(&c.room.domain)
	return &c.room.domain
}

// CompareNetwork is CompareDomain for a network, all of which is compared.
func CompareNetwork(src []byte, now *libvirtxml.Network, _ *Same) (values []Value, ok bool, err error) {
	return compare(src, now, ViewNetwork, (*difference).network)
}

// CompareNetworkPort is CompareDomain for a network port.
func CompareNetworkPort(src []byte, now *libvirtxml.NetworkPort, _ *Same) (values []Value, ok bool, err error) {
	return compare(src, now, ViewNetworkPort, (*difference).networkPort)
}

func compare[T any](src []byte, now *T, view func([]byte) (*T, *Report, error), differ func(d *difference, old, now *T)) (values []Value, ok bool, err error) {
	old, _, err := view(src)
	if err != nil {
		return nil, false, err
	}
	d := difference{raw: src}
	differ(&d, old, now)
	return d.values, !d.other, nil
}

// spareComparison is for the next comparison, usually with the XML that comes of the
// first: a second one would be pages of memory that the process has not had yet.
var spareComparison atomic.Pointer[comparison]

func takeComparison() *comparison {
	if c := spareComparison.Swap(nil); c != nil {
		return c
	}
	return newRoom[comparison]()
}

// giveBack keeps the memory of a comparison, but nothing of what has been compared.
func (c *comparison) giveBack() {
	*c = comparison{}
	spareComparison.Store(c)
}

// errDiffers ends the decoding of a document that differs in more than strings.
var errDiffers = errors.New("the documents differ")

// comparison is that of a domain, with the memory for it.
type comparison struct {
	difference
	room smallRoom // what is decoded, the first part of it

	// Of the devices, which are compared one by one:
	now     *libvirtxml.DomainDeviceList // as they are to be
	rest    libvirtxml.DomainDeviceList  // the same, but of each list only what has not been compared
	changed []changedList
	inList  bool // the current item is one of several
	emptied int  // where in the document their memory was last used again

	known *Same
	fills bool // known
	from  int  // where the current item begins …
	count int  // … and how many are before it
}

// changedList is the changes of a list.
type changedList struct {
	name string
	changes
}

// releaseAfter is how many bytes of devices are decoded before their memory is used
// again: the room of a small domain is enough for them.
const releaseAfter = 1 << 10

// keep is called before what is decoded next may be forgotten, and after what may not.
func (d *decoder) keep() {
	if d.beside != nil {
		d.slabs.keep()
	}
}

// passed passes over the item of a list that begins here, if that is known to be the
// next of rest. There is one such function a type, so they are small.
func passed[T any](d *decoder, old, rest *[]T) bool {
	if len(*rest) == 0 || !d.isSame() {
		return false
	}
	if *old == nil {
		*old = []T{} // there is such a list
	}
	*rest = (*rest)[1:]
	return true
}

// isSame says whether the device that begins here was compared before, and passes over
// it then.
func (d *decoder) isSame() bool {
	c := d.beside
	c.from = d.s.Span().From
	n := c.count
	c.count++
	if c.known == nil || c.fills || n >= len(c.known.devices) {
		return false
	}
	was := c.known.devices[n]
	end := c.from + was.To - was.From
	if end == c.from || end > len(c.raw) || !bytes.Equal(c.raw[c.from:end], c.known.src[was.From:was.To]) {
		return false
	}
	d.s.Leave(end)
	return true
}

// compared compares the item of a list that has been decoded last with the next of
// rest, and forgets it. The list is to have so many items in all. There is one such
// function a type, so they are small.
func compared[T any](d *decoder, name string, old, rest *[]T, all int, compare func(d *difference, old, now *T), known func(old, now *T) bool) {
	if len(*rest) > 0 {
		was, is := &(*old)[0], &(*rest)[0]
		c := d.beside
		before := c.begin(all)
		compare(&c.difference, was, is)
		c.end(name, before, known != nil && known(was, is))
		d.note(before)
		*rest = (*rest)[1:]
	} else {
		d.beside.other = true
	}
	clear(*old)
	*old = (*old)[:0]
	d.next()
}

// begin is called before an item of a list of so many is compared, and end after that,
// with what begin has returned.
func (c *comparison) begin(all int) (values int) {
	if c.inList = all > 1; c.inList {
		c.several++
	}
	return len(c.values)
}

func (c *comparison) end(list string, values int, known bool) {
	if c.inList {
		c.several--
	}
	if len(c.values) == values {
		return
	}
	i := slices.IndexFunc(c.changed, func(l changedList) bool { return l.name == list })
	if i < 0 {
		i = len(c.changed)
		c.changed = append(c.changed, changedList{name: list})
	}
	c.changed[i].item(known)
	c.same(c.changed[i].areInPlace())
}

// note remembers a device that has been compared, unless there are other values than
// before.
func (d *decoder) note(before int) {
	c := d.beside
	if !c.fills {
		return
	}
	var span xmlscan.Span
	if !c.other && len(c.values) == before {
		span = xmlscan.Span{From: c.from, To: d.s.Span().To}
	}
	c.known.devices = append(c.known.devices, span)
}

// next makes room for the next devices, and ends the decoding when something else than
// strings has been found to differ.
func (d *decoder) next() {
	c := d.beside
	if c.other && d.err == nil {
		d.err = errDiffers
	}
	if at := d.s.Span().From; at-c.emptied > releaseAfter {
		d.slabs.release()
		c.emptied = at
	}
}
