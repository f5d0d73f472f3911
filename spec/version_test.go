package spec_test

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

func TestParseVersion(t *testing.T) {
	for in, want := range map[string]spec.Version{
		"11.3.0": "11.3.0",
		"11.3":   "11.3.0",
		"0.8.0":  "0.8.0",
		"10.10":  "10.10.0",
	} {
		got, err := spec.ParseVersion(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got)
	}
	for in, shown := range map[string]string{
		"": "", "11": "11", "1.2.3.4": "1.2.3.4", "v11.3.0": "v11.3.0", "11.03.0": "11.03.0", "11.-3.0": "11.-3.0",
		"+1.2.3": "+1.2.3", "1..2": "1..2", " 1.2.3": " 1.2.3", "1.x": "1.x.0", "99999999999.0.0": "99999999999.0.0",
	} {
		v, err := spec.ParseVersion(in)
		assert.Empty(t, v)
		assert.EqualError(t, err, fmt.Sprintf("%q is not a version of libvirt such as 11.3.0", shown))
	}
}

func TestVersionOrder(t *testing.T) {
	want := []spec.Version{"not one", "0.0.0", "0.8.0", "0.9.0", "0.9.11", "0.9.13", "1.2.2", "1.2.9", "9.10.0", "10.9.0", "10.10.0", "11.3.0", "12.8.0"}
	for i, a := range want {
		for j, b := range want {
			assert.Equal(t, i < j, a.Less(b), "%s < %s", a, b)
		}
	}
	assert.False(t, spec.Version("").Less("x"), "what is no version is not older than what is none either")
	assert.True(t, spec.Version("99.x.0").Less("0.0.1"), "half a version is none")
}

// ver draws from few numbers, so that equal parts are common.
type ver struct{ spec.Version }

func (ver) Generate(r *rand.Rand, _ int) reflect.Value {
	n := []int{0, 1, 2, 9, 10, 11, 100, 1<<31 - 1}
	return reflect.ValueOf(ver{spec.Version(fmt.Sprintf("%d.%d.%d", n[r.Intn(len(n))], n[r.Intn(len(n))], n[r.Intn(len(n))]))})
}

func TestVersionStrictWeakOrder(t *testing.T) {
	equal := func(a, b ver) bool { return !a.Less(b.Version) && !b.Less(a.Version) }
	for name, law := range map[string]any{
		"irreflexive": func(a ver) bool { return !a.Less(a.Version) },
		"asymmetric":  func(a, b ver) bool { return !a.Less(b.Version) || !b.Less(a.Version) },
		"transitive":  func(a, b, c ver) bool { return !a.Less(b.Version) || !b.Less(c.Version) || a.Less(c.Version) },
		"equality is transitive": func(a, b, c ver) bool {
			return !equal(a, b) || !equal(b, c) || equal(a, c)
		},
		"total": func(a, b ver) bool { return equal(a, b) == (a == b) },
		"as its numbers": func(a, b ver) bool {
			num := func(v ver) []int {
				n := make([]int, 3)
				fmt.Sscanf(string(v.Version), "%d.%d.%d", &n[0], &n[1], &n[2])
				return n
			}
			return a.Less(b.Version) == (slices.Compare(num(a), num(b)) < 0)
		},
	} {
		assert.NoError(t, quick.Check(law, &quick.Config{MaxCount: 5000}), name)
	}
}
