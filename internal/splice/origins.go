package splice

// alignAll is up to how many elements are compared each with each.
const alignAll = 128

// origins says which element of the original each of before came from, nil where
// it came from none. Both are the elements of one name in one parent. It is false
// where several originals went into one element.
func origins(before, orig []*node, list bool) ([]*node, bool) {
	from := make([]*node, len(before))
	switch {
	case len(before) == len(orig):
		if inOrder(before, orig) {
			copy(from, orig)
			return from, true
		}
		assign(from, before, orig)
		return from, true
	case len(before) == 0:
		return from, true
	case len(before) < len(orig) && !list:
		// The one that the view took its last value from, as well as can be told.
		copy(from, orig[len(orig)-len(before):])
		return from, false
	case len(before) > alignAll || len(orig) > alignAll:
		alignGreedily(from, before, orig)
	default:
		align(from, before, orig)
	}
	return from, true
}

// inOrder says whether no element contradicts the one in its place.
func inOrder(before, orig []*node) bool {
	if len(before) == 1 {
		return true
	}
	for i := range before {
		for _, a := range before[i].attrs {
			k := orig[i].attr(before[i].bytes(a.Name))
			if k >= 0 && !before[i].isDeclaration(a) && !sameValue(before[i].value(a), orig[i].value(orig[i].attrs[k])) {
				return false
			}
		}
	}
	return true
}

// assign pairs as many elements as there are, most alike first.
func assign(from, before, orig []*node) {
	taken := make([]bool, len(orig))
	for i := range before {
		// In its own place, unless that contradicts and another one does not.
		best, bestScore := -1, 0
		try := func(j int) bool {
			if taken[j] {
				return false
			}
			alike, unlike := before[i].likeness(orig[j])
			if score := alike - 4*unlike; best < 0 || score > bestScore {
				best, bestScore = j, score
			}
			return unlike == 0
		}
		if !try(i) && len(orig) <= alignAll {
			for j := range orig {
				try(j)
			}
		}
		for j := 0; best < 0; j++ {
			if !taken[j] {
				best = j
			}
		}
		taken[best] = true
		from[i] = orig[best]
	}
}

// align pairs elements in order so that they are most alike overall. What is left
// over the typed view left out, or made up.
func align(from, before, orig []*node) {
	n, m := len(before), len(orig)
	score := make([]int, n*m)
	best := make([]int, (n+1)*(m+1)) // of what is from i and j on
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			alike, unlike := before[i].likeness(orig[j])
			score[i*m+j] = 1 + 4*alike - 16*unlike
			best[i*(m+1)+j] = max(best[(i+1)*(m+1)+j], best[i*(m+1)+j+1], best[(i+1)*(m+1)+j+1]+score[i*m+j])
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch best[i*(m+1)+j] {
		case best[(i+1)*(m+1)+j+1] + score[i*m+j]:
			from[i] = orig[j]
			i++
			j++
		case best[i*(m+1)+j+1]:
			j++
		default:
			i++
		}
	}
}

// alignGreedily is align for many elements: each is paired with the first that
// does not contradict it.
func alignGreedily(from, before, orig []*node) {
	j := 0
	for i := range before {
		for k := j; k < len(orig) && k < j+alignAll; k++ {
			if _, unlike := before[i].likeness(orig[k]); unlike == 0 {
				from[i] = orig[k]
				j = k + 1
				break
			}
		}
	}
}
