package callctx_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/sdk/internal/callctx"
)

func TestLogger(t *testing.T) {
	var text bytes.Buffer
	made := 0
	ctx := callctx.With(t.Context(), func() *slog.Logger {
		made++
		return slog.New(slog.NewTextHandler(&text, nil))
	})
	assert.Zero(t, made, "before anybody logs")
	below, cancel := context.WithCancel(ctx)
	defer cancel()
	callctx.Logger(below).Info("hello")
	assert.Contains(t, text.String(), "msg=hello")
	assert.Equal(t, 1, made)
}

func TestNoLogger(t *testing.T) {
	for _, ctx := range []context.Context{
		t.Context(),
		callctx.With(t.Context(), nil),
		callctx.With(t.Context(), func() *slog.Logger { return nil }),
	} {
		callctx.Logger(ctx).Error("to nobody")
		assert.False(t, callctx.Logger(ctx).Enabled(ctx, slog.LevelError))
	}
}
