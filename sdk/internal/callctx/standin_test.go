package callctx_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/internal/callctx"
)

func TestStandIn(t *testing.T) {
	system := func() (string, error) { return "/system", nil }
	ctx := callctx.WithStandIn(t.Context(), &callctx.StandIn{
		Command: func(c callctx.Command) callctx.Answer { return callctx.Answer{Stdout: c.Name} },
		Folder:  func(k callctx.Kind) (string, error) { return "/test/" + string(k), nil },
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	assert.Equal(t, "ip", callctx.CommandIn(ctx)(callctx.Command{Name: "ip"}).Stdout)
	for _, kind := range []callctx.Kind{callctx.State, callctx.Runtime} {
		dir, err := callctx.Folder(ctx, kind, system)
		require.NoError(t, err)
		assert.Equal(t, "/test/"+string(kind), dir)
	}
}

func TestNoStandIn(t *testing.T) {
	system := func() (string, error) { return "/system", nil }
	for _, ctx := range []context.Context{
		t.Context(),
		callctx.WithStandIn(t.Context(), nil),
		callctx.WithStandIn(t.Context(), new(callctx.StandIn)),
	} {
		assert.Nil(t, callctx.CommandIn(ctx))
		dir, err := callctx.Folder(ctx, callctx.State, system)
		require.NoError(t, err)
		assert.Equal(t, "/system", dir)
	}
}
