package codec

import (
	"bytes"
	"errors"

	"libvirt.org/go/libvirtxml"
)

// domainDeviceList writes IOMMU as the first of IOMMUs, which it must be or stand
// alone.
func (e *encoder) domainDeviceList(name string, v *libvirtxml.DomainDeviceList) {
	if v.IOMMU != nil {
		if len(v.IOMMUs) == 0 {
			copied := *v
			copied.IOMMUs = []libvirtxml.DomainIOMMU{*v.IOMMU}
			v = &copied
		} else if v.IOMMU != &v.IOMMUs[0] && !sameIOMMU(v.IOMMU, &v.IOMMUs[0]) {
			e.err = errors.New("IOMMU field must match first element in IOMMUs list")
			return
		}
	}
	e.domainDeviceListElement(name, v)
}

// sameIOMMU says whether two are the same when written.
func sameIOMMU(a, b *libvirtxml.DomainIOMMU) bool {
	var x, y encoder
	x.domainIOMMU("iommu", a)
	y.domainIOMMU("iommu", b)
	return bytes.Equal(x.buf, y.buf)
}

// domainDiskMirror says file and format twice, as old libvirts want it.
func (e *encoder) domainDiskMirror(name string, v *libvirtxml.DomainDiskMirror) {
	if typ := domainDiskMirrorChoice(v); typ != "" {
		e.lead("type", typ)
	}
	if v.Source != nil && v.Source.File != nil {
		if v.Source.File.File != "" {
			e.lead("file", v.Source.File.File)
		}
		if v.Format != nil && v.Format.Type != "" {
			e.lead("format", v.Format.Type)
		}
	}
	e.domainDiskMirrorElement(name, v)
}

func (e *encoder) domainSmartcard(name string, v *libvirtxml.DomainSmartcard) {
	switch {
	case v.Passthrough != nil:
		e.lead("mode", "passthrough")
		if typ := chardevChoice(v.Passthrough); typ != "" {
			e.lead("type", typ)
		}
	case v.Host != nil:
		e.lead("mode", "host")
	case len(v.HostCerts) > 0:
		e.lead("mode", "host-certificates")
	}
	e.domainSmartcardElement(name, v)
}

func (e *encoder) domainInterfaceSourceHostdev(name string, v *libvirtxml.DomainInterfaceSourceHostdev) {
	e.open(name)
	e.endStart()
	switch {
	case v.PCI != nil && v.PCI.Address != nil:
		e.lead("type", "pci")
		e.domainAddressPCI("address", v.PCI.Address)
	case v.PCI == nil && v.USB != nil && v.USB.Address != nil:
		e.lead("type", "usb")
		e.domainAddressUSB("address", v.USB.Address)
	}
	e.close(name)
}

func (e *encoder) domainInterfaceSourceVHostUser(name string, v *libvirtxml.DomainInterfaceSourceVHostUser) {
	switch {
	case v.Chardev != nil:
		e.chardevSource(name, v.Chardev)
	case v.Dev != "":
		e.lead("dev", v.Dev)
		e.empty(name)
	}
}

// flatUDP writes the two elements that a UDP source has.
func (e *encoder) flatUDP(name string, v *libvirtxml.DomainChardevSourceUDP) {
	pending := e.pending
	e.flatUDPSource(name, "bind", v.BindHost, v.BindService)
	e.pending = pending // the second has them, too
	e.flatUDPSource(name, "connect", v.ConnectHost, v.ConnectService)
}

func (e *encoder) flatUDPSource(name, mode, host, service string) {
	if host == "" && service == "" {
		return
	}
	e.open(name)
	e.attrString("mode", mode)
	if host != "" {
		e.attrString("host", host)
	}
	if service != "" {
		e.attrString("service", service)
	}
	e.endStart()
	e.close(name)
}

func (e *encoder) domainCryptoBackend(name string, v *libvirtxml.DomainCryptoBackend) {
	switch {
	case v.BuiltIn != nil:
		e.lead("model", "builtin")
	case v.LKCF != nil:
		e.lead("model", "lkcf")
	}
	e.open(name)
	e.attrUint64("queues", uint64(v.Queues))
	e.endStart()
	e.close(name)
}
