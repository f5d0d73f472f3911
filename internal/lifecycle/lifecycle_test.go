package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/internal/lifecycle"
	"github.com/virthook/virthook/internal/verdict"
)

// played is what a scenario came to: its calls in order, and its outcomes.
type played struct {
	mu       sync.Mutex
	calls    []lifecycle.Call
	outcomes []string
}

func (p *played) lines() []string {
	var ls []string
	for _, c := range p.calls {
		ls = append(ls, strings.TrimSpace(fmt.Sprintf("%s %s/%s %s %s", c.Host, c.Driver, c.Op, c.Object, strings.Trim(c.Extra, "-"))))
	}
	return ls
}

// play plays it with hooks that refuse the calls named, as OP or DRIVER/OP.
func play(t *testing.T, s lifecycle.Scenario, refuse ...string) *played {
	t.Helper()
	w, err := lifecycle.New(&s)
	require.NoError(t, err)
	p := &played{}
	for _, step := range s.Steps {
		o := w.Do(t.Context(), step, func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.calls = append(p.calls, c)
			return lifecycle.Answer{Verdict: judge(c, refuse)}
		})
		p.outcomes = append(p.outcomes, o.String())
	}
	return p
}

func judge(c lifecycle.Call, refuse []string) verdict.Verdict {
	word := verdict.Continues
	if slices.Contains(refuse, c.Op) || slices.Contains(refuse, c.Driver+"/"+c.Op) {
		word = map[string]verdict.Word{
			"refused": verdict.StartRefused, "killed": verdict.GuestKilled, "lost": verdict.StateLost,
			"forgotten": verdict.GuestForgotten, "ignored": verdict.FailureLogged,
		}[c.Operation.Effect]
	}
	return verdict.Verdict{Word: word}
}

// steps are given as "ACTION" or "ACTION OBJECT…".
func steps(list ...string) (ss []lifecycle.Step) {
	for _, s := range list {
		words := strings.Fields(s)
		ss = append(ss, lifecycle.Step{Action: words[0], Objects: words[1:]})
	}
	return ss
}

