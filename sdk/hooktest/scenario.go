package hooktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/lifecycle"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/sdk"
)

// Scenario is what happens to guests. It makes every call that libvirt makes then, in
// libvirt's order, and what follows when a hook refuses:
//
//	life := hooktest.Guest("web").Boot().Crash().Run(t, Hooks())
//	life.OK()
//
// A Scenario is a value: each method returns a longer one, and the same beginning may be
// played to several ends. virthook replay plays the same from files.
type Scenario struct {
	plan  lifecycle.Scenario
	names []string // of the guests to whom everything happens
}

// Guest is a guest of QEMU that is off. Its XML is like a real libvirt's; with edits it
// is the same in all calls.
func Guest(name string, edits ...func(*libvirtxml.Domain)) Scenario {
	return guest("qemu", name, edits)
}

// Container is [Guest] for a container of LXC.
func Container(name string, edits ...func(*libvirtxml.Domain)) Scenario {
	return guest("lxc", name, edits)
}

func guest(driver, name string, edits []func(*libvirtxml.Domain)) Scenario {
	g := lifecycle.Guest{Name: name, Driver: driver}
	if len(edits) > 0 {
		// Its name is the last of the edits, or a port would not be the guest's.
		edits = append(slices.Clip(edits), Named(name))
		g.XML = DomainCall(driver, "prepare", "begin", "-", edits...).XML
		g.Networks = []string{} // not those of the XML: see On
	}
	return Scenario{plan: lifecycle.Scenario{Guests: []lifecycle.Guest{g}}, names: []string{name}}
}

// Guests are several, to all of which everything happens at the same time.
func Guests(names ...string) Scenario {
	var s Scenario
	for _, name := range names {
		s.plan.Guests = append(s.plan.Guests, lifecycle.Guest{Name: name})
	}
	s.names = slices.Clone(names)
	return s
}

// On gives each guest an interface in a network, so that the network's hooks are called
// for its port.
func (s Scenario) On(network string) Scenario {
	s.plan.Guests = slices.Clone(s.plan.Guests)
	for i := range s.plan.Guests {
		s.plan.Guests[i].Networks = append(slices.Clip(s.plan.Guests[i].Networks), network)
	}
	return s
}

// Libvirt has the calls made as that version does; else it is the newest.
func (s Scenario) Libvirt(version string) Scenario {
	s.plan.Libvirt = version
	return s
}

// Then has an action done that virthook replay knows by this name, to nobody or to
// those named: Then("daemon-reload"), Then("net-start", "lan").
func (s Scenario) Then(action string, objects ...string) Scenario {
	s.plan.Steps = append(slices.Clip(s.plan.Steps), lifecycle.Step{Action: action, Objects: objects})
	return s
}

// Boot starts the guest.
func (s Scenario) Boot() Scenario { return s.Then("start", s.names...) }

// FailToBoot has libvirt itself fail to start the guest, after the hooks have let it.
func (s Scenario) FailToBoot() Scenario { return s.Then("start-fails", s.names...) }

// Shutdown has the guest switch itself off.
func (s Scenario) Shutdown() Scenario { return s.Then("shutdown", s.names...) }

// Destroy kills the guest, as virsh destroy does.
func (s Scenario) Destroy() Scenario { return s.Then("destroy", s.names...) }

// Crash has the guest crash.
func (s Scenario) Crash() Scenario { return s.Then("crash", s.names...) }

// Save saves the guest, to a file or by managedsave.
func (s Scenario) Save() Scenario { return s.Then("save", s.names...) }

// Restore restores a guest that was saved.
func (s Scenario) Restore() Scenario { return s.Then("restore", s.names...) }

// Migrate migrates the guest to another host and makes the calls of both hosts.
func (s Scenario) Migrate() Scenario { return s.Then("migrate", s.names...) }

// RestartDaemon restarts libvirt's daemon, which takes up the guests that run.
func (s Scenario) RestartDaemon() Scenario { return s.Then("daemon-restart") }

// Run plays the scenario at handlers in this process, like [Run].
func (s Scenario) Run(t testing.TB, opts ...sdk.Option) *Life {
	t.Helper()
	return s.play(t, func(ctx context.Context, c Call) (*Result, error) { return run(ctx, t, c, opts), nil })
}

// Exec plays the scenario at a compiled hook, like [Exec].
func (s Scenario) Exec(t testing.TB, program string) *Life {
	t.Helper()
	return s.play(t, func(_ context.Context, c Call) (*Result, error) { return execute(t, program, c) })
}

