package libvirtd

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// BootSector is the program that a guest boots, in place of an operating system.
type BootSector string

// What a guest can do with itself.
const (
	Idle     BootSector = "\xfb\xf4\xeb\xfd"                     // halts, for as long as it is let
	PowerOff BootSector = "\xba\x04\x06\xb8\x00\x20\xef\xeb\xfe" // switches itself off through ACPI
	Panic    BootSector = "\xba\x05\x05\xb0\x01\xee\xeb\xfe"     // tells QEMU that it has crashed

	// Waits for a key and then switches itself off through ACPI: see [Guest.Shutdown].
	UntilKey BootSector = "\xfa\xe4\x64\xa8\x01\x74\xfa\xba\x04\x06\xb8\x00\x20\xef\xeb\xfe"
)

// image is a disk of one MiB with the boot sector in front.
func (b BootSector) image() []byte {
	disk := make([]byte, 1<<20)
	copy(disk, b)
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}

// Guest is a domain that the daemon has defined.
type Guest struct {
	Name string
	Disk string // path of its disk, where it has one

	d   *Daemon
	uri string
}

// Guest defines a guest of QEMU: 32 MiB, one disk to boot from, no network. The
// edits are made before that; changed later, it is defined by [Daemon.Define].
func (d *Daemon) Guest(name string, boots BootSector, edits ...func(*libvirtxml.Domain)) *Guest {
	d.t.Helper()
	disk := path.Join(d.images(), strings.ReplaceAll(name, "/", "_")+".qcow2")
	d.Image(disk, boots)
	domain := &libvirtxml.Domain{
		Type:     "qemu",
		Name:     name,
		Memory:   &libvirtxml.DomainMemory{Value: 32, Unit: "MiB"},
		VCPU:     &libvirtxml.DomainVCPU{Value: 1},
		OS:       &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: "x86_64", Machine: "pc", Type: "hvm"}},
		Features: &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}},
		OnCrash:  "destroy",
		Devices: &libvirtxml.DomainDeviceList{
			Emulator: "/usr/bin/qemu-system-x86_64",
			Disks: []libvirtxml.DomainDisk{{
				Device: "disk",
				Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "qcow2"},
				Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: disk}},
				Target: &libvirtxml.DomainDiskTarget{Dev: "hda", Bus: "ide"},
			}},
			Panics: []libvirtxml.DomainPanic{{Model: "isa"}},
		},
	}
	g := d.define("qemu", domain, edits)
	g.Disk = disk
	return g
}

// Image writes a disk in the format qcow2.
func (d *Daemon) Image(path string, boots BootSector) {
	d.t.Helper()
	raw := path + ".raw"
	d.WriteFile(raw, boots.image())
	if out, err := d.Command(d.t.Context(), "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path).CombinedOutput(); err != nil {
		d.t.Fatalf("qemu-img: %v: %s", err, out)
	}
}

// images is the folder for disks.
func (d *Daemon) images() string {
	if d.shared != "" {
		return d.shared
	}
	return "/run/virthook/images"
}

// NIC connects a guest to a network.
func NIC(network string) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		d.Devices.Interfaces = append(d.Devices.Interfaces, libvirtxml.DomainInterface{
			Source: &libvirtxml.DomainInterfaceSource{Network: &libvirtxml.DomainInterfaceSourceNetwork{Network: network}},
		})
	}
}

// Container defines a container of LXC with the machine's own root folder, in
// which the command is the first process.
func (d *Daemon) Container(name string, command []string, edits ...func(*libvirtxml.Domain)) *Guest {
	d.t.Helper()
	emulator := "/usr/lib/libvirt/libvirt_lxc"
	if !d.Exists(emulator) {
		emulator = "/usr/libexec/libvirt_lxc"
	}
	args := slices.Clone(command[1:])
	return d.define("lxc", &libvirtxml.Domain{
		Type:   "lxc",
		Name:   name,
		Memory: &libvirtxml.DomainMemory{Value: 64, Unit: "MiB"},
		VCPU:   &libvirtxml.DomainVCPU{Value: 1},
		OS:     &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Type: "exe"}, Init: command[0], InitArgs: args},
		Devices: &libvirtxml.DomainDeviceList{
			Emulator: emulator,
			Consoles: []libvirtxml.DomainConsole{{Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}}}},
		},
	}, edits)
}

func (d *Daemon) define(driver string, domain *libvirtxml.Domain, edits []func(*libvirtxml.Domain)) *Guest {
	d.t.Helper()
	for _, edit := range edits {
		edit(domain)
	}
	xml, err := domain.Marshal()
	if err != nil {
		d.t.Fatal(err)
	}
	g := &Guest{Name: domain.Name, d: d, uri: d.URI(driver)}
	g.Define(xml)
	return g
}

