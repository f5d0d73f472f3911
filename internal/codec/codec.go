package codec

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// DecodeDomain decodes a <domain>. Only XML that is not well-formed and another
// root element are errors; the report says what was left out and reads src again for
// that, which must not change until then. The strings of the result share one copy
// of the document.
func DecodeDomain(src []byte) (*libvirtxml.Domain, *Report, error) {
	return document(src, copied(src), "domain", (*decoder).rootDomain)
}

// DecodeNetwork decodes a <network>, as DecodeDomain does.
func DecodeNetwork(src []byte) (*libvirtxml.Network, *Report, error) {
	return document(src, copied(src), "network", (*decoder).rootNetwork)
}

// DecodeNetworkPort decodes a <networkport>, as DecodeDomain does.
func DecodeNetworkPort(src []byte) (*libvirtxml.NetworkPort, *Report, error) {
	return document(src, copied(src), "networkport", (*decoder).rootNetworkPort)
}

// ViewDomain is DecodeDomain without the copy: the strings of the result are src
// itself. So nobody may change src from then on, not even once the result is gone, for
// what was taken from it lives on. It is for bytes that their owner never changes.
func ViewDomain(src []byte) (*libvirtxml.Domain, *Report, error) {
	return document(src, shared(src), "domain", (*decoder).rootDomain)
}

// ViewNetwork is ViewDomain for a <network>.
func ViewNetwork(src []byte) (*libvirtxml.Network, *Report, error) {
	return document(src, shared(src), "network", (*decoder).rootNetwork)
}

// ViewNetworkPort is ViewDomain for a <networkport>.
func ViewNetworkPort(src []byte) (*libvirtxml.NetworkPort, *Report, error) {
	return document(src, shared(src), "networkport", (*decoder).rootNetworkPort)
}

// DecodeDomainAt decodes the <domain> at whose Start the scanner is and leaves it
// at the End. What follows is not looked at. The strings of the result are the
// scanner's document itself, as with ViewDomain.
func DecodeDomainAt(s *xmlscan.Scanner) (*libvirtxml.Domain, *Report, error) {
	return part(s, "domain", (*decoder).rootDomain)
}

// DecodeNetworkAt is DecodeDomainAt for a <network>.
func DecodeNetworkAt(s *xmlscan.Scanner) (*libvirtxml.Network, *Report, error) {
	return part(s, "network", (*decoder).rootNetwork)
}

// DecodeNetworkPortAt is DecodeDomainAt for a <networkport>.
func DecodeNetworkPortAt(s *xmlscan.Scanner) (*libvirtxml.NetworkPort, *Report, error) {
	return part(s, "networkport", (*decoder).rootNetworkPort)
}

// copied and shared return the document that strings are cut from. They are for bytes
// whose owner may change them, and for bytes that nobody changes any more.
func copied(src []byte) string { return string(src) }

func shared(src []byte) string { return unsafe.String(unsafe.SliceData(src), len(src)) }

// reader is what a document is read with.
type reader struct {
	s xmlscan.Scanner
	d decoder
}

// spare is a reader for the next document. A sync.Pool would keep one for each
// processor, but a process that reads one document would pay more for it than for all
// else that is allocated here.
var spare atomic.Pointer[reader]

func takeReader() *reader {
	if r := spare.Swap(nil); r != nil {
		return r
	}
	return new(reader)
}

// keepAtMost is the size of documents up to which a reader is kept: one of nothing
// but attributes makes it grow to many times that.
const keepAtMost = 256 << 10

// giveBack keeps the memory of a reader, but nothing of what it has read.
func (r *reader) giveBack() {
	if len(r.s.Src()) > keepAtMost {
		return
	}
	r.s.Reset(nil)
	r.d.reset(nil, "")
	spare.Store(r)
}

// document decodes a whole document, src, whose strings are cut from doc.
func document[T any](src []byte, doc, root string, decode func(*decoder) *T) (*T, *Report, error) {
	r := takeReader()
	defer r.giveBack()
	s := &r.s
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return nil, nil, err
		}
		if kind == xmlscan.Start {
			break
		}
	}
	r.d.reset(s, doc)
	v, report, err := decodeAs(&r.d, root, decode)
	if err != nil {
		return nil, nil, err
	}
	for {
		kind, err := s.Next()
		if err != nil {
			return nil, nil, err
		}
		if kind == xmlscan.EOF {
			return v, report, nil
		}
	}
}

// part decodes the element that the scanner is at.
func part[T any](s *xmlscan.Scanner, root string, decode func(*decoder) *T) (*T, *Report, error) {
	var d decoder
	d.reset(s, shared(s.Src()))
	return decodeAs(&d, root, decode)
}

func decodeAs[T any](d *decoder, root string, decode func(*decoder) *T) (*T, *Report, error) {
	src := d.s.Src()
	if got := d.name(); got != root {
		line, column := xmlscan.Position(src, d.s.Span().From)
		return nil, nil, fmt.Errorf("line %d, column %d: element is <%s>, not <%s>", line, column, got, root)
	}
	v := decode(d)
	if d.err != nil {
		return nil, nil, d.err
	}
	if d.report == nil {
		d.report = new(Report)
	}
	d.report.src, d.report.found = src, d.found
	return v, d.report, nil
}

// largeDomain is the size from which on a domain gets the larger room.
const largeDomain = 4 << 10

func (d *decoder) rootDomain() *libvirtxml.Domain {
	var v *libvirtxml.Domain
	if len(d.doc) < largeDomain {
		room := newRoom[smallRoom]()
		room.seed(&d.slabs)
		v, d.report = &room.domain, &room.report
	} else {
		room := newRoom[largeRoom]()
		room.seed(&d.slabs)
		v, d.report = &room.domain, &room.report
	}
	d.domain(v)
	return v
}

func newRoom[T any]() *T {
	room := make([]T, 1)
	fresh(room)
	return &room[0]
}

func (d *decoder) rootNetwork() *libvirtxml.Network {
	v := new(libvirtxml.Network)
	d.network(v)
	return v
}

func (d *decoder) rootNetworkPort() *libvirtxml.NetworkPort {
	v := new(libvirtxml.NetworkPort)
	d.networkPort(v)
	return v
}

// EncodeDomain writes a domain as libvirtxml's Marshal does.
func EncodeDomain(v *libvirtxml.Domain) ([]byte, error) {
	return encode(func(e *encoder) { e.domain("domain", v) })
}

// EncodeNetwork writes a network as libvirtxml's Marshal does.
func EncodeNetwork(v *libvirtxml.Network) ([]byte, error) {
	return encode(func(e *encoder) { e.network("network", v) })
}

// EncodeNetworkPort writes a network port as libvirtxml's Marshal does.
func EncodeNetworkPort(v *libvirtxml.NetworkPort) ([]byte, error) {
	return encode(func(e *encoder) { e.networkPort("networkport", v) })
}

// encoders are kept for the memory they have.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

func encode(write func(*encoder)) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	*e = encoder{buf: e.buf[:0], pending: e.pending[:0]}
	write(e)
	clear(e.pending[:cap(e.pending)])
	if e.err != nil {
		return nil, e.err
	}
	return bytes.Clone(e.buf), nil
}
