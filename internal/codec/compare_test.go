package codec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

const (
	firstDisk = `<disk type='file' device='disk' future='1'>
      <source file='/a'/>
      <target dev='vda'/>
      <address type='pci' domain='0x0000' slot='0x04'/>
    </disk>`
	secondDisk = `<disk type='file'>
      <target dev='vdb'/>
    </disk>`
	twoDisks = `<domain type='kvm'>
  <name>a</name>
  <memory unit='KiB'>1024</memory>
  <devices>
    ` + firstDisk + `
    ` + secondDisk + `
  </devices>
</domain>`
)

func TestCompareDomain(t *testing.T) {
	type line struct {
		path   string
		change Change
		text   string
		new    string
	}
	for name, c := range map[string]struct {
		edit func(*libvirtxml.Domain)
		want []line
	}{
		"nothing":     {func(*libvirtxml.Domain) {}, nil},
		"text":        {func(d *libvirtxml.Domain) { d.Name = "b" }, []line{{"/domain/name", Changed, "a", "b"}}},
		"number":      {func(d *libvirtxml.Domain) { d.Memory.Value = 2048 }, []line{{"/domain/memory", Changed, "1024", "2048"}}},
		"new element": {func(d *libvirtxml.Domain) { d.Title = "t" }, []line{{"/domain/title", Added, "", "<title>t</title>"}}},
		"no element":  {func(d *libvirtxml.Domain) { d.Name = "" }, []line{{"/domain/name", Removed, "<name>a</name>", ""}}},
		"attribute": {func(d *libvirtxml.Domain) { *d.Devices.Disks[0].Address.PCI.Slot = 5 },
			[]line{{"/domain/devices/disk[1]/address/@slot", Changed, "0x04", "0x05"}}},
		"no attribute": {func(d *libvirtxml.Domain) { d.Devices.Disks[0].Device = "" },
			[]line{{"/domain/devices/disk[1]/@device", Removed, "device='disk'", ""}}},
		"new attribute": {func(d *libvirtxml.Domain) { d.Devices.Disks[1].Device = "lun" },
			[]line{{"/domain/devices/disk[2]/@device", Added, "", "lun"}}},
		"other variant": {func(d *libvirtxml.Domain) {
			d.Devices.Disks[0].Source.File = nil
			d.Devices.Disks[0].Source.Block = &libvirtxml.DomainDiskSourceBlock{Dev: "/b"}
		}, []line{
			{"/domain/devices/disk[1]/@type", Changed, "file", "block"},
			{"/domain/devices/disk[1]/source/@file", Removed, "file='/a'", ""},
			{"/domain/devices/disk[1]/source/@dev", Added, "", "/b"},
		}},
		"swapped": {func(d *libvirtxml.Domain) {
			disks := d.Devices.Disks
			disks[0], disks[1] = disks[1], disks[0]
		}, []line{{"/domain/devices/disk[2]", Moved, secondDisk, ""}}},
		"deleted": {func(d *libvirtxml.Domain) { d.Devices.Disks = d.Devices.Disks[1:] },
			[]line{{"/domain/devices/disk[1]", Removed, firstDisk, ""}}},
		"inserted": {func(d *libvirtxml.Domain) {
			disk := libvirtxml.DomainDisk{Target: &libvirtxml.DomainDiskTarget{Dev: "vdc"}}
			d.Devices.Disks = append(d.Devices.Disks[:1:1], disk, d.Devices.Disks[1])
		}, []line{{"/domain/devices/disk[2]", Added, "", "<disk>\n      <target dev=\"vdc\"></target>\n    </disk>"}}},
	} {
		t.Run(name, func(t *testing.T) {
			d, _, err := DecodeDomain([]byte(twoDisks))
			require.NoError(t, err)
			c.edit(d)
			visits, err := CompareDomain([]byte(twoDisks), d)
			require.NoError(t, err)
			var got []line
			for _, v := range visits {
				got = append(got, line{v.Path, v.Change, twoDisks[v.Span.From:v.Span.To], v.New})
				assert.False(t, v.Ambiguous)
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatIsThereTwiceIsAmbiguous(t *testing.T) {
	const src = `<domain><memory unit='KiB'>1</memory><memory unit='KiB'>2</memory></domain>`
	d, _, err := DecodeDomain([]byte(src))
	require.NoError(t, err)
	visits, err := CompareDomain([]byte(src), d)
	require.NoError(t, err)
	assert.Empty(t, visits)
	d.Memory.Value = 3
	visits, err = CompareDomain([]byte(src), d)
	require.NoError(t, err)
	require.Len(t, visits, 2)
	assert.True(t, visits[0].Ambiguous)
	assert.True(t, visits[1].Ambiguous)
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		was, is []string
		from    []int
	}{
		{[]string{"a", "b", "c"}, []string{"a", "c"}, []int{0, 2}},
		{[]string{"a", "b"}, []string{"x", "a", "b"}, []int{-1, 0, 1}},
		{[]string{"a", "b", "c"}, []string{"c", "a", "b"}, []int{2, 0, 1}},
		{[]string{"<d>\n<alias 1/>\nx", "<d>\n<alias 2/>\ny"}, []string{"<d>\n<alias 2/>\nz"}, []int{1}},
		{[]string{"a"}, []string{"b"}, []int{0}},
		{nil, []string{"b"}, []int{-1}},
	} {
		_, from := match(c.was, c.is)
		assert.Equal(t, c.from, from, "%v to %v", c.was, c.is)
	}
}

func TestDecodingAllocatesLittle(t *testing.T) {
	src := sized(t, 7000)
	theirs := testing.AllocsPerRun(20, func() {
		if _, err := unmarshal("domain", src); err != nil {
			t.Fatal(err)
		}
	})
	ours := testing.AllocsPerRun(20, func() {
		if _, _, err := DecodeDomain(src); err != nil {
			t.Fatal(err)
		}
	})
	assert.Less(t, ours, theirs/10)
	t.Logf("%d bytes: %.0f allocations, with encoding/xml %.0f", len(src), ours, theirs)
}
