// Package redact hides secrets: [Text] in any text, [XML] in the documents that
// libvirt gives to hooks.
package redact

import (
	"slices"
	"strings"
)

// Mark is what stands for a secret that was hidden.
const Mark = "[redacted]"

// Text replaces what looks like a secret in s by [Mark]. The text may be XML or
// JSON, also a part of it, cut off anywhere, or quoted within other text; of what is
// cut off within a secret, all is hidden to the end. Text without secrets stays as it
// is.
//
// A name says that something is a secret when it contains passw, passphrase, secret,
// token, credential, cookie, authorization, apikey or privatekey, whatever the case
// and whether or not there is - or _ between the words. Hidden are
//
//   - what is given to such a name, as name="value", name='value' or name=value
//     without spaces; as "name": "value"; and in a struct as fmt prints it, {Name:value …}
//   - the content of an element with such a name, and its attribute value
//   - the same of an element whose attribute name is such a name, as in
//     <qemu:env name='DB_PASSWORD' value='…'/>, <initenv name='API_TOKEN'>…</initenv>,
//     but of a disk's <source> and a network's <portgroup>, which have other names
//   - firmware configuration, which brings cloud-init or Ignition to the guest:
//     <entry name='opt/…'>…</entry>, and string= in QEMU's -fw_cfg name=opt/…
//   - data= in QEMU's -object secret,…
//   - the password in a URL with a user
//
// That holds both secrets that libvirt itself leaves out of a domain's XML unless it is
// asked for them: the passwd of graphics and the cookies of a disk. References are no
// secrets and stay: <secret type='…' uuid='…'/> and usage='…', a secret='UUID', an
// <auth username='…'>, passwdValidTo, the name of a key file. So do launchSecurity's
// dhCert and session, which only the processor can decrypt.
func Text(s string) string {
	hidden := inText(s)
	if len(hidden) == 0 {
		return s
	}
	return hide(s, hidden)
}

// inText finds the secrets in a text.
func inText(s string) []span {
	if !strings.ContainsAny(s, "=:<") {
		return nil
	}
	return append(assigned(s), elements(s)...)
}

// hide puts the mark in place of the parts, of which some may overlap.
func hide(s string, hidden []span) string {
	slices.SortFunc(hidden, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	done := 0
	for i := 0; i < len(hidden); {
		h := hidden[i]
		for i++; i < len(hidden) && hidden[i].from < h.to; i++ {
			h.to = max(h.to, hidden[i].to)
		}
		b.WriteString(s[done:h.from])
		b.WriteString(Mark)
		done = h.to
	}
	b.WriteString(s[done:])
	return b.String()
}

// span is a part of a text.
type span struct{ from, to int }

// Name says that what has the name is a secret.
func Name(name string) bool {
	plain := make([]byte, 0, 64)
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			plain = append(plain, c-'A'+'a')
		case c != '-' && c != '_':
			plain = append(plain, c)
		}
	}
	for _, w := range [...]string{"passw", "passphrase", "secret", "token", "credential", "cookie", "authorization", "apikey", "privatekey"} {
		if strings.Contains(string(plain), w) {
			return true
		}
	}
	return false
}

// secretIn is Name for names in a text, where libvirt's references have names
// that look like secrets.
func secretIn(name string) bool {
	return Name(name) && name != "passwdValidTo" && !strings.HasPrefix(name, "xmlns:")
}

const space = " \t\r\n"

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_-.:", c) >= 0 || c >= 0x80
}

// nameBefore returns the name that ends at i; of one that nobody would write, the end.
func nameBefore(s string, i int) string {
	from := i
	for from > 0 && i-from < 256 && isName(s[from-1]) {
		from--
	}
	return s[from:i]
}

func skipSpace(s string, i int) int {
	return len(s) - len(strings.TrimLeft(s[i:], space))
}

// A quote is how a value begins and ends. Text that was itself quoted in other text
// has backslashes before its quotes, or entities for them.
type quote struct {
	mark        string
	backslashes int
}

// quoteAt returns the quote that begins at i and where the value does.
func quoteAt(s string, i int) (q quote, next int, ok bool) {
	for i+q.backslashes < len(s) && s[i+q.backslashes] == '\\' {
		q.backslashes++
	}
	i += q.backslashes
	for _, mark := range quoteMarks() {
		if strings.HasPrefix(s[i:], mark) {
			q.mark = mark
			return q, i + len(mark), true
		}
	}
	return q, i, false
}

