package xmldiff

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// line is one line of a document in its canonical form.
type line struct {
	path string // of the element around it
	text string
	key  string // text with the attributes sorted: lines of the same key say the same
}

// document is the canonical form: a line for each start tag, end tag, text and
// comment, but one line for an element that has only text, or nothing, in it.
type document []line

// String is what documents are compared by: the keys of the lines.
func (d document) String() string {
	var b strings.Builder
	for _, l := range d {
		b.WriteString(l.key)
		b.WriteByte('\n')
	}
	return b.String()
}

// canonical reads exactly one element, with whatever comments and processing
// instructions are around it. The tokens are raw, so prefixes stay as they are.
func canonical(raw []byte) (document, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	w := &writer{}
	for {
		at, _ := d.InputPos()
		tok, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = w.token(tok)
		}
		var syntax *xml.SyntaxError
		switch {
		case errors.As(err, &syntax): // has the line
			return nil, errors.New(strings.TrimPrefix(err.Error(), "XML syntax error on "))
		case err != nil:
			if text, ok := tok.(xml.CharData); ok { // what is wrong comes after the white space
				at += bytes.Count(text[:len(text)-len(bytes.TrimLeft(text, " \t\r\n"))], []byte("\n"))
			}
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
	}
	switch {
	case len(w.open) > 0:
		return nil, fmt.Errorf("element <%s> is not closed", w.open[len(w.open)-1])
	case !w.root:
		return nil, errors.New("no element")
	}
	return w.lines, nil
}

type writer struct {
	lines document
	open  []string // the names of the elements around
	root  bool     // there was a root element
	leaf  bool     // the last line is a start tag
	text  string   // what came after that start tag
}

func (w *writer) token(tok xml.Token) error {
	switch t := tok.(type) {
	case xml.StartElement:
		if w.root && len(w.open) == 0 {
			return fmt.Errorf("a second root element, <%s>", name(t.Name))
		}
		w.root = true
		w.flush()
		attrs := make([]string, len(t.Attr))
		for i, a := range t.Attr {
			attrs[i] = " " + name(a.Name) + `="` + escape.Replace(a.Value) + `"`
		}
		text := "<" + name(t.Name) + strings.Join(attrs, "") + ">"
		slices.Sort(attrs)
		w.add(text)
		w.lines[len(w.lines)-1].key = w.indent("<" + name(t.Name) + strings.Join(attrs, "") + ">")
		w.open = append(w.open, name(t.Name))
		w.leaf = true
	case xml.EndElement:
		return w.end(name(t.Name))
	case xml.CharData:
		if len(bytes.TrimSpace(t)) == 0 {
			return nil // indentation
		}
		if len(w.open) == 0 {
			return fmt.Errorf("text outside of an element: %.40q", bytes.TrimSpace(t))
		}
		if w.leaf {
			w.text += escape.Replace(string(t))
		} else {
			w.add(escape.Replace(string(t)))
		}
	case xml.Comment:
		w.flush()
		w.add("<!--" + breaks.Replace(string(t)) + "-->")
	case xml.ProcInst:
		if t.Target == "xml" {
			return nil // the declaration
		}
		w.flush()
		w.add("<?" + t.Target + " " + breaks.Replace(string(t.Inst)) + "?>")
	case xml.Directive:
		w.flush()
		w.add("<!" + breaks.Replace(string(t)) + ">")
	}
	return nil
}

func (w *writer) end(name string) error {
	if len(w.open) == 0 || w.open[len(w.open)-1] != name {
		return fmt.Errorf("</%s> closes nothing", name)
	}
	w.open = w.open[:len(w.open)-1]
	if !w.leaf {
		w.add("</" + name + ">")
		return nil
	}
	last := &w.lines[len(w.lines)-1]
	for _, s := range []*string{&last.text, &last.key} {
		if w.text == "" {
			*s = strings.TrimSuffix(*s, ">") + "/>"
		} else {
			*s += w.text + "</" + name + ">"
		}
	}
	w.leaf, w.text = false, ""
	return nil
}

// flush puts the text after a start tag on a line of its own, for more comes.
func (w *writer) flush() {
	if w.leaf && w.text != "" {
		w.add(w.text)
	}
	w.leaf, w.text = false, ""
}

func (w *writer) add(text string) {
	text = w.indent(text)
	w.lines = append(w.lines, line{path: strings.Join(w.open, "/"), text: text, key: text})
}

func (w *writer) indent(text string) string { return strings.Repeat("  ", len(w.open)) + text }

func name(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// Line breaks within a token must not become lines of the difference.
var (
	breaks = strings.NewReplacer("\n", "&#10;", "\r", "&#13;")
	escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")
)
