package docs

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// Links lead to a file that is there, and in it to a heading.
func TestMarkdownLinks(t *testing.T) {
	for _, libvirt := range []spec.Version{"", "12.8.0", "5.0.0", "0.8.0"} {
		files := rendered(t, "md", builtin(t), options(libvirt))
		slugs := map[string]bool{}
		for name, page := range files {
			for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(page), -1) {
				heading := regexp.MustCompile(`\]\([^)]*\)|\\`).ReplaceAllString(m[1], "")
				s := name + "#" + slug(heading)
				assert.False(t, slugs[s], "%s is there twice", s)
				slugs[s] = true
			}
		}
		for name, page := range files {
			if path.Ext(name) != ".md" {
				continue
			}
			links := regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(string(page), -1)
			for _, m := range links {
				file, anchor, _ := strings.Cut(m[1], "#")
				if file == "" {
					file = name
				}
				assert.Contains(t, files, file, "%s: %s", name, m[1])
				assert.True(t, anchor == "" || slugs[file+"#"+anchor], "%s %s: %s", libvirt, name, m[1])
			}
		}
	}
}

// What a spec of one's own says shows as it is.
func TestMarkdownEscapes(t *testing.T) {
	for text, want := range map[string]string{
		"a plain text, with (all) that is usual: x-y, 9.0.0!": "a plain text, with (all) that is usual: x-y, 9.0.0!",
		"a snake_case word, and __this__":                     `a snake_case word, and \_\_this\_\_`,
		"<b> & *stars* `ticks` [link](x)":                     "&lt;b> &amp; \\*stars\\* \\`ticks\\` \\[link\\](x)",
		`back\slash`:                                          `back\\slash`,
		"# no heading":                                        `\# no heading`,
		"- no item":                                           `\- no item`,
		"12. no item":                                         `12\. no item`,
	} {
		assert.Equal(t, want, escapeMarkdown(text))
	}
	assert.Equal(t, "`a`", codeSpan("a"))
	assert.Equal(t, "``` a``b ```", codeSpan("a``b"))
	assert.Equal(t, "````go\na```b\n````", fence("go", "a```b\n"))

	long := strings.Repeat("word ", 18) + "between - 1. # and the end"
	for _, l := range strings.Split(wrap(long), "\n") {
		assert.NotRegexp(t, bullet, l)
	}

	s := builtin(t)
	o := s.Driver("qemu").Find("prepare")[0]
	o.Summary, o.Failure[0].Doc = "a | in a <cell>", "an *okapi*"
	page := string(rendered(t, "md", s, options(""))["qemu.md"])
	assert.Contains(t, page, `| a \| in a &lt;cell> |`)
	assert.Contains(t, page, `an \*okapi\*`)
}

// Nothing is twice apart, and fenced blocks stay as they are.
func TestTidy(t *testing.T) {
	assert.Equal(t, "a\n\nb\n\n```go\n\n\n  x\n```\nc\n", string(tidy([]byte("\n\na\n \n\n\nb\n\n```go\n\n\n  x\n```\nc\n\n"))))
	for name, page := range rendered(t, "md", builtin(t), options("")) {
		assert.NotContains(t, string(page), "<no value>", name)
		assert.NotContains(t, string(page), "%!", name)
		line, _, _ := strings.Cut(string(page), "\n")
		require.Contains(t, line, generated, name)
	}
}
