package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/abi"
	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/splice"
	"github.com/virthook/virthook/internal/xmlscan"
)

// ErrNoEffect says that something was edited of which the XML shows nothing: the
// XML is as it was. An example is a number set to 0 that libvirtxml leaves out then.
var ErrNoEffect = errors.New("the edit has no effect on the XML")

// Edit is what a handler made of a document.
type Edit[T any] struct {
	XML   []byte   // nil: the document is as it was
	Paths []string // of all that was changed, without indexes; nil: not known
	// Before and After are the typed documents of the XML that came in and of XML.
	// Before is nil where [abi.Compares] none of Paths: decoding costs. After may be
	// what the handler returned, which reads the same.
	Before, After *T
}

// ApplyDomain carries what was edited over into the bytes that the domain was
// decoded from, and nothing else: no XML when the edited domain says nothing else
// than raw does. What cannot be carried over is refused ([splice.Refusals]).
func ApplyDomain(raw []byte, edited *libvirtxml.Domain) (Edit[libvirtxml.Domain], error) {
	return apply("domain", raw, edited, coding[libvirtxml.Domain]{codec.ViewDomain, codec.EncodeDomain, codec.CompareDomain})
}

// ApplyNetwork is [ApplyDomain] for a network.
func ApplyNetwork(raw []byte, edited *libvirtxml.Network) (Edit[libvirtxml.Network], error) {
	return apply("network", raw, edited, coding[libvirtxml.Network]{codec.ViewNetwork, codec.EncodeNetwork, codec.CompareNetwork})
}

// ApplyNetworkPort is [ApplyDomain] for a network port.
func ApplyNetworkPort(raw []byte, edited *libvirtxml.NetworkPort) (Edit[libvirtxml.NetworkPort], error) {
	return apply("networkport", raw, edited, coding[libvirtxml.NetworkPort]{codec.ViewNetworkPort, codec.EncodeNetworkPort, codec.CompareNetworkPort})
}

// coding is how a kind of document is read, written and compared.
type coding[T any] struct {
	decode  func([]byte) (*T, *codec.Report, error) // without a copy
	encode  func(*T) ([]byte, error)
	compare func(raw []byte, now *T, same *codec.Same) ([]codec.Value, bool, error)
}

func apply[T any](root string, raw []byte, edited *T, c coding[T]) (Edit[T], error) {
	var same codec.Same
	changed, ok, err := c.compare(raw, edited, &same)
	if err != nil || ok && len(changed) == 0 {
		return Edit[T]{}, err
	}
	if ok {
		if edit, ok := c.shortWay(raw, edited, changed, &same); ok {
			return edit, nil
		}
	}
	view, report, err := c.decode(raw)
	if err != nil {
		return Edit[T]{}, err
	}
	out, back, err := c.longWay(root, raw, view, edited, report)
	if err != nil || out == nil {
		return Edit[T]{}, err
	}
	return Edit[T]{XML: out, Before: view, After: back}, nil
}

// shortWay puts values into raw, and holds the result against the edited document. What
// does not read back as the handler left it is not for the short way. The devices that
// have not changed are in the result as they were, and were as the handler left them.
func (c coding[T]) shortWay(raw []byte, edited *T, changed []codec.Value, same *codec.Same) (Edit[T], bool) {
	out, paths, ok := splice.Values(raw, changed, same.Devices())
	if !ok {
		return Edit[T]{}, false
	}
	differing, ok, err := c.compare(out, edited, same)
	if err != nil || !ok || len(differing) > 0 {
		return Edit[T]{}, false
	}
	edit := Edit[T]{XML: out, After: edited, Paths: paths}
	if slices.ContainsFunc(paths, abi.Compares) {
		edit.Before, _, err = c.decode(raw)
	}
	return edit, err == nil
}

// longWay puts into raw what of the XML of the edited document differs from that of
// the view.
func (c coding[T]) longWay(root string, raw []byte, view, edited *T, report *codec.Report) ([]byte, *T, error) {
	before, err := c.encode(view)
	if err != nil {
		return nil, nil, fmt.Errorf("writing the document as it was: %w", err)
	}
	after, err := c.encode(edited)
	if err != nil {
		return nil, nil, fmt.Errorf("writing the edited document: %w", err)
	}
	if bytes.Equal(before, after) {
		return nil, nil, ErrNoEffect
	}
	// libvirtxml writes U+FFFD for what XML cannot hold, and says nothing.
	if replacement := []byte("\uFFFD"); bytes.Count(after, replacement) > bytes.Count(before, replacement) {
		return nil, nil, errors.New("the edited document has a character that XML cannot hold")
	}
	out, err := splice.Apply(raw, before, after, splice.Options{LeftOut: leftOut(report)})
	var syntax *xmlscan.SyntaxError
	if errors.As(err, &syntax) { // of metadata: nothing else of the view is XML
		return nil, nil, fmt.Errorf("/%s/metadata: the edited XML is not well-formed: %s", root, syntax.Msg)
	}
	if err != nil {
		return nil, nil, err
	}
	if out == nil { // raw has nothing to change, and so has to read as the edit says
		if r := splice.Check(after, before); r != nil {
			return nil, nil, r
		}
		return nil, nil, ErrNoEffect
	}
	// What does not read back as the handler left it must not reach libvirt.
	back, _, err := c.decode(out)
	if err != nil {
		return nil, nil, fmt.Errorf("the edited document does not read back: %w", err)
	}
	again, err := c.encode(back)
	if err != nil {
		return nil, nil, fmt.Errorf("the edited document does not read back: %w", err)
	}
	if r := splice.Check(after, again); r != nil {
		return nil, nil, r
	}
	return out, back, nil
}

// leftOut are the places that an edit must not write over, for nobody knows what
// stands there. Where libvirtxml takes a value for none it may.
func leftOut(report *codec.Report) []xmlscan.Span {
	var spans []xmlscan.Span
	for _, o := range report.Omissions() {
		if o.Reason != codec.NotKept {
			spans = append(spans, o.Span)
		}
	}
	return spans
}

// ReplaceDomain checks XML that a handler wrote itself. There is no XML in the result
// when that is raw, byte for byte.
func ReplaceDomain(raw, replacement []byte) (edit Edit[libvirtxml.Domain], err error) {
	if bytes.Equal(raw, replacement) {
		return edit, nil
	}
	err = walk(replacement, func(s *xmlscan.Scanner) error {
		if name := string(s.Bytes(s.Name())); s.Depth() == 1 && name != "domain" {
			return fmt.Errorf("the root element is <%s>, not <domain>", name)
		}
		return nil
	})
	if err != nil {
		return edit, err
	}
	if edit.Before, _, err = codec.ViewDomain(raw); err != nil {
		return edit, err
	}
	edit.XML = bytes.Clone(replacement)
	edit.After, _, err = codec.ViewDomain(edit.XML)
	return edit, err
}
