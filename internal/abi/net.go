package abi

import (
	"slices"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type nic = libvirtxml.DomainInterface

func nicInfo(n *nic) info { return info{n.Address, n.ACPI} }

func nicVirtio(n *nic) virtio {
	v := deref(n.Driver)
	return virtio{n.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
}

const nicModel = "Target network card model %[1]s does not match source %[2]s"

func interfaces() *kind[nic] {
	return &kind[nic]{
		path: "/domain/devices/interface", function: "virDomainNetDefCheckABIStability",
		count: "Target domain net card count %[1]s does not match source %[2]s",
		list:  func(d *domain) []nic { return devices(d).Interfaces },
		fields: withInfo(nicInfo, withVirtio(nicVirtio,
			field[nic]{path: "mac/@address", message: "Target network card mac %[1]s does not match source %[2]s",
				value: func(n *nic) value { return filled(mac(deref(n.MAC).Address)) }},
			field[nic]{path: "model/@type", message: nicModel, value: func(n *nic) value {
				model := deref(n.Model).Type
				if known(model) != "" {
					return null("")
				}
				return filled(model)
			}},
			field[nic]{path: "model/@type", message: nicModel, value: func(n *nic) value {
				v := filled(deref(n.Model).Type)
				v.text = or(known(v.text), "unknown").text
				return v
			}},
			field[nic]{path: "mtu/@size", message: "Target network card MTU %[1]s does not match source %[2]s",
				value: func(n *nic) value { return number(deref(n.MTU).Size) }},
		)...),
	}
}

// nicModels are the models that libvirt 11.3.0 knows; others are texts to it.
var nicModels = []string{"netfront", "rtl8139", "virtio", "e1000", "e1000e", "igb", "virtio-transitional",
	"virtio-non-transitional", "usb-net", "spapr-vlan", "lan9118", "scm91c111", "vlance", "vmxnet", "vmxnet2",
	"vmxnet3", "Am79C970A", "Am79C973", "82540EM", "82545EM", "82543GC"}

// known returns the name of a model that libvirt knows, empty for others.
func known(model string) string {
	if i := slices.IndexFunc(nicModels, func(m string) bool { return strings.EqualFold(m, model) }); i >= 0 {
		return nicModels[i]
	}
	return ""
}

// mac is an address as libvirt prints it.
func mac(text string) string {
	parts := strings.Split(strings.ToLower(strings.TrimSpace(text)), ":")
	for i, p := range parts {
		if n, err := strconv.ParseUint(p, 16, 8); err == nil {
			parts[i] = strconv.FormatUint(n|0x100, 16)[1:]
		}
	}
	return strings.Join(parts, ":")
}

type hostdev struct {
	mode, subsystem string
	info            info
}

func hostdevs() *kind[hostdev] {
	return &kind[hostdev]{
		path: "/domain/devices/hostdev", function: "virDomainHostdevDefCheckABIStability",
		count: "Target domain host device count %[1]s does not match source %[2]s",
		list:  hostdevList,
		add:   addHostInterfaces,
		fields: withInfo(func(h *hostdev) info { return h.info },
			field[hostdev]{path: "@mode", message: "Target host device mode %[1]s does not match source %[2]s",
				value: func(h *hostdev) value { return filled(h.mode) }},
			// libvirt lets the hypervisor decide whether a pci and an mdev device go together.
			field[hostdev]{path: "@type", message: "Target host device subsystem type %[1]s is not compatible with source subsystem type %[2]s",
				value: func(h *hostdev) value { return filled(h.subsystem) },
				equal: func(a, b string) bool { return mediated(a) && mediated(b) }},
		),
	}
}

func mediated(subsystem string) bool { return subsystem == "pci" || subsystem == "mdev" }

func hostdevList(d *domain) []hostdev {
	var all []hostdev
	for _, h := range devices(d).Hostdevs {
		all = append(all, hostdev{hostdevMode(&h), hostdevSubsystem(&h), info{h.Address, h.ACPI}})
	}
	return all
}

// addHostInterfaces adds the interfaces that pass a host device: what they are is
// compared as an interface already, here they count.
func addHostInterfaces(d *domain, items []item[hostdev]) []item[hostdev] {
	for _, n := range devices(d).Interfaces {
		if deref(n.Source).Hostdev != nil {
			items = append(items, added(hostdev{})...)
		}
	}
	return items
}

func hostdevMode(h *libvirtxml.DomainHostdev) string {
	switch {
	case h.CapsStorage != nil, h.CapsMisc != nil, h.CapsNet != nil:
		return "capabilities"
	case hostdevSubsystem(h) != "":
		return "subsystem"
	}
	return ""
}

func hostdevSubsystem(h *libvirtxml.DomainHostdev) string {
	switch {
	case h.SubsysUSB != nil:
		return "usb"
	case h.SubsysPCI != nil:
		return "pci"
	case h.SubsysSCSI != nil:
		return "scsi"
	case h.SubsysSCSIHost != nil:
		return "scsi_host"
	case h.SubsysMDev != nil:
		return "mdev"
	}
	return ""
}
