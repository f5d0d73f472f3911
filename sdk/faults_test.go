package sdk_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/spec"
)

// Every operation meets every mishap under every policy, each time in a process
// of its own that is called as libvirt calls it. What is expected is said by the
// spec and by the two tables below; docs/faults.md shows what was measured.

var updateFaults = flag.Bool("update-faults", false, "write the table of docs/faults.md")

// mishap is what befalls the second of three handlers.
type mishap struct {
	name    string
	decided bool   // it is the handler's own decision, not a fault
	ends    bool   // it ends the whole run, so that no handler after it is tried
	blocks  bool   // the handler never returns
	reports bool   // the handler is sure to have reported when it happens
	message string // a regular expression; NL is a line's end, CALL the operation and the guest
}

var mishaps = []mishap{
	{name: "error", decided: true, reports: true, message: `no:NLreally`},
	{name: "panic", reports: true, message: `panic: boomNLtwice \(faults_test\.go:\d+\) in CALL`},
	{name: "deadline", blocks: true, message: `deadline: not done within 20ms in CALL`},
	{name: "deadline of the run", blocks: true, ends: true, message: `deadline: not done within 20ms in CALL`},
	{name: "bad XML", message: `input: line \d+, column \d+: [^;]+ in CALL`},
	{name: "SIGTERM", blocks: true, ends: true, reports: true, message: `[a-z]+: .*(SIGTERM|terminated).* in CALL`},
}

// policies are what the program gives to Main.
var policies = map[string][]sdk.Option{
	"default":       nil,
	"OnFault(Pass)": {sdk.OnFault(sdk.Pass)},
	"OnFault(Fail)": {sdk.OnFault(sdk.Fail)},
	"OnError(Pass)": {sdk.OnError(sdk.Pass)},
}

// passes says whether the run goes on as though the handler had not been there.
func (m mishap) passes(o *spec.Op, policy string) bool {
	switch {
	case m.decided:
		return policy == "OnError(Pass)"
	case strings.HasPrefix(policy, "OnFault"):
		return policy == "OnFault(Pass)"
	}
	return o.Fault == "pass"
}

// failureIgnored says that no libvirt stops anything when the operation fails.
func failureIgnored(o *spec.Op) bool {
	return !slices.ContainsFunc(o.Failure, func(f spec.Failure) bool { return f.Effect != spec.EffectIgnored })
}

// The variables name the cell for the program, and the file that it logs to.
const (
	mishapVariable = "VIRTHOOK_TEST_MISHAP"
	policyVariable = "VIRTHOOK_TEST_POLICY"
	logVariable    = "VIRTHOOK_TEST_LOG"
)

// mishapProgram logs errors and has three handlers for every operation: the second one meets with
// the mishap. In a filter the first and the second edit the domain. The third says
// what it sees of that.
func mishapProgram() []sdk.Option {
	log, err := os.OpenFile(os.Getenv(logVariable), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	name := os.Getenv(mishapVariable)
	beside := func(handler string) sdk.Option {
		if name == "bad XML" { // which these do not take, and so run
			return sdk.OnAny(func(context.Context, *sdk.Call) error { return report(event{Handler: handler}) })
		}
		return sdk.OnEach(func(_ context.Context, e sdk.Event) error {
			said := event{Handler: handler}
			if e, ok := e.(sdk.DomainEvent); ok {
				said.Extra = e.Guest().Title
				if handler == "first" {
					e.Guest().Title = "edited"
				}
			}
			return report(said)
		}, sdk.Events()...)
	}
	second := sdk.OnEach(func(_ context.Context, e sdk.Event) error {
		if strings.HasPrefix(name, "deadline") {
			select {}
		}
		if err := report(event{Handler: "second"}); err != nil {
			return err
		}
		if e, ok := e.(sdk.DomainEvent); ok {
			e.Guest().Title, e.Guest().Description = "second", "second"
		}
		switch name {
		case "error":
			return errors.New("no:\nreally")
		case "panic":
			panic("boom\ntwice")
		case "SIGTERM":
			untilSignalsAreWatched()
			if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
				return err
			}
			select {}
		}
		return nil
	}, sdk.Events()...)

	opts := append([]sdk.Option{sdk.Log(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))}, policies[os.Getenv(policyVariable)]...)
	short := sdk.Timeout(20 * time.Millisecond)
	switch name {
	case "deadline":
		second = sdk.Group(short, second)
	case "deadline of the run": // the first handler might take all of it on a busy machine
		return append(opts, short, second, beside("third"))
	}
	return append(opts, beside("first"), second, beside("third"))
}

