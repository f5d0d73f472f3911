package abi

import (
	"fmt"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// value is what is compared: the text that libvirt would print.
type value struct {
	text string
	open bool // not given, and libvirt may fill in anything: equal to every value
}

// field is one value of an element of type T.
type field[T any] struct {
	path     string // from the element; empty for the element itself
	message  string // see Rule
	value    func(*T) value
	function string                     // where it is another one than the kind's
	equal    func(src, dst string) bool // nil: the same text
	when     func(d *T) bool            // asked of the source; nil: always
	restore  bool                       // compared on a restore only
}

// kind is an element that may be there several times.
type kind[T any] struct {
	path     string
	function string
	count    string // the message when one side has more; see Rule
	counted  string // the function that counts; empty: virDomainDefCheckABIStabilityFlags
	list     func(*libvirtxml.Domain) []T
	fields   []field[T]

	// add adds those that libvirt does, by itself; nil: none.
	add func(d *libvirtxml.Domain, items []item[T]) []item[T]
	// order puts them into the order that libvirt compares them in, nil: as they are.
	order func([]item[T]) []item[T]
	// pair drops those that libvirt would add to the other side; nil: none.
	pair func(src, dst *libvirtxml.Domain, s, d []item[T]) (_, _ []item[T])
}

// item is an element and where it was in its list, -1 for one that is not in the XML.
type item[T any] struct {
	of    *T
	index int
}

// added returns items of elements that are not in the XML.
func added[T any](elements ...T) []item[T] {
	items := make([]item[T], len(elements))
	for i := range elements {
		items[i] = item[T]{&elements[i], -1}
	}
	return items
}

func (k *kind[T]) items(d *libvirtxml.Domain) []item[T] {
	list := k.list(d)
	items := make([]item[T], len(list))
	for i := range list {
		items[i] = item[T]{&list[i], i}
	}
	if k.add != nil {
		items = k.add(d, items)
	}
	if k.order != nil {
		items = k.order(items)
	}
	return items
}

func (k *kind[T]) check(src, dst *libvirtxml.Domain, restore bool) error {
	s, d := k.items(src), k.items(dst)
	nsrc, ndst := len(s), len(d)
	if k.pair != nil {
		s, d = k.pair(src, dst, s, d)
	}
	if len(s) != len(d) {
		return &Error{k.path, format(k.count, strconv.Itoa(ndst), strconv.Itoa(nsrc))}
	}
	for i := range s {
		if f, message := k.differ(i, s[i].of, d[i].of, restore); f != nil {
			return &Error{k.place(d[i].index, len(k.list(dst)), f.path), message}
		}
	}
	return nil
}

// differ returns the first field of the i-th pair that differs and libvirt's message.
func (k *kind[T]) differ(i int, src, dst *T, restore bool) (*field[T], string) {
	for j := range k.fields {
		f := &k.fields[j]
		if f.restore && !restore || f.when != nil && !f.when(src) {
			continue
		}
		a, b := f.value(src), f.value(dst)
		switch {
		case a.open || b.open || a.text == b.text:
		case f.equal != nil && f.equal(a.text, b.text):
		default:
			return f, format(f.message, b.text, a.text, strconv.Itoa(i))
		}
	}
	return nil, ""
}

// place is the path of a field of the element at index of n.
func (k *kind[T]) place(index, n int, path string) string {
	at := k.path
	if n > 1 && index >= 0 {
		at += "[" + strconv.Itoa(index+1) + "]"
	}
	return join(at, path)
}

func join(at, path string) string {
	if path == "" {
		return at
	}
	return at + "/" + path
}

// format is Sprintf for messages that may name no value.
func format(message string, values ...any) string {
	if !strings.Contains(message, "%") {
		return message
	}
	return fmt.Sprintf(message, values...)
}

func (k *kind[T]) rules() []Rule {
	var all []Rule
	if k.count != "" {
		all = append(all, Rule{Path: k.path, Function: or(k.counted, domainFunction).text, Message: k.count})
	}
	for i := range k.fields {
		f := &k.fields[i]
		function := f.function
		if function == "" {
			function = k.function
		}
		all = append(all, Rule{join(k.path, f.path), function, f.message, f.restore})
	}
	return all
}
