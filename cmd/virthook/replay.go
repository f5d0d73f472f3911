package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/virthook/virthook/cmd/virthook/internal/scenario"
	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/lifecycle"
	"github.com/virthook/virthook/internal/recording"
	"github.com/virthook/virthook/internal/verdict"
)

// replay is what the command line says; what is empty was not given.
type replay struct {
	recorded   string
	bin, hooks string
	html       string
	timeout    time.Duration
	json       bool
	verbose    bool
}

func newReplay() *cobra.Command {
	var r replay
	var libvirt libvirtFlag
	cmd := &cobra.Command{
		Use:   "replay SCENARIO | --recorded DIR --bin PROGRAM | --hooks DIR",
		Short: "Play whole lives of guests and networks at a hook",
		Long: `Play whole lives of guests and networks at a hook: every call that libvirt makes
then, in its order, with what follows when a hook refuses, as a timeline.

SCENARIO is a YAML file (docs/testing.md says what is in it), or one of these:

` + scenarioList() + `
--recorded plays what virthook record has stored instead: the same calls, with the
same XML, in the same order, whatever the hooks answer.

--bin calls one program for every driver; --hooks calls what libvirt would call
from that folder.

The exit status is 0 when every step went as the scenario expects, which is that
libvirt goes on unless it says otherwise, 1 when not, and 2 when the command line
or the scenario is wrong.`,
		Example: `  virthook replay boot --bin ./myhook
  virthook replay migrate --hooks /etc/libvirt/hooks --html migrate.html
  virthook replay my-scenario.yaml --bin ./myhook --libvirt 9.0.0 --json
  virthook replay --recorded ./recording --bin ./myhook`,
		Args: operands(0, "SCENARIO"),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) == (r.recorded == "") {
				return misusef("replay: needs either SCENARIO or --recorded")
			}
			if (r.bin == "") == (r.hooks == "") {
				return misusef("replay: needs either --bin or --hooks")
			}
			if r.timeout < 0 {
				return misusef("--timeout: %s is negative", r.timeout)
			}
			v, err := libvirt.version()
			if err != nil {
				return err
			}
			if r.recorded != "" {
				calls, err := recording.Open(r.recorded)
				if err != nil {
					return misusef("--recorded: %w", err)
				}
				if len(calls.Calls) == 0 {
					return misusef("--recorded: %s holds no calls", r.recorded)
				}
				return r.run(cmd.OutOrStdout(), func(p *player) (*timeline.Timeline, []error) {
					return p.again(cmd.Context(), calls, string(v))
				})
			}
			s, err := scenario.Load(args[0])
			if err != nil {
				return misuse{err}
			}
			if v != "" {
				s.Libvirt = string(v)
			}
			w, err := lifecycle.New(s)
			if err != nil {
				return misuse{err}
			}
			return r.run(cmd.OutOrStdout(), func(p *player) (*timeline.Timeline, []error) {
				return p.play(cmd.Context(), w, s)
			})
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.recorded, "recorded", "", "play the recording in this `DIR`")
	flags.StringVar(&r.bin, "bin", "", "call this `PROGRAM`")
	flags.StringVar(&r.hooks, "hooks", "", "call the hooks in this `DIR`")
	libvirt.add(flags, "call as libvirt `VERSION` does; default: the scenario's, or as the newest")
	flags.DurationVar(&r.timeout, "timeout", 30*time.Second, "give up a call after this `TIME`; 0: never, as libvirt")
	flags.BoolVarP(&r.verbose, "verbose", "v", false, "show every call, and what hooks print that libvirt drops")
	flags.BoolVar(&r.json, "json", false, "print JSON")
	flags.StringVar(&r.html, "html", "", "write the timeline as a page to this `FILE` as well")
	return cmd
}