func TestFaultsOfEveryOperation(t *testing.T) {
	s, err := spec.Builtin()
	require.NoError(t, err)
	ops := slices.Collect(s.All())
	require.Len(t, ops, 36)
	var specified, known []string
	for _, o := range ops {
		specified = append(specified, o.ID())
		harms := slices.ContainsFunc(o.Failure, func(f spec.Failure) bool {
			return f.Effect == spec.EffectKilled || f.Effect == spec.EffectForgotten
		})
		assert.Equal(t, harms, o.Fault == "pass", "%s: a fault passes where failing would cost a running guest, nowhere else", o.ID())
	}
	for _, e := range sdk.Events() {
		op := e.HookOp()
		known = append(known, op.Driver+"/"+op.Op+"/"+op.SubOp)
	}
	assert.ElementsMatch(t, specified, known)

	var mu sync.Mutex
	measured := map[string]map[string]int{} // by operation and mishap: the exit status
	for _, o := range ops {
		measured[o.ID()] = map[string]int{}
	}
	cells := 0
	t.Run("cells", func(t *testing.T) {
		for _, o := range ops {
			t.Run(o.ID(), func(t *testing.T) {
				t.Parallel()
				c, ok := captures.Sample(o.Driver.Name, o.Op, o.SubOp)
				require.True(t, ok)
				var slow sync.WaitGroup // they spend their time waiting, all at once
				defer slow.Wait()
				for _, m := range mishaps {
					if m.name == "bad XML" && o.InputAt("") == spec.InputNone {
						continue
					}
					for policy := range policies {
						run := func() {
							t.Run(m.name+"/"+policy, func(t *testing.T) {
								status := cell(t, o, c, m, policy)
								mu.Lock()
								defer mu.Unlock()
								cells++
								if policy == "default" {
									measured[o.ID()][m.name] = status
								}
							})
						}
						if m.blocks {
							slow.Go(run)
						} else {
							run()
						}
					}
				}
			})
		}
	})
	if t.Failed() || strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // no table is made of some cells, or of wrong ones
	}
	want := len(policies) * (36*5 + 33) // the daemon's three operations have no XML
	require.Equal(t, want, cells)

	const page, begin, end = "../docs/faults.md", "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	head, rest, _ := strings.Cut(string(text), begin)
	old, tail, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q … %q", page, begin, end)
	table := faultsTable(t, ops, measured)
	if *updateFaults {
		require.NoError(t, os.WriteFile(page, []byte(head+begin+table+end+tail), 0o644))
		return
	}
	assert.Equal(t, table, old, "go test ./sdk -run TestFaults -update-faults writes it anew")
}

