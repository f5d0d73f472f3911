// Package xmlscan cuts XML into tokens by byte spans. It is for XML as libvirt
// writes and accepts it: UTF-8, no DOCTYPE, bounded depth. It copies nothing and
// allocates nothing per token; what it accepts is well-formed.
package xmlscan

// Kind is the kind of a token.
type Kind uint8

// The kinds of token.
const (
	EOF     Kind = iota
	Start        // <name …>, and <name …/>, after which an End of no width follows
	End          // </name>
	Text         // character data, references in it unresolved
	CDATA        // <![CDATA[…]]>
	Comment      // <!--…-->
	PI           // <?target …?>, the XML declaration among them
)

// MaxDepth is how deep elements may nest. libxml2, which libvirt reads XML with,
// stops at about the same depth.
const MaxDepth = 256

// Span is a range of bytes of the document, To not in it.
type Span struct{ From, To int }

// Attr is an attribute of a start tag.
type Attr struct {
	All   Span // from the name to the closing quote
	Name  Span // as written, with its prefix
	Local Span // the name without its prefix
	Value Span // between the quotes, references in it unresolved
}

// Scanner reads a document token by token. Give it one with Reset; it may be used
// again for another one and keeps its memory. It must not be copied.
type Scanner struct {
	state
	attrs    []Attr
	open     []element // the elements around the next byte, outermost first
	bindings bindings
	table    []int // scratch of the search for attributes given twice
	hasher   hasher

	// What attrs and open are at first: enough for almost any document of libvirt.
	room struct {
		attrs [12]Attr
		open  [12]element
	}
}

// state is what is new with each document.
type state struct {
	src []byte
	err *SyntaxError

	kind        Kind
	selfClosing bool
	rooted      bool   // the root element has begun
	ascii       bool   // declared US-ASCII
	mayRepeat   bool   // two attributes of the tag have names with the same bit
	mayDeclare  bool   // an attribute may declare a namespace
	names       uint64 // the bits of the names of the tag's attributes
	token       Span
	content     Span
	name        Span
	local       int // where the name without its prefix starts
}

// element is an element that is open.
type element struct {
	name     Span
	local    int
	bindings int // how many namespace bindings were in scope around it
}

// Reset starts over with src, which must not change while the scanner reads it.
func (s *Scanner) Reset(src []byte) {
	s.bindings.leave(0)
	s.state = state{src: src}
	if s.attrs == nil {
		s.attrs, s.open = s.room.attrs[:], s.room.open[:]
	}
	s.attrs, s.open = s.attrs[:0], s.open[:0]
}

// Next goes to the next token and returns its kind: EOF at the end, and again on
// every later call. An error is of type *SyntaxError and is returned again on
// every later call.
func (s *Scanner) Next() (Kind, error) {
	if s.proceed() {
		return End, nil
	}
	return s.read(s.token.To)
}

// NextSolid is Next but passes over text inside the root element that is nothing but
// white space.
func (s *Scanner) NextSolid() (Kind, error) {
	if s.proceed() {
		return End, nil
	}
	i := s.token.To
	if end := s.indent(i); end < len(s.src) && s.src[end] == '<' && len(s.open) > 0 {
		i = end
	}
	return s.read(i)
}

// proceed leaves the current token. It returns true where the End of an element
// without content follows, which is current then.
func (s *Scanner) proceed() bool {
	switch s.kind {
	case End:
		s.leave()
	case Start:
		if s.selfClosing {
			s.selfClosing = false
			s.kind = End
			s.token.From = s.token.To
			return true
		}
	}
	return false
}

// read reads the token at i.
func (s *Scanner) read(i int) (Kind, error) {
	if s.err != nil {
		return EOF, s.err
	}
	if i >= len(s.src) {
		return s.end(i)
	}
	var kind Kind
	var to int
	switch {
	case s.src[i] != '<':
		kind, to = Text, s.text(i)
	case i+1 == len(s.src):
		kind, to = EOF, s.fail(i, "tag is not closed")
	default:
		switch s.src[i+1] {
		case '/':
			kind, to = End, s.endTag(i)
		case '!':
			kind, to = s.markup(i)
		case '?':
			kind, to = PI, s.instruction(i)
		default:
			kind, to = Start, s.startTag(i)
		}
	}
	if to < 0 {
		s.kind, s.token = EOF, Span{i, i}
		return EOF, s.err
	}
	s.kind = kind
	s.token = Span{i, to}
	return kind, nil
}

// leave closes the innermost element, whose End was the current token.
func (s *Scanner) leave() {
	last := len(s.open) - 1
	if n := s.open[last].bindings; n < len(s.bindings.list) {
		s.bindings.leave(n)
	}
	s.open = s.open[:last]
}

// end checks that the document may end at i.
func (s *Scanner) end(i int) (Kind, error) {
	s.kind = EOF
	s.token = Span{i, i}
	switch {
	case len(s.open) > 0:
		name := s.open[len(s.open)-1].name
		s.fail(i, "<"+s.quote(name)+"> of line "+s.line(name.From)+" is not closed")
		return EOF, s.err
	case !s.rooted:
		s.failEmpty(i)
		return EOF, s.err
	}
	return EOF, nil
}

// Src returns the document.
func (s *Scanner) Src() []byte { return s.src }

// Bytes returns the bytes of a span of the document.
func (s *Scanner) Bytes(span Span) []byte { return s.src[span.From:span.To:span.To] }

// Span returns where the current token is. The spans of all tokens, one after
// the other, make up the document.
func (s *Scanner) Span() Span { return s.token }

// Name returns the name of a Start or End, with its prefix. The name of the End
// of <x/> is in that tag.
func (s *Scanner) Name() Span {
	if s.kind != Start && s.kind != End {
		return Span{}
	}
	return s.name
}

// Local returns the name of a Start or End without its prefix.
func (s *Scanner) Local() Span {
	if s.kind != Start && s.kind != End {
		return Span{}
	}
	return Span{s.local, s.name.To}
}

// Attrs returns the attributes of a Start, namespace declarations among them. It
// is valid until the next call of Next.
func (s *Scanner) Attrs() []Attr {
	if s.kind != Start {
		return nil
	}
	return s.attrs
}

// SelfClosing says whether a Start is written <x/>.
func (s *Scanner) SelfClosing() bool { return s.kind == Start && s.selfClosing }

// Depth returns how many elements are open, that of the current Start or End
// included.
func (s *Scanner) Depth() int { return len(s.open) }

// Content returns where the content of the current token is: all of a Text (but
// for a byte order mark, which has none), what is between the delimiters of a
// CDATA, Comment or PI.
func (s *Scanner) Content() Span {
	switch s.kind {
	case Text, CDATA, Comment, PI:
		return s.content
	}
	return Span{}
}

// SkipElement goes from a Start to its End, which is the current token then. What
// is between is checked as always. At any other token it does nothing.
func (s *Scanner) SkipElement() error {
	if s.kind != Start {
		return nil
	}
	for depth := len(s.open); ; {
		kind, err := s.Next()
		if err != nil {
			return err
		}
		if kind == End && len(s.open) == depth {
			return nil
		}
	}
}

// Leave goes from a Start to its End, which the caller knows to end there because it
// has read the same bytes before. Nothing of them is looked at.
func (s *Scanner) Leave(end int) {
	if s.kind == Start {
		s.kind, s.selfClosing = End, false
		s.token = Span{end, end}
	}
}
