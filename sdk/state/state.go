// Package state keeps what a hook must know later, in another process: what it did at
// prepare, so that release can undo it, after a crash or a reboot too.
//
//	var devices = state.Store[Device]{Name: "gpu"}
//
//	e, err := devices.Open(ctx, key) // waits for others with the same key
//	if err != nil {
//		return err
//	}
//	defer e.Close()
//	e.Value.Driver = "nvidia"
//	return e.Save()
//
// [Guest] makes the key of a guest. Each key has a file of its own, in
// /var/lib/virthook/NAME or, for a user, ~/.local/state/virthook/NAME. What Save has
// saved is there after a crash of the system; a process that is killed while it saves
// leaves what was there before, or what it wrote, and nothing in between.
//
// In a handler that package hooktest calls, a Store without Dir is in a temporary
// folder of the test's.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/safedir"
	"github.com/virthook/virthook/sdk/lock"
)

// Store keeps values of one type, each under a key. T is written as encoding/json
// writes it.
type Store[T any] struct {
	// Name is the store's on this host: programs with the same share it. Any text will do.
	Name string

	// Dir is the folder that the store's own is in. Empty is /var/lib/virthook or, for
	// a user, ~/.local/state/virthook.
	Dir string

	// Version is raised when an older program would take a value for something else, or
	// this one a value of an older program. What a newer version has saved is never read
	// and never overwritten: that is a [*VersionError].
	Version int

	// Migrate makes a value of one that an older version has saved, from its JSON.
	// Without it that is a [*VersionError] as well. The result is saved by the next Save.
	Migrate func(version int, old []byte) (T, error)
}

// Record is one value with its key.
type Record[T any] struct {
	Key   string
	Value T

	// Stale says that the value was saved before this boot of the host: the guests of
	// then are off, and what lives in the kernel is as if it had never been.
	Stale bool
}

// VersionError says that a value was saved by a version that this one cannot read.
type VersionError struct {
	Path        string
	Saved, Ours int
}

func (e *VersionError) Error() string {
	if e.Saved > e.Ours {
		return fmt.Sprintf("%s: saved by version %d, newer than ours, which is %d: not touched", e.Path, e.Saved, e.Ours)
	}
	return fmt.Sprintf("%s: saved by version %d, and there is no migration to ours, which is %d", e.Path, e.Saved, e.Ours)
}

// Guest is the key of a guest: its UUID, in a form that no name has.
func Guest(d *libvirtxml.Domain) (string, error) {
	key, err := safedir.Guest(d)
	if err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	return key, nil
}

// file is what is written.
type file struct {
	Key     string          `json:"key"` // escaped: JSON holds UTF-8 alone
	Version int             `json:"version"`
	Boot    string          `json:"boot"`
	Value   json.RawMessage `json:"value"`
}

const ending = ".json"

func (s *Store[T]) path(ctx context.Context) (string, error) {
	if s.Name == "" {
		return "", errors.New("the store has no name")
	}
	dir := s.Dir
	if dir == "" {
		var err error
		if dir, err = callctx.Folder(ctx, callctx.State, safedir.State); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, safedir.FileName(s.Name)), nil
}

// folder opens the store's folder, checked together with the one it is in.
func (s *Store[T]) folder(ctx context.Context, open func(string) (*os.Root, error)) (*os.Root, error) {
	path, err := s.path(ctx)
	if err != nil {
		return nil, err
	}
	above, err := open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	above.Close()
	return open(path)
}

// Load reads the value of a key without waiting for those who are changing it. Where
// there is none the error is [fs.ErrNotExist]. With the ctx of a handler that package
// hooktest has called, it reads what that test has saved; so does All.
func (s *Store[T]) Load(ctx context.Context, key string) (Record[T], error) {
	root, err := s.folder(ctx, safedir.OpenExisting)
	if err != nil {
		return Record[T]{}, s.wrap(err)
	}
	defer root.Close()
	r, err := s.readKey(root, key)
	return r, s.wrap(err)
}

// All reads all values, in the order of their files. What cannot be read is left out,
// and the error says why.
func (s *Store[T]) All(ctx context.Context) ([]Record[T], error) {
	root, err := s.folder(ctx, safedir.OpenExisting)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, s.wrap(err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, s.wrap(err)
	}
	var all []Record[T]
	var errs []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ending) {
			continue
		}
		r, err := s.read(root, e.Name())
		switch {
		case err == nil:
			all = append(all, r)
		case !errors.Is(err, fs.ErrNotExist): // deleted just now
			errs = append(errs, s.wrap(err))
		}
	}
	return all, errors.Join(errs...)
}

func (s *Store[T]) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("state %q: %w", s.Name, err)
}

func fileOf(key string) string { return safedir.FileName(key) + ending }

