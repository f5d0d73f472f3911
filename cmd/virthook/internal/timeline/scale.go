package timeline

import (
	"math"
	"slices"
	"time"
)

// scale says where on a step's axis, in percent, a time of the scenario stands.
// It is linear, but stretches that would crush all others are cut short.
type scale struct {
	ends []time.Duration // of the stretches, from the first one's beginning
	at   []float64       // where each of ends stands
	cuts []stretch
}

// stretch is a part of the axis in percent.
type stretch struct {
	Left, Width float64
	Lasts       time.Duration
}

const (
	crushing  = 10   // times as long as all that is shorter: cut
	cutLength = 0.6  // of all that is not cut: how long one that is cut looks
	visible   = 0.01 // of the axis: a shorter bar is hard to see
)

// newScale makes the axis from a step's beginning to the end of its last call.
func newScale(from time.Duration, calls []*Call) scale {
	ends := []time.Duration{from}
	for _, c := range calls {
		ends = append(ends, c.At, c.At+c.Duration)
	}
	slices.Sort(ends)
	ends = slices.Compact(ends)
	s := scale{ends: ends, at: []float64{0}}

	longest := s.longest(calls)
	var short time.Duration
	for i := range len(ends) - 1 {
		if !slices.Contains(longest, i) {
			short += ends[i+1] - ends[i]
		}
	}
	whole, each := float64(short), float64(short)*cutLength
	whole += each * float64(len(longest))
	x := 0.0
	for i := range len(ends) - 1 {
		lasts := ends[i+1] - ends[i]
		looks := float64(lasts)
		if slices.Contains(longest, i) {
			looks = each
			s.cuts = append(s.cuts, stretch{percent(x / whole), percent(looks / whole), lasts})
		}
		x += looks
		s.at = append(s.at, 100*x/whole)
	}
	return s
}

// longest are the stretches to cut: those that together leave everything else
// hard to see, when there is enough else.
func (s scale) longest(calls []*Call) []int {
	whole := s.ends[len(s.ends)-1] - s.ends[0]
	small := 0
	for _, c := range calls {
		if float64(c.Duration) < visible*float64(whole) {
			small++
		}
	}
	if small < 3 {
		return nil
	}
	lasts := func(i int) time.Duration { return s.ends[i+1] - s.ends[i] }
	order := make([]int, len(s.ends)-1)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(lasts(b) - lasts(a)) })
	rest, n := whole, 0
	for i, o := range order {
		if rest -= lasts(o); rest > 0 && lasts(o) > crushing*rest {
			n = i + 1
		}
	}
	return order[:n]
}

// pos is where a time stands.
func (s scale) pos(t time.Duration) float64 {
	i, _ := slices.BinarySearch(s.ends, t)
	switch {
	case i == 0:
		return 0
	case i == len(s.ends):
		return 100
	}
	part := float64(t-s.ends[i-1]) / float64(s.ends[i]-s.ends[i-1])
	return percent((s.at[i-1] + part*(s.at[i]-s.at[i-1])) / 100)
}

// ticks are the marks of the axis, by when they are since its beginning.
func (s scale) ticks() []tick {
	from, whole := s.ends[0], s.ends[len(s.ends)-1]-s.ends[0]
	var ticks []tick
	add := func(t time.Duration, label string) {
		left := s.pos(from + t)
		if len(ticks) == 0 || left-ticks[len(ticks)-1].Left > 18 && left < 88 {
			ticks = append(ticks, tick{Left: left, Label: label})
		}
	}
	add(0, "0")
	if len(s.cuts) > 0 { // no even marks on an uneven axis
		for i, end := range s.ends {
			if slices.ContainsFunc(s.cuts, func(c stretch) bool { return math.Abs(c.Left+c.Width-percent(s.at[i]/100)) < 0.01 }) {
				add(end-from, short(end-from))
			}
		}
		return ticks
	}
	for every, t := even(whole/5), time.Duration(0); every > 0 && t < whole; t += every {
		if t > 0 {
			add(t, round(t))
		}
	}
	return ticks
}

type tick struct {
	Left  float64
	Label string
}

// even is the next longer duration of 1, 2 or 5 and zeros.
func even(d time.Duration) time.Duration {
	for unit := time.Microsecond; d > 0; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if n*unit >= d {
				return n * unit
			}
		}
	}
	return 0
}

// percent of a part, with two decimals: an axis has no room for more.
func percent(part float64) float64 {
	if math.IsNaN(part) {
		return 0
	}
	return math.Round(part*10000) / 100
}
