package sdk

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"
)

// Option is a handler or a setting, for [Main], [Run], [Group] and [For].
type Option interface{ option() }

// group is a list of handlers in order, with the settings that hold for them.
type group struct {
	match    Matcher // nil: always
	handlers []node
	nested   bool // at the end of what they began, handlers run in reverse
	settings settings
}

// inOrder yields the handlers in the order in which they take the call.
func (g *group) inOrder(c *Call) iter.Seq2[int, node] {
	if g.nested && c.SubOp == "end" {
		return slices.Backward(g.handlers)
	}
	return slices.All(g.handlers)
}

// node is a handler or a group.
type node interface {
	// handles says whether something in it takes the operation; argv is all that it may look at.
	handles(c *Call) bool
	// each yields the handlers in it, matchers or not.
	each(func(*handler))
}

// settings hold for a group and, unless it has its own, for the groups in it.
type settings struct {
	onFault  *Policy
	onError  *Policy
	timeout  time.Duration // 0: none of its own
	log      slog.Handler
	abi      *bool // check it
	logCalls *bool
	wraps    []func(Handler) Handler
}

// within is the settings of a group inside one with the settings outer.
func (s settings) within(outer settings) settings {
	if s.onFault == nil {
		s.onFault = outer.onFault
	}
	if s.onError == nil {
		s.onError = outer.onError
	}
	if s.log == nil {
		s.log = outer.log
	}
	if s.abi == nil {
		s.abi = outer.abi
	}
	if s.logCalls == nil {
		s.logCalls = outer.logCalls
	}
	s.wraps = append(outer.wraps[:len(outer.wraps):len(outer.wraps)], s.wraps...)
	return s
}

func (g *group) option()   {}
func (h *handler) option() {}

type setting func(*settings)

func (setting) option() {}

func newGroup(where string, m Matcher, opts []Option) *group {
	g := &group{match: m}
	for i, o := range opts {
		switch o := o.(type) {
		case nil:
			panic(fmt.Sprintf("%s: option %d is nil", where, i+1))
		case setting:
			o(&g.settings)
		case *group:
			g.handlers = append(g.handlers, o)
		case *handler:
			g.handlers = append(g.handlers, o)
		default: // an Option embedded in a struct, which would do nothing
			panic(fmt.Sprintf("%s: option %d is a %T, not what a function of this package returned", where, i+1, o))
		}
	}
	return g
}

func (g *group) handles(c *Call) bool {
	for _, n := range g.handlers {
		if n.handles(c) {
			return true
		}
	}
	return false
}

func (g *group) each(f func(*handler)) {
	for _, n := range g.handlers {
		n.each(f)
	}
}

// Group makes one option of several, so that a package can offer its handlers:
//
//	func Hooks() sdk.Option { return sdk.Group(sdk.OnQemuStartBegin(…), …) }
//
// Settings among opts hold for the handlers of the group alone, wherever in the
// list they stand.
func Group(opts ...Option) Option { return newGroup("sdk.Group", nil, opts) }

// Nested is a [Group] whose handlers run in the reverse order when libvirt calls at
// the end of something, which is at stopped and release: what was set up last is undone
// first, as with defer. [For] and Group in it keep the order of their own.
func Nested(opts ...Option) Option {
	g := newGroup("sdk.Nested", nil, opts)
	g.nested = true
	return g
}

// For is a [Group] whose handlers run only for the calls that m matches. The
// matcher is asked when a handler of the group would take the call, not before.
// A matcher that returns an error is a [Fault]: it never counts as no match.
func For(m Matcher, opts ...Option) Option {
	if m == nil {
		panic("sdk.For: nil matcher")
	}
	return newGroup("sdk.For", m, opts)
}

// Handler is what middleware sees of a handler: it decodes the input where the
// handler takes it, and runs the handler. An error of type *[Fault] is not the
// handler's decision.
type Handler func(context.Context, *Call) error

// Wrap puts middleware around each handler of the group that it stands in:
// metrics, tracing, audit. The first Wrap of a group is the outermost, and those
// of outer groups are outside those of inner ones.
func Wrap(w func(next Handler) Handler) Option {
	if w == nil {
		panic("sdk.Wrap: nil middleware")
	}
	return setting(func(s *settings) { s.wraps = append(s.wraps, w) })
}

// DefaultTimeout is how long a run may take unless a [Timeout] in Main says otherwise.
const DefaultTimeout = 2 * time.Minute

// Timeout is how long the handlers of the group that it stands in may take
// together; in Main or Run, how long the whole run may, reading the input
// included. When it expires the handler's context ends, [Main] kills the processes that
// handlers have started, and the run goes on with a [Fault], whether or not the handler
// has returned a moment later. A group's timeout can only shorten that of
// the groups around it. libvirt itself waits for a hook without limit.
func Timeout(d time.Duration) Option {
	if d <= 0 {
		panic(fmt.Sprintf("sdk.Timeout: %v is not positive", d))
	}
	return setting(func(s *settings) { s.timeout = d })
}

// Policy is what to make of a fault or an error.
type Policy int

const (
	// Fail ends the run with exit status 1.
	Fail Policy = iota + 1
	// Pass tells the log and goes on as though the handler had not been there.
	Pass
)

// OnFault chooses what a [Fault] does. Without it the operation's spec does:
// Pass where libvirt would kill a running guest or lose it, Fail elsewhere.
func OnFault(p Policy) Option {
	p.check("sdk.OnFault")
	return setting(func(s *settings) { s.onFault = &p })
}

// OnError chooses what a handler's error does; without it, Fail. With Pass a
// handler's error cannot, for example, get a guest killed on reconnect.
func OnError(p Policy) Option {
	p.check("sdk.OnError")
	return setting(func(s *settings) { s.onError = &p })
}

func (p Policy) check(function string) {
	if p != Fail && p != Pass {
		panic(fmt.Sprintf("%s: %d is neither Fail nor Pass", function, p))
	}
}

// CheckABI chooses whether a filter's result is held against libvirt's first ABI
// checks where libvirt makes them, at qemu migrate and restore: what the guest can
// see of its hardware must stay. It is on unless switched off: the error comes from
// the hook then, with the path, and not from libvirt afterwards.
func CheckABI(on bool) Option {
	return setting(func(s *settings) { s.abi = &on })
}

// Log sends the log of the group that it stands in to h: what handlers write to
// [Call.Logger], what they print, errors and faults. Without it [Main] logs to the
// systemd journal or to syslog, as package journal does, and [Run] not at all.
func Log(h slog.Handler) Option {
	if h == nil {
		panic("sdk.Log: nil handler")
	}
	return setting(func(s *settings) { s.log = h })
}

// LogCalls chooses whether the log has a record for each handler that succeeded too,
// with its duration, and whether it changed the XML. It is off unless switched on:
// libvirt calls a hook several times for each start of a guest.
func LogCalls(on bool) Option {
	return setting(func(s *settings) { s.logCalls = &on })
}
