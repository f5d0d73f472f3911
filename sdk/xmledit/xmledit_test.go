package xmledit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/xmledit"
)

const domain = `<!-- ours -->
<domain type='kvm' future='1'>
  <name>web</name>	<!-- the name -->
  <memory unit='KiB'>1048576</memory>
  <flux><capacitor/></flux>
  <devices>
    <disk type='file' device='disk'>
      <source file='/old/disk.qcow2' checksum="none"/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
</domain>
`

func Example() {
	out, err := xmledit.Domain([]byte("<domain type='kvm'>\n  <name>web</name> <!-- kept -->\n  <title>old</title>\n</domain>\n"),
		func(d *libvirtxml.Domain) error {
			d.Title = "new"
			return nil
		})
	fmt.Print(string(out), err)
	// Output:
	// <domain type='kvm'>
	//   <name>web</name> <!-- kept -->
	//   <title>new</title>
	// </domain>
	// <nil>
}

func TestNothingIsLost(t *testing.T) {
	out, err := xmledit.Domain([]byte(domain), func(d *libvirtxml.Domain) error {
		d.Devices.Disks[0].Source.File.File = "/new/disk.qcow2"
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, replaced(domain, "/old/", "/new/"), string(out))
}

func replaced(s, old, new string) string {
	for i := 0; i+len(old) <= len(s); i++ {
		if s[i:i+len(old)] == old {
			return s[:i] + new + s[i+len(old):]
		}
	}
	return s
}

func TestNoChange(t *testing.T) {
	out, err := xmledit.Domain([]byte(domain), func(*libvirtxml.Domain) error { return nil })
	assert.NoError(t, err)
	assert.Nil(t, out)
}

func TestNoEffect(t *testing.T) {
	out, err := xmledit.Domain([]byte(domain), func(d *libvirtxml.Domain) error {
		d.Metadata = nil
		d.IOThreads = 0
		d.Clock = nil
		d.Perf = nil
		return nil
	})
	assert.NoError(t, err)
	assert.Nil(t, out)
	out, err = xmledit.Domain([]byte("<domain><clock offset='utc'/></domain>"), func(d *libvirtxml.Domain) error {
		d.Clock.Timer = []libvirtxml.DomainTimer{} // not nil, and no timer
		return nil
	})
	assert.ErrorIs(t, err, xmledit.ErrNoEffect)
	assert.Nil(t, out)
}

func TestErrors(t *testing.T) {
	mine := errors.New("mine")
	out, err := xmledit.Domain([]byte(domain), func(d *libvirtxml.Domain) error { d.Name = "x"; return mine })
	assert.ErrorIs(t, err, mine)
	assert.Nil(t, out)

	_, err = xmledit.Domain([]byte("<domain>"), func(*libvirtxml.Domain) error { panic("called") })
	assert.EqualError(t, err, "line 1, column 9: <domain> of line 1 is not closed")
	_, err = xmledit.Network([]byte(domain), func(*libvirtxml.Network) error { panic("called") })
	assert.ErrorContains(t, err, "element is <domain>, not <network>")
}

func TestStrict(t *testing.T) {
	_, err := xmledit.Domain([]byte(domain), func(*libvirtxml.Domain) error { panic("called") }, xmledit.Strict())
	var omitted *xmledit.OmittedError
	require.ErrorAs(t, err, &omitted)
	var paths []string
	for _, o := range omitted.Omissions {
		paths = append(paths, o.Path)
		assert.NotEmpty(t, o.Reason)
		assert.Less(t, o.From, o.To)
	}
	assert.Equal(t, []string{"/domain/@future", "/domain/flux", "/domain/devices/disk/source/@checksum"}, paths)
	assert.ErrorContains(t, err, "not understood: /domain/@future (")

	out, err := xmledit.Domain([]byte("<domain><name>g</name></domain>"), func(d *libvirtxml.Domain) error { d.Name = "h"; return nil }, xmledit.Strict())
	require.NoError(t, err)
	assert.Equal(t, "<domain><name>h</name></domain>", string(out))
}

func TestNetworks(t *testing.T) {
	const network = "<network connections='1'>\n  <name>lan</name><!-- c -->\n  <bridge name='br0'/>\n</network>"
	out, err := xmledit.Network([]byte(network), func(n *libvirtxml.Network) error { n.Bridge.Name = "br1"; return nil })
	require.NoError(t, err)
	assert.Equal(t, replaced(network, "br0", "br1"), string(out))

	const port = "<networkport>\n  <owner>\n    <name>web</name>\n  </owner>\n  <future/>\n</networkport>"
	out, err = xmledit.NetworkPort([]byte(port), func(p *libvirtxml.NetworkPort) error { p.Owner.Name = "db"; return nil })
	require.NoError(t, err)
	assert.Equal(t, replaced(port, "web", "db"), string(out))
}

// An edit of what stands there twice is refused, by its path and without the values.
func TestRefused(t *testing.T) {
	const twice = "<domain><name>g</name><title>secret one</title><title>secret two</title></domain>"
	out, err := xmledit.Domain([]byte(twice), func(d *libvirtxml.Domain) error { d.Title = "secret three"; return nil })
	var refused *xmledit.RefusedError
	require.ErrorAs(t, err, &refused)
	assert.Nil(t, out)
	assert.Contains(t, err.Error(), "/domain/title")
	assert.NotContains(t, err.Error(), "secret")
}
