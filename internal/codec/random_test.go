package codec

import (
	"encoding/xml"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
)

// words are strings that matter to some type, and some that need care.
var words = []string{
	"", "a", "vda", "/var/lib/x.img", "yes", "file", "pci", "usb", "unix", "tcp", "udp", "0", "12", "0x1f", "-1", "future",
	"<&>\"'", "é", " x ", "a\nb", "\t", "]]>", "a\r\nb", "subsystem", "virtio-serial", "passthrough", "pty", "\x01", "\xff",
}

// fill gives a value random content. Deeper down there is less of it.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if r.IntN(depth+2) < 2 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		for n := r.IntN(3) - depth/3; n > 0; n-- {
			one := reflect.New(v.Type().Elem()).Elem()
			fill(r, one, depth+1)
			v.Set(reflect.Append(v, one))
		}
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.IntN(5) - 1))
	case reflect.Uint, reflect.Uint64:
		v.SetUint(uint64(r.IntN(20)))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[xml.Name]() {
			return
		}
		fillStruct(r, v, depth)
	}
}

func fillStruct(r *rand.Rand, v reflect.Value, depth int) {
	var variants []int // what looks like the variants of a union
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch tag := f.Tag.Get("xml"); {
		case tag == ",innerxml":
			v.Field(i).SetString("<x:y xmlns:x='z'>t</x:y><!-- c -->")
		case f.Type.Kind() == reflect.Pointer && (tag == "-" || tag == ""):
			variants = append(variants, i)
		case r.IntN(3) > 0:
			fill(r, v.Field(i), depth)
		}
	}
	if len(variants) > 0 && r.IntN(8) > 0 {
		// Nearly always one, now and then several.
		for {
			f := v.Field(variants[r.IntN(len(variants))])
			f.Set(reflect.New(f.Type().Elem()))
			fill(r, f.Elem(), depth+1)
			if r.IntN(10) > 0 {
				break
			}
		}
	}
	switch p := v.Addr().Interface().(type) {
	case *libvirtxml.DomainController:
		p.Type = []string{"pci", "usb", "virtio-serial", "xenbus", "nvme", "scsi", ""}[r.IntN(7)]
	case *libvirtxml.DomainInput:
		p.Type = []string{"passthrough", "evdev", "mouse"}[r.IntN(3)]
	case *libvirtxml.DomainDeviceList:
		if p.IOMMU = nil; r.IntN(2) == 0 && len(p.IOMMUs) > 0 {
			p.IOMMU = &p.IOMMUs[0]
		}
	case *libvirtxml.DomainDiskSourceNVME:
		if p.PCI == nil && r.IntN(3) > 0 {
			p.PCI = new(libvirtxml.DomainDiskSourceNVMEPCI)
			fillStruct(r, reflect.ValueOf(p.PCI).Elem(), depth+1)
		}
	}
}

func randomValue(seed uint64) (root string, v any) {
	r := rand.New(rand.NewPCG(seed, 0))
	root = []string{"domain", "domain", "domain", "network", "networkport"}[r.IntN(5)]
	v = zero(root)
	fill(r, reflect.ValueOf(v).Elem(), 0)
	return root, v
}

const randomValues = 12_000

func TestGeneratedDocuments(t *testing.T) {
	var refused, bytes int
	for seed := range uint64(randomValues) {
		root, v := randomValue(seed)
		want, err := xml.MarshalIndent(v, "", "  ")
		require.NoError(t, err)
		got, err := encodeAny(v)
		require.NoError(t, err)
		if string(want) != string(got) {
			require.Equal(t, string(want), string(got), "seed %d", seed)
		}
		bytes += len(got)
		if !sameDecoding(t, root, got) {
			refused++
		}
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, got)
		}
	}
	t.Logf("%d documents, %d bytes on average, %d that xml.Unmarshal refuses", randomValues, bytes/randomValues, refused)
}

// sameDecoding compares decoding and then encoding with encoding/xml. It returns
// false where that refuses the document.
func sameDecoding(t testing.TB, root string, src []byte) bool {
	want, err := unmarshal(root, src)
	got, report, gotErr := decoders[root](src)
	if err != nil {
		if gotErr == nil && report.Len() == 0 {
			t.Errorf("nothing is left out, but xml.Unmarshal says: %v", err)
		}
		return false
	}
	if gotErr != nil {
		// libxml2 is as strict: what is not well-formed there is an error here.
		if _, ok := gotErr.(*xmlscan.SyntaxError); !ok {
			t.Error(gotErr)
		}
		return true
	}
	if !reflect.DeepEqual(want, got) {
		// Not assert.Equal, which prints all of both first.
		wantXML, _ := xml.MarshalIndent(want, "", "  ")
		gotXML, _ := encodeAny(got)
		assert.Equal(t, strings.Split(string(wantXML), "\n"), strings.Split(string(gotXML), "\n"))
		t.Error("the values differ")
		return true
	}
	wantXML, err := xml.MarshalIndent(want, "", "  ")
	gotXML, gotErr := encodeAny(got)
	if (err == nil) != (gotErr == nil) || string(wantXML) != string(gotXML) {
		assert.Equal(t, string(wantXML), string(gotXML))
		assert.Equal(t, err, gotErr)
	}
	return true
}

