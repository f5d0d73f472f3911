package docs

import (
	stdhtml "html"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	htmlparser "golang.org/x/net/html"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/spec"
)

const sdkPath = "github.com/virthook/virthook/sdk"

func builtin(t testing.TB) *spec.Spec {
	t.Helper()
	s, err := spec.Builtin()
	require.NoError(t, err)
	return s
}

// options are those of `virthook docs`.
func options(libvirt spec.Version) Options {
	return Options{Libvirt: libvirt, SDK: sdkPath, Sample: func(o *spec.Op) (Sample, bool) {
		c, ok := captures.Sample(o.Driver.Name, o.Op, o.SubOp)
		return Sample{
			Argv: []string{"hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra},
			XML:  string(c.XML), Libvirt: spec.Version(c.Version),
		}, ok
	}}
}

func rendered(t *testing.T, format string, s *spec.Spec, o Options) map[string][]byte {
	t.Helper()
	files, err := Render(format, s, o)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// Every operation, with all that is known of it, is in every format.
func TestEveryFormatSaysAll(t *testing.T) {
	s := builtin(t)
	for _, libvirt := range []spec.Version{"", "9.0.0", "5.0.0"} {
		r := New(s, options(libvirt))
		want := map[string]int{} // how often each is to be there
		for _, text := range texts(reflect.ValueOf(r), nil) {
			want[text]++
		}
		if libvirt == "" {
			require.Equal(t, 36, r.Count())
			require.Greater(t, len(want), 500)
		}
		for _, format := range Formats {
			t.Run(format+" "+string(libvirt), func(t *testing.T) {
				all := folded(format, rendered(t, format, s, options(libvirt)))
				for _, text := range slices.Sorted(maps.Keys(want)) {
					if found := strings.Count(all, fold(text)); found < want[text] {
						t.Errorf("%d of %d times there: %s", found, want[text], text)
					}
				}
			})
		}
	}
}

// What is known of an operation or a lifecycle is said where it is described, a field
// under its label, and beside a lifecycle is its own picture.
func TestEveryFormatSaysAllInItsPlace(t *testing.T) {
	s := builtin(t)
	for _, libvirt := range []spec.Version{"", "9.0.0", "5.0.0"} {
		r := New(s, options(libvirt))
		for _, format := range Formats {
			t.Run(format+" "+string(libvirt), func(t *testing.T) {
				files := rendered(t, format, s, options(libvirt))
				var root *htmlparser.Node
				if format == "html" {
					root = parsed(t, files["index.html"])
				}
				for _, d := range r.Drivers {
					for _, o := range d.Operations {
						part := operationPart(t, format, files, root, d, o)
						is := *o
						is.ID, is.Name, is.SubOp = "", "", "" // what the part was found by
						is.Effect = ""                        // one of its fields says it
						saysAll(t, o.ID, part, texts(reflect.ValueOf(is), nil))
						saysFields(t, o, part)
					}
					for _, l := range d.Lifecycles {
						is := *l
						is.Action = ""
						saysAll(t, l.Anchor, lifecyclePart(t, format, files, root, d, l), texts(reflect.ValueOf(is), nil))
					}
				}
			})
		}
	}
}

// saysAll says which texts a part has less often than there are.
func saysAll(t *testing.T, name, part string, all []string) {
	t.Helper()
	want := map[string]int{}
	for _, text := range all {
		want[text]++
	}
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if found := strings.Count(part, fold(text)); found < want[text] {
			t.Errorf("%s: %d of %d times there: %s", name, found, want[text], text)
		}
	}
}

// saysFields says which texts of fields do not come after the field's label. Labels come
// in order.
func saysFields(t *testing.T, o *Operation, part string) {
	t.Helper()
	for _, f := range o.Fields {
		_, after, found := strings.Cut(part, fold(f.Label))
		if !found {
			t.Errorf("%s: no %s, or not in its place", o.ID, f.Label)
			continue
		}
		part = after
		saysAll(t, o.ID+" "+f.Key, part, texts(reflect.ValueOf(f.Values), nil))
	}
}

// operationPart is what describes an operation.
func operationPart(t *testing.T, format string, files map[string][]byte, root *htmlparser.Node, d *Driver, o *Operation) string {
	t.Helper()
	switch format {
	case "md":
		return foldedText(format, headed(t, string(files[d.Name+".md"]), "### "+title(o), "## ", "### "))
	case "man":
		page := string(files["man/man7/virthook-hooks.7"])
		about := headed(t, page, ".SS "+roffArg(o.ID), ".SH ", ".SS ")
		_, samples, found := strings.Cut(page, "\n.SH SAMPLES\n")
		require.True(t, found)
		return foldedText(format, about) + "\n" + foldedText(format, headed(t, samples, ".SS "+roffArg(o.ID), ".SH ", ".SS "))
	}
	part := find(root, o.Anchor)
	require.NotNil(t, part, o.ID)
	return fold(textOf(part))
}

// lifecyclePart is what describes a lifecycle, with the picture that it shows.
func lifecyclePart(t *testing.T, format string, files map[string][]byte, root *htmlparser.Node, d *Driver, l *Lifecycle) string {
	t.Helper()
	title := l.Driver + ": " + l.Summary
	switch format {
	case "md":
		part := headed(t, string(files[d.Name+".md"]), "### "+escapeMarkdown(l.Action)+": "+escapeMarkdown(l.Summary), "## ", "### ")
		shown := regexp.MustCompile(`(?m)^!\[.*\]\((.*)\)$`).FindAllStringSubmatch(part, -1)
		require.Len(t, shown, 1, l.Anchor)
		svg := string(files[shown[0][1]])
		named := regexp.MustCompile(`<title [^>]*>(.*?)</title>`).FindStringSubmatch(svg)
		require.NotNil(t, named, l.Anchor)
		assert.Equal(t, title, stdhtml.UnescapeString(named[1]), "the picture of %s", l.Anchor)
		return fold(l.Driver+l.Summary) + "\n" + foldedText(format, part) + "\n" + foldedText("html", svg)
	case "man":
		return foldedText(format, headed(t, string(files["man/man7/virthook-hooks.7"]), ".SS "+roffArg(l.Driver+" "+l.Action), ".SH ", ".SS "))
	}
	part := find(root, l.Anchor)
	require.NotNil(t, part, l.Anchor)
	var pictures []string
	for n := range part.Descendants() {
		if n.Data == "svg" {
			pictures = append(pictures, attribute(n, "aria-label"))
		}
	}
	assert.Equal(t, []string{title}, pictures, "the pictures of %s", l.Anchor)
	return fold(textOf(part))
}

// headed is the part of a page below the heading, which is there once, up to the next.
func headed(t *testing.T, page, heading string, next ...string) string {
	t.Helper()
	var part strings.Builder
	found, in := 0, false
	for l := range strings.Lines(page) {
		switch {
		case strings.TrimSuffix(l, "\n") == heading:
			found++
			in = found == 1
		case slices.ContainsFunc(next, func(n string) bool { return strings.HasPrefix(l, n) }):
			in = false
		case in:
			part.WriteString(l)
		}
	}
	require.NotZero(t, found, "no heading %s", heading)
	return part.String()
}

// Each operation has every field that the issue of documentation asks for.
func TestEveryOperationHasAllFields(t *testing.T) {
	for _, d := range New(builtin(t), options("")).Drivers {
		for _, o := range d.Operations {
			var keys []string
			for _, f := range o.Fields {
				keys = append(keys, f.Key)
			}
			assert.Subset(t, keys, []string{"handler", "called", "since", "host", "input", "output", "failure", "fault", "verified"}, o.ID)
			assert.NotEmpty(t, o.Summary, o.ID)
			assert.NotEmpty(t, o.Doc, o.ID)
			assert.NotEmpty(t, o.Example.Summary, o.ID)
			assert.NotEmpty(t, o.Example.Prints, o.ID)
			if assert.NotNil(t, o.Sample, o.ID) {
				assert.Equal(t, d.Name == "daemon", o.Sample.XML == "", o.ID)
			}
			if o.Name != "attach" && o.ID != "network/updated/begin" && o.ID != "daemon/reload/begin" { // which stand alone
				assert.NotEmpty(t, append(o.field("before"), o.field("next")...), o.ID)
			}
		}
	}
}

// texts are all strings of a value that people are to read.
func texts(v reflect.Value, found []string) []string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return texts(v.Elem(), found)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]Step]() {
			// A picture may draw once what several steps share.
			var of []string
			for i := range v.Len() {
				of = texts(v.Index(i), of)
			}
			slices.Sort(of)
			return append(found, slices.Compact(of)...)
		}
		for i := range v.Len() {
			found = texts(v.Index(i), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch f.Name {
			case "Anchor", "Key", "Driver", "SDK", "Package", "Versions": // names for programs
				continue
			case "Range": // said in words, or by a column
				continue
			case "Effect": // of a step it is a shape in the picture, with Text beside it
				if v.Type() == reflect.TypeFor[Outcome]() {
					continue
				}
			}
			found = texts(v.Field(i), found)
		}
	case reflect.String:
		if v.String() != "" {
			found = append(found, v.String())
		}
	}
	return found
}

// folded is the content of files as readers see it, as [fold] leaves it.
func folded(format string, files map[string][]byte) string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		as := format
		if path.Ext(name) == ".svg" {
			as = "html"
		}
		all.WriteString(foldedText(as, string(files[name])) + "\n")
	}
	return all.String()
}

var (
	markup        = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`)
	markdownLinks = regexp.MustCompile(`\]\([^)]*\)|\n  - `)
)

// foldedText is a part of a file as readers see it, as [fold] leaves it.
func foldedText(format, text string) string {
	switch format {
	case "html":
		text = stdhtml.UnescapeString(markup.ReplaceAllString(text, ""))
	case "md":
		text = stdhtml.UnescapeString(strings.ReplaceAll(text, `\`, ""))
		text = markdownLinks.ReplaceAllString(text, "")
	case "man":
		text = unroff(text)
	}
	return fold(text)
}

// fold leaves what no layout changes: letters and digits.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
