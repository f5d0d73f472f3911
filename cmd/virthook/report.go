package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/spec"
)

// fired is a call that was made, to report.
type fired struct {
	call    hookexec.Call
	libvirt spec.Version  // "": the newest
	filter  bool          // libvirt reads what the hooks print
	slow    time.Duration // what takes longer is marked; 0: nothing
	start   time.Time
	outcome hookexec.Outcome
	verdict verdict.Verdict
	unended *hookexec.UnendedError // of the last hook, when the wait was given up
	then    string                 // what libvirt does after a failure, "" where the spec has no more than the word
	notes   []string               // what of the call no libvirt would pass
}

// isSlow says whether the hook took long.
func (f *fired) isSlow(r hookexec.Result) bool { return f.slow > 0 && r.Duration > f.slow }

// print writes the report for people.
func (f *fired) print(to io.Writer) error {
	var b bytes.Buffer
	p := printer{to: &b, colour: wantsColour(to)}
	for _, r := range f.outcome.Results {
		var unended *hookexec.UnendedError
		if f.unended != nil && f.unended.Path == r.Path {
			unended = f.unended
		}
		p.result(r, f.filter, unended)
		if f.isSlow(r) {
			p.section(p.in(yellow, fmt.Sprintf("slow: longer than %s, and libvirt does nothing else with the %s meanwhile", f.slow, f.what())))
		}
	}
	for _, note := range f.notes {
		fmt.Fprintln(&b, p.in(yellow, "note: "+note))
	}
	p.verdict(f)
	_, err := to.Write(b.Bytes())
	return err
}

// what is what the call is about.
func (f *fired) what() string {
	switch f.call.Driver {
	case "network", "daemon":
		return f.call.Driver
	}
	return "guest"
}

