package codec

import (
	"bytes"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

// views are decoders without the copy of the document.
var views = map[string]func([]byte) (any, *Report, error){
	"domain":      func(src []byte) (any, *Report, error) { return ViewDomain(src) },
	"network":     func(src []byte) (any, *Report, error) { return ViewNetwork(src) },
	"networkport": func(src []byte) (any, *Report, error) { return ViewNetworkPort(src) },
}

// eachValue calls visit for v and all that it leads to.
func eachValue(v reflect.Value, visit func(reflect.Value)) {
	visit(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachValue(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachValue(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachValue(v.Field(i), visit)
		}
	}
}

// withLarge is samples and domains of several sizes, whose values do not fit in the
// room there is at first.
func withLarge(t *testing.T) []sample {
	all := samples(t)
	for _, size := range []int{7_000, 30_000, 150_000} {
		all = append(all, sample{"large", "domain", sized(t, size)})
	}
	return all
}

// Values share allocations; what is appended to a decoded list overwrites none of them.
func TestListsDoNotAlias(t *testing.T) {
	for _, s := range withLarge(t) {
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		want, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		eachValue(reflect.ValueOf(v), func(v reflect.Value) {
			if v.Kind() != reflect.Slice || v.Len() == v.Cap() {
				return
			}
			room := v.Slice3(0, v.Cap(), v.Cap())
			for i := v.Len(); i < v.Cap(); i++ {
				require.True(t, room.Index(i).IsZero(), "%s: %s has room that is in use", s.name, v.Type())
				room.Index(i).Set(v.Index(0)) // as append does
			}
		})
		if !reflect.DeepEqual(want, v) {
			require.Equal(t, want, v, s.name)
		}
	}
}

// No two pointers lead to one value, but for the IOMMU that libvirtxml has twice.
func TestPointersDoNotAlias(t *testing.T) {
	for _, s := range withLarge(t) {
		v, _, err := decoders[s.root](s.src)
		require.NoError(t, err, s.name)
		type value struct {
			at  unsafe.Pointer
			typ reflect.Type
		}
		seen := map[value]bool{}
		if v, ok := v.(*libvirtxml.Domain); ok && v.Devices != nil {
			v.Devices.IOMMU = nil
		}
		eachValue(reflect.ValueOf(v), func(v reflect.Value) {
			if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().Size() == 0 {
				return
			}
			x := value{v.UnsafePointer(), v.Type()}
			require.False(t, seen[x], "%s: two pointers lead to one %s", s.name, v.Type().Elem())
			seen[x] = true
		})
	}
}

// The strings of a decoded document live on when its bytes change; those of a view are
// the bytes themselves.
func TestWhoseBytesStringsAre(t *testing.T) {
	src := []byte(`<domain type="kvm"><name>guest</name><description>a &amp; b</description></domain>`)
	inside := func(s string) bool {
		at, from := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(&src[0]))
		return at >= from && at < from+uintptr(len(src))
	}
	view, _, err := ViewDomain(src)
	require.NoError(t, err)
	assert.True(t, inside(view.Name))
	assert.True(t, inside(view.Type))
	assert.False(t, inside(view.Description), "resolved, so not as it is in the document")
	v, _, err := DecodeDomain(src)
	require.NoError(t, err)
	require.Equal(t, view, v)

	copy(src, bytes.ToUpper(src))
	assert.Equal(t, "guest", v.Name)
	assert.Equal(t, "kvm", v.Type)
	assert.Equal(t, "a & b", v.Description)
}

// A view is what decoding gives, and leaves the bytes as they are.
func TestViews(t *testing.T) {
	for _, s := range withLarge(t) {
		src := bytes.Clone(s.src)
		want, report, err := decoders[s.root](src)
		require.NoError(t, err, s.name)
		got, gotReport, err := views[s.root](src)
		require.NoError(t, err, s.name)
		if !reflect.DeepEqual(want, got) {
			require.Equal(t, want, got, s.name)
		}
		require.Equal(t, report.Len(), gotReport.Len(), s.name)
		require.True(t, bytes.Equal(s.src, src), s.name)
	}
}

// A decoder that is used again keeps nothing of the document before.
func TestDecodersAreUsedAgain(t *testing.T) {
	large := sized(t, 30_000)
	small := []byte("<domain><name>a</name><nothing/></domain>")
	want, report, err := DecodeDomain(small)
	require.NoError(t, err)
	require.Equal(t, 1, report.Len())
	for _, before := range []string{string(large), "<domain><a:b/><c", "<network/>", strings.Replace(string(large), "</disk>", "", 1)} {
		_, _, _ = DecodeDomain([]byte(before))
		got, report, err := DecodeDomain(small)
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.Equal(t, 1, report.Len())
		assert.Equal(t, "/domain/nothing", report.Omissions()[0].Path)
	}
}

// Decoders at work at the same time share nothing.
func TestDecodingInParallel(t *testing.T) {
	src := sized(t, 7_000)
	want, _, err := DecodeDomain(src)
	require.NoError(t, err)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				got, _, err := ViewDomain(src)
				assert.NoError(t, err)
				assert.True(t, reflect.DeepEqual(want, got))
			}
		})
	}
	group.Wait()
}

// Beyond 32 KB an allocation gets pages of its own, which are cleared each time.
func TestRoomsAreSmallObjects(t *testing.T) {
	const limit = 32<<10 - 8
	assert.LessOrEqual(t, unsafe.Sizeof(smallRoom{}), uintptr(limit))
	assert.LessOrEqual(t, unsafe.Sizeof(largeRoom{}), uintptr(limit))
}
