package verdict

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// flaw is the first thing for which libxml2 refuses a document.
type flaw struct {
	at      int    // where its parser stands then, an offset
	line    int    // from 1
	message string // with a line feed at the end
}

// maxDepth is libxml2's limit of nested elements.
const maxDepth = 256

// findFlaw reads a document as libxml2 2.9 does and returns its first fatal error, or
// nil, and the name of the root element. What it says of namespaces is not fatal,
// and libvirt ignores it.
func findFlaw(doc []byte) (root string, f *flaw) {
	p := &parser{doc: doc}
	defer func() {
		if r := recover(); r != nil {
			found, ok := r.(*flaw)
			if !ok {
				panic(r)
			}
			f = found
		}
	}()
	p.document()
	return p.root, nil
}

// parser reads a document. Its methods panic with the flaw that they find.
type parser struct {
	doc     []byte
	at      int
	root    string
	doctype bool // entities may be declared that are not known here
	open    []openElement

	counted, lines int // the line feeds before an offset
}

type openElement struct {
	name string
	line int
}

func (p *parser) fail(format string, args ...any) {
	p.failAt(p.at, bytes.Count(p.doc[:p.at], []byte("\n"))+1, format, args...)
}

func (p *parser) failAt(at, line int, format string, args ...any) {
	panic(&flaw{at: at, line: line, message: fmt.Sprintf(format, args...) + "\n"})
}

// byte is the next one, 0 at the end: the document has none of its own, as what
// libvirt reads is a C string.
func (p *parser) byte() byte {
	if p.at < len(p.doc) {
		return p.doc[p.at]
	}
	return 0
}

func (p *parser) has(prefix string) bool {
	return bytes.HasPrefix(p.doc[p.at:], []byte(prefix))
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// blanks returns how many were skipped.
func (p *parser) blanks() int {
	from := p.at
	for isBlank(p.byte()) {
		p.at++
	}
	return p.at - from
}

func (p *parser) document() {
	if p.has("\xef\xbb\xbf") && len(p.doc) > 3 { // of less libxml2 does not ask the encoding
		p.at += 3
	}
	if p.byte() == 0 {
		p.fail("Document is empty")
	}
	if p.has("<?xml") && p.at+5 < len(p.doc) && isBlank(p.doc[p.at+5]) {
		p.declaration()
	}
	p.misc()
	if p.has("<!DOCTYPE") {
		p.skipDoctype()
		p.misc()
	}
	if p.byte() != '<' {
		p.fail("Start tag expected, '<' not found")
	}
	p.element()
	p.misc()
	if p.byte() != 0 {
		p.fail("Extra content at the end of the document")
	}
}

// declaration reads <?xml …?>.
func (p *parser) declaration() {
	p.at += len("<?xml")
	value := func(name string, accept func([]byte) int) (string, bool) {
		if !p.has(name) {
			return "", false
		}
		p.at += len(name)
		p.blanks()
		if p.byte() != '=' {
			p.fail("expected '='")
		}
		p.at++
		p.blanks()
		quote := p.byte()
		if quote != '"' && quote != '\'' {
			p.fail("String not started expecting ' or \"")
		}
		p.at++
		from := p.at
		p.at += accept(p.doc[p.at:])
		v := string(p.doc[from:p.at])
		if p.byte() != quote {
			p.fail("String not closed expecting \" or '")
		}
		p.at++
		return v, true
	}
	p.blanks()
	switch version, _ := value("version", versionNumber); {
	case !strings.Contains(version, "."):
		p.fail("Malformed declaration expecting version")
	case !strings.HasPrefix(version, "1."):
		p.fail("Unsupported version '%s'", version)
	}
	blank := p.blanks() > 0
	needBlank := func() {
		if !blank && !p.has("?>") {
			p.fail("Blank needed here")
		}
	}
	needBlank()
	if p.has("encoding") {
		encoding, _ := value("encoding", func(b []byte) int {
			n := word(b)
			if n == 0 {
				p.fail("Invalid XML encoding name")
			}
			return n
		})
		// One that is known is ignored: libvirt reads a string.
		known := func(prefix string) bool { return strings.HasPrefix(strings.ToLower(encoding), prefix) }
		if encoding != "" && !slices.ContainsFunc(encodings, known) {
			p.fail("Unsupported encoding %s", encoding)
		}
		blank = p.blanks() > 0
		needBlank()
	}
	if p.has("standalone") {
		if v, _ := value("standalone", word); v != "yes" && v != "no" {
			p.fail("standalone accepts only 'yes' or 'no'")
		}
		p.blanks()
	}
	if !p.has("?>") {
		p.fail("parsing XML declaration: '?>' expected")
	}
	p.at += 2
}

// encodings are how the names start of those that the C library knows.
var encodings = []string{
	"ansi", "arabic", "ascii", "big5", "cp", "cyrillic", "euc", "gb", "greek", "hebrew", "html", "ibm", "iso", "koi",
	"latin", "mac", "sjis", "shift", "tis", "ucs", "us-ascii", "utf", "windows",
}

// versionNumber is how long the one is that b starts with.
func versionNumber(b []byte) int {
	i := 0
	for i < len(b) && ('0' <= b[i] && b[i] <= '9' || i == 1 && b[i] == '.') {
		i++
	}
	return i
}

// word is how long the one is that b starts with.
func word(b []byte) int {
	i := 0
	for i < len(b) && (isNameStart(rune(b[i])) && b[i] < 0x80 || i > 0 && isNamePart(rune(b[i])) && b[i] < 0x80) {
		i++
	}
	return i
}

// misc skips what may be outside the root element.
func (p *parser) misc() {
	for {
		p.blanks()
		switch {
		case p.has("<?"):
			p.instruction()
		case p.has("<!--"):
			p.comment()
		default:
			return
		}
	}
}

// skipDoctype goes over a document type declaration without reading it.
func (p *parser) skipDoctype() {
	p.doctype = true
	depth, quote := 0, byte(0)
	for ; p.at < len(p.doc); p.at++ {
		b := p.doc[p.at]
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '<' || b == '[':
			depth++
		case b == ']':
			depth--
		case b == '>':
			if depth--; depth <= 0 {
				p.at++
				return
			}
		}
	}
	p.fail("DOCTYPE improperly terminated")
}

