package spec

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	objects   = []string{"guest", "network", "none"}
	hosts     = []string{"any", "source", "destination"}
	kinds     = []string{InputDomain, InputNetwork, InputNetworkPort, InputNone}
	outputs   = []string{"none", "filter"}
	effects   = []string{EffectRefused, EffectKilled, EffectForgotten, EffectLost, EffectIgnored}
	abiChecks = []string{"migration", "restore"}
	faults    = []string{"fail", "pass"}
	states    = []string{StateOff, StateRunning, StateSaved}
	enumWord  = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	testName  = regexp.MustCompile(`^Test[A-Z][A-Za-z0-9]*$`)
	valueWord = regexp.MustCompile(`^[a-z][a-z0-9]*([ -][a-z0-9]+)*$`)
)

// newsFile is the one file of libvirt's source that is outside of its folders and says
// when something came or went.
const newsFile = "NEWS.rst"

// Validate checks what the YAML types cannot: words, versions, references and
// the rules between facts. The error is of type [Problems] and holds them all.
func (s *Spec) Validate() error { return s.validate(nil) }

// validate adds to what decoding found. Files that did not decode are left out:
// what they lack would only be reported a second time.
func (s *Spec) validate(found Problems) error {
	c := &checker{spec: s, problems: found, names: map[string]string{}}
	for _, p := range found {
		c.broken = append(c.broken, p.File)
	}
	if !slices.Contains(c.broken, enumsFile) {
		for _, e := range s.Enums {
			c.enum(e)
		}
	}
	for _, d := range s.Drivers {
		if !slices.Contains(c.broken, d.File) {
			c.driver(d)
		}
	}
	if !slices.Contains(c.broken, factsFile) {
		c.topics(s.Topics)
	}
	return c.problems.Err()
}

type checker struct {
	spec     *Spec
	problems Problems
	broken   []string          // files that did not decode
	names    map[string]string // Go name → what has it
	ours     *Spec             // the built-in spec, once a reference asked for it
}

