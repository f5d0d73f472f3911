package splice

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/virthook/virthook/internal/xmlscan"
)

// Options are what Apply may be told about the documents.
type Options struct {
	// Rules are for documents whose root is none of domain, network and
	// networkport. Nil takes the rules of the root's name.
	Rules *Rules
	// LeftOut are the spans of what the typed view of the original left out
	// because it could not make sense of it: attributes, elements, texts. To put
	// something in the place of one of them is refused. What the view takes for
	// nothing, such as a zero, does not belong here.
	LeftOut []xmlscan.Span
}

// Apply carries the difference between before and after over to original. The
// documents before and after are the typed view written out by libvirtxml's Marshal:
// of what was decoded from original and of what became of that.
//
// The result is nil where there is no difference. The error is of type Refusals
// where the difference touches what is ambiguous.
func Apply(original, before, after []byte, o Options) ([]byte, error) {
	if bytes.Equal(before, after) {
		return nil, nil
	}
	orig, err := parse(original)
	if err != nil {
		return nil, fmt.Errorf("the original: %w", err)
	}
	b, err := parse(before)
	if err != nil {
		return nil, fmt.Errorf("the typed view before: %w", err)
	}
	a, err := parse(after)
	if err != nil {
		return nil, fmt.Errorf("the typed view after: %w", err)
	}
	root := b.root.name()
	if !bytes.Equal(root, orig.root.name()) || !bytes.Equal(root, a.root.name()) {
		return nil, errors.New("the root elements of the documents differ")
	}
	rules := o.Rules
	if rules == nil {
		rules = rulesOf(string(root))
	}

	p := &plan{orig: orig, rules: rules, leftOut: o.LeftOut}
	p.element(orig.root, b.root, a.root)
	if len(p.refusals) > 0 {
		return nil, p.refusals
	}
	if len(p.edits) == 0 {
		return nil, nil
	}
	result := p.write(0, len(original), p.edits)
	if p.overlap {
		return nil, errors.New("the difference cannot be told apart") // no case of it is known
	}
	if bytes.Equal(result, original) {
		return nil, nil
	}
	return result, nil
}
