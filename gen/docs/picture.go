package docs

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/virthook/virthook/spec"
)

// A picture is a time line that runs down: a lane for each driver that is called, on each
// host; a station for each hook; and, left of the lanes, a dashed rail for what follows an
// error, which is drawn once for all stations that lead to the same. Labels stand in one
// column at the right. Everything is placed first and drawn then, as rails need to know
// where the rows below are.

const (
	pictureWidth = 400 // fits a phone at its full size
	margin       = 14
	laneGap      = 22
	railGap      = 12
	nameSize     = 14.5
	textSize     = 13
	smallSize    = 12.5
	leading      = 17 // from one line of text to the next
	lanesEnd     = 240
)

// picture draws a lifecycle as a file of its own.
func picture(l *Lifecycle) []byte {
	p := &drawing{l: l}
	p.place()
	return []byte("<!-- " + generated + " -->" + p.draw() + "\n")
}

// inlinePicture is the same drawing as an element of a page, which sets the colours by
// custom properties and may hide what has data-since and data-until.
func inlinePicture(l *Lifecycle, link func(Link) string) template.HTML {
	p := &drawing{l: l, inline: true, link: link}
	p.place()
	return template.HTML(p.draw()) // in which all text of the spec is escaped
}

// drawing is one picture on its way from a lifecycle to SVG.
type drawing struct {
	l      *Lifecycle
	inline bool
	link   func(Link) string // of an operation; only inline

	lanes   []*lane
	paths   []*branch
	rows    []*row  // of the time line, then of the paths
	start   *row    // nil: there is no state to begin with
	end     *row    // nil: nothing is reached
	ending  *row    // libvirt itself fails
	head    []item  // above the lanes
	labels  float64 // where the column of labels begins
	height  float64
	desc    []string
	out     strings.Builder
	boxes   []box // what labels take, for the tests
	strokes []box // what lines take
}

// lane is one driver on one host.
type lane struct {
	host, driver string
	x, top, end  float64
}

// branch is what libvirt does after an error, at any of the members.
type branch struct {
	Range
	host    string
	lane    *lane // of the driver whose lifecycle it is
	effect  string
	extra   string
	to      string
	calls   []Link
	marks   []mark
	members []member
	rail    float64
	rows    []*row
}

// member is a station at which a path begins.
type member struct {
	row     *row
	name    string // for the notes of calls that only some members lead to
	outcome *Outcome
}

// row is one line of the picture: a marker on a lane, and its labels.
type row struct {
	Range
	kind   string // state, step, call, ending, text, guests
	lane   *lane
	y, h   float64
	cy     float64 // of the marker
	state  string
	effect string
	filter bool
	items  []item // relative to y
}

// item is something of a label.
type item struct {
	Range
	kind   string // text, glyph, pill, stub
	x, y   float64
	w      float64
	size   float64
	bold   bool
	role   string // the colour
	class  string
	effect string
	lines  []string
	link   *Link
}

type box struct {
	x, y, w, h float64
	what       string
}

// place decides where everything goes.
func (p *drawing) place() {
	l := p.l
	p.layLanes()
	steps := make([]*row, len(l.Steps))
	for i := range l.Steps {
		s := &l.Steps[i]
		steps[i] = &row{Range: s.Range, kind: "step", lane: p.lane(s.Host, s.Driver), filter: s.Filter}
		for j := range s.Outcomes {
			p.join(steps[i], s.Text, s.Host, &s.Outcomes[j])
		}
	}
	if l.Ending != nil {
		host := ""
		if n := len(l.Steps); n > 0 {
			host = l.Steps[n-1].Host
		}
		p.ending = &row{kind: "ending", lane: p.lane(host, l.Driver), effect: l.Ending.Effect}
		p.join(p.ending, l.Ending.Text, host, l.Ending)
	}
	slices.SortStableFunc(p.paths, func(a, b *branch) int { return cmp.Compare(p.hostIndex(a.host), p.hostIndex(b.host)) })
	p.layColumns()

	y := p.layHead()
	add := func(r *row, gap float64) *row {
		r.y = y + gap
		r.cy += r.y
		y = r.y + r.h
		p.rows = append(p.rows, r)
		return r
	}
	if l.From != "" {
		p.start = add(p.stateRow(p.lanes[0], l.From, p.lanes[0].host), 4)
		p.say("It begins with the state " + p.placed(l.From, p.lanes[0].host) + ".")
	}
	for i, r := range steps {
		s := l.Steps[i]
		gap := 16.0
		if s.Host != "" && (i == 0 || l.Steps[i-1].Host != s.Host) {
			add(p.textRow("on the "+s.Host), 14)
			gap = 12
		}
		p.fillStep(r, s)
		add(r, gap)
	}
	if p.ending != nil {
		p.fillEnding(p.ending)
		add(p.ending, 16)
	}
	if l.Guests != "" {
		add(p.guestsRow(), 40)
	}
	if l.To != "" {
		of := p.lanes[len(p.lanes)-1]
		of = p.lane(of.host, l.Driver)
		p.end = add(p.stateRow(of, l.To, of.host), 18)
		p.say("It ends with the state " + p.placed(l.To, of.host) + ".")
	} else if p.ending == nil && l.Guests == "" {
		y += 16 // where the line runs out
	}
	for i := len(p.paths) - 1; i >= 0; i-- {
		p.fillPath(p.paths[i], add)
	}
	p.height = y + margin
	for _, r := range p.rows {
		if r.lane != nil {
			r.lane.end = max(r.lane.end, r.cy)
		}
	}
}