// element reads the root element and all that is in it.
func (p *parser) element() {
	p.startTag()
	for len(p.open) > 0 {
		switch {
		case p.byte() == 0:
			last := p.open[len(p.open)-1]
			p.fail("Premature end of data in tag %s line %d", localOf(last.name), last.line)
		case p.has("</"):
			p.endTag()
		case p.has("<?"):
			p.instruction()
		case p.has("<![CDATA["):
			p.cdata()
		case p.has("<!--"):
			p.comment()
		case p.byte() == '<':
			p.startTag()
		case p.byte() == '&':
			p.reference()
		default:
			p.text()
		}
	}
}

// line is the number of the current line.
func (p *parser) line() int {
	if p.at < p.counted { // it has gone back
		p.counted, p.lines = 0, 0
	}
	p.lines += bytes.Count(p.doc[p.counted:p.at], []byte("\n"))
	p.counted = p.at
	return p.lines + 1
}

func (p *parser) startTag() {
	if len(p.open) > maxDepth {
		p.fail("Excessive depth in document: %d use XML_PARSE_HUGE option", maxDepth)
	}
	line := p.line()
	p.at++
	name := p.name()
	if name == "" {
		p.fail("StartTag: invalid element name")
	}
	if p.root == "" {
		p.root = localOf(name)
	}
	p.blanks()
	p.attributes()
	switch {
	case p.has("/>"):
		p.at += 2
	case p.byte() == '>':
		p.at++
		p.open = append(p.open, openElement{name, line})
	default:
		p.fail("Couldn't find end of Start Tag %s line %d", localOf(name), line)
	}
}

func (p *parser) attributes() {
	seen := map[string]bool{}
	repeated := ""
	for b := p.byte(); b != '>' && !p.has("/>") && (b >= ' ' || isBlank(b)); b = p.byte() {
		name := p.name()
		if name == "" {
			p.fail("error parsing attribute name")
		}
		p.blanks()
		if p.byte() != '=' {
			p.fail("Specification mandates value for attribute %s", localOf(name))
		}
		p.at++
		p.blanks()
		p.value()
		if seen[name] {
			if name == "xmlns" || strings.HasPrefix(name, "xmlns:") {
				p.fail("Attribute %s redefined", name)
			}
			if repeated == "" {
				repeated = name
			}
		}
		seen[name] = true
		if p.byte() == '>' || p.has("/>") {
			break
		}
		if p.blanks() == 0 {
			p.fail("attributes construct error")
		}
	}
	if repeated != "" {
		p.fail("Attribute %s redefined", repeated)
	}
}

func localOf(name string) string {
	if prefix, local, _ := strings.Cut(name, ":"); prefix != "" && local != "" {
		return local
	}
	return name
}

