package codec

import (
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

func (w *walker) domainDeviceList(o, v *libvirtxml.DomainDeviceList) {
	if v.IOMMU != nil && len(v.IOMMUs) == 0 {
		copied := *v
		copied.IOMMUs = []libvirtxml.DomainIOMMU{*v.IOMMU}
		v = &copied
	}
	w.domainDeviceListElement(o, v)
}

// domainDiskMirror compares the shorthands of old libvirts where they are.
func (w *walker) domainDiskMirror(o, v *libvirtxml.DomainDiskMirror) {
	w.choice("type", domainDiskMirrorChoice(o), domainDiskMirrorChoice(v))
	if w.find("file") != nil {
		attr(w, "file", mirrorFile(o), mirrorFile(v), omit)
	}
	if w.find("format") != nil {
		attr(w, "format", orZero(o.Format).Type, orZero(v.Format).Type, omit)
	}
	w.domainDiskMirrorElement(o, v)
}

func mirrorFile(v *libvirtxml.DomainDiskMirror) string {
	return orZero(orZero(v.Source).File).File
}

func (w *walker) domainSmartcard(o, v *libvirtxml.DomainSmartcard) {
	w.choice("mode", smartcardMode(o), smartcardMode(v))
	w.choice("type", chardevChoice(o.Passthrough), chardevChoice(v.Passthrough))
	w.domainSmartcardElement(o, v)
}

func smartcardMode(v *libvirtxml.DomainSmartcard) string {
	switch {
	case v.Passthrough != nil:
		return "passthrough"
	case v.Host != nil:
		return "host"
	case len(v.HostCerts) > 0:
		return "host-certificates"
	}
	return ""
}

// chardevSource compares a source that says its type itself.
func (w *walker) chardevSource(o, v *libvirtxml.DomainChardevSource) {
	if o.UDP == nil && v.UDP != nil {
		w.replacedBy(func(e *encoder, name string) { e.chardevSource(name, v) }) // two elements
		return
	}
	w.choice("type", chardevChoice(o), chardevChoice(v))
	w.domainChardevSource(o, v)
}

func (w *walker) domainInterfaceSourceHostdev(o, v *libvirtxml.DomainInterfaceSourceHostdev) {
	for depth := len(w.frames); w.descendant(depth); {
		switch {
		case w.name() != "address":
			w.around()
		case o.PCI != nil && v.PCI != nil:
			if stays(w, o.PCI.Address, v.PCI.Address, (*encoder).domainAddressPCI) {
				w.domainAddressPCI(o.PCI.Address, v.PCI.Address)
			}
		case o.USB != nil && v.USB != nil:
			// What libvirtxml reads of it is not what it writes.
			w.domainHostdevSubsysUSBSource(o.USB, v.USB)
		case o.PCI != nil || o.USB != nil:
			w.removed()
		}
	}
	if now := orZero(v.PCI).Address; o.PCI == nil && now != nil {
		w.added("address", w.encoded("address", func(e *encoder, name string) {
			e.lead("type", "pci")
			e.domainAddressPCI(name, now)
		}))
	}
	w.leave()
}

func (w *walker) domainInterfaceSourceVHostUser(o, v *libvirtxml.DomainInterfaceSourceVHostUser) {
	dev := v.Dev
	if v.Chardev != nil {
		dev = "" // not written then
	}
	attr(w, "dev", o.Dev, dev, omit)
	if o.Chardev == nil && v.Chardev == nil {
		w.noContent()
		return
	}
	w.chardevSource(orZero(o.Chardev), orZero(v.Chardev))
}

// flatUDP compares one of the two elements that a UDP source has. Where the other
// one is missing but needed, it comes beside this one: that to bind first.
func (w *walker) flatUDP(o, v *libvirtxml.DomainChardevSourceUDP) {
	if !w.all && *o == *v {
		w.noContent()
		return
	}
	f := *w.top()
	if f.hasRetired {
		w.replacedBy(func(e *encoder, name string) { e.flatUDP(name, v) })
		return
	}
	connect := false
	if a := w.find("mode"); a != nil {
		connect = w.doc[a.Value.From:a.Value.To] == "connect"
	}
	if connect {
		w.top().label = "[@mode='connect']"
		attr(w, "host", o.ConnectHost, v.ConnectHost, omit)
		attr(w, "service", o.ConnectService, v.ConnectService, omit)
	} else {
		w.top().label = "[@mode='bind']"
		attr(w, "host", o.BindHost, v.BindHost, omit)
		attr(w, "service", o.BindService, v.BindService, omit)
	}
	w.noContent()
	if w.err != nil {
		return
	}
	e := encoder{depth: len(w.frames)}
	at := w.s.Span().To
	if connect {
		if at = f.start.From; o.BindHost+o.BindService == "" {
			e.flatUDPSource(f.name, "bind", v.BindHost, v.BindService)
		}
	} else if o.ConnectHost+o.ConnectService == "" {
		e.flatUDPSource(f.name, "connect", v.ConnectHost, v.ConnectService)
	}
	if len(e.buf) > 0 {
		w.visit(Visit{Path: w.path() + "/" + f.name, Change: Added, Element: true,
			Span: xmlscan.Span{From: at, To: at}, New: string(trimIndent(e.buf))})
	}
}

func (w *walker) domainCryptoBackend(o, v *libvirtxml.DomainCryptoBackend) {
	w.choice("model", cryptoModel(o), cryptoModel(v))
	attr(w, "queues", o.Queues, v.Queues, keep)
	w.noContent()
}

func cryptoModel(v *libvirtxml.DomainCryptoBackend) string {
	switch {
	case v.BuiltIn != nil:
		return "builtin"
	case v.LKCF != nil:
		return "lkcf"
	}
	return ""
}
