package abi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

// guest has one of everything that is checked.
const guest = `<domain type='kvm'>
  <name>web</name>
  <uuid>11111111-2222-3333-4444-555555555555</uuid>
  <genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>
  <title>web server</title>
  <description>serves</description>
  <metadata><my:app xmlns:my="http://example.com/my">a</my:app></metadata>
  <maxMemory slots='16' unit='KiB'>8388608</maxMemory>
  <memory unit='KiB'>4194304</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <memoryBacking><source type='memfd'/></memoryBacking>
  <vcpu placement='static' current='2'>4</vcpu>
  <vcpus><vcpu id='0' enabled='yes' order='1'/><vcpu id='1' enabled='yes' order='2'/><vcpu id='2' enabled='no'/><vcpu id='3' enabled='no'/></vcpus>
  <sysinfo type='smbios'><bios><entry name='vendor'>me</entry></bios></sysinfo>
  <os><type arch='x86_64' machine='pc-q35-10.0'>hvm</type><smbios mode='sysinfo'/></os>
  <features>
    <acpi/><apic/><vmport state='off'/><smm state='on'/>
    <hyperv mode='custom'><relaxed state='on'/><spinlocks state='on' retries='8191'/><vendor_id state='on' value='me'/></hyperv>
    <kvm><hidden state='on'/></kvm>
  </features>
  <cpu mode='custom' match='exact' check='none'>
    <model fallback='forbid' vendor_id='GenuineIntel'>Skylake-Client</model>
    <vendor>Intel</vendor>
    <topology sockets='1' dies='1' clusters='1' cores='4' threads='1'/>
    <feature policy='disable' name='svm'/>
    <numa><cell id='0' cpus='0-1' memory='1572864' unit='KiB'/><cell id='1' cpus='2-3' memory='1572864' unit='KiB'/></numa>
  </cpu>
  <clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='tsc' frequency='1000' mode='native'/><timer name='hpet' present='no'/></clock>
  <devices>
    <disk type='file' device='disk' model='virtio'>
      <driver name='qemu' type='qcow2' queues='2' queue_size='256' iommu='on' ats='on' packed='on' page_per_vq='on'/>
      <source file='/images/a.qcow2'/>
      <blockio logical_block_size='512' physical_block_size='4096' discard_granularity='8192'/>
      <target dev='vda' bus='virtio' rotation_rate='7200'/>
      <serial>S1</serial>
      <wwn>5000c50015ea71ac</wwn>
      <acpi index='3'/>
      <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='/images/b.qcow2'/>
      <target dev='sda' bus='scsi'/>
      <readonly/>
      <address type='drive' controller='0' bus='0' target='0' unit='1'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <controller type='virtio-serial' index='0' ports='16' vectors='4'/>
    <controller type='usb' index='0' model='qemu-xhci' ports='15'/>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <controller type='pci' index='2' model='pcie-root-port'/>
    <controller type='pci' index='3' model='pcie-root-port'/>
    <controller type='ccid' index='0'><address type='usb' bus='0' port='1'/></controller>
    <filesystem type='mount' accessmode='passthrough' model='virtio'>
      <source dir='/srv'/><target dir='tag'/>
    </filesystem>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/>
      <source network='default'/>
      <model type='virtio'/>
      <mtu size='1400'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:00:00:02'/>
      <source network='default'/>
      <model type='ne2k_pci'/>
    </interface>
    <smartcard mode='passthrough' type='spicevmc'><address type='ccid' controller='0' slot='0'/></smartcard>
    <serial type='pty'><target type='isa-serial' port='0'><model name='isa-serial'/></target></serial>
    <serial type='pty'><target type='isa-serial' port='1'/><address type='isa' iobase='0x2f8' irq='3'/></serial>
    <parallel type='pty'><target port='0'/></parallel>
    <console type='pty'><target type='serial' port='0'/></console>
    <console type='pty'><target type='virtio' port='1'/></console>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/><address type='virtio-serial' controller='0' bus='0' port='1'/></channel>
    <channel type='pty'><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>
    <input type='tablet' bus='usb'/>
    <input type='mouse' bus='ps2'/>
    <input type='keyboard' bus='ps2'/>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'><active_pcr_banks><sha256/></active_pcr_banks></backend></tpm>
    <graphics type='vnc' port='5900' autoport='no' listen='127.0.0.1' passwd='secret'><listen type='address' address='127.0.0.1'/></graphics>
    <sound model='ich9' multichannel='yes'/>
    <video><model type='qxl' ram='65536' vram='65536' vram64='32768' vgamem='16384' heads='1' primary='yes'><acceleration accel3d='no' accel2d='no'/></model></video>
    <hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x1234'/><product id='0xbeef'/></source></hostdev>
    <redirdev bus='usb' type='spicevmc'/>
    <redirfilter><usbdev class='0x08' vendor='0x1234' product='0xbeef' version='2.00' allow='yes'/></redirfilter>
    <hub type='usb'/>
    <watchdog model='i6300esb' action='reset'/>
    <memballoon model='virtio' autodeflate='on' freePageReporting='on'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <panic model='isa'/>
    <shmem name='s' role='peer'><model type='ivshmem-doorbell'/><size unit='M'>4</size><server path='/s'/><msi vectors='8' ioeventfd='on'/></shmem>
    <memory model='dimm'><target><size unit='KiB'>524288</size><node>0</node></target><alias name='ua-dimm'/><address type='dimm' slot='0' base='0x100000000'/></memory>
    <memory model='virtio-mem'><target><size unit='KiB'>524288</size><node>1</node><block unit='KiB'>2048</block><requested unit='KiB'>1048</requested></target></memory>
    <iommu model='intel'><driver intremap='on' caching_mode='on' eim='on' iotlb='on'/></iommu>
    <vsock model='virtio'><cid auto='no' address='3'/></vsock>
    <pstore backend='acpi-erst'><path>/p</path><size unit='KiB'>8</size></pstore>
  </devices>
</domain>`

