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
)

// report prints for people what the hooks did.
func report(to io.Writer, call hookexec.Call, o hookexec.Outcome, filter bool) error {
	var b bytes.Buffer
	if len(o.Results) == 0 && !o.Failed {
		fmt.Fprintf(&b, "nothing to call: no executable %s or %[1]s.d/*\n", call.Driver)
	}
	p := printer{to: &b, colour: wantsColour(to)}
	for _, r := range o.Results {
		p.result(r, filter)
	}
	_, err := to.Write(b.Bytes())
	return err
}

// wantsColour says whether it is a terminal whose user has not declined.
func wantsColour(to io.Writer) bool {
	f, ok := to.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

type printer struct {
	to     *bytes.Buffer
	colour bool
}

func (p printer) result(r hookexec.Result, filter bool) {
	var argv []string
	for _, a := range r.Argv {
		argv = append(argv, quote(a))
	}
	end := ending(r)
	if p.colour {
		colour := "\x1b[32m"
		if r.Failed() {
			colour = "\x1b[31m"
		}
		end = colour + end + "\x1b[m"
	}
	fmt.Fprintf(p.to, "%s: %s, %s\n", strings.Join(argv, " "), end, r.Duration.Round(100*time.Microsecond))

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
			text := l.Text
			if p.colour {
				text = l.Coloured()
			}
			fmt.Fprintln(p.to, "    "+text)
		}
	}
}

func (p printer) section(title string) { fmt.Fprintln(p.to, "  "+title) }

func (p printer) text(b []byte) {
	for line := range bytes.Lines(b) {
		fmt.Fprintf(p.to, "    %s\n", bytes.TrimSuffix(line, []byte("\n")))
	}
}

// quote quotes an argument when it would be unclear without.
func quote(arg string) string {
	unclear := func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune("\"'`\\", r)
	}
	if arg == "" || !utf8.ValidString(arg) || strings.ContainsFunc(arg, unclear) {
		return strconv.Quote(arg)
	}
	return arg
}

// fired is what fire --json prints.
type fired struct {
	Version int         `json:"version"`
	Driver  string      `json:"driver"`
	Object  string      `json:"object"`
	Op      string      `json:"op"`
	SubOp   string      `json:"sub_op"`
	Extra   string      `json:"extra"`
	OK      bool        `json:"ok"`
	Calls   []firedCall `json:"calls"`
	Output  *string     `json:"output,omitempty"` // of a filter that changes the XML
}

type firedCall struct {
	Path       string   `json:"path"`
	Argv       []string `json:"argv"`
	Status     int      `json:"status"` // -1: ended by the signal
	Signal     int      `json:"signal"` // 0: it exited
	Stdout     string   `json:"stdout"`
	Stderr     string   `json:"stderr"`
	DurationMS float64  `json:"duration_ms"`
}

func jsonReport(call hookexec.Call, o hookexec.Outcome, ok bool) fired {
	f := fired{
		Version: 1, Driver: call.Driver, Object: call.Object, Op: call.Op, SubOp: call.SubOp, Extra: call.Extra,
		OK: ok, Calls: []firedCall{},
	}
	for _, r := range o.Results {
		f.Calls = append(f.Calls, firedCall{
			Path: r.Path, Argv: r.Argv, Status: r.Status, Signal: int(r.Signal),
			Stdout: string(r.Stdout), Stderr: string(r.Stderr),
			DurationMS: float64(r.Duration.Microseconds()) / 1000,
		})
	}
	if o.Output != nil {
		output := string(o.Output)
		f.Output = &output
	}
	return f
}
