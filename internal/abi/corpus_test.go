package abi

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
)

// free are edits that libvirt accepts, with whether they changed anything.
var free = map[string]func(*libvirtxml.Domain){
	"title":    func(d *libvirtxml.Domain) { d.Title += "x" },
	"metadata": func(d *libvirtxml.Domain) { d.Metadata = &libvirtxml.DomainMetadata{XML: "<a xmlns='b'/>"} },
	"on_crash": func(d *libvirtxml.Domain) { d.OnCrash = "preserve" },
	"seclabel": func(d *libvirtxml.Domain) { d.SecLabel = nil },
	"balloon":  func(d *libvirtxml.Domain) { d.CurrentMemory = &libvirtxml.DomainCurrentMemory{Value: 1024} },
	"no addresses": func(d *libvirtxml.Domain) {
		for i := range devices(d).Disks {
			d.Devices.Disks[i].Address = nil
		}
	},
	"disks": func(d *libvirtxml.Domain) {
		for i := range devices(d).Disks {
			d.Devices.Disks[i].Source = &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: "/new"}}
		}
	},
	"interfaces": func(d *libvirtxml.Domain) {
		for i, n := range devices(d).Interfaces {
			if deref(n.Source).Hostdev == nil {
				d.Devices.Interfaces[i].Source = &libvirtxml.DomainInterfaceSource{Bridge: &libvirtxml.DomainInterfaceSourceBridge{Bridge: "br1"}}
			}
		}
	},
	"graphics": func(d *libvirtxml.Domain) {
		for i, g := range devices(d).Graphics {
			if g.VNC != nil {
				d.Devices.Graphics[i].VNC.Listen = "0.0.0.0"
				d.Devices.Graphics[i].VNC.Passwd = "other"
			}
		}
	},
}

// same checks that a guest is equal to itself and after every free edit.
func same(t *testing.T, name, xml string) {
	var src libvirtxml.Domain
	if src.Unmarshal(xml) != nil {
		return
	}
	dst := decode(t, xml)
	assert.NoError(t, CheckRestore(&src, dst), name)
	for what, edit := range free {
		dst := decode(t, xml)
		edit(dst)
		assert.NoError(t, Check(&src, dst), "%s: %s", name, what)
		assert.NoError(t, Check(dst, &src), "%s: %s, the other way", name, what)
	}
}

func TestCorpus(t *testing.T) {
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		t.Skip("VIRTHOOK_CORPUS names no folder with XML of libvirt")
	}
	domains := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		xml, err := os.ReadFile(path)
		if strings.Contains(string(xml), "<domain ") {
			domains++
			same(t, path, string(xml))
		}
		return err
	}))
	require.NotZero(t, domains)
	t.Logf("%d domains", domains)
}

// Every migration that was recorded takes free edits and refuses the others.
func TestCaptures(t *testing.T) {
	calls := 0
	for _, c := range captures.All() {
		if c.Driver != "qemu" || c.XML == nil {
			continue
		}
		same(t, c.Version+" "+c.Name, string(c.XML))
		if c.Op != "migrate" {
			continue
		}
		calls++
		xml := string(c.XML)
		src := decode(t, xml)
		for _, test := range []struct{ old, new, want string }{
			// The first is what real daemons were seen to say.
			{">32768</memory>", ">65536</memory>", "/domain/memory: Target domain max memory 65536 does not match source 32768"},
			{"<uuid>11111111", "<uuid>99999999", "/domain/uuid: Target domain uuid 99999999-2222-3333-4444-555555555555 does not match source 11111111-2222-3333-4444-555555555555"},
			{"<name>m1<", "<name>m1new<", "/domain/name: Target domain name 'm1new' does not match source 'm1'"},
			{"<domain type='qemu'", "<domain type='kvm'", "/domain/@type: Target domain virt type kvm does not match source qemu"},
			{">1</vcpu>", ">2</vcpu>", "/domain/vcpu: Target domain vCPU max 2 does not match source 1"},
			{"dev='hda'", "dev='hdb'", "/domain/devices/disk/target/@dev: Target disk hdb does not match source hda"},
			{"unit='0'/>", "unit='1'/>", "/domain/devices/disk/address: Target device drive address 0:0:1 does not match source 0:0:0"},
			{"</disk>", "</disk><disk type='file'><target dev='hdc'/></disk>", "/domain/devices/disk: Target domain disk count 2 does not match source 1"},
			{"</devices>", "<rng model='virtio'><backend model='random'/></rng></devices>", "/domain/devices/rng: Target domain RNG device count 1 does not match source 0"},
			{"model='virtio'", "model='none'", "/domain/devices/memballoon/@model: Target balloon model none does not match source virtio"},
			{"type='cirrus'", "type='vga'", "/domain/devices/video/model/@type: Target video card model vga does not match source cirrus"},
			{"slot='0x02'", "slot='0x07'", "/domain/devices/video/address: Target device PCI address 0000:00:07.0 does not match source 0000:00:02.0"},
		} {
			if strings.Contains(test.old, "cirrus") && !strings.Contains(xml, test.old) {
				continue
			}
			assert.EqualError(t, Check(src, decode(t, edit(t, xml, test.old, test.new))), test.want, "%s: %s", c.Version, test.old)
		}
		// The keyboard and the default USB controller, which a migration's XML leaves out.
		assert.NoError(t, Check(src, decode(t, edit(t, xml, "</devices>", "<input type='keyboard' bus='ps2'/><controller type='usb' index='0'/></devices>"))))
	}
	assert.Positive(t, calls)
}