func TestOrder(t *testing.T) {
	web := lifecycle.Guest{Name: "web", Networks: []string{"lan"}}
	box := lifecycle.Guest{Name: "box", Driver: "lxc"}
	xen := lifecycle.Guest{Name: "xen", Driver: "libxl"}
	bsd := lifecycle.Guest{Name: "bsd", Driver: "bhyve"}
	for name, x := range map[string]struct {
		libvirt  string
		steps    []string
		refuse   []string
		calls    []string
		outcomes []string
	}{
		"boot and shut down": {
			steps: []string{"start web", "shutdown web"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web shutdown",
			},
			outcomes: []string{"continues", "continues"},
		},
		"no reason before 10.5": {
			libvirt: "9.0.0", steps: []string{"start box", "destroy box"},
			calls:    []string{"lxc/prepare box", "lxc/start box", "lxc/started box", "lxc/stopped box", "lxc/release box"},
			outcomes: []string{"continues", "continues"},
		},
		"refused at prepare": {
			steps: []string{"start web", "destroy web"}, refuse: []string{"prepare"},
			calls:    []string{"qemu/prepare web", "qemu/stopped web", "qemu/release web failed"},
			outcomes: []string{"start refused", "not done: web is off"},
		},
		"refused at started": {
			steps: []string{"start web"}, refuse: []string{"qemu/started"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web failed",
			},
			outcomes: []string{"start refused"},
		},
		"the port is refused": {
			steps: []string{"start web"}, refuse: []string{"port-created"},
			calls:    []string{"qemu/prepare web", "network/port-created lan", "qemu/stopped web", "qemu/release web failed"},
			outcomes: []string{"start refused"},
		},
		"libvirt fails": {
			steps: []string{"start-fails web"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web failed",
			},
			outcomes: []string{"continues"},
		},
		"a failure that is only logged": {
			steps: []string{"start box", "destroy box"}, refuse: []string{"stopped"},
			calls:    []string{"lxc/prepare box", "lxc/start box", "lxc/started box", "lxc/stopped box", "lxc/release box destroyed"},
			outcomes: []string{"continues", "failure only logged"},
		},
		"save and restore": {
			steps: []string{"start web", "save web", "restore web"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web saved",
				"qemu/restore web", "qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
			},
			outcomes: []string{"continues", "continues", "continues"},
		},
		"a restore refused": {
			steps: []string{"start web", "save web", "restore web", "restore web"}, refuse: []string{"restore"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web saved",
				"qemu/restore web", "qemu/restore web",
			},
			outcomes: []string{"continues", "continues", "start refused", "start refused"},
		},
		"a saved state lost": {
			libvirt: "11.3.0",
			steps:   []string{"start web", "save web", "restore web", "restore web"}, refuse: []string{"restore"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web saved", "qemu/restore web",
			},
			outcomes: []string{"continues", "continues", "saved state lost", "not done: web is off"},
		},
		"migration": {
			steps: []string{"start web", "migrate web", "shutdown web"},
			calls: []string{
				"source qemu/prepare web", "source network/port-created lan", "source qemu/start web", "source qemu/started web",
				"destination qemu/migrate web", "destination qemu/prepare web", "destination network/port-created lan",
				"destination qemu/start web", "destination qemu/started web",
				"source qemu/stopped web", "source network/port-deleted lan", "source qemu/release web migrated",
				"destination qemu/stopped web", "destination network/port-deleted lan", "destination qemu/release web shutdown",
			},
			outcomes: []string{"continues", "continues", "continues"},
		},
		"migration refused": {
			steps: []string{"start box", "start web", "migrate web", "shutdown web"}, refuse: []string{"migrate"},
			calls: []string{
				"source lxc/prepare box", "source lxc/start box", "source lxc/started box",
				"source qemu/prepare web", "source network/port-created lan", "source qemu/start web", "source qemu/started web",
				"destination qemu/migrate web",
				"source qemu/stopped web", "source network/port-deleted lan", "source qemu/release web shutdown",
			},
			outcomes: []string{"continues", "continues", "start refused", "continues"},
		},
		"restart of the daemon": {
			steps: []string{"start web", "daemon-restart"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"daemon/shutdown - shutdown", "daemon/start - start", "network/port-created lan", "qemu/reconnect web",
			},
			outcomes: []string{"continues", "continues"},
		},
		"reconnect kills": {
			steps: []string{"start web", "daemon-restart", "destroy web"}, refuse: []string{"reconnect"},
			calls: []string{
				"qemu/prepare web", "network/port-created lan", "qemu/start web", "qemu/started web",
				"daemon/shutdown - shutdown", "daemon/start - start", "network/port-created lan", "qemu/reconnect web",
				"qemu/stopped web", "network/port-deleted lan", "qemu/release web daemon",
			},
			outcomes: []string{"continues", "guest killed", "not done: web is off"},
		},
		"xen forgets": {
			steps: []string{"start xen", "daemon-restart"}, refuse: []string{"reconnect"},
			calls: []string{
				"libxl/prepare xen", "libxl/start xen", "libxl/started xen", "daemon/shutdown - shutdown", "daemon/start - start",
				"libxl/reconnect xen", "libxl/stopped xen", "libxl/release xen",
			},
			outcomes: []string{"continues", "guest forgotten"},
		},
		"nothing follows on bhyve": {
			steps: []string{"start bsd", "daemon-restart"}, refuse: []string{"start"},
			calls:    []string{"bhyve/prepare bsd", "bhyve/start bsd", "daemon/shutdown - shutdown", "daemon/start - start"},
			outcomes: []string{"start refused", "failure only logged"},
		},
		"network": {
			steps:    []string{"net-start lan", "net-update lan", "net-destroy lan", "net-destroy lan"},
			calls:    []string{"network/start lan", "network/started lan", "network/updated lan", "network/stopped lan"},
			outcomes: []string{"continues", "continues", "continues", "not done: network lan is off"},
		},
		"network refused": {
			steps: []string{"net-start lan"}, refuse: []string{"started"},
			calls:    []string{"network/start lan", "network/started lan", "network/stopped lan"},
			outcomes: []string{"start refused"},
		},
		"network refused on 9.0": {
			libvirt: "9.0.0", steps: []string{"net-start lan"}, refuse: []string{"started"},
			calls:    []string{"network/start lan", "network/started lan"},
			outcomes: []string{"start refused"},
		},
		"former names": {
			libvirt: "5.0.0", steps: []string{"start web"},
			calls:    []string{"qemu/prepare web", "network/plugged lan", "qemu/start web", "qemu/started web"},
			outcomes: []string{"continues"},
		},
		"reload": {
			steps: []string{"daemon-reload"}, refuse: []string{"reload"},
			calls: []string{"daemon/reload - SIGHUP"}, outcomes: []string{"failure only logged"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, lifecycle.Scenario{
				Libvirt: x.libvirt, Guests: []lifecycle.Guest{web, box, xen, bsd}, Steps: steps(x.steps...),
			}, x.refuse...)
			assert.Equal(t, x.calls, p.lines())
			assert.Equal(t, x.outcomes, p.outcomes)
		})
	}
}

