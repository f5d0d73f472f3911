package hooktest_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/lock"
	"github.com/virthook/virthook/sdk/pair"
	"github.com/virthook/virthook/sdk/state"
)

// gpu is a hook that gives no folder.
func gpu(events *[]string) sdk.Option {
	return pair.New("gpu", pair.Resource[string]{
		Acquire: func(_ context.Context, d *libvirtxml.Domain) (string, error) {
			*events = append(*events, "acquire "+d.Name)
			return "bound for " + d.Name, nil
		},
		Release: func(_ context.Context, _ *libvirtxml.Domain, v string) error {
			*events = append(*events, "release "+v)
			return nil
		},
	})
}

var numbers = state.Store[int]{Name: "hooktest-numbers"}

// What a prepare keeps a release of the same test finds, and nobody else: neither another
// test nor the host.
func TestStateOfATest(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Run("lifecycle", func(t *testing.T) {
		var events []string
		for _, name := range []string{"a", "b"} {
			hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named(name)), gpu(&events)).OK()
		}
		hooktest.Run(t, hooktest.QemuReleaseEnd("", hooktest.Named("a")), gpu(&events)).OK()
		hooktest.Run(t, hooktest.QemuReleaseEnd("", hooktest.Named("a")), gpu(&events)).OK()
		assert.Equal(t, []string{"acquire a", "acquire b", "release bound for a"}, events)

		left, err := os.ReadDir(os.TempDir())
		require.NoError(t, err)
		assert.Len(t, left, 1)
	})
	t.Run("another", func(t *testing.T) {
		var events []string
		hooktest.Run(t, hooktest.QemuReleaseEnd("", hooktest.Named("b")), gpu(&events)).OK()
		assert.Empty(t, events)
	})
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	assert.Empty(t, left, "the folder of the test is still there")
	for _, dir := range []string{"/var/lib/virthook/gpu", filepath.Join(os.Getenv("HOME"), ".local/state/virthook/gpu")} {
		assert.NoDirExists(t, dir)
	}
}

// The test itself looks at what its handlers keep.
func TestContext(t *testing.T) {
	save := does(func(ctx context.Context) error {
		return numbers.Update(ctx, "k", func(e *state.Entry[int]) error { e.Value++; return nil })
	})
	ctx := hooktest.Context(t)
	_, err := numbers.Load(ctx, "k")
	require.ErrorIs(t, err, fs.ErrNotExist)
	for range 2 {
		hooktest.Run(t, hooktest.QemuStartBegin(), save).OK()
	}
	r, err := numbers.Load(ctx, "k")
	require.NoError(t, err)
	assert.Equal(t, 2, r.Value)
	all, err := numbers.All(ctx)
	require.NoError(t, err)
	assert.Len(t, all, 1)

	// One that is given a folder is there.
	dir := filepath.Join(t.TempDir(), "given")
	given := state.Store[int]{Name: "n", Dir: dir}
	require.NoError(t, given.Update(ctx, "k", func(*state.Entry[int]) error { return nil }))
	assert.DirExists(t, filepath.Join(dir, "n"))

	// As is the folder in a context without a test.
	if os.Geteuid() != 0 {
		t.Setenv("HOME", dir)
		_, err = numbers.Load(context.Background(), "k")
		assert.ErrorIs(t, err, fs.ErrNotExist)
	}
}

// Handlers of one test wait for each other's locks; those of another test do not.
func TestLocksOfATest(t *testing.T) {
	l, err := lock.Host(hooktest.Context(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Unlock()) }()
	hook := func(limit time.Duration) sdk.Option {
		return does(func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			l, err := lock.Host(ctx)
			if err != nil {
				return err
			}
			return l.Unlock()
		})
	}
	hooktest.Run(t, hooktest.QemuStartBegin(), hook(10*time.Millisecond)).Refused("the host's lock is held by this process itself")
	t.Run("another", func(t *testing.T) { hooktest.Run(t, hooktest.QemuStartBegin(), hook(10*time.Second)).OK() })
}

// What a handler keeps that has outlived its test is lost, and no litter.
func TestStateAfterTheTest(t *testing.T) {
	var ctx context.Context
	t.Run("over", func(t *testing.T) { ctx = hooktest.Context(t) })
	_, err := numbers.Load(ctx, "k")
	require.EqualError(t, err, `state "hooktest-numbers": the test has ended`)
	_, err = lock.Host(ctx)
	require.EqualError(t, err, "lock: the test has ended")
}

// A hook that runs in a cleanup still has the state of its test.
func TestCleanup(t *testing.T) {
	var events []string
	t.Run("test", func(t *testing.T) {
		t.Cleanup(func() { // after all that Run cleans up
			hooktest.Run(t, hooktest.QemuReleaseEnd("", hooktest.Named("a")), gpu(&events)).OK()
			events = append(events, "last")
		})
		hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named("a")), gpu(&events)).OK()
		t.Cleanup(func() {
			hooktest.Run(t, hooktest.QemuReleaseEnd("", hooktest.Named("a")), gpu(&events)).OK()
		})
	})
	assert.Equal(t, []string{"acquire a", "release bound for a", "last"}, events)
}
