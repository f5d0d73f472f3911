package gen_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/spec"
)

// OnDomain says which of its operations cost a guest when its handler fails.
func TestOnDomainNamesTheGravest(t *testing.T) {
	s := builtin(t)
	for o := range s.All() {
		o.Failure = []spec.Failure{{Effect: spec.EffectRefused}}
	}
	of := func() string { return string(render(t, s, sdkPath)["events.gen.go"]) }
	assert.Contains(t, of(), "edits of the event's Domain count.\nfunc OnDomain(")

	s.Driver("qemu").Find("start")[0].Failure[0].Effect = spec.EffectKilled
	s.Driver("network").Find("start")[0].Failure[0].Effect = spec.EffectKilled // of no domain
	assert.Contains(t, of(), "\n//\n// Among them are [QemuStartBegin], where an error gets the running guest\n// killed.\nfunc OnDomain(")

	s.Driver("lxc").Find("start")[0].Failure[0].Effect = spec.EffectKilled
	s.Driver("bhyve").Find("start")[0].Failure[0].Effect = spec.EffectKilled
	restore := s.Driver("qemu").Find("restore")[0]
	restore.Failure = append(restore.Failure, spec.Failure{Effect: spec.EffectLost}) // in older versions
	assert.Contains(t, of(), `
//
// Among them are [BhyveStartBegin], [LxcStartBegin] and [QemuStartBegin], where
// an error gets the running guest killed; and [QemuRestoreBegin], where an
// error can cost the guest's saved state.
func OnDomain(`)
}
