package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/virthook/virthook/internal/verdict"
)

// Hosts of a scenario with migrations. In one without there is one, with no name.
const (
	Source      = "source"
	Destination = "destination"
)

// reconnect is the one action that nobody does: it is part of the daemon's restart.
const reconnect = "reconnect"

// Call is a call of a driver's hooks that libvirt makes.
type Call struct {
	Host                             string // "" when there is one
	Driver, Object, Op, SubOp, Extra string
	Input                            []byte // nil: standard input is empty
	Operation                        verdict.Operation
}

// Answer is what libvirt makes of a call.
type Answer struct {
	Verdict verdict.Verdict
	Output  []byte // of filters: what replaces the XML; nil: nothing
}

// Hooks makes a call and judges the answer. It is called at the same time for what
// libvirt does at the same time.
type Hooks func(context.Context, Call) Answer

// Outcome is what a step came to.
type Outcome struct {
	Word    verdict.Word
	Skipped string // why it could not be done at all
}

// String is the outcome in a few words.
func (o Outcome) String() string {
	if o.Skipped != "" {
		return "not done: " + o.Skipped
	}
	return string(o.Word)
}

// World is the hosts of a scenario and what is on them.
type World struct {
	scenario *Scenario
	here     string // the host on which all begins
	guests   map[string]*guest
	networks map[string]string // their states
	mu       sync.Mutex        // of networks
}

// guest is what becomes of a [Guest].
type guest struct {
	*Guest
	state, host string
	ports       map[string][]int  // which of its interfaces have a port, by host
	xml         map[string][]byte // what a filter made of it, by host
}

// port is what a call for a port is about.
type port struct {
	n            int // which of the guest's interfaces
	network, mac string
}

// port returns that of the guest's interface.
func (g *guest) port(n int) *port {
	p := &port{n: n, network: g.Networks[n]}
	if n < len(g.macs) {
		p.mac = g.macs[n]
	}
	return p
}

// New returns the world at the beginning of a scenario, which it checks.
func New(s *Scenario) (*World, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	w := &World{scenario: s, guests: map[string]*guest{}, networks: map[string]string{}}
	if len(w.Hosts()) > 1 {
		w.here = Source
	}
	for i := range s.Guests {
		g := &s.Guests[i]
		w.guests[g.Name] = &guest{Guest: g, state: Off, host: w.here, ports: map[string][]int{}, xml: map[string][]byte{}}
	}
	return w, nil
}

// Hosts are the names of the scenario's hosts: one, with no name, or two.
func (w *World) Hosts() []string {
	for _, step := range w.scenario.Steps {
		for _, object := range step.Objects {
			if g := w.scenario.guest(object); g != nil {
				if a, _ := find(g.Driver, step.Action); a.Destination != nil {
					return []string{Source, Destination}
				}
			}
		}
	}
	return []string{""}
}

// Host is where a step is done now: on the host that its first guest is on.
func (w *World) Host(step Step) string {
	if len(step.Objects) > 0 {
		if g := w.guests[step.Objects[0]]; g != nil {
			return g.host
		}
	}
	return w.here
}

// Do does a step of the scenario and says what it came to: of several objects, what the
// first one came to for which libvirt did not go on.
func (w *World) Do(ctx context.Context, step Step, hooks Hooks) Outcome {
	if len(step.Objects) == 0 {
		a, _ := find("daemon", step.Action)
		return w.daemon(ctx, a, hooks)
	}
	return together(step.Objects, func(object string) Outcome {
		driver, err := w.scenario.driverOf(step, object)
		if err != nil {
			return Outcome{Skipped: err.Error()}
		}
		a, _ := find(driver, step.Action)
		if driver == "network" {
			return w.network(ctx, a, object, hooks)
		}
		return w.guest(ctx, a, w.guests[object], hooks)
	})
}

// together does the same for several, at once, and returns the worst outcome.
func together(objects []string, do func(string) Outcome) Outcome {
	outcomes := make([]Outcome, len(objects))
	var all sync.WaitGroup
	for i, object := range objects {
		all.Go(func() { outcomes[i] = do(object) })
	}
	all.Wait()
	worst := Outcome{Word: verdict.Continues}
	for _, o := range outcomes {
		if o.Skipped != "" {
			return o
		}
		worst.Word = verdict.Worse(worst.Word, o.Word)
	}
	return worst
}

// run is a list of calls on one host, about one object.
type run struct {
	w      *World
	ctx    context.Context
	hooks  Hooks
	action Action
	host   string
	guest  *guest // nil: object is a network, or "-"
	object string
	word   verdict.Word // what the worst call so far came to
}

func (w *World) run(ctx context.Context, a Action, host, object string, g *guest, hooks Hooks) *run {
	return &run{w: w, ctx: ctx, hooks: hooks, action: a, host: host, object: object, guest: g, word: verdict.Continues}
}

// calls makes them in order, each for every port where it is about ports. It ends at
// the first that libvirt does not go on after, and returns which that was.
func (r *run) calls(list []string, reason string) (refused string) {
	for _, ref := range list {
		for _, p := range r.ports(ref) {
			if !r.call(ref, p, reason) {
				return ref
			}
		}
	}
	return ""
}

// ports are those that a call is made for, a single nil where it is about none.
func (r *run) ports(ref string) (ports []*port) {
	g := r.guest
	if g == nil || ref != "network/port-created" && ref != "network/port-deleted" {
		return []*port{nil}
	}
	for n := range g.Networks {
		if has := slices.Contains(g.ports[r.host], n); has || ref == "network/port-created" && !r.announces() {
			ports = append(ports, g.port(n))
		}
	}
	return ports
}

