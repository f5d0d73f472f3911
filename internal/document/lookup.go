package document

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// UUID returns the UUID of the domain or network in raw as it stands there, "" when
// there is none.
func UUID(raw []byte) (string, error) {
	var uuid []byte
	err := children(raw, func(s *xmlscan.Scanner, name string) error {
		if name != "uuid" || uuid != nil {
			return s.SkipElement()
		}
		return content(s, func(kind xmlscan.Kind) error {
			switch kind {
			case xmlscan.Text:
				uuid = xmlscan.AppendText(uuid, s.Bytes(s.Content()))
			case xmlscan.CDATA:
				uuid = append(uuid, s.Bytes(s.Content())...)
			case xmlscan.Start:
				return s.SkipElement()
			}
			return nil
		})
	})
	return string(bytes.TrimSpace(uuid)), err
}

// HasMetadata says whether the <metadata> of the domain or network in raw holds
// an element of that namespace and, unless it is "", of that local name.
func HasMetadata(raw []byte, space, local string) (bool, error) {
	found := false
	err := children(raw, func(s *xmlscan.Scanner, name string) error {
		if name != "metadata" {
			return s.SkipElement()
		}
		return content(s, func(kind xmlscan.Kind) error {
			if kind != xmlscan.Start {
				return nil
			}
			if namespace(s) == space && (local == "" || string(s.Bytes(s.Local())) == local) {
				found = true
			}
			return s.SkipElement()
		})
	})
	return found, err
}

// children calls f at the start tag of each child of the <domain> or <network> in
// raw, which may be wrapped in <hookData>. f reads on to the child's end tag. What
// else there is, a network's port among it, is read for its syntax alone.
func children(raw []byte, f func(s *xmlscan.Scanner, name string) error) error {
	object := 0 // the depth of <domain> or <network>
	return walk(raw, func(s *xmlscan.Scanner) error {
		name := string(s.Bytes(s.Name()))
		switch {
		case s.Depth() == 1 && name == "hookData":
			return nil
		case object == 0 && (name == "domain" || name == "network"):
			object = s.Depth()
			return nil
		case object > 0 && s.Depth() == object+1:
			return f(s, name)
		}
		return s.SkipElement()
	})
}

// content calls f for each token in the element that the scanner is at. f reads on
// to the end tag of an element in it.
func content(s *xmlscan.Scanner, f func(xmlscan.Kind) error) error {
	depth := s.Depth()
	for {
		kind, err := s.Next()
		if err != nil || kind == xmlscan.End && s.Depth() == depth {
			return err
		}
		if err := f(kind); err != nil {
			return err
		}
	}
}

// namespace is that of the element that the scanner is at.
func namespace(s *xmlscan.Scanner) string {
	name, local := s.Name(), s.Local()
	prefix := bytes.TrimSuffix(s.Bytes(xmlscan.Span{From: name.From, To: local.From}), []byte(":"))
	uri, _ := s.Space(prefix)
	return string(xmlscan.AppendAttr(nil, uri))
}
