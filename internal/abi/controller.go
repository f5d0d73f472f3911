package abi

import (
	"slices"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type controller = libvirtxml.DomainController

func controllerVirtio(c *controller) virtio {
	v := deref(c.Driver)
	return virtio{c.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
}

func controllers() *kind[controller] {
	return &kind[controller]{
		path: "/domain/devices/controller", function: "virDomainControllerDefCheckABIStability",
		count: "Target domain controller count %[1]s does not match source %[2]s",
		list:  func(d *domain) []controller { return devices(d).Controllers },
		order: controllerOrder,
		pair: func(src, dst *domain, s, d []item[controller]) (_, _ []item[controller]) {
			return missing(s, d, dst, true), missing(d, s, src, false)
		},
		fields: withInfo(func(c *controller) info { return info{c.Address, c.ACPI} }, withVirtio(controllerVirtio,
			field[controller]{path: "@type", message: "Target controller type %[1]s does not match source %[2]s",
				value: func(c *controller) value { return fixed(c.Type) }},
			field[controller]{path: "@index", message: "Target controller index %[1]s does not match source %[2]s",
				value: func(c *controller) value {
					return value{strconv.FormatUint(uint64(deref(c.Index)), 10), c.Index == nil}
				}},
			field[controller]{path: "@model", message: "Target controller model %[1]s does not match source %[2]s",
				value: controllerModel},
			field[controller]{path: "@ports", message: "Target controller ports %[1]s does not match source %[2]s",
				value: func(c *controller) value { return orMinusOne(deref(c.VirtIOSerial).Ports) }, when: isVirtioSerial},
			field[controller]{path: "@vectors", message: "Target controller vectors %[1]s does not match source %[2]s",
				value: func(c *controller) value { return orMinusOne(deref(c.VirtIOSerial).Vectors) }, when: isVirtioSerial},
			field[controller]{path: "@ports", message: "Target controller ports %[1]s does not match source %[2]s",
				value: func(c *controller) value {
					v := orMinusOne(deref(c.USB).Port)
					v.open = v.text == "-1"
					return v
				}, when: func(c *controller) bool { return c.Type == "usb" }},
		)...),
	}
}

func isVirtioSerial(c *controller) bool { return c.Type == "virtio-serial" }

// orMinusOne is a number, -1 as libvirt has it when it is not given.
func orMinusOne(n *uint) value {
	if n == nil {
		return fixed("-1")
	}
	return number(*n)
}

// controllerModels are in the order of libvirt 11.3.0, which prints their number.
func controllerModels(kind string) []string {
	return map[string][]string{
		"pci": {"pci-root", "pcie-root", "pci-bridge", "dmi-to-pci-bridge", "pcie-to-pci-bridge", "pcie-root-port",
			"pcie-switch-upstream-port", "pcie-switch-downstream-port", "pci-expander-bus", "pcie-expander-bus"},
		"scsi": {"auto", "buslogic", "lsilogic", "lsisas1068", "vmpvscsi", "ibmvscsi", "virtio-scsi", "lsisas1078",
			"virtio-transitional", "virtio-non-transitional", "ncr53c90", "dc390", "am53c974"},
		"usb": {"piix3-uhci", "piix4-uhci", "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3",
			"vt82c686b-uhci", "pci-ohci", "nec-xhci", "qusb1", "qusb2", "qemu-xhci", "none"},
		"ide":           {"piix3", "piix4", "ich6"},
		"virtio-serial": {"virtio", "virtio-transitional", "virtio-non-transitional"},
	}[kind]
}

func controllerModel(c *controller) value {
	if c.Model == "auto" {
		return value{open: true}
	}
	if i := slices.Index(controllerModels(c.Type), c.Model); i >= 0 {
		return number(i)
	}
	return filled(c.Model)
}

// controllerOrder is virDomainControllerInsertPreAlloced: those of one type stand
// together, sorted by index, a USB master before its companions. Those libvirt leaves
// as they are; here they are sorted, for one may lack the master that others name.
func controllerOrder(items []item[controller]) []item[controller] {
	var sorted []item[controller]
	for _, it := range items {
		at := -1
		for i := len(sorted) - 1; i >= 0; i-- {
			c := sorted[i].of
			if c.Type != it.of.Type {
				continue
			}
			if it.of.Index == nil {
				at = i + 1
				break
			}
			switch own, other := *it.of.Index, deref(c.Index); {
			case other > own, other == own && companion(it.of) < companion(c):
				at = i
			case at < 0:
				at = i + 1
			}
		}
		if at < 0 {
			at = len(sorted)
		}
		sorted = slices.Insert(sorted, at, it)
	}
	return sorted
}

// companion is empty for a USB master, the model of its companions.
func companion(c *controller) string {
	if strings.HasPrefix(c.Model, "ich9-uhci") {
		return c.Model
	}
	return ""
}

// missing returns items without those that the other guest lacks but libvirt would
// give it. When one was deleted, libvirt makes all that devices still need. Where
// libvirt numbers the controllers of a type nothing is known of them.
func missing(items, others []item[controller], other *domain, deleted bool) []item[controller] {
	has := map[string]bool{}
	unnumbered := map[string]bool{}
	key := func(c *controller) string { return c.Type + " " + strconv.FormatUint(uint64(deref(c.Index)), 10) }
	for _, it := range others {
		has[key(it.of)] = true
		unnumbered[it.of.Type] = unnumbered[it.of.Type] || it.of.Index == nil
	}
	for _, it := range items {
		unnumbered[it.of.Type] = unnumbered[it.of.Type] || it.of.Index == nil
	}
	return slices.DeleteFunc(slices.Clone(items), func(it item[controller]) bool {
		return unnumbered[it.of.Type] || !has[key(it.of)] && implied(it.of, other, deleted)
	})
}

// implied says whether libvirt would, or might, add a controller to a guest.
func implied(c *controller, d *domain, deleted bool) bool {
	index := deref(c.Index)
	list := devices(d)
	switch c.Type {
	case "pci":
		return index == 0 || deleted || impliedBus(d, index)
	case "usb", "isa":
		return index == 0
	case "virtio-serial":
		for _, ch := range list.Channels {
			if deref(ch.Target).VirtIO != nil && onSerial(ch.Address, index) {
				return true
			}
		}
		for _, co := range list.Consoles {
			if deref(co.Target).Type == "virtio" && onSerial(co.Address, index) {
				return true
			}
		}
	case "ccid":
		return len(list.Smartcards) > 0
	case "sata":
		if index == 0 && family(osType(d).Machine) == "q35" {
			return true
		}
	}
	for i := range list.Disks {
		if bus := diskBus(&list.Disks[i]); (bus == c.Type || bus == "") && onDrive(list.Disks[i].Address, index) {
			return true
		}
	}
	for _, h := range list.Hostdevs {
		if c.Type == "scsi" && h.SubsysSCSI != nil && onDrive(h.Address, index) {
			return true
		}
	}
	return false
}

func onSerial(a *libvirtxml.DomainAddress, index uint) bool {
	return a == nil || a.VirtioSerial != nil && deref(a.VirtioSerial.Controller) >= index
}

func onDrive(a *libvirtxml.DomainAddress, index uint) bool {
	return a == nil || a.Drive != nil && deref(a.Drive.Controller) >= index
}

// impliedBus says whether devices need a PCI bus, or are not all in their places yet,
// in which case libvirt makes as many buses as it likes.
func impliedBus(d *domain, bus uint) bool {
	places := pciPlaces(d)
	return len(places) == 0 || slices.ContainsFunc(places, func(a *libvirtxml.DomainAddress) bool {
		return a == nil || a.PCI != nil && (a.PCI.Bus == nil || *a.PCI.Bus >= bus)
	})
}

// pciPlaces returns the addresses of the devices that are commonly on PCI.
func pciPlaces(d *domain) []*libvirtxml.DomainAddress {
	list := devices(d)
	var all []*libvirtxml.DomainAddress
	for i := range list.Disks {
		if diskBus(&list.Disks[i]) == "virtio" {
			all = append(all, list.Disks[i].Address)
		}
	}
	for _, c := range list.Controllers {
		if c.Type != "pci" && c.Type != "fdc" && c.Model != "none" && c.Type != "ccid" || c.Type == "pci" && deref(c.Index) > 0 {
			all = append(all, c.Address)
		}
	}
	if isQemu(d) && !slices.ContainsFunc(list.Controllers, func(c controller) bool { return c.Type == "usb" }) {
		all = append(all, nil) // most machines get one
	}
	for _, n := range list.Interfaces {
		all = append(all, n.Address)
	}
	for _, v := range list.Videos {
		all = append(all, v.Address)
	}
	for _, r := range list.RNGs {
		all = append(all, r.Address)
	}
	for _, f := range list.Filesystems {
		all = append(all, f.Address)
	}
	for _, h := range list.Hostdevs {
		if h.SubsysPCI != nil {
			all = append(all, h.Address)
		}
	}
	for _, m := range list.Memorydevs {
		if strings.HasPrefix(m.Model, "virtio") {
			all = append(all, m.Address)
		}
	}
	switch b := list.MemBalloon; {
	case b != nil && b.Model != "none":
		all = append(all, b.Address)
	case b == nil && hasBalloon(d):
		all = append(all, nil)
	}
	return all
}
