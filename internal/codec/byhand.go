package codec

import (
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// What the methods of libvirtxml do with these types fits none of the kinds that
// the generator knows.

func (d *decoder) domainDeviceList(v *libvirtxml.DomainDeviceList) {
	d.keep()
	d.domainDeviceListElement(v)
	if len(v.IOMMUs) > 0 {
		v.IOMMU = &v.IOMMUs[0] // the same value, not a copy
	}
}

func (d *decoder) domainDiskBackingStore(v *libvirtxml.DomainDiskBackingStore) {
	typed := d.find("type") != nil
	d.domainDiskBackingStoreElement(v)
	if !typed && v.Source.File.File == "" {
		v.Source.File = nil
	}
}

func (d *decoder) domainDiskDataStore(v *libvirtxml.DomainDiskDataStore) {
	typed := d.find("type") != nil
	d.domainDiskDataStoreElement(v)
	if !typed && v.Source.File.File == "" {
		v.Source.File = nil
	}
}

// domainDiskMirror also knows the attributes of old libvirts, which say in short
// what the children say and count only without them.
func (d *decoder) domainDiskMirror(v *libvirtxml.DomainDiskMirror) {
	typed := d.find("type") != nil
	file, format := d.shorthand("file"), d.shorthand("format")
	d.domainDiskMirrorElement(v)
	if !typed && v.Source.File.File == "" {
		if file.given {
			v.Source.File.File = file.value
		} else {
			v.Source.File = nil
		}
	}
	if !typed && v.Format == nil && format.given {
		v.Format = &libvirtxml.DomainDiskFormat{Type: format.value}
	}
	if file.given && (v.Source.File == nil || v.Source.File.File != file.value) {
		d.omitAttr(&file.attr, NotKept)
	}
	if format.given && (v.Format == nil || v.Format.Type != format.value) {
		d.omitAttr(&format.attr, NotKept)
	}
}

// shorthand is an attribute of an element that is looked at after its children.
type shorthand struct {
	attr  xmlscan.Attr
	value string
	given bool
}

func (d *decoder) shorthand(name string) shorthand {
	a := d.take(name)
	if a == nil {
		return shorthand{}
	}
	return shorthand{*a, d.attrString(a), true}
}

func (d *decoder) domainSmartcard(v *libvirtxml.DomainSmartcard) {
	switch mode, _ := d.choice("mode", ""); mode {
	case "host":
		v.Host = new(libvirtxml.DomainSmartcardHost)
	case "passthrough":
		v.Passthrough = d.chardevSource("pty")
	case "host-certificates":
	default:
		d.unknownChoice("mode")
	}
	d.domainSmartcardElement(v)
}

func (d *decoder) domainInterfaceSourceHostdev(v *libvirtxml.DomainInterfaceSourceHostdev) {
	d.noAttrs()
	for depth := d.s.Depth(); d.descendant(depth); {
		if d.name() != "address" {
			d.unknownAround()
			continue
		}
		switch typ, _ := d.choice("type", ""); typ {
		case "pci":
			v.PCI = &libvirtxml.DomainHostdevSubsysPCISource{Address: new(libvirtxml.DomainAddressPCI)}
			d.domainAddressPCI(v.PCI.Address)
		case "usb":
			v.USB = &libvirtxml.DomainHostdevSubsysUSBSource{
				Address: new(libvirtxml.DomainAddressUSB),
				Vendor:  new(libvirtxml.DomainHostDevProductVendorID),
				Product: new(libvirtxml.DomainHostDevProductVendorID),
			}
			// Not into its address: libvirtxml loses it.
			d.domainHostdevSubsysUSBSource(v.USB)
		default:
			d.unknownChoice("type")
			d.omitElement(NoVariant)
		}
	}
}

func (d *decoder) domainInterfaceSourceVHostUser(v *libvirtxml.DomainInterfaceSourceVHostUser) {
	if dev := d.take("dev"); dev != nil {
		v.Dev = d.attrString(dev)
		d.empty()
		return
	}
	if v.Chardev = d.chardevSource("unix"); v.Chardev == nil {
		d.noVariant()
		return
	}
	d.domainChardevSource(v.Chardev)
}

// flatUDP reads one of the two elements that a UDP source has.
func (d *decoder) flatUDP(v *libvirtxml.DomainChardevSourceUDP) {
	var mode, host, service string
	attrs := d.s.Attrs()
	for i := range attrs {
		a := &attrs[i]
		switch d.local(a) {
		case "mode":
			if mode = d.attrString(a); mode != "connect" && mode != "bind" {
				d.omitAttr(a, UnknownValue)
			}
		case "host":
			host = d.attrString(a)
		case "service":
			service = d.attrString(a)
		default:
			d.unknownAttr(a)
		}
	}
	if mode == "connect" {
		v.ConnectHost, v.ConnectService = host, service
	} else {
		v.BindHost, v.BindService = host, service
	}
	d.noContent()
}

func (d *decoder) domainCryptoBackend(v *libvirtxml.DomainCryptoBackend) {
	if queues := d.take("queues"); queues != nil {
		if n, ok := based(d.attrString(queues), 10); ok {
			v.Queues = uint(n)
		} else {
			d.omitAttr(queues, NotANumber)
		}
	}
	switch model, _ := d.choice("model", ""); model {
	case "builtin":
		v.BuiltIn = new(libvirtxml.DomainCryptoBackendBuiltIn)
		d.empty()
	case "lkcf":
		v.LKCF = new(libvirtxml.DomainCryptoBackendLKCF)
		d.empty()
	default:
		d.unknownVariant("model")
	}
}
