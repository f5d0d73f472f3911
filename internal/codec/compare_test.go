package codec

import (
	"bytes"
	"encoding/xml"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

func compareAny(src []byte, v any) ([]Value, bool, error) {
	switch v := v.(type) {
	case *libvirtxml.Domain:
		return CompareDomain(src, v, nil)
	case *libvirtxml.Network:
		return CompareNetwork(src, v, nil)
	}
	return CompareNetworkPort(src, v.(*libvirtxml.NetworkPort), nil)
}

// whole is CompareDomain with all of the document in memory, and goes on where that
// has seen enough.
func whole(t *testing.T, src []byte, now *libvirtxml.Domain) ([]Value, bool) {
	t.Helper()
	old, _, err := ViewDomain(src)
	require.NoError(t, err)
	d := difference{raw: src}
	d.domain(old, now)
	return d.values, !d.other
}

// many is a size that the memory of devices does not last for.
const many = 16 << 10

// longDomain is a domain with its devices so often that their memory is used again and
// again while they are compared, in two elements; nil where it has none.
func longDomain(s sample) []byte {
	devices, ok := between(string(s.src), "<devices>", "</devices>")
	if s.root != "domain" || !ok || strings.TrimSpace(devices) == "" {
		return nil
	}
	times := many/len(devices) + 2
	twice := strings.Repeat(devices, times) + "</devices><devices>" + strings.Repeat(devices, times)
	return []byte(strings.Replace(string(s.src), devices, twice, 1))
}

func between(s, from, to string) (string, bool) {
	_, rest, ok := strings.Cut(s, from)
	middle, _, closed := strings.Cut(rest, to)
	return middle, ok && closed
}

func TestUntouchedDocumentsDoNotDiffer(t *testing.T) {
	equal := func(name, root string, src []byte) {
		v, _, err := decoders[root](src)
		require.NoError(t, err, name)
		values, ok, err := compareAny(src, v)
		require.NoError(t, err, name)
		require.True(t, ok, name)
		require.Empty(t, values, name)
	}
	documents, long := 0, 0
	for _, s := range withLarge(t) {
		equal(s.name, s.root, s.src)
		documents++
		if src := longDomain(s); src != nil {
			equal("long "+s.name, s.root, src)
			long++
		}
	}
	t.Logf("%d documents, and %d of them with many devices", documents, long)
}

// What is not in lists, or twice in the domain, outlives the devices after it.
func TestComparisonKeepsWhatIsNotInLists(t *testing.T) {
	const address = "<alias name='a'/><address type='pci' domain='0x0000' bus='0x01' slot='0x02' function='0x3'/>"
	disks := func(n int) string {
		return strings.Repeat("<disk><source file='/x'/><target dev='vda'/>"+strings.ReplaceAll(address, "0x0", "0x9")+"</disk>", n)
	}
	for _, name := range []string{"memballoon", "nvram", "vsock", "iommu", "emulator"} {
		device := "<" + name + " model='virtio'>" + address + "</" + name + ">"
		src := []byte("<domain><devices>" + disks(3) + device + disks(200) + device + disks(200) + "</devices></domain>")
		require.Greater(t, len(src), many)
		now, _, err := DecodeDomain(src)
		require.NoError(t, err)
		values, ok, err := CompareDomain(src, now, nil)
		require.NoError(t, err)
		assert.True(t, ok, name)
		assert.Empty(t, values, name)
	}
}

// Comparing while decoding finds what comparing afterwards does.
func TestComparisonIsThatOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	counts := map[string]int{}
	check := func(what string, src []byte, edit func(*libvirtxml.Domain)) {
		now, _, err := DecodeDomain(src)
		require.NoError(t, err)
		edit(now)
		values, ok, err := CompareDomain(src, now, nil)
		require.NoError(t, err)
		wantValues, wantOK := whole(t, src, now)
		require.Equal(t, wantOK, ok, what)
		if ok {
			require.ElementsMatch(t, wantValues, values, what)
		}
		switch {
		case !ok:
			counts["other"]++
		case len(values) > 0:
			counts["values"]++
		default:
			counts["same"]++
		}
	}
	for _, s := range withLarge(t) {
		if s.root != "domain" {
			continue
		}
		for _, src := range [][]byte{s.src, longDomain(s)} {
			if src == nil || len(src) > 100_000 {
				continue
			}
			check(s.name+": anything", src, func(d *libvirtxml.Domain) { disturb(r, reflect.ValueOf(d).Elem()) })
			check(s.name+": some leaves", src, func(d *libvirtxml.Domain) {
				var all []reflect.Value
				leavesOf(reflect.ValueOf(d), func(l reflect.Value) {
					if l.Kind() == reflect.String && l.String() != "" || r.IntN(8) == 0 {
						all = append(all, l)
					}
				})
				for range 1 + r.IntN(3) {
					if len(all) > 0 {
						change(all[r.IntN(len(all))])
					}
				}
			})
			check(s.name+": all sources", src, func(d *libvirtxml.Domain) {
				for i := range orZero(d.Devices).Disks {
					if s := d.Devices.Disks[i].Source; s != nil && s.File != nil {
						s.File.File += "x"
					}
				}
			})
		}
	}
	t.Log(counts)
	for _, result := range []string{"other", "values", "same"} {
		assert.Positive(t, counts[result], result)
	}
}

