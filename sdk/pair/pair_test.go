package pair_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
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

// binding is what the test's resource tells Release.
type binding struct{ Guest, Step string }

// resource writes down what is done with it, and fails when told to.
type resource struct {
	dir   string
	did   []string
	fails map[string]error // "acquire", "release", "reconnect"
	pair.Resource[binding]
	make func(string, pair.Resource[binding]) sdk.Option
}

func newResource(t *testing.T) *resource {
	r := &resource{dir: filepath.Join(t.TempDir(), "state"), fails: map[string]error{}, make: pair.New[binding]}
	r.Dir = r.dir
	r.Acquire = func(_ context.Context, d *libvirtxml.Domain) (binding, error) {
		r.did = append(r.did, "acquire "+d.Name)
		return binding{d.Name, "all"}, r.fails["acquire"]
	}
	r.Release = func(ctx context.Context, d *libvirtxml.Domain, b binding) error {
		assert.NoError(t, ctx.Err())
		r.did = append(r.did, fmt.Sprintf("release %s %v", d.Name, b))
		return r.fails["release"]
	}
	return r
}

// call calls the pair as the hook of libvirt's.
func (r *resource) call(t *testing.T, c hooktest.Call, opts ...sdk.Option) *hooktest.Result {
	t.Helper()
	return hooktest.Run(t, c, append([]sdk.Option{r.make("gpu", r.Resource)}, opts...)...)
}

// done returns what was done since it was last asked.
func (r *resource) done() []string {
	did := r.did
	r.did = nil
	return did
}

// nothing asserts that nothing is saved, and no lock's file left.
func (r *resource) nothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(r.dir, "gpu"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	assert.Empty(t, left)
}

// reboot makes all that is saved as of another boot.
func (r *resource) reboot(t *testing.T) {
	files, err := filepath.Glob(r.dir + "/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		before, rest, ok := strings.Cut(string(text), `"boot":"`)
		require.True(t, ok)
		require.NoError(t, os.WriteFile(f, []byte(before+`"boot":"another`+rest), 0o600))
	}
}

// guest edits a call to be of another guest; id is libvirt's number of its start.
func guest(name string, id int) func(*libvirtxml.Domain) {
	return func(d *libvirtxml.Domain) {
		d.Name, d.UUID = name, fmt.Sprintf("%032x", name)
		d.UUID = d.UUID[:32]
		d.ID = nil
		if id > 0 {
			d.ID = &id
		}
	}
}

func prepare(name string, id int) hooktest.Call { return hooktest.QemuPrepareBegin(guest(name, id)) }
func stopped(name string) hooktest.Call         { return hooktest.QemuStoppedEnd(guest(name, 0)) }
func release(name string) hooktest.Call {
	return hooktest.QemuReleaseEnd(sdk.ShutoffReasonShutdown, guest(name, 0))
}
func reconnect(name string, id int) hooktest.Call {
	return hooktest.QemuReconnectBegin(guest(name, id))
}

func TestLife(t *testing.T) {
	type edit = func(*libvirtxml.Domain)
	for driver, calls := range map[string]struct {
		prepare, reconnect func(...edit) hooktest.Call
		release            func(...edit) hooktest.Call
	}{
		"qemu":  {hooktest.QemuPrepareBegin, hooktest.QemuReconnectBegin, func(e ...edit) hooktest.Call { return hooktest.QemuReleaseEnd("", e...) }},
		"lxc":   {hooktest.LxcPrepareBegin, hooktest.LxcReconnectBegin, func(e ...edit) hooktest.Call { return hooktest.LxcReleaseEnd("", e...) }},
		"libxl": {hooktest.LibxlPrepareBegin, hooktest.LibxlReconnectBegin, hooktest.LibxlReleaseEnd},
		"bhyve": {hooktest.BhyvePrepareBegin, nil, hooktest.BhyveReleaseEnd},
	} {
		t.Run(driver, func(t *testing.T) {
			r := newResource(t)
			g := guest("web \"1\"\n../x", 0)
			r.call(t, calls.prepare(g)).OK()
			if calls.reconnect != nil {
				r.call(t, calls.reconnect(g)).OK()
			}
			r.call(t, calls.release(g)).OK()
			r.call(t, calls.release(g)).OK() // lxc calls it twice at times
			assert.Equal(t, []string{"acquire web \"1\"\n../x", "release web \"1\"\n../x {web \"1\"\n../x all}"}, r.done())
			r.nothing(t)
		})
	}
}

