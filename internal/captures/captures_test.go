package captures_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
)

func TestAllIsEveryFile(t *testing.T) {
	argv, err := filepath.Glob("recorded/*/*.argv")
	require.NoError(t, err)
	require.NotEmpty(t, argv)
	assert.Len(t, captures.All(), len(argv))

	inputs, err := filepath.Glob("recorded/*/*.xml")
	require.NoError(t, err)
	assert.Len(t, inputs, len(argv), "every call has a file with its standard input")
}

func TestAllIsSorted(t *testing.T) {
	var versions []string
	for _, c := range captures.All() {
		versions = append(versions, c.Version)
	}
	assert.Equal(t, []string{"9.0.0", "11.3.0", "12.8.0"}, slices.Compact(versions))
	for _, v := range []string{"9.0.0", "11.3.0", "12.8.0"} {
		var names []string
		for _, c := range captures.All() {
			if c.Version == v {
				names = append(names, c.Name)
			}
		}
		assert.True(t, slices.IsSorted(names), v)
	}
}

// TestCapturesAreWhole compares the arguments with the file's name and with the XML.
func TestCapturesAreWhole(t *testing.T) {
	for _, c := range captures.All() {
		t.Run(c.Version+"/"+c.Name, func(t *testing.T) {
			stem := c.Driver + "." + c.Op + "." + c.SubOp
			if c.Op == "release" {
				stem += "." + strings.ReplaceAll(c.Extra, " ", "_")
			}
			assert.Equal(t, stem, c.Name)
			assert.NotEmpty(t, c.Extra)

			argv, err := os.ReadFile(filepath.Join("recorded", c.Version, c.Name+".argv"))
			require.NoError(t, err)
			want := []string{"/etc/libvirt/hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
			assert.Equal(t, strings.Join(want, "\n")+"\n", string(argv))

			if c.Driver == "daemon" {
				assert.Equal(t, "-", c.Object)
				assert.Nil(t, c.XML)
				return
			}
			assert.Equal(t, c.Object, nameIn(t, c.XML))
		})
	}
}

func TestSample(t *testing.T) {
	for _, tt := range []struct {
		driver, op, subOp string
		version, name     string
	}{
		{"qemu", "migrate", "begin", "12.8.0", "qemu.migrate.begin"},
		{"qemu", "release", "end", "12.8.0", "qemu.release.end.shutdown"},
		{"lxc", "release", "end", "12.8.0", "lxc.release.end.shutdown"},
		{"network", "port-created", "begin", "12.8.0", "network.port-created.begin"},
		{"daemon", "shutdown", "-", "12.8.0", "daemon.shutdown.-"},
		{"qemu", "attach", "begin", "", "qemu.attach.begin"},
		{"libxl", "migrate", "begin", "", "libxl.migrate.begin"},
		{"bhyve", "release", "end", "", "bhyve.release.end"},
		{"qemu", "teleport", "begin", "", "qemu.teleport.begin"},
		{"qemu", "release", "middle", "", "qemu.release.middle"},
		{"network", "renamed", "end", "", "network.renamed.end"},
		{"daemon", "pause", "begin", "", "daemon.pause.begin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, ok := captures.Sample(tt.driver, tt.op, tt.subOp)
			require.True(t, ok)
			assert.Equal(t, tt.version, c.Version)
			assert.Equal(t, tt.name, c.Name)
			assert.Equal(t, []string{tt.driver, tt.op, tt.subOp}, []string{c.Driver, c.Op, c.SubOp})
			assert.NotEmpty(t, c.Extra)
			if tt.driver == "daemon" {
				assert.Nil(t, c.XML)
				assert.Equal(t, "-", c.Object)
			} else {
				assert.Equal(t, c.Object, nameIn(t, c.XML))
			}
		})
	}
	_, ok := captures.Sample("openvz", "start", "begin")
	assert.False(t, ok, "nothing is known of the driver")
}

func TestSampleOfAttachIsReconnect(t *testing.T) {
	attach, ok := captures.Sample("qemu", "attach", "begin")
	require.True(t, ok)
	reconnect, ok := captures.Sample("qemu", "reconnect", "begin")
	require.True(t, ok)
	assert.Equal(t, string(reconnect.XML), string(attach.XML))
}

// By libvirt's source the XML of a guest without an id lacks what is made up for one run.
func TestSamplesByHand(t *testing.T) {
	for call, running := range map[string]bool{
		"libxl prepare": false, "libxl start": false, "libxl release": false, "libxl migrate": false,
		"libxl started": true, "libxl stopped": true, "libxl reconnect": true,
		"bhyve prepare": false, "bhyve start": false, "bhyve release": false,
		"bhyve started": true, "bhyve stopped": true,
	} {
		driver, op, _ := strings.Cut(call, " ")
		c, ok := captures.Sample(driver, op, "begin")
		require.True(t, ok, call)
		made := map[string][]string{
			"libxl": {" id='3'", "vif3.0", "5900", "/dev/pts"},
			"bhyve": {" id='912'", "vnet0"},
		}[driver]
		for _, word := range made {
			assert.Equal(t, running, strings.Contains(string(c.XML), word), "%s: %s", call, word)
		}
	}
}

func TestCallersMayChangeWhatTheyGet(t *testing.T) {
	c, _ := captures.Sample("qemu", "start", "begin")
	c.XML[0] = '!'
	again, _ := captures.Sample("qemu", "start", "begin")
	assert.Equal(t, byte('<'), again.XML[0])
}

// nameIn decodes the whole document and returns the name of what it is about.
func nameIn(t *testing.T, doc []byte) string {
	t.Helper()
	var v struct {
		Name    string `xml:"name"`
		Network struct {
			Name string `xml:"name"`
		} `xml:"network"`
	}
	require.NoError(t, xml.Unmarshal(doc, &v))
	return v.Name + v.Network.Name
}
