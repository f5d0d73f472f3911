package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

func builtin(t *testing.T) *spec.Spec {
	t.Helper()
	s, err := spec.Builtin()
	require.NoError(t, err)
	return s
}

// facts is written by hand from libvirt's source, not from the YAML files:
// driver op sub_op since input output newest-effect fault extra host.
const facts = `
bhyve   prepare      begin 6.1.0  domain       none   refused   fail -        any
bhyve   start        begin 6.1.0  domain       none   refused   fail -        any
bhyve   started      begin 6.1.0  domain       none   refused   fail -        any
bhyve   stopped      end   6.1.0  domain       none   ignored   fail -        any
bhyve   release      end   6.1.0  domain       none   ignored   fail -        any
daemon  start        -     0.8.0  none         none   ignored   fail start    any
daemon  reload       begin 0.8.0  none         none   ignored   fail SIGHUP   any
daemon  shutdown     -     0.8.0  none         none   ignored   fail shutdown any
libxl   prepare      begin 2.1.0  domain       none   refused   fail -        any
libxl   start        begin 2.1.0  domain       none   refused   fail -        any
libxl   started      begin 2.1.0  domain       none   refused   fail -        any
libxl   stopped      end   2.1.0  domain       none   ignored   fail -        any
libxl   release      end   2.1.0  domain       none   ignored   fail -        any
libxl   migrate      begin 2.1.0  domain       filter refused   fail -        destination
libxl   reconnect    begin 2.1.0  domain       none   forgotten pass -        any
lxc     prepare      begin 0.9.13 domain       none   refused   fail -        any
lxc     start        begin 0.8.0  domain       none   refused   fail -        any
lxc     started      begin 0.9.13 domain       none   refused   fail -        any
lxc     stopped      end   0.8.0  domain       none   ignored   fail -        any
lxc     release      end   0.9.0  domain       none   ignored   fail reason   any
lxc     reconnect    begin 0.9.13 domain       none   killed    pass -        any
network start        begin 1.2.2  network      none   refused   fail -        any
network started      begin 1.2.2  network      none   refused   fail -        any
network updated      begin 1.2.2  network      none   ignored   fail -        any
network port-created begin 1.2.2  network+port none   refused   fail -        any
network port-deleted begin 1.2.2  network+port none   ignored   fail -        any
network stopped      end   1.2.2  network      none   ignored   fail -        any
qemu    prepare      begin 0.9.0  domain       none   refused   fail -        any
qemu    start        begin 0.8.0  domain       none   refused   fail -        any
qemu    started      begin 0.9.13 domain       none   refused   fail -        any
qemu    stopped      end   0.8.0  domain       none   ignored   fail -        any
qemu    release      end   0.9.0  domain       none   ignored   fail reason   any
qemu    migrate      begin 0.9.11 domain       filter refused   fail -        destination
qemu    restore      begin 1.2.9  domain       filter refused   fail -        any
qemu    reconnect    begin 0.9.13 domain       none   killed    pass -        any
qemu    attach       begin 0.9.13 domain       none   refused   fail -        any
`

func TestBuiltinFacts(t *testing.T) {
	var want, got []string
	for line := range strings.Lines(strings.TrimSpace(facts)) {
		want = append(want, strings.Join(strings.Fields(line), " "))
	}
	for o := range builtin(t).All() {
		extra := "-"
		if o.Extra != nil {
			extra = o.Extra.Const + o.Extra.Name
		}
		got = append(got, fmt.Sprint(o.Driver.Name, " ", o.Op, " ", o.SubOp, " ", o.Since, " ", o.InputAt(""), " ",
			o.Output, " ", o.FailureAt("").Effect, " ", o.Fault, " ", extra, " ", o.Host))
	}
	assert.Equal(t, want, got)
}

func TestBuiltinCounts(t *testing.T) {
	s := builtin(t)
	got := map[string]int{}
	for o := range s.All() {
		got[o.Driver.Name]++
	}
	assert.Equal(t, map[string]int{"daemon": 3, "qemu": 9, "lxc": 6, "libxl": 7, "bhyve": 5, "network": 6}, got)
}

