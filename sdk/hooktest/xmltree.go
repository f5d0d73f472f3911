package hooktest

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// element is an element of a document, and what the document says with it: comments,
// quotes, prefixes and the order of attributes are not looked at.
type element struct {
	parent   *element
	name     string // as it is written, with its prefix
	key      string // with its namespace instead
	declares []attribute
	attrs    []attribute
	text     string // "" for white space
	children []*element

	says   string // all of it
	weight int    // how much that is
	of     map[string][]*element
}

type attribute struct{ name, key, value string }

// parseXML reads a document.
func parseXML(src []byte) (*element, error) {
	var s xmlscan.Scanner
	s.Reset(src)
	top := new(element)
	at := top
	var text [][]byte // of the elements that are open
	for {
		kind, err := s.Next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case xmlscan.EOF:
			return top.children[0], nil
		case xmlscan.Start:
			e := start(&s)
			e.parent = at
			at.children = append(at.children, e)
			at, text = e, append(text, nil)
		case xmlscan.Text:
			if len(text) > 0 {
				text[len(text)-1] = xmlscan.AppendText(text[len(text)-1], s.Bytes(s.Content()))
			}
		case xmlscan.CDATA:
			text[len(text)-1] = xmlscan.AppendCDATA(text[len(text)-1], s.Bytes(s.Content()))
		case xmlscan.End:
			at.end(text[len(text)-1])
			at, text = at.parent, text[:len(text)-1]
		}
	}
}

// start is the element whose start tag the scanner is at.
func start(s *xmlscan.Scanner) *element {
	e := &element{name: string(s.Bytes(s.Name()))}
	e.key = expanded(s, s.Name(), s.Local(), true)
	for _, a := range s.Attrs() {
		x := attribute{name: string(s.Bytes(a.Name)), value: string(xmlscan.AppendAttr(nil, s.Bytes(a.Value)))}
		if x.name == "xmlns" || strings.HasPrefix(x.name, "xmlns:") {
			e.declares = append(e.declares, x)
			continue
		}
		x.key = expanded(s, a.Name, a.Local, false)
		e.attrs = append(e.attrs, x)
	}
	return e
}

// expanded is a name with the namespace in the place of the prefix.
func expanded(s *xmlscan.Scanner, name, local xmlscan.Span, defaults bool) string {
	prefix := bytes.TrimSuffix(s.Bytes(xmlscan.Span{From: name.From, To: local.From}), []byte(":"))
	if len(prefix) == 0 && !defaults {
		return string(s.Bytes(local))
	}
	uri, _ := s.Space(prefix)
	return string(s.Bytes(local)) + " " + string(xmlscan.AppendAttr(nil, uri))
}

// end adds up what the element says, once all of it is there.
func (e *element) end(text []byte) {
	if e.text = string(text); strings.TrimSpace(e.text) == "" {
		e.text = ""
	} else if len(e.children) > 0 {
		e.text = strings.TrimSpace(e.text) // between elements white space is layout
	}
	e.of = map[string][]*element{}
	e.weight = 1 + len(e.attrs)
	if e.text != "" {
		e.weight++
	}
	says := []string{e.key, e.text}
	attrs := slices.Clone(e.attrs)
	slices.SortFunc(attrs, func(a, b attribute) int { return strings.Compare(a.key, b.key) })
	for _, a := range attrs {
		says = append(says, "@"+a.key, a.value)
	}
	for _, c := range e.children {
		says = append(says, c.says)
		e.weight += c.weight
		e.of[c.key] = append(e.of[c.key], c)
	}
	var b strings.Builder
	for _, s := range says {
		b.WriteString(strconv.Itoa(len(s)) + ":" + s)
	}
	e.says = b.String()
}

// path is where the element is, e.g. /domain/devices/disk[2]; with an index where there
// are several of the name.
func (e *element) path() string {
	if e.parent == nil {
		return ""
	}
	path := e.parent.path() + "/" + e.name
	if same := e.parent.of[e.key]; len(same) > 1 {
		path += "[" + strconv.Itoa(slices.Index(same, e)+1) + "]"
	}
	return path
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")

// String is the element as XML, on one line.
func (e *element) String() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e *element) write(b *strings.Builder) {
	b.WriteString("<" + e.name)
	for _, a := range slices.Concat(e.declares, e.attrs) {
		b.WriteString(" " + a.name + `="` + escaper.Replace(a.value) + `"`)
	}
	if e.text == "" && len(e.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">" + escaper.Replace(e.text))
	for _, c := range e.children {
		c.write(b)
	}
	b.WriteString("</" + e.name + ">")
}