// readKey reads the file of a key, and sees that it is that.
func (s *Store[T]) readKey(root *os.Root, key string) (Record[T], error) {
	r, err := s.read(root, fileOf(key))
	if err == nil && r.Key != key {
		err = fmt.Errorf("%s/%s is that of %q, not of %q", root.Name(), fileOf(key), r.Key, key)
	}
	return r, err
}

// read reads one file.
func (s *Store[T]) read(root *os.Root, name string) (r Record[T], err error) {
	text, err := root.ReadFile(name)
	if err != nil {
		return r, err
	}
	path := filepath.Join(root.Name(), name)
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	boot, err := bootID()
	if err != nil {
		return r, fmt.Errorf("telling this boot of the host from others: %w", err)
	}
	if r.Key, err = strconv.Unquote(`"` + f.Key + `"`); err != nil {
		return r, fmt.Errorf("%s: the key %q: %w", path, f.Key, err)
	}
	r.Stale = f.Boot != boot
	switch {
	case f.Version == s.Version:
		err = json.Unmarshal(f.Value, &r.Value)
	case f.Version < s.Version && s.Migrate != nil:
		r.Value, err = s.Migrate(f.Version, f.Value)
	default:
		return r, &VersionError{Path: path, Saved: f.Version, Ours: s.Version}
	}
	if err != nil {
		return r, fmt.Errorf("%s, of version %d: %w", path, f.Version, err)
	}
	return r, nil
}

// Entry is the value of one key, with the key's lock held.
type Entry[T any] struct {
	Record[T]
	Found bool // there is a saved value

	store *Store[T]
	root  *os.Root
	lock  *lock.Lock
}

// Open takes the lock of the key, as package lock does, and reads its value, which is
// the zero one where there is none. Close the Entry to give the lock back.
func (s *Store[T]) Open(ctx context.Context, key string, opts ...lock.Option) (*Entry[T], error) {
	e, err := s.open(ctx, key, opts)
	if err != nil {
		return nil, s.wrap(err)
	}
	return e, nil
}

func (s *Store[T]) open(ctx context.Context, key string, opts []lock.Option) (*Entry[T], error) {
	if key == "" {
		return nil, errors.New("empty key")
	}
	root, err := s.folder(ctx, safedir.Open)
	if err != nil {
		return nil, err
	}
	l, err := lock.Named(ctx, key, append(opts[:len(opts):len(opts)], lock.In(root.Name()))...)
	if err != nil {
		root.Close()
		return nil, err
	}
	e := &Entry[T]{store: s, root: root, lock: l}
	r, err := s.readKey(root, key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, l.Unlock(), root.Close())
	}
	e.Found = err == nil
	e.Record = r
	e.Key = key
	return e, nil
}

// Save writes the Value, and returns when it will survive a crash of the system. After
// an error what was saved before is there or, if only the last step failed, the Value.
func (e *Entry[T]) Save() error {
	if err := e.save(); err != nil {
		return e.store.wrap(fmt.Errorf("saving %q: %w", e.Key, err))
	}
	e.Found, e.Stale = true, false
	return nil
}

func (e *Entry[T]) save() error {
	boot, err := bootID()
	if err != nil {
		return fmt.Errorf("telling this boot of the host from others: %w", err)
	}
	value, err := json.Marshal(e.Value)
	if err != nil {
		return err
	}
	key := strconv.QuoteToASCII(e.Key)
	text, err := json.Marshal(file{Key: key[1 : len(key)-1], Version: e.store.Version, Boot: boot, Value: value})
	if err != nil {
		return err
	}
	return write(e.root, fileOf(e.Key), append(text, '\n'))
}

// Delete deletes what is saved and makes the Value the zero one.
func (e *Entry[T]) Delete() error {
	err := e.root.Remove(fileOf(e.Key))
	if err == nil {
		err = syncDir(e.root)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return e.store.wrap(fmt.Errorf("deleting %q: %w", e.Key, err))
	}
	e.Record, e.Found = Record[T]{Key: e.Key}, false
	return nil
}

// Close gives the lock back. Changes that were not saved are lost. Closing again is
// harmless.
func (e *Entry[T]) Close() error {
	if e.root == nil {
		return nil
	}
	unlock := e.lock.Unlock
	if !e.Found {
		unlock = e.lock.Remove // guests come and go; the folder must not fill up
	}
	err := errors.Join(unlock(), e.root.Close())
	e.root = nil
	return e.store.wrap(err)
}

// Update opens a key, calls f and saves what it made of the value, unless it returns
// an error.
func (s *Store[T]) Update(ctx context.Context, key string, f func(*Entry[T]) error, opts ...lock.Option) error {
	e, err := s.Open(ctx, key, opts...)
	if err != nil {
		return err
	}
	defer e.Close()
	if err := f(e); err != nil {
		return err
	}
	return e.Save()
}
