package timeline

import "reflect"

// What the tests look at.
var (
	JSONType  = reflect.TypeFor[replayedJSON]()
	Cut       = cut
	Columns   = columns
	Escape    = escape
	ShortTime = short
)

// Axis is where the times stand on the axis of the step, and how many stretches of it are cut.
func (s Step) Axis() (at func(*Call) (from, to float64), cuts int) {
	axis := newScale(s.At, s.sorted())
	return func(c *Call) (from, to float64) { return axis.pos(c.At), axis.pos(c.At + c.Duration) }, len(axis.cuts)
}
