package document

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/abi"
	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/splice"
)

// eachDomain calls f with recorded domains and, where there is a corpus, every so manieth of it.
func eachDomain(t *testing.T, every int, f func(name string, xml []byte)) {
	for _, c := range captures.All() {
		if strings.HasPrefix(string(c.XML), "<domain") {
			f(c.Version+" "+c.Name, c.XML)
		}
	}
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		return
	}
	n := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		xml, err := os.ReadFile(path)
		if n++; n%every == 0 && strings.Contains(string(xml), "<domain ") {
			f(path, xml)
		}
		return err
	}))
}

// leaves are the strings in a document that are not empty.
func leaves(v reflect.Value) (found []reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return leaves(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, leaves(v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, leaves(v.Index(i))...)
		}
	case reflect.String:
		if v.String() != "" {
			found = append(found, v)
		}
	}
	return found
}

var domain = coding[libvirtxml.Domain]{codec.ViewDomain, codec.EncodeDomain, codec.CompareDomain}

// The short way and the long way write the same bytes.
func TestShortWayIsTheLongWay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []string{"x", "/new path/with <&'\"> in it", "ü", "0", "yes"}
	short, long, refused := 0, 0, map[string]int{}
	eachDomain(t, 4, func(name string, xml []byte) {
		first, report, err := codec.ViewDomain(xml)
		if err != nil {
			return
		}
		n := len(leaves(reflect.ValueOf(first)))
		for range min(n, 40) {
			edited, _, err := codec.DecodeDomain(xml)
			require.NoError(t, err)
			all := leaves(reflect.ValueOf(edited))
			for range 1 + r.IntN(2)*r.IntN(3) { // mostly one
				leaf := all[r.IntN(n)]
				leaf.SetString(values[r.IntN(len(values))])
			}
			result, err := ApplyDomain(xml, edited)
			if err != nil || result.Paths == nil {
				long++
				continue
			}
			short++
			out, back, err := domain.longWay("domain", xml, first, edited, report)
			if err != nil {
				refused[result.Paths[0]+": "+err.Error()]++
				continue
			}
			assert.Equal(t, string(out), string(result.XML), "%s: %v", name, result.Paths)
			assert.Equal(t, back, result.After)
			if slices.ContainsFunc(result.Paths, abi.Compares) {
				assert.Equal(t, first, result.Before)
			} else {
				assert.Nil(t, result.Before, result.Paths)
			}
		}
	})
	t.Logf("%d the short way, %d the long way", short, long)
	for what, n := range refused {
		t.Logf("refused by the long way alone, %d times: %s", n, what)
	}
	assert.Greater(t, short, long/4)
}

// Passing over the devices that have not changed makes no difference to what is written.
func TestValuesBesideUnchangedDevices(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	put, refused, passed := 0, 0, 0
	eachDomain(t, 4, func(name string, xml []byte) {
		for range 10 {
			edited, _, err := codec.DecodeDomain(xml)
			if err != nil {
				return
			}
			all := leaves(reflect.ValueOf(edited))
			for range 1 + r.IntN(3) {
				all[r.IntN(len(all))].SetString("/x")
			}
			var same codec.Same
			values, ok, err := codec.CompareDomain(xml, edited, &same)
			require.NoError(t, err)
			if !ok {
				continue
			}
			want, wantPaths, wantOK := splice.Values(xml, slices.Clone(values), nil)
			got, paths, ok := splice.Values(xml, values, same.Devices())
			assert.Equal(t, wantOK, ok, name)
			assert.Equal(t, wantPaths, paths, name)
			assert.Equal(t, string(want), string(got), name)
			if passed += len(same.Devices()); ok {
				put++
			} else {
				refused++
			}
		}
	})
	t.Log(put, refused, passed)
	assert.Positive(t, put)
	assert.Positive(t, refused)
	assert.Positive(t, passed)
}

// A document and a domain are equal when reflect says so of the domain that the
// document is decoded to.
func TestComparisonIsDeepEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	same, other := 0, 0
	eachDomain(t, 20, func(name string, xml []byte) {
		a, _, err := codec.DecodeDomain(xml)
		if err != nil {
			return
		}
		for range 20 {
			b, _, err := codec.DecodeDomain(xml)
			require.NoError(t, err)
			if r.IntN(4) > 0 {
				disturb(r, reflect.ValueOf(b).Elem())
			}
			want := reflect.DeepEqual(a, b)
			if want {
				same++
			} else {
				other++
			}
			values, ok, err := codec.CompareDomain(xml, b, nil)
			require.NoError(t, err, name)
			assert.Equal(t, want, ok && len(values) == 0, name)
		}
	})
	assert.Positive(t, same)
	assert.Positive(t, other)
}