// announces says whether it is the daemon's restart, which announces ports that are there.
func (r *run) announces() bool { return r.action.Driver == "daemon" }

// call makes one call and says whether libvirt goes on.
func (r *run) call(ref string, p *port, reason string) bool {
	o := operationOf(ref)
	libvirt := r.w.scenario.Libvirt
	if !o.in(libvirt) {
		return true
	}
	c := Call{
		Host: r.host, Driver: o.driver, Op: o.name(libvirt), SubOp: o.subOp,
		Object: r.object, Extra: o.operand(libvirt, reason), Operation: o.judged(libvirt),
	}
	if p != nil {
		c.Object = p.network
	}
	if slices.Contains(r.action.Ignored, ref) {
		c.Operation.Effect = "ignored"
	}
	c.Input = r.input(o, c, p)
	a := r.hooks(r.ctx, c)
	switch word := a.Verdict.Word; {
	case a.Verdict.OK():
	default:
		if r.word = verdict.Worse(r.word, word); word != verdict.FailureLogged {
			return false
		}
	}
	if g := r.guest; g != nil {
		switch {
		case a.Output != nil:
			g.xml[r.host] = a.Output
		case o.filter:
			g.xml[r.host] = c.Input
		case p == nil || r.announces():
		case ref == "network/port-created":
			g.ports[r.host] = append(g.ports[r.host], p.n)
		case ref == "network/port-deleted":
			g.ports[r.host] = slices.DeleteFunc(g.ports[r.host], func(n int) bool { return n == p.n })
		}
	}
	return true
}

// refused does what libvirt does after a refusal, and returns the state that follows.
func (r *run) refused(at, before string) string {
	if r.word == verdict.Hangs { // libvirt never gets any further
		return before
	}
	after := r.action.refusal(at, r.w.scenario.Libvirt)
	if r.calls(after.Calls, after.Reason); after.To != "" {
		return after.To
	}
	return before
}

// guest does it to a guest.
func (w *World) guest(ctx context.Context, a Action, g *guest, hooks Hooks) Outcome {
	if g.state != a.From {
		return Outcome{Skipped: fmt.Sprintf("%s is %s", g.Name, g.state)}
	}
	before := maps.Clone(g.xml)
	if a.Destination != nil {
		other := map[string]string{Source: Destination, Destination: Source}[g.host]
		g.xml[other] = g.xml[g.host] // it is this guest that comes
		dst := w.run(ctx, a, other, g.Name, g, hooks)
		if at := dst.calls(a.Destination, ""); at != "" {
			dst.refused(at, g.state)
			g.xml = before
			return Outcome{Word: dst.word}
		}
		src := w.run(ctx, a, g.host, g.Name, g, hooks)
		src.calls(a.Calls, a.Reason)
		delete(g.xml, g.host)
		g.host, g.state = other, a.To
		return Outcome{Word: verdict.Worse(dst.word, src.word)}
	}
	r := w.run(ctx, a, g.host, g.Name, g, hooks)
	at := r.calls(a.Calls, a.Reason)
	switch {
	case at != "":
		g.state, g.xml = r.refused(at, g.state), before
		if r.word == verdict.StateLost {
			g.state = Off
		}
	case a.Fails:
		g.state = r.refused(a.Calls[len(a.Calls)-1], g.state)
	default:
		g.state = a.To
	}
	if g.state == Off {
		delete(g.xml, g.host)
	}
	return Outcome{Word: r.word}
}

// network does it to a network. One that has not been spoken of may be in any state.
func (w *World) network(ctx context.Context, a Action, name string, hooks Hooks) Outcome {
	w.mu.Lock()
	state := w.networks[name]
	w.mu.Unlock()
	if state != "" && a.From != "" && state != a.From {
		return Outcome{Skipped: fmt.Sprintf("network %s is %s", name, state)}
	}
	r := w.run(ctx, a, w.here, name, nil, hooks)
	if at := r.calls(a.Calls, ""); at != "" {
		state = r.refused(at, a.From)
	} else if a.To != "" {
		state = a.To
	}
	w.mu.Lock()
	w.networks[name] = state
	w.mu.Unlock()
	return Outcome{Word: r.word}
}

// daemon does it to the daemon, of the source where there are two.
func (w *World) daemon(ctx context.Context, a Action, hooks Hooks) Outcome {
	word := verdict.Continues
	for _, ref := range a.Calls {
		if ref == "network/port-created" {
			for _, g := range w.running() {
				r := w.run(ctx, a, g.host, g.Name, g, hooks)
				r.calls([]string{ref}, "")
				word = verdict.Worse(word, r.word)
			}
			if word == verdict.Hangs {
				return Outcome{Word: word}
			}
			continue
		}
		r := w.run(ctx, a, w.here, "-", nil, hooks)
		r.calls([]string{ref}, "")
		if word = verdict.Worse(word, r.word); word == verdict.Hangs {
			return Outcome{Word: word}
		}
	}
	var names []string
	for _, g := range w.running() {
		if _, ok := find(g.Driver, a.Guests); ok {
			names = append(names, g.Name)
		}
	}
	if a.Guests == "" || len(names) == 0 {
		return Outcome{Word: word}
	}
	o := together(names, func(name string) Outcome {
		g := w.guests[name]
		action, _ := find(g.Driver, a.Guests)
		return w.guest(ctx, action, g, hooks)
	})
	o.Word = verdict.Worse(o.Word, word)
	return o
}

// running are the guests that run on the host whose daemon is meant, in order.
func (w *World) running() []*guest {
	var gs []*guest
	for _, g := range w.scenario.Guests {
		if g := w.guests[g.Name]; g.state == Running && g.host == w.here {
			gs = append(gs, g)
		}
	}
	return gs
}
