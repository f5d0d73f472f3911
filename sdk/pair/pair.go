// Package pair is for what a hook sets up when a guest starts and undoes when it is
// off: a device bound to another driver, a firewall rule, a CPU governor.
//
//	sdk.Main(sdk.Nested( // what was acquired last is released first
//		pair.New("gpu", pair.Resource[Binding]{Acquire: bind, Release: unbind}),
//		pair.Shared("governor", pair.Resource[string]{Acquire: performance, Release: restore}),
//	))
//
// Acquire runs at prepare and returns what Release needs to know; that is saved on the
// host (package state), and Release runs at release, in another process. The drivers
// are qemu, lxc, libxl and bhyve.
//
// # What the pair sees to
//
// A crash, a kill or a failure at any moment leaves no lie behind: that Acquire is
// about to run is saved before it runs, what it returned after it, and nothing is
// forgotten until Release has succeeded. So:
//
//   - After Acquire has failed, Release undoes what it did, at once. Where that fails or
//     cannot be, since the process was killed, it is done at the guest's release or
//     before its next Acquire.
//   - When Release fails, what is saved is kept. Release runs again at the next release,
//     or before the next Acquire; while it fails the guest does not start.
//   - A release of what is not held does nothing; libvirt calls release after a prepare
//     that was refused, and some of its versions call it twice.
//   - A prepare for the start that has it already, as libvirt's id of the guest tells,
//     does nothing. Held by an earlier start, it is released first: libvirt does not
//     always call release (libxl and bhyve do not after a refused prepare). Of the
//     drivers only qemu tells the id at prepare; with the others every prepare counts
//     as another start.
//   - Two hooks for the same guest wait for each other.
//
// Release must therefore be able to run twice, and on something half done: it gets
// what Acquire returned or, where Acquire did not succeed, what it said last with
// [Progress], else what it returned with its error, else the zero value.
//
// # Reconnect
//
// When the daemon restarts it calls reconnect for running guests. What is held stays
// held, and only [Resource.Reconnect], if there is one, is called. What is not held,
// because the guest was started before the hook was installed, is acquired now. After
// a failure nothing is undone under the running guest: that is done at its release.
// And the failure goes to the log alone, since libvirt would kill the guest, or lose
// it; [Resource.FailReconnect] chooses otherwise.
//
// # Which guests
//
// A pair can stand in [sdk.For]. But its matcher is asked at release as well: when it
// can change its mind while the guest runs, as by metadata, use [Resource.When].
package pair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/lock"
	"github.com/virthook/virthook/sdk/state"
)

// Resource is what is acquired and released. T is what Release must know of what
// Acquire did; it is kept as JSON. Acquire and Release must be set.
type Resource[T any] struct {
	// Acquire sets it up. An error refuses the guest's start.
	Acquire func(ctx context.Context, d *libvirtxml.Domain) (T, error)

	// Release undoes it. It must cope with being run twice and with an Acquire that
	// came to no end. The domain is the one of this call; libvirt may have taken out of
	// it what was there at prepare.
	Release func(ctx context.Context, d *libvirtxml.Domain, v T) error

	// Reconnect, if set, puts back what a restart of the daemon has flushed, such as
	// rules of a firewall. It is called at reconnect when v is held, and returns what is
	// held from then on.
	Reconnect func(ctx context.Context, d *libvirtxml.Domain, v T) (T, error)

	// AfterReboot, if set, gets what was held when the host went down, before it is
	// acquired again. An error refuses the guest's start. Give it the function of Release
	// when what Acquire does outlives a reboot. Without it the log is told, and what was
	// held is forgotten, as the kernel has forgotten its part.
	AfterReboot func(ctx context.Context, d *libvirtxml.Domain, v T) error

	// When, if set, says for which guests it is acquired. It is not asked at release:
	// what is held is released.
	When sdk.Matcher

	// FailReconnect makes an error at reconnect fail the call. With qemu and lxc that
	// kills the running guest.
	FailReconnect bool

	// Version and Migrate are those of [state.Store], for T.
	Version int
	Migrate func(version int, old []byte) (T, error)

	// Dir is the folder for what is kept: [state.Store.Dir]. Tests with package hooktest
	// need none.
	Dir string
}

