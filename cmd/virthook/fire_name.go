package main

import (
	"bytes"
	"encoding/xml"
	"slices"

	"github.com/virthook/virthook/internal/xmlscan"
)

// objectName finds the name of what a call is about in its XML: /domain/name, or
// /hookData/network/name for networks and their ports. at is where it stands. The
// error is that of a document that is not well-formed.
func objectName(doc []byte) (name string, at xmlscan.Span, err error) {
	var s xmlscan.Scanner
	s.Reset(doc)
	depth := 2 // of the name
	for found := false; ; {
		kind, err := s.Next()
		if err != nil || kind == xmlscan.EOF {
			return name, at, err
		}
		if kind != xmlscan.Start {
			continue
		}
		switch tag := string(s.Bytes(s.Name())); {
		case s.Depth() == 1:
			if tag == "hookData" {
				depth = 3
			}
		case s.Depth() < depth && tag == "network":
		case s.Depth() == depth && tag == "name" && !found:
			found = true
			if name, at, err = text(&s); err != nil {
				return "", at, err
			}
		default:
			if err := s.SkipElement(); err != nil {
				return "", at, err
			}
		}
	}
}

// text is that of the element that the scanner is at, and where it stands. The scanner
// is at the end of the element then.
func text(s *xmlscan.Scanner) (string, xmlscan.Span, error) {
	at := xmlscan.Span{From: s.Span().To}
	depth := s.Depth()
	var content []byte
	for {
		kind, err := s.Next()
		switch {
		case err != nil:
			return "", at, err
		case kind == xmlscan.End && s.Depth() == depth:
			at.To = s.Span().From
			return string(content), at, nil
		case kind == xmlscan.Text:
			content = xmlscan.AppendText(content, s.Bytes(s.Content()))
		case kind == xmlscan.CDATA:
			content = append(content, s.Bytes(s.Content())...)
		}
	}
}

// withName is the XML with another name of what the call is about, and all else as it
// was. What XML cannot hold is not put there.
func withName(doc []byte, name string) []byte {
	old, at, err := objectName(doc)
	if err != nil || old == "" {
		return doc
	}
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(name)) // a buffer does not fail
	renamed := slices.Concat(doc[:at.From], b.Bytes(), doc[at.To:])
	if now, _, err := objectName(renamed); err != nil || now != name {
		return doc
	}
	return renamed
}
