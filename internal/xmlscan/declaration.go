package xmlscan

import (
	"bytes"
	"strconv"
)

// declaration checks what is from i to end in <?xml … ?>: a version, perhaps an
// encoding, perhaps whether the document stands alone. It returns end.
func (s *Scanner) declaration(i, end int) int {
	version, i := s.pseudo(i, end, "version")
	if i < 0 {
		return i
	}
	if version.From == 0 {
		return s.fail(i, "XML declaration has no version")
	}
	if !validVersion(s.Bytes(version)) {
		return s.fail(version.From, "XML version "+strconv.Quote(s.quote(version))+" is not supported")
	}

	encoding, i := s.pseudo(i, end, "encoding")
	if i < 0 {
		return i
	}
	if encoding.From > 0 {
		switch string(bytes.ToLower(s.Bytes(encoding))) {
		case "utf-8":
		case "us-ascii":
			s.ascii = true
		default:
			return s.fail(encoding.From, "encoding "+strconv.Quote(s.quote(encoding))+" is not supported")
		}
	}

	alone, i := s.pseudo(i, end, "standalone")
	if i < 0 {
		return i
	}
	if text := string(s.Bytes(alone)); alone.From > 0 && text != "yes" && text != "no" {
		return s.fail(alone.From, "standalone is neither \"yes\" nor \"no\"")
	}

	if i = s.space(i); i < end {
		return s.fail(i, "unexpected "+s.describe(i)+" in the XML declaration")
	}
	return end
}

// pseudo reads name="value" after white space and returns where the value is and
// where to go on: a span at 0 and i where something else comes.
func (s *Scanner) pseudo(i, end int, name string) (Span, int) {
	at := s.space(i)
	if at == i || !bytes.HasPrefix(s.src[at:end], []byte(name)) {
		return Span{}, i
	}
	eq := s.space(at + len(name))
	if eq >= end || s.src[eq] != '=' {
		return Span{}, s.fail(at, name+" in the XML declaration has no value")
	}
	from := s.space(eq + 1)
	if from >= end || s.src[from] != '\'' && s.src[from] != '"' {
		return Span{}, s.fail(from, name+" in the XML declaration is not quoted")
	}
	n := bytes.IndexByte(s.src[from+1:end], s.src[from])
	if n < 0 {
		return Span{}, s.fail(from, name+" in the XML declaration is not quoted")
	}
	value := Span{from + 1, from + 1 + n}
	if s.chars(value.From, value.To) < 0 {
		return Span{}, -1
	}
	return value, value.To + 1
}

// validVersion says whether a version is 1.x, which a reader of 1.0 reads.
func validVersion(v []byte) bool {
	digits, ok := bytes.CutPrefix(v, []byte("1."))
	return ok && len(digits) > 0 && len(bytes.Trim(digits, "0123456789")) == 0
}
