package docs

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/gen"
	"github.com/virthook/virthook/spec"
)

// One word that changes in the spec changes in the Go comment and in every format.
func TestOneWordChangesEverywhere(t *testing.T) {
	for name, change := range map[string]func(o *spec.Op){
		"summary": func(o *spec.Op) { o.Summary = "zebra crossing" },
		"doc":     func(o *spec.Op) { o.Doc = "A doc with a zebra." },
		"failure": func(o *spec.Op) { o.Failure[0].Doc = "And a zebra." },
		"source":  func(o *spec.Op) { o.Verified.Source = spec.Strings{"src/zebra.c"} },
		"since":   func(o *spec.Op) { o.Since = "0.7.77" },
	} {
		word := "zebra"
		if name == "since" {
			word = "0777"
		}
		s := builtin(t)
		change(s.Driver("qemu").Find("release")[0])
		code, err := gen.Render(s, gen.Options{ImportPath: sdkPath})
		require.NoError(t, err)
		assert.Contains(t, fold(string(code["qemu.gen.go"])), word, name)
		for _, format := range Formats {
			assert.Contains(t, folded(format, rendered(t, format, s, options(""))), word, "%s in %s", name, format)
			assert.NotContains(t, folded(format, rendered(t, format, builtin(t), options(""))), word, "%s in %s", name, format)
		}
	}
}

func TestRenderIsDeterministic(t *testing.T) {
	for _, format := range Formats {
		first := rendered(t, format, builtin(t), options(""))
		for range 3 {
			assert.Equal(t, first, rendered(t, format, builtin(t), options("")))
		}
	}
	_, err := Render("pdf", builtin(t), options(""))
	assert.EqualError(t, err, `unknown format "pdf": one of md, man, html`)
}

// A reference of one version has what that version has, without words about others.
func TestOneVersion(t *testing.T) {
	all, old := New(builtin(t), options("")), New(builtin(t), options("5.0.0"))
	assert.Equal(t, 36, all.Count())
	for o := range builtin(t).All() {
		anchor := anchor(o.Driver.Name + "/" + o.NameAt("5.0.0") + "/" + o.SubOp)
		assert.Equal(t, o.In("5.0.0"), old.operation(anchor) != nil, o.ID())
	}
	assert.NotEmpty(t, all.Versions)
	assert.Empty(t, old.Versions)
	for _, d := range old.Drivers {
		for _, o := range d.Operations {
			for _, f := range o.Fields {
				if assert.Len(t, f.Values, 1, "%s: %s", o.ID, f.Key) {
					assert.Empty(t, f.Values[0].When, o.ID)
				}
			}
		}
		for _, l := range d.Lifecycles {
			for _, s := range l.Steps {
				assert.Len(t, s.Outcomes, 1, l.Anchor)
				assert.Empty(t, s.Extra, "no libvirt gives a reason before 10.5.0")
			}
		}
	}
	assert.Equal(t, []Value{{Code: true, Text: "hooks/network NETWORK plugged begin -"}},
		old.operation("network-plugged-begin").field("called"))
}

// What is said of a call by version, from the newest to the oldest.
func TestValuesByVersion(t *testing.T) {
	r := New(builtin(t), options(""))
	when := func(vs []Value) (ws []string) {
		for _, v := range vs {
			ws = append(ws, v.When+": "+v.Text)
		}
		return ws
	}
	assert.Equal(t, []string{
		"from libvirt 10.5.0 on: hooks/qemu GUEST release end REASON",
		"before libvirt 10.5.0: hooks/qemu GUEST release end -",
	}, when(r.operation("qemu-release-end").field("called")))
	assert.Equal(t, []string{
		"from libvirt 6.0.0 on: hooks/network NETWORK port-created begin -",
		"before libvirt 6.0.0: hooks/network NETWORK plugged begin -",
	}, when(r.operation("network-port-created-begin").field("called")))
	assert.Equal(t, []string{
		"from libvirt 9.7.0 on: <domain>",
		"before libvirt 9.7.0: nothing",
	}, when(r.operation("bhyve-start-begin").field("input")))
	restore := r.operation("qemu-restore-begin").field("failure")
	require.Len(t, restore, 3)
	assert.Equal(t, []Range{{Since: "12.8.0"}, {"11.3.0", "12.8.0"}, {Until: "11.3.0"}},
		[]Range{restore[0].Range, restore[1].Range, restore[2].Range})
	assert.Equal(t, "from libvirt 11.3.0 to before 12.8.0", restore[1].When)
}

