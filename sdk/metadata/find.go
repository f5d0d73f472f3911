package metadata

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

const (
	open = "<metadata>"
	shut = "</metadata>"
)

// span is a range of bytes of the content.
type span struct{ from, to int }

// find returns where the element is, or where it would be added: after all that is
// there but the white space at the end.
func find(content string, name Name) (at span, found bool, err error) {
	if name.Space == "" {
		return span{}, false, errNoSpace
	}
	src := []byte(open + content + shut)
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return span{}, false, malformed(err)
		}
		if kind == xmlscan.EOF {
			break
		}
		if kind != xmlscan.Start || s.Depth() != 2 {
			continue
		}
		is := matches(&s, name)
		from := s.Span().From
		if err := s.SkipElement(); err != nil {
			return span{}, false, malformed(err)
		}
		if !is {
			continue
		}
		if found {
			return span{}, false, errTwice
		}
		at, found = span{from - len(open), s.Span().To - len(open)}, true
	}
	if !found {
		end := len(strings.TrimRight(content, " \t\r\n"))
		at = span{end, end}
	}
	return at, found, nil
}

// matches says whether the element that starts here is the one. A prefix that is not
// declared was so on <metadata>: it is taken for the name's own.
func matches(s *xmlscan.Scanner, name Name) bool {
	if string(s.Bytes(s.Local())) != name.Local {
		return false
	}
	prefix := prefixOf(s)
	space, declared := s.Space(prefix)
	if !declared {
		return string(prefix) == name.Prefix
	}
	return string(space) == name.Space
}

// prefixOf returns the prefix of the current element, empty where it has none.
func prefixOf(s *xmlscan.Scanner) []byte {
	return bytes.TrimSuffix(s.Src()[s.Name().From:s.Local().From], []byte(":"))
}

// malformed drops the place from a scanner's error: it is one in the wrapped text.
func malformed(err error) error {
	var syntax *xmlscan.SyntaxError
	if errors.As(err, &syntax) {
		return errors.New("the metadata there is not well-formed: " + syntax.Msg)
	}
	return err
}

// enclose puts an element into one that declares the name's namespace.
func enclose(name Name, element string) []byte {
	var b bytes.Buffer
	b.WriteString("<metadata ")
	b.WriteString(declaration(name))
	b.WriteString(">")
	b.WriteString(element)
	b.WriteString(shut)
	return b.Bytes()
}

// declaration returns xmlns:prefix="space".
func declaration(name Name) string {
	var b strings.Builder
	b.WriteString("xmlns")
	if name.Prefix != "" {
		b.WriteString(":" + name.Prefix)
	}
	b.WriteString(`="`)
	_ = xml.EscapeText(&b, []byte(name.Space)) // a Builder takes everything
	b.WriteString(`"`)
	return b.String()
}
