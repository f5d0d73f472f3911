package codec

import (
	"strconv"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// The methods attrX, elementX and textX give a field the value of an attribute, of
// the current element, which has only text, and of text that was gathered. A
// number that is none stays out of the typed view.

func (d *decoder) attrString(a *xmlscan.Attr) string {
	if !d.plain {
		if raw := d.s.Bytes(a.Value); xmlscan.HasReference(raw) {
			return string(xmlscan.AppendAttr(nil, raw))
		}
	}
	return d.doc[a.Value.From:a.Value.To]
}

func (d *decoder) elementString() string {
	t := d.content()
	return t.String()
}

func (d *decoder) appendString(dst *[]string) {
	*dst = append(*dst, d.elementString())
}

func (d *decoder) textString(t *text) string { return t.String() }

// integer is the numbers that libvirtxml has.
type integer interface{ int | int64 | uint | uint64 }

// number reads a number as encoding/xml does: no text is 0.
func number[T integer](s string) (T, bool) {
	if s == "" {
		return 0, true
	}
	s = strings.TrimSpace(s)
	var zero T
	bits := 64
	switch any(zero).(type) {
	case int, uint:
		bits = strconv.IntSize
	}
	if zero-1 < zero {
		n, err := strconv.ParseInt(s, 10, bits)
		return T(n), err == nil
	}
	n, err := strconv.ParseUint(s, 10, bits)
	return T(n), err == nil
}

func setAttr[T integer](d *decoder, a *xmlscan.Attr, dst *T) {
	if n, ok := number[T](d.attrString(a)); ok {
		*dst = n
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func setText[T integer](d *decoder, t *text, dst *T) {
	if n, ok := number[T](t.String()); ok {
		*dst = n
	} else {
		d.omitText(t.span, NotANumber)
	}
}

func (d *decoder) attrInt(a *xmlscan.Attr, dst *int)       { setAttr(d, a, dst) }
func (d *decoder) attrUint(a *xmlscan.Attr, dst *uint)     { setAttr(d, a, dst) }
func (d *decoder) attrUint64(a *xmlscan.Attr, dst *uint64) { setAttr(d, a, dst) }

func (d *decoder) attrUintPtr(a *xmlscan.Attr, dst **uint) {
	if n, ok := number[uint](d.attrString(a)); ok {
		*dst = d.newUint(n)
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) attrIntPtr(a *xmlscan.Attr, dst **int) {
	if n, ok := number[int](d.attrString(a)); ok {
		*dst = d.slabs.int.new(d)
		**dst = n
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) elementUint(dst *uint)     { t := d.content(); setText(d, &t, dst) }
func (d *decoder) elementUint64(dst *uint64) { t := d.content(); setText(d, &t, dst) }

func (d *decoder) textInt(t *text, dst *int)       { setText(d, t, dst) }
func (d *decoder) textInt64(t *text, dst *int64)   { setText(d, t, dst) }
func (d *decoder) textUint(t *text, dst *uint)     { setText(d, t, dst) }
func (d *decoder) textUint64(t *text, dst *uint64) { setText(d, t, dst) }

// newUint returns a pointer to n.
func (d *decoder) newUint(n uint) *uint {
	p := d.slabs.uint.new(d)
	*p = n
	return p
}

// based reads a number as libvirtxml's own methods do: no white space, and at base
// 16 with or without 0x.
func based(s string, base int) (uint64, bool) {
	if n, ok := short(s, base); ok {
		return n, true
	}
	if base == 16 {
		s = strings.TrimPrefix(s, "0x")
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

// short reads what nearly all numbers look like: 0x and up to eight digits, which
// is the same at base 0 and 16, or one decimal digit, which is at any.
func short(s string, base int) (n uint64, ok bool) {
	if len(s) == 1 {
		n = uint64(s[0] - '0')
		return n, s[0] >= '0' && n <= 9
	}
	if base == 10 || len(s) < 3 || len(s) > 10 || s[0] != '0' || s[1] != 'x' {
		return 0, false
	}
	for i := 2; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return n, true
}

func (d *decoder) attrBaseUint(a *xmlscan.Attr, base int, dst **uint) {
	if n, ok := based(d.attrString(a), base); ok {
		*dst = d.newUint(uint(n))
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) attrBaseUint64(a *xmlscan.Attr, base int, dst **uint64) {
	if n, ok := based(d.attrString(a), base); ok {
		*dst = &n
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) firstBaseUint(t text, base int, dst **uint) {
	if n, ok := based(t.s, base); ok {
		*dst = d.newUint(uint(n))
	} else {
		d.omitText(t.span, NotANumber)
	}
}

func (d *decoder) firstBaseUint64(t text, base int, dst **uint64) {
	if n, ok := based(t.s, base); ok {
		*dst = &n
	} else {
		d.omitText(t.span, NotANumber)
	}
}

func (d *decoder) attrInt32(a *xmlscan.Attr, dst *int) {
	if n, err := strconv.ParseInt(d.attrString(a), 10, 32); err == nil {
		*dst = int(n)
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) attrUint32(a *xmlscan.Attr, dst *uint) {
	if n, err := strconv.ParseUint(d.attrString(a), 10, 32); err == nil {
		*dst = uint(n)
	} else {
		d.omitAttr(a, NotANumber)
	}
}

func (d *decoder) attrStringPtr(a *xmlscan.Attr, dst **string) {
	s := d.attrString(a)
	*dst = &s
}