// cell runs the program of one cell, checks all that it does, and returns its status.
func cell(t *testing.T, o *spec.Op, c captures.Capture, m mishap, policy string) int {
	guest, quoted := c.Object, `"`+c.Object+`"`
	if o.Driver.Object != "none" {
		guest, quoted = c.Object+" \"1\"\n", `"`+c.Object+` \"1\"\n"`
	}
	input := c.XML
	if m.name == "bad XML" {
		input = input[:len(input)/2]
	}
	logFile := filepath.Join(t.TempDir(), "log")
	a := process{
		program: "mishap",
		argv:    []string{"hooks/" + o.Driver.Name, guest, o.Op, o.SubOp, c.Extra},
		stdin:   input,
		set: func(cmd *exec.Cmd) {
			cmd.Env = append(cmd.Env, mishapVariable+"="+m.name, policyVariable+"="+policy, logVariable+"="+logFile)
		},
	}.run(t) // which fails when the process does not end

	passes := m.passes(o, policy)
	status, prefix := 1, ""
	if passes {
		status, prefix = 0, "passed: "
	}
	assert.Equal(t, status, a.status)

	call := regexp.QuoteMeta(o.ID() + " of " + quoted)
	line := "^" + prefix + strings.NewReplacer("NL", `\\n`, "CALL", call).Replace(m.message) + "\n$"
	assert.Regexp(t, line, a.stderr)
	assert.Equal(t, 1, strings.Count(a.stderr, "\n"), "%q", a.stderr)

	first := m.name != "deadline of the run"
	edited := o.Output == "filter" && first && m.name != "bad XML"
	title := titleOf(t, c.XML)
	var want []event
	if first {
		want = append(want, event{Handler: "first", Extra: title})
	}
	if m.reports {
		want = append(want, event{Handler: "second"})
	}
	if !m.ends && (passes || failureIgnored(o)) {
		seen := title
		if edited {
			seen = "edited"
		}
		want = append(want, event{Handler: "third", Extra: seen})
	}
	if m.name == "bad XML" {
		for i := range want {
			want[i].Extra = "" // they do not look
		}
	}
	assert.Equal(t, want, a.report, "the handlers that ran, and the titles that they saw")

	if edited && passes {
		assert.Equal(t, "edited", titleOf(t, []byte(a.stdout)))
		assert.NotContains(t, a.stdout, "second")
	} else {
		assert.Empty(t, a.stdout)
	}

	logged, err := os.ReadFile(logFile)
	require.NoError(t, err)
	var record struct {
		Level, Msg, Driver, Object, Op, Stack, Fault string
		SubOp                                        string `json:"sub_op"`
		Passed                                       bool
		Duration                                     time.Duration
	}
	require.Equal(t, 1, bytes.Count(logged, []byte("\n")), "%s", logged)
	require.NoError(t, json.Unmarshal(logged, &record))
	assert.Regexp(t, "^"+strings.NewReplacer("NL", "\n", "CALL", call).Replace(m.message)+"$", record.Msg)
	assert.Equal(t, passes, record.Passed)
	assert.Equal(t, m.decided, record.Fault == "")
	assert.Positive(t, record.Duration)
	assert.Equal(t, m.name == "panic", strings.Contains(record.Stack, "faults_test.go"), record.Stack)
	assert.Equal(t, []string{"ERROR", o.Driver.Name, guest, o.Op, o.SubOp}, []string{record.Level, record.Driver, record.Object, record.Op, record.SubOp})
	return a.status
}

// titleOf returns the title of the domain, "" of a document that is none.
func titleOf(t *testing.T, doc []byte) string {
	var d struct {
		Title string `xml:"title"`
	}
	if doc != nil {
		require.NoError(t, xml.Unmarshal(doc, &d))
	}
	return d.Title
}

// faultsTable is the table of docs/faults.md.
func faultsTable(t *testing.T, ops []*spec.Op, measured map[string]map[string]int) string {
	columns := []string{"error", "panic", "deadline", "bad XML", "SIGTERM"}
	var b strings.Builder
	fmt.Fprintf(&b, "\n| driver | operation | when the hook fails, libvirt | %s |\n", strings.Join(columns, " | "))
	fmt.Fprintf(&b, "|---|---|---|%s\n", strings.Repeat(":---:|", len(columns)))
	for _, o := range ops {
		got := measured[o.ID()]
		assert.Equal(t, got["deadline"], got["deadline of the run"], "%s: one column is for both", o.ID())
		fmt.Fprintf(&b, "| %s | %s | %s |", o.Driver.Name, strings.TrimSuffix(o.Op+" "+o.SubOp, " -"), effects(t, o))
		for _, name := range columns {
			status, ok := got[name]
			switch {
			case !ok:
				b.WriteString(" – |")
			case status == 0:
				b.WriteString(" **0** |")
			default:
				fmt.Fprintf(&b, " %d |", status)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String()
}

// effects says what the newest libvirt makes of a failing hook, and which others
// make something else of it.
func effects(t *testing.T, o *spec.Op) string {
	words := map[string]string{
		spec.EffectRefused:   "refuses it",
		spec.EffectKilled:    "**kills the running guest**",
		spec.EffectForgotten: "**forgets the running guest**",
		spec.EffectLost:      "may delete the saved guest",
		spec.EffectIgnored:   "logs it and goes on",
	}
	newest := o.FailureAt("").Effect
	require.Contains(t, words, newest, o.ID())
	text := words[newest]
	for _, f := range o.Failure {
		if f.Effect != newest {
			require.Contains(t, words, f.Effect, o.ID())
			var seen []string
			for _, v := range f.Seen {
				seen = append(seen, string(v))
			}
			text += fmt.Sprintf("; %s %s", cmp.Or(strings.Join(seen, ", "), "since "+string(f.Since)), words[f.Effect])
		}
	}
	return text
}