// What a comparison has found to be the same saves decoding, and changes no answer.
func TestComparisonWithWhatIsKnown(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	counts := map[string]int{}
	for _, s := range withLarge(t) {
		if s.root != "domain" || len(s.src) > 100_000 || r.IntN(4) > 0 {
			continue
		}
		now, _, err := DecodeDomain(s.src)
		require.NoError(t, err)
		for i := range orZero(now.Devices).Disks {
			if s := now.Devices.Disks[i].Source; s != nil && s.File != nil && r.IntN(2) == 0 {
				s.File.File += "x"
			}
		}
		var same Same
		if _, ok, err := CompareDomain(s.src, now, &same); err != nil || !ok {
			continue
		}
		for range 10 {
			src := bytes.Clone(s.src)
			for range r.IntN(3) {
				if at := r.IntN(len(src)); src[at] >= '0' && src[at] <= '9' || src[at] >= 'a' && src[at] <= 'z' {
					src[at] = "0123456789abcdef"[r.IntN(16)]
				}
			}
			wantValues, wantOK, wantErr := CompareDomain(src, now, nil)
			values, ok, err := CompareDomain(src, now, &same)
			require.Equal(t, wantErr, err, s.name)
			require.Equal(t, wantOK, ok, s.name)
			require.Equal(t, wantValues, values, s.name)
			switch {
			case !ok:
				counts["other"]++
			case len(values) > 0:
				counts["values"]++
			default:
				counts["same"]++
			}
		}
	}
	t.Log(counts)
	for _, result := range []string{"other", "values", "same"} {
		assert.Positive(t, counts[result], result)
	}
}

// Only a device that is there as it was, in its place, is known.
func TestWhatIsKnown(t *testing.T) {
	const a, b, c, edited = "<disk><source file='/a'/></disk>", "<disk><source file='/b'/></disk>", "<disk><source file='/c'/></disk>", "<disk><source file='/x'/></disk>"
	doc := func(devices ...string) []byte {
		return []byte("<domain><devices>" + strings.Join(devices, "\n") + "</devices></domain>")
	}
	now, _, err := DecodeDomain(doc(edited, b, c))
	require.NoError(t, err)
	var same Same
	values, ok, err := CompareDomain(doc(a, b, c), now, &same)
	require.NoError(t, err)
	require.True(t, ok)
	require.Len(t, values, 1)
	require.Len(t, same.Devices(), 3)
	assert.Zero(t, same.Devices()[0])
	for i, want := range []string{"", b, c} {
		s := same.Devices()[i]
		assert.Equal(t, want, string(doc(a, b, c)[s.From:s.To]))
	}
	for what, x := range map[string]struct {
		src    []byte
		differ int // how many values, -1 for more
	}{
		"edited":         {doc(edited, b, c), 0},
		"not edited":     {doc(a, b, c), 1},
		"another":        {doc(edited, a, c), 1},
		"longer":         {doc(edited, strings.Replace(b, "/b", "/bb", 1), c), 1},
		"changed places": {doc(edited, c, b), -1},
		"one more":       {doc(edited, b, c, c), -1},
		"one less":       {doc(edited, b), -1},
		"another kind":   {doc(edited, strings.ReplaceAll(b, "disk", "lease"), c), -1},
	} {
		values, ok, err := CompareDomain(x.src, now, &same)
		require.NoError(t, err, what)
		assert.Equal(t, x.differ >= 0, ok, what)
		assert.Len(t, values, max(x.differ, 0), what)
	}
	_, _, err = CompareDomain([]byte("<domain><devices>"+edited+b+"<disk><source file='/c'/>"), now, &same)
	assert.Error(t, err)
}

// Nil is not an empty list, neither where devices are compared one by one.
func TestComparisonTellsNilFromEmpty(t *testing.T) {
	src := []byte("<domain><title>" + strings.Repeat("a", many) + "</title><devices><disk/></devices></domain>")
	for what, c := range map[string]struct {
		edit func(*libvirtxml.DomainDeviceList)
		same bool
	}{
		"as it is":        {func(*libvirtxml.DomainDeviceList) {}, true},
		"an empty list":   {func(d *libvirtxml.DomainDeviceList) { d.Channels = []libvirtxml.DomainChannel{} }, false},
		"no list":         {func(d *libvirtxml.DomainDeviceList) { d.Disks = nil }, false},
		"a list emptied":  {func(d *libvirtxml.DomainDeviceList) { d.Disks = d.Disks[:0] }, false},
		"one more":        {func(d *libvirtxml.DomainDeviceList) { d.Disks = append(d.Disks, libvirtxml.DomainDisk{}) }, false},
		"another kind":    {func(d *libvirtxml.DomainDeviceList) { d.Inputs = make([]libvirtxml.DomainInput, 1) }, false},
		"no device lists": {nil, false},
	} {
		now, _, err := DecodeDomain(src)
		require.NoError(t, err)
		if c.edit == nil {
			now.Devices = nil
		} else {
			c.edit(now.Devices)
		}
		values, ok, err := CompareDomain(src, now, nil)
		require.NoError(t, err)
		assert.Equal(t, c.same, ok, what)
		assert.Empty(t, values, what)
	}
}

