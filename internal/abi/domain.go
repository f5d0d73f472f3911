package abi

import (
	"slices"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"
)

const domainFunction = "virDomainDefCheckABIStabilityFlags"

type domain = libvirtxml.Domain

// once is the guest itself, as a kind with one element.
func once(function string, fields ...field[domain]) *kind[domain] {
	return &kind[domain]{
		path: "/domain", function: function, fields: fields,
		list: func(d *domain) []domain { return []domain{*d} },
	}
}

func identity() *kind[domain] {
	return once(domainFunction,
		field[domain]{path: "@type", message: "Target domain virt type %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(d.Type) }},
		field[domain]{path: "uuid", message: "Target domain uuid %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(uuid(d.UUID)) }},
		field[domain]{path: "genid", message: "Target domain requested genid does not match source",
			value: func(d *domain) value { return flag(d.GenID != nil) }},
		field[domain]{path: "genid", message: "Target domain genid %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(uuid(deref(d.GenID).Value)) }},
		field[domain]{path: "name", message: "Target domain name '%[1]s' does not match source '%[2]s'",
			value: func(d *domain) value { return filled(d.Name) }},
	)
}

// uuid is a UUID as libvirt prints it: it may be given with other dashes.
func uuid(text string) string {
	digits := strings.ToLower(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, text))
	if len(digits) != 32 {
		return digits
	}
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}

func memory() *kind[domain] {
	return once("virDomainMemtuneCheckABIStability",
		field[domain]{path: "memory", message: "Target domain max memory %[1]s does not match source %[2]s",
			value: initialMemory},
		field[domain]{path: "currentMemory", message: "Target domain current memory %[1]s does not match source %[2]s",
			value: currentMemory, restore: true},
		field[domain]{path: "maxMemory", message: "Target maximum memory size '%[1]s' doesn't match source '%[2]s'",
			value: func(d *domain) value { m := deref(d.MaximumMemory); return kib(m.Value, m.Unit) }},
		field[domain]{path: "maxMemory/@slots", message: "Target domain memory slots count '%[1]s' doesn't match source '%[2]s'",
			value: func(d *domain) value { return number(deref(d.MaximumMemory).Slots) }},
	)
}

// totalMemory is in KiB: <memory>, or where it is not given the sum of all there is.
func totalMemory(d *domain) (total, hotplug uint64, ok bool) {
	ok = true
	add := func(sum *uint64, n uint, unit string) {
		size, known := scale(uint64(n), unit, 1024)
		*sum += size
		ok = ok && known
	}
	for _, m := range devices(d).Memorydevs {
		size := deref(deref(m.Target).Size)
		add(&hotplug, size.Value, size.Unit)
	}
	if m := deref(d.Memory); m.Value > 0 {
		add(&total, m.Value, m.Unit)
		return total, hotplug, ok && total >= hotplug
	}
	for _, c := range deref(deref(d.CPU).Numa).Cell {
		add(&total, c.Memory, c.Unit)
	}
	return total + hotplug, hotplug, ok && total > 0
}

// initialMemory is what the guest has without its memory devices.
func initialMemory(d *domain) value {
	total, hotplug, ok := totalMemory(d)
	return value{text: strconv.FormatUint(total-hotplug, 10), open: !ok}
}

// currentMemory is all memory where it is not given or more than that.
func currentMemory(d *domain) value {
	total, _, ok := totalMemory(d)
	m := deref(d.CurrentMemory)
	current, known := scale(uint64(m.Value), m.Unit, 1024)
	if current == 0 || current > total {
		current = total
	}
	return value{text: strconv.FormatUint(current, 10), open: !ok || !known}
}

type cell = libvirtxml.DomainCell

// cells are in the order of their ids, those without one after the others.
func cells() *kind[cell] {
	return &kind[cell]{
		path: "/domain/cpu/numa/cell", function: "virDomainNumaCheckABIStability",
		counted: "virDomainNumaCheckABIStability",
		count:   "Target NUMA node count '%[1]s' doesn't match source '%[2]s'",
		list: func(d *domain) []cell {
			list := slices.Clone(deref(deref(d.CPU).Numa).Cell)
			for i := range list {
				if list[i].ID == nil && i == 0 || list[i].ID != nil && *list[i].ID == 0 {
					list[i].CPUs = "" // libvirt gives it all processors that no cell has
				}
			}
			return list
		},
		order: func(items []item[cell]) []item[cell] {
			sorted := make([]item[cell], len(items))
			for _, it := range items {
				id := it.index
				if it.of.ID != nil {
					id = int(*it.of.ID)
				}
				if id >= len(items) || sorted[id].of != nil {
					return items // libvirt refuses such ids
				}
				sorted[id] = it
			}
			return sorted
		},
		fields: []field[cell]{
			{path: "@memory", message: "Size of target NUMA node %[3]s (%[1]s) doesn't match source (%[2]s)",
				value: func(c *cell) value { return kib(c.Memory, c.Unit) }},
			{path: "@cpus", message: "Processor mask of target NUMA node %[3]s doesn't match source",
				value: func(c *cell) value { return filled(bitmap(c.CPUs)) }},
		},
	}
}

// bitmap is a list such as "0-3,^2" in one form only.
func bitmap(text string) string {
	const limit = 1 << 16
	bits := map[int]bool{}
	last := -1
	for part := range strings.SplitSeq(strings.ReplaceAll(text, " ", ""), ",") {
		part, without := strings.CutPrefix(part, "^")
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || a < 0 || b > limit {
			return ""
		}
		for i := a; i <= b; i++ {
			bits[i] = !without
			last = max(last, i)
		}
	}
	var set strings.Builder
	for i := 0; i <= last; i++ {
		if bits[i] {
			set.WriteString(strconv.Itoa(i) + ",")
		}
	}
	return set.String()
}

// maxVCPUs is how many processors the guest may have.
func maxVCPUs(d *domain) uint { return max(1, deref(d.VCPU).Value) }

func cpus() *kind[domain] {
	return once("virDomainDefVcpuCheckAbiStability",
		field[domain]{path: "vcpu", message: "Target domain vCPU max %[1]s does not match source %[2]s",
			value: func(d *domain) value { return number(maxVCPUs(d)) }},
	)
}

// vcpu is a processor: whether it is there and as which one it came.
type vcpu struct {
	online bool
	order  *uint // nil: libvirt decides
}

var vcpus = &vcpuCheck{}

// vcpuCheck is apart from the kinds for its messages, which name the processor.
type vcpuCheck struct{}

const (
	vcpuState = "State of vCPU '%[3]s' differs between source and destination definitions"
	vcpuOrder = "vcpu enable order of vCPU '%[3]s' differs between source and destination definitions"
)

func (*vcpuCheck) check(src, dst *domain, _ bool) error {
	const limit = 1 << 16 // more than any hypervisor has
	n := min(maxVCPUs(src), limit)
	for i := range n {
		s, d := vcpuAt(src, i), vcpuAt(dst, i)
		number := strconv.FormatUint(uint64(i), 10)
		if s.online != d.online {
			path := "/domain/vcpu/@current"
			if dst.VCPUs != nil {
				path = "/domain/vcpus"
			}
			return &Error{path, format(vcpuState, "", "", number)}
		}
		if s.order != nil && d.order != nil && *s.order != *d.order {
			return &Error{"/domain/vcpus", format(vcpuOrder, "", "", number)}
		}
	}
	return nil
}

func (*vcpuCheck) rules() []Rule {
	const function = "virDomainDefVcpuCheckAbiStability"
	return []Rule{{Path: "/domain/vcpu/@current", Function: function, Message: vcpuState}, {Path: "/domain/vcpus", Function: function, Message: vcpuOrder}}
}

func vcpuAt(d *domain, number uint) vcpu {
	v := vcpu{online: true}
	if current := deref(d.VCPU).Current; current > 0 {
		v.online = number < current
	}
	for _, each := range deref(d.VCPUs).VCPU {
		if each.Id != nil && *each.Id == number {
			v.online = each.Enabled == "yes"
			v.order = each.Order
		}
	}
	return v
}

func system() *kind[domain] {
	return once(domainFunction,
		field[domain]{path: "os/type", message: "Target domain OS type %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(strings.TrimSpace(osType(d).Type)) }},
		field[domain]{path: "os/type/@arch", message: "Target domain architecture %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(osType(d).Arch) }},
		field[domain]{path: "os/type/@machine", message: "Target domain machine type %[1]s does not match source %[2]s",
			value: func(d *domain) value { return filled(osType(d).Machine) }, equal: sameMachine},
		field[domain]{path: "os/smbios/@mode", message: "Target domain SMBIOS mode %[1]s does not match source %[2]s",
			value: func(d *domain) value { return or(deref(deref(d.OS).SMBios).Mode, "none") }},
	)
}

func osType(d *domain) libvirtxml.DomainOSType { return deref(deref(d.OS).Type) }

func isX86(d *domain) bool { return osType(d).Arch == "x86_64" || osType(d).Arch == "i686" }

// sameMachine says whether libvirt may take two machine types for one: an alias such
// as "pc" stands for a versioned name that only the hypervisor knows.
func sameMachine(a, b string) bool {
	fa, fb := family(a), family(b)
	return (alias(a) || alias(b)) && (fa == fb || fa == "" || fb == "")
}

func alias(machine string) bool {
	last := strings.LastIndexByte(machine, '-')
	return last < 0 || !strings.ContainsAny(machine[last:], "0123456789")
}

func family(machine string) string {
	switch {
	case strings.Contains(machine, "q35"):
		return "q35"
	case machine == "pc", strings.Contains(machine, "i440fx"):
		return "i440fx"
	}
	return ""
}

// devices returns the guest's devices, none where it has no <devices>.
func devices(d *domain) libvirtxml.DomainDeviceList { return deref(d.Devices) }
