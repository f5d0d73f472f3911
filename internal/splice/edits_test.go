package splice

import (
	"reflect"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// typedEdit is an edit of the typed view, and the same on a plain tree. Both say
// whether it applies; near is what it is to leave alone all bytes around of.
type typedEdit struct {
	name   string
	typed  func(d *libvirtxml.Domain) bool
	oracle func(root *plain) (near []*plain)
}

// order returns the names of a struct's elements.
func order(v any) (names []string) {
	t := reflect.TypeOf(v)
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("xml")
		if name, flags, _ := strings.Cut(tag, ","); name != "" && !strings.Contains(flags, "attr") && t.Field(i).Name != "XMLName" {
			names = append(names, name)
		}
	}
	return names
}

var (
	domainOrder = append(order(libvirtxml.Domain{}), "qemu:commandline")
	deviceOrder = order(libvirtxml.DomainDeviceList{})
	cpuOrder    = order(libvirtxml.DomainCPU{})
)

func disks(d *libvirtxml.Domain) []libvirtxml.DomainDisk {
	if d.Devices == nil {
		return nil
	}
	return d.Devices.Disks
}

func interfaces(d *libvirtxml.Domain) []libvirtxml.DomainInterface {
	if d.Devices == nil {
		return nil
	}
	return d.Devices.Interfaces
}

func newDisk() libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "disk",
		Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: `/new/<a>&"'.img`}},
		Target: &libvirtxml.DomainDiskTarget{Dev: "vdzz", Bus: "virtio"},
	}
}

func newPlainDisk() *plain {
	return el("disk", []string{"type", "file", "device", "disk"},
		el("source", []string{"file", `/new/<a>&"'.img`}),
		el("target", []string{"dev", "vdzz", "bus", "virtio"}))
}

// fileDisk returns the index of a disk that has a file.
func fileDisk(d *libvirtxml.Domain) int {
	return slices.IndexFunc(disks(d), func(d libvirtxml.DomainDisk) bool {
		return d.Source != nil && d.Source.File != nil && d.Source.File.File != ""
	})
}

func plainFileDisk(root *plain) *plain {
	for _, d := range root.at("devices").all("disk") {
		if s := d.at("source"); s != nil {
			typ, ok := d.get("type")
			if v, _ := s.get("file"); v != "" && (!ok || typ == "file") {
				return d
			}
		}
	}
	return nil
}

func plainNth(i int, kind string) func(*plain) *plain {
	return func(root *plain) *plain {
		all := root.at("devices").all(kind)
		if i < 0 {
			i += len(all)
		}
		return all[i]
	}
}

const qemuSpace = "http://libvirt.org/schemas/domain/qemu/1.0"

const anotherMAC = "52:54:00:ff:fe:fd"

