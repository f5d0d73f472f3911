package splice

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

// networkEdits are what typedEdits is for domains.
var networkEdits = []struct {
	name   string
	typed  func(n *libvirtxml.Network) bool
	oracle func(root *plain)
}{
	{"bridge", func(n *libvirtxml.Network) bool {
		if n.Bridge == nil {
			return false
		}
		n.Bridge.Name = "br-new"
		return true
	}, func(root *plain) { root.at("bridge").set("name", "br-new") }},
	{"domain name", func(n *libvirtxml.Network) bool {
		n.Domain = &libvirtxml.NetworkDomain{Name: "example.org"}
		return true
	}, func(root *plain) {
		if d := root.at("domain"); d != nil {
			for _, name := range []string{"localOnly", "register"} {
				d.unset(name)
			}
			d.set("name", "example.org")
			return
		}
		root.insert(el("domain", []string{"name", "example.org"}), order(libvirtxml.Network{}))
	}},
	{"append a DHCP host", func(n *libvirtxml.Network) bool {
		if len(n.IPs) == 0 || n.IPs[0].DHCP == nil {
			return false
		}
		n.IPs[0].DHCP.Hosts = append(n.IPs[0].DHCP.Hosts, libvirtxml.NetworkDHCPHost{Name: "new", IP: "192.0.2.1"})
		return true
	}, func(root *plain) {
		root.at("ip", "dhcp").insert(el("host", []string{"name", "new", "ip", "192.0.2.1"}), order(libvirtxml.NetworkDHCP{}))
	}},
	{"delete the first address", func(n *libvirtxml.Network) bool {
		if len(n.IPs) == 0 {
			return false
		}
		n.IPs = n.IPs[1:]
		return true
	}, func(root *plain) { root.remove(root.at("ip")) }},
	{"prefix", func(n *libvirtxml.Network) bool {
		if len(n.IPs) == 0 {
			return false
		}
		n.IPs[0].Prefix = 23
		return true
	}, func(root *plain) { root.at("ip").set("prefix", "23") }},
	{"metadata", func(n *libvirtxml.Network) bool {
		n.Metadata = &libvirtxml.NetworkMetadata{XML: "<a/>"}
		return true
	}, func(root *plain) {
		if m := root.at("metadata"); m != nil {
			m.kids = []*plain{el("a", nil)}
			return
		}
		root.insert(el("metadata", nil, el("a", nil)), order(libvirtxml.Network{}))
	}},
}

func TestNetworkEdits(t *testing.T) {
	edits, exact := 0, 0
	for _, doc := range documents(t, "network") {
		for _, e := range networkEdits {
			n := new(libvirtxml.Network)
			if xml.Unmarshal(doc.src, n) != nil {
				continue
			}
			before := encode(t, n)
			if !e.typed(n) {
				continue
			}
			edits++
			after := encode(t, n)
			root, err := parsePlain(doc.src)
			require.NoError(t, err)
			e.oracle(root)
			result, err := Apply(doc.src, before, after, Options{})
			require.NoError(t, err, doc.name)
			if result == nil {
				result = doc.src
			}
			got, err := parsePlain(result)
			require.NoError(t, err)
			if got.String() != root.String() {
				t.Errorf("%s: %s: %s", doc.name, e.name, diffLines(root.String(), got.String()))
				continue
			}
			again := new(libvirtxml.Network)
			require.NoError(t, xml.Unmarshal(result, again))
			require.Nil(t, Check(after, encode(t, again)))
			exact++
		}
	}
	t.Logf("%d edits, %d exact", edits, exact)
}
