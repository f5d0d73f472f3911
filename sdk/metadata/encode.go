package metadata

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// encode writes v as the element. encoding/xml knows no prefixes, it declares the
// namespace as the default one: the prefix is put before the names of that namespace.
func encode(name Name, v any) (string, error) {
	if name.Space == "" {
		return "", errNoSpace
	}
	var plain bytes.Buffer
	e := xml.NewEncoder(&plain)
	if err := e.EncodeElement(v, xml.StartElement{Name: xml.Name{Space: name.Space, Local: name.Local}}); err != nil {
		return "", err
	}
	if err := e.Close(); err != nil {
		return "", err
	}
	element, err := prefixed(name, plain.Bytes())
	if err != nil {
		return "", err
	}
	return element, check(name, element)
}

// prefixed returns a document with the prefix before all names of the namespace.
func prefixed(name Name, src []byte) (string, error) {
	var out strings.Builder
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return "", fmt.Errorf("%w: %w", errNoElement, err)
		}
		token := s.Span()
		ours := false
		if kind == xmlscan.Start || kind == xmlscan.End {
			space, _ := s.Space(nil)
			ours = s.Name() == s.Local() && string(space) == name.Space
		}
		switch {
		case kind == xmlscan.EOF:
			return out.String(), nil
		case !ours || token.From == token.To:
			out.Write(s.Bytes(token))
		case kind == xmlscan.End:
			out.WriteString("</" + qualify(name, s.Bytes(s.Name())) + ">")
		default:
			out.WriteString("<" + qualify(name, s.Bytes(s.Name())))
			if s.Depth() == 1 {
				out.WriteString(" " + declaration(name))
			}
			for _, a := range s.Attrs() {
				// The default namespace is the name's own: nothing needs it any more.
				if string(s.Bytes(a.Name)) != "xmlns" {
					out.WriteString(" ")
					out.Write(s.Bytes(a.All))
				}
			}
			if s.SelfClosing() {
				out.WriteString("/")
			}
			out.WriteString(">")
		}
	}
}

func qualify(name Name, local []byte) string {
	return Name{Prefix: name.Prefix, Local: string(local)}.qualified()
}

// check says whether element is one element of that name.
func check(name Name, element string) error {
	var s xmlscan.Scanner
	s.Reset([]byte(element))
	kind, err := s.Next()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoElement, err)
	}
	space, _ := s.Space([]byte(name.Prefix))
	if kind != xmlscan.Start || string(s.Bytes(s.Name())) != name.qualified() || string(space) != name.Space {
		return errNoElement
	}
	for kind != xmlscan.EOF {
		if kind, err = s.Next(); err != nil {
			return fmt.Errorf("%w: %w", errNoElement, err)
		}
	}
	return nil
}