// mutate changes something of a document, which mostly stays well-formed.
func mutate(r *rand.Rand, src []byte) []byte {
	type tag struct{ start, end xmlscan.Span }
	var tags []tag
	var attrs []xmlscan.Attr
	var texts []xmlscan.Span
	var open []int
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return src
		}
		if kind == xmlscan.EOF {
			break
		}
		switch kind {
		case xmlscan.Start:
			open = append(open, len(tags))
			tags = append(tags, tag{start: s.Span()})
			attrs = append(attrs, s.Attrs()...)
		case xmlscan.End:
			tags[open[len(open)-1]].end = s.Span()
			open = open[:len(open)-1]
		case xmlscan.Text:
			texts = append(texts, s.Content())
		}
	}
	splice := func(from, to int, with string) []byte {
		return slices.Concat(src[:from], []byte(with), src[to:])
	}
	if len(tags) < 2 {
		return src
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;", `"`, "&quot;", "\x01", "", "\xff", "", "]]>", "")
	word := escape.Replace(words[r.IntN(len(words))])
	e := tags[1+r.IntN(len(tags)-1)]
	whole := string(src[e.start.From:e.end.To])
	switch r.IntN(11) {
	case 0, 1:
		if len(attrs) > 0 {
			a := attrs[r.IntN(len(attrs))].Value
			return splice(a.From, a.To, word)
		}
	case 2:
		if len(attrs) > 0 {
			a := attrs[r.IntN(len(attrs))].All
			return splice(a.From, a.To, "")
		}
	case 3:
		if len(attrs) > 0 {
			// The same again with a prefix: libvirtxml goes by the local name.
			a := attrs[r.IntN(len(attrs))]
			return splice(a.All.From, a.All.From, "x:"+string(src[a.Local.From:a.Local.To])+"='"+word+"' ")
		}
	case 4:
		if len(texts) > 0 {
			x := texts[r.IntN(len(texts))]
			return splice(x.From, x.To, word)
		}
	case 5:
		return splice(e.start.From, e.end.To, "")
	case 6:
		return splice(e.end.To, e.end.To, whole)
	case 7:
		other := tags[1+r.IntN(len(tags)-1)]
		return splice(other.start.From, other.start.From, whole)
	case 8:
		return splice(e.start.To, e.start.To, []string{
			"<!-- comment -->", "<![CDATA[7]]>", "<invented/>", "<a><b>text</b></a>", "<?pi?>", "&#x31;", "\r\n",
		}[r.IntN(7)])
	case 9:
		other := tags[1+r.IntN(len(tags)-1)]
		name := strings.TrimLeft(strings.Fields(strings.Trim(string(src[other.start.From:other.start.To]), "</>"))[0], "<")
		if name != "" && string(src[e.start.To-2:e.start.To]) != "/>" {
			return splice(e.start.From, e.end.To, "<"+name+strings.TrimPrefix(string(src[e.start.From:e.start.To]), "<"+firstName(whole))+string(src[e.start.To:e.end.From])+"</"+name+">")
		}
	case 10:
		return splice(e.start.To-1, e.start.To-1, " n"+strconv.Itoa(r.IntN(1000))+"='"+word+"'")
	}
	return src
}

func firstName(s string) string {
	return s[1 : 1+strings.IndexAny(s[1:], " \n\t\r/>")]
}

const mutations = 40_000

func TestMutatedDocuments(t *testing.T) {
	all := samples(t)
	all = slices.DeleteFunc(all, func(s sample) bool { return len(s.src) > 20_000 })
	r := rand.New(rand.NewPCG(1, 2))
	var compared, refused int
	for i := range mutations {
		s := all[r.IntN(len(all))]
		src := s.src
		for range 1 + r.IntN(3) {
			src = mutate(r, src)
		}
		if sameDecoding(t, s.root, src) {
			compared++
		} else {
			refused++
		}
		if t.Failed() {
			t.Fatalf("mutation %d of %s:\n%s", i, s.name, src)
		}
	}
	t.Logf("%d mutations equal, %d that xml.Unmarshal refuses", compared, refused)
}
