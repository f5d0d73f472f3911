package docs

import (
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// lifecycles are those of the built-in spec, by anchor.
func lifecycles(t *testing.T, libvirt spec.Version) map[string]*Lifecycle {
	t.Helper()
	all := map[string]*Lifecycle{}
	for _, d := range New(builtin(t), options(libvirt)).Drivers {
		for _, l := range d.Lifecycles {
			all[l.Anchor] = l
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestPicturesAreSound(t *testing.T) {
	for _, libvirt := range []spec.Version{"", "12.8.0", "11.3.0", "9.0.0", "1.2.2"} {
		all := lifecycles(t, libvirt)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			t.Run(string(libvirt)+" "+name, func(t *testing.T) { sound(t, all[name]) })
		}
	}
}

func TestPicturesOfAnyLifecycleAreSound(t *testing.T) {
	for seed := range uint64(150) {
		l := arbitrary(rand.New(rand.NewPCG(seed, 1)))
		if !t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { sound(t, l) }) {
			return
		}
	}
}

// sound says what holds of every picture.
func sound(t *testing.T, l *Lifecycle) {
	t.Helper()
	file := string(picture(l))
	link := func(to Link) string { return "#" + to.Anchor }
	inline := string(inlinePicture(l, link))

	// The same each time, well-formed, and nothing that a page must not get.
	require.Equal(t, file, string(picture(l)))
	require.Equal(t, inline, string(inlinePicture(l, link)))
	first, _, _ := strings.Cut(file, "\n")
	assert.True(t, strings.HasPrefix(first, "<!-- "+generated+" --><svg "), first)
	shown, inlined := readPicture(t, file), readPicture(t, inline)
	for _, bad := range []string{"<script", "<foreignObject", "<image", "url(", "@import", "NaN", "Inf", "%!"} {
		assert.NotContains(t, file, bad)
		assert.NotContains(t, inline, bad)
	}
	assert.NotContains(t, inline, " id=")
	assert.NotContains(t, inline, "<style")

	// All that it is about can be read in it.
	want := []string{l.From, l.To, l.Guests}
	outcome := func(o Outcome) {
		want = append(want, o.Text, o.Extra, o.To, o.When)
		for _, c := range o.Calls {
			want = append(want, c.Text)
		}
	}
	for _, s := range l.Steps {
		want = append(want, s.Text, s.Extra, s.Host)
		for _, o := range s.Outcomes {
			outcome(o)
		}
	}
	if l.Ending != nil {
		outcome(*l.Ending)
	}
	for _, w := range want {
		assert.Contains(t, shown.visible, squeezed(w))
		assert.Contains(t, inlined.visible, squeezed(w))
		assert.Contains(t, shown.words, squeezed(w), "the description")
	}
	assert.Contains(t, shown.visible, squeezed(l.Driver+": "+l.Summary))
	assert.Contains(t, inlined.visible, squeezed(l.Driver))

	// Nothing leaves it, and nothing stands on something else.
	for _, in := range []bool{false, true} {
		p := &drawing{l: l, inline: in}
		p.place()
		p.draw()
		for i, a := range p.boxes {
			assertInside(t, p, a)
			for _, b := range p.boxes[i+1:] {
				assert.False(t, overlap(a, b), "%v on %v", a, b)
			}
			for _, s := range p.strokes {
				assert.False(t, overlap(a, s), "the line %v through %v", s, a)
			}
		}
		for _, s := range p.strokes {
			assertInside(t, p, s)
			assert.True(t, s.w >= 0 && s.h >= 0, "a line runs backwards: %v", s)
		}
	}
	for _, size := range regexp.MustCompile(`font-size="([^"]*)"`).FindAllStringSubmatch(file, -1) {
		f, err := strconv.ParseFloat(size[1], 64)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, f, 12.0)
	}
}

func assertInside(t *testing.T, p *drawing, b box) {
	t.Helper()
	assert.True(t, b.x >= 1 && b.y >= 1 && b.x+b.w <= pictureWidth-1 && b.y+b.h <= p.height-1, "%v leaves %d×%g", b, pictureWidth, p.height)
}

func overlap(a, b box) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

type pictureText struct{ visible, words string }

// readPicture is what can be read in a picture, without white space.
func readPicture(t *testing.T, svg string) (s pictureText) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	depth, in := 0, ""
	for {
		token, err := d.Token()
		if token == nil {
			require.EqualError(t, err, "EOF", svg)
			break
		}
		switch v := token.(type) {
		case xml.StartElement:
			depth++
			if v.Name.Local != "tspan" {
				in = v.Name.Local
			}
		case xml.EndElement:
			depth--
			if v.Name.Local == "text" {
				s.visible += "|" // texts do not run into each other
			}
		case xml.CharData:
			switch in {
			case "text":
				s.visible += squeezed(string(v))
			case "desc":
				s.words += squeezed(string(v))
			}
		}
	}
	require.Zero(t, depth)
	return s
}