func decode(t *testing.T, xml string) *libvirtxml.Domain {
	t.Helper()
	var d libvirtxml.Domain
	require.NoError(t, d.Unmarshal(xml))
	return &d
}

// edit replaces the first occurrence of old in guest, which must be there.
func edit(t *testing.T, xml, old, new string) string {
	t.Helper()
	require.Contains(t, xml, old)
	return strings.Replace(xml, old, new, 1)
}

// refused are edits that libvirt refuses.
var refused = []struct{ old, new, path, message string }{
	{"type='kvm'", "type='qemu'", "/domain/@type", "Target domain virt type qemu does not match source kvm"},
	{"<uuid>1", "<uuid>9", "/domain/uuid", "Target domain uuid 91111111-2222-3333-4444-555555555555 does not match source 11111111-2222-3333-4444-555555555555"},
	{"<genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>", "", "/domain/genid", "Target domain requested genid does not match source"},
	{"<genid>4", "<genid>5", "/domain/genid", "Target domain genid 53dc0cf8-809b-4adb-9bea-a9abb5f3d90e does not match source 43dc0cf8-809b-4adb-9bea-a9abb5f3d90e"},
	{"<name>web", "<name>web2", "/domain/name", "Target domain name 'web2' does not match source 'web'"},
	{"<memory unit='KiB'>4194304", "<memory unit='KiB'>5242880", "/domain/memory", "Target domain max memory 4194304 does not match source 3145728"},
	{"<memory unit='KiB'>4194304", "<memory unit='GiB'>5", "/domain/memory", "Target domain max memory 4194304 does not match source 3145728"},
	{"'KiB'>8388608", "'KiB'>9388608", "/domain/maxMemory", "Target maximum memory size '9388608' doesn't match source '8388608'"},
	{"slots='16'", "slots='17'", "/domain/maxMemory/@slots", "Target domain memory slots count '17' doesn't match source '16'"},
	{"<cell id='1' cpus='2-3' memory='1572864' unit='KiB'/>", "", "/domain/cpu/numa/cell", "Target NUMA node count '1' doesn't match source '2'"},
	{"cpus='2-3' memory='1572864'", "cpus='2-3' memory='1048576'", "/domain/cpu/numa/cell[2]/@memory", "Size of target NUMA node 1 (1048576) doesn't match source (1572864)"},
	{"cpus='2-3'", "cpus='2'", "/domain/cpu/numa/cell[2]/@cpus", "Processor mask of target NUMA node 1 doesn't match source"},
	{"current='2'>4<", "current='2'>5<", "/domain/vcpu", "Target domain vCPU max 5 does not match source 4"},
	{"<vcpu id='1' enabled='yes'", "<vcpu id='1' enabled='no'", "/domain/vcpus", "State of vCPU '1' differs between source and destination definitions"},
	{"order='2'", "order='3'", "/domain/vcpus", "vcpu enable order of vCPU '1' differs between source and destination definitions"},
	{">hvm<", ">xen<", "/domain/os/type", "Target domain OS type xen does not match source hvm"},
	{"arch='x86_64'", "arch='i686'", "/domain/os/type/@arch", "Target domain architecture i686 does not match source x86_64"},
	{"pc-q35-10.0", "pc-q35-9.2", "/domain/os/type/@machine", "Target domain machine type pc-q35-9.2 does not match source pc-q35-10.0"},
	{"pc-q35-10.0", "pc", "/domain/os/type/@machine", "Target domain machine type pc does not match source pc-q35-10.0"},
	{"<smbios mode='sysinfo'/>", "", "/domain/os/smbios/@mode", "Target domain SMBIOS mode none does not match source sysinfo"},
	{"<acpi/><apic/>", "<apic/>", "/domain/features/acpi", "State of feature 'acpi' differs: source: 'on', destination: 'default'"},
	{"<vmport state='off'/>", "<vmport/>", "/domain/features/vmport", "State of feature 'vmport' differs: source: 'off', destination: 'on'"},
	{"<smm state='on'/>", "", "/domain/features/smm", "State of feature 'smm' differs: source: 'on', destination: 'default'"},
	{"<relaxed state='on'/>", "", "/domain/features/hyperv/relaxed", "State of HyperV enlightenment feature 'relaxed' differs: source: 'on', destination: 'default'"},
	{"'8191'", "'4095'", "/domain/features/hyperv/spinlocks/@retries", "HyperV spinlock retry count differs: source: '8191', destination: '4095'"},
	{"value='me'", "value='you'", "/domain/features/hyperv/vendor_id/@value", "HyperV vendor_id differs: source: 'me', destination: 'you'"},
	{"<hidden state='on'/>", "<hidden state='off'/>", "/domain/features/kvm/hidden", "State of KVM feature 'hidden' differs: source: 'on', destination: 'off'"},
	{"<timer name='hpet' present='no'/>", "", "/domain/clock/timer", "Target domain timers do not match source"},
	{"name='rtc'", "name='pit'", "/domain/clock/timer[1]/@name", "Target timer pit does not match source rtc"},
	{" present='no'", "", "/domain/clock/timer[3]/@present", "Target timer presence 'default' does not match source 'no'"},
	{"frequency='1000'", "frequency='2000'", "/domain/clock/timer[2]/@frequency", "Target TSC frequency 2000 does not match source 1000"},
	{"mode='native'", "mode='emulate'", "/domain/clock/timer[2]/@mode", "Target TSC mode emulate does not match source native"},
	{"<cpu mode='custom'", "<cpu mode='maximum'", "/domain/cpu/@mode", "Target CPU mode maximum does not match source custom"},
	{"check='none'", "check='full'", "/domain/cpu/@check", "Target CPU check full does not match source none"},
	{"Skylake-Client", "Haswell", "/domain/cpu/model", "Target CPU model Haswell does not match source Skylake-Client"},
	{"<vendor>Intel</vendor>", "", "/domain/cpu/vendor", "Target CPU vendor <null> does not match source Intel"},
	{"GenuineIntel", "AuthenticAMD", "/domain/cpu/model/@vendor_id", "Target CPU vendor id AuthenticAMD does not match source GenuineIntel"},
	{"sockets='1'", "sockets='2'", "/domain/cpu/topology/@sockets", "Target CPU sockets 2 does not match source 1"},
	{"dies='1'", "dies='2'", "/domain/cpu/topology/@dies", "Target CPU dies 2 does not match source 1"},
	{"clusters='1'", "clusters='2'", "/domain/cpu/topology/@clusters", "Target CPU clusters 2 does not match source 1"},
	{"cores='4'", "cores='2'", "/domain/cpu/topology/@cores", "Target CPU cores 2 does not match source 4"},
	{"threads='1'", "threads='2'", "/domain/cpu/topology/@threads", "Target CPU threads 2 does not match source 1"},
	{"<feature policy='disable' name='svm'/>", "", "/domain/cpu/feature", "Target CPU feature count 0 does not match source 1"},
	{"name='svm'", "name='vmx'", "/domain/cpu/feature/@name", "Target CPU feature vmx does not match source svm"},
	{"policy='disable'", "policy='require'", "/domain/cpu/feature/@policy", "Target CPU feature policy require does not match source disable"},
	{"<sysinfo type='smbios'><bios><entry name='vendor'>me</entry></bios></sysinfo>", "", "/domain/sysinfo", "Target domain count of sysinfo does not match source"},

	{"<disk type='file' device='disk'>\n      <source file='/images/b.qcow2'/>\n      <target dev='sda' bus='scsi'/>\n      <readonly/>\n      <address type='drive' controller='0' bus='0' target='0' unit='1'/>\n    </disk>", "", "/domain/devices/disk", "Target domain disk count 1 does not match source 2"},
	{"device='disk'", "device='lun'", "/domain/devices/disk[1]/@device", "Target disk device lun does not match source disk"},
	{"bus='virtio'", "bus='sata'", "/domain/devices/disk[1]/target/@bus", "Target disk bus sata does not match source virtio"},
	{"dev='vda'", "dev='vdb'", "/domain/devices/disk[1]/target/@dev", "Target disk vdb does not match source vda"},
	{"<serial>S1</serial>", "", "/domain/devices/disk[1]/serial", "Target disk serial <null> does not match source S1"},
	{"<wwn>5", "<wwn>6", "/domain/devices/disk[1]/wwn", "Target disk wwn '6000c50015ea71ac' does not match source '5000c50015ea71ac'"},
	{"<readonly/>", "", "/domain/devices/disk[2]/readonly", "Target disk access mode does not match source"},
	{"device='disk' model='virtio'", "device='disk' model='virtio-transitional'", "/domain/devices/disk[1]/@model", "Target disk model virtio-transitional does not match source virtio"},
	{"'7200'", "'5400'", "/domain/devices/disk[1]/target/@rotation_rate", "Target disk rotation rate 5400 RPM does not match source 7200 RPM"},
	{"queues='2'", "queues='4'", "/domain/devices/disk[1]/driver/@queues", "Target disk queue count 4 does not match source 2"},
	{"queue_size='256'", "queue_size='512'", "/domain/devices/disk[1]/driver/@queue_size", "Target disk queue size 512 does not match source 256"},
	{" iommu='on' ats='on' packed='on' page_per_vq='on'", " ats='on' packed='on' page_per_vq='on'", "/domain/devices/disk[1]/driver/@iommu", "Target device iommu option 'default' does not match source 'on'"},
	{"ats='on'", "ats='off'", "/domain/devices/disk[1]/driver/@ats", "Target device ats option 'off' does not match source 'on'"},
	{"packed='on'", "packed='off'", "/domain/devices/disk[1]/driver/@packed", "Target device packed option 'off' does not match source 'on'"},
	{"page_per_vq='on'", "page_per_vq='off'", "/domain/devices/disk[1]/driver/@page_per_vq", "Target device page_per_vq option 'off' does not match source 'on'"},
	{"<rng model='virtio'>", "<rng model='virtio'><driver iommu='on'/>", "/domain/devices/rng/driver", "Target device virtio options don't match the source"},
	{"logical_block_size='512'", "logical_block_size='4096'", "/domain/devices/disk[1]/blockio/@logical_block_size", "Target disk logical_block_size 4096 does not match source 512"},
	{"physical_block_size='4096'", "physical_block_size='512'", "/domain/devices/disk[1]/blockio/@physical_block_size", "Target disk physical_block_size 512 does not match source 4096"},
	{"discard_granularity='8192'", "", "/domain/devices/disk[1]/blockio/@discard_granularity", "Target disk discard_granularity 0 does not match source 8192"},
	{"<address type='pci' domain='0x0000' bus='0x03'", "<address type='pci' domain='0x0000' bus='0x02'", "/domain/devices/disk[1]/address", "Target device PCI address 0000:02:00.0 does not match source 0000:03:00.0"},
	{"<address type='drive' controller='0' bus='0' target='0' unit='1'/>", "<address type='drive' controller='0' bus='0' target='0' unit='2'/>", "/domain/devices/disk[2]/address", "Target device drive address 0:0:2 does not match source 0:0:1"},
	{"<address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", "<address type='ccw' cssid='0xfe' ssid='0x0' devno='0x1'/>", "/domain/devices/disk[1]/address", "Target device address type ccw does not match source pci"},
	{"<acpi index='3'/>", "", "/domain/devices/disk[1]/acpi/@index", "Target ACPI index '0' does not match source '3'"},
	{"<target dev='vda'", "<target dev='sdb'", "/domain/devices/disk[1]/target/@dev", "Target disk sdb does not match source vda"},

	{"<controller type='scsi' index='0' model='virtio-scsi'/>", "<controller type='scsi' index='0' model='lsilogic'/>", "/domain/devices/controller[1]/@model", "Target controller model 2 does not match source 6"},
	{"<controller type='scsi' index='0' model='virtio-scsi'/>", "<controller type='scsi' index='0' model='virtio-scsi'/><controller type='scsi' index='1' model='virtio-scsi'/>", "/domain/devices/controller", "Target domain controller count 9 does not match source 8"},
	{"<controller type='scsi' index='0' model='virtio-scsi'/>\n    <controller type='virtio-serial' index='0' ports='16' vectors='4'/>", "<controller type='virtio-serial' index='0' ports='16' vectors='4'/>\n    <controller type='scsi' index='0' model='virtio-scsi'/>", "/domain/devices/controller[1]/@type", "Target controller type virtio-serial does not match source scsi"},
	{"model='qemu-xhci'", "model='nec-xhci'", "/domain/devices/controller[3]/@model", "Target controller model 9 does not match source 12"},
	{"ports='16'", "ports='32'", "/domain/devices/controller[2]/@ports", "Target controller ports 32 does not match source 16"},
	{"vectors='4'", "", "/domain/devices/controller[2]/@vectors", "Target controller vectors -1 does not match source 4"},
	{"ports='15'", "ports='8'", "/domain/devices/controller[3]/@ports", "Target controller ports 8 does not match source 15"},

	{"<target dir='tag'/>", "<target dir='gat'/>", "/domain/devices/filesystem/target/@dir", "Target filesystem guest target gat does not match source tag"},
	{"<target dir='tag'/>", "<target dir='tag'/><readonly/>", "/domain/devices/filesystem/readonly", "Target filesystem access mode does not match source"},
	{"accessmode='passthrough' model='virtio'", "accessmode='passthrough' model='virtio-transitional'", "/domain/devices/filesystem/@model", "Target filesystem model does not match source"},
	{"52:54:00:00:00:01", "52:54:00:00:00:0A", "/domain/devices/interface[1]/mac/@address", "Target network card mac 52:54:00:00:00:0a does not match source 52:54:00:00:00:01"},
	{"<model type='virtio'/>", "<model type='e1000'/>", "/domain/devices/interface[1]/model/@type", "Target network card model e1000 does not match source virtio"},
	{"<model type='virtio'/>", "<model type='i82551'/>", "/domain/devices/interface[1]/model/@type", "Target network card model i82551 does not match source <null>"},
	{"<model type='ne2k_pci'/>", "<model type='e1000'/>", "/domain/devices/interface[2]/model/@type", "Target network card model <null> does not match source ne2k_pci"},
	{"<mtu size='1400'/>", "", "/domain/devices/interface[1]/mtu/@size", "Target network card MTU 0 does not match source 1400"},
	{"</interface>", "</interface><interface type='user'/>", "/domain/devices/interface", "Target domain net card count 3 does not match source 2"},
	{"<address type='ccid' controller='0' slot='0'/>", "<address type='ccid' controller='0' slot='1'/>", "/domain/devices/smartcard/address", "Target device ccid address 0:1 does not match source 0:0"},
	{"<target type='isa-serial' port='1'/>", "<target type='pci-serial' port='1'/>", "/domain/devices/serial[2]/target/@type", "Target serial type pci-serial does not match source isa-serial"},
	{"<model name='isa-serial'/>", "<model name='pl011'/>", "/domain/devices/serial[1]/target/model/@name", "Target serial model pl011 does not match source isa-serial"},
	{"<target type='isa-serial' port='1'/>", "<target type='isa-serial' port='2'/>", "/domain/devices/serial[2]/target/@port", "Target serial port 2 does not match source 1"},
	{"irq='3'", "irq='4'", "/domain/devices/serial[2]/address", "Target device isa address 760:4 does not match source 760:3"},
	{"<parallel type='pty'><target port='0'/>", "<parallel type='pty'><target port='1'/>", "/domain/devices/parallel/target/@port", "Target parallel port 1 does not match source 0"},
	{"<target type='virtio' port='1'/>", "<target type='sclp' port='1'/>", "/domain/devices/console[2]/target/@type", "Target console type sclp does not match source virtio"},
	{"<target type='virtio' name='org.qemu.guest_agent.0'/>", "<target type='virtio' name='org.qemu.guest_agent.1'/>", "/domain/devices/channel[1]/target/@name", "Target channel name org.qemu.guest_agent.1 does not match source org.qemu.guest_agent.0"},
	{"<target type='virtio' name='org.qemu.guest_agent.0'/>", "<target type='virtio'/>", "/domain/devices/channel[1]/target/@name", "Target channel name <null> does not match source org.qemu.guest_agent.0"},
	{"<target type='virtio' name=", "<target type='xen' name=", "/domain/devices/channel[1]/target/@type", "Target channel type xen does not match source virtio"},
	{"bus='0' port='1'/></channel>", "bus='0' port='2'/></channel>", "/domain/devices/channel[1]/address", "Target device virtio serial address 0:0:2 does not match source 0:0:1"},
	{"port='4600'", "port='4601'", "/domain/devices/channel[2]/target/@address", "Target channel addr 10.0.2.1:4601 does not match source 10.0.2.1:4600"},
	{"<input type='tablet' bus='usb'/>", "", "/domain/devices/input", "Target domain input device count 2 does not match source 3"},
	{"<input type='tablet'", "<input type='mouse'", "/domain/devices/input[1]/@type", "Target input device type mouse does not match source tablet"},
	{"<input type='tablet' bus='usb'", "<input type='tablet' bus='virtio'", "/domain/devices/input[1]/@bus", "Target input device bus virtio does not match source usb"},
	{"backend type='emulator' version='2.0'", "backend type='external'", "/domain/devices/tpm/backend/@type", "Target TPM device type doesn't match source"},
	{"tpm-crb", "tpm-tis", "/domain/devices/tpm/@model", "Target TPM device model doesn't match source"},
	{"version='2.0'", "version='1.2'", "/domain/devices/tpm/backend/@version", "Target TPM version doesn't match source"},
	{"<sha256/>", "<sha512/>", "/domain/devices/tpm/backend/active_pcr_banks", "Target active PCR banks doesn't match source"},
	{"<sound model='ich9'", "<sound model='ich6'", "/domain/devices/sound/@model", "Target sound card model ich6 does not match source ich9"},
	{"multichannel='yes'", "", "/domain/devices/sound/@multichannel", "Target sound card multichannel setting 'default' does not match source 'yes'"},
	{"type='qxl'", "type='virtio'", "/domain/devices/video/model/@type", "Target video card model virtio does not match source qxl"},
	{"ram='65536'", "ram='32768'", "/domain/devices/video/model/@ram", "Target video card ram 32768 does not match source 65536"},
	{" vram='65536'", " vram='32768'", "/domain/devices/video/model/@vram", "Target video card vram 32768 does not match source 65536"},
	{"vram64='32768'", "vram64='65536'", "/domain/devices/video/model/@vram64", "Target video card vram64 65536 does not match source 32768"},
	{"vgamem='16384'", "vgamem='8192'", "/domain/devices/video/model/@vgamem", "Target video card vgamem 8192 does not match source 16384"},
	{"heads='1'", "heads='2'", "/domain/devices/video/model/@heads", "Target video card heads 2 does not match source 1"},
	{"<acceleration accel3d='no' accel2d='no'/>", "", "/domain/devices/video/model/acceleration", "Target video card acceleration does not match source"},
	{"accel2d='no'", "accel2d='yes'", "/domain/devices/video/model/acceleration/@accel2d", "Target video card 2d accel 1 does not match source 2"},
	{"accel3d='no'", "accel3d='yes'", "/domain/devices/video/model/acceleration/@accel3d", "Target video card 3d accel 1 does not match source 2"},
	{"<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x1234'/><product id='0xbeef'/></source></hostdev>", "", "/domain/devices/hostdev", "Target domain host device count 0 does not match source 1"},
	{"<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x1234'/><product id='0xbeef'/></source>", "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>", "/domain/devices/hostdev/@type", "Target host device subsystem type mdev is not compatible with source subsystem type usb"},
	{"<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x1234'/><product id='0xbeef'/></source>", "<hostdev mode='capabilities' type='misc'><source><char>/dev/x</char></source>", "/domain/devices/hostdev/@mode", "Target host device mode capabilities does not match source subsystem"},
	{"<redirdev bus='usb' type='spicevmc'/>", "<redirdev bus='usb' type='pty'/>", "/domain/devices/redirdev/@type", "Target redirected device source type pty does not match source device source type spicevmc"},
	{"<redirdev bus='usb' type='spicevmc'/>", "", "/domain/devices/redirdev", "Target domain redirected devices count 0 does not match source 1"},
	{"<redirfilter><usbdev class='0x08' vendor='0x1234' product='0xbeef' version='2.00' allow='yes'/></redirfilter>", "", "/domain/devices/redirfilter", "Target domain USB redirection filter count 0 does not match source 1"},
	{"<redirfilter>", "<redirfilter><usbdev allow='no'/>", "/domain/devices/redirfilter/usbdev", "Target USB redirection filter rule count 2 does not match source 1"},
	{"class='0x08'", "class='0x09'", "/domain/devices/redirfilter/usbdev/@class", "Target USB Class code does not match source"},
	{"vendor='0x1234'", "vendor='0x1235'", "/domain/devices/redirfilter/usbdev/@vendor", "Target USB vendor ID does not match source"},
	{"product='0xbeef'", "product='0xbee0'", "/domain/devices/redirfilter/usbdev/@product", "Target USB product ID does not match source"},
	{"version='2.00'", "version='1.10'", "/domain/devices/redirfilter/usbdev/@version", "Target USB version does not match source"},
	{"allow='yes'", "allow='no'", "/domain/devices/redirfilter/usbdev/@allow", "Target USB allow 'no' does not match source 'yes'"},
	{"<hub type='usb'/>", "", "/domain/devices/hub", "Target domain hub device count 0 does not match source 1"},
	{"i6300esb", "ib700", "/domain/devices/watchdog/@model", "Target watchdog model ib700 does not match source i6300esb"},
	{"<memballoon model='virtio' autodeflate='on' freePageReporting='on'/>", "<memballoon model='none'/>", "/domain/devices/memballoon/@model", "Target balloon model none does not match source virtio"},
	{"autodeflate='on'", "", "/domain/devices/memballoon/@autodeflate", "Target balloon autodeflate attribute value 'default' does not match source 'on'"},
	{"freePageReporting='on'", "freePageReporting='off'", "/domain/devices/memballoon/@freePageReporting", "Target balloon freePageReporting attribute value 'off' does not match source 'on'"},
	{"<rng model='virtio'>", "<rng model='virtio-transitional'>", "/domain/devices/rng/@model", "Target RNG model 'virtio-transitional' does not match source 'virtio'"},
	{"<panic model='isa'/>", "<panic model='hyperv'/>", "/domain/devices/panic/@model", "Target panic model 'hyperv' does not match source 'isa'"},
	{"<panic model='isa'/>", "", "/domain/devices/panic", "Target domain panic device count 0 does not match source 1"},
	{"role='peer'", "role='master'", "/domain/devices/shmem/@role", "Target shared memory role 'master' does not match source role 'peer'"},
	{"ivshmem-doorbell", "ivshmem-plain", "/domain/devices/shmem/model/@type", "Target shared memory model 'ivshmem-plain' does not match source model 'ivshmem-doorbell'"},
	{"<size unit='M'>4<", "<size unit='M'>8<", "/domain/devices/shmem/size", "Target shared memory size '8388608' does not match source size '4194304'"},
	{"<server path='/s'/>", "", "/domain/devices/shmem/server", "Target shared memory server usage doesn't match source"},
	{"vectors='8'", "vectors='9'", "/domain/devices/shmem/msi", "Target shared memory MSI configuration doesn't match source"},
	{"<memory model='dimm'>", "<memory model='nvdimm'>", "/domain/devices/memory[1]/@model", "Target memory device model 'nvdimm' doesn't match source model 'dimm'"},
	{"<node>0</node>", "<node>1</node>", "/domain/devices/memory[1]/target/node", "Target memory device targetNode '1' doesn't match source targetNode '0'"},
	{"slot='0' base='0x100000000'", "slot='1' base='0x100000000'", "/domain/devices/memory[1]/address", "Target device dimm slot 1 does not match source 0"},
	{"base='0x100000000'", "base='0x200000000'", "/domain/devices/memory[1]/address", "Target device dimm base address '200000000' does not match source '100000000'"},
	{"<block unit='KiB'>2048", "<block unit='KiB'>4096", "/domain/devices/memory[2]/target/block", "Target memory device block size '4096' doesn't match source memory device block size '2048'"},
	{"<requested unit='KiB'>1048", "<requested unit='KiB'>2048", "/domain/devices/memory[2]/target/requested", "Target memory device requested size '2048' doesn't match source memory device requested size '1048'"},
	{"<alias name='ua-dimm'/>", "<alias name='ua-other'/>", "/domain/devices/memory[1]/alias/@name", "Target memory device alias 'ua-dimm' doesn't match source alias 'ua-other'"},
	{"<source type='memfd'/>", "", "/domain/memoryBacking/source/@type", "Target memoryBacking source 'none' doesn't match source memoryBacking source'memfd'"},
	{"<iommu model='intel'>", "<iommu model='virtio'>", "/domain/devices/iommu/@model", "Target domain IOMMU device model 'virtio' does not match source 'intel'"},
	{"eim='on'", "eim='off'", "/domain/devices/iommu/driver/@eim", "Target domain IOMMU device eim value 'off' does not match source 'on'"},
	{"<vsock model='virtio'>", "<vsock model='virtio-transitional'>", "/domain/devices/vsock/@model", "Target domain vsock device model 'virtio-transitional' does not match source 'virtio'"},
	{"<vsock model='virtio'><cid auto='no' address='3'/></vsock>", "", "/domain/devices/vsock", "Target domain vsock device count does not match source"},
	{"backend='acpi-erst'", "backend='other'", "/domain/devices/pstore/@backend", "Target pstore device backend 'other' does not match source 'acpi-erst'"},
	{"<size unit='KiB'>8<", "<size unit='KiB'>16<", "/domain/devices/pstore/size", "Target pstore size '16' does not match source '8'"},
}

