package install_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/hookexec"
)

// TestKilled kills install and uninstall at random moments while libvirt's calls go
// on: each finds one hook, and it is the old one or the new one.
func TestKilled(t *testing.T) {
	programs := build(t)

	t.Run("install", func(t *testing.T) {
		k := newKiller(t, programs, hooksFolder(t))
		k.must("install", programs.v1, "--driver", "qemu")
		k.run(200, filepath.Join("qemu.d", "50-limits"), func(i int) []string {
			return []string{"install", []string{programs.v2, programs.v1}[i%2], "--driver", "qemu"}
		})
		// What was left behind is known as ours, and is gone after the next one.
		k.must("install", programs.v1, "--driver", "qemu")
		k.must("install", programs.v2, "--driver", "qemu")
		store, err := os.ReadDir(filepath.Join(k.hooks, ".virthook"))
		require.NoError(t, err)
		assert.Len(t, store, 1, "the version before, and nothing else")
		k.must("uninstall")
		left, err := os.ReadDir(k.hooks)
		require.NoError(t, err)
		assert.Empty(t, left)
	})

	t.Run("uninstall", func(t *testing.T) {
		k := newKiller(t, programs, hooksFolder(t))
		theirs, err := os.ReadFile(programs.v1)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(k.hooks, "qemu"), theirs, 0o755))
		require.NoError(t, os.Chmod(filepath.Join(k.hooks, "qemu"), 0o755))
		k.run(100, "qemu", func(i int) []string {
			if i%2 == 0 {
				return []string{"install", programs.v2, "--as", "qemu", "--force"}
			}
			return []string{"uninstall"}
		}, "nothing was installed there")
		// Whatever was done of it, theirs comes back.
		k.must("install", programs.v2, "--as", "qemu", "--force")
		k.must("uninstall")
		back, err := os.ReadFile(filepath.Join(k.hooks, "qemu"))
		require.NoError(t, err)
		assert.Equal(t, theirs, back)
		left, err := os.ReadDir(k.hooks)
		require.NoError(t, err)
		assert.Len(t, left, 1)
	})
}

// TestAtOnce installs from several processes: none forgets what another has done.
func TestAtOnce(t *testing.T) {
	programs := build(t)
	k := newKiller(t, programs, hooksFolder(t))
	const n = 12
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			k.must("install", programs.v1, "--as", fmt.Sprintf("qemu.d/%d-limits", 10+i))
		})
	}
	wg.Wait()
	content, err := os.ReadFile(filepath.Join(k.hooks, "virthook-install.json"))
	require.NoError(t, err)
	var manifest struct{ Hooks []any }
	require.NoError(t, json.Unmarshal(content, &manifest))
	assert.Len(t, manifest.Hooks, n)
	k.must("uninstall")
	left, err := os.ReadDir(k.hooks)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// killer runs virthook on a hooks folder.
type killer struct {
	t               *testing.T
	virthook, hooks string
	sizes           []int64 // of the two versions
}

func newKiller(t *testing.T, programs built, hooks string) killer {
	t.Helper()
	k := killer{t: t, virthook: programs.virthook, hooks: hooks}
	for _, name := range []string{programs.v1, programs.v2} {
		is, err := os.Stat(name)
		require.NoError(t, err)
		k.sizes = append(k.sizes, is.Size())
	}
	return k
}

func (k killer) command(args ...string) *exec.Cmd {
	return exec.Command(k.virthook, append(args, "--hooks-dir", k.hooks)...)
}

func (k killer) must(args ...string) {
	k.t.Helper()
	out, err := k.command(args...).CombinedOutput()
	assert.NoError(k.t, err, "%q: %s", args, out)
}

