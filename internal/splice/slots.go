package splice

import (
	"math"
	"slices"
)

// occupied says whether something is in the place of an element of the original.
func (g *group) occupied(o *node) bool {
	return slices.ContainsFunc(g.places, func(pl *place) bool { return pl.slot == o })
}

// settle gives those that keep their place, or change it with one other, a slot.
func (g *group) settle() {
	var stay []*place
	for _, pl := range g.places {
		if pl.from != nil {
			stay = append(stay, pl)
		}
	}
	sorted := slices.Clone(stay)
	// In the order of before, not of the original: some siblings the typed view
	// always writes in an order of its own.
	slices.SortStableFunc(sorted, func(a, b *place) int { return a.at - b.at })
	moved := 0
	for i := range stay {
		if stay[i] != sorted[i] {
			moved++
		}
	}
	if moved <= 2 {
		for i := range stay {
			stay[i].slot = sorted[i].from
		}
		return
	}
	for _, i := range longestRising(stay) {
		stay[i].slot = stay[i].from
	}
}

// longestRising returns the indices of the longest part that is in order.
func longestRising(places []*place) []int {
	at := func(i int) int { return places[i].at }
	prev := make([]int, len(places))
	var ends []int // ends[k]: the lowest end of a rising part of length k+1
	for i := range places {
		k, _ := slices.BinarySearchFunc(ends, at(i), func(e, v int) int { return at(e) - v })
		prev[i] = -1
		if k > 0 {
			prev[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	var out []int
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = prev[i] {
			out = append(out, i)
		}
	}
	slices.Reverse(out)
	return out
}

// fill puts what has no slot where something goes away between the same neighbours,
// and returns what stays vacant.
func (g *group) fill(vacant []*node) []*node {
	for i, pl := range g.places {
		if pl.done || pl.slot != nil {
			continue
		}
		low, high := -1, math.MaxInt
		for _, other := range g.places[:i] {
			if other.slot != nil {
				low = max(low, other.slot.span.From)
			}
		}
		for _, other := range g.places[i+1:] {
			if other.slot != nil {
				high = other.slot.span.From
				break
			}
		}
		for k, o := range vacant {
			if low < o.span.From && o.span.From < high {
				pl.slot = o
				vacant = slices.Delete(vacant, k, k+1)
				break
			}
		}
	}
	return vacant
}
