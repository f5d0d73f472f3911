package xmlscan

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/virthook/virthook/internal/captures"
)

// domainXML returns a real guest, its devices repeated until it has size bytes.
func domainXML(size int) []byte {
	sample, _ := captures.Sample("qemu", "start", "begin")
	before, rest, _ := strings.Cut(string(sample.XML), "<devices>")
	devices, after, _ := strings.Cut(rest, "</devices>")
	n := 1 + max(0, size-len(sample.XML))/len(devices)
	return []byte(before + "<devices>" + strings.Repeat(devices, n) + "</devices>" + after)
}

var sizes = []struct {
	name string
	size int
}{{"2.7KB", 0}, {"7KB", 7 << 10}, {"150KB", 150 << 10}, {"1MB", 1 << 20}}

func BenchmarkScan(b *testing.B) {
	for _, size := range sizes {
		src := domainXML(size.size)
		b.Run(size.name+"/xmlscan", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			var s Scanner
			for b.Loop() {
				s.Reset(src)
				for {
					kind, err := s.Next()
					if err != nil {
						b.Fatal(err)
					}
					if kind == EOF {
						break
					}
				}
			}
		})
		b.Run(size.name+"/RawToken", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				d := xml.NewDecoder(bytes.NewReader(src))
				for {
					_, err := d.RawToken()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
