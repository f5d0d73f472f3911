package splice

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
)

func BenchmarkApply(b *testing.B) {
	sample, _ := captures.Sample("qemu", "start", "begin")
	head, rest, _ := strings.Cut(string(sample.XML), "<devices>")
	devices, tail, _ := strings.Cut(rest, "</devices>")
	for _, size := range []struct {
		name string
		size int
	}{{"7KB", 7 << 10}, {"150KB", 150 << 10}, {"1MB", 1 << 20}} {
		n := 1 + max(0, size.size-len(sample.XML))/len(devices)
		src := []byte(head + "<devices>" + strings.Repeat(devices, n) + "</devices>" + tail)
		for _, e := range []struct {
			name   string
			change func(d *libvirtxml.Domain)
		}{
			{"value", func(d *libvirtxml.Domain) { d.Memory.Value++ }},
			{"disk", func(d *libvirtxml.Domain) { d.Devices.Disks[0].Driver.Cache = "none" }},
			{"delete", func(d *libvirtxml.Domain) { d.Devices.Disks = d.Devices.Disks[1:] }},
		} {
			d, ok := decode(src)
			require.True(b, ok)
			before := encode(b, d)
			e.change(d)
			after := encode(b, d)
			b.Run(size.name+"/"+e.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					if result, err := Apply(src, before, after, Options{}); err != nil || result == nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