func scenarioList() string {
	var b strings.Builder
	all, err := scenario.Summaries()
	if err != nil {
		return err.Error() // a test says that they are all right
	}
	for _, s := range all {
		fmt.Fprintf(&b, "  %-15s %s\n", s[0], s[1])
	}
	return b.String()
}

// run has something played and reports it.
func (r *replay) run(out io.Writer, play func(*player) (*timeline.Timeline, []error)) error {
	p := &player{hooks: r.hooks, bin: r.bin, timeout: r.timeout}
	defer p.cleanup()
	if r.bin != "" {
		if err := p.link("qemu"); err != nil { // says now what is wrong with it
			return misusef("--bin: %w", err)
		}
	} else if _, err := os.ReadDir(r.hooks); err != nil {
		return misusef("--hooks: %w", err)
	}
	p.start = time.Now()
	t, problems := play(p)
	t.Duration = time.Since(p.start)
	t.Hooks = r.bin + r.hooks
	if r.html != "" {
		if err := r.writeHTML(t); err != nil {
			return err
		}
	}
	var err error
	if r.json {
		err = t.JSON(out)
	} else {
		err = t.Text(out, timeline.TextOptions{Colour: wantsColour(out), Width: width(out), Verbose: r.verbose})
	}
	if err != nil {
		return err
	}
	return errors.Join(problems...)
}

func (r *replay) writeHTML(t *timeline.Timeline) error {
	var page strings.Builder
	if err := t.HTML(&page); err != nil {
		return err
	}
	if err := writeFile(r.html, []byte(page.String())); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}

