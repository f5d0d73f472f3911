// Package pair is what the tests need of the real one.
package pair

import (
	"context"

	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

type Resource[T any] struct {
	Acquire func(context.Context, *libvirtxml.Domain) (T, error)
	Release func(context.Context, *libvirtxml.Domain, T) error
}

func New[T any](name string, r Resource[T]) sdk.Option { return nil }
