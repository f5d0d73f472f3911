package abi

import (
	"strings"

	"libvirt.org/go/libvirtxml"
)

type (
	shmem  = libvirtxml.DomainShmem
	module = libvirtxml.DomainMemorydev
	iommu  = libvirtxml.DomainIOMMU
	pstore = libvirtxml.DomainPStore
)

func shmems() *kind[shmem] {
	return &kind[shmem]{
		path: "/domain/devices/shmem", function: "virDomainShmemDefCheckABIStability",
		count: "Target domain shared memory device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []shmem { return devices(d).Shmems },
		fields: withInfo(func(s *shmem) info { return info{s.Address, s.ACPI} },
			field[shmem]{path: "@role", message: "Target shared memory role '%[1]s' does not match source role '%[2]s'",
				value: func(s *shmem) value { return filled(s.Role) }},
			field[shmem]{path: "model/@type", message: "Target shared memory model '%[1]s' does not match source model '%[2]s'",
				value: func(s *shmem) value { return filled(deref(s.Model).Type) }},
			field[shmem]{path: "size", message: "Target shared memory size '%[1]s' does not match source size '%[2]s'",
				value: shmemSize},
			field[shmem]{path: "server", message: "Target shared memory server usage doesn't match source",
				value: func(s *shmem) value { return flag(s.Server != nil) }},
			field[shmem]{path: "msi", message: "Target shared memory MSI configuration doesn't match source",
				value: func(s *shmem) value {
					m := deref(s.MSI)
					return value{number(m.Vectors).text + " " + or(m.IOEventFD, "on").text, s.MSI == nil}
				}},
		),
	}
}

// shmemSize is in bytes; without a unit it is given in bytes too.
func shmemSize(s *shmem) value {
	size := deref(s.Size)
	factor, ok := bytesOf(size.Unit, 1)
	v := filledNumber(uint64(size.Value) * factor)
	v.open = v.open || !ok
	return v
}

func memories() *kind[module] {
	return &kind[module]{
		path: "/domain/devices/memory", function: "virDomainMemoryDefCheckABIStability",
		count: "Target domain memory device count %[1]s does not match source %[2]s",
		list:  func(d *domain) []module { return devices(d).Memorydevs },
		fields: withInfo(func(m *module) info { return info{m.Address, m.ACPI} },
			field[module]{path: "@model", message: "Target memory device model '%[1]s' doesn't match source model '%[2]s'",
				value: func(m *module) value { return fixed(m.Model) }},
			field[module]{path: "target/node", message: "Target memory device targetNode '%[1]s' doesn't match source targetNode '%[2]s'",
				value: func(m *module) value {
					if node := deref(m.Target).Node; node != nil {
						return number(node.Value)
					}
					return fixed("-1")
				}},
			field[module]{path: "target/size", message: "Target memory device size '%[1]s' doesn't match source memory device size '%[2]s'",
				value: func(m *module) value { s := deref(deref(m.Target).Size); return kib(s.Value, s.Unit) }},
			field[module]{path: "source/pmem", message: "Target NVDIMM pmem flag doesn't match source NVDIMM pmem flag", when: isNVDIMM,
				value: func(m *module) value { return flag(deref(m.Source).PMem != nil) }},
			field[module]{path: "target/readonly", message: "Target NVDIMM readonly flag doesn't match source NVDIMM readonly flag", when: isNVDIMM,
				value: func(m *module) value { return flag(deref(m.Target).ReadOnly != nil) }},
			field[module]{path: "target/block", message: "Target memory device block size '%[1]s' doesn't match source memory device block size '%[2]s'", when: isVirtioMem,
				value: func(m *module) value { b := deref(deref(m.Target).Block); return kib(b.Value, b.Unit) }},
			field[module]{path: "target/requested", message: "Target memory device requested size '%[1]s' doesn't match source memory device requested size '%[2]s'", when: isVirtioMem,
				value: func(m *module) value { r := deref(deref(m.Target).Requested); return kib(r.Value, r.Unit) }},
		),
	}
}

func isNVDIMM(m *module) bool    { return m.Model == "nvdimm" }
func isVirtioMem(m *module) bool { return m.Model == "virtio-mem" }

// backing and memoryAliases are qemu's own checks, which come after all others.
func backing() *kind[domain] {
	return once("qemuDomainABIStabilityCheck",
		field[domain]{path: "memoryBacking/source/@type", message: "Target memoryBacking source '%[1]s' doesn't match source memoryBacking source'%[2]s'",
			value: func(d *domain) value { return or(deref(deref(d.MemoryBacking).MemorySource).Type, "none") }},
	)
}

func memoryAliases() *kind[module] {
	return &kind[module]{
		path: memories().path, function: "qemuDomainABIStabilityCheck", list: memories().list,
		fields: []field[module]{
			// libvirt prints the two the other way round.
			{path: "alias/@name", message: "Target memory device alias '%[2]s' doesn't match source alias '%[1]s'",
				value: func(m *module) value {
					// Others than an author's own are not kept in what is compared.
					if name := deref(m.Alias).Name; strings.HasPrefix(name, "ua-") {
						return fixed(name)
					}
					return null("")
				}},
		},
	}
}

func iommus() *kind[iommu] {
	return &kind[iommu]{
		path: "/domain/devices/iommu", function: "virDomainIOMMUDefCheckABIStability",
		count: "Target domain IOMMU device count does not match source",
		list:  func(d *domain) []iommu { return devices(d).IOMMUs },
		pair: func(src, dst *domain, s, d []item[iommu]) (_, _ []item[iommu]) {
			// Large guests get one from libvirt.
			if len(s) != len(d) && maxVCPUs(src) > 255 {
				return nil, nil
			}
			return s, d
		},
		fields: withInfo(func(i *iommu) info { return info{i.Address, i.ACPI} },
			iommuField("@model", "model", func(i *iommu) string { return i.Model }),
			iommuField("driver/@intremap", "intremap value", func(i *iommu) string { return deref(i.Driver).IntRemap }),
			iommuField("driver/@caching_mode", "caching mode", func(i *iommu) string { return deref(i.Driver).CachingMode }),
			iommuField("driver/@eim", "eim value", func(i *iommu) string { return deref(i.Driver).EIM }),
			iommuField("driver/@iotlb", "iotlb value", func(i *iommu) string { return deref(i.Driver).IOTLB }),
		),
	}
}

// iommuField is a switch that libvirt may set where another one needs it.
func iommuField(path, what string, get func(*iommu) string) field[iommu] {
	return field[iommu]{
		path: path, message: "Target domain IOMMU device " + what + " '%[1]s' does not match source '%[2]s'",
		value: func(i *iommu) value { return filled(get(i)) },
	}
}

func pstores() *kind[pstore] {
	return &kind[pstore]{
		path: "/domain/devices/pstore", function: "virDomainPstoreDefCheckABIStability",
		count: "Target domain pstore device count does not match source",
		list:  func(d *domain) []pstore { return optional(devices(d).PStore) },
		fields: withInfo(func(p *pstore) info { return info{p.Address, p.ACPI} },
			field[pstore]{path: "@backend", message: "Target pstore device backend '%[1]s' does not match source '%[2]s'",
				value: func(p *pstore) value { return fixed(p.Backend) }},
			field[pstore]{path: "size", message: "Target pstore size '%[1]s' does not match source '%[2]s'",
				value: func(p *pstore) value { return kib(p.Size.Size, p.Size.Unit) }},
		),
	}
}
