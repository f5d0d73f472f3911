package splice

import (
	"cmp"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

// Edit is a typed edit of one document and what the oracle makes of it, for the
// tests of those who use this package and whom it cannot import.
type Edit struct {
	Doc, Name string
	Src       []byte
	Make      func(*libvirtxml.Domain) bool  // says whether it applies
	Oracle    func() (plain, content string) // see Plain and Content
}

// Edits yields every kind of typed edit of every domain, with what nobody knows put
// into the documents or without.
func Edits(t *testing.T, unknown bool) iter.Seq[Edit] {
	return func(yield func(Edit) bool) {
		for i, doc := range documents(t, "domain") {
			if _, ok := decode(doc.src); !ok {
				continue
			}
			if r := rand.New(rand.NewPCG(1, uint64(i))); unknown {
				doc.src = inject(r, doc.src, 8+r.IntN(20))
			}
			for _, e := range typedEdits {
				oracle := func() (string, string) {
					root, err := parsePlain(doc.src)
					require.NoError(t, err, doc.name)
					e.oracle(root)
					return root.String(), root.content()
				}
				if !yield(Edit{doc.name, e.name, doc.src, e.typed, oracle}) {
					return
				}
			}
		}
	}
}

// Domains returns the domains that edits are made of.
func Domains(t *testing.T) (all [][]byte) {
	for _, doc := range documents(t, "domain") {
		all = append(all, doc.src)
	}
	return all
}

// Plain is a document written by the oracle's plain tree, comments and order included.
func Plain(src []byte) (string, error) {
	root, err := parsePlain(src)
	if err != nil {
		return "", err
	}
	return root.String(), nil
}

// Content is a document without what is only form: comments, white space between
// elements, and the order of attributes and of siblings.
func Content(src []byte) (string, error) {
	root, err := parsePlain(src)
	if err != nil {
		return "", err
	}
	return root.content(), nil
}

func (n *plain) content() string {
	if n.name == "" && len(n.kids) == 0 {
		return strings.TrimSpace(n.text)
	}
	attrs := slices.SortedFunc(slices.Values(n.attrs), func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	var b strings.Builder
	b.WriteString("<" + n.name)
	for _, a := range attrs {
		b.WriteString(" " + a[0] + "=" + a[1])
	}
	var kids []string
	for _, kid := range n.kids {
		if c := kid.content(); c != "" {
			kids = append(kids, c)
		}
	}
	slices.Sort(kids)
	b.WriteString(">" + strings.Join(kids, "") + "</>")
	return b.String()
}

// Mutate makes a few random changes of a domain, given by a seed.
func Mutate(seed uint64, d *libvirtxml.Domain) {
	r := rng(seed)
	for range 1 + r.IntN(4) {
		mutate(r, reflect.ValueOf(d))
	}
}