// value reads an attribute's.
func (p *parser) value() {
	quote := p.byte()
	if quote != '"' && quote != '\'' {
		p.fail("AttValue: \" or ' expected")
	}
	for p.at++; p.byte() != quote; {
		switch b := p.byte(); {
		case b == '<':
			p.fail("Unescaped '<' not allowed in attributes values")
		case b == '&':
			p.reference()
		case b == 0:
			p.fail("AttValue: ' expected")
		default:
			r, size := p.char()
			switch {
			case size == 0:
				p.fail("AttValue: ' expected")
			case !isChar(r):
				p.fail("invalid character in attribute value")
			}
			p.at += size
		}
	}
	p.at++
}

func (p *parser) endTag() {
	p.at += 2
	name := p.name()
	p.blanks()
	if p.byte() != '>' {
		p.fail("expected '>'")
	}
	p.at++
	last := p.open[len(p.open)-1]
	if name != last.name {
		local := localOf(last.name)
		switch {
		case name == "":
			name = "unparsable"
		case local != last.name:
			name = localOf(name)
		}
		p.fail("Opening and ending tag mismatch: %s line %d and %s", local, last.line, name)
	}
	p.open = p.open[:len(p.open)-1]
}

func (p *parser) instruction() {
	p.at += 2
	target := p.name()
	switch {
	case target == "":
		p.fail("xmlParsePI : no target name")
	case target == "xml":
		p.fail("XML declaration allowed only at the start of the document")
	}
	if p.has("?>") {
		p.at += 2
		return
	}
	if p.blanks() == 0 {
		p.fail("ParsePI: PI %s space expected", target)
	}
	for !p.has("?>") {
		r, size := p.char()
		if !isChar(r) || size == 0 {
			p.fail("ParsePI: PI %s never end ...", target)
		}
		p.at += size
	}
	p.at += 2
}

func (p *parser) comment() {
	p.at += 4
	from := p.at
	for !p.has("-->") {
		if p.has("--") {
			if p.at == from {
				p.fail("Double hyphen within comment")
			}
			p.fail("Double hyphen within comment: <!--%.50s", p.doc[from:p.at])
		}
		r, size := p.char()
		switch {
		case size == 0:
			if text := p.doc[from:]; bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
				p.fail("Comment not terminated \n<!--%.50s", text)
			}
			p.fail("Comment not terminated")
		case !isChar(r):
			p.fail("xmlParseComment: invalid xmlChar value %d", r)
		}
		p.at += size
	}
	p.at += 3
}

func (p *parser) cdata() {
	p.at += len("<![CDATA[")
	from := p.at
	for !p.has("]]>") {
		r, size := p.char()
		if size == 0 || !isChar(r) {
			text := []rune(strings.ReplaceAll(string(p.doc[from:p.at]), "\r\n", "\n"))
			if len(text) < 2 {
				p.fail("Unregistered error message")
			}
			p.fail("CData section not finished\n%.50s", string(text[:len(text)-2]))
		}
		p.at += size
	}
	p.at += 3
}

// reference reads &…;.
func (p *parser) reference() {
	if p.has("&#") {
		p.charReference()
		return
	}
	p.at++
	name := p.name()
	if name == "" {
		p.fail("xmlParseEntityRef: no name")
	}
	if p.byte() != ';' {
		p.fail("EntityRef: expecting ';'")
	}
	p.at++
	switch name {
	case "lt", "gt", "amp", "quot", "apos":
		return
	}
	if !p.doctype {
		p.fail("Entity '%s' not defined", name)
	}
}

func (p *parser) charReference() {
	p.at += 2
	base, digits, wrong := 10, "0123456789", "decimal"
	if p.byte() == 'x' {
		base, digits, wrong = 16, "0123456789abcdef", "hexadecimal"
		p.at++
	}
	value := 0
	for p.byte() != ';' {
		b := p.byte()
		if 'A' <= b && b <= 'F' {
			b += 'a' - 'A'
		}
		digit := strings.IndexByte(digits, b)
		if b == 0 || digit < 0 {
			p.fail("CharRef: invalid %s value", wrong)
		}
		value = min(value*base+digit, 0x110000)
		p.at++
	}
	p.at++
	if !isChar(rune(value)) {
		p.fail("xmlParseCharRef: invalid xmlChar value %d", value)
	}
}

// text reads character data up to the next markup.
func (p *parser) text() {
	from := p.at
	for {
		switch b := p.byte(); {
		case b == 0 || b == '<' || b == '&':
			return
		case p.has("]]>"):
			p.failAt(from, p.line(), "Sequence ']]>' not allowed in content")
		}
		r, size := p.char()
		switch {
		case size == 0:
			p.fail("detected an error in element content")
		case !isChar(r):
			p.fail("PCDATA invalid Char value %d", r)
		}
		p.at += size
	}
}

