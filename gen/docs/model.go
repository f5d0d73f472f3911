package docs

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/virthook/virthook/gen"
	"github.com/virthook/virthook/spec"
)

// Reference is all that the documentation says, in the order in which it says it.
// Texts are plain; templates escape them.
type Reference struct {
	Libvirt  spec.Version   // the only version that it is about; "": all
	Versions []spec.Version // newest first: those at which something changes, and those that were run
	SDK      string         // import path
	Package  string         // and name of the SDK
	Drivers  []*Driver
	Enums    []*Enum
	Topics   []*Topic
}

// Range is for which versions of libvirt something holds: from Since on, before Until.
// An empty end is open.
type Range struct{ Since, Until spec.Version }

// Driver is one of libvirt's hook programs.
type Driver struct {
	Name, Summary string
	Doc           []Block
	Range
	Operations []*Operation
	Lifecycles []*Lifecycle
}

// Operation is a call that libvirt makes of hooks.
type Operation struct {
	ID     string // qemu/migrate/begin
	Anchor string // qemu-migrate-begin
	Driver string
	Name   string // migrate, as the version calls it
	SubOp  string
	Range
	Summary string // "on the destination, before …"
	Doc     []Block
	Effect  string // what a failure does in the newest version, in the spec's one word
	Filter  bool
	Fields  []Field // all that is known beside Doc, Example and Sample
	Example Example
	Sample  *Sample // nil: nothing is known that it passed
}

// Field is one thing to know of an operation.
type Field struct {
	Key    string // called, handler, since, host, input, output, failure, fault, before, next, verified …
	Label  string // for people: "Standard input"
	Values []Value
}

// Value is what a field says, of a range of versions. Several values of a field differ
// by version, newest first.
type Value struct {
	Range
	When   string // the range in words, such as "from libvirt 11.3.0 on"; "": always
	Text   string
	Code   bool   // Text is to be set as code
	Links  []Link // instead of Text: other operations
	Effect string // of a failure: the spec's one word, and Text says it in full
	Doc    string // more, of one paragraph
}

// Link names an operation.
type Link struct {
	Text   string // stopped, or network/port-deleted
	Anchor string // "": not in this reference
	Driver string
}

// Example is a handler in Go.
type Example struct {
	Summary string // "": there is no more than the signature
	Code    string // the call that makes the option, gofmt'ed, with tabs; "": the SDK has none
	Prints  string // what came of it on the sample
}

// Block is a paragraph, or lines that are to stay as they are.
type Block struct {
	Text    string // paragraphs: one line
	Literal bool
}

// Enum is a set of words that libvirt passes.
type Enum struct {
	Name, Anchor string // Go's name
	Range
	Summary string
	Doc     []Block
	Source  string
	Values  []spec.Value
}

// Topic is a part of what is known of hooks beyond single operations.
type Topic struct {
	Anchor, Summary string
	Facts           []*Fact
}

// Fact is one thing that libvirt does.
type Fact struct {
	Anchor, Summary string
	Range
	When     string
	Doc      []Block
	Verified string // "seen on …; source …; test …"
}

// Lifecycle is what libvirt calls when something is done.
type Lifecycle struct {
	Anchor string // qemu-migrate
	Driver string
	Action string
	Range
	Summary  string
	From, To string // states; "" of what has none, such as the daemon
	Guests   string // the action that every running guest goes through afterwards
	Hosts    bool   // the steps are on two hosts
	Steps    []Step
	Ending   *Outcome // libvirt itself fails after the steps, and this follows
	Doc      []Block
	Verified string
}

// Step is one call of a lifecycle.
type Step struct {
	Host   string // source or destination, where the lifecycle has two hosts
	Link          // of the operation; Text is OP or DRIVER/OP of another driver
	Each   bool   // one call for each port, none for a guest without
	Filter bool   // what it prints may replace the guest's XML
	Range
	Extra    string    // the reason that release is given
	Outcomes []Outcome // when the hook fails there, by version, newest first
	mark     mark
}

// Outcome is what becomes of a failing hook at a step.
type Outcome struct {
	Range
	When   string
	Effect string // the spec's word: refused, killed, forgotten, lost or ignored; of an Ending "failed"
	Text   string // one line: "the start is refused"
	Calls  []Link // what libvirt calls then, in order
	Extra  string // the reason that release is given among them
	To     string // the state afterwards; "": there is none to tell
	marks  []mark // one for each of Calls
}

