package splice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// span returns where a part of a document is.
func span(src, part string) xmlscan.Span {
	i := strings.Index(src, part)
	return xmlscan.Span{From: i, To: i + len(part)}
}

// edited makes an edit of the typed view and returns what becomes of the document.
func edited(t *testing.T, src string, change func(d *libvirtxml.Domain)) (string, error) {
	t.Helper()
	d, ok := decode([]byte(src))
	require.True(t, ok)
	before := encode(t, d)
	change(d)
	after := encode(t, d)
	result, err := Apply([]byte(src), before, after, Options{})
	if err != nil || result == nil {
		assert.Nil(t, result)
		return "", err
	}
	again, ok := decode(result)
	require.True(t, ok, string(result))
	require.Nil(t, Check(after, encode(t, again)), string(result))
	return string(result), nil
}

// devices puts an indented document around what is in <devices>.
func devices(lines ...string) string {
	all := "<domain type='kvm'>\n  <devices>\n"
	for _, l := range lines {
		all += "    " + l + "\n"
	}
	return all + "  </devices>\n</domain>\n"
}

func TestApply(t *testing.T) {
	type domain = libvirtxml.Domain
	swap := func(i, k int) func(*domain) {
		return func(d *domain) {
			all := d.Devices.Disks
			all[i], all[k] = all[k], all[i]
		}
	}
	const (
		a = "<disk type='file'><target dev='a'/><future a='1'/></disk>"
		b = "<disk type='file'><target dev='b'/></disk>"
		c = "<disk type='file'><target dev='c'/></disk>"
		e = "<disk type='file'><target dev='e'/></disk>"
		x = "<!-- x -->"
	)
	cdrom := func(disk string) string { return strings.Replace(disk, "'file'", "'file' device='cdrom'", 1) }
	a2, b2, c2, e2 := cdrom(a), cdrom(b), cdrom(c), cdrom(e)
	listen := func(d *domain) { d.Devices.Graphics[0].VNC.Listen = "a'b\"c<&>\n" }

	for _, test := range []struct {
		name      string
		src, want string
		change    func(d *domain)
	}{
		// Attributes
		{"value in single quotes", devices("<graphics type = 'vnc'  listen  =  'x'/>"), devices("<graphics type = 'vnc'  listen  =  'a&apos;b\"c&lt;&amp;&gt;&#10;'/>"), listen},
		{"value in double quotes", devices(`<graphics type="vnc" listen="x" />`), devices(`<graphics type="vnc" listen="a'b&quot;c&lt;&amp;&gt;&#10;" />`), listen},
		{"attribute inserted", devices(`<graphics type="vnc"/>`), devices(`<graphics type="vnc" listen="a'b&quot;c&lt;&amp;&gt;&#10;"/>`), listen},
		{"attribute removed", devices("<graphics type='vnc'\n       listen='x' unknown='y'/>"), devices("<graphics type='vnc' unknown='y'/>"), func(d *domain) {
			d.Devices.Graphics[0].VNC.Listen = ""
		}},
		{"zero becomes a number", "<domain type='x'><clock start='0' offset='absolute'/></domain>", "<domain type='x'><clock start='1' offset='absolute'/></domain>", func(d *domain) { d.Clock.Start = 1 }},

		// Texts
		{"number keeps its white space", "<domain><memory unit='KiB'>\n  <!-- x --> 0012 </memory></domain>", "<domain><memory unit='KiB'>\n  <!-- x --> 13 </memory></domain>", func(d *domain) { d.Memory.Value = 13 }},
		{"text in parts", "<domain><title>o<!-- x -->n<![CDATA[<e>]]></title></domain>", "<domain><title>t &amp; o<!-- x --></title></domain>", func(d *domain) { d.Title = "t & o" }},
		{"text in CDATA", "<domain><title><![CDATA[<e>]]></title></domain>", "<domain><title><![CDATA[<t>&]]></title></domain>", func(d *domain) { d.Title = "<t>&" }},
		{"CDATA that cannot be", "<domain><title><![CDATA[<e>]]></title></domain>", "<domain><title>]]&gt;</title></domain>", func(d *domain) { d.Title = "]]>" }},
		{"text that was empty", "<domain><title/><name> </name></domain>", "<domain><title>t</title><name> </name></domain>", func(d *domain) { d.Title = "t" }},
		{"element that counts for nothing", "<domain>\n <iothreads>0</iothreads>\n <on_crash future='1'/>\n</domain>", "<domain>\n <iothreads>1</iothreads>\n <on_crash future='1'>x</on_crash>\n</domain>", func(d *domain) {
			d.IOThreads = 1
			d.OnCrash = "x"
		}},
		{"text removed", "<domain>\n  <title>a</title>\n  <name>b</name>\n</domain>", "<domain>\n  <name>b</name>\n</domain>", func(d *domain) { d.Title = "" }},

		// Elements
		{"swapped", devices(x, a, x, b, x), devices(x, b, x, a, x), swap(0, 1)},
		{"swapped around one", devices(a, x, b, "<hub type='usb'/>", c), devices(c, x, b, "<hub type='usb'/>", a), swap(0, 2)},
		{"first becomes last", devices(a, b, c, e), devices(b, c, e, a), func(d *domain) { d.Devices.Disks = append(d.Devices.Disks[1:4:4], d.Devices.Disks[0]) }},
		{"deleted and appended", devices(a, b, c), devices(b, c, "<disk type='file'>", "  <target dev='new'/>", "</disk>"), func(d *domain) {
			disk := libvirtxml.DomainDisk{Target: &libvirtxml.DomainDiskTarget{Dev: "new"}, Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{}}}
			d.Devices.Disks = append(d.Devices.Disks[1:], disk)
			d.Devices.Disks[2].Source.File.File = ""
		}},
		{"not alone on its line", devices(a+x, x+b+" "+c), devices(x, x+" "+c), func(d *domain) { d.Devices.Disks = d.Devices.Disks[2:] }},
		{"in one line", "<domain><devices/></domain>", "<domain><devices><hub type='usb'/></devices></domain>", func(d *domain) {
			d.Devices.Hubs = append(d.Devices.Hubs, libvirtxml.DomainHub{Type: "usb"})
		}},
		{"first of its parent", "<domain>\n\t<devices/>\n</domain>", "<domain>\n\t<devices>\n\t\t<hub type='usb'/>\n\t</devices>\n</domain>", func(d *domain) {
			d.Devices.Hubs = append(d.Devices.Hubs, libvirtxml.DomainHub{Type: "usb"})
		}},
		{"CRLF", "<domain>\r\n  <name>a</name>\r\n</domain>\r\n", "<domain>\r\n  <name>a</name>\r\n  <title>t</title>\r\n</domain>\r\n", func(d *domain) { d.Title = "t" }},
		{"edited while it moves", devices(a, b), devices(b, strings.Replace(a, "'file'", "'file' device='cdrom'", 1)), func(d *domain) {
			swap(0, 1)(d)
			d.Devices.Disks[1].Device = "cdrom"
		}},
		{"little in it", "<domain><iothreadids><iothread id='1'><f/></iothread></iothreadids></domain>", "<domain><iothreadids><iothread id='2'><f/></iothread></iothreadids></domain>", func(d *domain) {
			d.IOThreadIDs.IOThreads[0].ID = 2
		}},
		{"identical but for what is unknown", devices("<hub type='usb'><a/></hub>", "<hub type='x'/>", "<hub type='usb'><b/></hub>"), devices("<hub type='usb'><a/></hub>", "<hub type='usb'><b/></hub>", "<hub type='x'/>"), func(d *domain) {
			h := d.Devices.Hubs
			h[1], h[2] = h[2], h[1]
		}},

		{"emptied", devices(a), "<domain type='kvm'>\n  <devices>\n  </devices>\n</domain>\n", func(d *domain) { d.Devices.Disks = nil }},
		{"white space that is a text", "<domain><os><nvram type='file'>\n <source file='a'/>\n</nvram></os></domain>", "<domain><os><nvram></nvram></os></domain>", func(d *domain) {
			*d.OS.NVRam = libvirtxml.DomainNVRam{}
		}},
		{"white space that is to stay", "<domain><os><nvram type='file'>\n <source file='a'/>\n</nvram></os></domain>", "<domain><os><nvram>\n \n</nvram></os></domain>", func(d *domain) { d.OS.NVRam.Source = nil }},
		{"text in the place of elements", devices("<rng model='virtio'>", "  <backend model='egd' type='udp'>", "    <source mode='bind' service='1'/><future/>", "  </backend>", "</rng>"), devices("<rng model='virtio'>", "  <backend model='random'>/dev/x<future/></backend>", "</rng>"), func(d *domain) {
			d.Devices.RNGs[0].Backend = &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/x"}}
		}},
		{"named like what is foreign", "<domain xmlns:f='urn:f'>\n <f:commandline><f:arg/></f:commandline>\n</domain>", "<domain xmlns:f='urn:f'>\n <f:commandline><f:arg/></f:commandline>\n <qemu:commandline xmlns:qemu='" + qemuSpace + "'>\n  <qemu:arg value='b'/>\n </qemu:commandline>\n</domain>", func(d *domain) {
			d.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{Args: []libvirtxml.DomainQEMUCommandlineArg{{Value: "b"}}}
		}},

		{"another one in its place", devices("<disk type='file'><source file='1'/><target dev='a' bus='x'/><serial>1</serial><future/></disk>", x, b), devices("<disk type='block'>", "  <source dev='2'/>", "  <target dev='n' bus='y'/>", "  <serial>3</serial>", "</disk>", x, b), func(d *domain) {
			d.Devices.Disks[0] = libvirtxml.DomainDisk{
				Source: &libvirtxml.DomainDiskSource{Block: &libvirtxml.DomainDiskSourceBlock{Dev: "2"}},
				Target: &libvirtxml.DomainDiskTarget{Dev: "n", Bus: "y"},
				Serial: "3",
			}
		}},
		{"all elsewhere and edited", devices(a, b, c, e), devices(c2, a2, e2, b2), func(d *domain) {
			all := d.Devices.Disks
			for i := range all {
				all[i].Device = "cdrom"
			}
			all[0], all[1], all[2], all[3] = all[2], all[0], all[3], all[1]
		}},
		{"one gone, the next edited", devices("<input type='tablet' bus='usb'/>", "<input type='mouse' bus='ps2'><future/></input>"), devices("<input type='mouse' bus='ps2' model='m'><future/></input>"), func(d *domain) {
			d.Devices.Inputs = d.Devices.Inputs[1:]
			d.Devices.Inputs[0].Model = "m"
		}},
		{"one gone, one like it new", devices(a, b), devices(b, "<disk type='file'>", "  <target dev='new'/>", "</disk>"), func(d *domain) {
			d.Devices.Disks[0].Target = &libvirtxml.DomainDiskTarget{Dev: "new"}
			swap(0, 1)(d)
		}},
		{"edited and one new", "<domain><iothreadids><iothread id='1'><f/></iothread></iothreadids></domain>", "<domain><iothreadids><iothread id='2'><f/></iothread><iothread id='3'/></iothreadids></domain>", func(d *domain) {
			d.IOThreadIDs.IOThreads = []libvirtxml.DomainIOThread{{ID: 2}, {ID: 3}}
		}},
		{"sources in another order", devices("<serial type='udp'><source mode='connect' host='h' service='1'/><source mode='bind' host='i' service='2'/></serial>"), devices("<serial type='udp'><source mode='connect' host='h' service='9'/><source mode='bind' host='i' service='2'/></serial>"), func(d *domain) {
			d.Devices.Serials[0].Source.UDP.ConnectService = "9"
		}},
		{"indented like its neighbour", "<domain>\n <name>a</name>\n      <uuid>b</uuid>\n</domain>", "<domain>\n <name>a</name>\n      <uuid>b</uuid>\n      <title>t</title>\n</domain>", func(d *domain) { d.Title = "t" }},

		// Namespaces and metadata
		{"prefix declared", "<domain xmlns:q='" + qemuSpace + "'>\n</domain>", "<domain xmlns:q='" + qemuSpace + "'>\n  <q:commandline>\n    <q:arg value='b'/>\n  </q:commandline>\n</domain>", func(d *domain) {
			d.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{Args: []libvirtxml.DomainQEMUCommandlineArg{{Value: "b"}}}
		}},
		{"prefix of the document", "<domain xmlns:q='" + qemuSpace + "'>\n <q:commandline>\n  <q:arg value='a'/>\n </q:commandline>\n</domain>", "<domain xmlns:q='" + qemuSpace + "'>\n <q:commandline>\n  <q:arg value='a'/>\n  <q:arg value='b'/>\n  <q:env name='n'/>\n </q:commandline>\n</domain>", func(d *domain) {
			d.QEMUCommandline.Args = append(d.QEMUCommandline.Args, libvirtxml.DomainQEMUCommandlineArg{Value: "b"})
			d.QEMUCommandline.Envs = append(d.QEMUCommandline.Envs, libvirtxml.DomainQEMUCommandlineEnv{Name: "n"})
		}},
		{"namespace not declared", "<domain>\n <name>a</name>\n</domain>", "<domain>\n <name>a</name>\n <lxc:namespace xmlns:lxc='http://libvirt.org/schemas/domain/lxc/1.0'>\n  <lxc:sharenet type='a' value='b'/>\n </lxc:namespace>\n</domain>", func(d *domain) {
			d.LXCNamespace = &libvirtxml.DomainLXCNamespace{ShareNet: &libvirtxml.DomainLXCNamespaceMap{Type: "a", Value: "b"}}
		}},
		{"prefix taken", "<domain xmlns:qemu='urn:other'><name>a</name></domain>", "<domain xmlns:qemu='urn:other'><name>a</name><commandline xmlns='" + qemuSpace + "'><arg value='b'/></commandline></domain>", func(d *domain) {
			d.QEMUCommandline = &libvirtxml.DomainQEMUCommandline{Args: []libvirtxml.DomainQEMUCommandlineArg{{Value: "b"}}}
		}},
		{"default namespace", "<d:domain xmlns:d='urn:d'><d:name>a</d:name></d:domain>", "<d:domain xmlns:d='urn:d'><d:name>a</d:name><d:title>t</d:title></d:domain>", func(d *domain) { d.Title = "t" }},
		{"metadata", "<domain>\n<metadata xmlns:m='urn:m'  ><m:a/> </metadata></domain>", "<domain>\n<metadata xmlns:m='urn:m'  ><m:a/> <m:b  /></metadata></domain>", func(d *domain) {
			d.Metadata.XML += "<m:b  />"
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := edited(t, test.src, test.change)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"several for one", "<domain><memory>1</memory><memory>2</memory></domain>", "/domain/memory[1]: " + reasonSeveral},
		{"foreign attribute", "<domain xmlns:f='urn:f'><memory f:unit='KiB'>1</memory></domain>", "/domain/memory/@unit: " + reasonForeign},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := edited(t, test.src, func(d *libvirtxml.Domain) { d.Memory.Value, d.Memory.Unit = 3, "MiB" })
			require.EqualError(t, err, test.want)
			assert.IsType(t, Refusals{}, err)
			_, err = edited(t, strings.Replace(test.src, "</domain>", "<title>a</title></domain>", 1), func(d *libvirtxml.Domain) { d.Title = "b" })
			require.NoError(t, err, "an edit of something else")
		})
	}
}

