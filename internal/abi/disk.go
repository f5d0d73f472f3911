package abi

import (
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"
)

type disk = libvirtxml.DomainDisk

func diskInfo(d *disk) info { return info{d.Address, d.ACPI} }

func diskVirtio(d *disk) virtio {
	v := deref(d.Driver)
	return virtio{d.Driver != nil, v.IOMMU, v.ATS, v.Packed, v.PagePerVQ}
}

func diskTarget(d *disk) libvirtxml.DomainDiskTarget { return deref(d.Target) }

func disks() *kind[disk] {
	return &kind[disk]{
		path: "/domain/devices/disk", function: "virDomainDiskDefCheckABIStability",
		count: "Target domain disk count %[1]s does not match source %[2]s",
		list:  func(d *domain) []disk { return devices(d).Disks },
		order: diskOrder,
		fields: append(withInfo(diskInfo, withVirtio(diskVirtio,
			field[disk]{path: "@device", message: "Target disk device %[1]s does not match source %[2]s",
				value: func(d *disk) value { return or(d.Device, "disk") }},
			field[disk]{path: "target/@bus", message: "Target disk bus %[1]s does not match source %[2]s",
				value: func(d *disk) value { return filled(diskTarget(d).Bus) }},
			field[disk]{path: "target/@dev", message: "Target disk %[1]s does not match source %[2]s",
				value: func(d *disk) value { return filled(diskTarget(d).Dev) }},
			field[disk]{path: "serial", message: "Target disk serial %[1]s does not match source %[2]s",
				value: func(d *disk) value { return null(d.Serial) }},
			field[disk]{path: "wwn", message: "Target disk wwn '%[1]s' does not match source '%[2]s'",
				value: func(d *disk) value { return null(d.WWN) }},
			field[disk]{path: "readonly", message: "Target disk access mode does not match source",
				value: func(d *disk) value { return flag(d.ReadOnly != nil || d.Device == "cdrom") }},
			field[disk]{path: "@model", message: "Target disk model %[1]s does not match source %[2]s",
				value: func(d *disk) value { return or(d.Model, "default") }},
			field[disk]{path: "target/@rotation_rate", message: "Target disk rotation rate %[1]s RPM does not match source %[2]s RPM",
				value: func(d *disk) value { return number(diskTarget(d).RotationRate) }},
			field[disk]{path: "driver/@queues", message: "Target disk queue count %[1]s does not match source %[2]s",
				value: func(d *disk) value { return number(deref(deref(d.Driver).Queues)) }},
			// libvirt prints the number of queues here; the sizes say what is wrong.
			field[disk]{path: "driver/@queue_size", message: "Target disk queue size %[1]s does not match source %[2]s",
				value: func(d *disk) value { return number(deref(deref(d.Driver).QueueSize)) }},
		)...), blockIO...),
	}
}

const blockIOFunction = "virDomainDiskBlockIoCheckABIStability"

var blockIO = []field[disk]{
	{path: "blockio/@logical_block_size", message: "Target disk logical_block_size %[1]s does not match source %[2]s", function: blockIOFunction,
		value: func(d *disk) value { return number(deref(d.BlockIO).LogicalBlockSize) }},
	{path: "blockio/@physical_block_size", message: "Target disk physical_block_size %[1]s does not match source %[2]s", function: blockIOFunction,
		value: func(d *disk) value { return number(deref(d.BlockIO).PhysicalBlockSize) }},
	{path: "blockio/@discard_granularity", message: "Target disk discard_granularity %[1]s does not match source %[2]s", function: blockIOFunction,
		value: func(d *disk) value { return number(deref(deref(d.BlockIO).DiscardGranularity)) }},
}

// diskOrder is virDomainDiskInsert: those of one bus stand together, sorted by their
// target, so that moving a disk in the XML changes nothing.
func diskOrder(items []item[disk]) []item[disk] {
	var sorted []item[disk]
	for _, it := range items {
		at := -1
		for i := len(sorted) - 1; i >= 0; i-- {
			if diskBus(sorted[i].of) != diskBus(it.of) {
				continue
			}
			other, own := diskTarget(sorted[i].of).Dev, diskTarget(it.of).Dev
			switch {
			case other != "" && own != "" && diskIndex(other) > diskIndex(own):
				at = i
			case at < 0:
				at = i + 1
			}
		}
		if at < 0 {
			at = len(sorted)
		}
		sorted = slices.Insert(sorted, at, it)
	}
	return sorted
}

// diskBus is the bus of a disk. Where it is not given libvirt goes by the target's
// name; "sd" may be any of three.
func diskBus(d *disk) string {
	t := diskTarget(d)
	if t.Bus != "" {
		return t.Bus
	}
	for prefix, bus := range map[string]string{"fd": "fdc", "hd": "ide", "vd": "virtio", "xvd": "xen", "ubd": "uml"} {
		if strings.HasPrefix(t.Dev, prefix) {
			return bus
		}
	}
	return ""
}

// diskIndex is virDiskNameToIndex: 0 for sda, 26 for vdaa, -1 for other names.
func diskIndex(name string) int {
	for _, prefix := range []string{"fd", "hd", "vd", "sd", "xvd", "ubd"} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		letters := strings.TrimRight(rest, "0123456789")
		if letters == "" || len(letters) > 5 || strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") != "" {
			return -1
		}
		index := 0
		for _, c := range letters {
			index = index*26 + int(c-'a') + 1
		}
		return index - 1
	}
	return -1
}