// libvirtSource is the source of the libvirt whose rules these are.
func libvirtSource(t *testing.T) string {
	root := os.Getenv("VIRTHOOK_LIBVIRT_SRC")
	build, _ := os.ReadFile(filepath.Join(root, "meson.build"))
	if root == "" || !strings.Contains(string(build), "version: '11.3.0'") {
		t.Skip("VIRTHOOK_LIBVIRT_SRC does not name the source of libvirt 11.3.0")
	}
	return root
}

// Every message and function is in the source of libvirt 11.3.0.
func TestMessages(t *testing.T) {
	root := filepath.Join(libvirtSource(t), "src")
	var source strings.Builder
	for _, name := range []string{"conf/domain_conf.c", "conf/cpu_conf.c", "conf/numa_conf.c", "qemu/qemu_domain.c"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		source.Write(text)
	}
	verb := regexp.MustCompile(`%(\[\d\]|\d\$)?[-0-9.]*[a-z]+`)
	// Messages whose values are several numbers, or which name the feature.
	loose := regexp.MustCompile(`address %|feature '|option '`)
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`_\("([^"]*)"\)`).FindAllStringSubmatch(source.String(), -1) {
		have[verb.ReplaceAllString(m[1], "%")] = true
	}
	require.Greater(t, len(have), 500)
	functions := source.String()
	for _, r := range Rules() {
		assert.True(t, strings.Contains(functions, "\n"+r.Function+"("), "%s: %s", r.Path, r.Function)
		if !loose.MatchString(r.Message) {
			assert.True(t, have[verb.ReplaceAllString(r.Message, "%")], r.Message)
		}
	}
	t.Logf("%d rules", len(Rules()))
}

func TestRules(t *testing.T) {
	rules := Rules()
	assert.Equal(t, Rule{Path: "/domain/@type", Function: "virDomainDefCheckABIStabilityFlags",
		Message: "Target domain virt type %[1]s does not match source %[2]s"}, rules[0])
	restore := 0
	for _, r := range rules {
		assert.NotEmpty(t, r.Path)
		assert.NotEmpty(t, r.Function, r.Path)
		assert.NotEmpty(t, r.Message, r.Path)
		if r.Restore {
			restore++
		}
	}
	assert.Equal(t, 1, restore)
}

// What a guest's author wrote and what libvirt made of it are one guest: whatever
// libvirt fills in is taken to be there. These are libvirt's own pairs of the two.
func TestFilledIn(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(libvirtSource(t), "tests", "qemuxmlconfdata", "*.*-latest.xml"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	pairs := 0
	for _, name := range names {
		stem, _, _ := strings.Cut(filepath.Base(name), ".")
		filled, err := os.ReadFile(name)
		require.NoError(t, err)
		written, err := os.ReadFile(filepath.Join(filepath.Dir(name), stem+".xml"))
		var src, dst libvirtxml.Domain
		if err != nil || src.Unmarshal(string(filled)) != nil || dst.Unmarshal(string(written)) != nil {
			continue
		}
		pairs++
		assert.NoError(t, CheckRestore(&src, &dst), stem)
		assert.NoError(t, CheckRestore(&dst, &src), "%s, the other way", stem)
	}
	t.Logf("%d pairs", pairs)
}
