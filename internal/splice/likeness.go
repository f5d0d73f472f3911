package splice

// gap is what is between two pairs: the indices of the pairs in before.
type gap struct{ from, to int }

// leftOver pairs what nothing else has paired: what is between the same pairs with
// what it has most in common with, what seems to have moved and was edited, and at
// last, between the same pairs, what is in the same position. To take an element
// for another one is less harm than to lose what the typed view does not know.
func (p *pairing) leftOver(identities []string) {
	if len(p.after)*len(p.before) > alignAll*alignAll {
		return
	}
	as, bs := p.gaps()
	p.byLikeness(identities, func(a, b int) bool { return as[a] == bs[b] })
	p.byLikeness(identities, func(a, b int) bool { return !p.contradicts(a, b, identities) })
	for a := range p.after {
		for b := range p.before {
			if p.of[a] < 0 && !p.taken[b] && as[a] == bs[b] && !p.replaced(p.before[b], p.after[a], identities) {
				p.match(a, b)
			}
		}
	}
}

// gaps returns which gap each element is in.
func (p *pairing) gaps() (as, bs []gap) {
	as, bs = make([]gap, len(p.after)), make([]gap, len(p.before))
	last := -1
	for a := range p.after {
		as[a].from = last
		if p.of[a] >= 0 {
			last = p.of[a]
		}
	}
	last = len(p.before)
	for a := len(p.after) - 1; a >= 0; a-- {
		as[a].to = last
		if p.of[a] >= 0 {
			last = p.of[a]
		}
	}
	last = -1
	for b := range p.before {
		bs[b].from = last
		if p.taken[b] {
			last = b
		}
	}
	last = len(p.before)
	for b := len(p.before) - 1; b >= 0; b-- {
		bs[b].to = last
		if p.taken[b] {
			last = b
		}
	}
	return as, bs
}

// contradicts says whether the strongest identity that both elements have differs.
func (p *pairing) contradicts(a, b int, identities []string) bool {
	for _, identity := range identities {
		x, ok := p.before[b].key(identity)
		if !ok {
			continue
		}
		if y, ok := p.after[a].key(identity); ok {
			return x != y
		}
	}
	return false
}

// byLikeness pairs elements with those that they have most in common with.
func (p *pairing) byLikeness(identities []string, may func(a, b int) bool) {
	for a, n := range p.after {
		if p.of[a] >= 0 {
			continue
		}
		best, bestScore := -1, 0
		for b, m := range p.before {
			if p.taken[b] || !may(a, b) || p.replaced(m, n, identities) {
				continue
			}
			alike, unlike := m.likeness(n)
			if score := alike - unlike; score > bestScore {
				best, bestScore = b, score
			}
		}
		if best >= 0 {
			p.match(a, best)
		}
	}
}