// mark says more of a call.
type mark struct {
	each  bool // one call for each port
	extra bool // it is given Extra
	Range      // in which it is given that
}

// New makes the reference of a spec.
func New(s *spec.Spec, o Options) *Reference {
	b := &builder{spec: s, options: o}
	b.pkg, _ = gen.PackageName(o.SDK) // [Render] has refused what gives none
	r := &Reference{Libvirt: o.Libvirt, SDK: o.SDK, Package: b.pkg}
	for _, d := range s.Drivers {
		if v := b.driver(d); len(v.Operations) > 0 {
			r.Drivers = append(r.Drivers, v)
		}
	}
	// Those that libvirt has had longest come first, of these the ones with most to say.
	slices.SortStableFunc(r.Drivers, func(a, b *Driver) int {
		return cmp.Or(newest(b.Since, a.Since), cmp.Compare(len(b.Operations), len(a.Operations)))
	})
	for _, e := range s.Enums {
		if b.in(Range{Since: e.Since}) {
			r.Enums = append(r.Enums, &Enum{
				Name: e.GoName(), Anchor: anchor(e.Name), Range: b.open(Range{Since: e.Since}),
				Summary: e.Summary, Doc: blocks(e.Doc), Source: gen.Join(e.Source), Values: e.Values,
			})
		}
	}
	for _, t := range s.Topics {
		if v := b.topic(t); len(v.Facts) > 0 {
			r.Topics = append(r.Topics, v)
		}
	}
	if o.Libvirt == "" {
		r.Versions = versions(s)
	}
	return r
}

// Count is the number of operations.
func (r *Reference) Count() int {
	n := 0
	for _, d := range r.Drivers {
		n += len(d.Operations)
	}
	return n
}

// operation finds what an anchor names.
func (r *Reference) operation(anchor string) *Operation {
	for _, d := range r.Drivers {
		for _, o := range d.Operations {
			if o.Anchor == anchor {
				return o
			}
		}
	}
	return nil
}

// sentence begins with a capital, unless with a name that has none.
func (r *Reference) sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 || r.beginsWithName(s) {
		return s
	}
	return string(unicode.ToUpper(first)) + s[n:]
}

// beginsWithName says whether a text begins with a name that keeps its small letter.
func (r *Reference) beginsWithName(text string) bool {
	first, _, _ := strings.Cut(text, " ")
	first = strings.TrimRight(first, ",:;.")
	names := []string{"libvirt", "libvirtd", "virsh", "stdin", "stdout", "stderr"}
	return slices.Contains(names, first) || strings.Contains(first, "/") ||
		slices.ContainsFunc(r.Drivers, func(d *Driver) bool { return first == d.Name })
}

type builder struct {
	spec    *spec.Spec
	options Options
	pkg     string // of the SDK
}

// in says whether the reference is about the range.
func (b *builder) in(r Range) bool {
	v := b.options.Libvirt
	return v == "" || !v.Less(r.Since) && (r.Until == "" || v.Less(r.Until))
}

// open drops the ends of a range in a reference of one version, where they say nothing.
func (b *builder) open(r Range) Range {
	if b.options.Libvirt != "" {
		return Range{}
	}
	return r
}

// words says a range for people.
func (r Range) words() string {
	switch {
	case r.Since != "" && r.Until != "":
		return fmt.Sprintf("from libvirt %s to before %s", r.Since, r.Until)
	case r.Since != "":
		return fmt.Sprintf("from libvirt %s on", r.Since)
	case r.Until != "":
		return fmt.Sprintf("before libvirt %s", r.Until)
	}
	return ""
}

// ranges are those of a list of versions, newest first, whose last may be empty.
func ranges(since []spec.Version) []Range {
	out := make([]Range, len(since))
	for i, v := range since {
		out[i].Since = v
		if i > 0 {
			out[i].Until = since[i-1]
		}
	}
	return out
}

