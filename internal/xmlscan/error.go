package xmlscan

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// ErrEmpty is in the chain of the error for a document of nothing but white space.
var ErrEmpty = errors.New("document is empty")

// SyntaxError says why a document cannot be read, and where.
type SyntaxError struct {
	Offset       int // in bytes, from 0
	Line, Column int // from 1, columns in bytes
	Msg          string

	cause error
}

// Error returns "line L, column C: msg".
func (e *SyntaxError) Error() string {
	return "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": " + e.Msg
}

// Unwrap returns ErrEmpty for an empty document, nil for others.
func (e *SyntaxError) Unwrap() error { return e.cause }

// Position returns the line and column of an offset, both from 1, columns in bytes.
func Position(src []byte, offset int) (line, column int) {
	before := src[:offset]
	return bytes.Count(before, []byte("\n")) + 1, offset - bytes.LastIndexByte(before, '\n')
}

// fail records an error at i and returns -1, which is how the functions that
// return an offset say that there was one.
func (s *Scanner) fail(i int, msg string) int {
	line, column := Position(s.src, i)
	s.err = &SyntaxError{Offset: i, Line: line, Column: column, Msg: msg}
	return -1
}

// failEmpty records that the document, which ends at i, has no root element.
func (s *Scanner) failEmpty(i int) {
	text := bytes.TrimPrefix(s.src, bom)
	if len(bytes.TrimLeft(text, " \t\r\n")) > 0 {
		s.fail(i, "document has no root element")
		return
	}
	s.fail(i, ErrEmpty.Error())
	s.err.cause = ErrEmpty
}

// line returns the number of the line of an offset.
func (s *Scanner) line(offset int) string {
	line, _ := Position(s.src, offset)
	return strconv.Itoa(line)
}

// quote returns the text of a span for an error, cut where it is too long for one.
func (s *Scanner) quote(span Span) string {
	const limit = 60
	text := s.src[span.From:span.To]
	if len(text) <= limit {
		return string(text)
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return string(text[:cut]) + "…"
}

// describe returns the character at i for an error.
func (s *Scanner) describe(i int) string {
	if i >= len(s.src) {
		return "the end of the document"
	}
	if class[s.src[i]]&isSpace != 0 {
		return "white space"
	}
	r, size := utf8.DecodeRune(s.src[i:])
	switch {
	case r == utf8.RuneError && size == 1:
		return "invalid UTF-8"
	case strconv.IsPrint(r):
		return "\"" + string(r) + "\""
	}
	return codePoint(r)
}

// codePoint returns U+ and at least four digits.
func codePoint(r rune) string {
	digits := strconv.FormatInt(int64(r), 16)
	for len(digits) < 4 {
		digits = "0" + digits
	}
	return "U+" + string(bytes.ToUpper([]byte(digits)))
}
