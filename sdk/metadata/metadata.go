// Package metadata reads and writes one element of your own in the <metadata> of a
// guest or a network, as a Go value. What others keep there is not touched, to the
// byte: libvirtxml has all of <metadata> as one text, and this package changes just
// your element in it.
//
// libvirt keeps only elements that are in a namespace, and one of each namespace. So
// an element is named by a namespace (any URI that is yours), a prefix for it and a
// name. What is written declares its own namespace.
//
//	var app = metadata.Name{Prefix: "my", Space: "http://example.com/my", Local: "app"}
//
//	found, err := metadata.Get(domain, app, &v)
//	err = metadata.Set(domain, app, v)
//	err = metadata.Delete(domain, app)
//
// Values are read and written by encoding/xml. Fields need no namespace in their tags:
// the element's holds for what is in it.
package metadata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"

	"libvirt.org/go/libvirtxml"
)

// Name names an element of <metadata>.
type Name struct {
	Prefix string // e.g. "my"; empty: the element is written without one
	Space  string // the namespace, e.g. "http://example.com/my"
	Local  string // e.g. "app"
}

// String returns the element as errors name it, e.g. <my:app>.
func (n Name) String() string { return "<" + n.qualified() + ">" }

func (n Name) qualified() string {
	if n.Prefix == "" {
		return n.Local
	}
	return n.Prefix + ":" + n.Local
}

// Holder is what has <metadata>.
type Holder interface {
	*libvirtxml.Domain | *libvirtxml.Network
}

// Get reads the element into v, as xml.Unmarshal does, and says whether it is there.
// v may be nil.
func Get[H Holder](doc H, name Name, v any) (found bool, err error) {
	content := contentOf(doc)
	at, found, err := find(content, name)
	if err != nil || !found || v == nil {
		return found, wrap(name, err)
	}
	// libvirtxml has dropped a declaration that stood on <metadata> itself: it is
	// given again, for the elements that rely on it.
	d := xml.NewDecoder(bytes.NewReader(enclose(name, content[at.from:at.to])))
	if _, err := d.Token(); err != nil {
		return true, wrap(name, err)
	}
	return true, wrap(name, d.Decode(v))
}

// Set writes v as the element, in the place of the one that is there or after all
// others. After an error nothing is changed.
func Set[H Holder](doc H, name Name, v any) error {
	element, err := encode(name, v)
	if err != nil {
		return wrap(name, err)
	}
	content := contentOf(doc)
	at, _, err := find(content, name)
	if err != nil {
		return wrap(name, err)
	}
	setContent(doc, content[:at.from]+element+content[at.to:])
	return nil
}

// Delete removes the element. It is no error when there is none.
func Delete[H Holder](doc H, name Name) error {
	content := contentOf(doc)
	at, found, err := find(content, name)
	if err != nil || !found {
		return wrap(name, err)
	}
	setContent(doc, content[:at.from]+content[at.to:])
	return nil
}

// wrap says whose error it is.
func wrap(name Name, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("metadata: %s: %w", name, err)
}

// contentOf returns what is between <metadata> and </metadata>.
func contentOf(doc any) string {
	switch doc := doc.(type) {
	case *libvirtxml.Domain:
		if doc != nil && doc.Metadata != nil {
			return doc.Metadata.XML
		}
	case *libvirtxml.Network:
		if doc != nil && doc.Metadata != nil {
			return doc.Metadata.XML
		}
	}
	return ""
}

// setContent replaces it. Where nothing is left <metadata> goes too.
func setContent(doc any, content string) {
	switch doc := doc.(type) {
	case *libvirtxml.Domain:
		doc.Metadata = nil
		if content != "" {
			doc.Metadata = &libvirtxml.DomainMetadata{XML: content}
		}
	case *libvirtxml.Network:
		doc.Metadata = nil
		if content != "" {
			doc.Metadata = &libvirtxml.NetworkMetadata{XML: content}
		}
	}
}

var (
	errTwice     = errors.New("there is more than one")
	errNoSpace   = errors.New("no namespace given, without which libvirt drops it")
	errNoElement = errors.New("value is not written as one element of that name")
)
