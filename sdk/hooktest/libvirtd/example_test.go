package libvirtd_test

import (
	"strings"
	"testing"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// A test of an author's own: the hook in this folder must refuse a guest, on the
// machine's libvirt where there is one.
func Example() {
	_ = func(t *testing.T) {
		if err := libvirtd.Available(); err != nil {
			t.Skip(err)
		}
		d := libvirtd.Start(t, libvirtd.Hook("qemu", libvirtd.Build(t, ".")))
		web := d.Guest("web", libvirtd.Idle)
		if _, err := web.TryStart(); err == nil || !strings.Contains(err.Error(), "no production guest") {
			t.Errorf("the guest started, or not for our reason: %v", err)
		}
		for _, c := range d.Calls() {
			t.Log(c) // qemu/prepare/begin web -, then stopped and release
		}
	}
}