// disturb changes something somewhere in a value.
func disturb(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		switch {
		case v.IsNil():
			v.Set(reflect.New(v.Type().Elem()))
		case r.IntN(8) == 0:
			v.SetZero()
		default:
			disturb(r, v.Elem())
		}
	case reflect.Struct:
		if v.NumField() > 0 {
			disturb(r, v.Field(r.IntN(v.NumField())))
		}
	case reflect.Slice:
		switch n := v.Len(); {
		case n == 0:
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(2), 1))
		case r.IntN(8) == 0:
			v.SetLen(n - 1)
		default:
			disturb(r, v.Index(r.IntN(n)))
		}
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	}
}

// What only looks like a change of values takes the long way.
func TestLongWay(t *testing.T) {
	for name, c := range map[string]struct {
		xml  string
		edit func(*libvirtxml.Domain)
	}{
		"swapped":   {`<domain><devices><serial><alias name='a'/></serial><serial><alias name='b'/></serial></devices></domain>`, func(d *libvirtxml.Domain) { s := d.Devices.Serials; s[0], s[1] = s[1], s[0] }},
		"emptied":   {`<domain><title>t</title></domain>`, func(d *libvirtxml.Domain) { d.Title = "" }},
		"entity":    {`<domain><title>a&amp;b</title></domain>`, func(d *libvirtxml.Domain) { d.Title = "c" }},
		"comment":   {`<domain><title>a<!-- b --></title></domain>`, func(d *libvirtxml.Domain) { d.Title = "c" }},
		"CDATA":     {`<domain><title><![CDATA[a]]></title></domain>`, func(d *libvirtxml.Domain) { d.Title = "c" }},
		"number":    {`<domain><vcpu>1</vcpu></domain>`, func(d *libvirtxml.Domain) { d.VCPU.Value = 2 }},
		"metadata":  {`<domain><metadata><a xmlns='b'/></metadata></domain>`, func(d *libvirtxml.Domain) { d.Metadata.XML = "<c xmlns='b'/>" }},
		"line feed": {`<domain><title>a</title></domain>`, func(d *libvirtxml.Domain) { d.Title = "a\nb" }},
		"namespace": {`<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:commandline><q:arg value='a'/></q:commandline></domain>`, func(d *libvirtxml.Domain) { d.QEMUCommandline.Args[0].Value = "b" }},
	} {
		d, _, err := codec.DecodeDomain([]byte(c.xml))
		require.NoError(t, err, name)
		c.edit(d)
		result, err := ApplyDomain([]byte(c.xml), d)
		require.NoError(t, err, name)
		assert.NotNil(t, result.XML, name)
		assert.Nil(t, result.Paths, name)
	}
}

func TestShortWay(t *testing.T) {
	const raw = `<domain type="kvm"><!-- a --><title>t</title><devices>
  <disk><source file='/a' x='1'/><target dev='vda'/></disk>
  <disk><source file="/b"/><target dev='vdb'/></disk></devices></domain>`
	d, _, err := codec.DecodeDomain([]byte(raw))
	require.NoError(t, err)
	d.Title = "<t>"
	d.Devices.Disks[0].Source.File.File = "/it's"
	d.Devices.Disks[1].Source.File.File = "/it's"
	result, err := ApplyDomain([]byte(raw), d)
	require.NoError(t, err)
	want := strings.NewReplacer(">t<", ">&lt;t&gt;<", "'/a'", "'/it&apos;s'", `"/b"`, `"/it's"`).Replace(raw)
	assert.Equal(t, want, string(result.XML))
	assert.Equal(t, []string{"/domain/title", "/domain/devices/disk/source/@file"}, result.Paths)
	_, _, ok := splice.Values([]byte(raw), nil, nil)
	assert.True(t, ok)
}

// An attribute of somebody else's namespace is never written over, though the typed
// view takes it for libvirt's.
func TestPrefixedAttribute(t *testing.T) {
	const raw = `<domain xmlns:x='urn:x'><devices><disk><target x:dev='a' bus='ide'/></disk></devices></domain>`
	d, _, err := codec.DecodeDomain([]byte(raw))
	require.NoError(t, err)
	require.Equal(t, "a", d.Devices.Disks[0].Target.Dev)
	d.Devices.Disks[0].Target.Dev = "b"
	result, err := ApplyDomain([]byte(raw), d)
	assert.ErrorContains(t, err, "/domain/devices/disk/target/@dev")
	assert.Nil(t, result.XML)
}

// The first IOMMU is in two fields. Where they no longer agree, what is written for one
// reads back into both.
func TestTwoFieldsOfOnePlace(t *testing.T) {
	const raw = "<domain><devices><iommu model='intel'/></devices></domain>"
	d, _, err := codec.DecodeDomain([]byte(raw))
	require.NoError(t, err)
	d.Devices.IOMMU = &libvirtxml.DomainIOMMU{Model: "smmuv3"}
	result, err := ApplyDomain([]byte(raw), d)
	assert.ErrorContains(t, err, "IOMMU field must match")
	assert.Nil(t, result.XML)
}
