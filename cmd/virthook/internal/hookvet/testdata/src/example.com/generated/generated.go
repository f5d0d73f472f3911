// Package generated stands for an SDK that was generated from a spec of one's own.
package generated

import (
	"github.com/virthook/virthook/sdk"
	"libvirt.org/go/libvirtxml"
)

type (
	Option = sdk.Option
	Filter = sdk.Filter
)

type VmmMigrateBegin struct {
	*sdk.Call
	Filter
}

func (*VmmMigrateBegin) Guest() *libvirtxml.Domain { return nil }

func OnVmmStart(func(*libvirtxml.Domain) error) Option { return nil }

// Twice takes no handler.
func Twice(f func()) { f(); f() }

// Timed stands for what returns its argument in another form.
func Timed(h func(*libvirtxml.Domain) error) func(*libvirtxml.Domain) error { return h }
