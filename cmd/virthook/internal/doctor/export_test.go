package doctor

import "time"

// Loads is loads.
var Loads = loads

// ExecutableOn is executableOn.
var ExecutableOn = executableOn

// Copies are the ways to a copy that can be executed.
var Copies = &copies

// AsksImages has the hooks below a root run too, as those of this machine are.
func (h Host) AsksImages() Host { h.asksImages = true; return h }

// DescribeTime changes how long hooks have to describe themselves.
func DescribeTime(d time.Duration) { describeTime = d }