func TestRefused(t *testing.T) {
	src := decode(t, guest)
	for _, test := range refused {
		err := Check(src, decode(t, edit(t, guest, test.old, test.new)))
		var abi *Error
		if assert.ErrorAs(t, err, &abi, "%s -> %s", test.old, test.new) {
			assert.Equal(t, test.path, abi.Path, "%s -> %s", test.old, test.new)
			assert.Equal(t, test.message, abi.Message, "%s -> %s", test.old, test.new)
			assert.EqualError(t, err, test.path+": "+test.message)
		}
	}
}

// accepted are edits that libvirt accepts on a migration, or that it may accept.
var accepted = []struct{ old, new string }{
	{"<title>web server</title>", ""},
	{"<description>serves</description>", "<description>other</description>"},
	{">a</my:app>", ">b</my:app>"},
	{"<currentMemory unit='KiB'>2097152", "<currentMemory unit='KiB'>1048576"},
	{"<memory unit='KiB'>4194304", "<memory unit='GiB'>4"},
	{"<memory unit='KiB'>4194304", "<memory>4194304"},
	{"<memory unit='KiB'>4194304", "<memory unit='m'>4096"},
	{"<memory unit='KiB'>4194304", "<memory unit='bytes'>4294966785"}, // rounded up
	{"cpus='2-3'", "cpus='3,2'"},
	{"<cell id='0' cpus='0-1' memory='1572864' unit='KiB'/><cell id='1' cpus='2-3' memory='1572864' unit='KiB'/>", "<cell id='1' cpus='2-3' memory='1572864' unit='KiB'/><cell id='0' cpus='0-1' memory='1572864' unit='KiB'/>"},
	{"11111111-2222-3333-4444-555555555555", "11111111222233334444555555555555"},
	{" machine='pc-q35-10.0'", ""},
	{"pc-q35-10.0", "q35"},
	{"/images/a.qcow2", "/other/a.qcow2"},
	{"<disk type='file' device='disk' model='virtio'>", "<disk type='file' model='virtio'>"},
	{"type='qcow2'", "type='raw' cache='none' io='native'"},
	{"<source network='default'/>", "<source network='other'/>"},
	{"<interface type='network'>\n      <mac address='52:54:00:00:00:01'/>\n      <source network='default'/>", "<interface type='bridge'>\n      <mac address='52:54:00:00:00:01'/>\n      <source bridge='br0'/>"},
	{"52:54:00:00:00:01", "52:54:0:0:0:1"},
	{"<model type='virtio'/>", "<model type='VirtIO'/>"},
	{"<model type='virtio'/>", ""},
	{"<address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", ""},
	{"<address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>", "<address type='pci'/>"},
	{"<address type='drive' controller='0' bus='0' target='0' unit='1'/>", "<address type='drive' controller='0' bus='0' target='7' unit='1'/>"},
	{"passwd='secret'", "passwd='other'"},
	{"listen='127.0.0.1' passwd='secret'><listen type='address' address='127.0.0.1'/>", "listen='0.0.0.0'><listen type='address' address='0.0.0.0'/>"},
	{"<graphics type='vnc' port='5900' autoport='no' listen='127.0.0.1' passwd='secret'><listen type='address' address='127.0.0.1'/></graphics>", ""},
	{"<input type='keyboard' bus='ps2'/>", ""},
	{"<console type='pty'><target type='serial' port='0'/></console>", ""},
	{"<controller type='scsi' index='0' model='virtio-scsi'/>", ""},
	{"<controller type='pci' index='2' model='pcie-root-port'/>", ""},
	{"<controller type='ccid'", "<controller type='sata' index='0'/><controller type='ccid'"},
	{"<watchdog model='i6300esb' action='reset'/>", "<watchdog model='i6300esb' action='poweroff'/><watchdog model='itco' action='reset'/>"},
	{"<serial type='pty'>", "<serial type='file'><source path='/log'/>"},
	{"<vcpu placement='static' current='2'>", "<vcpu placement='static' cpuset='0-3' current='2'>"},
	{"</devices>", "</devices><seclabel type='dynamic' model='dac' relabel='yes'/>"},
	{"<vcpus><vcpu id='0' enabled='yes' order='1'/><vcpu id='1' enabled='yes' order='2'/><vcpu id='2' enabled='no'/><vcpu id='3' enabled='no'/></vcpus>", ""},
	{"</devices>", "</devices><on_crash>restart</on_crash>"},
	{"<feature policy='disable' name='svm'/>", "<feature policy='disable' name='svm'/><feature policy='disable' name='pconfig'/>"},
}

