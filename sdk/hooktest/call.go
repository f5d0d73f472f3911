package hooktest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/internal/splice"
	"github.com/virthook/virthook/internal/xmlscan"
)

// Call is one call of a hook. The functions named like events make one with XML
// that a real libvirt sent (libxl and bhyve: XML like theirs); every field may be
// changed after that.
type Call struct {
	Driver, Object, Op, SubOp, Extra string
	XML                              []byte // nil: standard input is empty
}

// BareCall is a call of an operation that carries no XML.
func BareCall(driver, op, subOp, extra string) Call {
	return Call{Driver: driver, Object: "-", Op: op, SubOp: subOp, Extra: orDash(extra)}
}

// DomainCall is a call of an operation that carries a domain. Its object is the
// domain's name. The XML is libvirt's own bytes, with what the edits change put into
// them: all that libvirtxml does not know stays.
//
// Where libvirt's bytes cannot be made to say what the edited domain says, which is rare
// (a disk of no type in the place of one, say), all of the XML is libvirtxml's.
//
// DomainCall panics when it knows no XML for the driver, and when no XML can say what the
// edits ask for.
func DomainCall(driver, op, subOp, extra string, edits ...func(*libvirtxml.Domain)) Call {
	c := sample(driver, op, subOp, extra)
	if len(edits) == 0 {
		return c
	}
	d, _, err := codec.DecodeDomain(c.XML)
	c.must("reading libvirt's XML", err)
	for _, edit := range edits {
		edit(d)
	}
	c.Object = d.Name
	c.replace(c.XML, edited(c, document.ApplyDomain, c.XML, d))
	return c
}

// NetworkCall is [DomainCall] for an operation that carries a network.
func NetworkCall(driver, op, subOp, extra string, edits ...func(*libvirtxml.Network)) Call {
	portEdits := make([]func(*libvirtxml.Network, *libvirtxml.NetworkPort), len(edits))
	for i, edit := range edits {
		portEdits[i] = func(n *libvirtxml.Network, _ *libvirtxml.NetworkPort) { edit(n) }
	}
	return NetworkPortCall(driver, op, subOp, extra, portEdits...)
}

// NetworkPortCall is [DomainCall] for an operation that carries a network and one of its ports.
func NetworkPortCall(driver, op, subOp, extra string, edits ...func(*libvirtxml.Network, *libvirtxml.NetworkPort)) Call {
	c := sample(driver, op, subOp, extra)
	if len(edits) == 0 {
		return c
	}
	at, err := hookData(c.XML)
	c.must("reading libvirt's XML", err)
	network, _, err := codec.DecodeNetwork(at.network)
	c.must("reading libvirt's XML", err)
	var port *libvirtxml.NetworkPort
	if at.port != nil {
		port, _, err = codec.DecodeNetworkPort(at.port)
		c.must("reading libvirt's XML", err)
	}
	for _, edit := range edits {
		edit(network, port)
	}
	c.Object = network.Name
	c.replace(at.network, edited(c, document.ApplyNetwork, at.network, network))
	if port != nil {
		c.replace(at.port, edited(c, document.ApplyNetworkPort, at.port, port))
	}
	return c
}

// wrapped is where the two documents of a network's call are.
type wrapped struct{ network, port []byte }

// hookData finds what the network driver wraps in <hookData>.
func hookData(raw []byte) (at wrapped, err error) {
	var s xmlscan.Scanner
	s.Reset(raw)
	for {
		kind, err := s.Next()
		if err != nil || kind == xmlscan.EOF {
			return at, err
		}
		if kind != xmlscan.Start || s.Depth() != 2 {
			continue
		}
		name, from := string(s.Bytes(s.Name())), s.Span().From
		if err := s.SkipElement(); err != nil {
			return at, err
		}
		switch element := raw[from:s.Span().To]; name {
		case "network":
			at.network = element
		case "networkport":
			at.port = element
		}
	}
}

// edited is raw with what was edited; nil when nothing was.
func edited[T any](c Call, apply func([]byte, *T) (document.Edit[T], error), raw []byte, doc *T) []byte {
	edit, err := apply(raw, doc)
	var refused splice.Refusals
	if errors.As(err, &refused) {
		out, err := xml.MarshalIndent(doc, "", "  ")
		c.must("the edit cannot be made", err)
		return out
	}
	c.must("the edit cannot be made", err)
	return edit.XML
}

// replace puts an element into the place of one that stands there once.
func (c *Call) replace(old, element []byte) {
	if element != nil {
		c.XML = bytes.Replace(c.XML, old, element, 1)
	}
}

func sample(driver, op, subOp, extra string) Call {
	s, ok := captures.Sample(driver, op, subOp)
	if !ok {
		panic(fmt.Sprintf("hooktest: no XML is known for %s/%s/%s: make the Call yourself", driver, op, subOp))
	}
	return Call{Driver: driver, Object: s.Object, Op: op, SubOp: subOp, Extra: orDash(extra), XML: slices.Clip(s.XML)}
}

func orDash(extra string) string {
	if extra == "" {
		return "-"
	}
	return extra
}

// must panics with an error, and names the call.
func (c Call) must(what string, err error) {
	switch {
	case errors.Is(err, document.ErrNoEffect):
		panic(fmt.Sprintf("hooktest: %s: the edit changes nothing that the XML shows", c.id()))
	case err != nil:
		panic(fmt.Sprintf("hooktest: %s: %s: %v", c.id(), what, err))
	}
}

// String names the operation and the object, quoted: `qemu/start/begin of "web"`.
func (c Call) String() string { return c.id() + " of " + strconv.Quote(c.Object) }

func (c Call) id() string { return c.Driver + "/" + c.Op + "/" + c.SubOp }
