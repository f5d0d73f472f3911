//go:build unix

package sdk

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// quick is what a call of a usual guest stays below, by far, and when two hundred guests
// start at once too. The timer of the deadline and the watch for signals are set up
// later than that: each takes as long as decoding the guest.
const quick = 50 * time.Millisecond

// watched returns the context of a run of this process. It ends when the timeout is
// over, or when SIGTERM or SIGINT tells the process to end. A second signal ends it
// at once, as the first does before the watch is set up.
func watched(timeout time.Duration) context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	w := &watchedContext{Context: ctx, at: time.Now().Add(timeout)}
	go func() {
		pause(min(timeout, quick))
		timer := time.NewTimer(time.Until(w.at))
		select {
		case <-timer.C:
			w.expired.Store(true)
			end(&deadlineError{timeout})
		case s := <-toldToEnd():
			signal.Reset(endingSignals()...)
			end(fmt.Errorf("the process was told to end: %v", s))
		}
	}()
	return w
}

func endingSignals() []os.Signal { return []os.Signal{syscall.SIGTERM, syscall.SIGINT} }

func toldToEnd() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	for _, s := range endingSignals() {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
	return c
}

// watchedContext is what [context.WithDeadline] would make, whose timer is set later.
type watchedContext struct {
	context.Context
	at      time.Time
	expired atomic.Bool
}

func (w *watchedContext) Deadline() (time.Time, bool) { return w.at, true }

func (w *watchedContext) Err() error {
	err := w.Context.Err()
	if err != nil && w.expired.Load() {
		return context.DeadlineExceeded
	}
	return err
}