// layLanes makes the lanes: those of the source left of those of the destination, and
// those of the driver itself left of others.
func (p *drawing) layLanes() {
	hosts := []string{""}
	if p.l.Hosts {
		hosts = []string{"source", "destination"}
	}
	for _, host := range hosts {
		drivers := []string{p.l.Driver}
		add := func(links ...Link) {
			for _, l := range links {
				if !slices.Contains(drivers, l.Driver) {
					drivers = append(drivers, l.Driver)
				}
			}
		}
		for _, s := range p.l.Steps {
			if s.Host == host {
				add(s.Link)
				for _, o := range s.Outcomes {
					add(o.Calls...)
				}
			}
		}
		if e := p.l.Ending; e != nil && (len(p.l.Steps) == 0 || p.l.Steps[len(p.l.Steps)-1].Host == host) {
			add(e.Calls...)
		}
		for _, d := range drivers {
			p.lanes = append(p.lanes, &lane{host: host, driver: d})
		}
	}
}

func (p *drawing) lane(host, driver string) *lane {
	for _, l := range p.lanes {
		if l.host == host && l.driver == driver {
			return l
		}
	}
	return p.lanes[0]
}

func (p *drawing) hostIndex(host string) int {
	return slices.IndexFunc(p.lanes, func(l *lane) bool { return l.host == host })
}

// join lets an outcome of a row begin a path, or lead into one that is there.
func (p *drawing) join(r *row, name, host string, o *Outcome) {
	if len(o.Calls) == 0 {
		return // said in the row
	}
	m := member{r, name, o}
	for _, q := range p.paths {
		if q.host != host || q.Range != o.Range || q.to != o.To || q.extra != o.Extra ||
			q.effect != o.Effect && o.Effect != "failed" {
			continue
		}
		switch {
		case within(o.Calls, q.calls):
		case within(q.calls, o.Calls):
			q.calls, q.marks = o.Calls, o.marks
		default:
			continue
		}
		q.members = append(q.members, m)
		return
	}
	p.paths = append(p.paths, &branch{
		Range: o.Range, host: host, lane: p.lane(host, p.l.Driver), effect: o.Effect, extra: o.Extra, to: o.To,
		calls: o.Calls, marks: o.marks, members: []member{m},
	})
}

// within says whether the one is the other with some left out.
func within(some, all []Link) bool {
	for _, l := range all {
		if len(some) > 0 && some[0].Driver == l.Driver && some[0].Text == l.Text {
			some = some[1:]
		}
	}
	return len(some) == 0
}

// pathOf is the path that an outcome leads into, nil when it leads into none.
func (p *drawing) pathOf(o *Outcome) *branch {
	for _, q := range p.paths {
		if slices.ContainsFunc(q.members, func(m member) bool { return m.outcome == o }) {
			return q
		}
	}
	return nil
}

// layColumns gives lanes and rails their place from left to right: the rails of a host
// stand left of its lanes, that which begins first outermost, so that none cross.
func (p *drawing) layColumns() {
	x := float64(margin)
	for i, l := range p.lanes {
		if i == 0 || p.lanes[i-1].host != l.host {
			if i > 0 {
				x += 18
			}
			var rails int
			for _, q := range p.paths {
				if q.host == l.host {
					q.rail = x + 6 + float64(rails)*railGap
					rails++
				}
			}
			// A single rail's room is kept where there is none, so that pictures align.
			if rails == 0 && l.host == "" {
				rails = 1
			}
			x += float64(rails) * railGap
			if rails > 0 {
				x += 12
			}
			x += 6
		} else {
			x += laneGap
		}
		l.x = x
	}
	if last := p.lanes[len(p.lanes)-1].x; last > lanesEnd { // so many that they stand closer
		for _, l := range p.lanes {
			l.x *= lanesEnd / last
		}
		for _, q := range p.paths {
			q.rail *= lanesEnd / last
		}
		x = lanesEnd
	}
	p.labels = max(margin+80, x+24) // the same where only one driver is called
}

// layHead places the title and the names of the lanes, one below the other like stairs.
func (p *drawing) layHead() float64 {
	y := 6.0
	if !p.inline {
		t := balanced(p.title(), nameSize+.5, true, pictureWidth-2*margin)
		t.x, t.y, t.role = margin, y+22, "text"
		p.head = append(p.head, t)
		y = t.y + float64(len(t.lines)-1)*leading + 14
	}
	for i, l := range p.lanes {
		name := l.driver
		if l.host != "" {
			name = l.host + ": " + name
		}
		t := wrapped(name, smallSize, true, pictureWidth-margin-(l.x-6))
		t.x, t.y, t.role = l.x-6, y+14, p.laneRole(l)
		p.head = append(p.head, t)
		y = t.y + float64(len(t.lines)-1)*leading + 5
		l.top, l.end = y, y
		if i < len(p.lanes)-1 {
			y -= 1
		}
	}
	return y + 8
}