func (b *builder) driver(d *spec.Driver) *Driver {
	v := &Driver{Name: d.Name, Summary: d.Summary, Doc: blocks(d.Doc)}
	for _, o := range d.Ops {
		if b.in(Range{o.Since, o.Until}) {
			v.Operations = append(v.Operations, b.operation(o))
		}
	}
	for i, o := range v.Operations {
		if i == 0 || o.Since.Less(v.Since) {
			v.Since = o.Since
		}
	}
	for _, l := range d.Lifecycles {
		if x := b.lifecycle(d, l); x != nil {
			v.Lifecycles = append(v.Lifecycles, x)
		}
	}
	return v
}

func (b *builder) operation(o *spec.Op) *Operation {
	v := &Operation{
		ID: b.id(o), Anchor: anchor(b.id(o)), Driver: o.Driver.Name, Name: o.NameAt(b.options.Libvirt), SubOp: o.SubOp,
		Range: Range{o.Since, o.Until}, Summary: o.Summary, Doc: blocks(o.Doc),
		Effect: o.FailureAt(b.options.Libvirt).Effect, Filter: o.Filters(),
		Example: b.example(o),
	}
	if b.options.Sample != nil {
		if sample, ok := b.options.Sample(o); ok {
			v.Sample = &sample
		}
	}
	if v.Sample == nil {
		v.Example.Prints = "" // which would come of it
	}
	add := func(key, label string, values ...Value) {
		var held []Value
		for _, x := range values {
			if b.in(x.Range) {
				x.Range = b.open(x.Range)
				x.When = x.words()
				held = append(held, x)
			}
		}
		if len(held) > 0 {
			v.Fields = append(v.Fields, Field{key, label, held})
		}
	}
	if v.Name == o.Op { // the SDK handles none under its former name
		add("handler", "Handler", Value{Text: gen.Handler(b.spec, o, b.pkg), Code: true})
	}
	add("called", "Called as", b.called(o)...)
	since := Value{Text: "libvirt " + string(o.Since)}
	if o.Until != "" {
		since.Text += "; no longer called since " + string(o.Until)
	}
	add("since", "Since", since)
	add("host", "Host", Value{Text: map[string]string{
		"any": "any; in a migration both source and destination", "source": "the source of a migration", "destination": "the destination of a migration",
	}[o.Host]})
	add("input", "Standard input", b.inputs(o)...)
	add("output", "Standard output", Value{Text: output(o)})
	add("failure", "A failing hook", b.failures(o)...)
	fault := "counts as a failure"
	if o.Fault == "pass" {
		fault = "passes, so that it costs no guest, and the log is told"
	}
	add("fault", "A panic, a deadline, undecodable input", Value{Text: fault})
	if before := b.before(o); len(before) > 0 {
		add("before", "Comes after", Value{Links: before})
	}
	if next := b.next(o); len(next) > 0 {
		add("next", "Followed by", Value{Links: next})
	}
	var former []Value
	for _, f := range o.Replaces {
		former = append(former, Value{Range: Range{Until: f.Until}, Text: f.Op, Code: true, Doc: strings.TrimSpace(line(f.Doc) + " The SDK has no handler for it.")})
	}
	add("former", "Former name", former...)
	add("verified", "Verified", Value{Text: verified(o.Verified)})
	return v
}

// id names the operation as the version does: "qemu/migrate/begin".
func (b *builder) id(o *spec.Op) string {
	return o.Driver.Name + "/" + o.NameAt(b.options.Libvirt) + "/" + o.SubOp
}

// called is how libvirt calls the hook, by version.
func (b *builder) called(o *spec.Op) []Value {
	object := strings.ToUpper(o.Driver.Object)
	if o.Driver.Object == "none" {
		object = "-"
	}
	// The words change with the former names and with the fourth operand.
	points := []spec.Version{""}
	for _, f := range o.Replaces {
		points = append(points, f.Until)
	}
	if x := o.Extra; x != nil && x.Since != "" {
		points = append(points, x.Since)
	}
	slices.SortFunc(points, newest)
	points = slices.Compact(points)
	var vs []Value
	for _, r := range ranges(points) {
		// A range is as its oldest version: the first of all, when it has none.
		at := r.Since
		if at == "" {
			at = o.Since
		}
		extra := "-"
		if x := o.Extra; x != nil && !at.Less(x.Since) {
			if extra = x.Const; extra == "" {
				extra = strings.ToUpper(x.Name)
			}
		}
		vs = append(vs, Value{
			Range: r, Code: true,
			Text: fmt.Sprintf("hooks/%s %s %s %s %s", o.Driver.Name, object, o.NameAt(at), o.SubOp, extra),
		})
	}
	return vs
}

