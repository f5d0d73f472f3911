package codec

import "github.com/virthook/virthook/internal/xmlscan"

// text is the character data of one element, without that of its children.
type text struct {
	s    string       // as long as it is one piece without references
	span xmlscan.Span // of the first piece
	any  bool
	more []byte // all of it, once that is several tokens or has references; nil before
}

// add appends the current token.
func (t *text) add(d *source, kind xmlscan.Kind) {
	at := d.s.Content()
	raw := d.s.Bytes(at)
	if !t.any {
		t.any = true
		t.span = d.s.Span()
		if d.plain || !xmlscan.HasReference(raw) {
			t.s = d.doc[at.From:at.To]
			return
		}
	}
	if t.more == nil {
		t.more = append(make([]byte, 0, len(t.s)+len(raw)), t.s...)
	}
	if kind == xmlscan.CDATA {
		t.more = xmlscan.AppendCDATA(t.more, raw)
	} else {
		t.more = xmlscan.AppendText(t.more, raw)
	}
}

// String returns the text.
func (t *text) String() string {
	if t.more != nil {
		return string(t.more)
	}
	return t.s
}

// content reads the current element, which has only text.
func (d *decoder) content() text {
	d.noAttrs()
	var t text
	for d.childOrText(&t) {
		d.unknownElement()
	}
	return t
}

// firstText returns the text right after the start tag, as libvirtxml's methods
// that read tokens themselves take it.
func (d *decoder) firstText() (text, bool) {
	d.noAttrs()
	var t text
	kind, err := d.s.Next()
	if err != nil {
		d.err = err
		return t, false
	}
	switch kind {
	case xmlscan.Text, xmlscan.CDATA:
		t.add(&d.source, kind)
		t.s, t.more = t.String(), nil
		return t, true
	case xmlscan.Start:
		d.unknownAround()
	}
	return t, false
}

// isBlank says whether there is nothing but white space.
func isBlank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
