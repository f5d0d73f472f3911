package xmlscan

import "bytes"

// markup reads what begins with "<!": a comment or a CDATA section.
func (s *Scanner) markup(i int) (Kind, int) {
	rest := s.src[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!--")):
		return Comment, s.comment(i)
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return CDATA, s.cdata(i)
	case bytes.HasPrefix(rest, []byte("<!DOCTYPE")):
		return EOF, s.fail(i, "DOCTYPE is refused")
	}
	return EOF, s.fail(i, "\"<!\" begins neither a comment nor a CDATA section")
}

func (s *Scanner) comment(i int) int {
	from := i + len("<!--")
	n := bytes.Index(s.src[from:], []byte("--"))
	if n < 0 {
		return s.fail(i, "comment is not closed")
	}
	to := from + n
	if s.chars(from, to) < 0 {
		return -1
	}
	if to+2 >= len(s.src) {
		return s.fail(i, "comment is not closed")
	}
	if s.src[to+2] != '>' {
		return s.fail(to, "\"--\" in a comment")
	}
	s.content = Span{from, to}
	return to + 3
}

func (s *Scanner) cdata(i int) int {
	if len(s.open) == 0 {
		return s.fail(i, "CDATA section outside the root element")
	}
	from := i + len("<![CDATA[")
	n := bytes.Index(s.src[from:], []byte("]]>"))
	if n < 0 {
		return s.fail(i, "CDATA section is not closed")
	}
	s.content = Span{from, from + n}
	if s.chars(from, from+n) < 0 {
		return -1
	}
	return from + n + 3
}

// instruction reads a processing instruction or the XML declaration.
func (s *Scanner) instruction(i int) int {
	from := i + len("<?")
	end, _ := s.readName(from)
	if end <= from {
		if end < 0 {
			return end
		}
		return s.fail(from, "target of a processing instruction expected, not "+s.describe(from))
	}
	n := bytes.Index(s.src[end:], []byte("?>"))
	if n < 0 {
		return s.fail(i, "processing instruction is not closed")
	}
	to := end + n
	s.content = Span{from, to}
	switch target := s.src[from:end]; {
	case string(target) == "xml" && (i == 0 || i == len(bom) && bytes.HasPrefix(s.src, bom)):
		if s.declaration(end, to) < 0 {
			return -1
		}
		return to + 2
	case bytes.EqualFold(target, []byte("xml")):
		return s.fail(i, "XML declaration is not at the start of the document")
	}
	if n > 0 && class[s.src[end]]&isSpace == 0 {
		return s.fail(end, "unexpected "+s.describe(end)+" in the target of a processing instruction")
	}
	if s.chars(end, to) < 0 {
		return -1
	}
	return to + 2
}