// TestRefused: what libvirt calls after a refusal, of the drivers in which it depends on
// the call, for a guest with two ports.
func TestRefused(t *testing.T) {
	const own = `<domain type='%s'><name>g</name><devices>
<interface type='network'><source network='red'/></interface><interface type='network'><source network='blue'/></interface>
</devices></domain>`
	const all = "stopped g, port-deleted red, port-deleted blue, release g"
	for _, x := range []struct{ driver, steps, refuse, calls, outcomes string }{
		{"lxc", "start g", "lxc/prepare g", "stopped g, release g failed", "start refused"},
		{"lxc", "start g", "network/port-created blue", "port-deleted red, stopped g, release g failed", "start refused"},
		{"lxc", "start g", "lxc/start g", all + " failed", "start refused"},
		{"lxc", "start-fails g", "network/port-created blue", "port-deleted red, stopped g, release g failed", "start refused"},

		{"libxl", "start g", "libxl/prepare g", "", "start refused"},
		{"libxl", "start g", "network/port-created blue", "port-deleted red", "start refused"},
		{"libxl", "start g", "libxl/start g", all, "start refused"},
		{"libxl", "start-fails g", "network/port-created blue", "port-deleted red", "start refused"},

		{"libxl", "start g; migrate g", "destination libxl/migrate g", "", "continues; start refused"},
		{"libxl", "start g; migrate g", "destination libxl/prepare g", "stopped g, release g", "continues; start refused"},
		{"libxl", "start g; migrate g", "destination network/port-created blue", "port-deleted red, stopped g, release g", "continues; start refused"},
		{"libxl", "start g; migrate g", "destination libxl/started g", all, "continues; start refused"},

		{"bhyve", "start g; destroy g", "bhyve/prepare g", "", "start refused; not done: g is off"},
		{"bhyve", "start g; destroy g", "network/port-created blue", "port-deleted red", "start refused; not done: g is off"},
		{"bhyve", "start g; destroy g", "bhyve/start g", "port-deleted red, port-deleted blue", "start refused; not done: g is off"},
		// By its source libvirt goes on counting it as running.
		{"bhyve", "start g; destroy g", "bhyve/started g", "port-deleted red, port-deleted blue, stopped g, release g", "start refused; continues"},
	} {
		t.Run(x.driver+" "+x.steps+" "+x.refuse, func(t *testing.T) {
			s := lifecycle.Scenario{
				Guests: []lifecycle.Guest{{Name: "g", Driver: x.driver, XML: fmt.Appendf(nil, own, x.driver)}},
				Steps:  steps(strings.Split(x.steps, "; ")...),
			}
			w, err := lifecycle.New(&s)
			require.NoError(t, err)
			var after, outcomes []string
			refused := false
			for _, step := range s.Steps {
				o := w.Do(t.Context(), step, func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
					if refused {
						after = append(after, strings.TrimSpace(c.Op+" "+c.Object+" "+strings.Trim(c.Extra, "-")))
						return lifecycle.Answer{Verdict: verdict.Verdict{Word: verdict.Continues}}
					}
					word := verdict.Continues
					if strings.TrimSpace(c.Host+" "+c.Driver+"/"+c.Op+" "+c.Object) == x.refuse {
						word, refused = verdict.StartRefused, true
					}
					return lifecycle.Answer{Verdict: verdict.Verdict{Word: word}}
				})
				outcomes = append(outcomes, o.String())
			}
			assert.True(t, refused)
			assert.Equal(t, x.calls, strings.Join(after, ", "))
			assert.Equal(t, x.outcomes, strings.Join(outcomes, "; "))
		})
	}
}

