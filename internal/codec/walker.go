package codec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// walker goes over the document once more with what it was decoded into and what
// it is to be. Its methods are called at the Start of an element and leave it at
// its End.
type walker struct {
	s      xmlscan.Scanner
	doc    string
	all    bool // what is the same is visited, too
	err    error
	frames []frame
	visits []Visit
	enc    encoder // for what is added

	retiring bool // an element has become another variant
}

// frame is an open element.
type frame struct {
	name        string
	label       string // of its path, e.g. "[2]"
	start       xmlscan.Span
	attrs       int // where an attribute is added
	selfClosing bool
	end         xmlscan.Span  // of its End, once there
	sink        *xmlscan.Span // gets the span of the element

	// When the element has become another variant: what only the one it was knows.
	retired    []string
	hasRetired bool
	// replaced are the names of children that are replaced, so that they are not
	// missing.
	replaced []string
}

func (w *walker) child() bool { return w.childOrText(nil) }

// childOrText goes to the next child and gathers text. At the End it returns false;
// leave is to be called after that.
func (w *walker) childOrText(t *text) bool {
	for w.err == nil {
		kind, err := w.s.Next()
		if err != nil {
			w.err = err
			return false
		}
		switch kind {
		case xmlscan.EOF:
			return false
		case xmlscan.Start:
			w.enter()
			return true
		case xmlscan.End:
			w.top().end = w.s.Span()
			return false
		case xmlscan.Text, xmlscan.CDATA:
			if t != nil {
				t.add(&source{s: &w.s, doc: w.doc}, kind)
			}
		}
	}
	return false
}

// descendant goes to the next Start in the element that has so many frames, and
// leaves those whose End is on the way.
func (w *walker) descendant(frames int) bool {
	for !w.child() {
		if w.err != nil || len(w.frames) == frames {
			return false
		}
		w.leave()
	}
	return true
}

func (w *walker) enter() {
	name := w.s.Name()
	attrs := name.To
	if list := w.s.Attrs(); len(list) > 0 {
		attrs = list[len(list)-1].All.To
	}
	w.frames = append(w.frames, frame{
		name: w.doc[name.From:name.To], start: w.s.Span(), attrs: attrs, selfClosing: w.s.SelfClosing(),
	})
}

func (w *walker) leave() {
	if w.err != nil {
		return
	}
	f := w.top()
	if f.sink != nil {
		*f.sink = xmlscan.Span{From: f.start.From, To: f.end.To}
	}
	w.frames = w.frames[:len(w.frames)-1]
}

func (w *walker) top() *frame { return &w.frames[len(w.frames)-1] }

// skip goes to the End of the current element and leaves it.
func (w *walker) skip() {
	if w.err == nil {
		if w.err = w.s.SkipElement(); w.err == nil {
			w.top().end = w.s.Span()
			w.leave()
		}
	}
}

func (w *walker) noContent() {
	for w.child() {
		w.other()
	}
	w.leave()
}

// other is for an element that no field is for. It goes only if it was one of the
// variant that its parent no longer is.
func (w *walker) other() {
	if w.isInRetired() && slices.Contains(w.frames[len(w.frames)-2].retired, w.name()) {
		w.removed()
		return
	}
	w.skip()
}

// isInRetired says whether the parent of the current element has become another
// variant, so that what the element was decoded into says nothing.
func (w *walker) isInRetired() bool {
	return w.retiring && len(w.frames) > 1 && w.frames[len(w.frames)-2].hasRetired
}

// unwanted is for an element that a field is for, which was not decoded into it and
// has nothing to be.
func (w *walker) unwanted() {
	if w.isInRetired() {
		w.removed()
		return
	}
	w.skip()
}

// around is for an element inside which there may be known ones.
func (w *walker) around() {}

func (w *walker) name() string {
	n := w.s.Local()
	return w.doc[n.From:n.To]
}

func (w *walker) space() string {
	d := source{s: &w.s, doc: w.doc}
	return d.space()
}

// retire says that the current element was another variant.
func (w *walker) retire(names ...string) {
	w.retiring = true
	f := w.top()
	f.hasRetired = true
	f.retired = append(f.retired, names...)
	// Attributes that the new variant does not ask for are gone; those it asks for
	// are compared as text.
	for _, name := range names {
		if a := w.find(name); a != nil {
			w.visit(Visit{Path: w.path() + "/@" + name, Change: Removed, Name: name, Span: a.All})
		}
	}
}

