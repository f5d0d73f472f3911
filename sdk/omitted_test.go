package sdk_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/xmledit"
)

// futureCall is a call with XML of a libvirt that knows more than libvirtxml.
func futureCall(t *testing.T) hooktest.Call {
	c := hooktest.QemuMigrateBegin()
	for old, future := range map[string]string{
		"<disk type='file' device='disk'>": "<disk type='wormhole' device='disk'>",
		"<devices>":                        "<flux capacitor='1'/><devices>",
		"passwd='secret'":                  "passwd='secret' passwdFuture='hush'",
	} {
		require.Contains(t, string(c.XML), old)
		c.XML = []byte(strings.Replace(string(c.XML), old, future, 1))
	}
	return c
}

func TestOmitted(t *testing.T) {
	c := futureCall(t)
	var got []xmledit.Omission
	r := hooktest.Run(t, c,
		sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
			got = e.Omitted()
			assert.Len(t, e.Domain.Devices.Disks, 1)
			return nil
		}),
		sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { return d, nil }),
		sdk.OnAny(func(_ context.Context, c *sdk.Call) error { assert.Empty(t, c.Omitted()); return nil }),
	).Unchanged()
	paths := map[string]xmledit.Omission{}
	for _, o := range got {
		paths[o.Path] = o
	}
	require.Contains(t, paths, "/domain/devices/disk/@type")
	assert.Equal(t, "wormhole", paths["/domain/devices/disk/@type"].Value)
	o := paths["/domain/flux"]
	assert.Equal(t, "<flux capacitor='1'/>", string(c.XML[o.From:o.To]))
	assert.Equal(t, 1, strings.Count(r.Log, "level=WARN"), "the log is told once a run: %s", r.Log)
	assert.Contains(t, r.Log, "/domain/flux")
	assert.NotContains(t, r.Log, "hush")
}

// An edit of what the decoded view lacks is refused, with the path and without values.
func TestEditOfWhatIsOmitted(t *testing.T) {
	c := hooktest.QemuMigrateBegin()
	c.XML = []byte(strings.Replace(string(c.XML), "<memory unit='KiB'>32768", "<memory unit='KiB'>plenty", 1))
	r := hooktest.Run(t, c, sdk.CheckABI(false), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		d.Memory.Value = 4711
		return d, nil
	})).Refused("/domain/memory")
	assert.Empty(t, r.Stdout)
	assert.NotContains(t, r.Stderr, "plenty")
	assert.NotContains(t, r.Stderr, "4711")
}

// A VNC password is in the XML of migrate and of no other call. Whatever is wrong
// with the document, it reaches neither the log nor an error.
func TestSecretsStayOut(t *testing.T) {
	c := hooktest.QemuMigrateBegin()
	whole := string(c.XML)
	require.Contains(t, whole, "passwd='secret'")
	edit := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		if d.Devices != nil {
			for i := range d.Devices.Graphics {
				if vnc := d.Devices.Graphics[i].VNC; vnc != nil {
					vnc.Passwd, vnc.Port = "secret2", 1
				}
			}
		}
		return d, nil
	})
	var documents []string
	for i := range whole {
		documents = append(documents, whole[:i], whole[:i]+"<"+whole[i:], whole[:i]+"&"+whole[i:])
	}
	for _, twice := range []string{"passwd='secret' passwd='secret'", "passwd='sec&secret;'", "passwd='secret", "port='secret' passwd='secret'"} {
		documents = append(documents, strings.Replace(whole, "passwd='secret'", twice, 1))
	}
	for _, xml := range documents {
		c.XML = []byte(xml)
		r := hooktest.Run(t, c, edit)
		if strings.Contains(r.Stderr+r.Log, "secret") {
			t.Fatalf("%s%s", r.Stderr, r.Log)
		}
	}
}