func (s Scenario) play(t testing.TB, hook func(context.Context, Call) (*Result, error)) *Life {
	t.Helper()
	scenario := s.plan
	scenario.Guests = slices.Clone(s.plan.Guests) // New completes them
	w, err := lifecycle.New(&scenario)
	if err != nil {
		t.Fatalf("the scenario: %v", err)
	}
	life := &Life{t: t}
	ctx := Context(t)
	var mu sync.Mutex
	var failed error
	for _, step := range scenario.Steps {
		done := &Step{Name: step.Name()}
		done.outcome = w.Do(ctx, step, func(ctx context.Context, c lifecycle.Call) lifecycle.Answer {
			call := Call{Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra, XML: c.Input}
			r, err := hook(ctx, call)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return lifecycle.Answer{}
			}
			r.operation = &c.Operation
			o := r.chain()
			v := verdict.Judge(c.Operation, o.call, o.Outcome, nil)
			done.Calls = append(done.Calls, r)
			done.lines = append(done.lines, strings.TrimRight(fmt.Sprintf("  %-28s %-12s %s", call.id(), call.Object, v.Word), " "))
			if !v.OK() {
				if done.message == "" || v.Word != verdict.FailureLogged {
					done.message = v.Message
				}
				return lifecycle.Answer{Verdict: v}
			}
			return lifecycle.Answer{Verdict: v, Output: o.Output}
		})
		if failed != nil {
			t.Fatal(failed)
		}
		done.Outcome = done.outcome.String()
		life.Steps = append(life.Steps, *done)
	}
	return life
}

// Libvirt is what libvirt would make of the answer: "continues", "start refused",
// "guest killed", "failure only logged" and so on. It is the newest libvirt, or the one
// of the scenario that made the call.
func (r *Result) Libvirt() string {
	operation := lifecycle.Judged(r.call.Driver, r.call.Op, r.call.SubOp, "")
	if r.operation != nil {
		operation = *r.operation
	}
	o := r.chain()
	return string(verdict.Judge(operation, o.call, o.Outcome, nil).Word)
}

// chain is the answer as that of the one hook that libvirt has called.
func (r *Result) chain() (c struct {
	hookexec.Outcome
	call hookexec.Call
}) {
	one := hookexec.Result{
		Path: "/etc/libvirt/hooks/" + r.call.Driver, Input: r.call.XML,
		Status: r.Status, Signal: r.signal, Stdout: r.Stdout, Stderr: []byte(r.Stderr),
	}
	one.Argv = []string{one.Path, r.call.Object, r.call.Op, r.call.SubOp, r.call.Extra}
	c.call = hookexec.Call{Driver: r.call.Driver, Object: r.call.Object, Op: r.call.Op, SubOp: r.call.SubOp, Extra: r.call.Extra, Input: r.call.XML}
	c.Results, c.Failed = []hookexec.Result{one}, one.Failed()
	if !c.Failed {
		c.Output = one.Output()
	}
	return c
}

// Life is what a scenario came to.
type Life struct {
	Steps []Step
	t     testing.TB
}

// Step is one action of a [Scenario], done.
type Step struct {
	Name    string    // such as "start web"
	Outcome string    // "continues", "start refused", "guest killed" …, or why it could not be done
	Calls   []*Result // in the order of their ends; those of several guests are mixed

	outcome lifecycle.Outcome
	message string   // libvirt's, of the last call that did not go well
	lines   []string // for who reads a failure
}

// OK fails the test unless libvirt has gone on in every step.
func (l *Life) OK() *Life {
	l.t.Helper()
	for _, s := range l.Steps {
		if !(lifecycle.Step{}).Expected(s.outcome) {
			l.t.Fatalf("%s: %s: %s\n%s", s.Name, s.Outcome, s.message, l)
		}
	}
	return l
}

// Refused fails the test unless libvirt has refused the last step, or killed the guest,
// with an error that has the text in it.
func (l *Life) Refused(text string) *Life {
	l.t.Helper()
	if len(l.Steps) == 0 {
		l.t.Fatalf("the scenario has no steps")
	}
	last := l.Steps[len(l.Steps)-1]
	if (lifecycle.Step{}).Expected(last.outcome) || !strings.Contains(last.message, text) {
		l.t.Fatalf("%s: %s: %q, want a refusal with %q\n%s", last.Name, last.Outcome, last.message, text, l)
	}
	return l
}

// Calls are the calls of all steps, or those of the operations named, such as "release"
// or "network/port-created".
func (l *Life) Calls(ops ...string) []*Result {
	var calls []*Result
	for _, s := range l.Steps {
		for _, r := range s.Calls {
			if len(ops) == 0 || slices.Contains(ops, r.call.Op) || slices.Contains(ops, r.call.Driver+"/"+r.call.Op) {
				calls = append(calls, r)
			}
		}
	}
	return calls
}

// Order is the operations that were called, such as "qemu/prepare".
func (l *Life) Order() []string {
	var ops []string
	for _, r := range l.Calls() {
		ops = append(ops, r.call.Driver+"/"+r.call.Op)
	}
	return ops
}

// String is a line for each step and for each call in it.
func (l *Life) String() string {
	var b strings.Builder
	for _, s := range l.Steps {
		fmt.Fprintf(&b, "%s: %s\n%s", s.Name, s.Outcome, strings.Join(append(s.lines, ""), "\n"))
	}
	return b.String()
}
