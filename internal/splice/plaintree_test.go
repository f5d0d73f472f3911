package splice

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// plain is a node of a plain tree of XML, which knows nothing of how Apply works:
// what an edit is to result in is made on it.
type plain struct {
	name     string // as written; empty: not an element
	attrs    [][2]string
	kids     []*plain
	text     string // of character data
	other    string // a comment or processing instruction
	from, to int    // in the document; 0, 0: not from it
}

func rawName(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// parsePlain returns the root of a document.
func parsePlain(src []byte) (*plain, error) {
	d := xml.NewDecoder(bytes.NewReader(src))
	stack := []*plain{{}}
	for {
		from := int(d.InputOffset())
		tok, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		n := &plain{from: from, to: int(d.InputOffset())}
		switch t := tok.(type) {
		case xml.StartElement:
			n.name = rawName(t.Name)
			for _, a := range t.Attr {
				n.attrs = append(n.attrs, [2]string{rawName(a.Name), a.Value})
			}
			stack = append(stack, n)
		case xml.EndElement:
			top.to = n.to
			stack = stack[:len(stack)-1]
			continue
		case xml.CharData:
			n.text = string(t)
		case xml.Comment:
			n.other = "<!--" + string(t) + "-->"
		case xml.ProcInst:
			n.other = "<?" + t.Target + " " + string(t.Inst) + "?>"
		}
		top.kids = append(top.kids, n)
	}
	for _, k := range stack[0].kids {
		if k.name != "" {
			return k, nil
		}
	}
	return nil, io.ErrUnexpectedEOF
}

// String writes the tree down for comparing: attributes sorted, without white space
// around texts.
func (n *plain) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *plain) write(b *strings.Builder) {
	fmt.Fprintf(b, "<%s", n.name)
	attrs := slices.Clone(n.attrs)
	slices.SortFunc(attrs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	for _, a := range attrs {
		fmt.Fprintf(b, " %s=%q", a[0], a[1])
	}
	b.WriteString(">")
	text := ""
	flush := func() {
		if t := strings.TrimSpace(text); t != "" {
			fmt.Fprintf(b, "%q", t)
		}
		text = ""
	}
	for _, k := range n.kids {
		switch {
		case k.name != "":
			flush()
			k.write(b)
		case k.other != "":
			flush()
			b.WriteString(k.other)
		default:
			text += k.text
		}
	}
	flush()
	b.WriteString("</>\n")
}

// at returns the first element at a path, nil if there is none.
func (n *plain) at(path ...string) *plain {
	for _, name := range path {
		if n == nil {
			return nil
		}
		all := n.all(name)
		if len(all) == 0 {
			return nil
		}
		n = all[0]
	}
	return n
}

func (n *plain) all(name string) (out []*plain) {
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

func (n *plain) get(name string) (string, bool) {
	for _, a := range n.attrs {
		if a[0] == name {
			return a[1], true
		}
	}
	return "", false
}

func (n *plain) set(name, value string) {
	for i := range n.attrs {
		if n.attrs[i][0] == name {
			n.attrs[i][1] = value
			return
		}
	}
	n.attrs = append(n.attrs, [2]string{name, value})
}

func (n *plain) unset(name string) {
	n.attrs = slices.DeleteFunc(n.attrs, func(a [2]string) bool { return a[0] == name })
}

// setText puts a text where there is one, comments and elements stay.
func (n *plain) setText(text string) {
	done := false
	for _, k := range n.kids {
		if k.name != "" || k.other != "" {
			continue
		}
		if strings.TrimSpace(k.text) == "" {
			continue
		}
		k.text = ""
		if !done {
			k.text = text
		}
		done = true
	}
	if !done {
		n.kids = slices.Insert(n.kids, 0, &plain{text: text})
	}
}

func (n *plain) remove(kid *plain) {
	n.kids = slices.DeleteFunc(n.kids, func(k *plain) bool { return k == kid })
}

// prefixed returns an element's name without its prefix, and the prefix.
func (n *plain) prefixed() (name, prefix string) {
	if p, name, ok := strings.Cut(n.name, ":"); ok {
		return name, p
	}
	return n.name, ""
}

// seen returns the elements of a name that the typed view has: an empty text, and
// a zero, it has not.
func (n *plain) seen(name string) []*plain {
	return slices.DeleteFunc(n.all(name), func(k *plain) bool {
		text := ""
		for _, c := range k.kids {
			text += c.text
		}
		return (name == "description" || name == "title") && text == ""
	})
}

// insert puts an element after its likes, or else next to what is nearest to it in
// an order of names.
func (n *plain) insert(kid *plain, order []string) {
	i := slices.Index(order, kid.name)
	for k := i; k >= 0; k-- {
		if all := n.seen(order[k]); len(all) > 0 {
			n.kids = slices.Insert(n.kids, slices.Index(n.kids, all[len(all)-1])+1, kid)
			return
		}
	}
	for k := i + 1; k < len(order); k++ {
		if all := n.seen(order[k]); len(all) > 0 {
			n.kids = slices.Insert(n.kids, slices.Index(n.kids, all[0]), kid)
			return
		}
	}
	n.kids = append(n.kids, kid)
}

// el makes an element from its name, attributes in pairs, and children or a text.
func el(name string, attrs []string, kids ...any) *plain {
	n := &plain{name: name}
	for i := 0; i < len(attrs); i += 2 {
		n.attrs = append(n.attrs, [2]string{attrs[i], attrs[i+1]})
	}
	for _, k := range kids {
		switch k := k.(type) {
		case *plain:
			n.kids = append(n.kids, k)
		case string:
			n.kids = append(n.kids, &plain{text: k})
		}
	}
	return n
}
