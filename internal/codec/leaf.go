package codec

import (
	"strconv"

	"github.com/virthook/virthook/internal/xmlscan"
)

// scalar is what attributes and texts are decoded into.
type scalar interface{ string | integer }

// empty says what becomes of a value that is "" or 0.
type empty bool

const (
	omit empty = true  // it is not written
	keep empty = false // it is
)

// format returns a value as it is written.
func format[T scalar](v T) string {
	switch v := any(v).(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint:
		return strconv.FormatUint(uint64(v), 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	}
	return ""
}

func formatHex(n uint64, digits int) string {
	var e encoder
	e.hex(n, digits)
	return string(e.buf)
}

// value is a leaf's as it is to be.
type value struct {
	same bool
	none bool // it is not written
	text string
}

func valueOf[T scalar](w *walker, o, v T, e empty) value {
	var zero T
	out := value{same: o == v, none: e == omit && v == zero}
	if !out.same || w.all || w.retiring {
		out.text = format(v)
	}
	return out
}

func valueOfPtr[T scalar](w *walker, o, v *T) value {
	if o == nil || v == nil {
		out := value{same: o == v, none: v == nil}
		if v != nil {
			out.text = format(*v)
		}
		return out
	}
	return valueOf(w, *o, *v, keep)
}

func valueOfHex[T uint | uint64](o, v *T, digits int) value {
	out := value{same: o == v || o != nil && v != nil && *o == *v, none: v == nil}
	if v != nil && !out.same {
		out.text = formatHex(uint64(*v), digits)
	}
	return out
}

// attr compares an attribute of the current element.
func attr[T scalar](w *walker, name string, o, v T, e empty) {
	if o == v && !w.all && !w.retiring {
		return
	}
	w.attr(name, valueOf(w, o, v, e))
}

func attrPtr[T scalar](w *walker, name string, o, v *T) { w.attr(name, valueOfPtr(w, o, v)) }

func attrHex[T uint | uint64](w *walker, name string, o, v *T, digits int) {
	w.attr(name, valueOfHex(o, v, digits))
}

func (w *walker) attr(name string, v value) {
	if v.same && !w.all && !w.retiring || w.err != nil {
		return
	}
	a := w.find(name)
	if a != nil && w.isRetired(name) {
		v.same = !v.none && string(xmlscan.AppendAttr(nil, w.s.Bytes(a.Value))) == v.text
	}
	if v.same && !w.all {
		return
	}
	out := Visit{Path: w.path() + "/@" + name, Name: name, New: v.text}
	switch {
	case a == nil && v.none && !v.same:
		return // it was not written, and is not to be
	case a == nil:
		out.Change, out.Span = Added, xmlscan.Span{From: w.top().attrs, To: w.top().attrs}
	case v.none && !v.same:
		out.Change, out.Span = Removed, a.All
	default:
		out.Change, out.Span = Changed, a.Value
	}
	if v.same {
		out.Change = Same
	}
	w.visit(out)
}

// choice compares a discriminator.
func (w *walker) choice(name, old, now string) {
	if old != now || w.all {
		w.attr(name, value{same: old == now, none: now == "", text: now})
	}
}

// choices compares two discriminators that are one value each.
func (w *walker) choices(first, second, old, now string) {
	oldFirst, oldSecond := cut(old)
	nowFirst, nowSecond := cut(now)
	w.choice(first, oldFirst, nowFirst)
	w.choice(second, oldSecond, nowSecond)
}

func cut(s string) (first, second string) {
	for i := range len(s) {
		if s[i] == ' ' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// given is s where there is something.
func given(there bool, s string) string {
	if there {
		return s
	}
	return ""
}

// content compares the text of the current element, whose End has been reached.
func content[T scalar](w *walker, t *text, o, v T, e empty) { w.content(t, valueOf(w, o, v, e)) }

func (w *walker) content(t *text, v value) {
	if w.retiring && w.err == nil && w.top().hasRetired {
		v.same = t.String() == v.text // what another variant made of it says nothing
	}
	if v.same && !w.all || w.err != nil {
		return
	}
	out := Visit{Path: w.path(), Change: Changed, New: v.text, Span: t.span}
	if v.same {
		out.Change = Same
	}
	if !t.any {
		if f := w.top(); f.selfClosing {
			out.Span, out.SelfClosing = w.place()
		} else {
			out.Span = xmlscan.Span{From: f.start.To, To: f.start.To}
		}
	}
	w.visit(out)
	if !v.same {
		// All of it is in the first piece now.
		for _, span := range t.rest() {
			w.visit(Visit{Path: out.Path, Change: Changed, Span: span, Rest: true})
		}
	}
}

// leaf compares the current element, which has only text.
func leaf[T scalar](w *walker, o, v T, e empty) { w.leaf(valueOf(w, o, v, e)) }

func (w *walker) leaf(v value) {
	if w.isInRetired() {
		w.top().hasRetired = true
		v.same = false
	}
	if v.none && !v.same {
		w.removed()
		return
	}
	var t text
	for w.childOrText(&t) {
		w.skip()
	}
	w.content(&t, v)
	w.leave()
}

// first compares the text right after the start tag of the current element, which
// stays open.
func first[T scalar](w *walker, o, v T, e empty) { w.first(valueOf(w, o, v, e)) }

func firstPtr[T scalar](w *walker, o, v *T) { w.first(valueOfPtr(w, o, v)) }

func firstHex[T uint | uint64](w *walker, o, v *T, digits int) { w.first(valueOfHex(o, v, digits)) }

func (w *walker) first(v value) { w.leaf(v) }

// absent is for an element of text that is not in the document.
func absent[T scalar](w *walker, name string, o, v T, e empty) {
	w.absent(name, valueOf(w, o, v, e))
}

func absentPtr[T scalar](w *walker, name string, o, v *T) { w.absent(name, valueOfPtr(w, o, v)) }

func absentHex[T uint | uint64](w *walker, name string, o, v *T, digits int) {
	w.absent(name, valueOfHex(o, v, digits))
}

func (w *walker) absent(name string, v value) {
	switch {
	case w.err != nil:
	case v.same && w.all:
		at, selfClosing := w.place()
		w.visit(Visit{Path: w.path() + "/" + name, Element: true, Span: at, SelfClosing: selfClosing})
	case !v.same && !v.none:
		w.added(name, w.encoded(name, func(e *encoder, name string) { e.elementString(name, v.text) }))
	}
}

// encodeString is elementString for a list's item.
func encodeString(e *encoder, name string, v *string) { e.elementString(name, *v) }

// inner compares the content of the current element as it is written.
func (w *walker) inner(o, v string) {
	f := *w.top()
	if o == v && !w.all {
		w.skip()
		return
	}
	out := Visit{Path: w.path(), New: v, Raw: true, Change: Changed}
	if o == v {
		out.Change = Same
	}
	if w.err = w.s.SkipElement(); w.err != nil {
		return
	}
	out.Span = xmlscan.Span{From: f.start.To, To: w.s.Span().From}
	w.top().end = w.s.Span()
	if f.selfClosing {
		out.Span, out.SelfClosing = w.place()
	}
	w.leave()
	w.visit(out)
}