// A bhyve that passes no XML tells the name alone.
func TestWithoutXML(t *testing.T) {
	r := newResource(t)
	p, e := hooktest.BhyvePrepareBegin(), hooktest.BhyveReleaseEnd()
	p.XML, e.XML = nil, nil
	p.Object, e.Object = "../g", "../g"
	r.call(t, p).OK()
	r.call(t, e).OK()
	assert.Equal(t, []string{"acquire ../g", "release ../g {../g all}"}, r.done())
	r.nothing(t)
}

func TestPrepareTwice(t *testing.T) {
	r := newResource(t)
	r.call(t, prepare("a", 1)).OK()
	r.call(t, prepare("a", 1)).OK()
	assert.Equal(t, []string{"acquire a"}, r.done(), "the same start")

	// libvirt never said that the guest was off.
	res := r.call(t, prepare("a", 2)).OK()
	assert.Equal(t, []string{"release a {a all}", "acquire a"}, r.done())
	assert.Contains(t, res.Log, "gpu: left over from an earlier start, releasing it first")
	assert.Contains(t, res.Log, "phase=held")
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a {a all}"}, r.done())

	// Drivers that tell no id.
	lxc := hooktest.LxcPrepareBegin(guest("a", 0))
	r.call(t, lxc).OK()
	r.call(t, lxc).OK()
	assert.Equal(t, []string{"acquire a", "release a {a all}", "acquire a"}, r.done())
}

func TestRefusedStart(t *testing.T) {
	refuse := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return errors.New("no room") })

	// By another handler, after ours: libvirt calls stopped and release.
	r := newResource(t)
	r.call(t, prepare("a", 1), refuse).Refused("no room")
	assert.Equal(t, []string{"acquire a"}, r.done())
	r.call(t, stopped("a")).OK()
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a {a all}"}, r.done())
	r.nothing(t)

	// Before ours: there is nothing to release.
	hooktest.Run(t, prepare("a", 1), refuse, r.make("gpu", r.Resource)).Refused("no room")
	r.call(t, stopped("a")).OK()
	r.call(t, release("a")).OK()
	assert.Empty(t, r.done())
	r.nothing(t)

	// By ours: what was done is undone at once, since not every libvirt calls release.
	r.fails["acquire"] = errors.New("no vfio")
	r.call(t, prepare("a", 1)).Refused("gpu: no vfio\n")
	assert.Equal(t, []string{"acquire a", "release a {a all}"}, r.done())
	r.nothing(t)
	r.call(t, release("a")).OK()
	assert.Empty(t, r.done())

	// And when that fails too, it is not forgotten.
	r.fails["release"] = errors.New("busy")
	r.call(t, prepare("a", 1)).Refused("gpu: no vfio; undoing it: busy; to be tried again at release\n")
	r.done()
	r.call(t, release("a")).Refused("gpu: releasing it: busy; it is kept in mind")
	r.call(t, prepare("a", 2)).Refused("gpu: releasing it: busy; it is kept in mind")
	assert.Equal(t, []string{"release a {a all}", "release a {a all}"}, r.done())
	clear(r.fails)
	r.call(t, prepare("a", 3)).OK()
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a {a all}", "acquire a", "release a {a all}"}, r.done())
	r.nothing(t)
}

func TestReleaseFails(t *testing.T) {
	r := newResource(t)
	r.call(t, prepare("a", 1)).OK()
	r.fails["release"] = errors.New("busy")
	r.call(t, release("a")).Refused("gpu: releasing it: busy; it is kept in mind, and tried again at the next release or start\n")
	clear(r.fails)
	r.call(t, release("a")).OK()
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"acquire a", "release a {a all}", "release a {a all}"}, r.done())
	r.nothing(t)

	// What failed half-way is not held any more, even for the same start.
	r.call(t, prepare("a", 1)).OK()
	r.fails["release"] = errors.New("busy")
	r.call(t, release("a")).Refused("busy")
	clear(r.fails)
	r.done()
	r.call(t, prepare("a", 1)).OK()
	assert.Equal(t, []string{"release a {a all}", "acquire a"}, r.done())
}

