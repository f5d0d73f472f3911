package timeline_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/internal/verdict"
)

func TestHTMLIsHarmless(t *testing.T) {
	out := html(t, hostile())
	assert.Equal(t, 1, strings.Count(out, "<script"), "the page's own")
	assert.Equal(t, 1, strings.Count(out, "</script>"))
	assert.Equal(t, 1, strings.Count(out, "</style>"))
	for _, s := range []string{"<img", "<svg", "<i>", "<b>here", "\x1b", "\u202e", "\x00", `onclick="x`, `href="javascript:`} {
		assert.NotContains(t, out, s)
	}
	assert.Contains(t, out, "&lt;/script&gt;&lt;script&gt;alert(&#34;owned&#34;)&lt;/script&gt;")
	assert.Contains(t, out, "{{.Title}} ${x}", "is no template of ours")
}

var attribute = regexp.MustCompile(`(?:href|src|action|data|srcset|poster)="([^"]*)"|url\(([^)]*)\)|@import (\S+)`)

func TestHTMLNeedsNothing(t *testing.T) {
	for name, sample := range samples() {
		out := html(t, sample)
		for _, m := range attribute.FindAllStringSubmatch(out, -1) {
			to := m[1] + m[2] + m[3]
			assert.True(t, strings.HasPrefix(to, "#") || to == "data:,", "%s: %s", name, m[0])
			if id, ok := strings.CutPrefix(to, "#"); ok {
				assert.Equal(t, 1, strings.Count(out, fmt.Sprintf(`id=%q`, id)), "%s: %s leads nowhere", name, to)
			}
		}
		assert.NotContains(t, out, "ZgotmplZ", name)
		assert.Equal(t, strings.Count(out, "<details"), strings.Count(out, "</details>"), name)
	}
}

func TestHTMLSays(t *testing.T) {
	out := html(t, leaked())
	for _, s := range []string{
		"exit status 0</span> after 6.0 ms; libvirt waited 12.40 s", "<code>sleep 12</code>", "process 4242, which keeps stdout and stderr open",
		`<span class="word bad">libvirt hangs</span>`, `<span class="note">slow</span>`, "<summary>Input XML</summary>",
		"1 of 2 steps did not come out as expected.",
	} {
		assert.Contains(t, out, s)
	}
	assert.Contains(t, html(t, boot()), "stderr, which libvirt drops as the hook succeeded")
	assert.Contains(t, html(t, daemonRestart()), "There is no hook to call.")
	assert.Contains(t, html(t, migrate()), `<span class="added">&#43;      &lt;source file=&#34;/mnt/fast/web.qcow2&#34;/&gt;</span>`)
	assert.Contains(t, html(t, migrate()), "failures included")

	dense := html(t, hundred())
	assert.Equal(t, 3, strings.Count(dense, "<h4>libvirt’s message"))
	assert.Equal(t, 3, strings.Count(dense, "Input XML"), "of those that went well it is left out")
	assert.Contains(t, dense, "The other 394 calls")
	assert.Equal(t, 397, strings.Count(dense, `<li id="s1-c`))
	assert.Equal(t, 101, strings.Count(dense, `<li class="lane">`))
	assert.Equal(t, 3, strings.Count(dense, `<li id="s1-c`)-strings.Count(strings.SplitN(dense, `class="rest"`, 2)[1], `<li id="s1-c`))
}

var bar = regexp.MustCompile(`class="bar \w+"[^>]*style="--l:([0-9.]+);--w:([0-9.]+)"`)

// TestHTMLBars: no bar begins or ends outside its lane.
func TestHTMLBars(t *testing.T) {
	for name, sample := range samples() {
		bars := bar.FindAllStringSubmatch(html(t, sample), -1)
		calls := 0
		for _, s := range sample.Steps {
			calls += len(s.Calls)
		}
		assert.Len(t, bars, calls, name)
		for _, b := range bars {
			var left, width float64
			_, err := fmt.Sscan(b[1]+" "+b[2], &left, &width)
			assert.NoError(t, err)
			assert.LessOrEqual(t, left+width, 100.02, name)
			assert.Positive(t, width, name)
		}
	}
}

// steps of calls that begin and take so long, in milliseconds.
func stepOf(times ...[2]int) timeline.Step {
	var s timeline.Step
	for _, c := range times {
		s.Calls = append(s.Calls, timeline.Call{
			At: time.Duration(c[0]) * ms, Duration: time.Duration(c[1]) * ms, Verdict: verdict.Verdict{Word: verdict.Continues},
		})
	}
	return s
}

func TestScale(t *testing.T) {
	at := func(s timeline.Step, i int) [2]float64 {
		pos, _ := s.Axis()
		from, to := pos(&s.Calls[i])
		return [2]float64{from, to}
	}
	even := stepOf([2]int{0, 10}, [2]int{10, 20}, [2]int{50, 50})
	_, cuts := even.Axis()
	assert.Zero(t, cuts)
	assert.Equal(t, [2]float64{10, 30}, at(even, 1))

	few := stepOf([2]int{0, 1}, [2]int{1, 1}, [2]int{2, 9998})
	_, cuts = few.Axis()
	assert.Zero(t, cuts, "two hard to see are no reason")

	// Four calls of 10 ms, with a minute and half a minute between them.
	long := stepOf([2]int{0, 10}, [2]int{10, 10}, [2]int{60020, 10}, [2]int{90030, 10})
	_, cuts = long.Axis()
	assert.Equal(t, 2, cuts)
	last := 0.0
	for i := range long.Calls {
		p := at(long, i)
		assert.GreaterOrEqual(t, p[0], last)
		assert.InDelta(t, 100/4.0/2.2, p[1]-p[0], 0.02, "as wide as the others")
		last = p[1]
	}
	assert.InDelta(t, 100, last, 0.01)

	none := stepOf([2]int{0, 0})
	assert.Equal(t, [2]float64{0, 0}, at(none, 0))
}
