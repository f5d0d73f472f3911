package docs

import (
	stdhtml "html"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
				for _, text := range sortedKeys(want) {
					if found := strings.Count(all, fold(text)); found < want[text] {
						t.Errorf("%d of %d times there: %s", found, want[text], text)
					}
				}
			})
		}
	}
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
	for _, name := range sortedKeys(files) {
		text := string(files[name])
		switch {
		case path.Ext(name) == ".svg" || format == "html":
			text = regexp.MustCompile(`(?s)<(script|style)\b.*?</(script|style)>|<[^>]*>`).ReplaceAllString(text, "")
			text = stdhtml.UnescapeString(text)
		case format == "md":
			text = stdhtml.UnescapeString(strings.ReplaceAll(text, `\`, ""))
			text = regexp.MustCompile(`\]\([^)]*\)|\n  - `).ReplaceAllString(text, "")
		case format == "man":
			text = plainRoff(text)
		}
		all.WriteString(fold(text) + "\n")
	}
	return all.String()
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

// plainRoff undoes roff's escapes and takes macros away, but for their operands.
func plainRoff(s string) string {
	s = regexp.MustCompile(`(?m)^['.]\\".*$`).ReplaceAllString(s, "")
	s = regexp.MustCompile(`(?m)^['.][A-Za-z]+\b`).ReplaceAllString(s, "")
	return regexp.MustCompile(`\\(f(?:.|\(..|\[[^]]*\])|\(..|\[[^]]*\]|.)`).ReplaceAllString(s, "")
}