// quoteBefore says that a quote ends at i, and returns where it begins.
func quoteBefore(s string, i int) (from int, ok bool) {
	for _, mark := range quoteMarks() {
		if before, ok := strings.CutSuffix(s[:i], mark); ok {
			return len(strings.TrimRight(before, `\`)), true
		}
	}
	return i, false
}

func quoteMarks() [6]string {
	return [...]string{`"`, `'`, "&quot;", "&apos;", "&#34;", "&#39;"}
}

// end returns where the value that begins at from ends: before its closing quote or,
// without one, with the text. Where a quote may be part of the value it is.
func (q quote) end(s string, from int) int {
	for i := from; ; {
		n := strings.Index(s[i:], q.mark)
		if n < 0 {
			return len(s)
		}
		i += n
		run := 0
		for i-run > from && s[i-run-1] == '\\' {
			run++
		}
		// One more level of quoting makes n backslashes and a quote 2n+1 of them and a quote.
		if extra := run - q.backslashes; extra >= 0 && extra/(q.backslashes+1)%2 == 0 {
			return i - q.backslashes
		}
		i += len(q.mark)
	}
}

// assigned finds what the text gives to secret names.
func assigned(s string) (hidden []span) {
	word := 0       // where the present word begins: a shell's, or an attribute's value
	braces := 0     // that are open
	object := false // within the JSON of QEMU's secret object
	for i := 0; i < len(s); i++ {
		var h span
		switch s[i] {
		case ' ', '\t', '\r', '\n', '"', '\'', '<', '>', ';': // ; as of an entity
			word = i + 1
			continue
		case '{':
			braces++
			continue
		case '}':
			braces, object = max(0, braces-1), false
			continue
		case '=':
			name := nameBefore(s, len(strings.TrimRight(s[:i], space)))
			switch {
			case secretIn(name):
				h = value(s, i+1, func(from int) int { return bareEnd(s, from, name) })
				if name == "secret" && isUUID(s[h.from:h.to]) {
					continue
				}
			case name == "data" && strings.HasPrefix(s[word:i], "secret,"),
				name == "string" && strings.HasPrefix(s[word:i], "name=opt/"):
				h = span{i + 1, argumentEnd(s, word, i+1)}
			}
		case ':':
			if strings.HasPrefix(s[i:], "://") {
				h = userinfo(s, i+len("://"))
				break
			}
			if end, ok := quoteBefore(s, len(strings.TrimRight(s[:i], space))); ok { // "name": "value"
				name := nameBefore(s, end)
				if name != "qom-type" && name != "data" && !secretIn(name) {
					continue
				}
				v := value(s, skipSpace(s, i+1), func(from int) int { return until(s, from, ",}\n") })
				switch {
				case name == "qom-type":
					object = strings.HasPrefix(s[v.from:v.to], "secret")
				case name == "data" && !object, name == "secret" && isUUID(s[v.from:v.to]):
				default:
					h = v
				}
				break
			}
			switch name := nameBefore(s, i); {
			case strings.HasSuffix(strings.ToLower(name), "authorization"): // the header
				h = span{skipSpace(s, i+1), until(s, i, "\"'\n")}
			case braces > 0 && i+1 < len(s) && strings.IndexByte(space, s[i+1]) < 0 && secretIn(name):
				h = span{i + 1, until(s, i, "}")} // {Name:value …}: where the value ends cannot be seen
			}
		default:
			continue
		}
		if h.to > h.from {
			hidden = append(hidden, h)
			i = h.to - 1
		}
	}
	return hidden
}

// value is the one that begins at from, quoted or else bare.
func value(s string, from int, bareEnd func(int) int) span {
	if q, from, ok := quoteAt(s, skipSpace(s, from)); ok {
		return span{from, q.end(s, from)}
	}
	return span{from, bareEnd(from)}
}

// until is where the first of the characters is, or the end.
func until(s string, from int, chars string) int {
	if n := strings.IndexAny(s[from:], chars); n >= 0 {
		return from + n
	}
	return len(s)
}

// bareEnd is where a value without quotes ends that is given to the name.
func bareEnd(s string, from int, name string) int {
	chars := "\"'<>," + space
	if strings.ContainsRune(name, ':') { // systemd's io.systemd.credential:NAME=, in SMBIOS strings
		chars = "\"'<>\n"
	}
	for {
		to := until(s, from, chars)
		if !strings.HasPrefix(s[to:], ",,") { // QEMU's way to write a comma in a value
			return to
		}
		from = to + 2
	}
}

// argumentEnd is where the argument of QEMU ends that the word begins.
func argumentEnd(s string, word, from int) int {
	if word > 0 && (s[word-1] == '"' || s[word-1] == '\'') {
		return until(s, from, s[word-1:word])
	}
	return until(s, from, "\n")
}

// userinfo finds the password in a URL, of which the part after // is at from.
func userinfo(s string, from int) span {
	host := until(s, from, "/?#<>\"'"+space)
	at := strings.LastIndexByte(s[from:host], '@')
	if at < 0 {
		return span{}
	}
	colon := strings.IndexByte(s[from:from+at], ':')
	if colon < 0 {
		return span{}
	}
	return span{from + colon + 1, from + at}
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return true
}

// elements finds what elements hold that are secret.
func elements(s string) (hidden []span) {
	for i := 0; ; {
		n := strings.IndexByte(s[i:], '<')
		if n < 0 {
			return hidden
		}
		i += n + 1
		tag := s[i:until(s, i, "<")] // an attribute's value holds no <
		name := tag[:nameLen(tag)]
		if name == "" {
			continue
		}
		end := tagEnd(tag)
		held, holds := secretIn(local(name)) && local(name) != "secret", false
		attrs := tag
		if end >= 0 {
			attrs = tag[:end]
			holds = !strings.HasSuffix(attrs, "/")
		}
		var valueOf span
		for rest := attrs[len(name):]; ; {
			a, v, next, ok := attribute(rest)
			if !ok {
				break
			}
			at := len(attrs) - len(rest)
			switch text := rest[v.from:v.to]; {
			case a == "value":
				valueOf = span{i + at + v.from, i + at + v.to}
			case a == "name" && secretOf(local(name), text):
				held = true
			}
			rest = rest[next:]
		}
		if held && valueOf.to > valueOf.from {
			hidden = append(hidden, valueOf)
		}
		if !holds {
			continue
		}
		from := i + end + 1
		if local(name) == "secret" && !held { // libvirt's holds at most elements
			text := strings.TrimLeft(s[from:], space)
			held = !strings.HasPrefix(text, "<") || strings.HasPrefix(text, "<![CDATA[")
		}
		if !held {
			continue
		}
		to := contentEnd(s, from, name)
		if strings.Trim(s[from:to], space) != "" {
			hidden = append(hidden, span{from, to})
		}
		i = to
	}
}

// secretOf says whether an element with such an attribute name has a secret: not
// where that is the name of an image or a group of ports, which libvirt describes with
// elements in it.
func secretOf(element, name string) bool {
	switch element {
	case "source", "portgroup":
		return false
	case "entry":
		return Name(name) || strings.HasPrefix(name, "opt/")
	}
	return Name(name)
}

func nameLen(s string) int {
	n := 0
	for n < len(s) && isName(s[n]) {
		n++
	}
	return n
}

// local is the name without its namespace.
func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// tagEnd is where the > is that ends the tag, or -1. One within quotes does not, where
// the quotes are balanced.
func tagEnd(tag string) int {
	first := strings.IndexByte(tag, '>')
	if first < 0 {
		return -1
	}
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; c {
		case '>':
			return i
		case '"', '\'':
			n := strings.IndexByte(tag[i+1:], c)
			if n < 0 {
				return first
			}
			i += n + 1
		}
	}
	return first
}

// attribute reads the next one with a quoted value.
func attribute(s string) (name string, v span, next int, ok bool) {
	eq := strings.IndexByte(s, '=')
	if eq < 0 {
		return "", v, 0, false
	}
	name = nameBefore(s, len(strings.TrimRight(s[:eq], space)))
	from := skipSpace(s, eq+1)
	if from == len(s) || s[from] != '"' && s[from] != '\'' {
		return "", v, eq + 1, true
	}
	to := until(s, from+1, s[from:from+1])
	return name, span{from + 1, to}, min(to+1, len(s)), true
}

// contentEnd is where the content of the element ends that begins at from: before its
// end tag, or with the text.
func contentEnd(s string, from int, name string) int {
	for i := from; ; i++ {
		n := strings.IndexByte(s[i:], '<')
		if n < 0 {
			return len(s)
		}
		i += n
		if strings.HasPrefix(s[i:], "<![CDATA[") {
			n := strings.Index(s[i:], "]]>")
			if n < 0 {
				return len(s)
			}
			i += n
			continue
		}
		if after, ok := strings.CutPrefix(s[i:], "</"+name); ok && nameLen(after) == 0 {
			return i
		}
	}
}
