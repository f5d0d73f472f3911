// Package reach shows which functions a handler reaches.
package reach

import (
	"context"
	"os"

	"example.com/generated"
	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/pair"
	"libvirt.org/go/libvirtxml"
)

func Hooks(strict bool) sdk.Option {
	local := func(*libvirtxml.Domain) error {
		os.Exit(1) // want `handler of OnQemuPrepareBegin`
		return nil
	}
	if strict {
		local = func(*libvirtxml.Domain) error {
			os.Exit(2) // want `handler of OnQemuPrepareBegin`
			return nil
		}
	}
	log := func() {
		os.Exit(3) // want `handler of OnDomain`
	}
	unused := func() { os.Exit(0) }
	_ = unused
	s := server{end: func() {
		os.Exit(4) // want `handler of OnQemuPrepareBegin`
	}}
	hooktest.Each(func() { os.Exit(0) })
	generated.Twice(func() { os.Exit(0) })
	return sdk.Group(
		sdk.OnQemuPrepareBegin(local),
		sdk.OnQemuPrepareBegin(plain),
		sdk.OnQemuPrepareBegin(s.method),
		sdk.OnQemuPrepareBegin(made("file")),
		sdk.OnQemuPrepareBegin(generated.Timed(func(*libvirtxml.Domain) error {
			os.Exit(5) // want `handler of OnQemuPrepareBegin`
			return nil
		})),
		own(func(*libvirtxml.Domain) error {
			os.Exit(6) // want `handler of OnQemuPrepareBegin`
			return nil
		}),
		sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
			log()
			inner := func() {
				os.Exit(13) // want `handler of OnDomain`
			}
			inner()
			defer deferred()
			retry(again)
			return table[e.Guest().Name](e)
		}),
		sdk.On(func(_ context.Context, e *sdk.QemuPrepareBegin) error {
			os.Exit(7) // want `handler of On ends`
			return nil
		}),
		sdk.On[*sdk.QemuPrepareBegin](rich),
		sdk.OnEach(every[sdk.Event], sdk.Event((*sdk.QemuPrepareBegin)(nil))),
		sdk.OnAny(sdk.Handler(any)),
		sdk.Wrap(func(next sdk.Handler) sdk.Handler {
			return func(ctx context.Context, c *sdk.Call) error {
				os.Exit(8) // want `handler of Wrap`
				return next(ctx, c)
			}
		}),
		sdk.For(func(*sdk.Call) (bool, error) {
			os.Exit(9) // want `handler of For`
			return true, nil
		}),
		generated.OnVmmStart(func(*libvirtxml.Domain) error {
			os.Exit(10) // want `handler of generated.OnVmmStart`
			return nil
		}),
		pair.New("a", pair.Resource[int]{Acquire: acquire, Release: func(context.Context, *libvirtxml.Domain, int) error {
			os.Exit(12) // want `handler of pair.New`
			return nil
		}}),
		pair.New("b", later()),
		on(func(*libvirtxml.Domain) error {
			os.Exit(11) // want `handler of on ends`
			return nil
		}),
	)
}

func acquire(context.Context, *libvirtxml.Domain) (int, error) {
	os.Exit(1) // want `handler of pair.New`
	return 0, nil
}

func later() (r pair.Resource[string]) {
	r.Release = func(context.Context, *libvirtxml.Domain, string) error {
		os.Exit(1) // want `handler of pair.New`
		return nil
	}
	return r
}

var on = generated.OnVmmStart

func plain(d *libvirtxml.Domain) error { return first(d) }

func first(d *libvirtxml.Domain) error {
	if d.Name != "" {
		return first(d) // a function may call itself
	}
	second()
	return nil
}

func second() {
	os.Exit(1) // want `handler of OnQemuPrepareBegin`
}

type server struct{ end func() }

func (s *server) method(*libvirtxml.Domain) error {
	s.end()
	return nil
}

func (s *server) other() { os.Exit(0) }

// made runs when the program starts; what it returns is the handler.
func made(file string) func(*libvirtxml.Domain) error {
	if _, err := os.Stat(file); err != nil {
		os.Exit(1)
	}
	if file == "" {
		return made("x")
	}
	return func(*libvirtxml.Domain) error {
		os.Exit(2) // want `handler of OnQemuPrepareBegin`
		return nil
	}
}

func own(h func(*libvirtxml.Domain) error) sdk.Option { return sdk.OnQemuPrepareBegin(h) }

func deferred() {
	os.Exit(1) // want `handler of OnDomain`
}

func retry(f func()) { f() }

func again() {
	os.Exit(1) // want `handler of OnDomain`
}

// setup uses retry as well, before there is a call.
func setup() { retry(func() { os.Exit(0) }) }

var table = map[string]func(sdk.Event) error{
	"a": func(sdk.Event) error {
		os.Exit(1) // want `handler of OnDomain`
		return nil
	},
	"b": inTable,
}

func inTable(sdk.Event) error {
	os.Exit(1) // want `handler of OnDomain`
	return nil
}

func rich(context.Context, *sdk.QemuPrepareBegin) error {
	os.Exit(1) // want `handler of On ends`
	return nil
}

func every[E sdk.Event](context.Context, E) error {
	os.Exit(1) // want `handler of OnEach`
	return nil
}

func any(context.Context, *sdk.Call) error {
	os.Exit(1) // want `handler of OnAny`
	return nil
}

func Unreached() { os.Exit(0) }
