package sdk

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endedBefore is a context that nobody waits for before the channel is closed.
type endedBefore struct {
	context.Context
	ended chan struct{}
}

func (e endedBefore) Done() <-chan struct{} {
	<-e.ended
	return e.Context.Done()
}

// What a function returns after its context has ended is no decision, whichever
// of the two is seen first.
func TestGuardAfterTheDeadline(t *testing.T) {
	cause, late := errors.New("over"), errors.New("signal: killed")
	for range 1000 {
		ctx, cancel := context.WithCancelCause(t.Context())
		overdue, ended := 0, make(chan struct{})
		err := guard(endedBefore{ctx, ended}, func() { overdue++ }, grace, func(context.Context) error {
			cancel(cause)
			close(ended)
			return late
		})
		assert.Equal(t, 1, overdue, "what the function has started is ended, though it has returned")
		var f *Fault
		require.ErrorAs(t, err, &f)
		assert.Equal(t, FaultDeadline, f.Kind)
		assert.ErrorIs(t, err, cause)
	}
}
