package abi

import (
	"slices"

	"libvirt.org/go/libvirtxml"
)

const cpuFunction = "virCPUDefIsEqual"

// cpuField is a field of <cpu>. A guest without <cpu> gets the machine's own, which
// only the hypervisor knows.
func cpuField(path, message string, get func(libvirtxml.DomainCPU) value) field[domain] {
	return field[domain]{path: "cpu" + path, message: message, value: func(d *domain) value {
		if d.CPU == nil {
			return value{open: true}
		}
		return get(*d.CPU)
	}}
}

// topology is a number of the topology, open where no topology is given.
func topology(get func(libvirtxml.DomainCPUTopology) int) func(libvirtxml.DomainCPU) value {
	return func(c libvirtxml.DomainCPU) value {
		if c.Topology == nil {
			return value{open: true}
		}
		return number(max(1, get(*c.Topology)))
	}
}

func cpu() *kind[domain] {
	return once(cpuFunction,
		cpuField("/@mode", "Target CPU mode %[1]s does not match source %[2]s",
			func(c libvirtxml.DomainCPU) value { return filled(c.Mode) }),
		cpuField("/@check", "Target CPU check %[1]s does not match source %[2]s",
			func(c libvirtxml.DomainCPU) value { return filled(c.Check) }),
		cpuField("/model", "Target CPU model %[1]s does not match source %[2]s",
			func(c libvirtxml.DomainCPU) value { return filled(deref(c.Model).Value) }),
		cpuField("/vendor", "Target CPU vendor %[1]s does not match source %[2]s",
			func(c libvirtxml.DomainCPU) value { return null(c.Vendor) }),
		cpuField("/model/@vendor_id", "Target CPU vendor id %[1]s does not match source %[2]s",
			func(c libvirtxml.DomainCPU) value { return null(deref(c.Model).VendorID) }),
		cpuField("/topology/@sockets", "Target CPU sockets %[1]s does not match source %[2]s",
			topology(func(t libvirtxml.DomainCPUTopology) int { return t.Sockets })),
		cpuField("/topology/@dies", "Target CPU dies %[1]s does not match source %[2]s",
			topology(func(t libvirtxml.DomainCPUTopology) int { return t.Dies })),
		cpuField("/topology/@clusters", "Target CPU clusters %[1]s does not match source %[2]s",
			topology(func(t libvirtxml.DomainCPUTopology) int { return t.Clusters })),
		cpuField("/topology/@cores", "Target CPU cores %[1]s does not match source %[2]s",
			topology(func(t libvirtxml.DomainCPUTopology) int { return t.Cores })),
		cpuField("/topology/@threads", "Target CPU threads %[1]s does not match source %[2]s",
			topology(func(t libvirtxml.DomainCPUTopology) int { return t.Threads })),
	)
}

type cpuFeature = libvirtxml.DomainCPUFeature

func cpuFeatures() *kind[cpuFeature] {
	return &kind[cpuFeature]{
		path: "/domain/cpu/feature", function: cpuFunction,
		counted: cpuFunction,
		count:   "Target CPU feature count %[1]s does not match source %[2]s",
		list:    func(d *domain) []cpuFeature { return deref(d.CPU).Features },
		pair: func(src, dst *domain, s, d []item[cpuFeature]) (_, _ []item[cpuFeature]) {
			// Elsewhere than on x86 libvirt drops features that are disabled.
			if defaultCPU(src) || defaultCPU(dst) || !isX86(src) || !isX86(dst) {
				return nil, nil
			}
			return withoutPconfig(s), withoutPconfig(d)
		},
		fields: []field[cpuFeature]{
			{path: "@name", message: "Target CPU feature %[1]s does not match source %[2]s",
				value: func(f *cpuFeature) value { return fixed(f.Name) }},
			{path: "@policy", message: "Target CPU feature policy %[1]s does not match source %[2]s",
				value: func(f *cpuFeature) value { return or(f.Policy, "require") }},
		},
	}
}

// defaultCPU says whether libvirt fills in the machine's own CPU, with its features.
func defaultCPU(d *domain) bool {
	return d.CPU == nil || (d.CPU.Mode == "" || d.CPU.Mode == "custom") && deref(d.CPU.Model).Value == ""
}

// withoutPconfig drops the one feature that libvirt adds for the sake of old hosts.
func withoutPconfig(items []item[cpuFeature]) []item[cpuFeature] {
	return slices.DeleteFunc(items, func(it item[cpuFeature]) bool { return it.of.Name == "pconfig" })
}
