package hooktest

import "slices"

// changesOf says how two documents differ, a line for each difference, in their order.
func changesOf(before, after *element) []string {
	d := differ{costs: map[[2]*element]int{}, pairs: map[[2]*element][]match{}}
	if before.key != after.key {
		d.removed(before)
		d.added(after)
	} else {
		d.changed(before, after)
	}
	return d.lines
}

// differ compares two documents.
type differ struct {
	lines []string
	costs map[[2]*element]int
	pairs map[[2]*element][]match
}

// match is an element with what became of it: one of the two may be nil.
type match struct{ before, after *element }

func (d *differ) line(path, text string)  { d.lines = append(d.lines, path+": "+text) }
func (d *differ) removed(before *element) { d.line(before.path(), "removed "+before.String()) }
func (d *differ) added(after *element)    { d.line(after.path(), "added "+after.String()) }

// changed writes how an element differs from what became of it.
func (d *differ) changed(before, after *element) {
	if before.says == after.says {
		return
	}
	path := before.path()
	for _, old := range before.attrs {
		if i := after.attribute(old.key); i < 0 {
			d.line(path+"/@"+old.name, "removed "+value(old.value))
		} else if now := after.attrs[i]; now.value != old.value {
			d.line(path+"/@"+old.name, value(old.value)+" -> "+value(now.value))
		}
	}
	for _, now := range after.attrs {
		if before.attribute(now.key) < 0 {
			d.line(path+"/@"+now.name, "added "+value(now.value))
		}
	}
	if before.text != after.text {
		d.line(path, value(before.text)+" -> "+value(after.text))
	}
	for _, m := range d.children(before, after) {
		switch {
		case m.after == nil:
			d.removed(m.before)
		case m.before == nil:
			d.added(m.after)
		default:
			d.changed(m.before, m.after)
		}
	}
}

func (e *element) attribute(key string) int {
	return slices.IndexFunc(e.attrs, func(a attribute) bool { return a.key == key })
}

// children says what became of an element's children, in the order of both documents.
func (d *differ) children(before, after *element) []match {
	key := [2]*element{before, after}
	if found, ok := d.pairs[key]; ok {
		return found
	}
	// libvirt minds the order of elements that have the same name, and no other.
	origin, stays := map[*element]*element{}, map[*element]bool{}
	for name, old := range before.of {
		for _, m := range d.align(old, after.of[name]) {
			origin[m.after], stays[m.before] = m.before, true
		}
	}
	var all []match
	next := 0 // of before's children
	removedUpTo := func(end int) {
		for ; next < end; next++ {
			if old := before.children[next]; !stays[old] {
				all = append(all, match{before: old})
			}
		}
	}
	for _, now := range after.children {
		old := origin[now]
		if old != nil {
			i := slices.Index(before.children, old)
			removedUpTo(i)
			next = max(next, i+1)
		} else { // it may be in the place of what was removed
			for next < len(before.children) && !stays[before.children[next]] {
				removedUpTo(next + 1)
			}
		}
		all = append(all, match{old, now})
	}
	removedUpTo(len(before.children))
	d.pairs[key] = all
	return all
}

// mostAligned is how many pairs of elements are compared with each other at most.
const mostAligned = 40_000

// align says which elements of a name became which, so that as little as can be was
// changed; what is in no match was removed or added.
func (d *differ) align(before, after []*element) (pairs []match) {
	for len(before) > 0 && len(after) > 0 && before[0].says == after[0].says {
		pairs = append(pairs, match{before[0], after[0]})
		before, after = before[1:], after[1:]
	}
	for n, m := len(before), len(after); n > 0 && m > 0 && before[n-1].says == after[m-1].says; n, m = n-1, m-1 {
		pairs = append(pairs, match{before[n-1], after[m-1]})
		before, after = before[:n-1], after[:m-1]
	}
	n, m := len(before), len(after)
	if n*m > mostAligned {
		for i := range min(n, m) {
			pairs = append(pairs, match{before[i], after[i]})
		}
		return pairs
	}
	// cost[i][j] is that of the changes from before[i:] to after[j:].
	cost := make([][]int, n+1)
	for i := n; i >= 0; i-- {
		cost[i] = make([]int, m+1)
		for j := m; j >= 0; j-- {
			switch {
			case i == n && j == m:
			case i == n:
				cost[i][j] = cost[i][j+1] + after[j].weight
			case j == m:
				cost[i][j] = cost[i+1][j] + before[i].weight
			default:
				cost[i][j] = min(cost[i+1][j+1]+d.cost(before[i], after[j]),
					cost[i+1][j]+before[i].weight, cost[i][j+1]+after[j].weight)
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch cost[i][j] {
		case cost[i+1][j+1] + d.cost(before[i], after[j]):
			pairs = append(pairs, match{before[i], after[j]})
			i++
			j++
		case cost[i+1][j] + before[i].weight:
			i++
		default:
			j++
		}
	}
	return pairs
}

// cost is how much was changed in an element: 1 for what is there no more, or is new,
// and 2 for what has another value.
func (d *differ) cost(before, after *element) int {
	if before.says == after.says {
		return 0
	}
	key := [2]*element{before, after}
	if known, ok := d.costs[key]; ok {
		return known
	}
	sum := 0
	for _, old := range before.attrs {
		if i := after.attribute(old.key); i < 0 {
			sum++
		} else if after.attrs[i].value != old.value {
			sum += 2
		}
	}
	for _, now := range after.attrs {
		if before.attribute(now.key) < 0 {
			sum++
		}
	}
	if before.text != after.text {
		sum += min(len(before.text), 1) + min(len(after.text), 1)
	}
	for _, m := range d.children(before, after) {
		switch {
		case m.after == nil:
			sum += m.before.weight
		case m.before == nil:
			sum += m.after.weight
		default:
			sum += d.cost(m.before, m.after)
		}
	}
	d.costs[key] = sum
	return sum
}
