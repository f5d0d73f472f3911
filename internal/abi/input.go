package abi

import (
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type input = libvirtxml.DomainInput

func inputs() *kind[input] {
	return &kind[input]{
		path: "/domain/devices/input", function: "virDomainInputDefCheckABIStability",
		count: "Target domain input device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []input { return devices(d).Inputs },
		add:   addInputs,
		pair: func(src, dst *domain, s, d []item[input]) (_, _ []item[input]) {
			// Without an architecture it is unknown what the machine has.
			if len(s) != len(d) && (osType(src).Arch == "" || osType(dst).Arch == "") {
				return nil, nil
			}
			return s, d
		},
		fields: withInfo(func(i *input) info { return info{i.Address, i.ACPI} },
			withVirtio(func(i *input) virtio {
				v := deref(i.Driver)
				return virtio{i.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
			},
				field[input]{path: "@type", message: "Target input device type %[1]s does not match source %[2]s",
					value: func(i *input) value { return fixed(i.Type) }},
				field[input]{path: "@bus", message: "Target input device bus %[1]s does not match source %[2]s",
					value: func(i *input) value { return filled(i.Bus) }},
				field[input]{path: "@model", message: "Target input model %[1]s does not match source %[2]s",
					value: inputModel},
			)...),
	}
}

// inputModel prints a model as libvirt does, which takes its number for a bus's.
func inputModel(i *input) value {
	switch i.Model {
	case "virtio":
		return fixed("ps2")
	case "virtio-transitional":
		return fixed("usb")
	case "virtio-non-transitional":
		return fixed("xen")
	}
	return filled(i.Model)
}

// addInputs adds the mouse and keyboard that libvirt gives a guest, after the others.
func addInputs(d *domain, items []item[input]) []item[input] {
	has := func(kind, bus string) bool {
		return slices.ContainsFunc(items, func(it item[input]) bool {
			return it.of.Type == kind && (it.of.Bus == bus || it.of.Bus == "")
		})
	}
	maybe := func(kind, bus string) {
		if !has(kind, bus) {
			items = append(items, added(input{Type: kind, Bus: bus})...)
		}
	}
	switch {
	case !isQemu(d):
	case isX86(d) && deref(featuresOf(d).PS2).State != "off":
		maybe("mouse", "ps2")
		maybe("keyboard", "ps2")
	case strings.HasPrefix(osType(d).Arch, "ppc64") && len(devices(d).Graphics) > 0:
		maybe("keyboard", "usb")
		if !has("tablet", "usb") {
			maybe("mouse", "usb")
		}
	}
	return items
}