// run kills n commands while the hook, which is at that place, is called. The
// command may fail with one of the messages.
func (k killer) run(n int, place string, args func(i int) []string, fine ...string) {
	t := k.t
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var calls calls
	ended := make(chan error, 2)
	go func() { ended <- calls.fire(ctx, k.hooks) }()
	go func() { ended <- k.see(ctx, place, k.sizes...) }()

	killed, moved := 0, 0
	within := [2]time.Duration{} // in which the two commands were done, here and now
	for i := 0; killed < n; i++ {
		require.Less(t, i, 20*n, "%d killed only", killed)
		before, err := os.ReadFile(filepath.Join(k.hooks, place))
		require.NoError(t, err)
		cmd := k.command(args(i)...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		start, whole := time.Now(), within[i%2]
		require.NoError(t, cmd.Start())
		done, killer := make(chan struct{}), sync.WaitGroup{}
		killer.Go(func() {
			switch {
			case whole == 0:
				return
			case i/2%2 == 0: // at any moment
				time.Sleep(rand.N(whole))
			default: // while files change
				k.untilItWrites(place, done)
				time.Sleep(rand.N(whole / 8))
			}
			_ = cmd.Process.Kill()
		})
		err = cmd.Wait()
		close(done)
		killer.Wait()
		var exit *exec.ExitError
		switch {
		case err == nil:
			if took := time.Since(start); whole == 0 {
				within[i%2] = took
			} else {
				within[i%2] = (3*whole + took) / 4
			}
		case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
			killed++
			after, err := os.ReadFile(filepath.Join(k.hooks, place))
			require.NoError(t, err)
			if string(after) != string(before) {
				moved++
			}
		default:
			known := false
			for _, message := range fine {
				known = known || strings.Contains(stderr.String(), message)
			}
			require.True(t, known, "%q after %d kills: %v: %s", args(i), killed, err, stderr.String())
		}
		select {
		case err := <-ended:
			t.Fatalf("after %d kills: %v", killed, err)
		default:
		}
	}
	stop()
	require.NoError(t, errors.Join(<-ended, <-ended))
	t.Logf("%d killed, %d of them after the file was moved; %d calls were answered by v1 and %d by v2",
		killed, moved, calls.v1.Load(), calls.v2.Load())
	assert.NotZero(t, calls.v1.Load())
	assert.NotZero(t, calls.v2.Load())
}

// untilItWrites waits until the place or the list of what is installed is another
// file, or one is being written.
func (k killer) untilItWrites(place string, done <-chan struct{}) {
	names := []string{filepath.Join(k.hooks, place), filepath.Join(k.hooks, "virthook-install.json")}
	var was [2]os.FileInfo
	for i, name := range names {
		was[i], _ = os.Stat(name)
	}
	for {
		for i, name := range names {
			if is, _ := os.Stat(name); (is == nil) != (was[i] == nil) || is != nil && !os.SameFile(is, was[i]) {
				return
			}
		}
		entries, _ := os.ReadDir(filepath.Join(k.hooks, ".virthook"))
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "new-") {
				return
			}
		}
		select {
		case <-done:
			return
		default:
			runtime.Gosched()
		}
	}
}

// see looks for the hook until ctx ends: a gap is shorter than a call takes.
func (k killer) see(ctx context.Context, place string, sizes ...int64) error {
	for ctx.Err() == nil {
		is, err := os.Stat(filepath.Join(k.hooks, place))
		switch {
		case err != nil:
			return err
		case is.Mode() != 0o755 || !slices.Contains(sizes, is.Size()):
			return fmt.Errorf("%s: mode %v and %d bytes", place, is.Mode(), is.Size())
		}
		runtime.Gosched()
	}
	return nil
}

// calls counts the calls by who answered them.
type calls struct{ v1, v2 atomic.Int64 }

// fire calls the hook until ctx ends, and says which call went wrong.
func (c *calls) fire(ctx context.Context, hooks string) error {
	for ctx.Err() == nil {
		// A call that has begun is waited for.
		o, err := hookexec.Chain(context.Background(), hooks, hookexec.Call{Driver: "qemu", Object: "web", Op: "start", SubOp: "begin"}, false)
		switch {
		case err != nil:
			return err
		case len(o.Results) != 1:
			return fmt.Errorf("%d hooks were called, not one", len(o.Results))
		}
		r := o.Results[0]
		switch {
		case r.Failed():
			return fmt.Errorf("%s: status %d, %v: %s", r.Path, r.Status, r.Signal, r.Stderr)
		case string(r.Stdout) == "v1\n":
			c.v1.Add(1)
		case string(r.Stdout) == "v2\n":
			c.v2.Add(1)
		default:
			return fmt.Errorf("%s: printed %q", r.Path, r.Stdout)
		}
	}
	return nil
}
