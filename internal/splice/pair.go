package splice

// pair says which element of before each of after is, -1 where it is a new one.
// Both are the elements of one name in one parent.
func pair(before, after []*node, rules *Rules) []int {
	p := pairing{before: before, after: after, of: make([]int, len(after)), taken: make([]bool, len(before))}
	for i := range p.of {
		p.of[i] = -1
	}
	if p.ends() {
		return p.of
	}
	p.byIdentity(rules.Identity)
	p.byBytes()
	p.byGaps(rules.Identity)
	p.leftOver(rules.Identity)
	return p.of
}

type pairing struct {
	before, after []*node
	of            []int  // for each of after
	taken         []bool // for each of before
}

func (p *pairing) match(a, b int) {
	p.of[a] = b
	p.taken[b] = true
}

// ends pairs what is alike at both ends, and says whether that was all.
func (p *pairing) ends() bool {
	i := 0
	for i < len(p.after) && i < len(p.before) && same(p.after[i], p.before[i]) {
		p.match(i, i)
		i++
	}
	a, b := len(p.after), len(p.before)
	for a > i && b > i && same(p.after[a-1], p.before[b-1]) {
		a--
		b--
		p.match(a, b)
	}
	return a == i || b == i
}

// byIdentity pairs what has the same identity and is alone in having it.
func (p *pairing) byIdentity(identities []string) {
	for _, identity := range identities {
		type places struct{ b, as, bs int }
		found := map[string]places{}
		for b, n := range p.before {
			if p.taken[b] {
				continue
			}
			if key, ok := n.key(identity); ok {
				f := found[key]
				f.b = b
				f.bs++
				found[key] = f
			}
		}
		if len(found) == 0 {
			continue
		}
		keys := make([]string, len(p.after))
		for a, n := range p.after {
			if p.of[a] >= 0 {
				continue
			}
			if key, ok := n.key(identity); ok {
				f := found[key]
				f.as++
				found[key] = f
				keys[a] = key
			}
		}
		for a := range p.after {
			if f, ok := found[keys[a]]; ok && p.of[a] < 0 && f.as == 1 && f.bs == 1 && !p.taken[f.b] {
				if key, ok := p.after[a].key(identity); ok && key == keys[a] {
					p.match(a, f.b)
				}
			}
		}
	}
}

// byBytes pairs what is written alike, in order.
func (p *pairing) byBytes() {
	found := map[string][]int{}
	for b, n := range p.before {
		if !p.taken[b] {
			k := string(n.bytes(n.span))
			found[k] = append(found[k], b)
		}
	}
	for a, n := range p.after {
		if p.of[a] >= 0 {
			continue
		}
		k := string(n.bytes(n.span))
		if list := found[k]; len(list) > 0 {
			p.match(a, list[0])
			found[k] = list[1:]
		}
	}
}

// byGaps pairs by position what is between two pairs where the number is the same
// on both sides: an element with little in it has nothing alike once it was edited.
func (p *pairing) byGaps(identities []string) {
	a, b := 0, 0
	for a < len(p.after) {
		if p.of[a] >= 0 {
			b = p.of[a] + 1
			a++
			continue
		}
		from := a
		for a < len(p.after) && p.of[a] < 0 {
			a++
		}
		if from > 0 && p.of[from-1] < 0 {
			continue
		}
		n := 0
		for b+n < len(p.before) && !p.taken[b+n] {
			n++
		}
		if n != a-from {
			continue
		}
		if a < len(p.after) && p.of[a] != b+n {
			continue
		}
		for i := range n {
			if !p.replaced(p.before[b+i], p.after[from+i], identities) {
				p.match(from+i, b+i)
			}
		}
	}
}

// replaced says whether an element in the place of another one is not the same one
// edited: it has at least two identities of it, none the same, and little else alike.
func (p *pairing) replaced(before, after *node, identities []string) bool {
	differ := 0
	for _, identity := range identities {
		x, ok := before.key(identity)
		if !ok {
			continue
		}
		y, ok := after.key(identity)
		if !ok {
			continue
		}
		if x == y {
			return false
		}
		differ++
	}
	if differ < 2 {
		return false
	}
	alike, unlike := before.likeness(after)
	return alike < unlike
}