// TestXML: each call carries XML of that guest and network, which decodes.
func TestXML(t *testing.T) {
	const name = `we<b & "co"`
	p := play(t, lifecycle.Scenario{
		Guests: []lifecycle.Guest{{Name: name, Networks: []string{"a'b"}}, {Name: "box", Driver: "lxc"}, {Name: "xen", Driver: "libxl"}, {Name: "bsd", Driver: "bhyve"}},
		Steps: []lifecycle.Step{
			{Action: "net-start", Objects: []string{"a'b"}},
			{Action: "start", Objects: []string{name, "box", "xen", "bsd"}},
			{Action: "crash", Objects: []string{name, "xen"}},
		},
	})
	uuids := map[string]bool{}
	for _, c := range p.calls {
		if c.Driver == "network" {
			data, err := document.Network(c.Input, strings.HasPrefix(c.Op, "port-"))
			require.NoError(t, err, "%s", c.Input)
			assert.Equal(t, "a'b", data.Network.Name)
			if data.Port != nil {
				assert.Equal(t, name, data.Port.Owner.Name)
				assert.Equal(t, lifecycle.UUID(name), data.Port.Owner.UUID)
			}
			continue
		}
		d, _, err := document.Domain(c.Input)
		require.NoError(t, err, "%s", c.Input)
		assert.Equal(t, c.Object, d.Name)
		assert.Equal(t, lifecycle.UUID(c.Object), d.UUID)
		uuids[d.UUID] = true
		if c.Object == name {
			assert.Equal(t, "a'b", d.Devices.Interfaces[0].Source.Network.Network)
		}
		if c.Op == "release" && c.Driver == "qemu" {
			assert.Equal(t, "crashed", c.Extra)
		}
	}
	assert.Len(t, uuids, 4)
}

// TestOwnXML: a guest with XML of its own has it in every call, and the ports in it.
func TestOwnXML(t *testing.T) {
	own := `<domain type='kvm'><name>old</name><uuid>a5c7e5b4-6d0e-4c2a-9f0b-0d6a5f1c0001</uuid><!-- kept -->
<devices><interface type='network'><source network='red'/></interface><interface type='network'><source network='blue'/></interface></devices></domain>`
	p := play(t, lifecycle.Scenario{
		Guests: []lifecycle.Guest{{Name: "new", XML: []byte(own)}}, Steps: steps("start new", "destroy new"),
	})
	assert.Equal(t, []string{
		"qemu/prepare new", "network/port-created red", "network/port-created blue", "qemu/start new", "qemu/started new",
		"qemu/stopped new", "network/port-deleted red", "network/port-deleted blue", "qemu/release new destroyed",
	}, p.lines())
	assert.Equal(t, strings.Replace(own, "old", "new", 1), string(p.calls[0].Input))
}

// TestOwnPorts: a port is that interface's of that guest, also of two in one network.
func TestOwnPorts(t *testing.T) {
	own := `<domain type='kvm'><name>web</name><uuid>a5c7e5b4-6d0e-4c2a-9f0b-0d6a5f1c0001</uuid>
<devices><interface type='network'><mac address='52:54:00:aa:00:01'/><source network='lan'/></interface>
<interface type='network'><mac address='52:54:00:aa:00:02'/><source network='lan'/></interface></devices></domain>`
	p := play(t, lifecycle.Scenario{
		Guests: []lifecycle.Guest{{Name: "web", XML: []byte(own)}}, Steps: steps("start web", "daemon-restart", "destroy web"),
	})
	ports := map[string][]string{}
	uuids := map[string]bool{}
	for _, c := range p.calls {
		if c.Driver == "network" {
			data, err := document.Network(c.Input, true)
			require.NoError(t, err)
			assert.Equal(t, "a5c7e5b4-6d0e-4c2a-9f0b-0d6a5f1c0001", data.Port.Owner.UUID)
			ports[c.Op] = append(ports[c.Op], data.Port.MAC.Address)
			uuids[data.Port.UUID] = true
		}
	}
	one, two := "52:54:00:aa:00:01", "52:54:00:aa:00:02"
	assert.Equal(t, map[string][]string{"port-created": {one, two, one, two}, "port-deleted": {one, two}}, ports)
	assert.Len(t, uuids, 2)
}

