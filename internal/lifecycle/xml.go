package lifecycle

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/virthook/virthook/internal/captures"
)

// input is what the call carries: libvirt's own bytes with the object's name in them,
// the guest's XML where it has one of its own, or what a filter has made of it.
func (r *run) input(o operation, c Call, p *port) []byte {
	switch at(o.inputs, r.w.scenario.Libvirt) {
	case "none":
		return nil
	case "domain":
		if doc := r.guest.xml[r.host]; doc != nil {
			return doc
		}
		if r.guest.XML != nil {
			return r.guest.XML
		}
	}
	sample, ok := recorded(o, r.w.scenario.Libvirt)
	if !ok {
		return nil
	}
	names := renamed(sample, r.guest, p, c.Object)
	return []byte(strings.NewReplacer(names...).Replace(string(sample.XML)))
}

func firstOr(list []string, other string) string {
	if len(list) > 0 {
		return list[0]
	}
	return other
}

var recordings = sync.OnceValue(captures.All)

// recorded is a call like this one that a libvirt made: the same version if there is
// one, else the newest, and of the guest whose whole life was recorded.
func recorded(o operation, libvirt string) (best captures.Capture, ok bool) {
	like := func(c captures.Capture) (n int) {
		if c.Version == libvirt {
			n += 2
		}
		if slices.ContainsFunc(recordings(), func(p captures.Capture) bool {
			return p.Driver == c.Driver && p.Op == "prepare" && p.Object == c.Object
		}) {
			n++
		}
		return n
	}
	for _, c := range recordings() { // oldest first
		if c.Driver == o.driver && c.Op == o.op && c.SubOp == o.subOp && (!ok || like(c) >= like(best)) {
			best, ok = c, true
		}
	}
	if !ok {
		best, ok = captures.Sample(o.driver, o.op, o.subOp)
	}
	return best, ok
}

// renamed are pairs of what stands in a recorded document for its guest, network or port,
// and what is to stand there; g and p are nil where the call is not about one.
func renamed(sample captures.Capture, g *guest, p *port, network string) (pairs []string) {
	var name, uuid, address string
	number := 0
	if g != nil {
		name, uuid, address = g.Name, g.UUID, mac(g.Name)
		if p == nil {
			network = firstOr(g.Networks, "default")
		} else if number = p.n; p.mac != "" {
			address = p.mac
		}
	}
	var doc struct {
		XMLName xml.Name
		Name    string `xml:"name"`
		UUID    string `xml:"uuid"`
		Devices struct {
			Interfaces []struct {
				Source struct {
					Network string `xml:"network,attr"`
				} `xml:"source"`
			} `xml:"interface"`
		} `xml:"devices"`
		Network struct {
			Name string `xml:"name"`
			UUID string `xml:"uuid"`
		} `xml:"network"`
		Port struct {
			UUID  string `xml:"uuid"`
			Owner struct {
				Name string `xml:"name"`
				UUID string `xml:"uuid"`
			} `xml:"owner"`
		} `xml:"networkport"`
	}
	if err := xml.Unmarshal(sample.XML, &doc); err != nil {
		return nil // what is not XML has no names
	}
	element := func(tag, old, now string) {
		if old != "" && now != "" {
			pairs = append(pairs, fmt.Sprintf("<%s>%s</%[1]s>", tag, old), fmt.Sprintf("<%s>%s</%[1]s>", tag, escaped(now)))
		}
	}
	if doc.XMLName.Local == "hookData" {
		element("name", doc.Network.Name, network)
		element("uuid", doc.Network.UUID, UUID("network "+network))
		element("name", doc.Port.Owner.Name, name)
		element("uuid", doc.Port.Owner.UUID, uuid)
		element("uuid", doc.Port.UUID, UUID(fmt.Sprint("port ", name, " ", number)))
	} else {
		element("name", doc.Name, name)
		element("uuid", doc.UUID, uuid)
		for _, i := range doc.Devices.Interfaces {
			if old := i.Source.Network; old != "" {
				pairs = append(pairs, "network='"+old+"'", "network='"+escaped(network)+"'")
			}
		}
		// Its files bear its name.
		pairs = append(pairs, "/"+doc.Name+".", "/"+escaped(path.Base(name))+".")
	}
	if name != "" {
		// Two guests of one recording must not look like one.
		pairs = append(pairs, "52:54:00:00:00:01", address)
	}
	return slices.Clip(pairs)
}

func mac(name string) string {
	u := UUID("mac " + name)
	return "52:54:00:" + u[0:2] + ":" + u[2:4] + ":" + u[4:6]
}

func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer does not fail
	return b.String()
}