func (p *drawing) title() string { return p.l.Driver + ": " + p.l.Summary }

func (p *drawing) say(s string) { p.desc = append(p.desc, s) }

// placed is a state, with the host that it is about.
func (p *drawing) placed(state, host string) string {
	if host == "" {
		return state
	}
	return state + " on the " + host
}

func (p *drawing) room() float64 { return pictureWidth - margin - p.labels }

// put appends a text to a row, below what is there.
func (p *drawing) put(r *row, t item) {
	t.x += p.labels
	t.y = r.h + leading - 4
	r.h += float64(len(t.lines)) * leading
	r.items = append(r.items, t)
}

func (p *drawing) stateRow(l *lane, state, host string) *row {
	r := &row{kind: "state", lane: l, state: state}
	p.putPill(r, state, host)
	r.cy = 12
	return r
}

// putPill appends a state, as wide as its name needs.
func (p *drawing) putPill(r *row, state, host string) {
	t := wrapped(p.placed(state, host), textSize, true, p.room()-22)
	t.kind, t.role = "pill", stateRole(state)
	t.x, t.y = p.labels, r.h
	t.w = widest(t) + 22
	r.h += float64(len(t.lines))*leading + 7
	r.items = append(r.items, t)
}

func (p *drawing) textRow(s string) *row {
	r := &row{kind: "text"}
	t := wrapped(s, smallSize, true, p.room())
	t.role = "quiet"
	p.put(r, t)
	r.h += 4
	return r
}

func (p *drawing) fillStep(r *row, s Step) {
	p.putName(r, s.Link, s.Extra, s.mark.Range)
	words := s.Text
	if s.Host != "" {
		words = "On the " + s.Host + ": " + words
	}
	if s.Extra != "" {
		words += " (" + s.Extra + ")"
	}
	if s.Each {
		words += ", once for each port"
		p.putQuiet(r, "once for each port")
	}
	if s.Filter {
		words += ", which may rewrite the XML"
		p.putQuiet(r, "may rewrite the XML")
	}
	if s.Until != "" {
		words += ", " + s.words()
		p.putWhen(r, s.words())
	}
	p.say(words + ".")
	for i := range s.Outcomes {
		if i > 0 {
			r.h += 5
		}
		p.putOutcome(r, &s.Outcomes[i], "if it fails: ")
	}
}

// putName appends the name of an operation, and the reason that it is given.
func (p *drawing) putName(r *row, l Link, extra string, in Range) {
	t := wrapped(l.Text, nameSize, true, p.room())
	t.role, t.link = "text", &l
	p.put(r, t)
	r.cy = 9
	if extra == "" {
		return
	}
	x := wrapped("reason: "+extra, textSize, false, p.room())
	x.role, x.Range = "quiet", in
	if w := widest(t); len(t.lines) == 1 && len(x.lines) == 1 && w+12+widest(x) <= p.room() {
		x.x, x.y = p.labels+w+12, r.items[len(r.items)-1].y
		r.items = append(r.items, x)
		return
	}
	p.put(r, x)
}

func (p *drawing) putQuiet(r *row, s string) {
	t := balanced(s, textSize, false, p.room())
	t.role = "quiet"
	p.put(r, t)
}

// putWhen appends a range in words, which a page of one version may leave out.
func (p *drawing) putWhen(r *row, s string) {
	t := wrapped(s, smallSize, false, p.room()-18)
	t.x, t.role, t.class = 18, "quiet", "when"
	p.put(r, t)
}

func (p *drawing) fillEnding(r *row) {
	t := wrapped(p.l.Ending.Text, nameSize, true, p.room())
	t.role = effectRole(r.effect)
	p.put(r, t)
	r.cy = 9
	when := ""
	if p.l.Ending.When != "" {
		p.putWhen(r, p.l.Ending.When)
		when = ", " + p.l.Ending.When
	}
	p.say(p.l.Ending.Text + when + follows(p.l.Ending) + ".")
	if p.pathOf(p.l.Ending) == nil && p.l.Ending.To != "" {
		r.h += 4
		p.putPill(r, p.l.Ending.To, "")
	}
}

// follows says in words what comes after an error.
func follows(o *Outcome) string {
	var s string
	for _, c := range o.Calls {
		s += ", then " + c.Text
	}
	if o.Extra != "" {
		s += " (" + o.Extra + ")"
	}
	if o.To != "" {
		s += ", and the state is " + o.To
	}
	return s
}

// putOutcome appends what an error does. What follows is drawn at the end of its path,
// or right here where nothing is called.
func (p *drawing) putOutcome(r *row, o *Outcome, before string) {
	when := o.When
	if when != "" {
		when = ", " + when
	}
	p.say("An error there" + when + ": " + o.Text + follows(o) + ".")
	text, q := o.Text, p.pathOf(o)
	if q != nil {
		text, _, _ = strings.Cut(text, ", ") // in full where the path begins
	}
	first := len(r.items)
	t := wrapped(before+text, textSize, false, p.room()-18)
	t.x, t.role = 18, effectRole(o.Effect)
	p.put(r, t)
	at := r.items[first].y - 4.5
	r.items = append(r.items, item{kind: "glyph", x: p.labels + 6, y: at, effect: o.Effect, role: effectRole(o.Effect)})
	if q == nil && o.To != "" {
		p.putReturn(r, first, o)
	}
	if o.When != "" {
		p.putWhen(r, o.When)
	}
	if q == nil && (o.To != "" || o.Effect != spec.EffectIgnored) {
		var others float64 // each has a turn of its own, the lower ones further left
		for _, t := range r.items {
			if t.kind == "stub" {
				others++
			}
		}
		r.items = append(r.items, item{kind: "stub", x: p.labels - 2, y: at, w: others, effect: o.Effect, role: effectRole(o.Effect)})
	}
	for i := first; i < len(r.items); i++ {
		r.items[i].Range = o.Range
	}
}

