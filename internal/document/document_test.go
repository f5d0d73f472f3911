package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/document"
)

// No real domain changes by being decoded and applied as it is.
func TestApplyNothing(t *testing.T) {
	for _, c := range captures.All() {
		if !strings.HasPrefix(string(c.XML), "<domain") {
			continue
		}
		d, report, err := document.Domain(c.XML)
		require.NoError(t, err, c.Name)
		assert.Zero(t, report.Len(), c.Name)
		out, err := document.ApplyDomain(c.XML, d)
		require.NoError(t, err, c.Name)
		assert.Nil(t, out.XML, c.Name)
	}
}

func TestApplyRefuses(t *testing.T) {
	raw := []byte("<domain><name>g</name></domain>")
	d, _, err := document.Domain(raw)
	require.NoError(t, err)
	_, err = document.ApplyDomain([]byte("<domain>"), d)
	assert.ErrorContains(t, err, "<domain> of line 1 is not closed")
	d.Title = "a\x00b"
	_, err = document.ApplyDomain(raw, d)
	assert.ErrorContains(t, err, "a character that XML cannot hold")
	d.Title, d.Metadata = "", &libvirtxml.DomainMetadata{XML: "<a:b xmlns:a='urn:a'>"}
	_, err = document.ApplyDomain(raw, d)
	assert.ErrorContains(t, err, "/domain/metadata: the edited XML is not well-formed: ")
}

func TestUUIDAndMetadata(t *testing.T) {
	for xml, want := range map[string]string{
		"<domain><uuid> u </uuid></domain>":                                                               "u",
		"<network><uuid>n</uuid></network>":                                                               "n",
		"<hookData><network><uuid>n</uuid></network></hookData>":                                          "n",
		"<hookData><networkport><uuid>p</uuid></networkport></hookData>":                                  "",
		"<domain><devices><uuid>deep</uuid></devices></domain>":                                           "",
		"<domain xmlns:x='urn:x'><x:uuid>other</x:uuid><uuid>u<!-- c -->v</uuid></domain>":                "uv",
		"<domain><metadata><a xmlns='urn:a'><uuid>x</uuid></a></metadata></domain>":                       "",
		"<hookData><networkport><uuid>p</uuid></networkport><network><uuid>n</uuid></network></hookData>": "n",
	} {
		got, err := document.UUID([]byte(xml))
		require.NoError(t, err, xml)
		assert.Equal(t, want, got, xml)
	}
	const xml = "<domain><metadata><a:b xmlns:a='urn:a'><a:c/></a:b><d xmlns='urn:d'/></metadata><e xmlns='urn:e'/></domain>"
	for _, x := range []struct {
		space, local string
		want         bool
	}{
		{"urn:a", "b", true}, {"urn:a", "", true}, {"urn:d", "d", true}, {"urn:a", "c", false}, {"urn:d", "b", false}, {"urn:e", "e", false}, {"a", "b", false},
	} {
		got, err := document.HasMetadata([]byte(xml), x.space, x.local)
		require.NoError(t, err)
		assert.Equal(t, x.want, got, "%v", x)
	}
}

const usbFilter = "<domain>\n  <devices>\n    <redirfilter>\n      <usbdev version='-1' allow='yes'/> <!-- any -->\n    </redirfilter>\n  </devices>\n</domain>"

// A value that libvirtxml takes for none may be written over; what it does not
// understand may not.
func TestApplyOverWhatIsTakenForNone(t *testing.T) {
	d, report, err := document.Domain([]byte(usbFilter))
	require.NoError(t, err)
	require.Equal(t, 1, report.Len())
	d.Devices.RedirFilters[0].USB[0].Version = "2.0"
	out, err := document.ApplyDomain([]byte(usbFilter), d)
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(usbFilter, "-1", "2.0", 1), string(out.XML))
}

// A domain that no XML reads as is refused, with the place, instead of something like it.
func TestApplyHoldsTheResultAgainstTheEdit(t *testing.T) {
	raw := strings.Replace(usbFilter, "-1", "2.0", 1)
	d, _, err := document.Domain([]byte(raw))
	require.NoError(t, err)
	d.Devices.RedirFilters[0].USB[0].Version = "-1" // libvirtxml writes it and does not read it
	out, err := document.ApplyDomain([]byte(raw), d)
	assert.Nil(t, out.XML)
	assert.ErrorContains(t, err, "/domain/devices/redirfilter/usbdev")
}

// Neither is an edit passed over that the XML seems to say already, but does not read as:
// a disk without a type is one of type file.
func TestApplyRefusesWhatIsThereAndReadsOtherwise(t *testing.T) {
	raw := []byte("<domain><devices><disk><target dev='vda'/></disk></devices></domain>")
	d, _, err := document.Domain(raw)
	require.NoError(t, err)
	require.NotNil(t, d.Devices.Disks[0].Source)
	d.Devices.Disks[0].Source = nil
	out, err := document.ApplyDomain(raw, d)
	assert.Nil(t, out.XML)
	assert.ErrorContains(t, err, "/domain/devices/disk")
}