func TestAccepted(t *testing.T) {
	src := decode(t, guest)
	require.NoError(t, Check(src, decode(t, guest)))
	require.NoError(t, CheckRestore(src, decode(t, guest)))
	for _, test := range accepted {
		dst := decode(t, edit(t, guest, test.old, test.new))
		assert.NoError(t, Check(src, dst), "%s -> %s", test.old, test.new)
		assert.NoError(t, Check(dst, src), "%s -> %s, the other way", test.old, test.new)
	}
}

// Disks of one bus are compared in the order of their targets.
func TestDiskOrder(t *testing.T) {
	disks := func(targets ...string) *libvirtxml.Domain {
		d := decode(t, guest)
		d.Devices.Disks = nil
		for _, dev := range targets {
			d.Devices.Disks = append(d.Devices.Disks, libvirtxml.DomainDisk{Serial: dev, Target: &libvirtxml.DomainDiskTarget{Dev: dev}})
		}
		return d
	}
	assert.NoError(t, Check(disks("vda", "vdb", "vdaa"), disks("vdaa", "vda", "vdb")))
	assert.NoError(t, Check(disks("vda", "hda", "vdb"), disks("vdb", "hda", "vda"))) // libvirt: vda vdb hda
	assert.EqualError(t, Check(disks("vda", "vdb"), disks("vdc", "vda")),
		"/domain/devices/disk[1]/target/@dev: Target disk vdc does not match source vdb")
	assert.EqualError(t, Check(disks("vdb", "vda"), disks("vdd", "vdc")),
		"/domain/devices/disk[2]/target/@dev: Target disk vdc does not match source vda")
}