// isRetired says whether the current element has changed its variant, so that what
// an attribute was decoded into says nothing, and takes back that it is gone.
func (w *walker) isRetired(name string) bool {
	if !w.retiring || !w.top().hasRetired {
		return false
	}
	path := w.path() + "/@" + name
	for i := len(w.visits) - 1; i >= 0; i-- {
		if w.visits[i].Path == path && w.visits[i].Change == Removed {
			w.visits = append(w.visits[:i], w.visits[i+1:]...)
			break
		}
	}
	return true
}

// find returns the last attribute of that local name, which is the one that
// encoding/xml takes.
func (w *walker) find(name string) *xmlscan.Attr {
	attrs := w.s.Attrs()
	for i := len(attrs) - 1; i >= 0; i-- {
		if a := attrs[i].Local; w.doc[a.From:a.To] == name {
			return &attrs[i]
		}
	}
	return nil
}

func (w *walker) path() string {
	var b strings.Builder
	for _, f := range w.frames {
		b.WriteByte('/')
		b.WriteString(f.name)
		b.WriteString(f.label)
	}
	return b.String()
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (w *walker) visit(v Visit) { w.visits = append(w.visits, v) }

// removed is for an element that is to go.
func (w *walker) removed() { w.whole(Removed, "") }

// replaced is for an element that is to be another one altogether.
func (w *walker) replaced(xml []byte) {
	if len(xml) == 0 {
		w.removed()
		return
	}
	if n := len(w.frames); n > 1 {
		w.frames[n-2].replaced = append(w.frames[n-2].replaced, w.name())
	}
	w.whole(Replaced, string(xml))
}

func (w *walker) whole(change Change, xml string) {
	path, from := w.path(), w.top().start.From
	for len(w.visits) > 0 && w.visits[len(w.visits)-1].Span.From >= from {
		w.visits = w.visits[:len(w.visits)-1] // of its attributes
	}
	w.skip()
	w.visit(Visit{Path: path, Change: change, Element: true, New: xml, Span: xmlscan.Span{From: from, To: w.s.Span().To}})
}

// place returns where new content of the current element is to be, once its End
// has been reached.
func (w *walker) place() (at xmlscan.Span, selfClosing bool) {
	f := w.top()
	if f.selfClosing {
		return xmlscan.Span{From: f.start.To - len("/>"), To: f.start.To}, true
	}
	return xmlscan.Span{From: f.end.From, To: f.end.From}, false
}

// added visits a new child.
func (w *walker) added(name string, xml []byte) {
	at, selfClosing := w.place()
	w.visit(Visit{Path: w.path() + "/" + name, Change: Added, Element: true, Span: at, New: string(xml), SelfClosing: selfClosing})
}

// stays says whether an element that is in the document has been decoded, into old,
// and is to stay, as now.
func stays[T any](w *walker, old, now *T, encode func(*encoder, string, *T)) bool {
	switch {
	case old == nil && now == nil:
		w.unwanted()
	case now == nil:
		w.removed()
	case old == nil:
		w.replacedBy(func(e *encoder, name string) { encode(e, name, now) })
	default:
		return true
	}
	return false
}

// appeared is for an element that is not in the document.
func appeared[T any](w *walker, name string, old, now *T, encode func(*encoder, string, *T)) {
	if now == nil {
		return
	}
	var was func(*encoder, string)
	if old != nil {
		was = func(e *encoder, name string) { encode(e, name, old) }
	}
	w.appeared(name, was, func(e *encoder, name string) { encode(e, name, now) })
}

// What follows takes functions that write an element. The generic functions around
// it are small: there is one for each type.

func (w *walker) appeared(name string, old, now func(*encoder, string)) {
	if w.err != nil || slices.Contains(w.top().replaced, name) {
		return
	}
	was := ""
	if old != nil {
		was = string(w.encoded(name, old))
	}
	if xml := w.encoded(name, now); len(xml) > 0 && string(xml) != was {
		w.added(name, xml)
	}
}

// replacedBy is for an element that is to be another one altogether.
func (w *walker) replacedBy(now func(*encoder, string)) {
	w.replaced(w.encodedAt(len(w.frames)-1, w.top().name, now))
}

// encoded returns the XML of a child of the current element, good until the next call.
func (w *walker) encoded(name string, write func(*encoder, string)) []byte {
	return w.encodedAt(len(w.frames), name, write)
}

func (w *walker) encodedAt(depth int, name string, write func(*encoder, string)) []byte {
	e := &w.enc
	e.buf, e.depth, e.inStart, e.pending = e.buf[:0], depth, false, e.pending[:0]
	write(e, name)
	return trimIndent(e.buf)
}

func trimIndent(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}