// Define defines the guest anew.
func (g *Guest) Define(xml string) {
	g.d.t.Helper()
	file := "/run/virthook/define.xml"
	g.d.WriteFile(file, []byte(xml))
	g.d.must(g.virsh("define", file))
}

func (g *Guest) virsh(command string, args ...string) (string, error) {
	return g.d.virsh(g.uri, append([]string{command}, args...))
}

// Start starts the guest; [Guest.TryStart] is for one that may not.
func (g *Guest) Start() { g.d.t.Helper(); g.d.must(g.TryStart()) }

// TryStart starts the guest and returns libvirt's refusal.
func (g *Guest) TryStart() (string, error) { return g.virsh("start", g.Name) }

// Destroy stops the guest as if by its plug.
func (g *Guest) Destroy() { g.d.t.Helper(); g.d.must(g.virsh("destroy", g.Name)) }

// Shutdown presses keys until the guest, which boots [UntilKey], has switched itself off.
func (g *Guest) Shutdown() {
	g.d.t.Helper()
	g.d.WaitFor(g.Name+" to switch itself off", func() bool {
		_, _ = g.virsh("send-key", g.Name, "KEY_ENTER") // one that does not boot yet hears nothing
		return !g.Active()
	})
}

// State is the guest's state in virsh's words, such as "running" or "shut off", and
// why it is in it.
func (g *Guest) State() (state, reason string) {
	g.d.t.Helper()
	out := strings.TrimSpace(g.d.must(g.virsh("domstate", "--reason", g.Name)))
	state, reason, _ = strings.Cut(out, " (")
	return state, strings.TrimSuffix(reason, ")")
}

// Running tells whether the guest runs.
func (g *Guest) Running() bool {
	g.d.t.Helper()
	state, _ := g.State()
	return state == "running"
}

// Active tells whether the guest has not been shut off. Unlike [Guest.State] it may be
// asked of one that libvirt does not know, as a guest that was not defined is none.
func (g *Guest) Active() bool {
	g.d.t.Helper()
	names := g.d.must(g.virsh("list", "--name"))
	return slices.Contains(strings.Split(names, "\n"), g.Name)
}

// WaitOff waits until the guest is shut off.
func (g *Guest) WaitOff() {
	g.d.t.Helper()
	g.d.WaitFor(g.Name+" to be shut off", func() bool { return !g.Active() })
}

// XML is the guest's as libvirt has it now, with its secrets.
func (g *Guest) XML() string {
	g.d.t.Helper()
	return g.d.must(g.virsh("dumpxml", "--security-info", g.Name))
}

// Domain is [Guest.XML], decoded.
func (g *Guest) Domain() *libvirtxml.Domain {
	g.d.t.Helper()
	domain := new(libvirtxml.Domain)
	if err := domain.Unmarshal(g.XML()); err != nil {
		g.d.t.Fatal(err)
	}
	return domain
}

// Tainted tells whether libvirt holds the guest's XML to be changed by a hook.
func (g *Guest) Tainted() bool {
	g.d.t.Helper()
	return strings.Contains(g.d.must(g.virsh("dominfo", g.Name)), "modified by hook script")
}

// CommandLine is that of the guest's QEMU.
func (g *Guest) CommandLine() []string {
	g.d.t.Helper()
	return strings.Split(strings.TrimSuffix(g.process("cmdline"), "\x00"), "\x00")
}

// Kill kills the guest's QEMU with SIGKILL: to libvirt the guest has crashed.
func (g *Guest) Kill() {
	g.d.t.Helper()
	g.d.must(g.d.run("kill", "-KILL", g.pid()))
}

func (g *Guest) pid() string {
	g.d.t.Helper()
	for _, folder := range []string{"/run/libvirt/qemu/", "/run/virthook/runtime/libvirt/qemu/run/"} {
		if pid, err := g.d.ReadFile(folder + g.Name + ".pid"); err == nil {
			return strings.TrimSpace(string(pid))
		}
	}
	g.d.t.Fatalf("the guest %s has no process", g.Name)
	return ""
}

// process reads a file of the guest's process, below /proc as it is inside.
func (g *Guest) process(file string) string {
	g.d.t.Helper()
	return g.d.must(g.d.run("cat", "/proc/"+g.pid()+"/"+file))
}

// run runs a command inside.
func (d *Daemon) run(name string, args ...string) (string, error) {
	out, err := d.Command(d.t.Context(), name, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}
