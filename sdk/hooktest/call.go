package hooktest

import (
	"encoding/xml"
	"fmt"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
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
// domain's name. Without edits the XML is libvirt's own bytes; with edits it is
// written by libvirtxml. DomainCall panics when it knows no XML for the driver.
func DomainCall(driver, op, subOp, extra string, edits ...func(*libvirtxml.Domain)) Call {
	c := sample(driver, op, subOp, extra)
	if len(edits) == 0 {
		return c
	}
	var d libvirtxml.Domain
	unmarshal(c, &d)
	for _, edit := range edits {
		edit(&d)
	}
	c.Object, c.XML = d.Name, marshal(c, &d)
	return c
}

// hookData is what the network driver wraps its documents in.
type hookData struct {
	XMLName     xml.Name                `xml:"hookData"`
	Network     *libvirtxml.Network     `xml:"network"`
	NetworkPort *libvirtxml.NetworkPort `xml:"networkport"`
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
	var data hookData
	unmarshal(c, &data)
	for _, edit := range edits {
		edit(data.Network, data.NetworkPort)
	}
	c.Object, c.XML = data.Network.Name, marshal(c, &data)
	return c
}

func sample(driver, op, subOp, extra string) Call {
	s, ok := captures.Sample(driver, op, subOp)
	if !ok {
		panic(fmt.Sprintf("hooktest: no XML is known for %s/%s/%s: make the Call yourself", driver, op, subOp))
	}
	return Call{Driver: driver, Object: s.Object, Op: op, SubOp: subOp, Extra: orDash(extra), XML: s.XML}
}

func orDash(extra string) string {
	if extra == "" {
		return "-"
	}
	return extra
}

func unmarshal(c Call, v any) {
	if err := xml.Unmarshal(c.XML, v); err != nil {
		panic(fmt.Sprintf("hooktest: the sample of %s/%s/%s: %v", c.Driver, c.Op, c.SubOp, err))
	}
}

func marshal(c Call, v any) []byte {
	out, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("hooktest: the edited XML of %s/%s/%s: %v", c.Driver, c.Op, c.SubOp, err))
	}
	return out
}