// What changed over time, and what only one operation has.
func TestBuiltinHistory(t *testing.T) {
	s := builtin(t)
	op := func(driver, name string) *spec.Op {
		found := s.Driver(driver).Find(name)
		require.Len(t, found, 1, "%s/%s", driver, name)
		return found[0]
	}
	for o := range s.All() {
		assert.Equal(t, o.ID() == "qemu/attach/begin", o.Until != "", "%s: until", o.ID())
		assert.Equal(t, o.ID() == "qemu/restore/begin", len(o.Failure) > 1, "%s: failure changed", o.ID())
		assert.Equal(t, o.Driver.Name == "bhyve", len(o.Input) > 1, "%s: input changed", o.ID())
		assert.Equal(t, o.Op == "reconnect", o.Fault == "pass", "%s: fault", o.ID())
		abi := map[string]string{"qemu/migrate/begin": "migration", "qemu/restore/begin": "restore"}
		assert.Equal(t, abi[o.ID()], o.ABICheck, "%s: abi_check", o.ID())
		assert.Equal(t, strings.HasPrefix(o.Op, "port-"), len(o.Replaces) > 0, "%s: replaces", o.ID())
		seen := spec.Versions{"9.0.0", "11.3.0", "12.8.0"}
		if o.Driver.Name == "libxl" || o.Driver.Name == "bhyve" || o.Op == "attach" {
			seen = nil
		}
		assert.Equal(t, seen, o.Verified.Seen, "%s: seen", o.ID())
	}
	assert.Equal(t, spec.Version("5.5.0"), op("qemu", "attach").Until)
	for name, former := range map[string]string{"port-created": "plugged", "port-deleted": "unplugged"} {
		replaces := op("network", name).Replaces
		require.Len(t, replaces, 1, name)
		assert.Equal(t, former, replaces[0].Op)
		assert.Equal(t, spec.Version("6.0.0"), replaces[0].Until, name)
	}
	for _, d := range []string{"qemu", "lxc"} {
		assert.Equal(t, &spec.Extra{Name: "reason", Enum: "shutoff_reason", Since: "10.5.0"}, op(d, "release").Extra)
	}

	bhyve := op("bhyve", "start")
	assert.Equal(t, "none", bhyve.InputAt("9.6.0"))
	assert.Equal(t, "domain", bhyve.InputAt("9.7.0"))
	assert.Equal(t, "domain", bhyve.InputAt("10.0.0"))

	restore := op("qemu", "restore")
	for v, effect := range map[spec.Version]string{
		"": "refused", "9.0.0": "refused", "11.3.0": "lost", "11.10.0": "lost", "12.8.0": "refused", "13.0.0": "refused",
	} {
		assert.Equal(t, effect, restore.FailureAt(v).Effect, "libvirt %q", v)
	}
}

func TestBuiltinOrder(t *testing.T) {
	s := builtin(t)
	for id, after := range map[string][]string{
		"qemu/prepare":         {"migrate", "restore"},
		"qemu/start":           {"prepare", "network/port-created"},
		"qemu/started":         {"start"},
		"qemu/release":         {"stopped", "network/port-deleted"},
		"qemu/reconnect":       {"daemon/start", "network/port-created"},
		"daemon/start":         {"shutdown"},
		"bhyve/start":          {"prepare", "network/port-created", "release"},
		"network/port-deleted": {"qemu/stopped", "lxc/stopped", "libxl/stopped", "bhyve/stopped"},
		"qemu/migrate":         nil,
	} {
		driver, op, _ := strings.Cut(id, "/")
		assert.Equal(t, after, s.Driver(driver).Find(op)[0].After, id)
	}
}

func TestShutoffReasons(t *testing.T) {
	s := builtin(t)
	require.Len(t, s.Enums, 1)
	e := s.Enum("shutoff_reason")
	require.NotNil(t, e)
	var words, names []string
	for _, v := range e.Values {
		words = append(words, v.Value)
		names = append(names, e.ValueGoName(v))
	}
	assert.Equal(t, []string{"unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot", "daemon"}, words)
	assert.Equal(t, "ShutoffReason", e.GoName())
	assert.Equal(t, "ShutoffReasonFromSnapshot", names[7])
	assert.Nil(t, s.Enum("none"))
}

