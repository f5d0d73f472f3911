package codec

import (
	"bytes"
	"fmt"
	"sync"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// DecodeDomain decodes a <domain>. Only XML that is not well-formed and another
// root element are errors; the report says what was left out and reads src again for
// that, which must not change until then. The strings of the result share one copy
// of the document.
func DecodeDomain(src []byte) (*libvirtxml.Domain, *Report, error) {
	v := new(libvirtxml.Domain)
	return document(src, "domain", v, func(d *decoder) { d.domain(v) })
}

// DecodeNetwork decodes a <network>, as DecodeDomain does.
func DecodeNetwork(src []byte) (*libvirtxml.Network, *Report, error) {
	v := new(libvirtxml.Network)
	return document(src, "network", v, func(d *decoder) { d.network(v) })
}

// DecodeNetworkPort decodes a <networkport>, as DecodeDomain does.
func DecodeNetworkPort(src []byte) (*libvirtxml.NetworkPort, *Report, error) {
	v := new(libvirtxml.NetworkPort)
	return document(src, "networkport", v, func(d *decoder) { d.networkPort(v) })
}

// DecodeDomainAt decodes the <domain> at whose Start the scanner is and leaves it
// at the End. What follows is not looked at.
func DecodeDomainAt(s *xmlscan.Scanner) (*libvirtxml.Domain, *Report, error) {
	v := new(libvirtxml.Domain)
	return part(s, "domain", v, func(d *decoder) { d.domain(v) })
}

// DecodeNetworkAt is DecodeDomainAt for a <network>.
func DecodeNetworkAt(s *xmlscan.Scanner) (*libvirtxml.Network, *Report, error) {
	v := new(libvirtxml.Network)
	return part(s, "network", v, func(d *decoder) { d.network(v) })
}

// DecodeNetworkPortAt is DecodeDomainAt for a <networkport>.
func DecodeNetworkPortAt(s *xmlscan.Scanner) (*libvirtxml.NetworkPort, *Report, error) {
	v := new(libvirtxml.NetworkPort)
	return part(s, "networkport", v, func(d *decoder) { d.networkPort(v) })
}

// scanners are kept for the memory they have.
var scanners = sync.Pool{New: func() any { return new(xmlscan.Scanner) }}

// document decodes a whole document.
func document[T any](src []byte, root string, v *T, decode func(*decoder)) (*T, *Report, error) {
	s := scanners.Get().(*xmlscan.Scanner)
	defer func() {
		s.Reset(nil)
		scanners.Put(s)
	}()
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
	v, report, err := part(s, root, v, decode)
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
func part[T any](s *xmlscan.Scanner, root string, v *T, decode func(*decoder)) (*T, *Report, error) {
	if got := string(s.Bytes(s.Local())); got != root {
		line, column := xmlscan.Position(s.Src(), s.Span().From)
		return nil, nil, fmt.Errorf("line %d, column %d: element is <%s>, not <%s>", line, column, got, root)
	}
	d := newDecoder(s)
	decode(d)
	if d.err != nil {
		return nil, nil, d.err
	}
	return v, &Report{src: s.Src(), found: d.found}, nil
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