// What the typed view could not make sense of is not written over.
func TestLeftOut(t *testing.T) {
	src := devices("<disk type='file'><address type='future' x='1'/></disk>")
	view := "<domain type=\"kvm\">\n  <devices>\n    <disk type=\"file\">%</disk>\n  </devices>\n</domain>"
	before, after := strings.ReplaceAll(view, "%", ""), strings.ReplaceAll(view, "%", "\n      <address type=\"pci\"></address>\n    ")
	var o Options
	result, err := Apply([]byte(src), []byte(before), []byte(after), o)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(src, "future", "pci", 1), string(result))

	o.LeftOut = append(o.LeftOut, span(src, "<address type='future' x='1'/>"))
	_, err = Apply([]byte(src), []byte(before), []byte(after), o)
	assert.EqualError(t, err, "/domain/devices/disk/address: "+reasonLeftOut)
}

// An element that the typed view left out of a list is not taken for one of those
// in it, nor an attribute that it left out written over.
func TestLeftOutOfList(t *testing.T) {
	view := func(models ...string) []byte {
		all := "<domain>\n  <devices>\n"
		for i, m := range models {
			all += fmt.Sprintf("    <disk type=\"file\" model=%q>\n      <serial>%d</serial>\n    </disk>\n", m, i)
		}
		return []byte(all + "  </devices>\n</domain>")
	}
	disk := "<disk type='%s' model='%s'><serial>%s</serial></disk>"
	src := devices(fmt.Sprintf(disk, "file", "m", "0"), fmt.Sprintf(disk, "future", "m", "1"), fmt.Sprintf(disk, "file", "m", "1"))
	want := strings.Replace(src, "'file' model='m'><serial>1", "'file' model='x'><serial>1", 1)
	result, err := Apply([]byte(src), view("m", "m"), view("m", "x"), Options{})
	require.NoError(t, err)
	assert.Equal(t, want, string(result))

	src = devices("<disk type='future' model='m'/>")
	o := Options{LeftOut: []xmlscan.Span{span(src, "type='future'")}}
	for _, to := range []string{" type=\"file\"", ""} {
		before, after := "<domain>\n  <devices>\n    <disk model=\"m\"></disk>\n  </devices>\n</domain>", "<domain>\n  <devices>\n    <disk"+to+" model=\"x\"></disk>\n  </devices>\n</domain>"
		result, err = Apply([]byte(src), []byte(before), []byte(after), o)
		if to == "" {
			require.NoError(t, err)
			assert.Equal(t, strings.Replace(src, "'m'", "'x'", 1), string(result))
			continue
		}
		assert.Nil(t, result)
		assert.EqualError(t, err, "/domain/devices/disk/@type: "+reasonLeftOut)
	}
}