// The texts become Go comments, Markdown and man pages.
func TestBuiltinTexts(t *testing.T) {
	check := func(where, summary, doc string, paragraphs int) {
		assert.LessOrEqual(t, len(summary), 90, "%s: summary", where)
		for line := range strings.Lines(doc) {
			assert.LessOrEqual(t, len(line), 82, "%s: %s", where, line)
			assert.Equal(t, line, strings.TrimLeft(line, " \t#-*>"), "%s: reads as markup", where)
		}
		assert.NotContains(t, doc, "`", where)
		assert.NotContains(t, doc, "**", where)
		of := strings.Split(doc, "\n\n")
		assert.LessOrEqual(t, len(of), paragraphs, where)
		for _, paragraph := range of {
			assert.LessOrEqual(t, strings.Count(strings.TrimSuffix(paragraph, "\n"), "\n"), 5, "%s: doc is long", where)
		}
		assert.True(t, strings.HasSuffix(doc, ".\n"), "%s: doc ends as a sentence", where)
	}
	s := builtin(t)
	for _, d := range s.Drivers {
		check(d.Name, d.Summary, d.Doc, 4)
	}
	for _, e := range s.Enums {
		check(e.Name, e.Summary, e.Doc, 1)
	}
	for o := range s.All() {
		check(o.ID(), o.Summary, o.Doc, 2)
		assert.Equal(t, strings.ToLower(o.Summary[:1]), o.Summary[:1], "%s: %s", o.ID(), o.Summary)
		for _, f := range o.Failure {
			if f.Doc != "" {
				check(o.ID()+" failure", "", f.Doc, 1)
			}
		}
	}
}

func TestLookups(t *testing.T) {
	s := builtin(t)
	assert.Nil(t, s.Driver("vbox"))
	assert.Empty(t, s.Driver("qemu").Find("nothing"))
	o := s.Driver("qemu").Find("migrate")[0]
	assert.Equal(t, "qemu/migrate/begin", o.ID())
	assert.Equal(t, "daemon/start/-", s.Driver("daemon").Ops[0].ID())
	assert.True(t, o.Filters())
	assert.False(t, s.Driver("qemu").Find("start")[0].Filters())

	n := 0
	for range s.All() {
		if n++; n == 7 { // stops in the middle of a driver
			break
		}
	}
	assert.Equal(t, 7, n)
}

func TestFailureIgnored(t *testing.T) {
	s := builtin(t)
	var ignored []string
	for o := range s.All() {
		if o.FailureIgnored() {
			ignored = append(ignored, o.Driver.Name+"/"+o.Op)
		}
	}
	assert.Equal(t, []string{
		"bhyve/stopped", "bhyve/release", "daemon/start", "daemon/reload", "daemon/shutdown", "libxl/stopped", "libxl/release",
		"lxc/stopped", "lxc/release", "network/updated", "network/port-deleted", "network/stopped", "qemu/stopped", "qemu/release",
	}, ignored)
	mixed := &spec.Op{Failure: []spec.Failure{{Effect: "ignored", Since: "3.0.0"}, {Effect: "refused"}}}
	assert.False(t, mixed.FailureIgnored(), "an older libvirt refuses")
}

func TestIn(t *testing.T) {
	attach := builtin(t).Driver("qemu").Find("attach")[0]
	start := builtin(t).Driver("qemu").Find("start")[0]
	for _, c := range []struct {
		op   *spec.Op
		v    spec.Version
		want bool
	}{
		{attach, "0.9.12", false},
		{attach, "0.9.13", true},
		{attach, "5.4.0", true},
		{attach, "5.5.0", false},
		{attach, "11.3.0", false},
		{start, "0.7.7", false},
		{start, "0.8.0", true},
		{start, "12.8.0", true},
	} {
		assert.Equal(t, c.want, c.op.In(c.v), "%s in %s", c.op.ID(), c.v)
	}
}

// Versions that no item of a list covers.
func TestAtBeforeAll(t *testing.T) {
	o := &spec.Op{
		Input:   spec.Inputs{{Kind: "domain", Since: "9.7.0"}},
		Failure: []spec.Failure{{Effect: "refused", Since: "9.7.0"}},
	}
	assert.Equal(t, "none", o.InputAt("9.6.0"))
	assert.Equal(t, "domain", o.InputAt(""))
	assert.Equal(t, spec.Failure{}, o.FailureAt("9.6.0"))
	assert.Equal(t, "refused", o.FailureAt("").Effect)
}
