package codec

import (
	"slices"
	"strings"

	"github.com/virthook/virthook/internal/xmlscan"
)

// pairing says which items of a list in the document are which of the typed value.
type pairing struct {
	name string
	old  int            // how many the document has
	seen int            // how many of them have been met
	to   []int          // for each of those its item, -1: none; nil: every one is its own
	from []int          // the same the other way
	at   []xmlscan.Span // where they are
	xml  []string       // of the items that are new
}

// align pairs the items of a list. It looks closer only where items are not where
// they were.
func align[T any](w *walker, name string, old, now []T, encode func(*encoder, string, *T)) pairing {
	if len(old) == len(now) && len(old) < 2 {
		return pairing{name: name, old: len(old)}
	}
	return w.align(name, len(old), len(now),
		func(e *encoder, i int) { encode(e, name, &old[i]) },
		func(e *encoder, j int) { encode(e, name, &now[j]) })
}

func (w *walker) align(name string, olds, nows int, old, now func(*encoder, int)) pairing {
	p := pairing{name: name, old: olds}
	was, is := w.encodings(olds, old), w.encodings(nows, now)
	if slices.Equal(was, is) {
		return p
	}
	p.to, p.from = match(was, is)
	if olds == nows && isIdentity(p.to) {
		p.to = nil
		return p
	}
	p.at = make([]xmlscan.Span, olds)
	p.xml = make([]string, nows)
	for j, i := range p.from {
		if i < 0 {
			p.xml[j] = is[j]
		}
	}
	return p
}

func isIdentity(to []int) bool {
	for i, j := range to {
		if i != j {
			return false
		}
	}
	return true
}

func (w *walker) encodings(n int, write func(*encoder, int)) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = string(w.encoded("", func(e *encoder, _ string) { write(e, i) }))
	}
	return out
}

// match pairs equal items first, then the most alike of the others. Two that are
// both left over at the same place among their neighbours are the same one changed.
func match(was, is []string) (to, from []int) {
	to, from = make([]int, len(was)), make([]int, len(is))
	for i := range to {
		to[i] = -1
	}
	for j := range from {
		from[j] = -1
	}
	pair := func(i, j int) { to[i], from[j] = j, i }
	// Equal items at equal places, from both ends, then anywhere.
	for i := 0; i < len(was) && i < len(is) && was[i] == is[i]; i++ {
		pair(i, i)
	}
	for n := 1; n <= len(was) && n <= len(is); n++ {
		i, j := len(was)-n, len(is)-n
		if to[i] >= 0 || from[j] >= 0 || was[i] != is[j] {
			break
		}
		pair(i, j)
	}
	where := map[string][]int{}
	for i, s := range was {
		if to[i] < 0 {
			where[s] = append(where[s], i)
		}
	}
	for j, s := range is {
		if free := where[s]; from[j] < 0 && len(free) > 0 {
			pair(free[0], j)
			where[s] = free[1:]
		}
	}
	// The others: by how many lines they have in common.
	var left, right []int
	for i := range to {
		if to[i] < 0 {
			left = append(left, i)
		}
	}
	for j := range from {
		if from[j] < 0 {
			right = append(right, j)
		}
	}
	if len(left) > 0 && len(right) > 0 {
		matchAlike(was, is, left, right, pair)
	}
	return to, from
}

// alikeLimit bounds the comparison of every item with every other one.
const alikeLimit = 1 << 16

func matchAlike(was, is []string, left, right []int, pair func(i, j int)) {
	if len(left) == len(right) && len(left) == 1 || len(left)*len(right) > alikeLimit {
		for k := range min(len(left), len(right)) {
			pair(left[k], right[k])
		}
		return
	}
	type candidate struct{ i, j, score, distance int }
	var all []candidate
	for x, i := range left {
		lines := map[string]bool{}
		for _, line := range strings.Split(was[i], "\n") {
			lines[line] = true
		}
		for y, j := range right {
			c := candidate{i: i, j: j, distance: max(x-y, y-x)}
			for _, line := range strings.Split(is[j], "\n") {
				// What names an item says more than what all of its kind have.
				if lines[line] {
					c.score += 1 + 4*identity(line)
				}
			}
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return a.distance - b.distance
	})
	taken := map[int]bool{}
	given := map[int]bool{}
	for _, c := range all {
		sameLength := len(left) == len(right)
		if taken[c.i] || given[c.j] || c.score <= 1 && !sameLength {
			continue
		}
		taken[c.i], given[c.j] = true, true
		pair(c.i, c.j)
	}
}

// identity is 1 for a line of XML by which libvirt tells devices apart.
func identity(line string) int {
	line = strings.TrimLeft(line, " ")
	for _, prefix := range []string{"<alias ", "<mac ", "<target dev=", "<uuid>", "<address "} {
		if strings.HasPrefix(line, prefix) {
			return 1
		}
	}
	return 0
}

// next is for the next item in the document, where the walker is. It returns j < 0
// after skipping one that is to go.
func (p *pairing) next(w *walker) (i, j int) {
	i = p.seen
	p.seen++
	if i >= p.old {
		w.unwanted()
		return i, -1
	}
	f := w.top()
	if p.old > 1 {
		f.label = index(i + 1)
	}
	j = i
	if p.to != nil {
		f.sink = &p.at[i]
		j = p.to[i]
	}
	if j < 0 {
		w.removed()
	}
	return i, j
}

// finish visits what is new and what is to be elsewhere.
func (p *pairing) finish(w *walker) {
	if p.to == nil || w.err != nil {
		return
	}
	stays := increasing(p.from)
	for j, i := range p.from {
		if i >= 0 && stays[j] {
			continue
		}
		at, selfClosing := p.place(w, stays, j)
		if i < 0 {
			w.visit(Visit{Path: w.path() + "/" + p.name + index(j+1), Change: Added, Element: true,
				Span: at, New: p.xml[j], SelfClosing: selfClosing})
		} else {
			w.visit(Visit{Path: w.path() + "/" + p.name + index(i+1), Change: Moved, Element: true,
				Span: p.at[i], To: at.From})
		}
	}
}

// place returns where the item j is to be: after the last one before it that stays
// where it is, else before the first one that does.
func (p *pairing) place(w *walker, stays []bool, j int) (at xmlscan.Span, selfClosing bool) {
	for k := j - 1; k >= 0; k-- {
		if stays[k] {
			end := p.at[p.from[k]].To
			return xmlscan.Span{From: end, To: end}, false
		}
	}
	if p.old > 0 {
		return xmlscan.Span{From: p.at[0].From, To: p.at[0].From}, false
	}
	return w.place()
}

// increasing marks a longest increasing subsequence of the numbers that are not
// negative: the items that need not be moved.
func increasing(from []int) []bool {
	var tails []int // for each length, where the subsequence with the lowest end ends
	before := make([]int, len(from))
	for j, i := range from {
		if i < 0 {
			continue
		}
		n, _ := slices.BinarySearchFunc(tails, i, func(at, i int) int { return from[at] - i })
		before[j] = -1
		if n > 0 {
			before[j] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, j)
		} else {
			tails[n] = j
		}
	}
	marked := make([]bool, len(from))
	if len(tails) > 0 {
		for j := tails[len(tails)-1]; j >= 0; j = before[j] {
			marked[j] = true
		}
	}
	return marked
}
