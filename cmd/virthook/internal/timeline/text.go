package timeline

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
)

// TextOptions say how the text is to look.
type TextOptions struct {
	Colour  bool
	Width   int  // columns of the terminal; 0: nothing is cut or wrapped
	Verbose bool // every call and every hook, however many and however well they went
}

// What is shown of long things unless all is asked for.
const (
	shownLines = 12 // of an output, or a difference
	shownCalls = 10 // that did not go well, of a step that is folded
)

// Text writes the timeline for people at a terminal: a heading for each step, a
// line for each call, under it what went wrong, and a last line that sums up.
// The error is w's.
func (t *Timeline) Text(w io.Writer, o TextOptions) error {
	p := &textPrinter{TextOptions: o, hosts: t.hosts()}
	p.printf("%s", escape(t.title()))
	if t.Summary != "" {
		p.printf(": %s", escape(strings.TrimSpace(t.Summary)))
	}
	p.printf("\n")
	if t.Libvirt != "" {
		p.printf("libvirt %s, ", escape(t.Libvirt))
	}
	p.printf("hooks: %s\n", hookexec.Quote(t.Hooks))

	p.measure(t)
	for _, s := range t.Steps {
		p.step(s)
	}
	p.sum(t)
	_, err := w.Write(p.Bytes())
	return err
}

type textPrinter struct {
	bytes.Buffer
	TextOptions
	hosts                   bool
	host, op, object, extra int // columns' widths
}

func (p *textPrinter) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	bold   = "\x1b[1m"
)

func (p *textPrinter) in(colour, s string) string {
	if !p.Colour || s == "" {
		return s
	}
	return colour + s + "\x1b[m"
}

func (l level) colour() string { return [...]string{fine: green, marked: yellow, bad: red}[l] }

// shown are the calls of the step that get a line, and the operations that stand
// for all of them when they are folded.
func (p *textPrinter) shown(s Step) (calls []*Call, ops []*operation) {
	if calls = s.sorted(); p.Verbose {
		return calls, nil
	}
	if ops = s.folded(); ops == nil {
		return calls, nil
	}
	var notFine []*Call
	for _, c := range calls {
		if c.level() != fine {
			notFine = append(notFine, c)
		}
	}
	return notFine, ops
}

// Columns that are not measured.
const (
	atWidth, tookWidth = 9, 10
	wordWidth          = 19 // "failure only logged"
	widest             = 40 // of a column; what is longer sticks out
	narrowest          = 12 // of an object that must be cut
)

// measure finds the widths of the columns, which are the same in all steps.
func (p *textPrinter) measure(t *Timeline) {
	for _, s := range t.Steps {
		calls, _ := p.shown(s)
		for _, c := range calls {
			p.host = max(p.host, columns(hookexec.Quote(c.Host)))
			p.op = max(p.op, columns(escape(c.operation())))
			p.object = max(p.object, columns(hookexec.Quote(c.Object)))
			if c.extra() != "" {
				p.extra = max(p.extra, columns(hookexec.Quote(c.extra())))
			}
		}
	}
	p.host, p.op, p.object, p.extra = min(p.host, widest), min(p.op, widest), min(p.object, widest), min(p.extra, widest)
	if p.Width == 0 {
		return
	}
	if p.hosts {
		p.host = min(p.host, max(narrowest, p.Width/8))
	}
	p.extra = min(p.extra, max(narrowest, p.Width/6))
	taken := atWidth + 2 + tookWidth + 2 + p.op + 2 + 2 + wordWidth
	if p.hosts {
		taken += p.host + 2
	}
	if p.extra > 0 {
		taken += p.extra + 2
	}
	p.object = min(p.object, max(narrowest, p.Width-taken))
}

// cell is the text in a column: cut when there is a width to keep, and filled up.
func (p *textPrinter) cell(s string, width int) string {
	if p.Width > 0 {
		s = cut(s, width)
	}
	return s + strings.Repeat(" ", max(0, width-columns(s))) + "  "
}

func (p *textPrinter) step(s Step) {
	colour := green
	if !s.Expected {
		colour = red
	}
	heading := p.in(bold, escape(s.Action))
	if p.hosts && s.Host != "" {
		heading += " on " + hookexec.Quote(s.Host)
	}
	p.printf("\n%s: %s\n", heading, p.in(colour, escape(s.outcome())))

	calls, ops := p.shown(s)
	switch {
	case len(s.Calls) == 0:
		p.printf("  no hook is called\n")
	case ops != nil:
		p.operations(s, ops)
	}
	for i, c := range calls {
		if ops != nil && i == shownCalls {
			p.printf("  and %s more to look at\n", counted(len(calls)-i, "call"))
			break
		}
		p.call(c)
	}
}

// operations are the table that stands for many calls.
func (p *textPrinter) operations(s Step, ops []*operation) {
	all := s.sorted()
	p.printf("  %s in %s, up to %d at once\n", counted(len(all), "call"), short(s.Duration), atOnce(all))
	name, host := columns("operation"), columns("host")
	for _, o := range ops {
		name, host = max(name, columns(escape(o.Name))), max(host, columns(hookexec.Quote(o.Host)))
	}
	row := func(at, op, calls, failures, median, slowest, of string) {
		p.printf("  ")
		if p.hosts {
			p.printf("%s", p.cell(at, host))
		}
		line := fmt.Sprintf("%s%5s  %8s  %9s  %9s  %s", p.cell(op, name), calls, failures, median, slowest, of)
		p.printf("%s\n", strings.TrimRight(line, " "))
	}
	row("host", "operation", "calls", "failures", "median", "slowest", "")
	for _, o := range ops {
		object := hookexec.Quote(o.Slowest.Object)
		if p.Width > 0 {
			object = cut(object, max(narrowest, p.Width-name-45))
		}
		row(hookexec.Quote(o.Host), escape(o.Name), fmt.Sprint(o.Calls), fmt.Sprint(o.Failures), short(o.Median), short(o.Slowest.Duration), object)
	}
}