// inputs says what stdin carries, by version.
func (b *builder) inputs(o *spec.Op) []Value {
	text := map[string]string{
		spec.InputNone:        "nothing",
		spec.InputDomain:      "<domain>",
		spec.InputNetwork:     "<hookData> with <network>",
		spec.InputNetworkPort: "<hookData> with <network> and <networkport>",
	}
	var since []spec.Version
	for _, in := range o.Input {
		since = append(since, in.Since)
	}
	var vs []Value
	for i, r := range ranges(since) {
		kind := o.Input[i].Kind
		vs = append(vs, Value{Range: r, Text: text[kind], Code: kind != spec.InputNone})
	}
	return vs
}

func output(o *spec.Op) string {
	switch {
	case !o.Filters():
		return "not read"
	case o.ABICheck != "":
		return "the domain to use instead, or nothing for no change; libvirt refuses another ABI"
	}
	return "the domain to use instead, or nothing for no change; libvirt does not compare its ABI"
}

// failures says what libvirt does when the hook fails, by version.
func (b *builder) failures(o *spec.Op) []Value {
	var since []spec.Version
	for _, f := range o.Failure {
		since = append(since, f.Since)
	}
	var vs []Value
	for i, r := range ranges(since) {
		f := o.Failure[i]
		v := Value{Range: r, Effect: f.Effect, Text: effects[f.Effect], Doc: line(f.Doc)}
		if len(f.Seen) > 0 {
			v.Text += " (seen on " + gen.Join(f.Seen) + ")"
		}
		vs = append(vs, v)
	}
	return vs
}

// effects say what each of the spec's words means.
var effects = map[string]string{
	spec.EffectRefused:   "stops what libvirt was about to do",
	spec.EffectKilled:    "gets the running guest killed",
	spec.EffectForgotten: "makes libvirt forget the guest, which runs on",
	spec.EffectLost:      "can cost the guest's saved state",
	spec.EffectIgnored:   "is logged by libvirt and stops nothing",
}

// before is what comes right before the operation in the ordinary course.
func (b *builder) before(o *spec.Op) []Link {
	var ls []Link
	for _, ref := range o.After {
		ls = append(ls, b.links(o.Driver, ref)...)
	}
	return ls
}

// next is what comes right after it, the other end of before: first what does so most
// often, as lifecycles have it.
func (b *builder) next(o *spec.Op) []Link {
	name := func(o *spec.Op) string { return o.Driver.Name + "/" + o.Op }
	var nexts []*spec.Op
	for other := range b.spec.All() {
		if slices.ContainsFunc(other.After, func(ref string) bool { return qualified(other.Driver, ref) == name(o) }) {
			nexts = append(nexts, other)
		}
	}
	slices.SortStableFunc(nexts, func(x, y *spec.Op) int {
		return cmp.Compare(b.distance(name(o), name(x)), b.distance(name(o), name(y)))
	})
	var ls []Link
	for _, other := range nexts {
		ref := other.Op
		if other.Driver != o.Driver {
			ref = name(other)
		}
		ls = append(ls, b.links(o.Driver, ref)...)
	}
	return ls
}

// distance is how many calls there are at least from one to another in a lifecycle.
func (b *builder) distance(from, to string) int {
	least := math.MaxInt
	for _, d := range b.spec.Drivers {
		for _, l := range d.Lifecycles {
			for _, calls := range [][]string{l.Destination, l.Calls} {
				at := func(name string) int {
					return slices.IndexFunc(calls, func(ref string) bool { return qualified(d, ref) == name })
				}
				if i, j := at(from), at(to); i >= 0 && j > i {
					least = min(least, j-i)
				}
			}
		}
	}
	return least
}