// putReturn appends the state that an error leads to at once, behind an arrow.
func (p *drawing) putReturn(r *row, first int, o *Outcome) {
	host := ""
	if p.l.Hosts && o.To == p.l.From {
		host = p.lanes[0].host
	}
	t := wrapped(p.placed(o.To, host), smallSize, true, p.room()-18-22-20)
	t.kind, t.role = "pill", stateRole(o.To)
	t.w = widest(t) + 18
	text := r.items[first]
	last := text.y + float64(len(text.lines)-1)*leading
	end := text.x + width(text.lines[len(text.lines)-1], text.size, text.bold)
	if len(t.lines) == 1 && len(text.lines) == 1 && end+8+18+4+t.w <= pictureWidth-margin {
		t.x, t.y = end+30, last-13.5
		r.h += 2
	} else {
		t.x, t.y = p.labels+18+26, r.h+3
		r.h += float64(len(t.lines))*leading + 5
	}
	r.items = append(r.items, item{kind: "arrow", x: t.x - 24, y: t.y + 9.5, w: 18, effect: o.Effect, role: effectRole(o.Effect)}, t)
}

func (p *drawing) guestsRow() *row {
	r := &row{kind: "guests", lane: p.lanes[0], cy: 9}
	t := wrapped(p.l.Guests, nameSize, true, p.room())
	t.role = "text"
	p.put(r, t)
	p.putQuiet(r, "once for every running guest")
	p.say("Then " + p.l.Guests + ", once for every running guest.")
	return r
}

// fillPath makes the rows of a path: what it comes to, the calls, and the state at the end.
func (p *drawing) fillPath(q *branch, add func(*row, float64) *row) {
	push := func(r *row, gap float64) {
		r.Range = q.Range
		q.rows = append(q.rows, add(r, gap))
	}
	var texts []string
	gap := 24.0
	for _, m := range q.members {
		o := m.outcome
		if slices.Contains(texts, o.Text) {
			continue
		}
		texts = append(texts, o.Text)
		r := &row{kind: "text"}
		t := wrapped(o.Text, textSize, true, p.room()-18)
		t.x, t.role = 18, effectRole(o.Effect)
		p.put(r, t)
		r.items = append(r.items, item{kind: "glyph", x: p.labels + 6, y: r.items[0].y - 4.5, effect: o.Effect, role: effectRole(o.Effect)})
		if o.When != "" {
			p.putWhen(r, o.When)
		}
		push(r, gap)
		gap = 2
	}
	for i, c := range q.calls {
		r := &row{kind: "call", lane: p.lane(q.host, c.Driver), effect: q.effect}
		extra, m := "", mark{}
		if i < len(q.marks) {
			m = q.marks[i]
		}
		if m.extra {
			extra = q.extra
		}
		p.putName(r, c, extra, m.Range)
		if m.each {
			p.putQuiet(r, "once for each port that was created")
		}
		if s := q.only(c); s != "" {
			p.putQuiet(r, s)
		}
		push(r, 14)
	}
	if q.to != "" {
		l, host := q.lane, ""
		if p.l.Hosts && q.to == p.l.From {
			l, host = p.lanes[0], p.lanes[0].host
		}
		r := p.stateRow(l, q.to, host)
		r.effect = q.effect
		push(r, 16)
	}
}

// only says which members lead to a call, when not all do.
func (q *branch) only(c Link) string {
	var without []string
	for _, m := range q.members {
		if !within([]Link{c}, m.outcome.Calls) {
			without = append(without, m.name)
		}
	}
	if len(without) == 0 {
		return ""
	}
	return "not after a failure in " + strings.Join(slices.Compact(without), " or ")
}

// effectRole is the colour of an effect.
func effectRole(effect string) string {
	switch effect {
	case spec.EffectRefused:
		return "bad"
	case spec.EffectKilled, spec.EffectForgotten, spec.EffectLost:
		return effect
	case "failed":
		return "text"
	}
	return "quiet"
}

// dashes of lines, by effect.
func dash(effect string) string {
	switch effect {
	case spec.EffectKilled:
		return "2 3"
	case spec.EffectForgotten:
		return "9 3 2 3"
	case spec.EffectLost:
		return "8 4"
	}
	return "5 3"
}

func stateRole(state string) string {
	switch state {
	case spec.StateRunning:
		return "fine"
	case spec.StateSaved:
		return "marked"
	}
	return "quiet"
}

func (p *drawing) laneRole(l *lane) string {
	switch l.driver {
	case "network":
		return "fine"
	case "daemon":
		return "quiet"
	case p.l.Driver:
		return "link"
	}
	return "marked"
}

