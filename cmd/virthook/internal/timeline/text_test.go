package timeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/internal/verdict"
)

// row is the line of the output that holds all of the words.
func row(t *testing.T, output string, words ...string) string {
	t.Helper()
	for line := range strings.Lines(output) {
		holds := true
		for _, w := range words {
			holds = holds && strings.Contains(line, w)
		}
		if holds {
			return strings.TrimSuffix(line, "\n")
		}
	}
	require.Failf(t, "no such line", "%q in\n%s", words, output)
	return ""
}

// before is how many columns there are in front of the word.
func before(line, word string) int {
	head, _, _ := strings.Cut(line, word)
	return timeline.Columns(head)
}

func TestTextColumns(t *testing.T) {
	for _, width := range []int{0, 80, 100, 200} {
		out := text(t, hostile(), timeline.TextOptions{Width: width})
		at := before(row(t, out, "qemu/prepare/begin   "), "qemu/")
		for _, words := range [][]string{{"仮"}, {"0.005 s"}, {"bad"}, {"release/end"}, {"a\u0301"}} {
			assert.Equal(t, at, before(row(t, out, append(words, "  qemu/")...), "qemu/"), "width %d", width)
			if width > 0 {
				assert.Equal(t, before(row(t, out, "bad", "continues"), "continues"), before(row(t, out, append(words, "continues")...), "continues"), "width %d", width)
			}
		}
		if width == 0 {
			row(t, out, "6f1d0c1e-3f53-4f0e-9d0b-2f7c5a8e4b11") // whole: nothing to fit into
		}
	}
	out := text(t, boot(), timeline.TextOptions{Width: 100})
	for line := range strings.Lines(out) {
		assert.LessOrEqual(t, timeline.Columns(strings.TrimSpace(line)), 100)
	}
	assert.NotContains(t, row(t, out, "qemu/prepare"), "host", "there is but one")
}

func TestTextIsHarmless(t *testing.T) {
	for _, o := range []timeline.TextOptions{{}, {Width: 60}, {Verbose: true}} {
		out := text(t, hostile(), o)
		for _, r := range out {
			assert.True(t, r == '\n' || r >= ' ' && r != 0x7f && r != '\u202e', "%q in the output", r)
		}
	}
	assert.NotContains(t, text(t, hostile(), timeline.TextOptions{}), "line\nbreak")
}

func TestTextColours(t *testing.T) {
	const green, yellow, red = "\x1b[32m", "\x1b[33m", "\x1b[31m"
	colour := timeline.TextOptions{Colour: true}
	out := text(t, migrate(), colour)
	row(t, out, "qemu/prepare", green+"continues")
	row(t, out, "qemu/migrate", yellow+"continues, XML changed, guest tainted\x1b[m")
	row(t, out, "port-deleted", yellow+"failure only logged")
	row(t, out, red+"-      <source")
	row(t, out, green+"+      <source")
	row(t, out, "migrate web", green+"went through")
	row(t, text(t, refused(), colour), "prepare", red+"start refused")
	row(t, text(t, refused(), colour), green+"start refused, as expected")
	row(t, text(t, refused(), colour), red+"start refused, not as expected")
	row(t, text(t, leaked(), colour), yellow+"continues, slow, process left")
	row(t, text(t, leaked(), colour), red+"libvirt hangs")

	for word, c := range map[verdict.Word]string{
		verdict.Continues: green, verdict.FailureLogged: yellow, verdict.StateLost: red,
		verdict.GuestKilled: red, verdict.GuestForgotten: red, verdict.PortRefused: red,
	} {
		tl := boot()
		tl.Steps[0].Calls[0].Verdict.Word = word
		row(t, text(t, tl, colour), "network/start/", c+string(word))
	}
	tl := boot()
	tl.Steps[0].Calls[0].Hooks[0].Left = []timeline.Process{{PID: 1, Command: "x", Holds: "stderr"}}
	row(t, text(t, tl, colour), "network/start/", yellow+"continues, process left")
	assert.NotContains(t, text(t, migrate(), timeline.TextOptions{}), "\x1b")
}

