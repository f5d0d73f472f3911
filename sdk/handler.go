package sdk

import (
	"context"
	"fmt"

	"github.com/virthook/virthook/sdk/hookimpl"
)

// handler is one handler and the operations that it takes.
type handler struct {
	events []Event // nil pointers of the event types that it takes; none: every call
	run    func(context.Context, Event) error
	runAny func(context.Context, *Call) error
}

// event is the handler's event type for a call, nil when it takes none.
func (h *handler) event(c *Call) Event {
	for _, e := range h.events {
		if isOp(e.HookOp(), c) {
			return e
		}
	}
	return nil
}

func isOp(op *hookimpl.Op, c *Call) bool {
	return op.Op == c.Op && op.Driver == c.Driver && op.SubOp == c.SubOp
}

func (h *handler) handles(c *Call) bool  { return h.runAny != nil || h.event(c) != nil }
func (h *handler) each(f func(*handler)) { f(h) }

// On handles the operation that E names, with all there is to know of the call:
//
//	sdk.On(func(ctx context.Context, e *sdk.QemuReleaseEnd) error {
//		e.Logger().Info("gone") // the record has the reason
//		return nil
//	})
//
// On panics when h is nil or E is not one of the event types.
func On[E Event](h func(context.Context, E) error) Option {
	var e E
	if any(e) == nil {
		// %T of a nil interface says nothing, of a pointer to it all.
		panic(fmt.Sprintf("sdk.On: %s is an interface, not the type of one event", fmt.Sprintf("%T", &e)[1:]))
	}
	if h == nil {
		panic(fmt.Sprintf("sdk.On[%T]: nil handler", e))
	}
	if !isEvent(e) {
		panic(fmt.Sprintf("sdk.On[%T]: %T is not an event type", e, e))
	}
	return newHandler(h, []Event{e})
}

// OnEach handles each of the given operations with one function. They are named
// by nil pointers:
//
//	sdk.OnEach[sdk.DomainEvent](count, (*sdk.QemuStartedBegin)(nil), (*sdk.LxcStartedBegin)(nil))
//
// The event that h gets is of the type of its operation. [OnDomain] is OnEach
// for all operations that carry a domain.
func OnEach[E Event](h func(context.Context, E) error, operations ...E) Option {
	if len(operations) == 0 {
		panic("sdk.OnEach: no operations")
	}
	hookimpl.NonNil("sdk.OnEach", h == nil)
	events := make([]Event, len(operations))
	for i, e := range operations {
		if any(e) == nil {
			panic(fmt.Sprintf("sdk.OnEach: operation %d is nil", i+1))
		}
		if !isEvent(e) {
			panic(fmt.Sprintf("sdk.OnEach: %T is not an event type", e))
		}
		events[i] = e
	}
	return newHandler(h, events)
}

func newHandler[E Event](h func(context.Context, E) error, events []Event) Option {
	return &handler{events: events, run: func(ctx context.Context, e Event) error { return h(ctx, e.(E)) }}
}

// isEvent tells an event type from a struct that embeds one, which has its
// methods, until they are called on a nil pointer.
func isEvent[E Event](e E) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	_, ok = e.HookNew(new(Call), hookimpl.Document{}).(E)
	return ok
}

// OnAny handles every call, also of operations that are newer than this package,
// without decoding it.
//
// Of an operation that the package does not know it cannot know what a failure
// does: there an error is still the handler's decision, but a [Fault] passes.
func OnAny(h func(context.Context, *Call) error) Option {
	hookimpl.NonNil("sdk.OnAny", h == nil)
	return &handler{runAny: h}
}
