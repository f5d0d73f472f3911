package libvirtd

import (
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// Network is a virtual network that the daemon has defined.
type Network struct {
	Name string
	d    *Daemon
}

// Network defines an isolated network with addresses 127.99.0.0/24, which cannot
// be those of the machine, and DHCP.
func (d *Daemon) Network(name string, edits ...func(*libvirtxml.Network)) *Network {
	d.t.Helper()
	network := &libvirtxml.Network{
		Name:   name,
		Bridge: &libvirtxml.NetworkBridge{Name: "vh" + name, STP: "on"},
		IPs: []libvirtxml.NetworkIP{{
			Address: "127.99.0.1", Netmask: "255.255.255.0",
			DHCP: &libvirtxml.NetworkDHCP{Ranges: []libvirtxml.NetworkDHCPRange{{Start: "127.99.0.10", End: "127.99.0.99"}}},
		}},
	}
	for _, edit := range edits {
		edit(network)
	}
	xml, err := network.Marshal()
	if err != nil {
		d.t.Fatal(err)
	}
	file := "/run/virthook/define.xml"
	d.WriteFile(file, []byte(xml))
	d.must(d.Virsh("net-define", file))
	return &Network{Name: network.Name, d: d}
}

// Start starts the network; [Network.TryStart] is for one that may not.
func (n *Network) Start() { n.d.t.Helper(); n.d.must(n.TryStart()) }

// TryStart starts the network and returns libvirt's refusal.
func (n *Network) TryStart() (string, error) { return n.d.Virsh("net-start", n.Name) }

// Destroy stops the network.
func (n *Network) Destroy() { n.d.t.Helper(); n.d.must(n.d.Virsh("net-destroy", n.Name)) }

// Active tells whether the network runs.
func (n *Network) Active() bool {
	n.d.t.Helper()
	active := n.d.must(n.d.Virsh("net-list", "--name"))
	return slices.Contains(strings.Fields(active), n.Name)
}
