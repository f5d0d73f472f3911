package spec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/spec"
)

func TestGoName(t *testing.T) {
	for in, want := range map[string]string{
		"qemu": "Qemu", "port-created": "PortCreated", "from snapshot": "FromSnapshot", "shutoff_reason": "ShutoffReason", "-": "", "": "", "a1-2b": "A12b",
	} {
		assert.Equal(t, want, spec.GoName(in), "%q", in)
	}
}

func TestOpGoNames(t *testing.T) {
	s := builtin(t)
	names := map[string]string{}
	for o := range s.All() {
		names[o.ID()] = o.GoName()
	}
	for id, want := range map[string]string{
		"daemon/start/-":             "DaemonStart",
		"daemon/reload/begin":        "DaemonReloadBegin",
		"qemu/migrate/begin":         "QemuMigrateBegin",
		"qemu/release/end":           "QemuReleaseEnd",
		"network/port-created/begin": "NetworkPortCreatedBegin",
	} {
		assert.Equal(t, want, names[id])
	}
}
