package main

import (
	"fmt"
	"strings"

	"github.com/virthook/virthook/internal/captures"
)

// The folder that the edit moves disks out of, and where to.
const (
	oldImages = "/var/lib/libvirt/images/"
	newImages = "/srv/images/"
)

// document is the XML of a guest.
type document struct {
	size  string // roughly, as the tables call it
	xml   []byte
	disks int // that the edit moves
}

func (d document) kilobytes() float64 { return float64(len(d.xml)) / 1000 }

// sizes are those of the tables. The first is a guest as it was recorded, the
// second what most guests are like.
var sizes = []string{"2.7 KB", "7 KB", "30 KB", "150 KB", "1 MB"}

const usualSize, largeSize, hugeSize = "7 KB", "30 KB", "1 MB"

// documents makes the documents from a recorded one.
func documents() []document {
	recorded, ok := captures.Sample("qemu", "start", "begin")
	if !ok {
		panic("no recorded call of qemu start")
	}
	guest := string(recorded.XML)
	usual := grow(guest, usualGuest())
	bytes := map[string]int{largeSize: 30_000, "150 KB": 150_000, hugeSize: 1_000_000}
	var docs []document
	for _, size := range sizes {
		xml := guest
		switch size {
		case "2.7 KB":
		case usualSize:
			xml = usual
		default:
			xml = growTo(usual, bytes[size])
		}
		docs = append(docs, document{size, []byte(xml), strings.Count(xml, oldImages)})
	}
	return docs
}

func find(docs []document, size string) document {
	for _, d := range docs {
		if d.size == size {
			return d
		}
	}
	panic("no document of " + size)
}

// parts are what a guest is grown by, each kind where libvirt writes it.
type parts struct{ metadata, disks, controllers, interfaces, chars strings.Builder }

func grow(guest string, p *parts) string {
	for _, at := range []struct {
		after string
		what  *strings.Builder
	}{
		{"</my:app>\n", &p.metadata},
		{"</disk>\n", &p.disks},
		{"</controller>\n", &p.controllers},
		{"</interface>\n", &p.interfaces},
	} {
		i := strings.LastIndex(guest, at.after) + len(at.after)
		guest = guest[:i] + at.what.String() + guest[i:]
	}
	i := strings.Index(guest, "    <input ")
	return guest[:i] + p.chars.String() + guest[i:]
}

// growTo adds as many sets of devices as make the size, give or take one.
func growTo(guest string, bytes int) string {
	p := &parts{}
	for i := 0; len(guest)+p.len() < bytes; i++ {
		p.disk(i + 2)
		p.nic(i + 2)
		p.volume(i)
	}
	return grow(guest, p)
}

func (p *parts) len() int {
	return p.metadata.Len() + p.disks.Len() + p.controllers.Len() + p.interfaces.Len() + p.chars.Len()
}

// usualGuest is what a platform adds to the recorded guest.
func usualGuest() *parts {
	p := &parts{}
	p.metadata.WriteString(`    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
`)
	p.disk(0)
	p.disk(1)
	p.disks.WriteString(`    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='/var/lib/libvirt/iso/seed.iso' index='6'/>
      <backingStore/>
      <target dev='hdc' bus='ide'/>
      <readonly/>
      <alias name='ide0-1-0'/>
      <address type='drive' controller='0' bus='1' target='0' unit='0'/>
    </disk>
`)
	p.nic(1)
	p.controllers.WriteString(`    <controller type='virtio-serial' index='0'>
      <alias name='virtio-serial0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </controller>
    <controller type='scsi' index='0' model='virtio-scsi'>
      <driver queues='4'/>
      <alias name='scsi0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x06' function='0x0'/>
    </controller>
`)
	p.chars.WriteString(`    <serial type='pty'>
      <source path='/dev/pts/3'/>
      <target type='isa-serial' port='0'>
        <model name='isa-serial'/>
      </target>
      <alias name='serial0'/>
    </serial>
    <console type='pty' tty='/dev/pts/3'>
      <source path='/dev/pts/3'/>
      <target type='serial' port='0'/>
      <alias name='serial0'/>
    </console>
    <channel type='unix'>
      <source mode='bind' path='/run/libvirt/qemu/channel/1-g1/org.qemu.guest_agent.0'/>
      <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>
      <alias name='channel0'/>
      <address type='virtio-serial' controller='0' bus='0' port='1'/>
    </channel>
    <channel type='spicevmc'>
      <target type='virtio' name='com.redhat.spice.0' state='disconnected'/>
      <alias name='channel1'/>
      <address type='virtio-serial' controller='0' bus='0' port='2'/>
    </channel>
    <input type='tablet' bus='usb'>
      <alias name='input2'/>
      <address type='usb' bus='0' port='1'/>
    </input>
    <tpm model='tpm-crb'>
      <backend type='emulator' version='2.0'/>
      <alias name='tpm0'/>
    </tpm>
    <rng model='virtio'>
      <backend model='random'>/dev/urandom</backend>
      <alias name='rng0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/>
    </rng>
    <watchdog model='i6300esb' action='reset'>
      <alias name='watchdog0'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x08' function='0x0'/>
    </watchdog>
`)
	return p
}

// disk adds a disk on an image with a base.
func (p *parts) disk(i int) {
	fmt.Fprintf(&p.disks, `    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap' queues='4'/>
      <source file='%sg1-%d.qcow2' index='%d'/>
      <backingStore type='file' index='%d'>
        <format type='qcow2'/>
        <source file='/var/lib/libvirt/base/debian-12.qcow2'/>
        <backingStore/>
      </backingStore>
      <target dev='%s' bus='virtio'/>
      <iotune>
        <total_iops_sec>4000</total_iops_sec>
      </iotune>
      <serial>%08x-5d1c-4e0b-9f5e-2f6f0a3c8b11</serial>
      <alias name='virtio-disk%d'/>
      %s
    </disk>
`, oldImages, i, 2*i+2, 2*i+3, diskName(i), i, i, pciAddress(2*i))
}

// nic adds an interface of a bridge.
func (p *parts) nic(i int) {
	fmt.Fprintf(&p.interfaces, `    <interface type='bridge'>
      <mac address='52:54:00:%02x:%02x:%02x'/>
      <source bridge='br-tenant'/>
      <target dev='vnet%d'/>
      <model type='virtio'/>
      <driver name='vhost' queues='4'/>
      <mtu size='1450'/>
      <alias name='net%d'/>
      %s
    </interface>
`, i>>16&0xff, i>>8&0xff, i&0xff, i, i, pciAddress(2*i+1))
}

// volume adds what a platform notes about a disk.
func (p *parts) volume(i int) {
	fmt.Fprintf(&p.metadata, `    <cloud:volume xmlns:cloud="http://example.com/cloud/1.0" number="%d">
      <cloud:name>data &amp; logs %d</cloud:name>
      <cloud:owner uuid="b1d0a1c6-7f4e-4f6c-8f5d-9f0e1d2c%04x">tenant</cloud:owner>
    </cloud:volume>
`, i, i, i&0xffff)
}

// diskName counts vda, vdb … vdz, vdaa.
func diskName(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('a'+(i-1)%26)) + name
	}
	return "vd" + name
}

func pciAddress(i int) string {
	return fmt.Sprintf(`<address type='pci' domain='0x0000' bus='0x%02x' slot='0x%02x' function='0x0'/>`, i/31+1, i%31+1)
}
