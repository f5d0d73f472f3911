package codec

// table is everything that custom methods of libvirtxml do and tags do not say.
// Render fails when it names too little or too much.
var table = []custom{
	// Disks.
	{Type: "DomainDisk", Kind: chooses, Field: "Source", Attr: "type", Default: "file"},
	{Type: "DomainDiskBackingStore", Kind: chooses, Field: "Source", Attr: "type", Default: "file", Except: []string{"nvme"}, Around: decoding},
	{Type: "DomainDiskDataStore", Kind: chooses, Field: "Source", Attr: "type", Default: "file", Except: []string{"nvme"}, Around: decoding},
	{Type: "DomainDiskMirror", Kind: chooses, Field: "Source", Made: []string{"Format"}, Attr: "type", Default: "file", Except: []string{"nvme"}, Around: both},
	{Type: "DomainNVRam", Kind: chooses, Field: "Source", Attr: "type", Optional: true},
	{Type: "DomainDiskSource", Kind: wraps, Variants: []variant{
		{Value: "file", Field: "File", IfAny: []string{".StartupPolicy", ".Encryption", "File"}},
		{Value: "block", Field: "Block", IfAny: []string{".StartupPolicy", ".Encryption", "Dev"}},
		{Value: "dir", Field: "Dir"},
		{Value: "network", Field: "Network"},
		{Value: "volume", Field: "Volume", IfAny: []string{".StartupPolicy", ".Encryption", "Pool", "Volume"}},
		{Value: "nvme", Field: "NVME", Nested: "PCI", NestedValue: "pci"},
		{Value: "vhostuser", Field: "VHostUser"},
		{Value: "vhostvdpa", Field: "VHostVDPA"},
		{Value: "ctl", Field: "Ctl"},
	}},
	{Type: "DomainDiskReservationsSource", Kind: chardev, Attr: "type", Default: "unix"},
	{Type: "DomainDiskSourceVHostUser", Kind: chardev, Attr: "type", Default: "unix"},

	// Filesystems and input devices.
	{Type: "DomainFilesystem", Kind: chooses, Field: "Source", Attr: "type", Default: "mount"},
	{Type: "DomainFilesystemSource", Kind: delegates, Variants: []variant{
		{Value: "mount", Field: "Mount"},
		{Value: "block", Field: "Block"},
		{Value: "file", Field: "File"},
		{Value: "template", Field: "Template"},
		{Value: "ram", Field: "RAM"},
		{Value: "bind", Field: "Bind"},
		{Value: "volume", Field: "Volume"},
	}},
	{Type: "DomainInput", Kind: chooses, Field: "Source", Attr: "type", Optional: true, Tagged: true},
	{Type: "DomainInputSource", Kind: wraps, Variants: []variant{
		{Value: "passthrough", Field: "Passthrough"},
		{Value: "evdev", Field: "EVDev"},
	}},

	// Interfaces.
	{Type: "DomainInterface", Kind: chooses, Field: "Source", Attr: "type"},
	{Type: "DomainInterfaceSource", Kind: delegates, Variants: []variant{
		{Value: "user", Field: "User", IfAny: []string{"Dev"}},
		{Value: "ethernet", Field: "Ethernet", IfAll: []string{"IP", "Route"}},
		{Value: "vhostuser", Field: "VHostUser"},
		{Value: "server", Field: "Server"},
		{Value: "client", Field: "Client"},
		{Value: "mcast", Field: "MCast"},
		{Value: "network", Field: "Network"},
		{Value: "bridge", Field: "Bridge"},
		{Value: "internal", Field: "Internal"},
		{Value: "direct", Field: "Direct"},
		{Value: "hostdev", Field: "Hostdev"},
		{Value: "udp", Field: "UDP"},
		{Value: "vdpa", Field: "VDPA"},
		{Value: "null", Field: "Null"},
		{Value: "vds", Field: "VDS"},
	}},
	{Type: "DomainInterfaceSourceHostdev", Kind: byHand},
	{Type: "DomainInterfaceSourceVHostUser", Kind: byHand},
	{Type: "DomainInterfaceVirtualPort", Kind: chooses, Field: "Params", Attr: "type", None: "Any"},
	{Type: "DomainInterfaceVirtualPortParams", Kind: delegates, Variants: virtualPorts},
	{Type: "NetworkVirtualPort", Kind: chooses, Field: "Params", Attr: "type", None: "Any"},
	{Type: "NetworkVirtualPortParams", Kind: delegates, Variants: virtualPorts},

	// Character devices.
	{Type: "DomainChardevSource", Kind: delegates, Variants: []variant{
		{Value: "null", Field: "Null", Mute: true},
		{Value: "vc", Field: "VC", Mute: true},
		{Value: "pty", Field: "Pty", IfAny: []string{"Path"}},
		{Value: "dev", Field: "Dev"},
		{Value: "file", Field: "File"},
		{Value: "pipe", Field: "Pipe"},
		{Value: "stdio", Field: "StdIO", Mute: true},
		{Value: "udp", Field: "UDP", Flat: true},
		{Value: "tcp", Field: "TCP"},
		{Value: "unix", Field: "UNIX", IfAny: []string{"Path", "Mode"}},
		{Value: "spicevmc", Field: "SpiceVMC", Mute: true},
		{Value: "spiceport", Field: "SpicePort"},
		{Value: "nmdm", Field: "NMDM", IfAll: []string{"Master", "Slave"}},
		{Value: "qemu-vdagent", Field: "QEMUVDAgent"},
		{Value: "dbus", Field: "DBus"},
	}},
	{Type: "DomainConsole", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainSerial", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainParallel", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainChannel", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainRedirDev", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainRNGBackendEGD", Kind: chooses, Field: "Source", Attr: "type", Default: "pty"},
	{Type: "DomainSmartcard", Made: []string{"Passthrough"}, Around: both},
	{Type: "DomainTPMBackendExternalSource", Kind: chardev, Attr: "type", Default: "unix"},
	{Type: "DomainChannelTarget", Kind: selects, Attr: "type", Variants: []variant{
		{Value: "virtio", Field: "VirtIO"},
		{Value: "xen", Field: "Xen"},
		{Value: "guestfwd", Field: "GuestFWD"},
	}},
	{Type: "DomainRedirFilterUSB", Kind: leaf, Attrs: []item{
		{Name: "class", Field: "Class", Format: "0x%02x", Unset: "-1"},
		{Name: "vendor", Field: "Vendor", Format: "0x%04x", Unset: "-1"},
		{Name: "product", Field: "Product", Format: "0x%04x", Unset: "-1"},
		{Name: "version", Field: "Version", Unset: "-1"},
		{Name: "allow", Field: "Allow", Always: true},
	}},

	// Other devices.
	{Type: "DomainDeviceList", Around: both},
	{Type: "DomainController", Kind: embeds, Attr: "type", Plain: true, Tagged: true, Variants: []variant{
		{Value: "pci", Field: "PCI"},
		{Value: "usb", Field: "USB"},
		{Value: "virtio-serial", Field: "VirtIOSerial"},
		{Value: "xenbus", Field: "XenBus"},
		{Value: "nvme", Field: "NVME"},
	}},
	{Type: "DomainControllerPCITarget", Kind: leaf, Attrs: []item{
		{Name: "chassisNr", Field: "ChassisNr", Base: 10, Format: "%d"},
		{Name: "chassis", Field: "Chassis", Base: 10, Format: "%d"},
		{Name: "port", Field: "Port", Format: "%d"},
		{Name: "busNr", Field: "BusNr", Base: 10, Format: "%d"},
		{Name: "index", Field: "Index", Base: 10, Format: "%d"},
		{Name: "memReserve", Field: "MemReserve", Base: 10, Format: "%d"},
		{Name: "hotplug", Field: "Hotplug"},
	}, Children: []item{
		{Name: "node", Field: "NUMANode", Base: 10, Format: "%d"},
	}},
	{Type: "DomainHostdev", Kind: embeds, Attr: "mode", Second: "type", Plain: true, Variants: []variant{
		{Value: "subsystem scsi", Field: "SubsysSCSI"},
		{Value: "subsystem scsi_host", Field: "SubsysSCSIHost"},
		{Value: "subsystem usb", Field: "SubsysUSB"},
		{Value: "subsystem pci", Field: "SubsysPCI"},
		{Value: "subsystem mdev", Field: "SubsysMDev"},
		{Value: "capabilities storage", Field: "CapsStorage"},
		{Value: "capabilities misc", Field: "CapsMisc"},
		{Value: "capabilities net", Field: "CapsNet"},
	}},
	{Type: "DomainHostdevSubsysSCSISource", Kind: selects, Attr: "protocol", None: "Host", Variants: []variant{
		{Field: "Host"},
		{Value: "iscsi", Field: "ISCSI"},
	}},
	{Type: "DomainGraphic", Kind: embeds, Attr: "type", Variants: []variant{
		{Value: "sdl", Field: "SDL"},
		{Value: "vnc", Field: "VNC"},
		{Value: "rdp", Field: "RDP"},
		{Value: "desktop", Field: "Desktop"},
		{Value: "spice", Field: "Spice"},
		{Value: "egl-headless", Field: "EGLHeadless"},
		{Value: "dbus", Field: "DBus"},
	}},
	{Type: "DomainGraphicListener", Kind: selects, Attr: "type", None: "none", Variants: []variant{
		{Value: "address", Field: "Address"},
		{Value: "network", Field: "Network"},
		{Value: "socket", Field: "Socket"},
		{Value: "none"},
	}},
	{Type: "DomainAudio", Kind: selects, Attr: "type", Attrs: []item{
		{Name: "id", Field: "ID", Base: 10, Format: "%d"},
		{Name: "timerPeriod", Field: "TimerPeriod", Base: 10, Format: "%d"},
	}, Variants: []variant{
		{Value: "none", Field: "None"},
		{Value: "alsa", Field: "ALSA"},
		{Value: "coreaudio", Field: "CoreAudio"},
		{Value: "jack", Field: "Jack"},
		{Value: "oss", Field: "OSS"},
		{Value: "pulseaudio", Field: "PulseAudio"},
		{Value: "sdl", Field: "SDL"},
		{Value: "spice", Field: "SPICE"},
		{Value: "file", Field: "File"},
		{Value: "dbus", Field: "DBus"},
		{Value: "pipewire", Field: "PipeWire"},
	}},
	{Type: "DomainTPMBackend", Kind: selects, Attr: "type", Variants: []variant{
		{Value: "passthrough", Field: "Passthrough"},
		{Value: "emulator", Field: "Emulator"},
		{Value: "external", Field: "External"},
	}},
	{Type: "DomainTPMBackendSource", Kind: selects, Attr: "type", Variants: []variant{
		{Value: "file", Field: "File"},
		{Value: "dir", Field: "Dir"},
	}},
	{Type: "DomainRNGBackend", Kind: selects, Attr: "model", Variants: []variant{
		{Value: "random", Field: "Random"},
		{Value: "egd", Field: "EGD"},
		{Value: "builtin", Field: "BuiltIn"},
	}},
	{Type: "DomainCryptoBackend", Kind: byHand},
	{Type: "DomainMemorydevTargetAddress", Kind: leaf, Attrs: []item{
		{Name: "base", Field: "Base", Format: "0x%08x"},
	}},

	// System information and launch security.
	{Type: "DomainSysInfo", Kind: embeds, Attr: "type", Plain: true, Variants: []variant{
		{Value: "smbios", Field: "SMBIOS"},
		{Value: "fwcfg", Field: "FWCfg"},
	}},
	{Type: "DomainLaunchSecurity", Kind: selects, Attr: "type", Optional: true, Last: true, Variants: []variant{
		{Value: "sev", Field: "SEV"},
		{Value: "sev-snp", Field: "SEVSNP"},
		{Value: "s390-pv", Field: "S390PV"},
		{Value: "tdx", Field: "TDX"},
	}},
	{Type: "DomainLaunchSecuritySEV", Kind: leaf, Attrs: []item{
		{Name: "kernelHashes", Field: "KernelHashes"},
	}, Children: []item{
		{Name: "cbitpos", Field: "CBitPos", Base: 10, Format: "%d"},
		{Name: "reducedPhysBits", Field: "ReducedPhysBits", Base: 10, Format: "%d"},
		{Name: "policy", Field: "Policy", Base: 16, Format: "0x%04x"},
		{Name: "dhCert", Field: "DHCert"},
		{Name: "session", Field: "Session"},
	}},
	{Type: "DomainLaunchSecuritySEVSNP", Kind: leaf, Attrs: []item{
		{Name: "kernelHashes", Field: "KernelHashes"},
		{Name: "authorKey", Field: "AuthorKey"},
		{Name: "vcek", Field: "VCEK"},
	}, Children: []item{
		{Name: "cbitpos", Field: "CBitPos", Base: 10, Format: "%d"},
		{Name: "reducedPhysBits", Field: "ReducedPhysBits", Base: 10, Format: "%d"},
		{Name: "policy", Field: "Policy", Base: 16, Format: "0x%08x"},
		{Name: "guestVisibleWorkarounds", Field: "GuestVisibleWorkarounds"},
		{Name: "idBlock", Field: "IDBlock"},
		{Name: "idAuth", Field: "IDAuth"},
		{Name: "hostData", Field: "HostData"},
	}},
	{Type: "DomainLaunchSecurityTDX", Kind: leaf, Children: []item{
		{Name: "policy", Field: "Policy", Base: 16, Format: "0x%08x"},
		{Name: "mrConfigId", Field: "MrConfigId", Always: true},
		{Name: "mrOwner", Field: "MrOwner", Always: true},
		{Name: "mrOwnerConfig", Field: "MrOwnerConfig", Always: true},
		{Name: "quoteGenerationService", Field: "QuoteGenerationService", Struct: true},
	}},

	// Addresses.
	{Type: "DomainAddress", Kind: selects, Attr: "type", Optional: true, Variants: []variant{
		{Value: "usb", Field: "USB"},
		{Value: "pci", Field: "PCI"},
		{Value: "drive", Field: "Drive"},
		{Value: "dimm", Field: "DIMM"},
		{Value: "isa", Field: "ISA"},
		{Value: "virtio-mmio", Field: "VirtioMMIO"},
		{Value: "ccw", Field: "CCW"},
		{Value: "virtio-serial", Field: "VirtioSerial"},
		{Value: "spapr-vio", Field: "SpaprVIO"},
		{Value: "ccid", Field: "CCID"},
		{Value: "virtio-s390", Field: "VirtioS390"},
		{Value: "unassigned", Field: "Unassigned"},
	}},
	{Type: "DomainAddressUSB", Kind: leaf, Attrs: []item{
		{Name: "bus", Field: "Bus", Base: 10, Format: "%d"},
		{Name: "port", Field: "Port"},
		{Name: "device", Field: "Device", Base: 10, Format: "%d"},
	}},
	{Type: "DomainAddressPCI", Kind: leaf, Attrs: append(pciAddress, item{Name: "multifunction", Field: "MultiFunction"}), Children: []item{
		{Name: "zpci", Field: "ZPCI", Struct: true},
	}},
	{Type: "DomainAddressZPCI", Kind: leaf, Attrs: []item{
		{Name: "uid", Field: "UID", Format: "0x%04x"},
		{Name: "fid", Field: "FID", Format: "0x%04x"},
	}},
	{Type: "DomainAddressDrive", Kind: leaf, Attrs: []item{
		{Name: "controller", Field: "Controller", Base: 10, Format: "%d"},
		{Name: "bus", Field: "Bus", Base: 10, Format: "%d"},
		{Name: "target", Field: "Target", Base: 10, Format: "%d"},
		{Name: "unit", Field: "Unit", Base: 10, Format: "%d"},
	}},
	{Type: "DomainAddressDIMM", Kind: leaf, Attrs: []item{
		{Name: "slot", Field: "Slot", Base: 10, Format: "%d"},
		{Name: "base", Field: "Base", Base: 16, Format: "0x%x"},
	}},
	{Type: "DomainAddressISA", Kind: leaf, Attrs: []item{
		{Name: "iobase", Field: "IOBase", Base: 16, Format: "0x%x"},
		{Name: "irq", Field: "IRQ", Base: 16, Format: "0x%x"},
	}},
	{Type: "DomainAddressVirtioMMIO", Kind: leaf},
	{Type: "DomainAddressCCW", Kind: leaf, Attrs: []item{
		{Name: "cssid", Field: "CSSID", Format: "0x%x"},
		{Name: "ssid", Field: "SSID", Format: "0x%x"},
		{Name: "devno", Field: "DevNo", Format: "0x%04x"},
	}},
	{Type: "DomainAddressVirtioSerial", Kind: leaf, Attrs: []item{
		{Name: "controller", Field: "Controller", Base: 10, Format: "%d"},
		{Name: "bus", Field: "Bus", Base: 10, Format: "%d"},
		{Name: "port", Field: "Port", Base: 10, Format: "%d"},
	}},
	{Type: "DomainAddressSpaprVIO", Kind: leaf, Attrs: []item{
		{Name: "reg", Field: "Reg", Base: 16, Format: "0x%x"},
	}},
	{Type: "DomainAddressCCID", Kind: leaf, Attrs: []item{
		{Name: "controller", Field: "Controller", Base: 10, Format: "%d"},
		{Name: "slot", Field: "Slot", Base: 10, Format: "%d"},
	}},
	{Type: "DomainAddressVirtioS390", Kind: leaf},
	{Type: "DomainAddressUnassigned", Kind: leaf},

	// Networks and their ports.
	{Type: "NetworkForwardAddress", Kind: selects, Attr: "type", Optional: true, Variants: []variant{
		{Value: "pci", Field: "PCI"},
	}},
	{Type: "NetworkForwardAddressPCI", Kind: leaf, Attrs: pciAddress},
	{Type: "NetworkPortPlug", Kind: selects, Attr: "type", Variants: []variant{
		{Value: "bridge", Field: "Bridge"},
		{Value: "network", Field: "Network"},
		{Value: "direct", Field: "Direct"},
		{Value: "hostdev-pci", Field: "HostDevPCI"},
	}},
	{Type: "NetworkPortPlugHostDevPCIAddress", Kind: leaf, Attrs: pciAddress},
}

// virtualPorts are the variants of both unions of virtual port parameters.
var virtualPorts = []variant{
	{Field: "Any"},
	{Value: "802.1Qbg", Field: "VEPA8021QBG"},
	{Value: "802.1Qbh", Field: "VNTag8011QBH"},
	{Value: "openvswitch", Field: "OpenVSwitch"},
	{Value: "midonet", Field: "MidoNet"},
}

// pciAddress is what all addresses of PCI devices have.
var pciAddress = []item{
	{Name: "domain", Field: "Domain", Format: "0x%04x"},
	{Name: "bus", Field: "Bus", Format: "0x%02x"},
	{Name: "slot", Field: "Slot", Format: "0x%02x"},
	{Name: "function", Field: "Function", Format: "0x%x"},
}
