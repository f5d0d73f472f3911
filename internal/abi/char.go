package abi

import (
	"slices"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type (
	serial   = libvirtxml.DomainSerial
	parallel = libvirtxml.DomainParallel
	channel  = libvirtxml.DomainChannel
	console  = libvirtxml.DomainConsole
)

func serials() *kind[serial] {
	return &kind[serial]{
		path: "/domain/devices/serial", function: "virDomainSerialDefCheckABIStability",
		count: "Target domain serial port count %[1]s does not match source %[2]s",
		list: func(d *domain) []serial {
			if isX86(d) {
				return devices(d).Serials
			}
			return anySerial(devices(d).Serials)
		},
		add: func(d *domain, items []item[serial]) []item[serial] {
			// libvirt makes a serial port of the first console.
			if first := devices(d).Consoles; len(items) == 0 && len(first) > 0 && isHVM(d) && isStub(&first[0]) {
				return added(serial{})
			}
			return items
		},
		fields: withInfo(func(s *serial) info { return info{s.Address, s.ACPI} },
			field[serial]{path: "target/@type", message: "Target serial type %[1]s does not match source %[2]s",
				value: func(s *serial) value { return filled(deref(s.Target).Type) }},
			field[serial]{path: "target/model/@name", message: "Target serial model %[1]s does not match source %[2]s",
				value: func(s *serial) value { return filled(deref(deref(s.Target).Model).Name) }},
			field[serial]{path: "target/@port", message: "Target serial port %[1]s does not match source %[2]s",
				value: func(s *serial) value { return given(deref(s.Target).Port) }},
		),
	}
}

// anySerial forgets the type isa-serial, which elsewhere than on x86 was the word for
// the machine's own kind.
func anySerial(list []serial) []serial {
	list = slices.Clone(list)
	for i := range list {
		if deref(list[i].Target).Type == "isa-serial" {
			target := *list[i].Target
			target.Type, target.Model = "", nil
			list[i].Target = &target
		}
	}
	return list
}

// given is a number that libvirt fills in when it is not given.
func given(n *uint) value { v := number(deref(n)); v.open = n == nil; return v }

func parallels() *kind[parallel] {
	return &kind[parallel]{
		path: "/domain/devices/parallel", function: "virDomainParallelDefCheckABIStability",
		count: "Target domain parallel port count %[1]s does not match source %[2]s",
		list:  func(d *domain) []parallel { return devices(d).Parallels },
		fields: withInfo(func(p *parallel) info { return info{p.Address, p.ACPI} },
			field[parallel]{path: "target/@port", message: "Target parallel port %[1]s does not match source %[2]s",
				value: func(p *parallel) value { return given(deref(p.Target).Port) }},
		),
	}
}

func channels() *kind[channel] {
	return &kind[channel]{
		path: "/domain/devices/channel", function: "virDomainChannelDefCheckABIStability",
		count: "Target domain channel count %[1]s does not match source %[2]s",
		list:  func(d *domain) []channel { return devices(d).Channels },
		fields: withInfo(func(c *channel) info { return info{c.Address, c.ACPI} },
			field[channel]{path: "target/@type", message: "Target channel type %[1]s does not match source %[2]s",
				value: func(c *channel) value {
					switch t := deref(c.Target); {
					case t.VirtIO != nil:
						return fixed("virtio")
					case t.Xen != nil:
						return fixed("xen")
					case t.GuestFWD != nil:
						return fixed("guestfwd")
					}
					return value{open: true}
				}},
			field[channel]{path: "target/@name", message: "Target channel name %[1]s does not match source %[2]s",
				value: channelName},
			field[channel]{path: "target/@address", message: "Target channel addr %[1]s does not match source %[2]s",
				value: func(c *channel) value {
					f := deref(deref(c.Target).GuestFWD)
					return fixed(f.Address + ":" + f.Port)
				}},
		),
	}
}

// channelName is what the guest sees. SPICE channels get theirs from libvirt.
func channelName(c *channel) value {
	t := deref(c.Target)
	if t.GuestFWD != nil {
		return value{open: true}
	}
	v := null(deref(t.VirtIO).Name + deref(t.Xen).Name)
	source := deref(c.Source)
	v.open = v.text == "<null>" && (source.SpiceVMC != nil || source.QEMUVDAgent != nil)
	return v
}

func consoles() *kind[console] {
	return &kind[console]{
		path: "/domain/devices/console", function: "virDomainConsoleDefCheckABIStability",
		count: "Target domain console count %[1]s does not match source %[2]s",
		list:  func(d *domain) []console { return devices(d).Consoles },
		add:   addConsole,
		fields: withInfo(func(c *console) info { return info{c.Address, c.ACPI} },
			field[console]{path: "target/@type", message: "Target console type %[1]s does not match source %[2]s",
				value: func(c *console) value { return filled(deref(c.Target).Type) }},
		),
	}
}

// addConsole adds the console that libvirt makes for the first serial port.
func addConsole(d *domain, items []item[console]) []item[console] {
	ports := devices(d).Serials
	if !isHVM(d) || len(ports) == 0 || len(items) > 0 && isStub(items[0].of) {
		return items
	}
	switch deref(ports[0].Target).Type {
	case "pci-serial", "usb-serial", "isa-debug":
		return items
	}
	return append(added(console{Target: &libvirtxml.DomainConsoleTarget{Type: "serial"}}), items...)
}

func isHVM(d *domain) bool { return strings.TrimSpace(osType(d).Type) == "hvm" }

// isStub says whether a console may stand for the first serial port.
func isStub(c *console) bool {
	t := deref(c.Target).Type
	return t == "" || t == "serial"
}

type redirdev = libvirtxml.DomainRedirDev

func redirdevs() *kind[redirdev] {
	return &kind[redirdev]{
		path: "/domain/devices/redirdev", function: "virDomainRedirdevDefCheckABIStability",
		count: "Target domain redirected devices count %[1]s does not match source %[2]s",
		list:  func(d *domain) []redirdev { return devices(d).RedirDevs },
		fields: withInfo(func(r *redirdev) info { return info{r.Address, r.ACPI} },
			field[redirdev]{path: "@bus", message: "Target redirected device bus %[1]s does not match source %[2]s",
				value: func(r *redirdev) value { return or(r.Bus, "usb") }},
			field[redirdev]{path: "@type", message: "Target redirected device source type %[1]s does not match source device source type %[2]s",
				value: func(r *redirdev) value { return filled(sourceType(r.Source)) }},
		),
	}
}

func sourceType(s *libvirtxml.DomainChardevSource) string {
	switch s := deref(s); {
	case s.SpiceVMC != nil:
		return "spicevmc"
	case s.TCP != nil:
		return "tcp"
	case s.UNIX != nil:
		return "unix"
	case s.Pty != nil:
		return "pty"
	case s.Dev != nil:
		return "dev"
	case s.File != nil:
		return "file"
	case s.Pipe != nil:
		return "pipe"
	case s.UDP != nil:
		return "udp"
	case s.Null != nil:
		return "null"
	case s.StdIO != nil:
		return "stdio"
	case s.SpicePort != nil:
		return "spiceport"
	case s.NMDM != nil:
		return "nmdm"
	case s.DBus != nil:
		return "dbus"
	}
	return ""
}

func redirfilters() *kind[libvirtxml.DomainRedirFilter] {
	return &kind[libvirtxml.DomainRedirFilter]{
		path:  "/domain/devices/redirfilter",
		count: "Target domain USB redirection filter count %[1]s does not match source %[2]s",
		list:  func(d *domain) []libvirtxml.DomainRedirFilter { return devices(d).RedirFilters },
	}
}

type redirRule = libvirtxml.DomainRedirFilterUSB

func redirRules() *kind[redirRule] {
	return &kind[redirRule]{
		path: "/domain/devices/redirfilter/usbdev", function: "virDomainRedirFilterDefCheckABIStability",
		counted: "virDomainRedirFilterDefCheckABIStability",
		count:   "Target USB redirection filter rule count %[1]s does not match source %[2]s",
		list: func(d *domain) []redirRule {
			var all []redirRule
			for _, f := range devices(d).RedirFilters {
				all = append(all, f.USB...)
			}
			return slices.Clip(all)
		},
		fields: []field[redirRule]{
			{path: "@class", message: "Target USB Class code does not match source",
				value: func(r *redirRule) value { return orMinusOne(r.Class) }},
			{path: "@vendor", message: "Target USB vendor ID does not match source",
				value: func(r *redirRule) value { return orMinusOne(r.Vendor) }},
			{path: "@product", message: "Target USB product ID does not match source",
				value: func(r *redirRule) value { return orMinusOne(r.Product) }},
			{path: "@version", message: "Target USB version does not match source",
				value: func(r *redirRule) value { return fixed(usbVersion(r.Version)) }},
			{path: "@allow", message: "Target USB allow '%[1]s' does not match source '%[2]s'",
				value: func(r *redirRule) value { return fixed(r.Allow) }},
		},
	}
}

// usbVersion is a version in one form only: 1.1 and 1.10 are the same.
func usbVersion(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "" || err == nil && f < 0:
		return "-1"
	case err != nil:
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