// colours are those of the page, which may set each as a custom property of that name,
// with what stands for it where there is none: the light one, the dark one.
var colours = map[string][2]string{
	"text": {"#1b1e20", "#e5e8ea"}, "quiet": {"#575e64", "#a3abb2"}, "rule": {"#e1e3e1", "#33383d"},
	"card": {"#ffffff", "#1b1e21"}, "sunk": {"#f3f4f3", "#23272b"}, "link": {"#1f5fa8", "#85b7f2"},
	"fine": {"#18733f", "#5cc78a"}, "fine-wash": {"#e4f3e9", "#17301f"},
	"marked": {"#835400", "#e2b155"}, "marked-wash": {"#fbf0d9", "#352a12"},
	"bad": {"#b1231c", "#ff8f85"}, "killed": {"#8a1c6e", "#f08fd6"}, "forgotten": {"#5b3fb0", "#b7a5ff"},
	"lost": {"#835400", "#e2b155"},
}

// nearest are properties that pages are likely to have, for those that few have.
var nearest = map[string]string{"killed": "bad", "forgotten": "link", "lost": "marked"}

// paint is the attribute that gives an element a colour.
func (p *drawing) paint(property, role string) string {
	if !p.inline {
		return fmt.Sprintf(` class="%c-%s"`, property[0], role)
	}
	value := "var(--" + role + "," + colours[role][0] + ")"
	if n := nearest[role]; n != "" {
		value = "var(--" + role + ",var(--" + n + "," + colours[n][0] + "))"
	}
	return fmt.Sprintf(` %s="%s"`, property, value)
}

// both is paint for an element that is filled and has an outline.
func (p *drawing) both(fill, stroke string) string {
	if !p.inline {
		return fmt.Sprintf(` class="f-%s s-%s"`, fill, stroke)
	}
	return p.paint("fill", fill) + p.paint("stroke", stroke)
}

// styles are the rules of a file of its own.
func styles() string {
	var light, dark strings.Builder
	for _, role := range slices.Sorted(maps.Keys(colours)) {
		c := colours[role]
		fmt.Fprintf(&light, ".f-%s{fill:%s}.s-%[1]s{stroke:%[2]s}", role, c[0])
		fmt.Fprintf(&dark, ".f-%s{fill:%s}.s-%[1]s{stroke:%[2]s}", role, c[1])
	}
	return light.String() + "@media(prefers-color-scheme:dark){" + dark.String() + "}"
}