// New makes a pair of which each guest has its own. The name is its one on the host:
// two pairs with the same name would take each other's state for theirs.
func New[T any](name string, r Resource[T]) sdk.Option { return newPair("pair.New", name, r, false) }

// Shared makes a pair that all its guests share: the first one that starts acquires it
// and the last one that is off releases it. A guest counts once. Acquire gets the
// domain of the first, Release that of the last.
//
// Where libvirt never calls release after a refused start (libxl, bhyve), the guest
// counts until its next release or the next boot.
func Shared[T any](name string, r Resource[T]) sdk.Option {
	return newPair("pair.Shared", name, r, true)
}

func newPair[T any](function, name string, r Resource[T], shared bool) sdk.Option {
	switch {
	case name == "":
		panic(function + ": empty name")
	case r.Acquire == nil:
		panic(function + ": " + name + ": nil Acquire")
	case r.Release == nil:
		panic(function + ": " + name + ": nil Release")
	}
	p := &pair[T]{Resource: r, name: name, shared: shared}
	p.store = state.Store[record[T]]{Name: name, Dir: r.Dir, Version: r.Version}
	if r.Migrate != nil {
		p.store.Migrate = p.migrate
	}
	reconnect := []sdk.Option{
		sdk.OnEach[sdk.DomainEvent](p.reconnect,
			(*sdk.QemuReconnectBegin)(nil), (*sdk.LxcReconnectBegin)(nil), (*sdk.LibxlReconnectBegin)(nil)),
	}
	if !r.FailReconnect {
		reconnect = append(reconnect, sdk.OnError(sdk.Pass))
	}
	return sdk.Group(
		sdk.OnEach[sdk.DomainEvent](p.prepare,
			(*sdk.QemuPrepareBegin)(nil), (*sdk.LxcPrepareBegin)(nil), (*sdk.LibxlPrepareBegin)(nil), (*sdk.BhyvePrepareBegin)(nil)),
		sdk.OnEach[sdk.DomainEvent](p.release,
			(*sdk.QemuReleaseEnd)(nil), (*sdk.LxcReleaseEnd)(nil), (*sdk.LibxlReleaseEnd)(nil), (*sdk.BhyveReleaseEnd)(nil)),
		sdk.Group(reconnect...),
	)
}

type progressKey struct{}

// Progress saves, from within Acquire, what Release would have to know if Acquire came
// no further, not even to return. ctx is Acquire's, or made of it.
func Progress[T any](ctx context.Context, v T) error {
	save, ok := ctx.Value(progressKey{}).(func(T) error)
	if !ok {
		return fmt.Errorf("pair: Progress of a value of type %T, not within an Acquire of that type", v)
	}
	return save(v)
}

// pair is what handles the calls.
type pair[T any] struct {
	Resource[T]
	name   string
	shared bool
	store  state.Store[record[T]]
}

// record is what is saved.
type record[T any] struct {
	Phase phase       `json:"phase"`
	Start *int        `json:"start,omitempty"` // libvirt's id of the guest, when that is known at prepare
	Users state.Users `json:"users"`           // the keys of guests; one, unless shared
	Value T           `json:"value"`
}

// phase is how far it is.
type phase string

const (
	acquiring phase = "acquiring" // Acquire was about to run, and has not succeeded
	held      phase = "held"
	releasing phase = "releasing" // Release was about to run, and has not succeeded
)

func (p *pair[T]) migrate(version int, old []byte) (r record[T], err error) {
	raw, err := decodeRaw(old)
	if err != nil {
		return r, err
	}
	r = record[T]{Phase: raw.Phase, Start: raw.Start, Users: raw.Users}
	r.Value, err = p.Migrate(version, raw.Value)
	return r, err
}

