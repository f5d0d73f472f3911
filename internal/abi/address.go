package abi

import (
	"fmt"
	"strconv"

	"libvirt.org/go/libvirtxml"
)

const infoFunction = "virDomainDeviceInfoCheckABIStability"

// info is what all devices have.
type info struct {
	address *libvirtxml.DomainAddress
	acpi    *libvirtxml.DomainDeviceACPI
}

// withInfo adds the checks of a device's address. An address that is not given is
// one that libvirt assigns, mostly the one it assigned before.
func withInfo[T any](get func(*T) info, fields ...field[T]) []field[T] {
	for _, a := range addresses {
		fields = append(fields, field[T]{
			path: "address", message: a.message, function: infoFunction,
			value: func(d *T) value {
				if address := get(d).address; address != nil {
					return a.value(address)
				}
				return value{open: true}
			},
		})
	}
	return append(fields, field[T]{
		path: "acpi/@index", message: "Target ACPI index '%[1]s' does not match source '%[2]s'", function: infoFunction,
		value: func(d *T) value { return number(deref(get(d).acpi).Index) },
	})
}

// addresses are the type of an address and the form of each type. All forms but the
// address's own are open.
var addresses = []struct {
	message string
	value   func(*libvirtxml.DomainAddress) value
}{
	{"Target device address type %[1]s does not match source %[2]s", addressType},
	{"Target device PCI address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		p := deref(a.PCI)
		return assigned("%04x:%02x:%02x.%d", p.Domain, p.Bus, p.Slot, p.Function)
	}},
	{"Target device drive address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		d := deref(a.Drive)
		return assigned("%d:%d:%d", d.Controller, d.Bus, d.Unit)
	}},
	{"Target device virtio serial address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		// libvirt chooses a port where none is given.
		s := deref(a.VirtioSerial)
		v := assigned("%d:%d:%d", s.Controller, s.Bus, s.Port)
		v.open = v.open || deref(s.Port) == 0
		return v
	}},
	{"Target device ccid address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		c := deref(a.CCID)
		return assigned("%d:%d", c.Controller, c.Slot)
	}},
	{"Target device isa address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		i := deref(a.ISA)
		return assigned("%d:%d", i.IOBase, i.IRQ)
	}},
	{"Target device dimm slot %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		return assigned("%d", deref(a.DIMM).Slot)
	}},
	{"Target device dimm base address '%[1]s' does not match source '%[2]s'", func(a *libvirtxml.DomainAddress) value {
		return assigned("%x", deref(a.DIMM).Base)
	}},
	{"Target device CCW address %[1]s does not match source %[2]s", func(a *libvirtxml.DomainAddress) value {
		c := deref(a.CCW)
		return assigned("%x.%x.%04x", c.CSSID, c.SSID, c.DevNo)
	}},
}

// assigned prints numbers, those not given as 0. None given at all is open.
func assigned[N uint | uint64](layout string, parts ...*N) value {
	v := value{open: true}
	args := make([]any, len(parts))
	for i, p := range parts {
		args[i] = deref(p)
		v.open = v.open && p == nil
	}
	v.text = fmt.Sprintf(layout, args...)
	return v
}

func addressType(a *libvirtxml.DomainAddress) value {
	switch {
	case a.PCI != nil:
		return fixed("pci")
	case a.Drive != nil:
		return fixed("drive")
	case a.VirtioSerial != nil:
		return fixed("virtio-serial")
	case a.CCID != nil:
		return fixed("ccid")
	case a.USB != nil:
		return fixed("usb")
	case a.SpaprVIO != nil:
		return fixed("spapr-vio")
	case a.VirtioS390 != nil:
		return fixed("virtio-s390")
	case a.CCW != nil:
		return fixed("ccw")
	case a.VirtioMMIO != nil:
		return fixed("virtio-mmio")
	case a.ISA != nil:
		return fixed("isa")
	case a.DIMM != nil:
		return fixed("dimm")
	}
	return value{open: true}
}

// virtio is what virtio devices have in <driver>.
type virtio struct {
	given                     bool // there is a <driver>
	iommu, ats, packed, perVQ string
}

// withVirtio adds the checks of a device's virtio options.
func withVirtio[T any](get func(*T) virtio, fields ...field[T]) []field[T] {
	const function = "virDomainVirtioOptionsCheckABIStability"
	// libvirt refuses an element <driver> against none. Here only one with options
	// is: others libvirt may drop or add when it formats the guest.
	fields = append(fields, field[T]{
		path: "driver", message: "Target device virtio options don't match the source", function: function,
		value: func(d *T) value {
			v := get(d)
			options := v.iommu+v.ats+v.packed+v.perVQ != ""
			return value{text: strconv.FormatBool(options), open: v.given && !options}
		},
	})
	for _, o := range []struct {
		name  string
		value func(virtio) string
	}{
		{"iommu", func(v virtio) string { return v.iommu }},
		{"ats", func(v virtio) string { return v.ats }},
		{"packed", func(v virtio) string { return v.packed }},
		{"page_per_vq", func(v virtio) string { return v.perVQ }},
	} {
		fields = append(fields, field[T]{
			path:     "driver/@" + o.name,
			message:  "Target device " + o.name + " option '%[1]s' does not match source '%[2]s'",
			function: function,
			value:    func(d *T) value { return tristate(o.value(get(d))) },
		})
	}
	return fields
}
