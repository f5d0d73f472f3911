package docs

import (
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// Roff has what templates of manual pages need, so that text shows as it is:
//
//	text   fills paragraphs with it
//	lines  keeps its lines; between .EX and .EE
//	arg    is one argument of a macro
//	upper  is arg in capitals, for headings
//
// [RoffPage] finishes such a page.
var Roff = template.FuncMap{
	"text":      func(v any) string { return roffText(fmt.Sprint(v)) }, // of any kind of string
	"lines":     roffLines,
	"arg":       roffArg,
	"upper":     func(s string) string { return roffArg(strings.ToUpper(s)) },
	"generated": func() string { return generated },
}

// RoffPage takes the empty lines out of what a template made: they are for its readers,
// and mandoc warns of them. Those of [Roff]'s lines are none, they hold \&.
func RoffPage(page string) []byte {
	var b strings.Builder
	for l := range strings.Lines(page) {
		if strings.TrimSpace(l) != "" {
			b.WriteString(strings.TrimRight(l, " \n") + "\n")
		}
	}
	return []byte(b.String())
}

// roffEscapes are the characters that roff takes for something else, or shows as their
// typographic cousins, which nobody finds by searching and no shell knows. The hyphen is
// among them in prose too: much of it is names of operations and options.
var roffEscapes = map[rune]string{
	'\\': `\(rs`, '-': `\-`, '\'': `\(aq`, '`': `\(ga`, '"': `\(dq`, '^': `\(ha`, '~': `\(ti`,
}

// RoffEscape is text within a line of a manual page.
func RoffEscape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch escape := roffEscapes[r]; {
		case escape != "":
			b.WriteString(escape)
		case r > 0x7e && unicode.IsPrint(r):
			fmt.Fprintf(&b, `\[u%04X]`, r) // which groff knows without preconv
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r < ' ' || r > 0x7e:
			b.WriteString(`\[uFFFD]`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func roffArg(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		words[i] = strings.ReplaceAll(roffBreakable(w), "\\c\n\\&", "")
	}
	return `"` + strings.Join(words, " ") + `"`
}

// roffLine keeps the beginning of a line of text from being a request, and its end from
// being trimmed. An apostrophe is escaped already.
func roffLine(s string) string {
	switch {
	case s == "":
		return `\&`
	case s[0] == '.':
		s = `\&` + s
	}
	if strings.HasSuffix(s, " ") {
		s += `\&`
	}
	return s
}

// roffWidth is that of a line in the source: mandoc warns of more than 80.
const roffWidth = 76

// roffText fills lines with the words of a text.
func roffText(s string) string {
	var lines []string
	line, last := "", ""
	for _, w := range strings.Fields(s) {
		escaped := roffBreakable(w)
		if line != "" && len(line)+1+len(escaped) > roffWidth {
			if strings.HasSuffix(strings.TrimRight(last, `"')]`), ".") {
				line += `\&` // or roff would put two spaces there, and within lines one
			}
			lines = append(lines, roffLine(line))
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += escaped
		last = w
	}
	return strings.Join(append(lines, roffLine(line)), "\n")
}

// roffBreakable escapes a word, in which lines may break when it is long: where paths and
// calls do, and anywhere in what is longer still.
func roffBreakable(w string) string {
	const long, longer = 40, 60
	if utf8.RuneCountInString(w) <= long {
		return RoffEscape(w)
	}
	var parts []string
	for _, part := range breakAfter.FindAllString(w, -1) {
		rs := []rune(part)
		for ; len(rs) > longer; rs = rs[long:] {
			// \c goes on with the next line of the source.
			parts = append(parts, RoffEscape(string(rs[:long]))+"\\c\n\\&")
		}
		parts = append(parts, RoffEscape(string(rs)))
	}
	return strings.Join(parts, `\:`) // where a line may break
}

var breakAfter = regexp.MustCompile(`[^(/]*[(/]|[^(/]+`)

// roffLines are lines as they are, with tabs every four columns.
func roffLines(s string) string {
	var lines []string
	for l := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		lines = append(lines, roffLine(RoffEscape(expand(strings.TrimRight(l, "\r")))))
	}
	return strings.Join(lines, "\n")
}

// expand replaces tabs.
func expand(s string) string {
	const every = 4
	var b strings.Builder
	column := 0
	for _, r := range s {
		n := 1
		if r == '\t' {
			n, r = every-column%every, ' '
		}
		b.WriteString(strings.Repeat(string(r), n))
		column += n
	}
	return b.String()
}
