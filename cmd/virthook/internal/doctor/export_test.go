package doctor

import "time"

// Loads is loads.
var Loads = loads

// DescribeTime changes how long hooks have to describe themselves.
func DescribeTime(d time.Duration) { describeTime = d }
