package docs

import (
	"reflect"
	"slices"
	"strings"

	"github.com/virthook/virthook/spec"
)

// lifecycle is nil when the version makes none of its calls.
func (b *builder) lifecycle(d *spec.Driver, l *spec.Lifecycle) *Lifecycle {
	v := &Lifecycle{
		Anchor: d.Name + "-" + l.Action, Driver: d.Name, Action: l.Action, Summary: l.Summary,
		From: l.From, To: l.To, Guests: l.Guests, Hosts: len(l.Destination) > 0,
		Doc: blocks(l.Doc), Verified: verified(l.Verified),
	}
	if v.Hosts {
		v.Steps = b.steps(d, l, "destination", l.Destination)
		v.Steps = append(v.Steps, b.steps(d, l, "source", l.Calls)...)
	} else {
		v.Steps = b.steps(d, l, "", l.Calls)
	}
	if len(v.Steps) == 0 {
		return nil
	}
	for _, s := range v.Steps { // ports came later than starts: they say nothing of an action of guests
		if s.Driver == d.Name && (v.Since == "" || s.Since.Less(v.Since)) {
			v.Since = s.Since
		}
	}
	if l.Fails {
		o := b.follows(d, l, l.Calls, len(l.Calls), b.options.Libvirt, l.Calls[len(l.Calls)-1])
		o.Effect, o.Text = "failed", "libvirt itself fails"
		v.Ending = &o
	}
	return v
}

func (b *builder) steps(d *spec.Driver, l *spec.Lifecycle, host string, calls []string) []Step {
	var steps []Step
	for i, ref := range calls {
		o := b.find(d, ref)
		if o == nil {
			// A spec of one's own may name an operation of the built-in one.
			steps = append(steps, Step{Host: host, Link: Link{Text: ref, Driver: strings.Split(qualified(d, ref), "/")[0]}})
			continue
		}
		if !b.in(Range{o.Since, o.Until}) {
			continue
		}
		m := b.mark(d, o, l.Reason)
		s := Step{
			Host: host, Link: b.links(d, ref)[0], Range: b.open(Range{o.Since, o.Until}),
			Each: m.each, Filter: o.Filters(), Extra: b.reason(o, l.Reason), mark: m,
		}
		if slices.Contains(l.Ignored, ref) {
			s.Outcomes = []Outcome{{Effect: spec.EffectIgnored, Text: outcomes[spec.EffectIgnored]}}
		} else {
			s.Outcomes = b.outcomes(d, l, o, calls, i)
		}
		steps = append(steps, s)
	}
	return steps
}

// outcomes is what becomes of a hook that fails at a call, by version.
func (b *builder) outcomes(d *spec.Driver, l *spec.Lifecycle, o *spec.Op, calls []string, i int) []Outcome {
	points := []spec.Version{""}
	for _, f := range o.Failure {
		points = append(points, f.Since)
	}
	for _, f := range l.Refused {
		points = append(points, f.Since)
	}
	slices.SortFunc(points, newest)
	var list []Outcome
	for _, r := range ranges(slices.Compact(points)) {
		if !b.in(r) {
			continue
		}
		at := r.Since
		if at == "" {
			at = o.Since
		}
		var out Outcome
		effect := o.FailureAt(at).Effect
		switch effect {
		case spec.EffectIgnored:
		case spec.EffectLost:
			out.To = spec.StateOff
		default:
			out = b.follows(d, l, calls, i, at, calls[i])
		}
		out.Range, out.Effect, out.Text = r, effect, outcomes[effect]
		if effect == spec.EffectRefused {
			out.Text = refused(d, l)
		}
		if n := len(list); n > 0 && same(list[n-1], out) {
			list[n-1].Since = r.Since // the same, from an older version on
			continue
		}
		list = append(list, out)
	}
	for i := range list {
		list[i].Range = b.open(list[i].Range)
		list[i].When = list[i].words()
	}
	return list
}

// outcomes say what each effect comes to.
var outcomes = map[string]string{
	spec.EffectKilled:    "the running guest is killed",
	spec.EffectForgotten: "libvirt forgets the guest, which runs on",
	spec.EffectLost:      "the saved state can be lost",
	spec.EffectIgnored:   "logged, nothing stops",
}

// refused says what is refused.
func refused(d *spec.Driver, l *spec.Lifecycle) string {
	switch {
	case len(l.Destination) > 0:
		return "the migration is refused"
	case l.From == spec.StateSaved:
		return "the restore is refused"
	case l.From == spec.StateOff && d.Object == "network":
		return "the network does not start"
	case l.From == spec.StateOff:
		return "the start is refused"
	}
	return "it is refused"
}

// same says whether two outcomes differ in their range alone.
func same(a, b Outcome) bool {
	a.Range, b.Range = Range{}, Range{}
	return reflect.DeepEqual(a, b)
}

// follows is what libvirt calls when the call, the i-th, is refused.
func (b *builder) follows(d *spec.Driver, l *spec.Lifecycle, calls []string, i int, at spec.Version, call string) Outcome {
	out := Outcome{To: l.From}
	n := slices.IndexFunc(l.Refused, func(r spec.Refusal) bool {
		return (len(r.At) == 0 || slices.Contains(r.At, call)) && (at == "" || !at.Less(r.Since))
	})
	if n < 0 {
		return out
	}
	r := l.Refused[n]
	if r.To != "" {
		out.To = r.To
	}
	created := slices.Index(calls, "network/port-created")
	for _, ref := range r.Calls {
		if ref == "network/port-deleted" && created > i {
			continue // there is none yet; of several the first may be there when another is refused
		}
		links, m := b.links(d, ref), mark{}
		if o := b.find(d, ref); o != nil {
			if m = b.mark(d, o, r.Reason); m.extra {
				out.Extra = r.Reason
			}
		}
		out.Calls = append(out.Calls, links...)
		out.marks = append(out.marks, slices.Repeat([]mark{m}, len(links))...)
	}
	return out
}

// mark is how an operation is called in lifecycles of the driver.
func (b *builder) mark(d *spec.Driver, o *spec.Op, reason string) mark {
	m := mark{each: o.Driver != d && o.InputAt("") == spec.InputNetworkPort}
	if b.reason(o, reason) != "" {
		m.extra, m.Range = true, b.open(Range{Since: o.Extra.Since})
	}
	return m
}

// reason is what an operation that takes one is given, in the version.
func (b *builder) reason(o *spec.Op, reason string) string {
	x := o.Extra
	if x == nil || x.Enum == "" || b.options.Libvirt != "" && b.options.Libvirt.Less(x.Since) {
		return ""
	}
	return reason
}

func (b *builder) find(d *spec.Driver, ref string) *spec.Op {
	name, op, _ := strings.Cut(qualified(d, ref), "/")
	if of := b.spec.Driver(name); of != nil {
		if found := of.Find(op); len(found) > 0 {
			return found[0]
		}
	}
	return nil
}