func TestReconnect(t *testing.T) {
	r := newResource(t)
	r.call(t, prepare("a", 1)).OK()
	r.call(t, reconnect("a", 1)).OK()
	r.call(t, reconnect("a", 1)).OK()
	assert.Equal(t, []string{"acquire a"}, r.done(), "held already")

	// With something to put back.
	r.Reconnect = func(_ context.Context, d *libvirtxml.Domain, b binding) (binding, error) {
		r.did = append(r.did, "reconnect "+d.Name)
		b.Step += " again"
		return b, r.fails["reconnect"]
	}
	r.call(t, reconnect("a", 1)).OK()
	r.fails["reconnect"] = errors.New("no firewall")
	res := r.call(t, reconnect("a", 1)).OK()
	assert.Contains(t, res.Log, "gpu: no firewall")
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"reconnect a", "reconnect a", "release a {a all again}"}, r.done())
	r.nothing(t)

	// The hook is newer than the guest's start.
	res = r.call(t, reconnect("b", 2)).OK()
	assert.Contains(t, res.Log, "gpu: not held for a running guest, acquiring it")
	r.call(t, release("b")).OK()
	assert.Equal(t, []string{"acquire b", "release b {b all}"}, r.done())
	r.nothing(t)
}

// An error at reconnect kills the guest, so it must not be one; and nothing is undone
// under a running guest.
func TestReconnectFails(t *testing.T) {
	r := newResource(t)
	r.fails["acquire"] = errors.New("no vfio")
	for range 2 {
		res := r.call(t, reconnect("a", 1)).OK()
		assert.Contains(t, res.Stderr, "passed: gpu: ")
	}
	assert.Equal(t, []string{"acquire a"}, r.done())
	assert.Contains(t, r.call(t, reconnect("a", 1)).Log, "gpu: held in part only (acquiring); that is undone when the guest is off")
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a {a all}"}, r.done())
	r.nothing(t)

	r.Acquire = func(context.Context, *libvirtxml.Domain) (binding, error) { panic("oh") }
	r.call(t, reconnect("a", 1)).OK()
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a { }"}, r.done())

	r.FailReconnect = true
	r.Acquire = func(context.Context, *libvirtxml.Domain) (binding, error) { return binding{}, errors.New("no vfio") }
	r.call(t, reconnect("a", 1)).Refused("gpu: no vfio\n")
}

func TestAfterReboot(t *testing.T) {
	r := newResource(t)
	r.call(t, prepare("a", 1)).OK()
	r.reboot(t)
	res := r.call(t, prepare("a", 1)).OK()
	assert.Equal(t, []string{"acquire a", "acquire a"}, r.done(), "the id is that of another boot")
	assert.Contains(t, res.Log, "gpu: held before the reboot and never released: forgotten")

	r.reboot(t)
	r.call(t, release("a")).OK()
	assert.Empty(t, r.done())
	r.nothing(t)

	// What outlives a reboot.
	r.call(t, prepare("a", 1)).OK()
	r.AfterReboot = r.Release
	r.reboot(t)
	r.fails["release"] = errors.New("busy")
	r.call(t, prepare("a", 1)).Refused("gpu: undoing what was held before the reboot: busy\n")
	clear(r.fails)
	r.call(t, prepare("a", 1)).OK()
	assert.Equal(t, []string{"acquire a", "release a {a all}", "release a {a all}", "acquire a"}, r.done())
	r.reboot(t)
	r.call(t, reconnect("a", 1)).OK()
	assert.Equal(t, []string{"release a {a all}", "acquire a"}, r.done())
}

func TestShared(t *testing.T) {
	r := newResource(t)
	r.make = pair.Shared[binding]
	r.call(t, prepare("a", 1)).OK()
	r.call(t, prepare("a", 1)).OK()
	r.call(t, prepare("a", 2)).OK()
	r.call(t, prepare("b", 3)).OK()
	r.call(t, release("a")).OK()
	r.call(t, release("a")).OK()
	r.call(t, release("stranger")).OK()
	assert.Equal(t, []string{"acquire a"}, r.done())
	r.call(t, reconnect("b", 3)).OK()
	r.call(t, reconnect("c", 4)).OK() // started before the hook was there
	r.call(t, release("b")).OK()
	assert.Empty(t, r.done())
	r.call(t, release("c")).OK()
	r.call(t, release("c")).OK()
	assert.Equal(t, []string{"release c {a all}"}, r.done())
	r.nothing(t)
}