// width is that of the terminal; 0: it is none.
func width(to io.Writer) int {
	f, ok := to.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// player makes the calls of a scenario and writes down what came of them.
type player struct {
	hooks, bin string
	timeout    time.Duration
	start      time.Time

	mu    sync.Mutex
	links map[string]string // the hooks folder for each driver, of --bin
	tidy  []func()
	calls []timeline.Call // of this step
}

// link makes the folder in which the program is the hook of the driver.
func (p *player) link(driver string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.links[driver] != "" {
		return nil
	}
	path, cleanup, err := hookexec.Link(p.bin, driver)
	if err != nil {
		return err
	}
	if p.links == nil {
		p.links = map[string]string{}
	}
	p.links[driver] = filepath.Dir(path)
	p.tidy = append(p.tidy, cleanup)
	return nil
}

func (p *player) cleanup() {
	for _, f := range p.tidy {
		f()
	}
}

// play does every step. The problems are the steps that did not go as expected.
func (p *player) play(ctx context.Context, w *lifecycle.World, s *lifecycle.Scenario) (t *timeline.Timeline, problems []error) {
	t = &timeline.Timeline{Scenario: s.Name, Summary: s.Summary, Libvirt: s.Libvirt, Hosts: w.Hosts()}
	for _, step := range s.Steps {
		p.calls = nil
		at, host := time.Since(p.start), w.Host(step)
		o := w.Do(ctx, step, p.call)
		slices.SortStableFunc(p.calls, func(a, b timeline.Call) int { return int(a.At - b.At) })
		done := timeline.Step{
			Action: step.Name(), Host: host, At: at, Duration: time.Since(p.start) - at,
			Outcome: outcome(o), Expected: step.Expected(o), Calls: p.calls,
		}
		if !done.Expected {
			problem := fmt.Errorf("%s: %s", step.Name(), o)
			if step.Expect != "" {
				problem = fmt.Errorf("%w, not %s", problem, step.Expect)
			}
			problems = append(problems, problem)
		}
		t.Steps = append(t.Steps, done)
		if ctx.Err() != nil {
			problems = append(problems, context.Cause(ctx))
			break
		}
	}
	return t, problems
}

// pause is what parts two steps of a recording.
const pause = time.Second

// again makes the calls of a recording. What libvirt did at about the same time is a step.
func (p *player) again(ctx context.Context, r *recording.Recording, libvirt string) (t *timeline.Timeline, problems []error) {
	t = &timeline.Timeline{
		Scenario: filepath.Base(r.Dir), Libvirt: libvirt, Hosts: []string{""},
		Summary: fmt.Sprintf("recorded from %s on", r.Calls[0].At.Format(time.RFC3339)),
	}
	for i := 0; i < len(r.Calls) && ctx.Err() == nil; {
		p.calls = nil
		step := timeline.Step{Action: r.Calls[i].At.Format("15:04:05"), At: time.Since(p.start), Expected: true}
		for last := r.Calls[i].At; i < len(r.Calls) && r.Calls[i].At.Sub(last) < pause; i++ {
			c := r.Calls[i]
			last = c.At
			a := p.call(ctx, lifecycle.Call{
				Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.XML,
				Operation: lifecycle.Judged(c.Driver, c.Op, c.SubOp, libvirt),
			})
			if word := a.Verdict.Word; !a.Verdict.GoesOn() {
				step.Outcome, step.Expected = string(word), false
				problems = append(problems, fmt.Errorf("%s, %s/%s of %q: %s", step.Action, c.Driver, c.Op, c.Object, word))
			}
		}
		step.Calls, step.Duration = p.calls, time.Since(p.start)-step.At
		t.Steps = append(t.Steps, step)
	}
	if ctx.Err() != nil {
		problems = append(problems, context.Cause(ctx))
	}
	return t, problems
}

func outcome(o lifecycle.Outcome) string {
	if o.Skipped == "" && o.Word == verdict.Continues {
		return ""
	}
	return o.String()
}

// call makes one call of the scenario.
func (p *player) call(ctx context.Context, c lifecycle.Call) lifecycle.Answer {
	call := hookexec.Call{Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, Input: c.Input}
	hooks := p.hooks
	var o hookexec.Outcome
	var err error
	start := time.Now()
	if p.bin != "" {
		if err = p.link(c.Driver); err == nil {
			p.mu.Lock()
			hooks = p.links[c.Driver]
			p.mu.Unlock()
		}
	}
	if err == nil {
		one, cancel := ctx, context.CancelFunc(func() {})
		if p.timeout > 0 {
			one, cancel = context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no end within %s", p.timeout))
		}
		o, err = hookexec.Chain(one, hooks, call, c.Operation.Filter)
		cancel()
	}
	v := verdict.Judge(c.Operation, call, o, err)
	done := p.event(c, o, v, start, err)
	p.mu.Lock()
	p.calls = append(p.calls, done)
	p.mu.Unlock()
	if !v.OK() {
		o.Output = nil
	}
	return lifecycle.Answer{Verdict: v, Output: o.Output}
}

// event is what a timeline shows of a call; err is what kept its hooks from their end.
func (p *player) event(c lifecycle.Call, o hookexec.Outcome, v verdict.Verdict, start time.Time, err error) timeline.Call {
	e := timeline.Call{
		Host: c.Host, Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra,
		At: start.Sub(p.start), Duration: time.Since(start), Verdict: v, Input: c.Input, Output: o.Output,
	}
	if o.Output != nil {
		e.Diff, _ = xmldiff.Diff(c.Input, o.Output) // what is not XML has none
	}
	for _, r := range o.Results {
		h := timeline.Hook{
			Path: r.Path, Argv: r.Argv, Status: r.Status, Signal: int(r.Signal), Stdout: string(r.Stdout), Stderr: string(r.Stderr),
			At: r.Start.Sub(p.start), Duration: r.Duration, Exited: r.Exited,
		}
		for _, l := range r.Left {
			h.Left = append(h.Left, timeline.Process{PID: l.PID, Command: l.Command, Holds: l.Holds})
		}
		e.Hooks = append(e.Hooks, h)
	}
	var unended *hookexec.UnendedError
	if n := len(e.Hooks); n > 0 && errors.As(err, &unended) {
		e.Hooks[n-1].GaveUp = unended.State == hookexec.Killed
	}
	return e
}
