//go:build integration

package libvirtd_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// Many rounds of start and destroy while somebody keeps asking: nothing is lost.
func TestRounds(t *testing.T) {
	t.Parallel()
	h := start(t)
	guest := h.Guest("web", libvirtd.Idle)
	done := make(chan struct{})
	var lists int
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if _, err := h.Virsh("list", "--all"); !assert.NoError(t, err) {
					return
				}
				lists++
			}
		}
	})
	const rounds = 30
	for range rounds {
		if _, err := guest.TryStart(); !assert.NoError(t, err) {
			break
		}
		guest.Destroy()
	}
	close(done)
	asking.Wait()
	t.Logf("%d lists meanwhile", lists)
	assert.Positive(t, lists)

	for _, op := range []string{"prepare", "start", "started", "stopped", "release"} {
		assert.Len(t, h.CallsOf("qemu", op), rounds, op)
		assert.Len(t, h.typedOf("qemu/"+op), rounds, op)
	}
	h.requireSameCalls()
}

// Many guests at once, with all hooks active.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := system(t)
	h.Network("lan").Start()
	const guests = 20
	var all []*libvirtd.Guest
	for i := range guests {
		all = append(all, h.Guest(fmt.Sprintf("g%02d", i), libvirtd.Idle, libvirtd.NIC("lan")))
	}
	at := func(do func(*libvirtd.Guest) error) {
		t.Helper()
		var wg sync.WaitGroup
		errs := make([]error, guests)
		for i, g := range all {
			wg.Go(func() { errs[i] = do(g) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	at(func(g *libvirtd.Guest) error { _, err := g.TryStart(); return err })
	at(func(g *libvirtd.Guest) error { _, err := h.Virsh("destroy", g.Name); return err })

	for i, g := range all {
		assert.Equal(t, []string{"prepare", "start", "started", "stopped", h.release("destroyed")}, h.ops("qemu", g.Name), i)
	}
	assert.Len(t, h.CallsOf("network", "port-created"), guests)
	assert.Len(t, h.CallsOf("network", "port-deleted"), guests)
	h.requireSameNetworkCounts(guests)
}

func (h host) requireSameNetworkCounts(guests int) {
	h.t.Helper()
	for _, op := range []string{"network/port-created", "network/port-deleted", "qemu/prepare", "qemu/release"} {
		assert.Len(h.t, h.typedOf(op), guests, op)
	}
}
