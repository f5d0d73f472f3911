package abi

import (
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type filesystem = libvirtxml.DomainFilesystem

func filesystems() *kind[filesystem] {
	return &kind[filesystem]{
		path: "/domain/devices/filesystem", function: "virDomainFsDefCheckABIStability",
		count: "Target domain filesystem count %[1]s does not match source %[2]s",
		list:  func(d *domain) []filesystem { return devices(d).Filesystems },
		fields: withInfo(func(f *filesystem) info { return info{f.Address, f.ACPI} },
			withVirtio(func(f *filesystem) virtio {
				v := deref(f.Driver)
				return virtio{f.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
			},
				field[filesystem]{path: "target/@dir", message: "Target filesystem guest target %[1]s does not match source %[2]s",
					value: func(f *filesystem) value { return null(deref(f.Target).Dir) }},
				field[filesystem]{path: "readonly", message: "Target filesystem access mode does not match source",
					value: func(f *filesystem) value { return flag(f.ReadOnly != nil) }},
				field[filesystem]{path: "@model", message: "Target filesystem model does not match source",
					value: func(f *filesystem) value { return filled(f.Model) }},
			)...),
	}
}

type sound = libvirtxml.DomainSound

func sounds() *kind[sound] {
	return &kind[sound]{
		path: "/domain/devices/sound", function: "virDomainSoundDefCheckABIStability",
		count: "Target domain sound card count %[1]s does not match source %[2]s",
		list:  func(d *domain) []sound { return devices(d).Sounds },
		fields: withInfo(func(s *sound) info { return info{s.Address, s.ACPI} },
			field[sound]{path: "@model", message: "Target sound card model %[1]s does not match source %[2]s",
				value: func(s *sound) value { return fixed(s.Model) }},
			field[sound]{path: "@multichannel", message: "Target sound card multichannel setting '%[1]s' does not match source '%[2]s'",
				value: func(s *sound) value { return tristate(s.MultiChannel) }},
		),
	}
}

type video = libvirtxml.DomainVideo

// accel is one kind of acceleration: compared where both have the element.
func accel(get func(libvirtxml.DomainVideoAccel) string) func(*video) value {
	return func(v *video) value {
		if v.Model.Accel == nil {
			return value{open: true}
		}
		// libvirt prints the number of yes, no and not given.
		switch get(*v.Model.Accel) {
		case "yes":
			return fixed("1")
		case "no":
			return fixed("2")
		}
		return fixed("0")
	}
}

func videos() *kind[video] {
	return &kind[video]{
		path: "/domain/devices/video", function: "virDomainVideoDefCheckABIStability",
		count: "Target domain video card count %[1]s does not match source %[2]s",
		list:  func(d *domain) []video { return devices(d).Videos },
		add: func(d *domain, items []item[video]) []item[video] {
			if len(items) == 0 && len(devices(d).Graphics) > 0 {
				return added(video{})
			}
			return items
		},
		order: func(items []item[video]) []item[video] {
			// The primary one is the first.
			var primary, others []item[video]
			for _, it := range items {
				if it.of.Model.Primary == "yes" {
					primary = append(primary, it)
				} else {
					others = append(others, it)
				}
			}
			return append(primary, others...)
		},
		fields: withInfo(func(v *video) info { return info{v.Address, v.ACPI} },
			withVirtio(func(v *video) virtio {
				o := deref(v.Driver)
				return virtio{v.Driver != nil, o.IOMMU, o.ATS, o.Packed, o.PagePerVQ}
			},
				field[video]{path: "model/@type", message: "Target video card model %[1]s does not match source %[2]s",
					value: func(v *video) value { return filled(v.Model.Type) }},
				field[video]{path: "model/@ram", message: "Target video card ram %[1]s does not match source %[2]s",
					value: func(v *video) value { return filledNumber(v.Model.Ram) }},
				field[video]{path: "model/@vram", message: "Target video card vram %[1]s does not match source %[2]s",
					value: func(v *video) value { return filledNumber(v.Model.VRam) }},
				field[video]{path: "model/@vram64", message: "Target video card vram64 %[1]s does not match source %[2]s",
					value: func(v *video) value { return filledNumber(v.Model.VRam64) }},
				field[video]{path: "model/@vgamem", message: "Target video card vgamem %[1]s does not match source %[2]s",
					value: func(v *video) value { return filledNumber(v.Model.VGAMem) }},
				field[video]{path: "model/@heads", message: "Target video card heads %[1]s does not match source %[2]s",
					value: func(v *video) value { return filledNumber(v.Model.Heads) }},
				field[video]{path: "model/acceleration", message: "Target video card acceleration does not match source",
					value: func(v *video) value {
						a := deref(v.Model.Accel)
						return flag(a.Accel2D != "" || a.Accel3D != "")
					}},
				field[video]{path: "model/acceleration/@accel2d", message: "Target video card 2d accel %[1]s does not match source %[2]s",
					value: accel(func(a libvirtxml.DomainVideoAccel) string { return a.Accel2D })},
				field[video]{path: "model/acceleration/@accel3d", message: "Target video card 3d accel %[1]s does not match source %[2]s",
					value: accel(func(a libvirtxml.DomainVideoAccel) string { return a.Accel3D })},
			)...),
	}
}

type smartcard = libvirtxml.DomainSmartcard

func smartcards() *kind[smartcard] {
	return &kind[smartcard]{
		path: "/domain/devices/smartcard", function: "virDomainSmartcardDefCheckABIStability",
		count:  "Target domain smartcard count %[1]s does not match source %[2]s",
		list:   func(d *domain) []smartcard { return devices(d).Smartcards },
		fields: withInfo(func(s *smartcard) info { return info{s.Address, s.ACPI} }),
	}
}

type hub = libvirtxml.DomainHub

func hubs() *kind[hub] {
	return &kind[hub]{
		path: "/domain/devices/hub", function: "virDomainHubDefCheckABIStability",
		count: "Target domain hub device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []hub { return devices(d).Hubs },
		fields: withInfo(func(h *hub) info { return info{h.Address, h.ACPI} },
			field[hub]{path: "@type", message: "Target hub device type %[1]s does not match source %[2]s",
				value: func(h *hub) value { return fixed(h.Type) }}),
	}
}

type watchdog = libvirtxml.DomainWatchdog

func watchdogs() *kind[watchdog] {
	return &kind[watchdog]{
		path: "/domain/devices/watchdog", function: "virDomainWatchdogDefCheckABIStability",
		count: "Target domain watchdog device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []watchdog { return devices(d).Watchdogs },
		add:   addWatchdog,
		pair: func(src, dst *domain, s, d []item[watchdog]) (_, _ []item[watchdog]) {
			// Without a machine type it is unknown what the machine has.
			if len(s) != len(d) && (osType(src).Machine == "" || osType(dst).Machine == "") {
				return nil, nil
			}
			return s, d
		},
		fields: withInfo(func(w *watchdog) info { return info{w.Address, w.ACPI} },
			field[watchdog]{path: "@model", message: "Target watchdog model %[1]s does not match source %[2]s",
				value: func(w *watchdog) value { return filled(w.Model) }}),
	}
}

// addWatchdog adds the watchdog that every q35 machine has.
func addWatchdog(d *domain, items []item[watchdog]) []item[watchdog] {
	itco := func(it item[watchdog]) bool { return it.of.Model == "itco" }
	if family(osType(d).Machine) != "q35" || slices.ContainsFunc(items, itco) {
		return items
	}
	return append(items, added(watchdog{Model: "itco"})...)
}

type balloon = libvirtxml.DomainMemBalloon

func balloons() *kind[balloon] {
	return &kind[balloon]{
		path: "/domain/devices/memballoon", function: "virDomainMemballoonDefCheckABIStability",
		count: "Target domain memory balloon count %[1]s does not match source %[2]s",
		list:  func(d *domain) []balloon { return optional(devices(d).MemBalloon) },
		add: func(d *domain, items []item[balloon]) []item[balloon] {
			if len(items) == 0 && hasBalloon(d) {
				return added(balloon{Model: "virtio"})
			}
			return items
		},
		pair: func(src, dst *domain, s, d []item[balloon]) (_, _ []item[balloon]) {
			// Without an architecture it is unknown what the machine has.
			if len(s) != len(d) && (osType(src).Arch == "" || osType(dst).Arch == "") {
				return nil, nil
			}
			return s, d
		},
		fields: withInfo(func(b *balloon) info { return info{b.Address, b.ACPI} },
			withVirtio(func(b *balloon) virtio {
				v := deref(b.Driver)
				return virtio{b.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
			},
				field[balloon]{path: "@model", message: "Target balloon model %[1]s does not match source %[2]s",
					value: func(b *balloon) value { return filled(b.Model) }},
				field[balloon]{path: "@autodeflate", message: "Target balloon autodeflate attribute value '%[1]s' does not match source '%[2]s'",
					value: func(b *balloon) value { return tristate(b.AutoDeflate) }},
				field[balloon]{path: "@freePageReporting", message: "Target balloon freePageReporting attribute value '%[1]s' does not match source '%[2]s'",
					value: func(b *balloon) value { return tristate(b.FreePageReporting) }},
			)...),
	}
}

// hasBalloon says whether libvirt gives the guest a balloon.
func hasBalloon(d *domain) bool {
	return isQemu(d) && slices.ContainsFunc(balloonArches, func(a string) bool { return strings.HasPrefix(osType(d).Arch, a) })
}

// balloonArches begin the names of the architectures whose guests get one.
var balloonArches = []string{"i686", "x86_64", "ppc", "s390", "riscv", "sparc64", "mips", "alpha", "sh4"}

func isQemu(d *domain) bool { return d.Type == "qemu" || d.Type == "kvm" }

type rng = libvirtxml.DomainRNG

func rngs() *kind[rng] {
	return &kind[rng]{
		path: "/domain/devices/rng", function: "virDomainRNGDefCheckABIStability",
		count: "Target domain RNG device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []rng { return devices(d).RNGs },
		fields: withInfo(func(r *rng) info { return info{r.Address, r.ACPI} },
			withVirtio(func(r *rng) virtio {
				v := deref(r.Driver)
				return virtio{r.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
			},
				field[rng]{path: "@model", message: "Target RNG model '%[1]s' does not match source '%[2]s'",
					value: func(r *rng) value { return filled(r.Model) }})...),
	}
}

type panicDevice = libvirtxml.DomainPanic

func panics() *kind[panicDevice] {
	return &kind[panicDevice]{
		path: "/domain/devices/panic", function: "virDomainPanicDefCheckABIStability",
		count: "Target domain panic device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []panicDevice { return devices(d).Panics },
		add:   addPanic,
		fields: withInfo(func(p *panicDevice) info { return info{p.Address, p.ACPI} },
			field[panicDevice]{path: "@model", message: "Target panic model '%[1]s' does not match source '%[2]s'",
				value: func(p *panicDevice) value { return filled(p.Model) }}),
	}
}

// addPanic adds the device that s390 and pSeries guests always have.
func addPanic(d *domain, items []item[panicDevice]) []item[panicDevice] {
	own := ""
	switch t := osType(d); {
	case strings.HasPrefix(t.Arch, "s390"):
		own = "s390"
	case strings.HasPrefix(t.Arch, "ppc64") && strings.HasPrefix(t.Machine, "pseries"):
		own = "pseries"
	}
	same := func(it item[panicDevice]) bool { return it.of.Model == "" || it.of.Model == own }
	if own == "" || slices.ContainsFunc(items, same) {
		return items
	}
	return append(items, added(panicDevice{Model: own})...)
}

type tpm = libvirtxml.DomainTPM

func tpms() *kind[tpm] {
	return &kind[tpm]{
		path: "/domain/devices/tpm", function: "virDomainTPMDefCheckABIStability",
		count: "Target domain TPM device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []tpm { return devices(d).TPMs },
		fields: withInfo(func(t *tpm) info { return info{t.Address, t.ACPI} },
			field[tpm]{path: "backend/@type", message: "Target TPM device type doesn't match source",
				value: func(t *tpm) value {
					switch b := deref(t.Backend); {
					case b.Passthrough != nil:
						return fixed("passthrough")
					case b.Emulator != nil:
						return fixed("emulator")
					case b.External != nil:
						return fixed("external")
					}
					return value{open: true}
				}},
			field[tpm]{path: "@model", message: "Target TPM device model doesn't match source",
				value: func(t *tpm) value { return filled(t.Model) }},
			field[tpm]{path: "backend/@version", message: "Target TPM version doesn't match source",
				value: func(t *tpm) value { return filled(deref(deref(t.Backend).Emulator).Version) }, when: isEmulator},
			field[tpm]{path: "backend/active_pcr_banks", message: "Target active PCR banks doesn't match source",
				value: pcrBanks, when: isEmulator},
		),
	}
}

func isEmulator(t *tpm) bool { return deref(t.Backend).Emulator != nil }

func pcrBanks(t *tpm) value {
	b := deref(deref(deref(t.Backend).Emulator).ActivePCRBanks)
	var set strings.Builder
	for _, bank := range []*libvirtxml.DomainTPMBackendPCRBank{b.SHA1, b.SHA256, b.SHA384, b.SHA512} {
		set.WriteString(flag(bank != nil).text + " ")
	}
	return fixed(set.String())
}

type vsock = libvirtxml.DomainVSock

func vsocks() *kind[vsock] {
	return &kind[vsock]{
		path: "/domain/devices/vsock", function: "virDomainVsockDefCheckABIStability",
		count: "Target domain vsock device count does not match source",
		list:  func(d *domain) []vsock { return optional(devices(d).VSock) },
		fields: withInfo(func(v *vsock) info { return info{v.Address, v.ACPI} },
			withVirtio(func(v *vsock) virtio {
				o := deref(v.Driver)
				return virtio{v.Driver != nil, o.IOMMU, o.ATS, o.Packed, o.PagePerVQ}
			},
				field[vsock]{path: "@model", message: "Target domain vsock device model '%[1]s' does not match source '%[2]s'",
					value: func(v *vsock) value { return filled(v.Model) }})...),
	}
}

// optional is a list of what may be there once.
func optional[T any](p *T) []T {
	if p == nil {
		return nil
	}
	return []T{*p}
}
