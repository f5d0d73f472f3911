package sdk

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a function returns after its context has ended is no decision, whichever
// of the two is seen first.
func TestGuardAfterTheDeadline(t *testing.T) {
	cause, late := errors.New("over"), errors.New("signal: killed")
	for range 100 {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := guard(ctx, nil, grace, func(context.Context) error {
			cancel(cause)
			return late
		})
		var f *Fault
		require.ErrorAs(t, err, &f)
		assert.Equal(t, FaultDeadline, f.Kind)
		assert.ErrorIs(t, err, cause)
	}
}
