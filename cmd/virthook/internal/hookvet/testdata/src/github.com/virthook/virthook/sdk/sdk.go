// Package sdk is what the tests need of the real one.
package sdk

import (
	"context"
	"io"

	"libvirt.org/go/libvirtxml"
)

type (
	Option      interface{ option() }
	Event       interface{ Guest() *libvirtxml.Domain }
	DomainEvent = Event
	Handler     func(context.Context, *Call) error
	Matcher     func(*Call) (bool, error)
	Call        struct{ Op, Object string }
	Filter      struct{ raw []byte }

	QemuPrepareBegin struct {
		*Call
		Domain *libvirtxml.Domain
	}
	QemuMigrateBegin struct {
		*Call
		Filter
		Domain *libvirtxml.Domain
	}
)

func (*QemuPrepareBegin) Guest() *libvirtxml.Domain { return nil }
func (*QemuMigrateBegin) Guest() *libvirtxml.Domain { return nil }
func (*Filter) Replace([]byte)                      {}

func Main(...Option) {}
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, opts ...Option) int {
	return 0
}

func OnQemuPrepareBegin(func(*libvirtxml.Domain) error) Option                       { return nil }
func OnQemuMigrateBegin(func(*libvirtxml.Domain) (*libvirtxml.Domain, error)) Option { return nil }
func OnQemuRestoreBegin(func(*libvirtxml.Domain) (*libvirtxml.Domain, error)) Option { return nil }
func On[E Event](func(context.Context, E) error) Option                              { return nil }
func OnEach[E Event](h func(context.Context, E) error, operations ...E) Option       { return nil }
func OnDomain(func(context.Context, DomainEvent) error) Option                       { return nil }
func OnAny(func(context.Context, *Call) error) Option                                { return nil }
func Group(...Option) Option                                                         { return nil }
func For(Matcher, ...Option) Option                                                  { return nil }
func Wrap(func(Handler) Handler) Option                                              { return nil }
func Name(...string) Matcher                                                         { return nil }
