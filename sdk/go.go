package sdk

import (
	"context"
	"sync"
)

// Go runs f beside the handler that calls it, with the handler's context. Unlike
// after a go statement, a panic in f does not end the process past all that the
// package does for the guest: it is an error of type *[Fault]. wait waits for f, or
// for the end of ctx, and returns its error; call it before the handler returns,
// because a hook ends when its handlers have.
//
//	wait := sdk.Go(ctx, func(ctx context.Context) error { return reserve(ctx, d.Memory) })
//	…
//	return errors.Join(err, wait())
func Go(ctx context.Context, f func(context.Context) error) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- guard(ctx, nil, 0, f) }()
	return sync.OnceValue(func() error { return <-done })
}