func (p *drawing) w(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

func (p *drawing) draw() string {
	size := fmt.Sprintf(`width="%d" height="%s" viewBox="0 0 %[1]d %[2]s"`, pictureWidth, num(p.height))
	font := `font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif" fill="none"`
	if p.inline {
		// With links in it it is a group: an image would hide them from screen readers.
		p.w(`<svg class="lifecycle-picture" role="group" aria-label="%s" %s %s>`, escaped(p.title()), size, font)
		p.w("<desc>%s</desc>", escaped(strings.Join(p.desc, " ")))
	} else {
		p.w(`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" %s %s>`, size, font)
		p.w(`<title id="title">%s</title>`, escaped(p.title()))
		p.w(`<desc id="desc">%s</desc><style>%s</style>`, escaped(strings.Join(p.desc, " ")), styles())
		// Its own ground keeps it readable on a page whose colours do not follow the system's.
		p.w("\n"+`<rect x=".5" y=".5" width="%d" height="%s" rx="8"%s/>`, pictureWidth-1, num(p.height-1), p.both("card", "rule"))
	}
	p.drawGround()
	for _, t := range p.head {
		p.item(nil, t)
	}
	p.drawThreads()
	for _, q := range p.paths {
		p.drawPath(q)
	}
	for _, r := range p.rows {
		p.drawRow(r)
	}
	p.w("\n</svg>")
	return p.out.String()
}

// drawGround draws the bands of hosts and the lanes.
func (p *drawing) drawGround() {
	for i := 0; i < len(p.lanes); {
		first := p.lanes[i]
		bottom, left := first.end, first.x
		for _, q := range p.paths {
			if q.host == first.host {
				left = min(left, q.rail)
			}
		}
		j := i
		for ; j < len(p.lanes) && p.lanes[j].host == first.host; j++ {
			bottom = max(bottom, p.lanes[j].end)
		}
		last := p.lanes[j-1]
		if first.host != "" {
			top := p.lanes[len(p.lanes)-1].top + 2
			p.w("\n"+`<rect x="%s" y="%s" width="%s" height="%s" rx="8"%s/>`,
				num(left-10), num(top), num(last.x-left+20), num(bottom+12-top), p.paint("fill", "sunk"))
		}
		i = j
	}
	for _, l := range p.lanes {
		p.line(trace("M", l.x, l.top, "V", max(l.end, l.top+8)), "rule", 2, "", box{l.x, l.top, 0, l.end - l.top, ""})
	}
}

// line draws a path that is not filled, and keeps what space it takes.
func (p *drawing) line(d, role string, w float64, dashes string, takes ...box) {
	if dashes != "" {
		dashes = ` stroke-dasharray="` + dashes + `"`
	}
	p.w("\n"+`<path d="%s" stroke-width="%s"%s%s/>`, d, num(w), dashes, p.paint("stroke", role))
	for _, b := range takes {
		b.what = d
		p.strokes = append(p.strokes, b)
	}
}

// connect draws the way from one marker down to the next.
func (p *drawing) connect(a, b *row, role, dashes string) {
	y := b.cy - 8
	if b.kind == "guests" {
		y = b.cy - 25
	}
	p.route(a.lane.x, a.cy+8, b.lane.x, y, role, dashes)
}

// route draws a line down that changes its lane right before it arrives.
func (p *drawing) route(x1, y1, x2, y2 float64, role, dashes string) {
	const w = 2.5
	down := func(to float64) box { return box{x1, y1, 0, to - y1, ""} }
	over := func(from float64) box { return box{min(x1, x2), from, max(x1, x2) - min(x1, x2), y2 - from, ""} }
	switch d := x2 - x1; {
	case d == 0:
		p.line(trace("M", x1, y1, "V", y2), role, w, dashes, down(y2))
	case d < 30 && d > -30:
		turn := max(y1, y2-16)
		mid := (turn + y2) / 2
		p.line(trace("M", x1, y1, "V", turn, "C", x1, mid, x2, mid, x2, y2), role, w, dashes, down(turn), over(turn))
	default:
		r, s := 8.0, 8.0
		if d < 0 {
			s = -8
		}
		turn := max(y1+r, y2-r-2)
		p.line(trace("M", x1, y1, "V", turn-r, "Q", x1, turn, x1+s, turn, "H", x2-s, "Q", x2, turn, x2, turn+r, "V", max(y2, turn+r)),
			role, w, dashes, down(turn), over(turn-r))
	}
}

// drawThreads draws the ordinary course, host by host.
func (p *drawing) drawThreads() {
	for i, first := range p.lanes {
		if i > 0 && p.lanes[i-1].host == first.host {
			continue
		}
		role := p.laneRole(first)
		var along []*row
		if p.start != nil {
			along = append(along, p.start)
		}
		for _, r := range p.rows {
			if (r.kind == "step" || r.kind == "ending" || r.kind == "guests") && r.lane.host == first.host {
				along = append(along, r)
			}
		}
		ends := p.end != nil && p.end.lane.host == first.host
		if ends {
			along = append(along, p.end)
		}
		if len(along) == 0 {
			continue
		}
		if p.start == nil {
			p.route(first.x, first.top+2, along[0].lane.x, along[0].cy-8, role, "")
		}
		for j := 1; j < len(along); j++ {
			p.connect(along[j-1], along[j], role, "")
		}
		last := along[len(along)-1]
		if ends || last.kind == "ending" || last.kind == "guests" {
			continue
		}
		// The guest is no longer here, or nothing more is called.
		x, y := last.lane.x, last.y+last.h+8
		p.route(x, last.cy+8, x, y, role, "")
		d := trace("M", x-6, y, "H", x+6)
		p.line(d, role, 2.5, "", box{x - 6, y, 12, 0, ""})
		last.lane.end = max(last.lane.end, y)
	}
}

// drawPath draws the branches that lead into a path, its rail, and the way along its calls.
func (p *drawing) drawPath(q *branch) {
	role, dashes := effectRole(q.effect), dash(q.effect)
	open := p.group(q.Range)
	var since spec.Version
	for i, m := range q.members {
		// The rail is there from the first member on that the version has.
		if i == 0 || m.row.Since.Less(since) {
			since = m.row.Since
		}
		r := m.row
		in := p.group(r.Range)
		p.line(trace("M", r.lane.x-8, r.cy, "H", q.rail+8, "Q", q.rail, r.cy, q.rail, r.cy+8),
			role, 2, dashes, box{q.rail, r.cy, r.lane.x - 8 - q.rail, 8, ""})
		p.close(in)
		rail := p.group(Range{Since: since})
		if i+1 < len(q.members) {
			p.route(q.rail, r.cy+8, q.rail, q.members[i+1].row.cy+8, role, dashes)
		} else if to := q.marked(); to != nil {
			p.route(q.rail, r.cy+8, to.lane.x, to.cy-8, role, dashes)
		}
		p.close(rail)
	}
	var before *row
	for _, r := range q.rows {
		if r.lane == nil {
			continue
		}
		if before != nil {
			p.connect(before, r, role, dashes)
		}
		before = r
	}
	p.close(open)
}

// marked is the first row of a path that has a marker.
func (q *branch) marked() *row {
	for _, r := range q.rows {
		if r.lane != nil {
			return r
		}
	}
	return nil
}

// group opens an element for what only some versions have.
func (p *drawing) group(r Range) bool {
	if r == (Range{}) {
		return false
	}
	p.w("\n<g")
	if r.Since != "" {
		p.w(` data-since="%s"`, escaped(string(r.Since)))
	}
	if r.Until != "" {
		p.w(` data-until="%s"`, escaped(string(r.Until)))
	}
	p.w(">")
	return true
}

func (p *drawing) close(open bool) {
	if open {
		p.w("\n</g>")
	}
}

func (p *drawing) drawRow(r *row) {
	open := p.group(r.Range)
	if r.lane != nil {
		p.marker(r)
	}
	for i := 0; i < len(r.items); {
		// What an outcome consists of is hidden as one.
		of := r.items[i].Range
		in := p.group(of)
		for ; i < len(r.items) && r.items[i].Range == of; i++ {
			p.item(r, r.items[i])
		}
		p.close(in)
	}
	p.close(open)
}

// marker draws what stands on the lane.
func (p *drawing) marker(r *row) {
	x, y, role := r.lane.x, r.cy, p.laneRole(r.lane)
	if r.kind == "call" {
		role = effectRole(r.effect)
	}
	switch {
	case r.kind == "ending":
		p.w("\n"+`<path d="%s" stroke-width="2.5"%s/>`, trace("M", x, y-8, "l", 8, 8, "l", -8, 8, "l", -8, -8, "z"), p.both("card", effectRole(r.effect)))
		p.w(`<path d="%s" stroke-width="1.5"%s/>`, trace("M", x+1.0, y-4.5, "l", -3, 4.5, "h", 4, "l", -3, 4.5), p.paint("stroke", effectRole(r.effect)))
	case r.kind == "state":
		p.w("\n"+`<circle cx="%s" cy="%s" r="7" stroke-width="2.5"%s/>`, num(x), num(y), p.both("card", stateRole(r.state)))
		switch r.state {
		case spec.StateRunning:
			p.w(`<path d="%s"%s/>`, trace("M", x-2.2, y-4, "l", 6.5, 4, "l", -6.5, 4, "z"), p.paint("fill", "fine"))
		case spec.StateSaved:
			p.w(`<path d="%s" stroke-width="2"%s/>`, trace("M", x-2, y-3, "v", 6, "M", x+2, y-3, "v", 6), p.paint("stroke", "marked"))
		}
	case r.kind == "guests":
		// One line for each guest.
		for _, dx := range []float64{-14, 0, 14} {
			p.line(trace("M", x, y-26, "C", x, y-12, x+dx, y-18, x+dx, y-5), role, 2, "", box{x - 14, y - 26, 28, 21, ""})
			p.w("\n"+`<circle cx="%s" cy="%s" r="4.5" stroke-width="2"%s/>`, num(x+dx), num(y), p.both("card", role))
			p.line(trace("M", x+dx, y+6, "V", y+24), role, 2, "2 3", box{x + dx, y + 6, 0, 18, ""})
		}
	case r.lane.driver != p.l.Driver:
		p.w("\n"+`<rect x="%s" y="%s" width="12" height="12" rx="3" stroke-width="2.5"%s/>`, num(x-6), num(y-6), p.both("card", role))
	default:
		p.w("\n"+`<circle cx="%s" cy="%s" r="6.5" stroke-width="2.5"%s/>`, num(x), num(y), p.both("card", role))
	}
	if r.filter {
		p.w(`<circle cx="%s" cy="%s" r="3"%s/>`, num(x), num(y), p.paint("fill", role))
	}
}

// item draws a part of a label.
func (p *drawing) item(r *row, t item) {
	if r != nil {
		t.y += r.y
	}
	anchor := ""
	switch t.kind {
	case "glyph":
		p.glyph(t)
		return
	case "stub":
		x := r.lane.x + 8
		y := r.cy - 1.5 + min(3.5*t.w, 6)
		turn := max(p.labels-8-5*t.w, x+5)
		p.line(trace("M", x, y, "H", turn-5, "Q", turn, y, turn, y+5, "V", t.y-5, "Q", turn, t.y, turn+5, t.y, "H", t.x), t.role, 1.75, dash(t.effect),
			box{x, y, t.x - x, t.y - y, ""})
		return
	case "arrow":
		d := trace("M", t.x, t.y, "h", t.w, "m", -5, -4, "l", 5, 4, "l", -5, 4)
		p.line(d, t.role, 1.5, "", box{t.x, t.y - 4, t.w, 8, ""})
		return
	case "pill":
		pad := 6.0
		if t.size == smallSize { // within a row
			pad = 2
		}
		h := float64(len(t.lines))*leading + pad
		wash := map[string]string{"fine": "fine-wash", "marked": "marked-wash"}[t.role]
		p.w("\n"+`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" stroke-width="1.25"%s/>`,
			num(t.x), num(t.y), num(t.w), num(h), num(min(h/2, 11.5)), p.both(cmp.Or(wash, "sunk"), t.role))
		p.boxes = append(p.boxes, box{t.x, t.y, t.w, h, t.lines[0]})
		t.x, t.y = t.x+t.w/2, t.y+(leading+pad)/2+4.5
		anchor = ` text-anchor="middle"`
	default:
		p.boxes = append(p.boxes, box{t.x, t.y - t.size*.95, widest(t), float64(len(t.lines)-1)*leading + t.size*1.2, t.lines[0]})
	}
	class := p.paint("fill", t.role)
	if t.class != "" {
		if p.inline {
			class += ` class="` + t.class + `"`
		} else {
			class = strings.Replace(class, `"`, `"`+t.class+" ", 1)
		}
	}
	bold := ""
	if t.bold {
		bold = ` font-weight="600"`
	}
	href := ""
	if t.link != nil && t.link.Anchor != "" && p.link != nil {
		href = p.link(*t.link)
	}
	p.w("\n")
	if href != "" {
		p.w(`<a href="%s">`, escaped(href))
	}
	p.w(`<text x="%s" y="%s" font-size="%s"%s%s%s>`, num(t.x), num(t.y), num(t.size), bold, anchor, class)
	for i, l := range t.lines {
		if len(t.lines) == 1 {
			p.w("%s", escaped(l))
		} else {
			p.w(`<tspan x="%s" y="%s">%s</tspan>`, num(t.x), num(t.y+float64(i)*leading), escaped(l))
		}
	}
	p.w("</text>")
	if href != "" {
		p.w("</a>")
	}
}

// glyph draws the sign of an effect, 12 wide, around the item's place.
func (p *drawing) glyph(t item) {
	x, y := t.x, t.y
	p.boxes = append(p.boxes, box{x - 6, y - 6, 12, 12, "glyph"})
	shape, w, dashes := "", 1.75, ""
	switch t.effect {
	case spec.EffectRefused: // no entry
		shape = trace("M", x-5, y, "a", 5, 5, 0, 1, 1, 10, 0, "a", 5, 5, 0, 1, 1, -10, 0, "m", 2.5, 0, "h", 5)
	case spec.EffectKilled: // a cross
		shape, w = trace("M", x-4.5, y-4.5, "l", 9, 9, "m", 0, -9, "l", -9, 9), 2.5
	case spec.EffectForgotten: // something that is hardly there
		shape, dashes = trace("M", x-5, y, "a", 5, 5, 0, 1, 1, 10, 0, "a", 5, 5, 0, 1, 1, -10, 0), ` stroke-dasharray="2 2.4"`
	case spec.EffectLost: // a warning
		shape, w = trace("M", x, y-5.5, "l", 5.5, 10, "h", -11, "z", "m", 0, 3.5, "v", 3, "m", 0, 1.2, "v", 1.2), 1.5
	case "failed": // lightning
		shape = trace("M", x+1, y-5.5, "l", -4, 5.5, "h", 6, "l", -4, 5.5)
	default: // lines of a log
		shape, w = trace("M", x-4.5, y-3.5, "h", 9, "m", -9, 3.5, "h", 9, "m", -9, 3.5, "h", 6), 1.5
	}
	p.w("\n"+`<path d="%s" stroke-width="%s" stroke-linejoin="round"%s%s/>`, shape, num(w), dashes, p.paint("stroke", t.role))
}

// wrapped is a text in as many lines as it needs.
func wrapped(s string, size float64, bold bool, room float64) item {
	t := item{kind: "text", size: size, bold: bold}
	line := ""
	for _, word := range strings.Fields(strings.ToValidUTF8(s, "\uFFFD")) {
		if line != "" && width(line+word, size, bold) > room {
			t.lines = append(t.lines, line)
			line = ""
		}
		// A word that is longer than a line is broken anywhere.
		for width(word, size, bold) > room && utf8.RuneCountInString(word) > 1 {
			n := 0
			for i, r := range word {
				if end := i + utf8.RuneLen(r); n == 0 || width(word[:end], size, bold) <= room {
					n = end
					continue
				}
				break
			}
			t.lines = append(t.lines, word[:n])
			word = word[n:]
		}
		line += word + " "
	}
	t.lines = append(t.lines, strings.TrimSuffix(line, " "))
	return t
}

// balanced is wrapped to lines of about the same width.
func balanced(s string, size float64, bold bool, room float64) item {
	t := wrapped(s, size, bold, room)
	for r := room; r > room/2; r -= 8 {
		u := wrapped(s, size, bold, r)
		if len(u.lines) > len(t.lines) {
			break
		}
		t = u
	}
	return t
}

func widest(t item) float64 {
	var w float64
	for _, l := range t.lines {
		w = max(w, width(l, t.size, t.bold))
	}
	return w
}

// width is no less than what the text takes in the fonts that are asked for: it goes by
// DejaVu Sans, the widest of them.
func width(s string, size float64, bold bool) float64 {
	var w float64
	for _, r := range strings.TrimSuffix(s, " ") {
		switch {
		case strings.ContainsRune("ijl .,:;'|!/[]I", r):
			w += .34
		case strings.ContainsRune("frt()-", r):
			w += .41
		case strings.ContainsRune("cszJ\"?{}", r):
			w += .55
		case strings.ContainsRune("mwMW@%", r):
			w += 1
		case r >= 'A' && r <= 'Z', strings.ContainsRune("<>&=+~#^", r):
			w += .84
		case r < 0x80:
			w += .64
		case r < 0x1100:
			w += .9
		default:
			w += 1.4
		}
		if bold {
			w += .08
		}
	}
	return w * size
}

// trace is what a path element goes along: its commands, and numbers.
func trace(parts ...any) string {
	var b strings.Builder
	number := false
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			b.WriteString(v)
			number = false
			continue
		case int:
			part = float64(v)
		}
		if number {
			b.WriteByte(' ')
		}
		b.WriteString(num(part.(float64)))
		number = true
	}
	return b.String()
}

// num writes a coordinate as short as it can be.
func num(f float64) string {
	s := strconv.FormatFloat(f, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