// What the typed view makes up is not written, unless it is edited.
func TestMadeUp(t *testing.T) {
	const src = "<domain>\n  <name>a</name>\n</domain>"
	view := func(name, unit string) []byte {
		return []byte("<domain>\n  <name>" + name + "</name>\n  <memory unit=\"" + unit + "\"></memory>\n</domain>")
	}
	result, err := Apply([]byte(src), view("a", "k"), view("b", "k"), Options{})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(src, ">a<", ">b<", 1), string(result))
	result, err = Apply([]byte(src), view("a", "k"), view("a", "m"), Options{})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(src, "</name>", "</name>\n  <memory unit='m'/>", 1), string(result))

	list := func(last string) []byte {
		return []byte("<domain>\n  <devices>\n    <hub type=\"usb\"></hub>\n    <hub type=\"" + last + "\"></hub>\n  </devices>\n</domain>")
	}
	result, err = Apply([]byte(devices("<hub type='a'/>")), list("a"), list("b"), Options{})
	require.NoError(t, err)
	assert.Equal(t, devices("<hub type='b'/>"), string(result))
}

// Nothing that is in a document, or was put into it, is in an error.
func TestNoSecretsInErrors(t *testing.T) {
	for _, docs := range [][3]string{
		{"<domain>SECRET", "<domain></domain>", "<domain>\n  <title>SECRET</title>\n</domain>"},
		{"<domain a='SECRET' a='x'/>", "<domain></domain>", "<domain>\n  <title>SECRET</title>\n</domain>"},
		{"<domain/>", "<domain></domain>", "<domain>\n  <metadata>SECRET</b></metadata>\n</domain>"},
		{"<network>SECRET</network>", "<domain></domain>", "<domain>\n  <title>SECRET</title>\n</domain>"},
	} {
		_, err := Apply([]byte(docs[0]), []byte(docs[1]), []byte(docs[2]), Options{})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "SECRET")
	}
}

func TestCheck(t *testing.T) {
	const after = "<domain a=\"1\" b=\"2\">\n  <x>SECRET</x>\n  <y></y>\n  <l></l>\n  <l></l>\n</domain>"
	assert.Nil(t, Check([]byte(after), []byte(after)))
	const again = "<domain a=\"3\" c=\"2\">\n  <x>s</x>\n  <l></l>\n  <z></z>\n</domain>"
	got := Check([]byte(after), []byte(again)).Error()
	assert.Equal(t, "/domain/@a: the result reads differently; /domain/@b: the result lacks it; /domain/@c: the result has it unexpectedly; "+
		"/domain/x: the result reads differently; /domain/l[1]: the result has another number of these; /domain/z: the result has it unexpectedly; /domain/y: the result lacks it", got)
}