func TestSharedFails(t *testing.T) {
	r := newResource(t)
	r.make = pair.Shared[binding]
	r.fails["acquire"] = errors.New("no governor")
	r.call(t, prepare("a", 1)).Refused("gpu: no governor")
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"acquire a", "release a {a all}"}, r.done())
	r.nothing(t)

	// The last one out fails; the next one, whoever it is, tries again.
	clear(r.fails)
	r.call(t, prepare("a", 2)).OK()
	r.call(t, prepare("b", 3)).OK()
	r.call(t, release("a")).OK()
	r.fails["release"] = errors.New("busy")
	r.call(t, release("b")).Refused("gpu: releasing it: busy")
	clear(r.fails)
	r.done()
	r.call(t, prepare("c", 4)).OK()
	assert.Equal(t, []string{"release c {a all}", "acquire c"}, r.done())

	// All guests of before a reboot are off.
	r.call(t, prepare("d", 5)).OK()
	r.reboot(t)
	r.call(t, prepare("e", 1)).OK()
	r.call(t, release("e")).OK()
	assert.Equal(t, []string{"acquire e", "release e {e all}"}, r.done())
	r.nothing(t)

	// A guest that runs without it counts all the same when another brings it up.
	r.fails["acquire"] = errors.New("no governor")
	r.call(t, reconnect("a", 6)).OK()
	r.call(t, reconnect("b", 7)).OK()
	r.call(t, prepare("c", 8)).Refused("no governor")
	clear(r.fails)
	r.call(t, prepare("c", 8)).OK()
	r.done()
	r.call(t, release("c")).OK()
	r.call(t, release("a")).OK()
	assert.Empty(t, r.done())
	r.call(t, release("b")).OK()
	assert.Equal(t, []string{"release b {c all}"}, r.done())
	r.nothing(t)
}

func TestWhen(t *testing.T) {
	r := newResource(t)
	wanted := true
	r.When = func(*sdk.Call) (bool, error) { return wanted, nil }
	r.call(t, prepare("a", 1)).OK()
	wanted = false
	r.call(t, prepare("b", 2)).OK()
	r.call(t, reconnect("b", 2)).OK()
	r.call(t, release("b")).OK()
	r.call(t, reconnect("a", 1)).OK()
	r.call(t, release("a")).OK() // what is held is released
	assert.Equal(t, []string{"acquire a", "release a {a all}"}, r.done())
	r.nothing(t)

	r.When = func(*sdk.Call) (bool, error) { return false, errors.New("cannot tell") }
	r.call(t, prepare("a", 1)).Refused("input: matching the call: cannot tell")
	r.call(t, reconnect("a", 1)).OK()

	// In a group with a condition.
	r.When = nil
	gpu := sdk.For(sdk.Name("gpu-*"), r.make("gpu", r.Resource))
	hooktest.Run(t, prepare("a", 1), gpu).OK()
	hooktest.Run(t, prepare("gpu-a", 2), gpu).OK()
	hooktest.Run(t, release("gpu-a"), gpu).OK()
	assert.Equal(t, []string{"acquire gpu-a", "release gpu-a {gpu-a all}"}, r.done())
}

func TestProgress(t *testing.T) {
	r := newResource(t)
	r.Acquire = func(ctx context.Context, d *libvirtxml.Domain) (binding, error) {
		for _, step := range []string{"first", "second"} {
			if err := pair.Progress(ctx, binding{d.Name, step}); err != nil {
				return binding{}, err
			}
		}
		return binding{}, errors.New("no third")
	}
	r.call(t, prepare("a", 1)).Refused("gpu: no third")
	assert.Equal(t, []string{"release a {a second}"}, r.done())
	r.nothing(t)

	// A panic undoes nothing by itself; libvirt calls release.
	acquire := r.Acquire
	r.Acquire = func(ctx context.Context, d *libvirtxml.Domain) (binding, error) {
		_, err := acquire(ctx, d)
		panic(err)
	}
	r.call(t, prepare("a", 1)).Refused("panic: no third")
	assert.Empty(t, r.done())
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"release a {a second}"}, r.done())

	require.EqualError(t, pair.Progress(t.Context(), 1), "pair: Progress of a value of type int, not within an Acquire of that type")
	r.Acquire = func(ctx context.Context, _ *libvirtxml.Domain) (binding, error) {
		return binding{}, pair.Progress(ctx, "text")
	}
	r.call(t, prepare("a", 1)).Refused("Progress of a value of type string, not within an Acquire of that type")
}

