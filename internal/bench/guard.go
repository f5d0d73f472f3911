package main

import (
	"errors"
	"fmt"
	"io"
)

// guard is a limit on how long one contestant takes, with another as the unit.
type guard struct {
	what, unit string // keys
	size       string
	limit      float64
}

// guards are the limits: about a quarter above what was measured, so that a busy
// machine does not cross them and a third more time does. Who makes virthook faster
// may lower them.
var guards = []guard{
	{unhandled, bare, usualSize, 1.48},
	{readOnly, bare, usualSize, 1.85},
	{edited, bare, usualSize, 2.05},
	{edited, remarshal, usualSize, 0.88},
	{edited, bare, hugeSize, 17},
	{edited, remarshal, hugeSize, 0.37},
}

// guardRounds are so many that the median moves by a few hundredths between runs.
var guardRounds = map[string]int{usualSize: 300, hugeSize: 40}

var errOver = errors.New("virthook has become slower")

func runGuards(out io.Writer) error {
	a, err := newArena(pick(contestants, bare, unhandled, readOnly, edited, remarshal))
	if err != nil {
		return err
	}
	defer a.close()
	docs, over := documents(), false
	for _, size := range []string{usualSize, hugeSize} {
		measure := func() (times, error) {
			cs := a.ready
			if size == hugeSize {
				cs = pick(cs, bare, edited, remarshal)
			}
			return a.measure(cs, find(docs, size), guardRounds[size])
		}
		within, err := holdGuards(out, size, measure)
		if err != nil {
			return err
		}
		over = over || !within
	}
	if over {
		return errOver
	}
	return nil
}

// holdGuards says whether all of the size are within their limits. What is over in
// a first run is measured again: a regression is over twice.
func holdGuards(out io.Writer, size string, measure func() (times, error)) (bool, error) {
	var pending []guard
	for _, g := range guards {
		if g.size == size {
			pending = append(pending, g)
		}
	}
	for try := range 2 {
		took, err := measure()
		if err != nil {
			return false, err
		}
		var over []guard
		for _, g := range pending {
			s := spreadOf(ratios(took[g.what], took[g.unit]))
			verdict := "ok"
			if s.mid > g.limit {
				over = append(over, g)
				verdict = [...]string{"over, once more", "OVER"}[try]
			}
			fmt.Fprintf(out, "%-9s %6s × %-9s (%s–%s), limit %s, at %s: %s\n",
				g.what, number3(s.mid), g.unit, number3(s.low), number3(s.high), number3(g.limit), g.size, verdict)
		}
		if pending = over; len(pending) == 0 {
			return true, nil
		}
	}
	return false, nil
}
