package sdk_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/spec"
)

// facts are what the tests expect handlers to see, read with types of their own.
type facts struct {
	Name  string   `xml:"name"`
	UUID  string   `xml:"uuid"`
	Disks []string `xml:"-"`
	Disk  []struct {
		Source struct {
			File string `xml:"file,attr"`
		} `xml:"source"`
	} `xml:"devices>disk"`
	Network struct {
		Name string `xml:"name"`
		UUID string `xml:"uuid"`
	} `xml:"network"`
	Port struct {
		UUID  string `xml:"uuid"`
		Owner string `xml:"owner>name"`
	} `xml:"networkport"`
}

// expected is the report of a handler that works.
func expected(t *testing.T, c captures.Capture) event {
	e := event{Handler: c.Driver + "/" + c.Op + "/" + c.SubOp}
	if c.XML == nil {
		return e
	}
	var f facts
	require.NoError(t, xml.Unmarshal(c.XML, &f))
	e.Name, e.UUID = f.Name+f.Network.Name, f.UUID+f.Network.UUID
	e.Port, e.Owner = f.Port.UUID, f.Port.Owner
	for _, d := range f.Disk {
		if d.Source.File != "" {
			e.Disks = append(e.Disks, d.Source.File)
		}
	}
	if c.Op == "release" && (c.Driver == "qemu" || c.Driver == "lxc") {
		reason := sdk.ShutoffReason(c.Extra)
		if c.Extra == "-" {
			reason = ""
		}
		e.Reason = &reason
	}
	return e
}

// Every call that a real libvirt made reaches the right handler with the right values.
func TestCaptures(t *testing.T) {
	all := captures.All()
	require.Greater(t, len(all), 80)
	reasons := map[sdk.ShutoffReason]bool{}
	for _, c := range all {
		t.Run(c.Version+"/"+c.Name, func(t *testing.T) {
			t.Parallel()
			argv := []string{"/etc/libvirt/hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
			a := process{program: "everything", argv: argv, stdin: c.XML}.run(t)
			assert.Zero(t, a.status)
			assert.Empty(t, a.stdout)
			assert.Empty(t, a.stderr)
			assert.Equal(t, []event{expected(t, c)}, a.report)
		})
		if c.Op == "release" {
			reasons[sdk.ShutoffReason(c.Extra)] = true
		}
	}
	assert.Len(t, reasons, 8, "the captures have every reason but unknown and daemon, and none")
}

// So does each operation that cannot be captured, libxl, bhyve and attach, with a sample.
func TestEveryOperation(t *testing.T) {
	s, err := spec.Builtin()
	require.NoError(t, err)
	count := 0
	for o := range s.All() {
		count++
		t.Run(o.ID(), func(t *testing.T) {
			t.Parallel()
			c, ok := captures.Sample(o.Driver.Name, o.Op, o.SubOp)
			require.True(t, ok)
			c.Op, c.SubOp = o.Op, o.SubOp
			argv := []string{"hooks/" + c.Driver + ".d/50-x", c.Object, c.Op, c.SubOp, c.Extra}
			a := process{program: "everything", argv: argv, stdin: c.XML}.run(t)
			assert.Equal(t, answer{report: []event{expected(t, c)}}, a)
		})
	}
	assert.Equal(t, 36, count)
}

// bhyve passed no XML before libvirt 9.7.
func TestBhyveWithoutXML(t *testing.T) {
	for _, op := range [][2]string{{"prepare", "begin"}, {"start", "begin"}, {"started", "begin"}, {"stopped", "end"}, {"release", "end"}} {
		a := process{program: "everything", argv: []string{"hooks/bhyve", "vm 1", op[0], op[1], "-"}}.run(t)
		assert.Equal(t, answer{report: []event{{Handler: "bhyve/" + op[0] + "/" + op[1], Name: "vm 1"}}}, a)
	}
}
