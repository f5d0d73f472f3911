// Package document reads and writes the XML that libvirt gives to hooks. It is
// the one seam between the SDK and an XML engine, which for now is
// encoding/xml: a document that is changed is written anew by libvirtxml, so
// what libvirtxml does not know is lost from it.
package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"libvirt.org/go/libvirtxml"
)

// MaxDepth is how deeply elements may nest. libvirt's own documents stay below 20;
// libxml2, which libvirt parses with, stops at 256.
const MaxDepth = 256

// path is the names of the open elements, the root first.
type path []xml.Name

// walk reads the whole document and calls start for each start tag, with the
// names from the root down to it, and text for each text, with the names of the
// elements around it. It refuses what is not one well-formed element, and DOCTYPE.
func walk(raw []byte, start func(path, xml.StartElement), text func(path, []byte)) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	var at path
	seen := false
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return place(d, err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(at) == 0 && seen {
				return place(d, fmt.Errorf("a second root element <%s>", t.Name.Local))
			}
			seen = true
			if len(at) == MaxDepth {
				return place(d, fmt.Errorf("elements nest deeper than %d", MaxDepth))
			}
			at = append(at, t.Name)
			if start != nil {
				start(at, t)
			}
		case xml.EndElement:
			at = at[:len(at)-1]
		case xml.CharData:
			if len(at) == 0 && len(bytes.TrimSpace(t)) > 0 {
				return place(d, errors.New("text outside the root element"))
			}
			if text != nil {
				text(at, t)
			}
		case xml.Directive:
			if word, _, _ := strings.Cut(string(t), " "); strings.EqualFold(word, "DOCTYPE") {
				return place(d, errors.New("DOCTYPE is refused"))
			}
			return place(d, errors.New("a <! declaration is refused"))
		}
	}
	if !seen {
		if len(bytes.TrimSpace(raw)) == 0 {
			return ErrEmpty
		}
		return errors.New("no root element")
	}
	return nil
}

// ErrEmpty is returned for a document of nothing or white space.
var ErrEmpty = errors.New("empty where XML is due")

// place adds the line to an error, unless encoding/xml has.
func place(d *xml.Decoder, err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d: %s", syntax.Line, syntax.Msg)
	}
	line, column := d.InputPos()
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// check says whether raw is one well-formed document with that root.
func check(raw []byte, root string) error {
	var got xml.Name
	err := walk(raw, func(at path, _ xml.StartElement) {
		if len(at) == 1 {
			got = at[0]
		}
	}, nil)
	if err != nil {
		return err
	}
	if got.Space != "" {
		return fmt.Errorf("the root element is <%s xmlns=%q>, not <%s>", got.Local, got.Space, root)
	}
	if got.Local != root {
		return fmt.Errorf("the root element is <%s>, not <%s>", got.Local, root)
	}
	return nil
}

// Domain decodes a <domain>.
func Domain(raw []byte) (*libvirtxml.Domain, error) {
	if err := check(raw, "domain"); err != nil {
		return nil, err
	}
	d := new(libvirtxml.Domain)
	if err := xml.Unmarshal(raw, d); err != nil {
		return nil, err
	}
	return d, nil
}

// hookData is what the network driver wraps its documents in.
type hookData struct {
	XMLName     xml.Name                `xml:"hookData"`
	Network     *libvirtxml.Network     `xml:"network"`
	NetworkPort *libvirtxml.NetworkPort `xml:"networkport"`
}

// Network decodes the <network> of a <hookData> and, where withPort says so, the
// <networkport> beside it; either missing is an error.
func Network(raw []byte, withPort bool) (*libvirtxml.Network, *libvirtxml.NetworkPort, error) {
	if err := check(raw, "hookData"); err != nil {
		return nil, nil, err
	}
	var data hookData
	if err := xml.Unmarshal(raw, &data); err != nil {
		return nil, nil, err
	}
	if data.Network == nil {
		return nil, nil, errors.New("<hookData> has no <network>")
	}
	if withPort && data.NetworkPort == nil {
		return nil, nil, errors.New("<hookData> has no <networkport>")
	}
	return data.Network, data.NetworkPort, nil
}

// Apply returns the document with what the handler changed, or nil when the
// edited domain says nothing else than raw does.
func Apply(raw []byte, edited *libvirtxml.Domain) ([]byte, error) {
	before, err := Domain(raw)
	if err != nil {
		return nil, err
	}
	old, err := before.Marshal()
	if err != nil {
		return nil, fmt.Errorf("writing the domain as it was: %w", err)
	}
	changed, err := edited.Marshal()
	if err != nil {
		return nil, fmt.Errorf("writing the domain: %w", err)
	}
	if changed == old {
		return nil, nil
	}
	// encoding/xml writes U+FFFD for what XML cannot hold, and says nothing.
	if strings.Count(changed, "\uFFFD") > strings.Count(old, "\uFFFD") {
		return nil, errors.New("the edited domain has a character that XML cannot hold")
	}
	// What does not read back as it was written must not reach libvirt.
	out := []byte(changed)
	after, err := Domain(out)
	if err != nil {
		return nil, fmt.Errorf("the edited domain does not read back: %w", err)
	}
	if again, err := after.Marshal(); err != nil || again != changed {
		return nil, errors.New("the edited domain does not read back as the handler left it")
	}
	return out, nil
}

// Replace checks XML that a handler wrote itself. It returns nil when that is
// raw, byte for byte.
func Replace(raw, replacement []byte) ([]byte, error) {
	if bytes.Equal(raw, replacement) {
		return nil, nil
	}
	if err := check(replacement, "domain"); err != nil {
		return nil, err
	}
	return bytes.Clone(replacement), nil
}

// UUID returns the UUID of the domain or network in raw as it stands there, "" when
// there is none.
func UUID(raw []byte) (string, error) {
	var uuid strings.Builder
	err := walk(raw, nil, func(at path, text []byte) {
		if at = object(at); len(at) == 2 && at[1] == (xml.Name{Local: "uuid"}) {
			uuid.Write(text)
		}
	})
	return strings.TrimSpace(uuid.String()), err
}

// HasMetadata says whether the <metadata> of the domain or network in raw holds
// an element of that namespace and, unless it is "", of that local name.
func HasMetadata(raw []byte, space, local string) (bool, error) {
	found := false
	err := walk(raw, func(at path, e xml.StartElement) {
		if at = object(at); len(at) == 3 && at[1] == (xml.Name{Local: "metadata"}) {
			found = found || e.Name.Space == space && (local == "" || e.Name.Local == local)
		}
	}, nil)
	return found, err
}

// object cuts the wrapper off a path: what is left starts at <domain> or <network>.
// Elsewhere, a network's port among it, nothing is left.
func object(at path) path {
	if len(at) > 0 && at[0] == (xml.Name{Local: "hookData"}) {
		at = at[1:]
	}
	if len(at) > 0 && (at[0] == xml.Name{Local: "domain"} || at[0] == xml.Name{Local: "network"}) {
		return at
	}
	return nil
}