// What follows a refusal at each call, as the tests of real daemons have it.
func TestOutcomes(t *testing.T) {
	r := New(builtin(t), options(""))
	lifecycles := map[string]*Lifecycle{}
	for _, d := range r.Drivers {
		for _, l := range d.Lifecycles {
			lifecycles[l.Anchor] = l
		}
	}
	calls := func(o Outcome) (cs []string) {
		for _, l := range o.Calls {
			cs = append(cs, l.Text)
		}
		return cs
	}
	for _, x := range []struct {
		lifecycle string
		step, n   int // of the step's outcomes, which are newest first
		when      string
		effect    string
		calls     []string
		extra, to string
	}{
		{"qemu-start", 0, 0, "", "refused", []string{"stopped", "release"}, "failed", "off"},
		{"qemu-start", 1, 0, "", "refused", []string{"stopped", "network/port-deleted", "release"}, "failed", "off"},
		{"qemu-start", 3, 0, "", "refused", []string{"stopped", "network/port-deleted", "release"}, "failed", "off"},
		{"qemu-shutdown", 0, 0, "", "ignored", nil, "", ""},
		{"qemu-migrate", 0, 0, "", "refused", nil, "", "running"},
		{"qemu-migrate", 1, 0, "", "refused", []string{"stopped", "release"}, "failed", "running"},
		{"qemu-restore", 0, 0, "from libvirt 12.8.0 on", "refused", nil, "", "saved"},
		{"qemu-restore", 0, 1, "from libvirt 11.3.0 to before 12.8.0", "lost", nil, "", "off"},
		{"qemu-restore", 0, 2, "before libvirt 11.3.0", "refused", nil, "", "saved"},
		{"qemu-reconnect", 0, 0, "", "killed", []string{"stopped", "network/port-deleted", "release"}, "daemon", "off"},
		{"libxl-reconnect", 0, 0, "", "forgotten", []string{"stopped", "network/port-deleted", "release"}, "", "off"},
		{"libxl-start", 0, 0, "", "refused", nil, "", "off"},
		{"bhyve-start", 2, 0, "", "refused", []string{"network/port-deleted"}, "", "off"},
		{"network-net-start", 0, 0, "from libvirt 11.3.0 on", "refused", []string{"stopped"}, "", "off"},
		{"network-net-start", 0, 1, "before libvirt 11.3.0", "refused", nil, "", "off"},
		{"daemon-daemon-restart", 2, 0, "", "ignored", nil, "", ""},
	} {
		l := lifecycles[x.lifecycle]
		require.NotNil(t, l, x.lifecycle)
		o := l.Steps[x.step].Outcomes[x.n]
		assert.Equal(t, x.when, o.When, x.lifecycle)
		assert.Equal(t, x.effect, o.Effect, x.lifecycle)
		assert.Equal(t, x.calls, calls(o), "%s %d", x.lifecycle, x.step)
		assert.Equal(t, x.extra, o.Extra, x.lifecycle)
		assert.Equal(t, x.to, o.To, x.lifecycle)
	}
	fails := lifecycles["qemu-start-fails"].Ending
	require.NotNil(t, fails)
	assert.Equal(t, []string{"stopped", "network/port-deleted", "release"}, calls(*fails))
	assert.True(t, reflect.DeepEqual([]string{"destination", "source"}, hosts(lifecycles["qemu-migrate"])))
}

