package codec

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
)

// sized returns a domain of about that many bytes, whose devices are repeated as
// often as needed.
func sized(tb testing.TB, size int) []byte {
	tb.Helper()
	var largest []byte
	for _, c := range captures.All() {
		if bytes.Contains(c.XML, []byte("<domain")) && len(c.XML) > len(largest) {
			largest = c.XML
		}
	}
	from := bytes.Index(largest, []byte("<devices>"))
	to := bytes.Index(largest, []byte("</devices>"))
	if from < 0 || to < 0 {
		tb.Fatal("no devices")
	}
	from += len("<devices>")
	devices := string(largest[from:to])
	if len(largest) > size {
		// Cut devices off at the end.
		cut := len(devices) - (len(largest) - size)
		for cut > 0 && !strings.HasPrefix(devices[cut:], "\n    <") {
			cut--
		}
		for cut > 0 && strings.HasPrefix(devices[cut:], "\n    </") {
			cut = strings.LastIndex(devices[:cut], "\n    <")
		}
		return []byte(string(largest[:from]) + devices[:cut] + string(largest[to:]))
	}
	n := (size-len(largest))/len(devices) + 1
	return []byte(string(largest[:from]) + strings.Repeat(devices, n) + string(largest[to:]))
}

var sizes = []int{2700, 7000, 30_000, 150_000, 1_000_000}

// block is how long one of two that are compared runs before it is the other's turn.
const block = 2 * time.Millisecond

// ratio runs two functions in turn and returns how many times longer the first takes,
// by the fastest turn of each: what else the machine does then counts least. Garbage
// of the one is not the other's.
func ratio(b *testing.B, slow, fast func()) float64 {
	turn := func(f func(), best float64) float64 {
		runtime.GC()
		n := 0
		start := time.Now()
		for time.Since(start) < block {
			f()
			n++
		}
		return min(best, float64(time.Since(start))/float64(n))
	}
	slowest, fastest := math.Inf(1), math.Inf(1)
	for b.Loop() {
		slowest, fastest = turn(slow, slowest), turn(fast, fastest)
	}
	b.ReportMetric(fastest/1e3, "µs")
	return slowest / fastest
}

// BenchmarkDecode decodes as a hook does, whose input nobody changes; copied is for
// bytes of which that is not known.
func BenchmarkDecode(b *testing.B) {
	for _, size := range sizes {
		src := sized(b, size)
		theirs := func() {
			if err := xml.Unmarshal(src, new(libvirtxml.Domain)); err != nil {
				b.Fatal(err)
			}
		}
		with := func(decode func([]byte) (*libvirtxml.Domain, *Report, error)) func() {
			return func() {
				if _, _, err := decode(src); err != nil {
					b.Fatal(err)
				}
			}
		}
		compare := func(ours func()) func(*testing.B) {
			return func(b *testing.B) {
				b.ReportMetric(ratio(b, theirs, ours), "×faster")
				b.ReportMetric(testing.AllocsPerRun(5, ours), "allocs/decode")
				b.ReportMetric(testing.AllocsPerRun(5, theirs), "allocs/unmarshal")
			}
		}
		b.Run(fmt.Sprint(len(src)), compare(with(ViewDomain)))
		b.Run(fmt.Sprintf("copied/%d", len(src)), compare(with(DecodeDomain)))
		b.Run(fmt.Sprintf("alone/%d", len(src)), func(b *testing.B) {
			b.ReportAllocs()
			for ours := with(ViewDomain); b.Loop(); {
				ours()
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range sizes {
		src := sized(b, size)
		v, _, err := DecodeDomain(src)
		if err != nil {
			b.Fatal(err)
		}
		theirs := func() {
			if _, err := xml.MarshalIndent(v, "", "  "); err != nil {
				b.Fatal(err)
			}
		}
		ours := func() {
			if _, err := EncodeDomain(v); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprint(len(src)), func(b *testing.B) {
			b.ReportMetric(ratio(b, theirs, ours), "×faster")
		})
	}
}

// BenchmarkCompare compares an edited document with the original, which is what
// encoding/xml needs a second decoding and two encodings for.
func BenchmarkCompare(b *testing.B) {
	for _, size := range sizes {
		src := sized(b, size)
		v, _, err := DecodeDomain(src)
		if err != nil {
			b.Fatal(err)
		}
		v.Name += "x"
		theirs := func() {
			old := new(libvirtxml.Domain)
			if err := xml.Unmarshal(src, old); err != nil {
				b.Fatal(err)
			}
			for _, d := range []*libvirtxml.Domain{old, v} {
				if _, err := xml.MarshalIndent(d, "", "  "); err != nil {
					b.Fatal(err)
				}
			}
		}
		ours := func() {
			if values, ok, err := CompareDomain(src, v, nil); err != nil || !ok || len(values) != 1 {
				b.Fatal(values, ok, err)
			}
		}
		b.Run(fmt.Sprint(len(src)), func(b *testing.B) {
			b.ReportMetric(ratio(b, theirs, ours), "×faster")
		})
	}
}