// call is the line of one call, and what there is to say under it.
func (p *textPrinter) call(c *Call) {
	line := fmt.Sprintf("%*s  %*s  ", atWidth, seconds(c.At), tookWidth, short(c.Duration))
	if p.hosts {
		line += p.cell(hookexec.Quote(c.Host), p.host)
	}
	line += p.cell(escape(c.operation()), p.op)
	line += p.cell(hookexec.Quote(c.Object), p.object)
	if p.extra > 0 {
		extra := c.extra()
		if extra != "" {
			extra = hookexec.Quote(extra)
		}
		line += p.cell(extra, p.extra)
	}
	word, notes := string(c.Verdict.Word), strings.Join(c.notes(), ", ")
	if notes != "" && (p.Width == 0 || columns(line+word+", "+notes) <= p.Width) {
		word, notes = word+", "+notes, ""
	}
	p.printf("%s%s\n", line, p.in(c.level().colour(), word))
	p.text("", notes, c.level().colour())

	if c.Verdict.Message != "" {
		p.text("libvirt: ", c.message(), "")
	}
	if p.Verbose && len(c.Hooks) == 0 {
		p.text("", "there is no hook to call", "")
	}
	for _, h := range c.Hooks {
		p.hook(c, h)
	}
	if len(c.Diff) > 0 {
		title := "the XML is changed:"
		if !c.Verdict.Changed {
			title = "the change of the XML, which libvirt does not take:"
		}
		p.text("", title, "")
		p.lines(len(c.Diff), func(i int) string {
			l := xmldiff.Line{Kind: c.Diff[i].Kind, Text: escape(c.Diff[i].Text)}
			if p.Colour {
				return l.Coloured()
			}
			return l.Text
		})
	}
}

// hook says what is not as it should be and not in the message, or with Verbose
// everything.
func (p *textPrinter) hook(c *Call, h Hook) {
	if p.Verbose {
		var argv []string
		for _, a := range h.Argv {
			argv = append(argv, hookexec.Quote(a))
		}
		p.text("", fmt.Sprintf("%s: %s, %s", strings.Join(argv, " "), h.ending(), short(h.Duration)), "")
	} else if h.failed() {
		p.text("", fmt.Sprintf("%s: %s", hookexec.Quote(h.Path), h.ending()), "")
	}
	said := strings.HasSuffix(c.message(), ": "+h.stderr())
	if h.Stderr != "" && (h.failed() && !said || p.Verbose) {
		if h.failed() {
			p.text("", "stderr:", "")
		} else {
			p.text("", "stderr, dropped by libvirt as the hook succeeded:", "")
		}
		p.output(h.Stderr)
	}
	if h.Stdout != "" && (p.Verbose || c.badOutput() && len(c.Diff) == 0) {
		p.text("", "stdout:", "")
		p.output(h.Stdout)
	}
	for _, l := range h.Left {
		lead := fmt.Sprintf("the hook ended after %s, libvirt waits for ", short(h.Exited))
		if h.GaveUp {
			lead = "besides the hook libvirt waits for "
		}
		p.text("", lead+l.String(), yellow)
	}
}

const (
	detail = "      "   // what is under a call
	nested = "        " // what was printed, under its title
)

// text prints a paragraph under a call, wrapped at the width.
func (p *textPrinter) text(lead, s, colour string) {
	if s == "" {
		return
	}
	for line := range strings.Lines(strings.TrimRight(s, " \t\r\n")) {
		line = lead + escape(strings.TrimRight(line, "\r\n"))
		words := strings.Fields(line)
		if p.Width == 0 || columns(detail+line) <= p.Width {
			words = []string{line} // its spaces may be there for a reason
		}
		row := detail
		for i, word := range words {
			if i > 0 && p.Width > 0 && columns(row)+1+columns(word) > p.Width {
				p.printf("%s\n", p.in(colour, row))
				row = nested
			} else if i > 0 {
				row += " "
			}
			row += word
		}
		p.printf("%s\n", p.in(colour, row))
		lead = ""
	}
}

// output prints what a hook printed.
func (p *textPrinter) output(s string) {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	p.lines(len(lines), func(i int) string { return escape(strings.TrimSuffix(lines[i], "\r")) })
}

// lines prints n lines, or the first of them.
func (p *textPrinter) lines(n int, line func(int) string) {
	for i := range n {
		if i == shownLines && n > shownLines+1 && !p.Verbose {
			p.printf("%sand %s more\n", nested, counted(n-i, "line"))
			return
		}
		p.printf("%s\n", strings.TrimRight(nested+line(i), " "))
	}
}

func (p *textPrinter) sum(t *Timeline) {
	calls := t.calls()
	failed := failures(calls)
	colour := green
	if !t.OK() {
		colour = red
	} else if failed > 0 {
		colour = yellow
	}
	sum := fmt.Sprintf("%s, %s, %s", counted(len(calls), "call"), counted(failed, "failure"), short(t.Duration))
	if c := slowest(calls); c != nil {
		sum += fmt.Sprintf("; slowest %s of %s, %s", escape(c.operation()), hookexec.Quote(c.Object), short(c.Duration))
	}
	p.printf("\n%s\n", p.in(colour, sum))
	if n := t.unexpected(); n > 0 {
		p.printf("%s\n", p.in(red, fmt.Sprintf("%s of %d not as expected", counted(n, "step"), len(t.Steps))))
	}
}
