package docs

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"unicode"

	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/templates"
)

// markdown makes a page for each driver, one for what holds for all, an index, and the
// pictures.
func markdown(r *Reference) (map[string][]byte, error) {
	t, err := template.New("reference.md.tmpl").Funcs(template.FuncMap{
		"alt":       alt,
		"argv":      func(s *Sample) string { return strings.Join(s.Argv, " ") },
		"cell":      func(s string) string { return strings.ReplaceAll(escapeMarkdown(s), "|", `\|`) },
		"code":      codeSpan,
		"effects":   effectWords,
		"failure":   failureWords,
		"fence":     fence,
		"generated": func() string { return generated },
		"heading":   func(action, summary string) string { return slug(action + ": " + summary) },
		"input":     inputCell,
		"legend":    legend,
		"link":      markdownLink,
		"md":        escapeMarkdown,
		"op":        title,
		"outcome":   outcomeWords,
		"sentence":  r.sentence,
		"since":     sinceWords,
		"state":     stateWords,
		"step":      stepWords,
		"slug":      func(o *Operation) string { return slug(title(o)) },
		"wrapped":   func(s string) string { return wrap(escapeMarkdown(s)) },
	}).ParseFS(templates.FS, "reference.md.tmpl")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	add := func(name string, content []byte) {
		if files[name] != nil && err == nil {
			err = fmt.Errorf("two files would have the name %s", name)
		}
		files[name] = content
	}
	page := func(name, template string, data any) {
		var b bytes.Buffer
		if e := t.ExecuteTemplate(&b, template, data); e != nil && err == nil {
			err = fmt.Errorf("rendering %s: %w", name, e)
		}
		add(name, tidy(b.Bytes()))
	}
	page("README.md", "index", r)
	if len(r.Topics) > 0 {
		page("libvirt.md", "facts", r)
	}
	for _, d := range r.Drivers {
		page(d.Name+".md", "driver", d)
		for _, l := range d.Lifecycles {
			add("pictures/"+l.Anchor+".svg", picture(l))
		}
	}
	return files, err
}

// tidy has one empty line where templates leave several, but in fenced blocks.
func tidy(page []byte) []byte {
	var out []string
	fence := ""
	for _, l := range strings.Split(strings.TrimSpace(string(page)), "\n") {
		switch ticks := leadingTicks(l); {
		case fence == "" && ticks != "":
			fence = ticks
		case fence != "" && l == fence:
			fence = ""
		case fence == "" && strings.TrimSpace(l) == "":
			if len(out) > 0 && out[len(out)-1] == "" {
				continue
			}
			l = ""
		}
		out = append(out, l)
	}
	return []byte(strings.Join(out, "\n") + "\n")
}

// leadingTicks is the fence that a line opens, or "".
func leadingTicks(line string) string {
	ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
	if len(ticks) < 3 {
		return ""
	}
	return ticks
}

// title is the heading of an operation.
func title(o *Operation) string {
	if o.SubOp == "-" {
		return o.Name
	}
	return o.Name + " " + o.SubOp
}

// slug is the anchor that forges make of a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, heading)
}

func markdownLink(l Link) string {
	if l.Anchor == "" {
		return escapeMarkdown(l.Text)
	}
	return fmt.Sprintf("[%s](%s.md#%s)", escapeMarkdown(l.Text), l.Driver, strings.TrimPrefix(l.Anchor, l.Driver+"-"))
}

// field returns what is known under a key.
func (o *Operation) field(key string) []Value {
	for _, f := range o.Fields {
		if f.Key == key {
			return f.Values
		}
	}
	return nil
}

// inputCell is what stdin carries, the newest.
func inputCell(o *Operation) string {
	v := o.field("input")[0]
	if v.Code {
		return codeSpan(v.Text)
	}
	return v.Text
}

// legend is the spec's words for what becomes of a failing hook, with their meaning.
func legend() (list []struct{ Word, Text string }) {
	for _, w := range []string{spec.EffectRefused, spec.EffectKilled, spec.EffectForgotten, spec.EffectLost, spec.EffectIgnored} {
		list = append(list, struct{ Word, Text string }{w, effects[w]})
	}
	return list
}

// alt says a picture in words.
func alt(l *Lifecycle) string {
	var parts []string
	for i, s := range l.Steps {
		text := s.Text
		if s.Host != "" && (i == 0 || l.Steps[i-1].Host != s.Host) {
			text = "on the " + s.Host + ": " + text
		}
		if s.Each {
			text += " for each port"
		}
		if s.Extra != "" {
			text += " (" + s.Extra + ")"
		}
		parts = append(parts, text)
	}
	if l.Guests != "" {
		parts = append(parts, l.Guests+" of each guest")
	}
	return escapeMarkdown(strings.Join(parts, ", then "))
}

// bullet is how the lines of a list or a heading begin.
var bullet = regexp.MustCompile(`^(?:[#>+-]|\d+[.)])`)

// escapeMarkdown makes text show as it is.
func escapeMarkdown(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '_' && i > 0 && i+1 < len(runes) && inWord(runes[i-1]) && inWord(runes[i+1]): // as in snake_case
			b.WriteRune(r)
		case strings.ContainsRune("\\`*_~[]", r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	s = b.String()
	if at := bullet.FindStringIndex(s); at != nil {
		s = s[:at[1]-1] + `\` + s[at[1]-1:]
	}
	return s
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// codeSpan is text in backticks, of which there are more than in it.
func codeSpan(s string) string {
	ticks := strings.Repeat("`", longestTicks(s)+1)
	if strings.Contains(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// fence is a block of code.
func fence(language, code string) string {
	ticks := strings.Repeat("`", max(3, longestTicks(code)+1))
	return ticks + language + "\n" + strings.TrimRight(code, "\n") + "\n" + ticks
}

func longestTicks(s string) int {
	longest, n := 0, 0
	for _, r := range s {
		if r != '`' {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}

// wrap fills lines to 100 columns.
func wrap(s string) string {
	var b strings.Builder
	column := 0
	for i, w := range strings.Fields(s) {
		switch {
		case i == 0:
		case column+1+len(w) > 100 && !bullet.MatchString(w): // a line must not begin as a list does
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(w)
		column += len(w)
	}
	return b.String()
}