func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r < ' ', r == 0xFFFE, r == 0xFFFF: // which XML does not have
			return '\uFFFD'
		}
		return r
	}, s)
}

// arbitrary is a lifecycle as no spec of ours has it.
func arbitrary(r *rand.Rand) *Lifecycle {
	words := []string{
		"prepare", "started", "a", "<b>&\"'", "]]>", "--", "migrate/begin", "Überprüfung", "名前", "🦊", "x\x01y", "{{.}}", "javascript:",
		strings.Repeat("long", 30), strings.Repeat("W", 50), "the guest", "is refused, and more", "\u202eright", "${x}",
	}
	text := func() string {
		var s []string
		for range 1 + r.IntN(6) {
			s = append(s, words[r.IntN(len(words))])
		}
		return strings.Join(s, " ")
	}
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	name := func() string { return one("prepare", "start", "stopped", words[r.IntN(len(words))]) }
	driver := func() string {
		return one("qemu", "qemu", "qemu", "network", "daemon", "<own> driver of a long name & more")
	}
	link := func() Link { return Link{Text: name(), Driver: driver(), Anchor: one("", "a-b", "\"><script>")} }
	state := func() string { return one("", "off", "running", "saved", text()) }
	span := func() (v Range) {
		v.Since = spec.Version(one("", "", "9.0.0", "0.9.13"))
		v.Until = spec.Version(one("", "", "12.8.0"))
		return v
	}
	paths := make([][]Link, 3) // which outcomes share
	for i := range paths {
		for range r.IntN(5) {
			paths[i] = append(paths[i], link())
		}
	}
	outcome := func(effects ...string) Outcome {
		o := Outcome{Range: span(), Effect: one(effects...), Text: text(), To: state(), Calls: paths[r.IntN(len(paths))]}
		o.When = o.words()
		for range o.Calls {
			o.marks = append(o.marks, mark{each: r.IntN(2) == 0})
		}
		if n := len(o.Calls); n > 0 && r.IntN(2) == 0 {
			o.Extra = name()
			o.marks[r.IntN(n)].extra = true
		}
		if n := len(o.Calls); n > 1 && r.IntN(3) == 0 {
			o.Calls, o.marks = o.Calls[:n-1:n-1], o.marks[:n-1]
			o.Extra = ""
		}
		return o
	}
	l := &Lifecycle{
		Anchor: "x", Driver: driver(), Summary: text(), From: state(), To: state(), Guests: one("", "", "reconnect", text()),
		Hosts: r.IntN(3) == 0,
	}
	steps := func(host string) {
		for range 1 + r.IntN(6) {
			s := Step{Host: host, Link: link(), Each: r.IntN(3) == 0, Filter: r.IntN(3) == 0, Range: span(), Extra: one("", "", "failed", text())}
			for range r.IntN(4) {
				s.Outcomes = append(s.Outcomes, outcome("refused", "killed", "forgotten", "lost", "ignored", "another"))
			}
			l.Steps = append(l.Steps, s)
		}
	}
	if l.Hosts {
		steps("destination")
		steps("source")
	} else {
		steps("")
	}
	if r.IntN(4) == 0 {
		o := outcome("failed")
		l.Ending = &o
	}
	return l
}

// What several stations lead to is drawn once, what is unlike is not.
func TestPicturesShareWhatFollows(t *testing.T) {
	all := lifecycles(t, "")
	shape := func(name string) (texts []string) {
		p := &drawing{l: all[name]}
		p.place()
		for _, q := range p.paths {
			var members, calls []string
			for _, m := range q.members {
				members = append(members, m.name)
			}
			for _, c := range q.calls {
				calls = append(calls, strings.TrimSuffix(c.Text+" "+q.only(c), " "))
			}
			texts = append(texts, fmt.Sprintf("%s %s: %s", q.effect, strings.Join(members, ", "), strings.Join(append(calls, q.to), ", ")))
		}
		return texts
	}
	const deleted = "network/port-deleted not after a failure in prepare"
	assert.Equal(t, []string{"refused prepare, network/port-created, start, started: stopped, " + deleted + ", release, off"}, shape("qemu-start"))
	assert.Equal(t, []string{"refused prepare, network/port-created, start, libvirt itself fails: stopped, " + deleted + ", release, off"}, shape("qemu-start-fails"))
	assert.Equal(t, []string{"refused prepare, network/port-created, start, started: stopped, " + deleted + ", release, saved"}, shape("qemu-restore"))
	assert.Equal(t, []string{"refused prepare, network/port-created, start, started: stopped, " + deleted + ", release, running"}, shape("qemu-migrate"))
	assert.Equal(t, []string{"refused network/port-created, start, started: stopped not after a failure in network/port-created, network/port-deleted, release not after a failure in network/port-created, off"}, shape("libxl-start"))
	assert.Equal(t, []string{"refused start, started: stopped, off"}, shape("network-net-start"))
	assert.Equal(t, []string{"killed reconnect: stopped, network/port-deleted, release, off"}, shape("qemu-reconnect"))
	assert.Equal(t, []string{"refused network/port-created, start: network/port-deleted, off", "refused started: network/port-deleted, running"}, shape("bhyve-start"))
	assert.Empty(t, shape("qemu-shutdown"))

	// Whichever comes first.
	backwards := *all["qemu-start"]
	backwards.Steps = slices.Clone(backwards.Steps)
	slices.Reverse(backwards.Steps)
	all["backwards"] = &backwards
	assert.Equal(t, []string{"refused started, start, network/port-created, prepare: stopped, network/port-deleted not after a failure in prepare, release, off"}, shape("backwards"))

	// The calls are the same, what it comes to is not.
	mixed := *all["qemu-start"]
	mixed.Steps = slices.Clone(mixed.Steps)
	mixed.Steps[3].Outcomes = slices.Clone(mixed.Steps[3].Outcomes)
	mixed.Steps[3].Outcomes[0].Effect = spec.EffectKilled
	all["mixed"] = &mixed
	assert.Len(t, shape("mixed"), 2)

	// As drawn: four branches lead to one release.
	svg := string(picture(all["qemu-start"]))
	assert.Equal(t, 1, strings.Count(svg, ">release<"))
	assert.Equal(t, 4, strings.Count(svg, ">if it fails: the start is refused<"))
	assert.Equal(t, 4, len(regexp.MustCompile(`<path d="M[\d.]+ [\d.]+H[\d.]+Q[^"]*" stroke-width="2"`).FindAllString(svg, -1)))
	// Where nothing is called, the state stands beside each.
	assert.Equal(t, 1+2+1, strings.Count(string(picture(all["qemu-restore"])), ">saved<"), "at the start, beside restore twice, at the rail's end")
}