// hosts are those of the steps, in order, each once.
func hosts(l *Lifecycle) (hs []string) {
	for _, s := range l.Steps {
		if len(hs) == 0 || hs[len(hs)-1] != s.Host {
			hs = append(hs, s.Host)
		}
	}
	return hs
}

func TestBlocks(t *testing.T) {
	assert.Equal(t, []Block{
		{Text: "Two lines of one paragraph."},
		{Text: "as it  is\n  and deeper", Literal: true},
		{Text: "After it."},
	}, blocks("Two lines\nof one paragraph.\n\n    as it  is\n      and deeper\n\nAfter it.\n"))
	assert.Empty(t, blocks(""))
}

// The drivers that people meet most are told first.
func TestDriversInOrder(t *testing.T) {
	var names []string
	for _, d := range New(builtin(t), options("")).Drivers {
		names = append(names, d.Name)
	}
	assert.Equal(t, []string{"qemu", "lxc", "daemon", "network", "libxl", "bhyve"}, names)
}

func TestSentence(t *testing.T) {
	r := New(builtin(t), options(""))
	for text, want := range map[string]string{
		"a guest is started": "A guest is started", "é": "É", "": "",
		"libvirt waits": "libvirt waits", "qemu: more": "qemu: more", "hooks/DRIVER runs": "hooks/DRIVER runs", "stdin, which": "stdin, which",
	} {
		assert.Equal(t, want, r.sentence(text))
	}
}

// What comes next most often is named first.
func TestNeighbours(t *testing.T) {
	r := New(builtin(t), options(""))
	names := func(anchor, key string) (ns []string) {
		for _, l := range r.operation(anchor).field(key)[0].Links {
			ns = append(ns, l.Text)
		}
		return ns
	}
	assert.Equal(t, []string{"network/port-created", "start"}, names("lxc-prepare-begin", "next"))
	assert.Equal(t, []string{"network/port-deleted", "release"}, names("bhyve-stopped-end", "next"))
	assert.Equal(t, []string{"migrate", "restore"}, names("qemu-prepare-begin", "before"))
}

// The SDK has no handler for what an operation was before.
func TestFormerNameHasNoHandler(t *testing.T) {
	o := New(builtin(t), options("5.0.0")).operation("network-plugged-begin")
	assert.Empty(t, o.field("handler"))
	assert.Empty(t, o.Example)
	for _, format := range Formats {
		assert.NotContains(t, folded(format, rendered(t, format, builtin(t), options("5.0.0"))), fold("OnNetworkPortCreatedBegin"))
	}
}

// What libvirt does after its own failure is that of the version.
func TestEndingByVersion(t *testing.T) {
	s := builtin(t)
	l := s.Driver("qemu").Lifecycles[1]
	require.True(t, l.Fails)
	l.Refused = append([]spec.Refusal{{Since: "9.0.0", Calls: []string{"stopped"}, To: spec.StateRunning}}, l.Refused...)
	for version, to := range map[spec.Version]string{"5.0.0": "off", "9.0.0": "running", "": "running"} {
		assert.Equal(t, to, New(s, options(version)).Drivers[0].Lifecycles[1].Ending.To, version)
	}
}

func TestRenderRefuses(t *testing.T) {
	s := builtin(t)
	s.Driver("bhyve").Name = "libvirt"
	_, err := Render("md", s, options(""))
	assert.EqualError(t, err, "two files would have the name libvirt.md")
	_, err = Render("md", s, Options{SDK: "example.com/9"})
	assert.EqualError(t, err, `the import path "example.com/9" gives no package name`)
}

// What an example prints is said where there is what it comes of.
func TestPrintsNeedASample(t *testing.T) {
	o := options("")
	o.Sample = nil
	assert.Empty(t, New(builtin(t), o).Drivers[0].Operations[0].Example.Prints)
	assert.NotContains(t, string(rendered(t, "man", builtin(t), o)["man/man7/virthook-hooks.7"]), "SAMPLES")
}
