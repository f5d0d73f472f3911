package docs

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	htmlparser "golang.org/x/net/html"

	"github.com/virthook/virthook/spec"
)

// webpage is the HTML of a spec, parsed as browsers do.
func webpage(t *testing.T, s *spec.Spec, o Options) (*htmlparser.Node, string) {
	t.Helper()
	files := rendered(t, "html", s, o)
	require.Len(t, files, 1)
	return parsed(t, files["index.html"]), string(files["index.html"])
}

func parsed(t *testing.T, page []byte) *htmlparser.Node {
	t.Helper()
	root, err := htmlparser.Parse(bytes.NewReader(page))
	require.NoError(t, err)
	return root
}

func attribute(n *htmlparser.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// find returns the first element with the id.
func find(root *htmlparser.Node, id string) *htmlparser.Node {
	for n := range root.Descendants() {
		if attribute(n, "id") == id {
			return n
		}
	}
	return nil
}

// textOf is what an element says.
func textOf(n *htmlparser.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == htmlparser.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestHTMLIsSound(t *testing.T) {
	for name, tt := range map[string]struct {
		spec    *spec.Spec
		libvirt spec.Version
	}{
		"all versions": {builtin(t), ""},
		"one version":  {builtin(t), "1.2.2"},
		"hostile":      {oddSpec("<b>\"' `x` \\ {{.}} </script> &amp; ü ]]> javascript:alert(1) #"), ""},
		"colliding":    {collidingSpec(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			root, page := webpage(t, tt.spec, options(tt.libvirt))
			assert.True(t, strings.HasPrefix(page, "<!DOCTYPE html><!-- "+generated+" -->\n"))
			assert.NotContains(t, page, "ZgotmplZ")
			ids := map[string]int{}
			var level int
			for n := range root.Descendants() {
				if n.Type != htmlparser.ElementNode {
					continue
				}
				if id := attribute(n, "id"); id != "" {
					ids[id]++
					assert.NotContains(t, id, " ")
				}
				if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
					now := int(n.Data[1] - '0')
					assert.LessOrEqual(t, now, level+1, "%s: %s", n.Data, textOf(n))
					level = now
				}
			}
			for id, n := range ids {
				assert.Equal(t, 1, n, "id %q", id)
			}
			for n := range root.Descendants() {
				for _, a := range n.Attr {
					switch {
					case strings.HasPrefix(a.Key, "on"):
						t.Errorf("%s has %s", n.Data, a.Key)
					case a.Key == "src" || a.Key == "srcset" || a.Key == "action" || a.Key == "data":
						t.Errorf("%s fetches %s", n.Data, a.Val)
					case a.Key == "aria-labelledby" || a.Key == "aria-controls" || a.Key == "aria-describedby" || a.Key == "for":
						for _, id := range strings.Fields(a.Val) {
							assert.Equal(t, 1, ids[id], "%s of %s: %q", a.Key, n.Data, id)
						}
					case a.Key != "href":
					case strings.HasPrefix(a.Val, "#"):
						assert.Equal(t, 1, ids[a.Val[1:]], "link to %q", a.Val)
					case n.Data == "link":
						assert.Equal(t, "data:,", a.Val)
					default:
						assert.True(t, strings.HasPrefix(a.Val, libvirtSource), a.Val)
					}
				}
			}
			for _, d := range New(tt.spec, options(tt.libvirt)).Drivers {
				assert.Equal(t, 1, ids["hooks."+d.Name])
				for _, o := range d.Operations {
					assert.GreaterOrEqual(t, ids[o.Anchor], 1, o.ID)
				}
			}
		})
	}
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	root, page := webpage(t, builtin(t), options(""))
	assert.Less(t, len(page), 1<<20)
	var policy string
	for n := range root.Descendants() {
		if n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
	}
	assert.Contains(t, policy, "default-src 'none'")
	assert.NotRegexp(t, `@import|fetch\(|XMLHttpRequest|innerHTML`, page)
	for _, url := range regexp.MustCompile(`url\(.{6}`).FindAllString(page, -1) {
		assert.Equal(t, `url("data:`, url)
	}
}

// Text of a spec stays text: it makes no element and no attribute.
func TestHTMLEscapes(t *testing.T) {
	const hostile = "<b>\"' `x` \\ {{.}} </script> &amp; ü ]]> javascript:alert(1) #"
	shape := func(text string) string {
		root, _ := webpage(t, oddSpec(text), options(""))
		var b strings.Builder
		for n := range root.Descendants() {
			if n.Type != htmlparser.ElementNode {
				continue
			}
			if n.Data == "svg" {
				n.FirstChild = nil // its lines depend on the words
			}
			fmt.Fprintf(&b, "%s", n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&b, " %s", a.Key)
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	assert.Equal(t, shape("harmless"), shape(hostile))
	root, _ := webpage(t, oddSpec(hostile), options(""))
	assert.GreaterOrEqual(t, strings.Count(textOf(root), hostile), 15)
}

func TestHTMLVersions(t *testing.T) {
	root, page := webpage(t, builtin(t), options(""))
	restore := find(root, "qemu-restore-begin")
	assert.Equal(t, "1.2.9", attribute(restore, "data-since"))
	assert.Contains(t, page, `<li data-since="1.2.9"><a href="#qemu-restore-begin">`)
	assert.Contains(t, page, `<tr data-since="1.2.9"><th scope="row"><a href="#qemu-restore-begin">`)
	assert.Contains(t, page, `<span data-since="6.0.0">port-created</span><span data-former hidden data-until="6.0.0">plugged</span>`)
	assert.Contains(t, page, `<option>9.0.0</option>`)
	assert.Regexp(t, `<div class="value" data-since="10.5.0"><code>hooks/qemu GUEST release end REASON</code> <span class="when">from libvirt 10.5.0 on</span>`, page)

	root, page = webpage(t, builtin(t), options("1.2.2"))
	assert.Nil(t, find(root, "qemu-restore-begin"))
	assert.Nil(t, find(root, "_libvirt"))
	body := regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`).ReplaceAllString(page, "")
	assert.Empty(t, regexp.MustCompile(`<[^>]*(data-since|data-until|data-former|class="when").*`).FindString(body))
	assert.Regexp(t, `libvirt 1.2.2: \d+ operations`, textOf(find(root, "_search").Parent))
	assert.Contains(t, textOf(find(root, "network-plugged-begin")), "network/plugged/begin")
	assert.Contains(t, body, `<td class="num">0.9.0</td>`, "since when is said in a reference of one version, too")
}

func TestHTMLSamples(t *testing.T) {
	r := New(builtin(t), options(""))
	root, _ := webpage(t, builtin(t), options(""))
	for _, d := range r.Drivers {
		for _, o := range d.Operations {
			require.NotNil(t, o.Sample, o.ID)
			text := textOf(find(root, o.Anchor))
			assert.Contains(t, text, strings.TrimRight(o.Sample.XML, "\n"), o.ID)
			assert.Contains(t, text, strings.Join(o.Sample.Argv, " "), o.ID)
			assert.Contains(t, text, strings.TrimRight(o.Example.Code, "\n"), o.ID)
		}
	}
}

// What a picture shows is there in words, too.
func TestHTMLLifecyclesInWords(t *testing.T) {
	r := New(builtin(t), options(""))
	root, _ := webpage(t, builtin(t), options(""))
	for _, d := range r.Drivers {
		for _, l := range d.Lifecycles {
			article := find(root, l.Anchor)
			var words, picture string
			for n := range article.Descendants() {
				switch {
				case attribute(n, "class") == "words":
					words = textOf(n)
				case n.Data == "svg":
					picture = textOf(n)
				}
			}
			assert.NotEmpty(t, picture, l.Anchor)
			for _, s := range l.Steps {
				assert.Contains(t, words, s.Text, l.Anchor)
				assert.Contains(t, words, s.Extra, l.Anchor)
				for _, o := range s.Outcomes {
					assert.Contains(t, words, o.Text, l.Anchor)
					assert.Contains(t, words, o.When, l.Anchor)
				}
			}
			if l.Ending != nil {
				assert.Contains(t, words, l.Ending.Text, l.Anchor)
			}
		}
	}
}

func TestPieces(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []htmlPiece
	}{
		{"seen on 9.0.0", []htmlPiece{{Text: "seen on 9.0.0"}}},
		{"read in src/qemu/qemu_process.c; shown by TestX", []htmlPiece{
			{Text: "read in "}, {"src/qemu/qemu_process.c", libvirtSource + "src/qemu/qemu_process.c"}, {Text: "; shown by TestX"},
		}},
		{"docs/hooks.rst and src/a.c.", []htmlPiece{
			{}, {"docs/hooks.rst", libvirtSource + "docs/hooks.rst"}, {Text: " and "}, {"src/a.c", libvirtSource + "src/a.c"}, {Text: "."},
		}},
		{"src/../../evil.c", []htmlPiece{{Text: "src/../../evil.c"}}},
	} {
		assert.Equal(t, tt.want, pieces(tt.text), tt.text)
	}
}

// oddSpec says the text wherever a spec may say any, and has what a spec may lack.
func oddSpec(text string) *spec.Spec {
	d := &spec.Driver{Name: "odd", Object: "guest", Summary: text, Doc: text + "\n\n  " + text}
	verified := spec.Verified{Seen: spec.Versions{"9.0.0"}, Source: spec.Strings{text}}
	for _, o := range []*spec.Op{
		{
			Op: "begin", SubOp: "begin", Since: "1.0.0", Until: "7.0.0", Output: "filter",
			Replaces: []spec.Former{{Op: text, Until: "2.0.0", Doc: text}, {Op: "older", Until: "1.5.0", Doc: text}},
			Extra:    &spec.Extra{Const: text, Since: "3.0.0"},
		},
		{Op: "end", SubOp: "-", Since: "2.0.0", After: []string{"begin", "other/" + text}},
	} {
		o.Driver, o.Host, o.Summary, o.Doc, o.Verified = d, "any", text, text, verified
		o.Input = spec.Inputs{{Kind: spec.InputDomain}}
		o.Failure = []spec.Failure{{Effect: spec.EffectRefused, Doc: text, Since: "5.0.0"}, {Effect: spec.EffectIgnored, Doc: text}}
		o.Example = &spec.Example{Summary: text, Code: "// " + text + "\nreturn nil", Prints: text}
		d.Ops = append(d.Ops, o)
	}
	d.Lifecycles = []*spec.Lifecycle{{
		Action: "life", Summary: text, From: spec.StateOff, To: spec.StateRunning, Calls: []string{"begin", "end"}, Guests: text,
		Refused: []spec.Refusal{{Calls: []string{"end"}, Reason: text}}, Doc: text, Verified: verified,
	}}
	return &spec.Spec{
		Drivers: []*spec.Driver{d, {Name: "idle", Summary: text}},
		Enums:   []*spec.Enum{{Name: "why_not", Since: "1.0.0", Summary: text, Doc: text, Source: verified.Source, Values: []spec.Value{{Value: text, Summary: text}, {Value: text + "!", Summary: text}}}},
		Topics:  []*spec.Topic{{Name: "topic", Summary: text, Facts: []*spec.Fact{{Name: "fact", Summary: text, Doc: text, Since: "3.0.0", Verified: verified}}}},
	}
}

// collidingSpec has one anchor for four parts.
func collidingSpec() *spec.Spec {
	s := oddSpec("text")
	s.Drivers[0].Lifecycles[0].Action = "begin-begin"
	s.Enums[0].Name = "odd_begin_begin"
	s.Topics[0].Name = "odd-begin-begin"
	s.Topics[0].Facts[0].Name = "odd-end"
	return s
}
