package sdk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk"
)

func TestGo(t *testing.T) {
	refused := errors.New("refused")
	wait := sdk.Go(t.Context(), func(context.Context) error { return refused })
	assert.Equal(t, refused, wait())
	assert.Equal(t, refused, wait(), "a second time")
	assert.NoError(t, sdk.Go(t.Context(), func(context.Context) error { return nil })())

	var fault *sdk.Fault
	require.ErrorAs(t, sdk.Go(t.Context(), func(context.Context) error { panic("a bug") })(), &fault)
	assert.Equal(t, sdk.FaultPanic, fault.Kind)
	assert.ErrorContains(t, fault, "a bug (go_test.go:")

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	forever := make(chan struct{})
	require.ErrorAs(t, sdk.Go(ctx, func(context.Context) error { <-forever; return nil })(), &fault)
	assert.Equal(t, sdk.FaultDeadline, fault.Kind)
}