// links names what a reference stands for, as the version calls it; none when the
// version does not have it.
func (b *builder) links(d *spec.Driver, ref string) []Link {
	name, op, _ := strings.Cut(qualified(d, ref), "/")
	l := Link{Text: ref, Driver: name}
	if o := b.find(d, ref); o != nil {
		if !b.in(Range{o.Since, o.Until}) {
			return nil
		}
		l.Anchor = anchor(b.id(o))
		l.Text = strings.TrimSuffix(ref, op) + o.NameAt(b.options.Libvirt)
	}
	return []Link{l}
}

func (b *builder) example(o *spec.Op) Example {
	if o.NameAt(b.options.Libvirt) != o.Op {
		return Example{}
	}
	e := Example{Code: gen.HandlerLiteral(b.spec, o, b.pkg)}
	if o.Example != nil {
		e.Summary = o.Example.Summary
		if b.options.Libvirt == "" { // it comes of the newest sample
			e.Prints = strings.TrimSpace(o.Example.Prints)
		}
	}
	return e
}

func (b *builder) topic(t *spec.Topic) *Topic {
	v := &Topic{Anchor: t.Name, Summary: t.Summary}
	for _, f := range t.Facts {
		r := Range{f.Since, f.Until}
		if !b.in(r) {
			continue
		}
		r = b.open(r)
		v.Facts = append(v.Facts, &Fact{
			Anchor: f.Name, Summary: f.Summary, Range: r, When: r.words(), Doc: blocks(f.Doc), Verified: verified(f.Verified),
		})
	}
	return v
}

// verified says how facts were checked.
func verified(v spec.Verified) string {
	var parts []string
	if len(v.Seen) > 0 {
		parts = append(parts, "seen on "+gen.Join(v.Seen))
	}
	if len(v.Source) > 0 {
		parts = append(parts, "read in "+gen.Join(v.Source))
	}
	if len(v.Tests) > 0 {
		parts = append(parts, "shown by "+gen.Join(v.Tests))
	}
	return strings.Join(parts, "; ")
}

// versions are those of the spec, newest first.
func versions(s *spec.Spec) []spec.Version {
	var all []spec.Version
	add := func(vs ...spec.Version) { all = append(all, vs...) }
	for o := range s.All() {
		add(o.Since, o.Until)
		add(o.Verified.Seen...)
		for _, f := range o.Replaces {
			add(f.Until)
		}
		for _, in := range o.Input {
			add(in.Since)
		}
		for _, f := range o.Failure {
			add(f.Since)
		}
		if o.Extra != nil {
			add(o.Extra.Since)
		}
	}
	for _, d := range s.Drivers {
		for _, l := range d.Lifecycles {
			for _, f := range l.Refused {
				add(f.Since)
			}
		}
	}
	for _, t := range s.Topics {
		for _, f := range t.Facts {
			add(f.Since, f.Until)
		}
	}
	for _, e := range s.Enums {
		add(e.Since)
	}
	slices.SortFunc(all, newest)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(v spec.Version) bool { return v == "" })
}

// newest orders versions, the newest first and "" last.
func newest(a, b spec.Version) int {
	switch {
	case b.Less(a):
		return -1
	case a.Less(b):
		return 1
	}
	return cmp.Compare(b, a)
}

// qualified is DRIVER/OP of a reference.
func qualified(d *spec.Driver, ref string) string {
	if strings.Contains(ref, "/") {
		return ref
	}
	return d.Name + "/" + ref
}

// anchor is the name that links go to.
func anchor(id string) string {
	return strings.Trim(strings.NewReplacer("/", "-", "_", "-").Replace(id), "-")
}

// blocks takes a text of the spec apart.
func blocks(text string) []Block {
	var out []Block
	for _, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		var prose, literal []string
		flush := func() {
			if len(prose) > 0 {
				out = append(out, Block{Text: strings.Join(prose, " ")})
			}
			if len(literal) > 0 {
				out = append(out, Block{Text: Dedent(strings.Join(literal, "\n")), Literal: true})
			}
			prose, literal = nil, nil
		}
		for _, l := range strings.Split(p, "\n") {
			if strings.HasPrefix(l, " ") != (len(literal) > 0) {
				flush()
			}
			if strings.HasPrefix(l, " ") {
				literal = append(literal, l)
			} else if l = strings.TrimSpace(l); l != "" {
				prose = append(prose, l)
			}
		}
		flush()
	}
	return out
}

// line is a text of the spec as one line.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }
