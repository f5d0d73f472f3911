// Package abi checks what a filter made of a guest the way libvirt's qemu driver
// does before it takes it: on a migration and on a restore the guest must look the
// same from inside. What it says is what libvirt says, with the place.
//
// Only what the XML alone decides is here, and in doubt nothing is refused: libvirt
// fills in defaults that depend on the machine type and on its own version, so a
// value that one side lacks is taken to be the other's wherever libvirt may fill it
// in. What libvirt adds to a guest by itself is taken to be there.
//
// The rules are those of libvirt 11.3.0. Version 9.0.0 does not compare CCW addresses,
// <blockio>, multichannel sound, pstore and the newest features, and 12.8.0 may have
// more: an option of the caller's is the way out.
//
// Not checked, though libvirt does: NUMA distances, the fields of <sysinfo>, CPU
// cache and address bits, sizes and modes behind a <features> switch (gic, hpt, tseg,
// Xen, capabilities and so on), labels, alignment and addresses inside an NVDIMM
// or virtio-mem device, and addresses given by hand to a device that had none.
package abi

import "libvirt.org/go/libvirtxml"

// Error is the first difference that libvirt would refuse.
type Error struct {
	Path    string // in the destination, e.g. /domain/devices/disk[2]/target/@dev
	Message string // libvirt's own
}

// Error returns "PATH: MESSAGE".
func (e *Error) Error() string { return e.Path + ": " + e.Message }

// Check compares as a migration does: src came in, dst is to go out. The error is of
// type *Error, the first difference in libvirt's order.
func Check(src, dst *libvirtxml.Domain) error { return check(src, dst, false) }

// CheckRestore compares as a restore does, which also compares the current memory.
func CheckRestore(src, dst *libvirtxml.Domain) error { return check(src, dst, true) }

func check(src, dst *libvirtxml.Domain, restore bool) error {
	for _, g := range groups() {
		if err := g.check(src, dst, restore); err != nil {
			return err
		}
	}
	return nil
}

// Rule is one thing that is compared.
type Rule struct {
	Path     string // where its value stands
	Function string // of libvirt 11.3.0 that compares it
	Message  string // libvirt's, as a format: %[1]s is the destination's value, %[2]s the source's, %[3]s the number
	Restore  bool   // compared on a restore only
}

// Rules returns all that Check and CheckRestore compare, in their order.
func Rules() []Rule {
	var all []Rule
	for _, g := range groups() {
		all = append(all, g.rules()...)
	}
	return all
}

// group is a kind of element and what is compared of it.
type group interface {
	check(src, dst *libvirtxml.Domain, restore bool) error
	rules() []Rule
}

// groups is everything, in the order of virDomainDefCheckABIStabilityFlags. It and
// what is in it are functions so that a hook that checks nothing does not build the
// tables when it starts.
func groups() []group {
	return []group{
		identity(), memory(), cells(), cpus(), vcpus, system(), features(), timers(), cpu(),
		cpuFeatures(), sysinfos(), disks(), controllers(), filesystems(), interfaces(),
		inputs(), sounds(), videos(), hostdevs(), smartcards(), serials(), parallels(),
		channels(), consoles(), hubs(), redirdevs(), redirfilters(), redirRules(), watchdogs(),
		balloons(), rngs(), panics(), shmems(), tpms(), memories(), iommus(), vsocks(),
		pstores(), backing(), memoryAliases(),
	}
}