func (c *checker) add(file string, line int, format string, args ...any) {
	c.problems = append(c.problems, Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
}

// report is a checker for one mapping of one file.
type report func(key, format string, args ...any)

func (r report) oneOf(key, value string, allowed []string) {
	switch {
	case value == "":
		r(key, "%s is missing: one of %s", key, strings.Join(allowed, ", "))
	case !slices.Contains(allowed, value):
		r(key, "%s is %q, not one of %s", key, value, strings.Join(allowed, ", "))
	}
}

func (r report) required(key, value string) {
	if strings.TrimSpace(value) == "" {
		r(key, "%s is missing", key)
	}
}

// sentence checks a summary: it is printed after a dash or in a table.
func (r report) sentence(key, value string) {
	r.required(key, value)
	if strings.Contains(value, "\n") {
		r(key, "%s is more than one line", key)
	}
	if strings.HasSuffix(strings.TrimSpace(value), ".") {
		r(key, "%s ends with a full stop", key)
	}
}

func (r report) sources(key string, list Strings) {
	if len(list) == 0 {
		r(key, "%s names no file of libvirt's source", key)
	}
	for _, f := range list {
		if f != newsFile && (!strings.Contains(f, "/") || strings.HasPrefix(f, "/")) {
			r(key, "%q is not a path in libvirt's source", f)
		}
	}
}

func (r report) verified(v Verified) {
	r.sources("verified", v.Source)
	r.tests(v.Tests)
}

func (r report) tests(list Strings) {
	for _, name := range list {
		if !testName.MatchString(name) {
			r("verified", "%q is not the name of a test", name)
		}
	}
}

// unique reports two things that would get the same Go name.
func (c *checker) unique(r report, key, name, what string) {
	if prev, ok := c.names[name]; ok {
		r(key, "%s gets the Go name %s, which %s has", what, name, prev)
		return
	}
	c.names[name] = what
}

func (c *checker) enum(e *Enum) {
	r := report(func(key, format string, args ...any) {
		c.add(enumsFile, e.lines.Of(key), "enum %s: "+format, append([]any{e.Name}, args...)...)
	})
	if !enumWord.MatchString(e.Name) {
		r("name", "the name is %q, not lower-case words joined by _", e.Name)
		return
	}
	c.unique(r, "name", e.GoName(), "enum "+e.Name)
	if e.Since == "" {
		r("since", "since is missing")
	}
	r.sentence("summary", e.Summary)
	r.required("doc", e.Doc)
	r.sources("source", e.Source)
	if len(e.Values) == 0 {
		r("values", "no values")
	}
	for i, v := range e.Values {
		key := fmt.Sprintf("values[%d]", i)
		if !valueWord.MatchString(v.Value) {
			r(key, "the value is %q, not lower-case words", v.Value)
			continue
		}
		c.unique(r, key, e.ValueGoName(v), fmt.Sprintf("%s %q", e.Name, v.Value))
		switch {
		case strings.TrimSpace(v.Summary) == "":
			r(key, "%q has no summary", v.Value)
		case strings.Contains(v.Summary, "\n"):
			r(key, "the summary of %q is more than one line", v.Value)
		case strings.HasSuffix(v.Summary, "."):
			r(key, "the summary of %q ends with a full stop", v.Value)
		}
	}
}

// topics checks facts.yaml. The names of topics and of facts are anchors of one page.
func (c *checker) topics(topics []*Topic) {
	taken := map[string]bool{}
	name := func(r report, key, value string) {
		if !word.MatchString(value) {
			r(key, "the name is %q, not lower-case words joined by -", value)
		} else if taken[value] {
			r(key, "it is there twice")
		}
		taken[value] = true
	}
	for _, t := range topics {
		r := report(func(key, format string, args ...any) {
			c.add(factsFile, t.lines.Of(key), "topic %s: "+format, append([]any{t.Name}, args...)...)
		})
		name(r, "topic", t.Name)
		r.sentence("summary", t.Summary)
		if len(t.Facts) == 0 {
			r("facts", "no facts")
		}
		for _, f := range t.Facts {
			r := report(func(key, format string, args ...any) {
				c.add(factsFile, f.lines.Of(key), "fact %s: "+format, append([]any{f.Name}, args...)...)
			})
			name(r, "fact", f.Name)
			r.sentence("summary", f.Summary)
			r.required("doc", f.Doc)
			if f.Until != "" && !f.Since.Less(f.Until) {
				r("until", "until %s is not after since %s", f.Until, f.Since)
			}
			if len(f.Verified.Seen) == 0 || len(f.Verified.Source) > 0 {
				r.sources("verified", f.Verified.Source)
			}
			r.tests(f.Verified.Tests)
			for _, v := range f.Verified.Seen {
				if v.Less(f.Since) || f.Until != "" && !v.Less(f.Until) {
					r("verified", "seen on %s, of which it is not true", v)
				}
			}
		}
	}
}

// place is the file of a driver, or where a driver made in memory would stand.
func (d *Driver) place() string { return cmp.Or(d.File, d.Name+".yaml") }

func (c *checker) driver(d *Driver) {
	r := report(func(key, format string, args ...any) { c.add(d.place(), d.lines.Of(key), format, args...) })
	if !word.MatchString(d.Name) {
		r("driver", "driver is %q, not lower-case words joined by -", d.Name)
		return
	}
	if d.place() != d.Name+".yaml" {
		r("driver", "driver %s belongs in %s.yaml", d.Name, d.Name)
	}
	r.oneOf("object", d.Object, objects)
	r.sentence("summary", d.Summary)
	r.required("doc", d.Doc)
	if len(d.Ops) == 0 {
		r("operations", "no operations")
	}
	for _, o := range d.Ops {
		c.op(d, o)
	}
	for i, l := range d.Lifecycles {
		c.lifecycle(d, l)
		if j := slices.IndexFunc(d.Lifecycles, func(o *Lifecycle) bool { return o.Action == l.Action }); j < i {
			c.add(d.place(), l.lines.Of("action"), "action %s: it is there twice", l.Action)
		}
	}
}

func (c *checker) op(d *Driver, o *Op) {
	r := report(func(key, format string, args ...any) {
		c.add(d.place(), o.lines.Of(key), "%s/%s: "+format, append([]any{o.Op, o.SubOp}, args...)...)
	})
	if !word.MatchString(o.Op) {
		r("op", "op is %q, not lower-case words joined by -", o.Op)
		return
	}
	if o.SubOp != "-" && !word.MatchString(o.SubOp) {
		r("sub_op", `sub_op is %q, neither "-" nor a lower-case word`, o.SubOp)
		return
	}
	c.unique(r, "op", o.GoName(), "operation "+o.ID())
	if o.Since == "" {
		r("since", "since is missing")
	}
	if o.Until != "" && !o.Since.Less(o.Until) {
		r("until", "until %s is not after since %s", o.Until, o.Since)
	}
	for i, f := range o.Replaces {
		key := fmt.Sprintf("replaces[%d]", i)
		if !word.MatchString(f.Op) {
			r(key, "the former name is %q, not lower-case words joined by -", f.Op)
		}
		if f.Until == "" || !o.Since.Less(f.Until) {
			r(key, "%s: until must be a version after since %s", f.Op, o.Since)
		}
	}
	r.oneOf("host", o.Host, hosts)
	r.oneOf("output", o.Output, outputs)
	r.oneOf("fault", o.Fault, faults)
	r.sentence("summary", o.Summary)
	r.required("doc", o.Doc)
	r.verified(o.Verified)

	if len(o.Input) == 0 {
		r("input", "input is missing: one of %s", strings.Join(kinds, ", "))
	}
	var since []Version
	for _, in := range o.Input {
		r.oneOf("input", in.Kind, kinds)
		since = append(since, in.Since)
	}
	newestFirst(r, "input", o.Since, since)
	if o.Filters() && (len(o.Input) == 0 || o.Input[0].Kind != InputDomain) {
		r("output", "a filter needs a domain as input")
	}
	if o.ABICheck != "" {
		r.oneOf("abi_check", o.ABICheck, abiChecks)
		if !o.Filters() {
			r("abi_check", "abi_check is for filters")
		}
	}

	if len(o.Failure) == 0 {
		r("failure", "failure is missing")
	}
	since = since[:0]
	for i, f := range o.Failure {
		key := fmt.Sprintf("failure[%d]", i)
		if !slices.Contains(effects, f.Effect) {
			r(key, "effect is %q, not one of %s", f.Effect, strings.Join(effects, ", "))
		}
		if o.Fault == "fail" && (f.Effect == EffectKilled || f.Effect == EffectForgotten) {
			r("fault", "a fault must pass where a failing hook gets the guest %s", f.Effect)
		}
		for _, v := range f.Seen {
			if !o.In(v) || o.failureAt(v) != i {
				r(key, "seen on %s, which this item is not about", v)
			}
		}
		since = append(since, f.Since)
	}
	newestFirst(r, "failure", o.Since, since)
	for _, v := range o.Verified.Seen {
		if !o.In(v) {
			r("verified", "seen on %s, which does not make the call", v)
		}
	}

	if x := o.Extra; x != nil {
		switch {
		case (x.Enum == "") == (x.Const == ""):
			r("extra", "extra takes either enum or const")
		case x.Enum != "" && !word.MatchString(x.Name):
			r("extra", "extra needs a name, lower-case words joined by -")
		case x.Enum != "" && c.spec.Enum(x.Enum) == nil && !slices.Contains(c.broken, enumsFile):
			r("extra", "no enum %q in %s", x.Enum, enumsFile)
		}
		if x.Since != "" && x.Since.Less(o.Since) {
			r("extra", "extra is since %s, before the operation's %s", x.Since, o.Since)
		}
	}
	for i, ref := range o.After {
		if !c.known(d, ref) {
			r(fmt.Sprintf("after[%d]", i), "no operation %q", ref)
		}
	}
	if e := o.Example; e != nil {
		r := report(func(key, format string, args ...any) { r("example", "example: "+format, args...) })
		r.sentence("summary", e.Summary)
		r.required("code", e.Code)
		r.required("prints", e.Prints)
		if e.Extra != "" && !c.passes(o, e.Extra) {
			r("extra", "%q is nothing that libvirt passes", e.Extra)
		}
	}
}

func (c *checker) lifecycle(d *Driver, l *Lifecycle) {
	r := report(func(key, format string, args ...any) {
		c.add(d.place(), l.lines.Of(key), "action %s: "+format, append([]any{l.Action}, args...)...)
	})
	if !word.MatchString(l.Action) {
		r("action", "the action is %q, not lower-case words joined by -", l.Action)
		return
	}
	r.sentence("summary", l.Summary)
	r.verified(l.Verified)
	state := func(key, value string) {
		if value != "" {
			r.oneOf(key, value, states)
		}
	}
	state("from", l.From)
	state("to", l.To)
	if len(l.Calls) == 0 {
		r("calls", "no calls")
	}
	c.sequence(d, r, "destination", l.Destination)
	c.sequence(d, r, "calls", l.Calls)
	for i, ref := range l.Ignored {
		if !slices.Contains(l.Calls, ref) {
			r(fmt.Sprintf("ignored[%d]", i), "%s is not one of the calls", ref)
		}
	}
	if l.Guests != "" && !c.someLifecycle(l.Guests) {
		r("guests", "no driver has the action %q", l.Guests)
	}
	reason := func(key, word string, calls []string) {
		if word != "" && !slices.Contains(calls, "release") {
			r(key, "the reason %s is for release, which is not called", word)
		}
		if word != "" && !c.reason(word) {
			r(key, "the reason %q is not one of enum shutoff_reason", word)
		}
	}
	reason("reason", l.Reason, l.Calls)
	if l.Fails && len(l.Refused) == 0 {
		r("fails", "what fails needs refused, which says what follows")
	}
	for i, f := range l.Refused {
		key := fmt.Sprintf("refused[%d]", i)
		for _, ref := range f.At {
			if !slices.Contains(l.Calls, ref) && !slices.Contains(l.Destination, ref) {
				r(key, "%s is not one of the calls", ref)
			}
		}
		for _, ref := range f.Calls {
			if !c.known(d, ref) {
				r(key, "no operation %q", ref)
			}
		}
		reason(key, f.Reason, f.Calls)
		state(key, f.To)
	}
}

// sequence checks that every call exists and may come after one of those before it, by
// the operation's own after.
func (c *checker) sequence(d *Driver, r report, key string, calls []string) {
	for i, ref := range calls {
		at := fmt.Sprintf("%s[%d]", key, i)
		if !c.known(d, ref) {
			r(at, "no operation %q", ref)
			continue
		}
		name, op, ok := strings.Cut(ref, "/")
		if !ok {
			name, op = d.Name, ref
		}
		of := c.spec.Driver(name)
		if i == 0 || of == nil {
			continue
		}
		found := of.Find(op)
		if len(found) > 0 && !slices.ContainsFunc(found, func(o *Op) bool { return o.follows(d.Name, calls[:i]) }) {
			r(at, "%s comes after %s here, but not by its own after", ref, calls[i-1])
		}
	}
}

// follows says whether one of the calls, in the terms of a driver, is in o.After.
func (o *Op) follows(driver string, calls []string) bool {
	full := func(driver, ref string) string {
		if strings.Contains(ref, "/") {
			return ref
		}
		return driver + "/" + ref
	}
	return slices.ContainsFunc(o.After, func(after string) bool {
		return slices.ContainsFunc(calls, func(call string) bool {
			return full(o.Driver.Name, after) == full(driver, call)
		})
	})
}

func (c *checker) someLifecycle(action string) bool {
	return slices.ContainsFunc(c.spec.Drivers, func(d *Driver) bool {
		return slices.ContainsFunc(d.Lifecycles, func(l *Lifecycle) bool { return l.Action == action })
	})
}

// passes says whether the word is one of the operation's fourth operand.
func (c *checker) passes(o *Op, word string) bool {
	if o.Extra == nil || o.Extra.Enum == "" {
		return false
	}
	e := c.spec.Enum(o.Extra.Enum)
	return e == nil || slices.ContainsFunc(e.Values, func(v Value) bool { return v.Value == word })
}

// reason says whether libvirt has this shutoff reason.
func (c *checker) reason(word string) bool {
	e := c.spec.Enum("shutoff_reason")
	return e == nil || slices.ContainsFunc(e.Values, func(v Value) bool { return v.Value == word })
}

// newestFirst checks the versions of a list whose last item may leave it out.
func newestFirst(r report, key string, first Version, since []Version) {
	for i, v := range since {
		last := i == len(since)-1
		switch {
		case v == "" && !last:
			r(key, "item %d of %s needs since: only the last, the oldest, may leave it out", i+1, key)
		case v != "" && v.Less(first):
			r(key, "item %d of %s is since %s, before the operation's %s", i+1, key, v, first)
		case i > 0 && v != "" && since[i-1] != "" && !v.Less(since[i-1]):
			r(key, "item %d of %s is since %s, not older than the one before it", i+1, key, v)
		}
	}
}

// known resolves OP or DRIVER/OP, also in the spec that this module ships: a
// folder that only adds operations refers to ours.
func (c *checker) known(d *Driver, ref string) bool {
	name, op, ok := strings.Cut(ref, "/")
	if !ok {
		name, op = d.Name, ref
	}
	if slices.Contains(c.broken, name+".yaml") {
		return true
	}
	if own := c.spec.Driver(name); own != nil && len(own.Find(op)) > 0 {
		return true
	}
	if c.ours == nil {
		c.ours, _, _ = parse(builtin) // unvalidated: the built-in spec itself may be what is checked
	}
	base := c.ours.Driver(name)
	return base != nil && len(base.Find(op)) > 0
}
