package timeline

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/templates"
)

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("timeline.html.tmpl").ParseFS(templates.FS, "timeline.html.tmpl"))
})

// HTML writes the timeline as one page that needs nothing else: no network, no
// other file, and no script but for comfort. The error is w's.
func (t *Timeline) HTML(w io.Writer) error {
	var b bytes.Buffer
	if err := page().Execute(&b, newPage(t)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// pageView is what the template gets: texts, and places in percent.
type pageView struct {
	Title, Summary, Sum, SumClass string
	Facts                         []factView
	Hosts                         bool // each call says on which
	Steps                         []stepView
	Slow                          string
}

type factView struct{ Name, Text, Link string }

type stepView struct {
	ID, Action, Host, Outcome, Class string
	At, Took, Count, Failures        string
	Chart                            *chartView
	Operations                       []operationView
	Calls                            []callView // each one of them
	NotFine                          []callView // first, when Operations stand for the others
	AtOnce                           int
}

type chartView struct {
	Label string
	Dense bool // many lanes: no words in them
	Ticks []tick
	Cuts  []cutView
	Lanes []laneView
}

type cutView struct {
	stretch
	Label string
}

type laneView struct {
	Object, About string // who, and host and driver
	Rows          [][]barView
}

type barView struct {
	Left, Width float64
	Class       string
	Link        string // to the call, unless the lane is dense and there is nothing to say
	Label, Took string
	Side        string  // where the label is: after, before or inside the bar
	Room        float64 // percent from the side that the label stands at
	Full        string
}

type operationView struct {
	Host, Name, Median, Slowest, Object, Link string
	Calls, Failures, Marked                   int
}

type callView struct {
	ID, At, Took, Host, Operation, Object, Extra string
	Word, Class                                  string
	Notes                                        []string
	Open                                         bool
	Message                                      string
	Hooks                                        []hookView
	Diff                                         []diffView
	Input                                        string
	Taken                                        bool // the change
	ShowOutput                                   bool
}

type hookView struct {
	Path, Ending, Took, Exited string
	GaveUp                     bool
	Failed                     bool
	Argv                       []string
	Stderr, Stdout             string
	Left                       []Process
}

type diffView struct{ Class, Text string }

// shownOpen is how many calls of a step are unfolded from the start.
const shownOpen = 10

func newPage(t *Timeline) pageView {
	calls := t.calls()
	v := pageView{Title: visibly(t.title()), Summary: visibly(t.Summary), Hosts: t.hosts(), Slow: round(Slow)}
	switch n, failed := t.unexpected(), failures(calls); {
	case n > 0:
		v.Sum, v.SumClass = fmt.Sprintf("%d of %s did not come out as expected.", n, counted(len(t.Steps), "step")), "bad"
	case failed > 0:
		v.Sum, v.SumClass = "All came out as the scenario expects, failures included.", "fine"
	default:
		v.Sum, v.SumClass = "All came out as the scenario expects.", "fine"
	}
	for i, s := range t.Steps {
		v.Steps = append(v.Steps, newStep(t, s, fmt.Sprintf("s%d", i+1)))
	}
	version := t.Libvirt
	if version == "" {
		version = "newest known"
	}
	v.Facts = []factView{{Name: "libvirt", Text: version}, {Name: "Hooks", Text: visibly(t.Hooks)}}
	if v.Hosts {
		var hosts []string
		for _, h := range t.Hosts {
			hosts = append(hosts, visibly(h))
		}
		v.Facts = append(v.Facts, factView{Name: "Hosts", Text: strings.Join(hosts, ", ")})
	}
	v.Facts = append(v.Facts, factView{Name: "Calls", Text: fmt.Sprint(len(calls))},
		factView{Name: "Failures", Text: fmt.Sprint(failures(calls))}, factView{Name: "Duration", Text: short(t.Duration)})
	if c := slowest(calls); c != nil {
		v.Facts = append(v.Facts, factView{Name: "Slowest call", Link: link(t, c),
			Text: fmt.Sprintf("%s of %s, %s", visibly(c.operation()), visibly(c.Object), short(c.Duration))})
	}
	return v
}

// link leads to a call on the page.
func link(t *Timeline, c *Call) string {
	for i, s := range t.Steps {
		if j := slices.Index(s.sorted(), c); j >= 0 {
			return "#" + callID(fmt.Sprintf("s%d", i+1), j)
		}
	}
	return ""
}

func callID(step string, i int) string { return fmt.Sprintf("%s-c%d", step, i+1) }

func newStep(t *Timeline, s Step, id string) stepView {
	calls, ops := s.sorted(), s.folded()
	v := stepView{
		ID: id, Action: visibly(s.Action), Outcome: visibly(s.outcome()), Class: fine.String(),
		At: seconds(s.At), Took: short(s.Duration), Count: counted(len(calls), "call"), AtOnce: atOnce(calls),
	}
	if n := failures(calls); n > 0 {
		v.Failures = counted(n, "failure")
	}
	if t.hosts() {
		v.Host = visibly(s.Host)
	}
	if !s.Expected {
		v.Class = bad.String()
	}
	if len(calls) > 0 {
		v.Chart = newChart(t, s, calls, id, ops != nil)
	}
	for _, o := range ops {
		c := o.Slowest
		v.Operations = append(v.Operations, operationView{
			Host: visibly(o.Host), Name: visibly(o.Name), Calls: o.Calls, Failures: o.Failures, Marked: o.Marked,
			Median: short(o.Median), Slowest: short(c.Duration), Object: visibly(c.Object), Link: "#" + callID(id, slices.Index(calls, c)),
		})
	}
	opened := 0
	for i, c := range calls {
		call := newCall(c, s, callID(id, i))
		if c.level() != fine || c.Verdict.Changed {
			opened++
			call.Open = opened <= shownOpen
		}
		if ops == nil {
			v.Calls = append(v.Calls, call)
			continue
		}
		if c.level() == fine {
			call.Input = "" // hundreds alike would make megabytes
			v.Calls = append(v.Calls, call)
		} else {
			v.NotFine = append(v.NotFine, call)
		}
	}
	return v
}

func newCall(c *Call, s Step, id string) callView {
	v := callView{
		ID: id, At: short(c.At - s.At), Took: short(c.Duration), Host: visibly(c.Host),
		Operation: visibly(c.operation()), Object: visibly(c.Object), Extra: visibly(c.extra()),
		Word: string(c.Verdict.Word), Class: c.level().String(), Notes: c.notes(),
		Message: visibly(c.message()), Input: visibly(string(c.Input)),
		Taken: c.Verdict.Changed, ShowOutput: c.badOutput() && len(c.Diff) == 0,
	}
	for _, h := range c.Hooks {
		hook := hookView{
			Path: visibly(h.Path), Ending: h.ending(), Took: short(h.Duration), Exited: short(h.Exited), Failed: h.failed(),
			Stderr: visibly(h.Stderr), Stdout: visibly(h.Stdout), Left: h.Left, GaveUp: h.GaveUp,
		}
		for _, a := range h.Argv {
			hook.Argv = append(hook.Argv, hookexec.Quote(a))
		}
		v.Hooks = append(v.Hooks, hook)
	}
	for _, l := range c.Diff {
		class := map[xmldiff.Kind]string{xmldiff.Place: "place", xmldiff.Added: "added", xmldiff.Removed: "removed"}[l.Kind]
		v.Diff = append(v.Diff, diffView{Class: class, Text: visibly(l.Text)})
	}
	return v
}

// newChart puts the step's calls on an axis, with a lane for each host and object.
func newChart(t *Timeline, s Step, calls []*Call, id string, dense bool) *chartView {
	axis := newScale(min(s.At, calls[0].At), calls)
	v := &chartView{Dense: dense, Ticks: axis.ticks()}
	for _, c := range axis.cuts {
		v.Cuts = append(v.Cuts, cutView{c, short(c.Lasts)})
	}
	lanes := map[[3]string]int{}
	var order [][3]string
	for i, c := range calls {
		key := [3]string{c.Host, c.Driver, c.Object}
		n, ok := lanes[key]
		if !ok {
			n = len(v.Lanes)
			lanes[key], order = n, append(order, key)
			about := visibly(c.Driver)
			if t.hosts() {
				about = visibly(c.Host) + " · " + about
			}
			v.Lanes = append(v.Lanes, laneView{Object: visibly(c.Object), About: about})
		}
		lane := &v.Lanes[n]
		b := newBar(axis, c, "#"+callID(id, i), dense)
		if row := freeRow(lane.Rows, b); dense && row >= 0 {
			lane.Rows[row] = append(lane.Rows[row], b)
		} else {
			lane.Rows = append(lane.Rows, []barView{b})
		}
	}
	if t.hosts() { // one host's lanes together, in the hosts' order
		sorted := make([]laneView, 0, len(v.Lanes))
		for _, h := range append(slices.Clone(t.Hosts), "") {
			for n, key := range order {
				if key[0] == h || h == "" && !slices.Contains(t.Hosts, key[0]) {
					sorted = append(sorted, v.Lanes[n])
				}
			}
		}
		v.Lanes = sorted
	}
	v.Label = fmt.Sprintf("%s on a time axis, in %s", counted(len(calls), "call"), counted(len(v.Lanes), "lane"))
	return v
}

// narrow is how much of the axis a bar takes at least, in percent.
const narrow = 0.5

// freeRow is the first row in which the bar overlaps no other, -1 when there is none.
func freeRow(rows [][]barView, b barView) int {
	return slices.IndexFunc(rows, func(row []barView) bool {
		last := row[len(row)-1]
		return last.Left+max(last.Width, narrow) <= b.Left
	})
}

func newBar(axis scale, c *Call, link string, dense bool) barView {
	from, to := axis.pos(c.At), axis.pos(c.At+c.Duration)
	b := barView{
		Left: from, Width: percent((to - from) / 100), Class: c.level().String(),
		Label: visibly(c.Op), Took: short(c.Duration),
		Full: fmt.Sprintf("%s of %s: %s, %s", visibly(c.operation()), visibly(c.Object), c.Verdict.Word, short(c.Duration)),
	}
	if !dense || c.level() != fine {
		b.Link = link
	}
	switch {
	case c.level() == fine:
	case c.Verdict.OK():
		b.Label += ": " + strings.Join(c.notes(), ", ")
	default:
		b.Label += ": " + string(c.Verdict.Word)
	}
	// The label stands where there is most room for it.
	switch before, after := from, 100-to; {
	case b.Width > max(before, after):
		b.Side, b.Room = "inside", from
	case after >= before:
		b.Side, b.Room = "after", to
	default:
		b.Side, b.Room = "before", percent((100-from)/100)
	}
	return b
}

func (l level) String() string { return [...]string{fine: "fine", marked: "marked", bad: "bad"}[l] }

// visibly shows control characters and others that have no looks of their own,
// but leaves line breaks, tabs and the spaces between words.
func visibly(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = escape(l)
	}
	return strings.Join(lines, "\n")
}

// With is what the template of a call gets.
func (v pageView) With(c callView) any {
	return struct {
		Call  callView
		Hosts bool
	}{c, v.Hosts}
}
