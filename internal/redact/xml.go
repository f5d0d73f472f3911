package redact

import (
	"bytes"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// XML is [Text] for a whole document. It stays well-formed, and outside of secrets
// each byte stays: what [Text] finds is looked for in one attribute, one piece of text
// or one comment at a time, and elements end where XML ends them. Hidden are besides
//
//   - what a reference such as &#119; hides from [Text]: there all of the attribute or
//     of the text
//   - in <initarg> and <qemu:arg> (also xen's and bhyve's), what follows an argument
//     that is an option with a secret's name, as in <initarg>--password</initarg>
//   - in an attribute query, as of a disk from the web, what is given to such a name
//     and to sig and signature, as in X-Amz-Signature=…
//   - private keys in PEM form
//
// What is no XML, or none that libvirt would take, is treated as [Text].
func XML(doc []byte) []byte {
	var d document
	d.Reset(doc)
	if err := d.walk(); err != nil {
		return []byte(Text(string(doc)))
	}
	if len(d.hidden) == 0 {
		return doc
	}
	return []byte(hide(string(doc), d.hidden))
}

// document is one that is looked through.
type document struct {
	xmlscan.Scanner
	hidden  []span
	secrets []int // the depths of the open elements <secret>, which hold no text in libvirt's XML
	initarg bool  // the text is an argument
	option  bool  // the last argument was an option with a secret's name
}

func (d *document) walk() error {
	for {
		kind, err := d.Next()
		if err != nil {
			return err
		}
		switch kind {
		case xmlscan.EOF:
			return nil
		case xmlscan.Start:
			err = d.start()
		case xmlscan.End:
			d.initarg = false
			if n := len(d.secrets); n > 0 && d.secrets[n-1] == d.Depth() {
				d.secrets = d.secrets[:n-1]
			}
		case xmlscan.Text, xmlscan.CDATA:
			err = d.text(kind)
		default:
			d.look(d.Content(), nil)
		}
		if err != nil {
			return err
		}
	}
}

// start looks through a start tag and, where the element holds a secret, hides its
// content and goes to its end.
func (d *document) start() error {
	name := string(d.Bytes(d.Local()))
	held := secretIn(name) && name != "secret"
	for _, a := range d.Attrs() {
		if string(d.Bytes(a.Name)) == "name" {
			held = held || secretOf(name, string(xmlscan.AppendAttr(nil, d.Bytes(a.Value))))
		}
	}
	d.initarg = name == "initarg"
	if !d.initarg && name != "arg" {
		d.option = false
	}
	for _, a := range d.Attrs() {
		attr, full := string(d.Bytes(a.Local)), string(d.Bytes(a.Name))
		value := string(d.Bytes(a.Value))
		switch {
		case value == "" || full == "xmlns" || strings.HasPrefix(full, "xmlns:"):
		case secretIn(attr):
			if attr != "secret" || !isUUID(value) {
				d.hide(a.Value)
			}
		case attr == "value" && held:
			d.hide(a.Value)
		case attr == "value" && name == "arg":
			d.argument(a.Value)
		case attr == "query":
			d.query(a.Value)
		default:
			d.look(a.Value, xmlscan.AppendAttr)
		}
	}
	switch {
	case d.SelfClosing():
		return nil
	case held:
		return d.hideContent(d.Span().To, d.Depth())
	case name == "secret":
		d.secrets = append(d.secrets, d.Depth())
	}
	return nil
}

// text looks through character data.
func (d *document) text(kind xmlscan.Kind) error {
	content := d.Content()
	if len(bytes.Trim(d.Bytes(content), space)) == 0 {
		return nil
	}
	n := len(d.secrets)
	switch {
	case n > 0 && d.secrets[n-1] == d.Depth():
		d.secrets = d.secrets[:n-1]
		return d.hideContent(d.Span().From, d.Depth())
	case d.initarg:
		d.argument(content)
	case kind == xmlscan.CDATA:
		d.look(content, nil)
	default:
		d.look(content, xmlscan.AppendText)
	}
	return nil
}

// hideContent hides what is between the offset and the end tag of the element at the
// depth, unless that is blank, and goes to that end.
func (d *document) hideContent(from, depth int) error {
	for {
		kind, err := d.Next()
		if err != nil {
			return err
		}
		if kind == xmlscan.End && d.Depth() == depth {
			to := d.Span().From
			if len(bytes.Trim(d.Src()[from:to], space)) > 0 {
				d.hide(xmlscan.Span{From: from, To: to})
			}
			d.initarg = false
			return nil
		}
	}
}

func (d *document) hide(s xmlscan.Span) { d.hidden = append(d.hidden, span{s.From, s.To}) }

// look hides the secrets in a part of the document, in which resolve, if there is
// one, resolves the references.
func (d *document) look(at xmlscan.Span, resolve func(dst, raw []byte) []byte) {
	raw := d.Bytes(at)
	found := inPart(string(raw))
	if resolve != nil && xmlscan.HasReference(raw) && len(inPart(string(resolve(nil, raw)))) > len(found) {
		d.hide(at)
		return
	}
	for _, f := range found {
		d.hidden = append(d.hidden, span{at.From + f.from, at.From + f.to})
	}
}

// inPart is inText, and finds private keys.
func inPart(s string) []span {
	found := inText(s)
	const begin, end = "PRIVATE KEY-----", "-----END"
	for i := 0; ; {
		n := strings.Index(s[i:], begin)
		if n < 0 {
			return found
		}
		from := i + n + len(begin)
		i = len(s)
		if n := strings.Index(s[from:], end); n >= 0 {
			i = from + n
		}
		if strings.Trim(s[from:i], space) != "" {
			found = append(found, span{from, i})
		}
		i = min(i+len(end)+len(" PRIVATE KEY-----"), len(s))
	}
}

// argument looks at one of a program's.
func (d *document) argument(at xmlscan.Span) {
	arg := string(d.Bytes(at))
	if isOption := strings.HasPrefix(arg, "-"); d.option && !isOption {
		d.hide(at)
		d.option = false
	} else {
		d.option = isOption && !strings.ContainsAny(arg, "="+space) && Name(arg)
		d.look(at, xmlscan.AppendAttr)
	}
}

// query looks at that of a URL, in which libvirt writes &amp; between what it gives.
func (d *document) query(at xmlscan.Span) {
	const between = "&amp;"
	rest := string(d.Bytes(at))
	from := at.From
	for more := true; more; {
		var part string
		part, rest, more = strings.Cut(rest, between)
		if name, value, _ := strings.Cut(part, "="); value != "" && secretParameter(name) {
			d.hide(xmlscan.Span{From: from + len(name) + 1, To: from + len(part)})
		}
		from += len(part) + len(between)
	}
}

// secretParameter is Name for what a URL's query gives, where a signature is as good
// as a password.
func secretParameter(name string) bool {
	name = strings.ToLower(name)
	return Name(name) || name == "sig" || strings.HasSuffix(name, "signature")
}
