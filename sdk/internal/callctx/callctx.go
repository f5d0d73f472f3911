// Package callctx hands what belongs to a call to the helper packages, in the context
// that handlers get.
package callctx

import (
	"context"
	"log/slog"
)

type key struct{}

// With returns a context that carries the call's logger. The logger is made when
// somebody logs.
func With(ctx context.Context, logger func() *slog.Logger) context.Context {
	return context.WithValue(ctx, key{}, logger)
}

// Logger is the call's logger; without a call it discards. It is never nil.
func Logger(ctx context.Context) *slog.Logger {
	if logger, ok := ctx.Value(key{}).(func() *slog.Logger); ok && logger != nil {
		if l := logger(); l != nil {
			return l
		}
	}
	return slog.New(slog.DiscardHandler)
}
