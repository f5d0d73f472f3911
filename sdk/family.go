//go:build unix

package sdk

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/sdk/internal/children"
)

// endLimit is how long the end of the processes that a handler has started may take.
const endLimit = 500 * time.Millisecond

// family are the processes that the handlers of this one have started.
type family struct{ overdue bool }

func adopt() *family {
	children.Adopt()
	return new(family)
}

// end ends them, because the handler that they work for is over its time.
func (f *family) end() {
	f.overdue = true
	children.End(endLimit)
}

// leave is for the end of the run. A handler that did not return in time may have gone
// on and started others: they are ended, and no more are started. What a handler left
// behind that did return is told, and nothing else: libvirt does not wait for it.
func (f *family) leave(c *Call) {
	if f.overdue {
		stopStarting(endLimit)
		if left := children.End(endLimit); len(left) > 0 {
			c.Logger().Error("processes could not be ended", "processes", processes(left))
		}
		return
	}
	if left := children.Running(); len(left) > 0 {
		c.Logger().Warn("a handler left processes behind; see package command for work that is to outlive the hook",
			"processes", processes(left))
	}
}

// stopStarting takes the lock that each fork needs, for good.
func stopStarting(limit time.Duration) {
	for until := time.Now().Add(limit); !syscall.ForkLock.TryLock() && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
}

func processes(list []children.Process) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, " %d (%s)", p.PID, p.Name)
	}
	return b.String()[1:]
}
