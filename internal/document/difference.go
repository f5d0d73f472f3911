package document

import (
	"reflect"
	"unsafe"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/splice"
	"github.com/virthook/virthook/internal/xmlscan"
)

// difference is what sets two typed documents apart.
type difference struct {
	raw     []byte         // what the strings of the first are cut from, nil: nobody asks for values
	values  []splice.Value // strings that stand in raw as they are
	other   bool           // and there is something else
	several int            // how many lists of more than one item are around
}

// mirror says some things twice, in attributes of its own and in elements.
var mirror = reflect.TypeFor[libvirtxml.DomainDiskMirror]()

// between compares as reflect.DeepEqual does, of documents, which are trees.
func (d *difference) between(old, now reflect.Value) {
	if d.other {
		return
	}
	switch old.Kind() {
	case reflect.Pointer:
		switch {
		case old.IsNil() != now.IsNil():
			d.other = true
		case !old.IsNil():
			d.between(old.Elem(), now.Elem())
		}
	case reflect.Struct:
		before := len(d.values)
		for i := range old.NumField() {
			d.between(old.Field(i), now.Field(i))
		}
		if len(d.values) > before && old.Type() == mirror {
			d.other = true
		}
	case reflect.Slice:
		d.lists(old, now)
	case reflect.String:
		if o, n := old.String(), now.String(); o != n {
			d.value(o, n)
		}
	case reflect.Bool:
		d.other = old.Bool() != now.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.other = old.Int() != now.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d.other = old.Uint() != now.Uint()
	default:
		d.other = !reflect.DeepEqual(old.Interface(), now.Interface())
	}
}

func (d *difference) lists(old, now reflect.Value) {
	if old.Len() != now.Len() || old.IsNil() != now.IsNil() {
		d.other = true
		return
	}
	if old.Len() > 1 {
		d.several++
		defer func() { d.several-- }()
	}
	changed, known := 0, true
	for i := range old.Len() {
		before := len(d.values)
		o, n := old.Index(i), now.Index(i)
		d.between(o, n)
		if len(d.values) > before {
			changed++
			known = known && isSame(o, n)
		}
	}
	// Several changed items may be items that have changed places, with all that
	// the typed document does not show of them.
	if changed > 1 && !known {
		d.other = true
	}
}

// isSame says whether two items of a list are one device, by what libvirt tells such
// devices apart by.
func isSame(old, now reflect.Value) bool {
	switch o := old.Addr().Interface().(type) {
	case *libvirtxml.DomainDisk:
		n := now.Addr().Interface().(*libvirtxml.DomainDisk)
		return o.Target != nil && n.Target != nil && o.Target.Dev != "" && o.Target.Dev == n.Target.Dev
	case *libvirtxml.DomainInterface:
		n := now.Addr().Interface().(*libvirtxml.DomainInterface)
		return o.MAC != nil && n.MAC != nil && o.MAC.Address != "" && o.MAC.Address == n.MAC.Address
	}
	return false
}

// value finds where a string stands: it is part of the document itself, unless it
// had to be written otherwise there, with references for instance.
func (d *difference) value(old, now string) {
	if len(d.raw) == 0 || old == "" {
		d.other = true
		return
	}
	at := uintptr(unsafe.Pointer(unsafe.StringData(old))) - uintptr(unsafe.Pointer(unsafe.SliceData(d.raw)))
	if at >= uintptr(len(d.raw)) || at+uintptr(len(old)) > uintptr(len(d.raw)) {
		d.other = true
		return
	}
	from := int(at)
	d.values = append(d.values, splice.Value{Span: xmlscan.Span{From: from, To: from + len(old)}, New: now, Lists: d.several})
}

// equal is reflect.DeepEqual of two documents.
func equal[T any](a, b *T) bool {
	var d difference
	d.between(reflect.ValueOf(a), reflect.ValueOf(b))
	return !d.other
}