// TestWorst: of all that a step comes to, what is worst is told, also after a refusal.
func TestWorst(t *testing.T) {
	hang := func(op string, refuse ...string) func(lifecycle.Call) verdict.Word {
		return func(c lifecycle.Call) verdict.Word {
			if c.Driver+"/"+c.Op == op {
				return verdict.Hangs
			}
			return judge(c, refuse).Word
		}
	}
	for name, x := range map[string]struct {
		step  string
		judge func(lifecycle.Call) verdict.Word
		want  string
		calls int // of the last step
	}{
		"a hang after libvirt has failed": {"start-fails box", hang("lxc/stopped"), "libvirt hangs", 3},
		"a failure after it":              {"start-fails box", hang("", "release"), "failure only logged", 4},
		"a hang after a refusal":          {"start box", hang("lxc/release", "start"), "libvirt hangs", 4},
		"a hang after a failure":          {"daemon-restart", hang("daemon/start", "shutdown"), "libvirt hangs", 2},
		"a hang when ports are announced": {"daemon-restart", hang("network/port-created"), "libvirt hangs", 3},
		"a hang at reconnect":             {"daemon-restart", hang("qemu/reconnect"), "libvirt hangs", 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := lifecycle.Scenario{
				Guests: []lifecycle.Guest{{Name: "web", Networks: []string{"lan"}}, {Name: "box", Driver: "lxc"}},
				Steps:  append(steps("start web"), steps(x.step)...),
			}
			w, err := lifecycle.New(&s)
			require.NoError(t, err)
			var o lifecycle.Outcome
			calls := 0
			for i, step := range s.Steps {
				o = w.Do(t.Context(), step, func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
					if i == 0 {
						return lifecycle.Answer{Verdict: verdict.Verdict{Word: verdict.Continues}}
					}
					calls++
					return lifecycle.Answer{Verdict: verdict.Verdict{Word: x.judge(c)}}
				})
			}
			assert.Equal(t, x.want, o.String())
			assert.Equal(t, x.calls, calls)
		})
	}
}

// TestFilters: what a filter makes of the XML is what the calls after it get.
func TestFilters(t *testing.T) {
	s := lifecycle.Scenario{Guests: []lifecycle.Guest{{Name: "web"}}, Steps: steps("start web", "migrate web", "destroy web")}
	w, err := lifecycle.New(&s)
	require.NoError(t, err)
	edited := map[string]string{}
	for _, step := range s.Steps {
		w.Do(t.Context(), step, func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
			d := new(libvirtxml.Domain)
			require.NoError(t, d.Unmarshal(string(c.Input)))
			edited[c.Host+" "+c.Op] = d.Title
			a := lifecycle.Answer{Verdict: verdict.Verdict{Word: verdict.Continues}}
			if c.Op == "migrate" {
				assert.True(t, c.Operation.Filter)
				d.Title = "edited"
				out, err := d.Marshal()
				require.NoError(t, err)
				a.Output = []byte(out)
			}
			return a
		})
	}
	assert.Equal(t, map[string]string{
		"source prepare": "", "source start": "", "source started": "", "source stopped": "", "source release": "",
		"destination migrate": "", "destination prepare": "edited", "destination start": "edited", "destination started": "edited",
		"destination stopped": "edited", "destination release": "edited",
	}, edited)
}

// TestFiltersAgain: a filter gets the guest as it runs, and not its own output of a try
// that was refused.
func TestFiltersAgain(t *testing.T) {
	s := lifecycle.Scenario{Guests: []lifecycle.Guest{{Name: "web"}}, Steps: steps("start web", "migrate web", "migrate web", "migrate web")}
	w, err := lifecycle.New(&s)
	require.NoError(t, err)
	var given []string
	for i, step := range s.Steps {
		w.Do(t.Context(), step, func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
			a := lifecycle.Answer{Verdict: verdict.Verdict{Word: verdict.Continues}}
			switch c.Op {
			case "migrate":
				d := new(libvirtxml.Domain)
				require.NoError(t, d.Unmarshal(string(c.Input)))
				given = append(given, d.Title)
				d.Title += "x"
				out, err := d.Marshal()
				require.NoError(t, err)
				a.Output = []byte(out)
			case "prepare":
				if i == 1 { // the first migration is refused after the filter
					a.Verdict.Word = verdict.StartRefused
				}
			}
			return a
		})
	}
	assert.Equal(t, []string{"", "", "x"}, given)
}