// An Acquire that the deadline cut off is undone at release: it may be still running.
func TestCutOff(t *testing.T) {
	r := newResource(t)
	ctx, cutOff := context.WithCancel(t.Context())
	ended := make(chan struct{})
	acquire := r.Acquire
	r.Acquire = func(ctx context.Context, d *libvirtxml.Domain) (binding, error) {
		defer close(ended)
		if err := pair.Progress(ctx, binding{d.Name, "half"}); err != nil {
			return binding{}, err
		}
		cutOff()
		<-ctx.Done()
		return binding{}, ctx.Err()
	}
	c := prepare("a", 1)
	var stderr strings.Builder
	status := sdk.Run(ctx, []string{c.Driver, c.Object, c.Op, c.SubOp, c.Extra}, strings.NewReader(string(c.XML)), io.Discard, &stderr, r.make("gpu", r.Resource))
	assert.Equal(t, 1, status)
	assert.Contains(t, stderr.String(), "deadline: context canceled")
	<-ended
	r.Acquire = acquire
	r.call(t, release("a")).OK() // waits for the other one's lock
	assert.Equal(t, []string{"release a {a half}"}, r.done())
	r.nothing(t)
}

// Who waits in vain is told for whom; that is no decision, so reconnect passes.
func TestHeldByAnother(t *testing.T) {
	r := newResource(t)
	r.call(t, prepare("a", 1)).OK()
	files, err := filepath.Glob(r.dir + "/gpu/uuid-*.json")
	require.NoError(t, err)
	require.Len(t, files, 1)
	other := state.Store[json.RawMessage]{Name: "gpu", Dir: r.dir}
	e, err := other.Open(t.Context(), strings.TrimSuffix(filepath.Base(files[0]), ".json"), lock.As("another hook"))
	require.NoError(t, err)
	const want = " is held by this process itself, pid "
	for _, c := range []hooktest.Call{prepare("a", 2), release("a")} {
		r.call(t, c, sdk.Timeout(700*time.Millisecond)).Refused(want)
	}
	r.FailReconnect = true // of decisions
	res := r.call(t, reconnect("a", 1), sdk.Timeout(700*time.Millisecond)).OK()
	assert.Contains(t, res.Log, want)
	assert.Contains(t, res.Log, "another hook")
	require.NoError(t, e.Close())
	r.call(t, release("a")).OK()
	assert.Equal(t, []string{"acquire a", "release a {a all}"}, r.done())
	r.nothing(t)
}

// The test's program is also that of the hook that is killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("PAIR_TEST")
	if dir == "" {
		os.Exit(m.Run())
	}
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	at := os.Getenv("AT")
	sdk.Main(sdk.Log(discard), pair.New("gpu", pair.Resource[binding]{
		Dir: dir,
		Acquire: func(ctx context.Context, d *libvirtxml.Domain) (binding, error) {
			if at == "acquire" {
				die()
			}
			err := pair.Progress(ctx, binding{d.Name, "half"})
			if at == "progress" {
				die()
			}
			return binding{d.Name, "all"}, err
		},
		Release: func(context.Context, *libvirtxml.Domain, binding) error {
			if at == "release" {
				die()
			}
			return nil
		},
	}))
}

