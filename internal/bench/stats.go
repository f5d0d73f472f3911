package main

import (
	"slices"
	"time"
)

// spread is a median with the quartiles around it.
type spread struct{ low, mid, high float64 }

// spreadOf needs at least one value.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	return spread{quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)}
}

// quantile is between the two values that are nearest to it, in proportion.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// ratios are those of each round: what slows a machine down for a while slows both
// down that ran next to each other.
func ratios(times, base []time.Duration) []float64 {
	rs := make([]float64, len(times))
	for i := range times {
		rs[i] = float64(times[i]) / float64(base[i])
	}
	return rs
}

func milliseconds(times []time.Duration) []float64 {
	ms := make([]float64, len(times))
	for i, t := range times {
		ms[i] = float64(t) / float64(time.Millisecond)
	}
	return ms
}

func median(values []float64) float64 { return spreadOf(values).mid }
