package codec

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/xmlscan"
)

// contains says whether a typed value holds a string with that text anywhere.
func contains(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && contains(v.Elem(), text)
	case reflect.Slice:
		for i := range v.Len() {
			if contains(v.Index(i), text) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if contains(v.Field(i), text) {
				return true
			}
		}
	case reflect.String:
		return strings.Contains(v.String(), text)
	}
	return false
}

// isCovered says whether an omission is of the span, or of something around it.
func isCovered(list []Omission, span xmlscan.Span) bool {
	return slices.ContainsFunc(list, func(o Omission) bool {
		return o.Span.From <= span.From && span.To <= o.Span.To
	})
}

// repeated returns where elements are that have a sibling of the same name.
func repeated(t *testing.T, src []byte) map[int]bool {
	out := map[int]bool{}
	names := []map[string]int{{}} // by depth, where the last sibling of a name is
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		require.NoError(t, err)
		switch kind {
		case xmlscan.EOF:
			return out
		case xmlscan.Start:
			siblings, name, at := names[len(names)-1], string(s.Bytes(s.Name())), s.Span().From
			if other, ok := siblings[name]; ok {
				out[other], out[at] = true, true
			}
			siblings[name] = at
			names = append(names, map[string]int{})
		case xmlscan.End:
			names = names[:len(names)-1]
		}
	}
}

func TestEveryAttributeOfTheFuture(t *testing.T) {
	var decoded, omitted, declarations, blended int
	for _, s := range samples(t) {
		twice := repeated(t, s.src)
		var sc xmlscan.Scanner
		sc.Reset(s.src)
		for {
			kind, err := sc.Next()
			require.NoError(t, err)
			if kind == xmlscan.EOF {
				break
			}
			for _, a := range slices.Clone(sc.Attrs()) {
				src := slices.Concat(s.src[:a.Value.From], []byte("future"), s.src[a.Value.To:])
				v, report, err := decoders[s.root](src)
				require.NoError(t, err, s.name)
				span := xmlscan.Span{From: a.All.From, To: a.Value.From + len("future") + 1}
				switch name := string(sc.Bytes(a.Name)); {
				case isCovered(report.Omissions(), span):
					omitted++
				case strings.HasPrefix(name, "xmlns"):
					declarations++
				case contains(reflect.ValueOf(v), "future"):
					decoded++
				case twice[sc.Span().From]:
					// libvirtxml has room for one and the other says it again.
					blended++
				default:
					t.Fatalf("%s: %s at %d is neither decoded nor left out", s.name, name, a.All.From)
				}
			}
		}
	}
	t.Logf("%d decoded as strings, %d named as left out, %d declarations of namespaces, %d blended; none refused",
		decoded, omitted, declarations, blended)
}

func TestInventedElementAnywhere(t *testing.T) {
	const invented = "<invented a='b'>text<c/></invented>"
	var named, kept int
	for _, s := range samples(t) {
		var sc xmlscan.Scanner
		sc.Reset(s.src)
		metadata := 0 // the depth of <metadata>, which is kept as it is
		for {
			kind, err := sc.Next()
			require.NoError(t, err)
			if kind == xmlscan.EOF {
				break
			}
			if kind != xmlscan.Start && kind != xmlscan.End {
				continue
			}
			at := sc.Span().To
			isMetadata := string(sc.Bytes(sc.Name())) == "metadata" && sc.Depth() == 2
			if kind == xmlscan.End {
				if at = sc.Span().From; sc.Span().To == at {
					continue // <x/>
				}
			} else if sc.SelfClosing() {
				continue
			}
			if kind == xmlscan.Start && isMetadata {
				metadata = sc.Depth()
			}
			src := slices.Concat(s.src[:at], []byte(invented), s.src[at:])
			_, report, err := decoders[s.root](src)
			require.NoError(t, err, s.name)
			span := xmlscan.Span{From: at, To: at + len(invented)}
			switch {
			case metadata > 0:
				kept++
			case isCovered(report.Omissions(), span):
				named++
			default:
				t.Fatalf("%s: at %d it is not named", s.name, at)
			}
			if kind == xmlscan.End && isMetadata {
				metadata = 0
			}
		}
	}
	t.Logf("%d named as left out, %d inside metadata; none refused", named, kept)
}