var typedEdits = []typedEdit{
	{"disk path", func(d *libvirtxml.Domain) bool {
		i := fileDisk(d)
		if i < 0 {
			return false
		}
		d.Devices.Disks[i].Source.File.File = "/else/where's.img"
		return true
	}, func(root *plain) []*plain {
		s := plainFileDisk(root).at("source")
		s.set("file", "/else/where's.img")
		return []*plain{s}
	}},
	{"delete the first disk", func(d *libvirtxml.Domain) bool {
		if len(disks(d)) == 0 {
			return false
		}
		d.Devices.Disks = slices.Delete(d.Devices.Disks, 0, 1)
		return true
	}, func(root *plain) []*plain {
		n := plainNth(0, "disk")(root)
		root.at("devices").remove(n)
		return []*plain{n}
	}},
	{"delete the last disk", func(d *libvirtxml.Domain) bool {
		n := len(disks(d))
		if n < 2 {
			return false
		}
		d.Devices.Disks = d.Devices.Disks[:n-1]
		return true
	}, func(root *plain) []*plain {
		n := plainNth(-1, "disk")(root)
		root.at("devices").remove(n)
		return []*plain{n}
	}},
	{"append a disk", func(d *libvirtxml.Domain) bool {
		if d.Devices == nil {
			return false
		}
		d.Devices.Disks = append(d.Devices.Disks, newDisk())
		return true
	}, func(root *plain) []*plain {
		root.at("devices").insert(newPlainDisk(), deviceOrder)
		if all := root.at("devices").all("disk"); len(all) > 1 {
			return all[len(all)-2 : len(all)-1]
		}
		return []*plain{root.at("devices")}
	}},
	{"prepend a disk", func(d *libvirtxml.Domain) bool {
		if len(disks(d)) == 0 {
			return false
		}
		d.Devices.Disks = slices.Insert(d.Devices.Disks, 0, newDisk())
		return true
	}, func(root *plain) []*plain {
		devices, first := root.at("devices"), plainNth(0, "disk")(root)
		devices.kids = slices.Insert(devices.kids, slices.Index(devices.kids, first), newPlainDisk())
		return []*plain{first}
	}},
	{"swap two disks", func(d *libvirtxml.Domain) bool {
		n := len(disks(d))
		if n < 2 || reflect.DeepEqual(d.Devices.Disks[0], d.Devices.Disks[n-1]) {
			return false
		}
		all := d.Devices.Disks
		all[0], all[n-1] = all[n-1], all[0]
		return true
	}, func(root *plain) []*plain {
		devices := root.at("devices")
		a, b := plainNth(0, "disk")(root), plainNth(-1, "disk")(root)
		i, k := slices.Index(devices.kids, a), slices.Index(devices.kids, b)
		devices.kids[i], devices.kids[k] = b, a
		return []*plain{a, b}
	}},
	{"delete an interface", func(d *libvirtxml.Domain) bool {
		if len(interfaces(d)) == 0 {
			return false
		}
		d.Devices.Interfaces = d.Devices.Interfaces[1:]
		return true
	}, func(root *plain) []*plain {
		n := plainNth(0, "interface")(root)
		root.at("devices").remove(n)
		return []*plain{n}
	}},
	{"memory", func(d *libvirtxml.Domain) bool {
		if d.Memory == nil {
			return false
		}
		d.Memory.Value = 4194309
		return true
	}, func(root *plain) []*plain {
		n := root.at("memory")
		n.setText("4194309")
		return []*plain{n}
	}},
	{"VNC listen attribute", func(d *libvirtxml.Domain) bool {
		if d.Devices == nil || len(d.Devices.Graphics) == 0 || d.Devices.Graphics[0].VNC == nil {
			return false
		}
		d.Devices.Graphics[0].VNC.Listen = "192.0.2.7"
		return true
	}, func(root *plain) []*plain {
		n := root.at("devices", "graphics")
		n.set("listen", "192.0.2.7")
		return []*plain{n}
	}},
	{"VNC listen element", func(d *libvirtxml.Domain) bool {
		if d.Devices == nil || len(d.Devices.Graphics) == 0 {
			return false
		}
		v := d.Devices.Graphics[0].VNC
		if v == nil || len(v.Listeners) == 0 || v.Listeners[0].Address == nil {
			return false
		}
		v.Listeners[0].Address.Address = "192.0.2.8"
		return true
	}, func(root *plain) []*plain {
		n := root.at("devices", "graphics", "listen")
		n.set("address", "192.0.2.8")
		return []*plain{n}
	}},
	{"add a VNC listen element", func(d *libvirtxml.Domain) bool {
		if d.Devices == nil || len(d.Devices.Graphics) == 0 || d.Devices.Graphics[0].VNC == nil {
			return false
		}
		v := d.Devices.Graphics[0].VNC
		v.Listeners = append(v.Listeners, libvirtxml.DomainGraphicListener{Address: &libvirtxml.DomainGraphicListenerAddress{Address: "192.0.2.9"}})
		return true
	}, func(root *plain) []*plain {
		n := root.at("devices", "graphics")
		n.insert(el("listen", []string{"type", "address", "address", "192.0.2.9"}), []string{"listen"})
		return []*plain{n}
	}},
	{"metadata", func(d *libvirtxml.Domain) bool {
		d.Metadata = &libvirtxml.DomainMetadata{XML: "<x:y xmlns:x='urn:x'>\n  <!-- c --> <x:z a=\"1\"/></x:y>"}
		return true
	}, func(root *plain) []*plain {
		fresh := el("x:y", []string{"xmlns:x", "urn:x"}, &plain{other: "<!-- c -->"}, el("x:z", []string{"a", "1"}))
		if n := root.at("metadata"); n != nil {
			n.kids = []*plain{fresh}
			return []*plain{n}
		}
		root.insert(el("metadata", nil, fresh), domainOrder)
		return nil
	}},
	{"file disk to block", func(d *libvirtxml.Domain) bool {
		i := fileDisk(d)
		if i < 0 {
			return false
		}
		s := d.Devices.Disks[i].Source
		if s.File.FDGroup != "" || len(s.File.SecLabel) > 0 {
			return false
		}
		s.File, s.Block = nil, &libvirtxml.DomainDiskSourceBlock{Dev: "/dev/vg/lv"}
		return true
	}, func(root *plain) []*plain {
		n := plainFileDisk(root)
		n.set("type", "block")
		s := n.at("source")
		s.unset("file")
		s.set("dev", "/dev/vg/lv")
		return []*plain{n}
	}},
	{"bridge", func(d *libvirtxml.Domain) bool {
		i := slices.IndexFunc(interfaces(d), func(i libvirtxml.DomainInterface) bool { return i.Source != nil && i.Source.Bridge != nil })
		if i < 0 {
			return false
		}
		d.Devices.Interfaces[i].Source.Bridge.Bridge = "br-new"
		return true
	}, func(root *plain) []*plain {
		for _, n := range root.at("devices").all("interface") {
			if typ, _ := n.get("type"); typ == "bridge" {
				n.at("source").set("bridge", "br-new")
				return []*plain{n}
			}
		}
		return nil
	}},
	{"MAC address", func(d *libvirtxml.Domain) bool {
		i := slices.IndexFunc(interfaces(d), func(i libvirtxml.DomainInterface) bool { return i.MAC != nil })
		if i < 0 {
			return false
		}
		d.Devices.Interfaces[i].MAC.Address = anotherMAC
		return true
	}, func(root *plain) []*plain {
		for _, n := range root.at("devices").all("interface") {
			if mac := n.at("mac"); mac != nil {
				mac.set("address", anotherMAC)
				return []*plain{mac}
			}
		}
		return nil
	}},
	{"PCI slot", func(d *libvirtxml.Domain) bool {
		i := slices.IndexFunc(disks(d), func(d libvirtxml.DomainDisk) bool {
			return d.Address != nil && d.Address.PCI != nil && d.Address.PCI.Slot != nil
		})
		if i < 0 {
			return false
		}
		slot := uint(0x1d)
		d.Devices.Disks[i].Address.PCI.Slot = &slot
		return true
	}, func(root *plain) []*plain {
		for _, n := range root.at("devices").all("disk") {
			if a := n.at("address"); a != nil {
				if typ, _ := a.get("type"); typ == "pci" {
					a.set("slot", "0x1d")
					return []*plain{a}
				}
			}
		}
		return nil
	}},
	{"add qemu:commandline", func(d *libvirtxml.Domain) bool {
		if d.QEMUCommandline == nil {
			d.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{}
		}
		c := d.QEMUCommandline
		c.Args = append(c.Args, libvirtxml.DomainQEMUCommandlineArg{Value: "-newarg"})
		return true
	}, func(root *plain) []*plain {
		prefix, declared := "qemu", false
		for _, a := range root.attrs {
			if p, ok := strings.CutPrefix(a[0], "xmlns:"); ok && a[1] == qemuSpace {
				prefix, declared = p, true
			}
		}
		for _, n := range root.kids {
			name, at := n.prefixed()
			if name != "commandline" {
				continue
			}
			if uri, ok := n.get(strings.TrimSuffix("xmlns:"+at, ":")); ok && uri != qemuSpace || !ok && (!declared || at != prefix) {
				continue
			}
			if at != "" {
				at += ":"
			}
			args := []string{}
			for _, k := range n.kids {
				if name, _ := k.prefixed(); name == "arg" {
					args = append(args, k.name)
				}
			}
			n.insert(el(at+"arg", []string{"value", "-newarg"}), append(args, at+"arg", at+"env"))
			return []*plain{n}
		}
		n := el(prefix+":commandline", nil, el(prefix+":arg", []string{"value", "-newarg"}))
		if !declared {
			n.set("xmlns:"+prefix, qemuSpace)
		}
		root.insert(n, append(slices.Clone(domainOrder[:len(domainOrder)-1]), n.name))
		return nil
	}},
	{"on_crash", func(d *libvirtxml.Domain) bool {
		d.OnCrash = "coredump-restart"
		return true
	}, func(root *plain) []*plain {
		if n := root.at("on_crash"); n != nil {
			n.setText("coredump-restart")
			return []*plain{n}
		}
		root.insert(el("on_crash", nil, "coredump-restart"), domainOrder)
		return nil
	}},
	{"CPU topology", func(d *libvirtxml.Domain) bool {
		if d.CPU == nil {
			return false
		}
		if d.CPU.Topology == nil {
			d.CPU.Topology = &libvirtxml.DomainCPUTopology{Sockets: 2, Cores: 7, Threads: 1}
		}
		d.CPU.Topology.Cores = 7
		return true
	}, func(root *plain) []*plain {
		cpu := root.at("cpu")
		if n := cpu.at("topology"); n != nil {
			n.set("cores", "7")
			return []*plain{n}
		}
		cpu.insert(el("topology", []string{"sockets", "2", "cores", "7", "threads", "1"}), cpuOrder)
		return []*plain{cpu}
	}},
	{"title", func(d *libvirtxml.Domain) bool {
		d.Title = "a < b & c"
		return true
	}, func(root *plain) []*plain {
		if n := root.at("title"); n != nil {
			n.setText("a < b & c")
			return []*plain{n}
		}
		root.insert(el("title", nil, "a < b & c"), domainOrder)
		return nil
	}},
	{"vcpu", func(d *libvirtxml.Domain) bool {
		if d.VCPU == nil {
			return false
		}
		d.VCPU.Value = 93
		return true
	}, func(root *plain) []*plain {
		n := root.at("vcpu")
		n.setText("93")
		return []*plain{n}
	}},
	{"iothread id", func(d *libvirtxml.Domain) bool {
		if d.IOThreadIDs == nil || len(d.IOThreadIDs.IOThreads) == 0 {
			return false
		}
		d.IOThreadIDs.IOThreads[0].ID = 93
		return true
	}, func(root *plain) []*plain {
		n := root.at("iothreadids", "iothread")
		n.set("id", "93")
		return []*plain{n}
	}},
	{"number of iothreads", func(d *libvirtxml.Domain) bool {
		d.IOThreads = 17
		return true
	}, func(root *plain) []*plain {
		if n := root.at("iothreads"); n != nil {
			n.setText("17")
			return []*plain{n}
		}
		root.insert(el("iothreads", nil, "17"), domainOrder)
		return nil
	}},
	{"machine", func(d *libvirtxml.Domain) bool {
		if d.OS == nil || d.OS.Type == nil {
			return false
		}
		d.OS.Type.Machine = "new"
		return true
	}, func(root *plain) []*plain {
		n := root.at("os", "type")
		n.set("machine", "new")
		return []*plain{n}
	}},
	{"delete all devices", func(d *libvirtxml.Domain) bool {
		if d.Devices == nil {
			return false
		}
		d.Devices = nil
		return true
	}, func(root *plain) []*plain {
		n := root.at("devices")
		root.remove(n)
		return []*plain{n}
	}},
	{"delete the target of an interface", func(d *libvirtxml.Domain) bool {
		if len(interfaces(d)) == 0 || d.Devices.Interfaces[0].Target == nil {
			return false
		}
		d.Devices.Interfaces[0].Target = nil
		return true
	}, func(root *plain) []*plain {
		n := root.at("devices", "interface")
		target := n.at("target")
		n.remove(target)
		return []*plain{target}
	}},
}
