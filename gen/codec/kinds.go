package codec

// kind is how custom methods of libvirtxml code a type.
type kind string

const (
	// chooses: an attribute of the element says which variant its field Field,
	// a union that delegates or wraps, is to have; all else is by the tags.
	chooses kind = "chooses"
	// delegates: the element is coded as the variant that is not nil, which an
	// outer type has chosen.
	delegates kind = "delegates"
	// wraps: as delegates, but the fields of the union itself are coded in the
	// same element, after those of the variant.
	wraps kind = "wraps"
	// selects: an attribute of the element itself says which variant it is
	// coded as.
	selects kind = "selects"
	// embeds: as selects, but the fields of the type itself are coded in the same
	// element, after those of the variant.
	embeds kind = "embeds"
	// chardev: a chardev source under another name, which chooses its own
	// variant by its attribute.
	chardev kind = "chardev"
	// leaf: attributes and texts that the methods list one by one, with their
	// number formats. Child elements are found at any depth.
	leaf kind = "leaf"
	// byHand: package codec has the functions for it, written by hand.
	byHand kind = "by hand"
)

// custom is what is known about the custom methods of one type.
type custom struct {
	Type string
	Kind kind

	// Attr is the discriminator's name, Default what it is taken for where it is
	// missing. Optional means that no variant is chosen then.
	Attr     string
	Default  string
	Optional bool

	Field  string   // of chooses
	Made   []string // other fields that attributes make
	Except []string // of chooses: values of the union that this type does not know
	None   string   // of chooses: the variant without an attribute
	// Last: of several attributes of that name, with prefixes, the last one counts.
	Last bool
	// Second is the name of a second discriminator; the values of the variants
	// are "first second" then.
	Second string

	Variants []variant
	// Plain is set where an element of no known variant is still coded by its own
	// tags.
	Plain bool
	// Tagged is set where the discriminator is also a field with a tag, which
	// selects the variant when writing.
	Tagged bool

	Attrs    []item // of leaf; and of selects, the attributes of the union itself
	Children []item // of leaf

	// Around says where a function written by hand is around the generated one,
	// whose name then ends in "Element".
	Around around
}

type around int

const (
	nothing around = iota
	decoding
	// both: and what leads the element is written by hand.
	both
)

// variant is one variant of a union.
type variant struct {
	Value string // of the discriminator
	Field string
	// Mute variants have no element: one that is there is skipped, none is written.
	Mute bool
	// Flat variants are coded by hand.
	Flat bool
	// Nested is the field inside the variant that is coded in its place, when the
	// attribute "type" has the value NestedValue.
	Nested, NestedValue string
	// IfAny and IfAll are the fields of which one, or all, must be set for the
	// element to be written. Fields of the union start with a dot.
	IfAny, IfAll []string
}

// item is an attribute or child element of a leaf.
type item struct {
	Name, Field string
	Base        int    // of a number as it is read
	Format      string // of a number as it is written
	Always      bool   // written even when empty
	Struct      bool   // a child element that is a struct
	Unset       string // the value that stands for none
}
