package splice

import "strings"

// Rules are what is to be known about a kind of document beyond its bytes.
type Rules struct {
	// Raw names the elements, as paths from the root, whose content the typed
	// view carries as bytes.
	Raw []string
	// Lists names the elements that the typed view has a list of, as PARENT/CHILD.
	// Of all others it holds one, however many there are.
	Lists []string
	// Identity names what tells elements of one name from each other, strongest
	// first: paths to attributes ("mac/@address") and to texts ("uuid"), "+" between
	// several that do so together. What an element lacks does not count.
	Identity []string
	// Prefixes are what prefixes to declare for namespaces that are not declared.
	Prefixes map[string]string
}

// identity serves all documents of libvirt.
var identity = []string{
	"alias/@name", "target/@dev", "mac/@address", "@uuid", "uuid", "@name", "name", "@id", "@type+@index", "@index",
	"@key", "@dev", "@vcpu", "@vcpus", "@iothread", "@cpus", "@cell", "@cellid", "@nodeset", "@mac", "@ip", "@portid", "@portgroup",
	"@type+target/@port", "address/@domain+address/@bus+address/@slot+address/@function", "serial", "source/@file", "source/@dev",
}

// The rules are functions so that a hook that edits nothing does not build them when
// it starts.

func domainRules() *Rules {
	return &Rules{
		Raw:      []string{"domain/metadata"},
		Identity: identity,
		Prefixes: map[string]string{
			"http://libvirt.org/schemas/domain/qemu/1.0":   "qemu",
			"http://libvirt.org/schemas/domain/lxc/1.0":    "lxc",
			"http://libvirt.org/schemas/domain/bhyve/1.0":  "bhyve",
			"http://libvirt.org/schemas/domain/vmware/1.0": "vmware",
			"http://libvirt.org/schemas/domain/xen/1.0":    "xen",
		},
		Lists: strings.Fields(`
		acpi/table baseBoard/entry bios/entry blkiotune/device cachetune/cache cachetune/monitor
		capabilities/add capabilities/del cell/cache chassis/entry clock/timer
		commandline/arg commandline/env cookies/cookie cpu/feature
		cputune/cachetune cputune/energytune cputune/iothreadpin cputune/iothreadsched
		cputune/memorytune cputune/vcpupin cputune/vcpusched
		devices/audio devices/channel devices/console devices/controller devices/crypto
		devices/disk devices/filesystem devices/graphics devices/hostdev devices/hub
		devices/input devices/interface devices/iommu devices/lease devices/memory
		devices/panic devices/parallel devices/redirdev devices/redirfilter devices/rng
		devices/serial devices/shmem devices/smartcard devices/sound devices/tpm
		devices/video devices/watchdog distances/sibling domain/seclabel domain/sysinfo
		encryption/secret energytune/monitor filterref/parameter firmware/feature
		frontend/property graphics/channel graphics/listen hostdev/ip hostdev/route
		hugepages/page idmap/gid idmap/uid interconnects/bandwidth interconnects/latency
		interface/ip interface/portForward interface/route iothread/queue
		iothreadids/iothread iothreads/iothread keywrap/cipher latency-histogram/bin
		memory/entry memorytune/monitor memorytune/node numa/cell numatune/memnode
		oemStrings/entry os/boot os/initarg os/initenv override/device perf/event
		portForward/range processor/entry redirfilter/usbdev slices/slice
		smartcard/certificate sound/codec source/host source/ip source/route
		source/seclabel statistics/latency-histogram statistics/statistic
		sysinfo/baseBoard sysinfo/entry sysinfo/memory sysinfo/processor system/entry
		throttlefilters/throttlefilter throttlegroups/throttlegroup vcpus/vcpu vlan/tag
	`),
	}
}

func networkRules() *Rules {
	return &Rules{
		Raw:      []string{"network/metadata"},
		Identity: identity,
		Prefixes: map[string]string{"http://libvirt.org/schemas/network/dnsmasq/1.0": "dnsmasq"},
		Lists: strings.Fields(`
		dhcp/bootp dhcp/host dhcp/range dns/forwarder dns/host dns/srv dns/txt
		forward/address forward/interface forward/pf host/hostname nat/address nat/port
		network/ip network/portgroup network/route options/option vlan/tag
	`),
	}
}

func networkPortRules() *Rules {
	return &Rules{
		Identity: identity,
		Lists:    []string{"vlan/tag"},
	}
}

// rulesOf returns the rules for a document with a root of that name.
func rulesOf(root string) *Rules {
	switch root {
	case "network":
		return networkRules()
	case "networkport":
		return networkPortRules()
	}
	return domainRules()
}

// isRaw says whether the typed view carries an element's content as bytes.
func (r *Rules) isRaw(n *node) bool {
	if n.parent == nil || n.parent.parent != nil {
		return false // all there are, are right in the root
	}
	for _, path := range r.Raw {
		parent, name, _ := strings.Cut(path, "/")
		if parent == string(n.parent.name()) && name == string(n.name()) {
			return true
		}
	}
	return false
}

// isList says whether the typed view has a list of the elements like n.
func (r *Rules) isList(n *node) bool {
	for _, path := range r.Lists {
		parent, name, _ := strings.Cut(path, "/")
		if name == string(n.name()) && n.parent != nil && parent == string(n.parent.name()) {
			return true
		}
	}
	return false
}
