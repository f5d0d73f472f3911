package docs

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// hostile is text that roff would take for requests, escapes and strings.
const hostile = `.SH ruin 'tis \fB\n(.g \*[x] "quoted" .. -- <b> ` + "`id`" + ` ^~ naïve 日本 😀 … e.g. x\`

func hookPage(t *testing.T, s *spec.Spec, o Options) string {
	t.Helper()
	files, err := Render("man", s, o)
	require.NoError(t, err)
	require.Len(t, files, 1)
	page := string(files["man/man7/virthook-hooks.7"])
	checkRoff(t, page)
	return page
}

// macros are those that pages use.
var macros = regexp.MustCompile(`^\.(\\".*|(TH|SH|SS|TP|RS|RE|PP|PD|EX|EE|nf|fi|nh|ad|nr|br|B|I|BR)( .*)?)$`)

// escapes are those that pages use.
var escapes = regexp.MustCompile(`^\\([&:c-]|\((aq|dq|ga|ha|ti|rs)|\[u[0-9A-F]{4,6}\]|f[BIR])`)

// checkRoff says whether each line is text or a macro that we mean, and nothing else.
func checkRoff(t *testing.T, page string) {
	t.Helper()
	first, _, _ := strings.Cut(page, "\n")
	assert.Equal(t, `.\" `+generated, first)
	for i, l := range strings.Split(strings.TrimSuffix(page, "\n"), "\n") {
		assert.NotEmpty(t, l, "line %d", i+1)
		assert.Equal(t, strings.TrimRight(l, " \t"), l, "line %d", i+1)
		if strings.HasPrefix(l, ".") {
			assert.Regexp(t, macros, l, "line %d", i+1)
		}
		assert.NotRegexp(t, `^'`, l, "line %d", i+1)
		assert.NotRegexp(t, `[^ -~]`, l, "line %d", i+1)
		if strings.HasPrefix(l, `.\"`) {
			continue
		}
		for at := strings.Index(l, `\`); at >= 0; at = strings.Index(l, `\`) {
			l = l[at:]
			assert.Regexp(t, escapes, l, "line %d", i+1)
			l = l[1:]
		}
	}
}

var unicodeEscape = regexp.MustCompile(`\\\[u([0-9A-F]+)\]`)

// unroff is what a page says: its text and the operands of its macros, with each run of
// blanks as one.
func unroff(page string) string {
	var b strings.Builder
	plain := strings.NewReplacer(`\&`, "", `\:`, "", `\-`, "-", `\(aq`, "'", `\(dq`, `"`, `\(ga`, "`", `\(ha`, "^", `\(ti`, "~", `\(rs`, `\`,
		`\fB`, "", `\fI`, "", `\fR`, "")
	for l := range strings.Lines(strings.ReplaceAll(page, "\\c\n", "")) {
		if strings.HasPrefix(l, `.\"`) {
			continue
		}
		if macro, operands, _ := strings.Cut(l, " "); strings.HasPrefix(l, ".") {
			l = "\n"
			if strings.Contains(".SH .SS .B .BR .I", strings.TrimSpace(macro)) {
				l = strings.ReplaceAll(operands, `"`, "")
			}
		}
		l = unicodeEscape.ReplaceAllStringFunc(l, func(e string) string {
			n, _ := strconv.ParseInt(e[3:len(e)-1], 16, 32)
			return string(rune(n))
		})
		b.WriteString(plain.Replace(l))
	}
	return spaced(b.String())
}

func spaced(s string) string { return strings.Join(strings.Fields(s), " ") }

// Every operation with its fields, every fact and every lifecycle is there word for word.
func TestManPageSaysAll(t *testing.T) {
	for _, libvirt := range []spec.Version{"", "9.0.0", "1.0.0"} {
		t.Run(string(libvirt), func(t *testing.T) {
			s, o := builtin(t), options(libvirt)
			r := New(s, o)
			said := unroff(hookPage(t, s, o))
			says := func(texts ...string) {
				t.Helper()
				for _, text := range texts {
					// A capital may begin it, and a full stop end it.
					if !strings.Contains(said, spaced(text)) && !strings.Contains(said, r.sentence(spaced(text))) {
						t.Errorf("not there: %s", text)
					}
				}
			}
			blocks := func(bs []Block) {
				t.Helper()
				for _, b := range bs {
					says(b.Text)
				}
			}
			for _, topic := range r.Topics {
				says(topic.Summary)
				for _, f := range topic.Facts {
					says(f.Summary, f.When, f.Verified)
					blocks(f.Doc)
				}
			}
			for _, e := range r.Enums {
				says(e.Name, e.Summary, e.Source)
				blocks(e.Doc)
				for _, v := range e.Values {
					says(v.Value + " " + v.Summary)
				}
			}
			for _, d := range r.Drivers {
				says(d.Summary)
				blocks(d.Doc)
				for _, l := range d.Lifecycles {
					says(l.Driver+" "+l.Action, l.Summary, l.Verified)
					blocks(l.Doc)
					for _, s := range l.Steps {
						for _, o := range s.Outcomes {
							says(failureWords(o))
						}
					}
				}
				for _, o := range d.Operations {
					says(o.ID, o.Summary, o.Example.Summary, o.Example.Code, o.Example.Prints)
					blocks(o.Doc)
					for _, f := range o.Fields {
						for i, v := range f.Values {
							label := ""
							if i == 0 {
								label = f.Label + " "
							}
							if v.When != "" {
								label += v.When + ": "
							}
							if v.Effect != "" {
								label += v.Effect + ": it "
							}
							says(label+v.Text, v.Doc)
							if len(v.Links) > 0 {
								says(label + linkWords(v.Links))
							}
						}
					}
					if assert.NotNil(t, o.Sample, o.ID) {
						says(strings.Join(o.Sample.Argv, " ") + " " + o.Sample.XML)
					}
				}
			}
		})
	}
}

// Whatever a spec of one's own says, it is text.
func TestManPageOfAnySpec(t *testing.T) {
	s := builtin(t)
	long := strings.Repeat("x", 500) + "/" + strings.Repeat("é", 100)
	for _, d := range s.Drivers {
		d.Summary, d.Doc = hostile, hostile+"\n\n  "+hostile+"\n\n  \t.literal\n  'too \n\n"+long+"\n"
		for _, o := range d.Ops {
			o.Summary, o.Doc = hostile, "'"+hostile+" "+long
			o.Verified.Source = spec.Strings{hostile}
			o.Failure[0].Doc = "." + hostile
			o.Example = &spec.Example{Summary: hostile, Code: "// " + hostile + "\nreturn nil", Prints: hostile + "\n\n.x\n"}
		}
	}
	s.Drivers[0].Lifecycles = nil
	for _, e := range s.Enums {
		e.Values[0] = spec.Value{Value: hostile, Summary: hostile}
	}
	s.Topics = nil
	o := options("")
	o.Sample = func(*spec.Op) (Sample, bool) {
		return Sample{Argv: []string{hostile, ""}, XML: "\n\n.x\n'y\n \n\\\n\x1b[31m\r\n"}, true
	}
	page := hookPage(t, s, o)
	said := unroff(page)
	assert.GreaterOrEqual(t, strings.Count(said, spaced(hostile)), 36*6)
	assert.True(t, strings.Contains(said, long))
	assert.True(t, strings.Contains(said, "\uFFFD[31m"))
	assert.False(t, strings.Contains(said, "HOW LIBVIRT CALLS HOOKS"))

	if groff, err := exec.LookPath("groff"); err == nil { // make man-lint is where it has to be
		cmd := exec.Command(groff, "-ww", "-man", "-Tutf8", "-P-cbou")
		cmd.Stdin = strings.NewReader(page)
		var out, warnings strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &warnings
		require.NoError(t, cmd.Run())
		assert.Empty(t, warnings.String())
		assert.True(t, strings.Contains(out.String(), "naïve 日本 😀 …"))
	}
}

func TestManPageOfNothing(t *testing.T) {
	assert.Contains(t, unroff(hookPage(t, &spec.Spec{}, Options{SDK: sdkPath})), "SEE ALSO")
}

func TestRoffText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"request", ".SH x", `\&.SH x`},
		{"apostrophe", "'tis", `\(aqtis`},
		{"escape", `\fB`, `\(rsfB`},
		{"option", "--xml", `\-\-xml`},
		{"folded", " a\n  b\t", "a b"},
		{"nothing", "", `\&`},
		{"sentence at an end", strings.Repeat("a ", 37) + "b. c", strings.Repeat("a ", 37) + "b.\\&\nc"},
		{"request at a beginning", strings.Repeat("a ", 38) + ".b", strings.TrimSpace(strings.Repeat("a ", 38)) + "\n\\&.b"},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, roffText(tt.text)) })
	}
	assert.Equal(t, "a\n\\&\n    b\n\\&.c\nd \\&", roffLines("a\n\n\tb\n.c\nd \n\n"))
	assert.Equal(t, `"a \(dqb\(dq"`, roffArg(`a "b"`))
}