// call is one call of a pair, with what is saved open.
type call[T any] struct {
	*pair[T]
	event sdk.DomainEvent
	guest string // its key
	entry *state.Entry[record[T]]
}

func (p *pair[T]) key(guest string) string {
	if p.shared {
		return "shared"
	}
	return guest
}

// open waits for other hooks with the same guest or, shared, with any.
func (p *pair[T]) open(ctx context.Context, e sdk.DomainEvent, guest string) (*call[T], error) {
	if deadline, ok := ctx.Deadline(); ok {
		// When ctx ends the run does, and nobody would be told who holds the lock.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/10))
		defer cancel()
	}
	entry, err := p.store.Open(ctx, p.key(guest), lock.As(e.Info().String()))
	var held *lock.HeldError
	if errors.As(err, &held) {
		return nil, &sdk.Fault{Kind: sdk.FaultDeadline, Err: err}
	}
	if err != nil {
		return nil, err
	}
	return &call[T]{p, e, guest, entry}, nil
}

// saved says whether anything is saved, and whether the guest is in it.
func (p *pair[T]) saved(ctx context.Context, guest string) (found, in bool, err error) {
	r, err := p.store.Load(ctx, p.key(guest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	return err == nil, r.Value.Users.Has(guest), err
}

func (p *pair[T]) wanted(e sdk.DomainEvent) (bool, error) {
	if p.When == nil {
		return true, nil
	}
	ok, err := p.When(e.Info())
	if err != nil {
		return false, &sdk.Fault{Kind: sdk.FaultInput, Err: fmt.Errorf("matching the call: %w", err)}
	}
	return ok, nil
}

func (p *pair[T]) prepare(ctx context.Context, e sdk.DomainEvent) error {
	if ok, err := p.wanted(e); err != nil || !ok {
		return err
	}
	guest, err := state.Guest(e.Guest())
	if err != nil {
		return err
	}
	c, err := p.open(ctx, e, guest)
	if err != nil {
		return err
	}
	defer c.entry.Close()
	if err := c.afterReboot(ctx); err != nil {
		return err
	}
	if c.entry.Found {
		r := &c.entry.Value
		if r.Phase == held && c.joins() {
			if r.Users.Has(guest) {
				return nil
			}
			r.Users.Add(guest)
			return c.entry.Save()
		}
		c.log("left over from an earlier start, releasing it first", "phase", string(r.Phase))
		if err := c.undo(ctx); err != nil {
			return err
		}
	}
	return c.acquire(ctx, true)
}

// joins says that what is held is also for this start.
func (c *call[T]) joins() bool {
	id, start := c.event.Guest().ID, c.entry.Value.Start
	return c.shared || id != nil && start != nil && *id == *start
}

func (p *pair[T]) reconnect(ctx context.Context, e sdk.DomainEvent) error {
	guest, err := state.Guest(e.Guest())
	if err != nil {
		return err
	}
	if _, in, err := p.saved(ctx, guest); err != nil {
		return err
	} else if !in {
		if ok, err := p.wanted(e); err != nil || !ok {
			return err
		}
	}
	c, err := p.open(ctx, e, guest)
	if err != nil {
		return err
	}
	defer c.entry.Close()
	if err := c.afterReboot(ctx); err != nil {
		return err
	}
	if !c.entry.Found {
		c.log("not held for a running guest, acquiring it")
		return c.acquire(ctx, false)
	}
	r := &c.entry.Value
	added := !r.Users.Has(guest)
	r.Users.Add(guest)
	if r.Phase != held {
		err := fmt.Errorf("%s: held in part only (%s); that is undone when the guest is off", p.name, r.Phase)
		if added {
			err = join(err, c.entry.Save())
		}
		return err
	}
	if p.Reconnect != nil {
		v, err := p.Reconnect(ctx, e.Guest(), r.Value)
		if err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			if added {
				err = join(err, c.entry.Save())
			}
			return err
		}
		r.Value = v
	} else if !added {
		return nil
	}
	return c.entry.Save()
}

func (p *pair[T]) release(ctx context.Context, e sdk.DomainEvent) error {
	guest, err := state.Guest(e.Guest())
	if err != nil {
		return err
	}
	if found, _, err := p.saved(ctx, guest); err != nil || !found {
		return err
	}
	c, err := p.open(ctx, e, guest)
	if err != nil {
		return err
	}
	defer c.entry.Close()
	if err := c.afterReboot(ctx); err != nil || !c.entry.Found {
		return err
	}
	users := &c.entry.Value.Users
	in := users.Has(guest)
	users.Remove(guest)
	if len(*users) == 0 {
		return c.undo(ctx)
	}
	if in {
		return c.entry.Save()
	}
	return nil
}

// acquire runs Acquire between saving that it is about to and saving its result.
func (c *call[T]) acquire(ctx context.Context, undo bool) error {
	e := c.entry
	users := e.Value.Users // others, for which a half-held one was undone just now
	users.Add(c.guest)
	e.Value = record[T]{Phase: acquiring, Start: c.event.Guest().ID, Users: users}
	if err := e.Save(); err != nil {
		return err
	}
	told := false
	v, err := c.Acquire(context.WithValue(ctx, progressKey{}, func(v T) error {
		told = true
		e.Value.Value = v
		return e.Save()
	}), c.event.Guest())
	if err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	if err == nil || !told {
		e.Value.Value = v
	}
	if err == nil {
		e.Value.Phase = held
		if err = e.Save(); err == nil {
			return nil
		}
		e.Value.Phase = acquiring
	}
	if !undo || ctx.Err() != nil { // the guest runs, or the run has been given up: at release
		return join(err, e.Save())
	}
	if undoErr := c.Release(ctx, c.event.Guest(), e.Value.Value); undoErr != nil {
		err = join(err, fmt.Errorf("undoing it: %w; to be tried again at release", undoErr))
		return join(err, e.Save())
	}
	e.Value.Users.Remove(c.guest)
	if len(e.Value.Users) > 0 {
		var zero T
		e.Value.Value = zero
		return join(err, e.Save())
	}
	return join(err, e.Delete())
}

// undo releases what is held, all or part of it, and forgets it.
func (c *call[T]) undo(ctx context.Context) error {
	e := c.entry
	e.Value.Phase = releasing
	if err := e.Save(); err != nil {
		return err
	}
	if err := c.Release(ctx, c.event.Guest(), e.Value.Value); err != nil {
		return fmt.Errorf("%s: releasing it: %w; it is kept in mind, and tried again at the next release or start", c.name, err)
	}
	users := e.Value.Users
	if err := e.Delete(); err != nil {
		return err
	}
	if c.shared {
		e.Value.Users = users
	}
	return nil
}

// afterReboot forgets what was held before the host's last boot.
func (c *call[T]) afterReboot(ctx context.Context) error {
	e := c.entry
	if !e.Found || !e.Stale {
		return nil
	}
	if c.AfterReboot == nil {
		c.log("held before the reboot and never released: forgotten", "phase", string(e.Value.Phase))
	} else {
		c.log("held before the reboot and never released: undoing it", "phase", string(e.Value.Phase))
		if err := c.AfterReboot(ctx, c.event.Guest(), e.Value.Value); err != nil {
			return fmt.Errorf("%s: undoing what was held before the reboot: %w", c.name, err)
		}
	}
	return e.Delete()
}

// join is errors.Join on one line.
func join(err, more error) error {
	if err == nil || more == nil {
		return cmp.Or(err, more)
	}
	return fmt.Errorf("%w; %w", err, more)
}

func (c *call[T]) log(text string, args ...any) {
	c.event.Info().Logger().Warn(c.name+": "+text, args...)
}