func TestAtOnce(t *testing.T) {
	var s lifecycle.Scenario
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("web-%d", i+1))
		s.Guests = append(s.Guests, lifecycle.Guest{Name: names[i]})
	}
	s.Steps = []lifecycle.Step{{Action: "start", Objects: names}}
	w, err := lifecycle.New(&s)
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Add(100)
	o := w.Do(t.Context(), s.Steps[0], func(_ context.Context, c lifecycle.Call) lifecycle.Answer {
		if c.Op == "prepare" {
			all.Done()
			all.Wait() // all hundred are in here at the same time
		}
		return lifecycle.Answer{Verdict: judge(c, nil)}
	})
	assert.Equal(t, verdict.Continues, o.Word)
	assert.Equal(t, "start web-1 … web-100, 100 at once", s.Steps[0].Name())
}

func TestMistakes(t *testing.T) {
	guests := []lifecycle.Guest{{Name: "web"}, {Name: "box", Driver: "lxc"}}
	for _, v := range []string{"v10.0.0", "newest", "10"} {
		_, err := lifecycle.New(&lifecycle.Scenario{Libvirt: v})
		assert.ErrorContains(t, err, "is not a version of libvirt such as 11.3.0", v)
	}
	for want, s := range map[string]lifecycle.Scenario{
		`guest "": it has no name`:                                             {Guests: []lifecycle.Guest{{}}},
		`guest "x": it is there twice`:                                         {Guests: []lifecycle.Guest{{Name: "x"}, {Name: "x"}}},
		`guest "x": driver "vbox" has no guests`:                               {Guests: []lifecycle.Guest{{Name: "x", Driver: "vbox"}}},
		`guest "x": driver "network" has no guests`:                            {Guests: []lifecycle.Guest{{Name: "x", Driver: "network"}}},
		`guest "x": a guest without XML of its own has one interface, not 2`:   {Guests: []lifecycle.Guest{{Name: "x", Networks: []string{"a", "b"}}}},
		`guest "x": its XML: `:                                                 {Guests: []lifecycle.Guest{{Name: "x", XML: []byte("<domain>")}}},
		`step 1, fly web: there is no action "fly"`:                            {Guests: guests, Steps: steps("fly web")},
		`step 1, reconnect web: there is no action "reconnect"`:                {Guests: guests, Steps: steps("reconnect web")},
		`step 2, start db: there is no guest "db"`:                             {Guests: guests, Steps: steps("start web", "start db")},
		`step 1, start: to what is missing`:                                    {Guests: guests, Steps: steps("start")},
		`step 1, daemon-stop web: it is done to the daemon and takes no name`:  {Guests: guests, Steps: steps("daemon-stop web")},
		`step 1, save box: box, a guest of driver lxc, cannot be told to save`: {Guests: guests, Steps: steps("save box")},
		`step 1, start web, web: "web" is there twice`:                         {Guests: guests, Steps: steps("start web web")},
		`step 1, start web: expect "happiness" is nothing that libvirt does`:   {Guests: guests, Steps: []lifecycle.Step{{Action: "start", Objects: []string{"web"}, Expect: "happiness"}}},
	} {
		_, err := lifecycle.New(&s)
		assert.ErrorContains(t, err, want)
	}
}

func TestExpected(t *testing.T) {
	for _, x := range []struct {
		expect string
		o      lifecycle.Outcome
		want   bool
	}{
		{"", lifecycle.Outcome{Word: verdict.Continues}, true},
		{"", lifecycle.Outcome{Word: verdict.FailureLogged}, true},
		{"", lifecycle.Outcome{Word: verdict.StartRefused}, false},
		{"", lifecycle.Outcome{Word: verdict.Continues, Skipped: "web is off"}, false},
		{"refused", lifecycle.Outcome{Word: verdict.StartRefused}, true},
		{"start refused", lifecycle.Outcome{Word: verdict.StartRefused}, true},
		{"restore refused", lifecycle.Outcome{Word: verdict.StartRefused}, false},
		{"refused", lifecycle.Outcome{Word: verdict.Continues}, false},
	} {
		assert.Equal(t, x.want, lifecycle.Step{Expect: x.expect}.Expected(x.o), "%+v", x)
	}
}