func TestOmissions(t *testing.T) {
	const doc = `<domain type='kvm' future='1'>
  <name>x</name>
  <memory unit='KiB'>lots</memory>
  <on_lockfailure>poweroff</on_lockfailure>
  <devices>
    <disk type='file'><source file='/x'/></disk>
    <disk type='future'><source where='there'/><target dev='vda'/></disk>
    <graphics type='vnc' port='many' passwd='sesame' password='hush'/>
    <disk type='network'>
      <source protocol='rbd'>
        <auth username='u'><secret type='ceph' uuid='x' value='hush'>hush</secret></auth>
      </source>
    </disk>
    <interface type='bridge'>stray<address type='pci' bus='0x'/></interface>
    <controller index='0'/>
  </devices>
</domain>`
	v, report, err := DecodeDomain([]byte(doc))
	require.NoError(t, err)
	type line struct {
		path, value, text string
		reason            Reason
	}
	var got []line
	for _, o := range report.Omissions() {
		got = append(got, line{o.Path, o.Value, doc[o.Span.From:o.Span.To], o.Reason})
	}
	assert.Equal(t, []line{
		{"/domain/@future", "1", "future='1'", Unknown},
		{"/domain/memory/text()", "lots", "lots", NotANumber},
		{"/domain/on_lockfailure", "", "<on_lockfailure>poweroff</on_lockfailure>", Unknown},
		{"/domain/devices/disk[2]/@type", "future", "type='future'", UnknownValue},
		{"/domain/devices/disk[2]/source", "", "<source where='there'/>", NoVariant},
		{"/domain/devices/graphics/@port", "many", "port='many'", NotANumber},
		{"/domain/devices/graphics/@password", "…", "password='hush'", Unknown},
		{"/domain/devices/disk[3]/source/auth/secret/@value", "…", "value='hush'", Unknown},
		{"/domain/devices/disk[3]/source/auth/secret/text()", "…", "hush", Unknown},
		{"/domain/devices/interface/text()", "stray", "stray", Unknown},
		{"/domain/devices/interface/address/@bus", "0x", "bus='0x'", NotANumber},
		{"/domain/devices/controller/@type", "", "<controller index='0'/>", Missing},
	}, got)
	assert.Equal(t, len(got), report.Len())
	assert.Len(t, v.Devices.Disks, 3)
	assert.Equal(t, "vda", v.Devices.Disks[1].Target.Dev)
}

func TestRefusals(t *testing.T) {
	for src, want := range map[string]string{
		"<network/>":                      "line 1, column 1: element is <network>, not <domain>",
		"<domain>\n<name></domain>":       "line 2, column 7: </domain> does not close <name> of line 2",
		"<domain/><domain/>":              "line 1, column 10: second root element <domain>",
		"<?xml version='1.0'?>\n\n<x:y/>": "line 3, column 1: element is <y>, not <domain>",
	} {
		_, _, err := DecodeDomain([]byte(src))
		assert.EqualError(t, err, want)
	}
}

func TestDecodingInsideADocument(t *testing.T) {
	const doc = `<hookData><network future='x'><name>n</name></network><networkport><uuid>u</uuid></networkport></hookData>`
	var s xmlscan.Scanner
	s.Reset([]byte(doc))
	for range 2 {
		_, err := s.Next()
		require.NoError(t, err)
	}
	network, report, err := DecodeNetworkAt(&s)
	require.NoError(t, err)
	assert.Equal(t, "n", network.Name)
	assert.Equal(t, "/hookData/network/@future", report.Omissions()[0].Path)
	_, err = s.Next()
	require.NoError(t, err)
	port, report, err := DecodeNetworkPortAt(&s)
	require.NoError(t, err)
	assert.Equal(t, "u", port.UUID)
	assert.Zero(t, report.Len())
}
