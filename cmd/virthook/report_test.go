package main

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/cmd/virthook/internal/eventjson"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
)

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{
		"plain":      "plain",
		"-":          "-",
		"größe":      "größe",
		"$x;*|&":     "$x;*|&",
		"":           `""`,
		"two words":  `"two words"`,
		"line\nline": `"line\nline"`,
		`"a"`:        `"\"a\""`,
		"it's":       `"it's"`,
		"`x`":        "\"`x`\"",
		`a\b`:        `"a\\b"`,
		"\x1b[31m":   `"\x1b[31m"`,
		"\u202eabc":  `"\u202eabc"`,
		"\xff":       `"\xff"`,
	} {
		assert.Equal(t, want, hookexec.Quote(arg))
	}
}

func TestColour(t *testing.T) {
	var b bytes.Buffer
	p := printer{to: &b, colour: true}
	p.result(hookexec.Result{Argv: []string{"/hooks/qemu", "g1"}, Duration: 1234 * time.Microsecond}, false, nil)
	assert.Equal(t, "/hooks/qemu g1: \x1b[32mexit status 0\x1b[m, 1.2ms\n", b.String())

	b.Reset()
	p.result(hookexec.Result{Argv: []string{"/hooks/qemu"}, Status: -1, Signal: syscall.SIGKILL}, false, nil)
	assert.Equal(t, "/hooks/qemu: \x1b[31mfatal signal 9 (killed)\x1b[m, 0s\n", b.String())

	b.Reset()
	p.result(hookexec.Result{Input: []byte("<a>1</a>"), Stdout: []byte("<a>2</a>")}, true, nil)
	assert.Contains(t, b.String(), "    \x1b[31m-<a>1</a>\x1b[m\n    \x1b[32m+<a>2</a>\x1b[m\n")

	assert.False(t, wantsColour(&b), "no terminal")
}

func TestLeftBehind(t *testing.T) {
	sleep := hookexec.Process{PID: 4711, Command: "sleep 12", Holds: "stdout and stderr"}
	cat := hookexec.Process{PID: 4712, Command: "cat", Holds: "stderr"}
	r := hookexec.Result{Exited: 3 * time.Millisecond, Duration: 12*time.Second + 3*time.Millisecond}
	given := func(state hookexec.State) *hookexec.UnendedError { return &hookexec.UnendedError{State: state} }
	for _, tt := range []struct {
		left    []hookexec.Process
		unended *hookexec.UnendedError
		want    string
	}{
		{[]hookexec.Process{sleep}, nil, "exited after 3ms; libvirt waited 12s more for process 4711 (sleep 12), which keeps stdout and stderr open"},
		{[]hookexec.Process{sleep, cat}, nil, "exited after 3ms; libvirt waited 12s more for process 4711 (sleep 12), which keeps stdout and stderr open, " +
			"and for process 4712 (cat), which keeps stderr open"},
		{nil, nil, "exited after 3ms; libvirt waited 12s more for the end of its output, which another process keeps open"},
		{[]hookexec.Process{sleep}, given(hookexec.OutputOpen),
			"exited after 3ms; libvirt would wait on, 12s were not enough, for process 4711 (sleep 12), which keeps stdout and stderr open"},
		{[]hookexec.Process{sleep}, given(hookexec.Killed), "running with it: process 4711 (sleep 12), which keeps stdout and stderr open"},
		{nil, given(hookexec.Killed), ""},
	} {
		r.Left = tt.left
		assert.Equal(t, tt.want, leftBehind(r, tt.unended))
	}
	r = hookexec.Result{Exited: 3 * time.Millisecond, Duration: 4 * time.Millisecond}
	assert.Empty(t, leftBehind(r, nil), "the outputs end right after the exit")
}

func TestWaiting(t *testing.T) {
	assert.Equal(t, `waiting for "/h/a b", which still runs`, waiting(hookexec.Waiting{Path: "/h/a b"}))
	assert.Equal(t, "/h/qemu has ended; waiting, as libvirt does, for process 7 (cat), which keeps stdout open",
		waiting(hookexec.Waiting{Path: "/h/qemu", Exited: true, Left: []hookexec.Process{{PID: 7, Command: "cat", Holds: "stdout"}}}))
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain größe\t\"x\" \\n": "plain größe\t\"x\" \\n",
		"\x1b[2J\a\r":            `\x1b[2J\a\r`,
		"a\u202eb\xffc\ufffd":    `a\u202eb\xffc` + "\ufffd",
	} {
		assert.Equal(t, want, visible(text))
	}
}

func TestLongOutputIsCut(t *testing.T) {
	var b bytes.Buffer
	p := printer{to: &b}
	p.text(bytes.Repeat([]byte("0123456\n"), 1<<14))
	assert.Equal(t, textLimit/8+1, strings.Count(b.String(), "\n"))
	assert.True(t, strings.HasSuffix(b.String(), "    … and 65536 bytes more\n"))
}

func TestVerdictInColour(t *testing.T) {
	for word, want := range map[verdict.Word]string{
		verdict.Continues:     green + "continues" + "\x1b[m",
		verdict.FailureLogged: yellow + "failure only logged" + "\x1b[m",
		verdict.Hangs:         red + "hangs" + "\x1b[m",
		verdict.GuestKilled:   red + "guest killed" + "\x1b[m",
	} {
		var b bytes.Buffer
		f := &fired{verdict: verdict.Verdict{Word: word}}
		f.outcome.Results = make([]hookexec.Result, 1)
		printer{to: &b, colour: true}.verdict(f)
		assert.Equal(t, "libvirt: "+want+"\n", b.String())
	}
}

// TestJSONOfWhatWasLeft: what a script cannot bring about at a known time.
func TestJSONOfWhatWasLeft(t *testing.T) {
	start := time.Now()
	f := &fired{start: start, slow: time.Second, verdict: verdict.Verdict{Word: verdict.Continues}}
	f.outcome.Results = []hookexec.Result{{
		Path: "/h/qemu", Start: start.Add(1500 * time.Microsecond), Exited: 3 * time.Millisecond, Duration: 2 * time.Second,
		Left: []hookexec.Process{{PID: 7, Command: "cat", Holds: "stdout"}},
	}}
	assert.Equal(t, eventjson.Call{
		Path: "/h/qemu", AtMS: 1.5, ExitedMS: 3, DurationMS: 2000, Slow: true, Left: []eventjson.Left{{PID: 7, Command: "cat", Holds: "stdout"}},
	}, f.json().Calls[0])
}