// What holds of some versions only can be hidden by a page.
func TestPicturesMarkVersions(t *testing.T) {
	all := lifecycles(t, "")
	restore := string(inlinePicture(all["qemu-restore"], nil))
	lost := regexp.MustCompile(`(?s)<g data-since="11\.3\.0" data-until="12\.8\.0">.*?</g>`).FindString(restore)
	assert.Contains(t, lost, "the saved state can be lost")
	assert.Contains(t, lost, ">off<")
	assert.NotContains(t, lost, "refused")
	assert.Regexp(t, `class="when">from libvirt 11\.3\.0 to before 12\.8\.0<`, lost)
	assert.Regexp(t, `(?s)<g data-since="1\.2\.9">\n[^\n]*\n?[^\n]*>restore<`, restore)
	assert.Regexp(t, `(?s)<g data-since="10\.5\.0">\n[^\n]*>reason: failed<`, restore)

	net := string(inlinePicture(all["network-net-start"], nil))
	assert.Regexp(t, `(?s)<g data-since="11\.3\.0">[^<]*(<g data-since="1\.2\.2">[^<]*)?<path [^>]*stroke-dasharray`, net)

	for _, l := range lifecycles(t, "11.3.0") {
		assert.NotRegexp(t, "data-(since|until)", string(inlinePicture(l, nil)), l.Anchor)
	}
}

func TestPicturesLinkOperations(t *testing.T) {
	l := lifecycles(t, "")["qemu-start"]
	svg := string(inlinePicture(l, func(to Link) string { return "#" + to.Anchor }))
	for _, s := range l.Steps {
		assert.Contains(t, svg, `<a href="#`+s.Anchor+`"><text `)
		for _, o := range s.Outcomes {
			for _, c := range o.Calls {
				assert.Contains(t, svg, `<a href="#`+c.Anchor+`"><text `)
			}
		}
	}
	assert.NotContains(t, string(inlinePicture(l, func(Link) string { return "" })), "<a ")
	assert.NotContains(t, string(picture(l)), "<a ")
	hostile := string(inlinePicture(l, func(Link) string { return `"><script>` }))
	assert.NotContains(t, hostile, "<script")
}

// Text can be read on what it stands on, in the light and in the dark: 4.5 to 1.
func TestPictureContrast(t *testing.T) {
	for i, scheme := range []string{"light", "dark"} {
		for _, role := range []string{"text", "quiet", "link", "fine", "marked", "bad", "killed", "forgotten", "lost"} {
			assert.GreaterOrEqual(t, contrast(colours[role][i], colours["card"][i]), 4.5, "%s %s", scheme, role)
		}
		for role, ground := range map[string]string{"fine": "fine-wash", "marked": "marked-wash", "quiet": "sunk"} {
			assert.GreaterOrEqual(t, contrast(colours[role][i], colours[ground][i]), 4.5, "%s %s", scheme, ground)
		}
	}
}

func contrast(a, b string) float64 {
	luminance := func(c string) float64 {
		n, _ := strconv.ParseUint(c[1:], 16, 32)
		part := func(shift int) float64 {
			v := float64(n>>shift&0xff) / 255
			if v <= .04045 {
				return v / 12.92
			}
			return math.Pow((v+.055)/1.055, 2.4)
		}
		return .2126*part(16) + .7152*part(8) + .0722*part(0)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}
