package layout_test

import (
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// No link of a page of ours is dead, to files, folders and headings. Those to other
// sites are not followed.
func TestLinks(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	l := linker{root, map[string][]string{}}
	checked := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case slices.Contains([]string{".md", ".html"}, filepath.Ext(path)) && d.Type().IsRegular():
			checked++
			problems, err := l.deadLinks(path)
			name, _ := filepath.Rel(root, path)
			for _, problem := range problems {
				t.Errorf("%s: %s", name, problem)
			}
			return err
		}
		return nil
	}))
	assert.Greater(t, checked, 10)
}

func TestLinksReport(t *testing.T) {
	root, err := filepath.Abs("testdata/links")
	require.NoError(t, err)
	l := linker{root, map[string][]string{}}
	for name, want := range map[string][]string{
		"good.md": nil,
		"bad.md": {
			"gone.md: there is no such file",
			"good.md#nowhere: there is no such anchor",
			"#here-2: there is no such anchor",
			"gone.svg: there is no such file",
			"../../layout_test.go: outside of the repository",
			"/good.md: not relative",
			"gone.html: there is no such file",
			"good.md#what: there is no such anchor",
		},
		"good.html": nil,
		"bad.html": {
			"id twice is there twice",
			"missing: no such id",
			"lost: no such id",
			"#gone: there is no such anchor",
			"gone.md: there is no such file",
			"good.html#nowhere: there is no such anchor",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := l.deadLinks(filepath.Join(root, name))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestSlug(t *testing.T) {
	for heading, want := range map[string]string{
		"What `--json` prints":                 "what---json-prints",
		"SELinux, AppArmor, fapolicyd":         "selinux-apparmor-fapolicyd",
		"virthook.yaml":                        "virthookyaml",
		"A [link](x.md#y) and **bold** _text_": "a-link-and-bold-text",
		"Why does it run?  Twice":              "why-does-it-run--twice",
		"max_memory_mib, naïve":                "max_memory_mib-naïve",
	} {
		assert.Equal(t, want, slug(heading), heading)
	}
}

// linker follows links in the repository.
type linker struct {
	root    string
	anchors map[string][]string // of files, once read
}

// deadLinks reports the links of a page that lead nowhere.
func (l linker) deadLinks(page string) (problems []string, err error) {
	content, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	var targets []string
	if filepath.Ext(page) == ".html" {
		targets, problems = htmlLinks(string(content))
	} else {
		targets = markdownLinks(string(content))
	}
	for _, target := range targets {
		if why := l.dead(page, target); why != "" {
			problems = append(problems, target+": "+why)
		}
	}
	return problems, nil
}

func (l linker) dead(page, target string) string {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme != "":
		return ""
	case u.Host != "" || strings.HasPrefix(u.Path, "/"):
		return "not relative"
	}
	file := page
	if u.Path != "" {
		file = filepath.Join(filepath.Dir(page), filepath.FromSlash(u.Path))
	}
	if !strings.HasPrefix(file+"/", l.root+"/") {
		return "outside of the repository"
	}
	info, err := os.Stat(file)
	if err != nil {
		return "there is no such file"
	}
	if u.Fragment == "" {
		return ""
	}
	if info.IsDir() {
		return "a folder has no anchors"
	}
	if _, known := l.anchors[file]; !known {
		content, err := os.ReadFile(file)
		if err != nil {
			return err.Error()
		}
		switch filepath.Ext(file) {
		case ".md":
			l.anchors[file] = markdownAnchors(string(content))
		case ".html", ".svg":
			l.anchors[file] = htmlIDs(string(content))
		}
	}
	if !slices.Contains(l.anchors[file], u.Fragment) {
		return "there is no such anchor"
	}
	return ""
}

var (
	fenced     = regexp.MustCompile("(?ms)^[ >]*```.*?^[ >]*```[ \t]*$")
	codeSpan   = regexp.MustCompile("``.+?``|`[^`\n]+`")
	inComments = regexp.MustCompile(`(?s)<!--.*?-->`)
	inline     = regexp.MustCompile(`\]\(\s*<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)`)
	definition = regexp.MustCompile(`(?m)^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)`)
	tag        = regexp.MustCompile(`<[a-zA-Z](?:[^<>"']|"[^"]*"|'[^']*')*>`)
	attribute  = regexp.MustCompile(`\s([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

// markdownLinks are the targets of all links and images of a page, in their kinds' order.
func markdownLinks(page string) (targets []string) {
	page = inComments.ReplaceAllString(fenced.ReplaceAllString(page, ""), "")
	page = codeSpan.ReplaceAllString(page, "code")
	for _, kind := range []*regexp.Regexp{inline, definition} {
		for _, m := range kind.FindAllStringSubmatch(page, -1) {
			targets = append(targets, m[1])
		}
	}
	more, _ := htmlLinks(page)
	return append(targets, more...)
}

// markdownAnchors are the headings of a page as a forge names them, and its own anchors.
func markdownAnchors(page string) (anchors []string) {
	page = inComments.ReplaceAllString(fenced.ReplaceAllString(page, ""), "")
	count := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`).FindAllStringSubmatch(page, -1) {
		s := slug(m[1])
		if count[s]++; count[s] > 1 {
			s = fmt.Sprintf("%s-%d", s, count[s]-1)
		}
		anchors = append(anchors, s)
	}
	return append(anchors, htmlIDs(page)...)
}

// slug is what GitHub makes of a heading.
func slug(heading string) string {
	heading = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(heading, "$1")
	heading = regexp.MustCompile(`\*+|\b_|_\b|<[^>]*>`).ReplaceAllString(heading, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// attributes calls f for each attribute of each element, scripts and styles left out.
func attributes(page string, f func(name, value string)) {
	page = inComments.ReplaceAllString(page, "")
	page = regexp.MustCompile(`(?is)(<script\b[^>]*>).*?</script>|(<style\b[^>]*>).*?</style>`).ReplaceAllString(page, "$1$2")
	for _, t := range tag.FindAllString(page, -1) {
		for _, m := range attribute.FindAllStringSubmatch(t, -1) {
			f(strings.ToLower(m[1]), html.UnescapeString(m[2]+m[3]+m[4]))
		}
	}
}

func htmlIDs(page string) (ids []string) {
	attributes(page, func(name, value string) {
		if name == "id" || name == "name" {
			ids = append(ids, value)
		}
	})
	return ids
}

// htmlLinks are the targets of all links of a page, and what is wrong with its ids and
// with the references to them.
func htmlLinks(page string) (targets, problems []string) {
	var ids, wanted []string
	attributes(page, func(name, value string) {
		switch name {
		case "id":
			if slices.Contains(ids, value) {
				problems = append(problems, "id "+value+" is there twice")
			}
			ids = append(ids, value)
		case "for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "aria-activedescendant":
			wanted = append(wanted, strings.Fields(value)...)
		case "href", "src", "xlink:href", "data", "poster":
			targets = append(targets, value)
		case "srcset":
			for image := range strings.SplitSeq(value, ",") {
				targets = append(targets, strings.Fields(image)[0])
			}
		default:
			for _, m := range regexp.MustCompile(`url\(#([^)]+)\)`).FindAllStringSubmatch(value, -1) {
				wanted = append(wanted, m[1])
			}
		}
	})
	for _, id := range wanted {
		if !slices.Contains(ids, id) {
			problems = append(problems, id+": no such id")
		}
	}
	return targets, problems
}