func isTerminal(to any) bool {
	f, ok := to.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// wantsColour says whether it is a terminal whose user has not declined.
func wantsColour(to io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(to)
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

type printer struct {
	to     *bytes.Buffer
	colour bool
}

// in is the text in that colour, on a terminal.
func (p printer) in(colour, text string) string {
	if !p.colour {
		return text
	}
	return colour + text + "\x1b[m"
}

// result prints one call. unended says that it was not waited for to the end.
func (p printer) result(r hookexec.Result, filter bool, unended *hookexec.UnendedError) {
	var argv []string
	for _, a := range r.Argv {
		argv = append(argv, hookexec.Quote(a))
	}
	colour, end := green, ending(r)
	if r.Failed() {
		colour = red
	}
	if unended != nil && unended.State == hookexec.Killed {
		end = "still running, killed"
	}
	fmt.Fprintf(p.to, "%s: %s, %s\n", strings.Join(argv, " "), p.in(colour, end), rounded(r.Duration))
	if left := leftBehind(r, unended); left != "" {
		p.section(p.in(yellow, left))
	}

	if len(r.Stderr) > 0 {
		if r.Failed() {
			p.section("stderr, which libvirt logs:")
		} else {
			p.section("stderr, dropped by libvirt as the hook succeeded:")
		}
		p.text(r.Stderr)
	}
	switch {
	case filter && !r.Failed():
		p.filtered(r)
	case len(r.Stdout) > 0:
		p.section("stdout, ignored by libvirt:")
		p.text(r.Stdout)
	}
}

// leftBehind says what libvirt waits for besides the hook, "" when that is nothing.
func leftBehind(r hookexec.Result, unended *hookexec.UnendedError) string {
	waited := r.Duration - r.Exited
	switch {
	case unended != nil && unended.State == hookexec.Killed:
		if len(r.Left) == 0 {
			return ""
		}
		return "running with it: " + processes(r.Left)
	case unended != nil:
		return fmt.Sprintf("exited after %s; libvirt would wait on, %s were not enough, for %s", rounded(r.Exited), rounded(waited), processes(r.Left))
	case len(r.Left) == 0 && waited < 100*time.Millisecond:
		return ""
	}
	return fmt.Sprintf("exited after %s; libvirt waited %s more for %s", rounded(r.Exited), rounded(waited), processes(r.Left))
}

// processes names those that a hook left behind.
func processes(left []hookexec.Process) string {
	if len(left) == 0 {
		return "the end of its output, which another process keeps open"
	}
	var all []string
	for _, p := range left {
		all = append(all, fmt.Sprintf("process %d (%s), which keeps %s open", p.PID, p.Command, p.Holds))
	}
	return strings.Join(all, ", and for ")
}

// waiting is what a user is told who waits.
func waiting(w hookexec.Waiting) string {
	if !w.Exited {
		return fmt.Sprintf("waiting for %s, which still runs", hookexec.Quote(w.Path))
	}
	return fmt.Sprintf("%s has ended; waiting, as libvirt does, for %s", hookexec.Quote(w.Path), processes(w.Left))
}

// rounded leaves a few digits.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

// filtered shows what the hook made of the XML.
func (p printer) filtered(r hookexec.Result) {
	output := r.Output()
	if output == nil {
		p.section("stdout: empty, the XML stays as it is")
		return
	}
	diff, err := xmldiff.Diff(r.Input, output)
	switch {
	case err != nil:
		p.section("stdout, not XML: " + err.Error())
		p.text(r.Stdout)
	case len(diff) == 0:
		p.section("stdout: the same XML, unchanged")
	default:
		p.section("stdout, which replaces the XML:")
		for _, l := range diff {
			l.Text = visible(l.Text)
			text := l.Text
			if p.colour {
				text = l.Coloured()
			}
			fmt.Fprintln(p.to, "    "+text)
		}
	}
}

// verdict is the last line, and below it what libvirt does next.
func (p printer) verdict(f *fired) {
	v := f.verdict
	text, colour := strings.TrimPrefix(string(v.Word), "libvirt "), red
	switch {
	case v.Word == verdict.FailureLogged:
		colour = yellow
	case !v.OK():
	case len(f.outcome.Results) == 0:
		text, colour = fmt.Sprintf("nothing to call: no executable %s or %[1]s.d/*", f.call.Driver), yellow
	case v.Changed:
		colour = yellow
		text += " with the changed XML"
		if diff, err := xmldiff.Diff(f.call.Input, f.outcome.Output); err == nil && len(diff) == 0 {
			text = string(v.Word) + " with the XML of the hook, which says the same"
		}
		if v.Tainted {
			text += "; the guest is tainted: hook-script"
		}
	default:
		colour = green
	}
	lines := strings.Split(v.Message, "\n")
	if v.Message != "" {
		lines[0] = text + ": " + visible(lines[0])
	} else {
		lines[0] = text
	}
	fmt.Fprintln(p.to, "libvirt: "+p.in(colour, lines[0]))
	for _, l := range lines[1:] {
		fmt.Fprintln(p.to, "    "+visible(l))
	}
	if f.then == "" {
		return
	}
	for line := range strings.SplitSeq(f.then, "\n") {
		p.section(line)
	}
}

func (p printer) section(title string) { fmt.Fprintln(p.to, "  "+title) }

// textLimit is how much of what a hook prints is shown.
const textLimit = 64 << 10

func (p printer) text(b []byte) {
	rest := 0
	if len(b) > textLimit {
		rest = len(b) - textLimit
		b = b[:textLimit]
	}
	for line := range bytes.Lines(b) {
		fmt.Fprintf(p.to, "    %s\n", visible(string(bytes.TrimSuffix(line, []byte("\n")))))
	}
	if rest > 0 {
		fmt.Fprintf(p.to, "    … and %d bytes more\n", rest)
	}
}

// visible is the text with everything escaped that a terminal would not show, or
// would obey.
func visible(text string) string {
	clear := func(r rune, size int) bool {
		return r == '\t' || unicode.IsGraphic(r) && (r != utf8.RuneError || size > 1)
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if clear(r, size) {
			b.WriteString(text[:size])
		} else {
			quoted := strconv.Quote(text[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[size:]
	}
	return b.String()
}