// A restore also compares the current memory, after the maximum.
func TestRestore(t *testing.T) {
	src := decode(t, guest)
	dst := decode(t, edit(t, guest, "<currentMemory unit='KiB'>2097152", "<currentMemory unit='KiB'>1048576"))
	assert.NoError(t, Check(src, dst))
	assert.EqualError(t, CheckRestore(src, dst), "/domain/currentMemory: Target domain current memory 1048576 does not match source 2097152")

	all := decode(t, edit(t, guest, "<currentMemory unit='KiB'>2097152</currentMemory>", ""))
	assert.EqualError(t, CheckRestore(src, all), "/domain/currentMemory: Target domain current memory 4194304 does not match source 2097152")
}

// A bus that no device needs is one more, where all devices have their places.
func TestAddedBus(t *testing.T) {
	port := `<controller type='pci' index='%' model='pcie-root-port'><address type='pci' bus='0' slot='1' function='%'/></controller>`
	xml := func(ports ...string) string {
		s := `<domain type='kvm'><name>a</name><devices><controller type='usb' index='0' model='none'/><memballoon model='none'/><controller type='pci' index='0' model='pcie-root'/>`
		for _, n := range ports {
			s += strings.ReplaceAll(port, "%", n)
		}
		return s + `<interface type='user'><address type='pci' bus='1' slot='0' function='0'/></interface></devices></domain>`
	}
	src := decode(t, xml("1", "2"))
	assert.EqualError(t, Check(src, decode(t, xml("1", "2", "3"))),
		"/domain/devices/controller: Target domain controller count 5 does not match source 4")
	assert.NoError(t, Check(src, decode(t, xml("1"))), "libvirt may add it again")

	unplaced := decode(t, xml("1", "2"))
	unplaced.Devices.Interfaces[0].Address = nil
	assert.NoError(t, Check(unplaced, decode(t, xml("1", "2", "3"))), "libvirt may add it too")
}

