package splice

import "bytes"

// Check says where the typed view of a result, again, is not the one that was meant
// to be: both written out by libvirtxml's Marshal. It is nil where they are the same.
func Check(after, again []byte) Refusals {
	if bytes.Equal(after, again) {
		return nil
	}
	a, err := parse(after)
	if err != nil {
		return Refusals{{"/", reasonNotParsed}}
	}
	b, err := parse(again)
	if err != nil {
		return Refusals{{"/", reasonNotParsed}}
	}
	var found Refusals
	compare(&found, a.root, b.root)
	if len(found) == 0 {
		found = Refusals{{a.root.path(), reasonDiffers}}
	}
	return found
}

// compare appends where two elements differ.
func compare(found *Refusals, a, b *node) {
	if same(a, b) {
		return
	}
	count := len(*found)
	for _, attr := range a.attrs {
		name := a.bytes(attr.Name)
		path := a.path() + "/@" + string(name)
		if i := b.attr(name); i < 0 {
			*found = append(*found, Refusal{path, reasonMissing})
		} else if !bytes.Equal(a.value(attr), b.value(b.attrs[i])) {
			*found = append(*found, Refusal{path, reasonDiffers})
		}
	}
	for _, attr := range b.attrs {
		if name := b.bytes(attr.Name); a.attr(name) < 0 {
			*found = append(*found, Refusal{a.path() + "/@" + string(name), reasonUnexpect})
		}
	}
	if !bytes.Equal(a.typedText(), b.typedText()) {
		*found = append(*found, Refusal{a.path(), reasonDiffers})
	}
	for _, g := range groups(b, b, a) {
		switch {
		case len(g.after) == 0:
			*found = append(*found, Refusal{g.before[0].path(), reasonUnexpect})
		case len(g.before) == 0:
			*found = append(*found, Refusal{g.after[0].path(), reasonMissing})
		case len(g.after) != len(g.before):
			*found = append(*found, Refusal{g.after[0].path(), reasonNumbers})
		default:
			for i := range g.after {
				compare(found, g.after[i], g.before[i])
			}
		}
	}
	if len(*found) == count {
		*found = append(*found, Refusal{a.path(), reasonDiffers})
	}
}