func TestTextDetails(t *testing.T) {
	out := text(t, refused(), timeline.TextOptions{})
	row(t, out, "      libvirt: Hook script execution failed: ", "unexpected exit status 1: cannot bind")
	row(t, out, "/etc/libvirt/hooks/qemu: fatal signal 9 (killed)")
	assert.Equal(t, 1, strings.Count(out, "cannot bind"), "libvirt's message says it")

	tl := refused()
	tl.Steps[0].Calls[0].Verdict.Message = "another"
	row(t, text(t, tl, timeline.TextOptions{}), "        cannot bind")

	out = text(t, daemonRestart(), timeline.TextOptions{})
	assert.Equal(t, 12, strings.Count(out, "state of db"))
	row(t, out, "and 8 lines more")
	assert.Equal(t, 20, strings.Count(text(t, daemonRestart(), timeline.TextOptions{Verbose: true}), "state of db"))

	out = text(t, restore(), timeline.TextOptions{})
	row(t, out, "restore refused, output not XML")
	row(t, out, "        hello")
	row(t, out, "restore refused, ABI broken")
	row(t, out, "which libvirt does not take")
	row(t, out, "-  <memory unit=\"KiB\">2097152")

	out = text(t, boot(), timeline.TextOptions{})
	assert.NotContains(t, out, "vfio", "libvirt drops it")
	row(t, text(t, boot(), timeline.TextOptions{Verbose: true}), "bound 0000:01:00.0 to vfio-pci")
	row(t, out, "6 calls, 0 failures, 5.85 s; slowest qemu/started/begin of web, 31 ms")
	row(t, text(t, refused(), timeline.TextOptions{}), "1 step of 2 not as expected")
	row(t, text(t, leaked(), timeline.TextOptions{}), "ended after 6.0 ms", `process 4242, which keeps stdout and stderr open: "sleep 12"`)
}

func TestTextFolds(t *testing.T) {
	out := text(t, hundred(), timeline.TextOptions{})
	assert.Less(t, strings.Count(out, "\n"), 40)
	assert.Equal(t, []string{"qemu/prepare/begin", "100", "3", "6.6", "ms", "11", "ms", "guest-022"}, strings.Fields(row(t, out, "qemu/prepare/begin", "100")))
	for _, guest := range []string{"guest-017", "guest-057", "guest-097"} {
		row(t, out, "qemu/prepare/begin", guest, "start refused")
	}
	verbose := text(t, hundred(), timeline.TextOptions{Verbose: true})
	assert.Equal(t, 397, strings.Count(verbose, "  continues\n")+strings.Count(verbose, "  start refused\n"))

	few := &timeline.Timeline{Steps: []timeline.Step{{Calls: hundred().Steps[0].Calls[:40]}}}
	row(t, text(t, few, timeline.TextOptions{}), "guest-005", "continues")
	many := &timeline.Timeline{Steps: []timeline.Step{{Calls: hundred().Steps[0].Calls[:41]}}}
	assert.NotContains(t, text(t, many, timeline.TextOptions{}), "continues")

	for i := range many.Steps[0].Calls { // not alike
		many.Steps[0].Calls[i].Op = fmt.Sprint("op", i%20)
	}
	row(t, text(t, many, timeline.TextOptions{}), "op19", "continues")

	bad := hundred()
	for i := range bad.Steps[0].Calls {
		bad.Steps[0].Calls[i].Verdict = verdict.Verdict{Word: verdict.StartRefused}
	}
	row(t, text(t, bad, timeline.TextOptions{}), "and 387 calls more to look at")
}

// TestOrder: calls made at the same time may be listed in any order.
func TestOrder(t *testing.T) {
	tl := boot()
	calls := tl.Steps[1].Calls
	calls[0], calls[3] = calls[3], calls[0]
	assert.Equal(t, text(t, boot(), timeline.TextOptions{}), text(t, tl, timeline.TextOptions{}))
	assert.Equal(t, html(t, boot()), html(t, tl))
	assert.Equal(t, "started", calls[0].Op, "the model is not touched")
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		s     string
		width int
		want  string
	}{
		{"web", 3, "web"},
		{"web-01", 5, "we…01"},
		{"abcdefgh", 4, "ab…h"},
		{"仮想マシン", 6, "仮…ン"},
		{"仮想マシン", 10, "仮想マシン"},
		{"e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301…e\u0301"},
	} {
		got := timeline.Cut(tt.s, tt.width)
		assert.Equal(t, tt.want, got)
		assert.LessOrEqual(t, timeline.Columns(got), tt.width)
	}
}

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"plain größe 仮": "plain größe 仮",
		"a\tb":          "a    b",
		"\x1b[2J\x07":   `\x1b[2J\a`,
		"\u202eabc":     `\u202eabc`,
		"\x9b1m":        `\x9b1m`,
		"\u009b1m":      `\u009b1m`,
		"\uFFFD\xff":    "\uFFFD" + `\xff`,
		"it's a \\":     "it's a \\",
	} {
		assert.Equal(t, want, timeline.Escape(s))
	}
}

func TestShortTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 40 * us: "0.04 ms", 99500 * time.Nanosecond: "0.1 ms", 1240 * us: "1.2 ms", 9940 * us: "9.9 ms", 9960 * us: "10 ms",
		999 * ms: "999 ms", 999600 * us: "1.00 s", 12404 * ms: "12.40 s", 59996 * ms: "1 min 0 s", 125 * time.Second: "2 min 5 s",
	} {
		assert.Equal(t, want, timeline.ShortTime(d))
	}
}
