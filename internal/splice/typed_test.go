package splice

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"
)

func decode(src []byte) (*libvirtxml.Domain, bool) {
	d := new(libvirtxml.Domain)
	return d, xml.Unmarshal(src, d) == nil
}

func encode(t testing.TB, v any) []byte {
	out, err := xml.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	return out
}

func TestNoEdit(t *testing.T) {
	count := 0
	for _, doc := range documents(t, "domain") {
		d, ok := decode(doc.src)
		if !ok {
			continue
		}
		view := encode(t, d)
		result, err := Apply(doc.src, view, bytes.Clone(view), Options{})
		require.NoError(t, err)
		require.Nil(t, result, doc.name)
		count++
	}
	t.Logf("%d documents", count)
}

// tally counts what became of edits.
type tally struct{ edits, exact int }

// runTyped makes every edit on a document and compares it with the oracle's. What
// is wrong is returned.
func runTyped(t testing.TB, doc document, e typedEdit) (applies bool, wrong string) {
	d, ok := decode(doc.src)
	if !ok {
		return false, ""
	}
	before := encode(t, d)
	if !e.typed(d) {
		return false, ""
	}
	after := encode(t, d)
	root, err := parsePlain(doc.src)
	require.NoError(t, err, doc.name)
	near := e.oracle(root)

	result, err := Apply(doc.src, before, after, Options{})
	if err != nil {
		return true, err.Error()
	}
	if bytes.Equal(before, after) {
		if result != nil {
			return true, "no difference and yet a result"
		}
		return true, ""
	}
	if result == nil {
		return true, "a difference and no result"
	}
	got, err := parsePlain(result)
	if err != nil {
		return true, err.Error()
	}
	if got.String() != root.String() {
		return true, fmt.Sprintf("not what the oracle says\n--- want\n%s--- got\n%s", diffLines(root.String(), got.String()), "")
	}
	again, ok := decode(result)
	if !ok {
		return true, "cannot be decoded again"
	}
	if r := Check(after, encode(t, again)); r != nil {
		return true, "reads differently: " + r.Error()
	}
	return true, around(doc.src, result, near)
}

// around checks that all bytes around what was edited are the same.
func around(src, result []byte, near []*plain) string {
	if len(near) == 0 {
		return ""
	}
	from, to := near[0].from, near[0].to
	for _, n := range near {
		from, to = min(from, n.from), max(to, n.to)
	}
	for from > 0 && bytes.IndexByte([]byte(" \t\r\n"), src[from-1]) >= 0 {
		from--
	}
	if !bytes.HasPrefix(result, src[:from]) {
		return "bytes before the edited element differ"
	}
	if !bytes.HasSuffix(result, src[to:]) {
		return "bytes after the edited element differ"
	}
	return ""
}

func diffLines(want, got string) string {
	w, g := bytes.Split([]byte(want), []byte("\n")), bytes.Split([]byte(got), []byte("\n"))
	i := 0
	for i < len(w) && i < len(g) && bytes.Equal(w[i], g[i]) {
		i++
	}
	j, k := len(w), len(g)
	for j > i && k > i && bytes.Equal(w[j-1], g[k-1]) {
		j--
		k--
	}
	return fmt.Sprintf("want: %s\n got: %s", bytes.Join(w[max(0, i-1):min(len(w), j+1)], []byte("\n")), bytes.Join(g[max(0, i-1):min(len(g), k+1)], []byte("\n")))
}

func report(t *testing.T, sums map[string]*tally) {
	var names []string
	all := tally{}
	for name, s := range sums {
		names = append(names, name)
		all.edits += s.edits
		all.exact += s.exact
	}
	sort.Strings(names)
	for _, name := range names {
		t.Logf("%-36s %6d edits, %6d exact", name, sums[name].edits, sums[name].exact)
	}
	t.Logf("%d edits, %d exact (%.3f %%)", all.edits, all.exact, 100*float64(all.exact)/float64(max(1, all.edits)))
}

// compareTyped makes every edit on every document, with what change made of it, and
// reports the count of each kind.
func compareTyped(t *testing.T, change func(i int, src []byte) []byte) {
	sums := map[string]*tally{}
	shown := 0
	for i, doc := range documents(t, "domain") {
		doc.src = change(i, doc.src)
		for _, e := range typedEdits {
			applies, wrong := runTyped(t, doc, e)
			if !applies {
				continue
			}
			s := sums[e.name]
			if s == nil {
				s = &tally{}
				sums[e.name] = s
			}
			s.edits++
			if wrong == "" {
				s.exact++
			} else if t.Fail(); shown < 20 {
				shown++
				t.Logf("%s: %s: %s", doc.name, e.name, wrong)
			}
		}
	}
	report(t, sums)
}

func TestTypedEdits(t *testing.T) {
	compareTyped(t, func(_ int, src []byte) []byte { return src })
}

func TestTypedEditsWithUnknown(t *testing.T) {
	compareTyped(t, func(i int, src []byte) []byte {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		src = inject(r, src, 8+r.IntN(20))
		_, err := parse(src)
		require.NoError(t, err)
		return src
	})
}

// Documents that have nothing to do with each other are no reason to panic, nor to
// write what is not XML.
func TestUnrelated(t *testing.T) {
	docs := documents(t, "domain")
	results := 0
	for i, doc := range docs {
		d, ok := decode(docs[(i+7)%len(docs)].src)
		if !ok {
			continue
		}
		before := encode(t, d)
		for _, after := range [][]byte{docs[(i+1)%len(docs)].src, before[:0], docs[(i+2)%len(docs)].src} {
			result, err := Apply(doc.src, before, after, Options{})
			if err != nil || result == nil {
				require.Nil(t, result)
				continue
			}
			results++
			_, err = parse(result)
			require.NoError(t, err, doc.name)
		}
	}
	t.Logf("%d results", results)
}