// A comparison keeps neither the document nor what it was compared with, and changes
// nothing of that.
func TestComparisonKeepsNothing(t *testing.T) {
	src := sized(t, 30_000)
	now, _, err := DecodeDomain(src)
	require.NoError(t, err)
	want, _, err := DecodeDomain(src)
	require.NoError(t, err)
	for range 3 {
		values, ok, err := CompareDomain(src, now, nil)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Empty(t, values)
		assert.Equal(t, want, now)
		spare := spareComparison.Load()
		require.NotNil(t, spare)
		assert.True(t, reflect.ValueOf(spare).Elem().IsZero())
	}
}

func TestComparisonOfWhatIsNoDomain(t *testing.T) {
	now, _, err := DecodeDomain([]byte("<domain><devices><disk/></devices></domain>"))
	require.NoError(t, err)
	for src, says := range map[string]string{
		"":                         "document is empty",
		"<network/>":               "element is <network>, not <domain>",
		"<domain><devices><disk/>": "is not closed",
		"<domain/><domain/>":       "second root element",
	} {
		_, ok, err := CompareDomain([]byte(src), now, nil)
		assert.False(t, ok, src)
		assert.ErrorContains(t, err, says)
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

// leaves calls visit for every string and number in a typed value.
func leavesOf(v reflect.Value, visit func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			leavesOf(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			leavesOf(v.Index(i), visit)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[xml.Name]() {
			return
		}
		for i := range v.NumField() {
			switch {
			case v.Type() == reflect.TypeFor[libvirtxml.DomainDeviceList]() && v.Type().Field(i).Name == "IOMMU":
				continue // IOMMUs has it
			case v.Type().Field(i).Tag.Get("xml") == ",innerxml":
				continue // XML, and not any string
			}
			leavesOf(v.Field(i), visit)
		}
	default:
		visit(v)
	}
}

func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "<&x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	default:
		v.SetUint(v.Uint() + 1)
	}
}

// disturb removes, adds, swaps or replaces something at random.
func disturb(r *rand.Rand, v reflect.Value) string {
	type place struct {
		v    reflect.Value
		name string
	}
	var places []place
	var collect func(v reflect.Value, name string)
	collect = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				collect(v.Elem(), name)
			}
			places = append(places, place{v, name})
		case reflect.Slice:
			for i := range v.Len() {
				collect(v.Index(i), name)
			}
			places = append(places, place{v, name})
		case reflect.Struct:
			if v.Type() != reflect.TypeFor[xml.Name]() {
				for i := range v.NumField() {
					if f := v.Type().Field(i); f.Name != "IOMMU" {
						collect(v.Field(i), name+"."+f.Name)
					}
				}
			}
		}
	}
	collect(v, "")
	for range 50 {
		p := places[r.IntN(len(places))]
		switch kind := r.IntN(6); {
		case p.v.Kind() == reflect.Pointer && kind < 3:
			if p.v.IsNil() {
				fresh := reflect.New(p.v.Type().Elem())
				fill(r, fresh.Elem(), 3)
				p.v.Set(fresh)
				return "new " + p.name
			}
			p.v.SetZero()
			return "nil " + p.name
		case p.v.Kind() != reflect.Slice:
		case kind == 3 && p.v.Len() > 0:
			i := r.IntN(p.v.Len())
			list := reflect.AppendSlice(reflect.MakeSlice(p.v.Type(), 0, 0), p.v.Slice(0, i))
			p.v.Set(reflect.AppendSlice(list, p.v.Slice(i+1, p.v.Len())))
			return "delete " + p.name
		case kind == 4:
			i := r.IntN(p.v.Len() + 1)
			one := reflect.New(p.v.Type().Elem()).Elem()
			fill(r, one, 3)
			list := reflect.AppendSlice(reflect.MakeSlice(p.v.Type(), 0, 0), p.v.Slice(0, i))
			p.v.Set(reflect.AppendSlice(reflect.Append(list, one), p.v.Slice(i, p.v.Len())))
			return "insert " + p.name
		case p.v.Len() > 1:
			i, j := r.IntN(p.v.Len()), r.IntN(p.v.Len())
			reflect.Swapper(p.v.Interface())(i, j)
			return "swap " + p.name
		}
	}
	return "nothing"
}