// char is the next character, of no size at the end, for which libxml2 also takes a
// broken one that is among the last three bytes.
func (p *parser) char() (r rune, size int) {
	b := p.doc[p.at:]
	if len(b) == 0 {
		return 0, 0
	}
	if r, size := utf8.DecodeRune(b); len(b) < 4 && r == utf8.RuneError && size == 1 {
		return 0, 0
	}
	if b[0] < 0x80 {
		return rune(b[0]), 1
	}
	follows := func(i int) rune {
		if i >= len(b) || b[i]&0xc0 != 0x80 {
			p.notUTF8()
		}
		return rune(b[i] & 0x3f)
	}
	var least rune
	switch {
	case b[0] <= 0xc0:
		p.notUTF8()
	case b[0] < 0xe0:
		r, size, least = rune(b[0]&0x1f)<<6|follows(1), 2, 0x80
	case b[0] < 0xf0:
		r, size, least = rune(b[0]&0x0f)<<12|follows(1)<<6|follows(2), 3, 0x800
	case b[0] < 0xf8:
		r, size, least = rune(b[0]&0x07)<<18|follows(1)<<12|follows(2)<<6|follows(3), 4, 0x10000
	default:
		p.notUTF8()
	}
	if r < least {
		p.notUTF8()
	}
	if !isChar(r) {
		p.fail("Char 0x%X out of allowed range", r)
	}
	return r, size
}

func (p *parser) notUTF8() {
	b := p.doc[p.at:]
	p.fail("Input is not proper UTF-8, indicate encoding !\nBytes: 0x%02X 0x%02X 0x%02X 0x%02X", b[0], b[1], b[2], b[3])
}

func isChar(r rune) bool {
	return r >= 0x20 && r <= 0xd7ff || r == '\t' || r == '\n' || r == '\r' || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// name reads a name, "" when there is none.
func (p *parser) name() string {
	from := p.at
	for {
		r, size := p.char()
		if size == 0 || !isNameStart(r) && (p.at == from || !isNamePart(r)) {
			return string(p.doc[from:p.at])
		}
		p.at += size
	}
}

func isNameStart(r rune) bool {
	switch {
	case r < 0x80:
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_' || r == ':'
	case r == 0xd7, r == 0xf7, r < 0xc0:
		return false
	}
	return r <= 0x2ff || 0x370 <= r && r <= 0x37d || 0x37f <= r && r <= 0x1fff || r == 0x200c || r == 0x200d ||
		0x2070 <= r && r <= 0x218f || 0x2c00 <= r && r <= 0x2fef || 0x3001 <= r && r <= 0xd7ff ||
		0xf900 <= r && r <= 0xfdcf || 0xfdf0 <= r && r <= 0xfffd || 0x10000 <= r && r <= 0xeffff
}

func isNamePart(r rune) bool {
	return '0' <= r && r <= '9' || r == '-' || r == '.' || r == 0xb7 || 0x300 <= r && r <= 0x36f || r == 0x203f || r == 0x2040
}

// inLibvirtsWords is the error that libvirt makes of a flaw (catchXMLError): where,
// what, the line of the document and below it a pointer. Before 11.3.0 it named
// its own word for the document where since then it says "at line".
func (f *flaw) inLibvirtsWords(doc []byte, old bool) string {
	byteAt := func(i int) byte {
		if i < len(doc) {
			return doc[i]
		}
		return 0
	}
	isEnd := func(i int) bool { b := byteAt(i); return b == '\n' || b == '\r' }
	from := f.at
	if !old && from > 0 && byteAt(from) == 0 {
		from--
	}
	for from > 0 && isEnd(from) {
		from--
	}
	for from > 0 && !isEnd(from) {
		from--
	}
	if isEnd(from) {
		from++
	}
	column := f.at - from
	to := from
	for byteAt(to) != 0 && !isEnd(to) {
		to++
	}
	line := string(doc[from:to])
	var pointer strings.Builder
	for i := 0; i < column && i < len(line); i++ {
		if line[i] == '\t' {
			pointer.WriteByte('\t')
		} else {
			pointer.WriteByte('-')
		}
	}
	pointer.WriteByte('^')
	if line == "" {
		line = "(null)" // how the C library prints what libvirt has not
	}
	where := fmt.Sprintf("at line %d: ", f.line)
	if old {
		where = fmt.Sprintf("(domain_definition):%d: ", f.line)
	}
	return where + f.message + line + "\n" + pointer.String()
}