// Where nothing is given nothing is refused.
func TestEmpty(t *testing.T) {
	empty := &libvirtxml.Domain{}
	assert.NoError(t, CheckRestore(empty, empty))
	assert.Error(t, Check(decode(t, guest), empty))
	assert.Error(t, Check(empty, decode(t, guest)))
}

// A secret of the guest is in no message, whichever side lost its devices.
func TestNoSecrets(t *testing.T) {
	for _, r := range Rules() {
		for _, word := range []string{"passwd", "secret", "encryption", "auth"} {
			assert.NotContains(t, strings.ToLower(r.Path), word)
		}
	}
}

func TestScale(t *testing.T) {
	for _, test := range []struct {
		n    uint64
		unit string
		want uint64
	}{
		{1, "", 1}, {1, "KiB", 1}, {1, "k", 1}, {1000, "KB", 977}, {1, "M", 1024}, {1, "MiB", 1024}, {1, "mb", 977},
		{1, "GiB", 1 << 20}, {1, "T", 1 << 30}, {1, "b", 1}, {1025, "bytes", 2}, {2048, "byte", 2}, {1, "EiB", 1 << 50},
	} {
		got, ok := scale(test.n, test.unit, 1024)
		assert.True(t, ok, test.unit)
		assert.Equal(t, test.want, got, "%d %s", test.n, test.unit)
	}
	for _, unit := range []string{"x", "KiBx", "ib", "KX"} {
		_, ok := scale(1, unit, 1024)
		assert.False(t, ok, unit)
	}
	_, ok := scale(1<<40, "EiB", 1024)
	assert.False(t, ok, "overflow")
}