// hook runs the killed hook in a process of its own.
func hook(t *testing.T, dir, at string, c hooktest.Call) error {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(program)
	p.Args = []string{"/etc/libvirt/hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra}
	p.Env = append(os.Environ(), "PAIR_TEST="+dir, "AT="+at)
	p.Stdin = strings.NewReader(string(c.XML))
	p.Stderr = os.Stderr
	p.Stdout = io.Discard
	return p.Run()
}

func TestKilled(t *testing.T) {
	for at, known := range map[string]string{"acquire": "{ }", "progress": "{a half}", "release": "{a all}"} {
		for _, next := range []string{"release", "prepare"} {
			t.Run(at+", then "+next, func(t *testing.T) {
				r := newResource(t)
				if at == "release" {
					require.NoError(t, hook(t, r.dir, "", prepare("a", 1)))
					require.EqualError(t, hook(t, r.dir, at, release("a")), "signal: killed")
				} else {
					require.EqualError(t, hook(t, r.dir, at, prepare("a", 1)), "signal: killed")
				}
				want := []string{"release a " + known}
				if next == "prepare" {
					r.call(t, prepare("a", 1)).OK() // the very same start, and yet not held
					want = append(want, "acquire a", "release a {a all}")
				}
				r.call(t, release("a")).OK()
				assert.Equal(t, want, r.done())
				r.nothing(t)
			})
		}
	}
}

// What cannot be saved is not acquired, and what was acquired is not kept.
func TestCannotSave(t *testing.T) {
	r := newResource(t)
	require.NoError(t, os.Mkdir(r.dir, 0o770))
	require.NoError(t, os.Chmod(r.dir, 0o770))
	r.call(t, prepare("a", 1)).Refused(`state "gpu": folder ` + r.dir + ": others can write to it (mode 0770): chmod go-w it")
	assert.Empty(t, r.done())
	require.NoError(t, os.Chmod(r.dir, 0o700))

	type odd struct{ F any }
	var did []string
	hooktest.Run(t, prepare("a", 1), pair.New("odd", pair.Resource[odd]{
		Dir:     r.dir,
		Acquire: func(context.Context, *libvirtxml.Domain) (odd, error) { return odd{func() {}}, nil },
		Release: func(_ context.Context, _ *libvirtxml.Domain, o odd) error {
			did = append(did, fmt.Sprintf("%T", o.F))
			return nil
		},
	})).Refused("json: unsupported type: func()")
	assert.Equal(t, []string{"func()"}, did, "undone with what there was")

	c := prepare("a", 1)
	c.XML = []byte(strings.Replace(string(c.XML), "<uuid>", "<uuid>../", 1))
	r.call(t, c).Refused("is not a UUID")
	c.Op = "reconnect"
	r.call(t, c).OK()
	c.Op, c.SubOp = "release", "end"
	r.call(t, c).Refused("is not a UUID")
	assert.Empty(t, r.done())
}

func TestVersions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	old := pair.New("gpu", pair.Resource[string]{
		Dir:     dir,
		Version: 1,
		Acquire: func(context.Context, *libvirtxml.Domain) (string, error) { return "seven", nil },
		Release: func(context.Context, *libvirtxml.Domain, string) error { return nil },
	})
	var released []int
	n := pair.Resource[int]{
		Dir:     dir,
		Version: 2,
		Acquire: func(context.Context, *libvirtxml.Domain) (int, error) { return 8, nil },
		Release: func(_ context.Context, _ *libvirtxml.Domain, v int) error { released = append(released, v); return nil },
	}
	hooktest.Run(t, prepare("a", 1), old).OK()
	hooktest.Run(t, release("a"), pair.New("gpu", n)).Refused("saved by version 1, and there is no migration")
	n.Migrate = func(version int, text []byte) (int, error) {
		assert.Equal(t, 1, version)
		assert.Equal(t, `"seven"`, string(text))
		return 7, nil
	}
	hooktest.Run(t, prepare("a", 1), pair.New("gpu", n)).OK() // the same start
	hooktest.Run(t, release("a"), pair.New("gpu", n)).OK()
	assert.Equal(t, []int{7}, released)

	hooktest.Run(t, prepare("a", 1), pair.New("gpu", n)).OK()
	hooktest.Run(t, release("a"), old).Refused("saved by version 2, newer than ours, which is 1: not touched")
}

// Many guests at once, each with its own and all with a shared one.
func TestAtOnce(t *testing.T) {
	const guests = 16
	dir := filepath.Join(t.TempDir(), "state")
	own, shared := make(chan string, 4*guests), make(chan string, 4*guests)
	note := func(to chan string) pair.Resource[string] {
		return pair.Resource[string]{
			Dir:     dir,
			Acquire: func(_ context.Context, d *libvirtxml.Domain) (string, error) { to <- "acquire"; return d.Name, nil },
			Release: func(context.Context, *libvirtxml.Domain, string) error { to <- "release"; return nil },
		}
	}
	hooks := sdk.Group(pair.New("own", note(own)), pair.Shared("shared", note(shared)))
	results := make(chan *hooktest.Result, guests)
	for _, call := range []func(string) hooktest.Call{func(n string) hooktest.Call { return prepare(n, 1) }, release} {
		for i := range guests {
			go func() { results <- hooktest.Run(t, call(fmt.Sprint(i)), hooks) }()
		}
		for range guests {
			(<-results).OK()
		}
	}
	all := func(c chan string) (s []string) {
		close(c)
		for x := range c {
			s = append(s, x)
		}
		return s
	}
	assert.Equal(t, []string{"acquire", "release"}, all(shared))
	assert.Equal(t, append(slices.Repeat([]string{"acquire"}, guests), slices.Repeat([]string{"release"}, guests)...), all(own))
}

func TestMistakes(t *testing.T) {
	r := newResource(t)
	assert.PanicsWithValue(t, "pair.New: empty name", func() { pair.New("", r.Resource) })
	assert.PanicsWithValue(t, "pair.Shared: gpu: nil Acquire", func() { pair.Shared("gpu", pair.Resource[int]{}) })
	r.Release = nil
	assert.PanicsWithValue(t, "pair.New: gpu: nil Release", func() { pair.New("gpu", r.Resource) })
	r.nothing(t)
}
