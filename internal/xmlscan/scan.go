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

// Span is a range of bytes of the document, To not in it.
type Span struct{ From, To int }

// Attr is an attribute of a start tag.
type Attr struct {
	All   Span // from the name to the closing quote
	Name  Span // as written, with its prefix
	Local Span // the name without its prefix
	Value Span // between the quotes, references in it unresolved
}
