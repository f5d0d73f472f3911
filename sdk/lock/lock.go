// Package lock keeps hooks of several guests, and several hooks of one guest, out of
// each other's way: libvirt runs hooks of different guests at the same time.
//
//	l, err := lock.Host(ctx) // or lock.Guest, lock.Named
//	if err != nil {
//		return err // says who holds it
//	}
//	defer l.Unlock()
//
// A lock is flock(2) on a file in /run/virthook, for a user in /run/user/UID/virthook.
// It ends with the process that holds it, however that ends: a killed hook leaves no
// lock behind. Children do not inherit it. In a handler that package hooktest calls, the
// file is in a temporary folder of the test's.
//
// In a handler, wait with a shorter deadline than the handler's own: when that ends,
// the run ends with it, before anybody is told who holds the lock.
//
// The files stay; an empty file locks nothing. Never delete one by hand while hooks
// may run; [Lock.Remove] does it safely.
package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/safedir"
)

// Lock is a lock that is held.
type Lock struct {
	mu   sync.Mutex
	root *os.Root // nil: unlocked
	file *os.File
	name string
}

// Option is a setting of a lock.
type Option func(*settings)

type settings struct{ dir, doing string }

// In keeps the lock's file in another folder. The folder must be the user's own, and
// writable for nobody else; it is made where it is missing. Two processes meet only
// in the same folder.
func In(dir string) Option { return func(s *settings) { s.dir = dir } }

// As tells those who wait what the lock is held for. Without it they are told the
// operation and the guest that libvirt called this program with.
func As(doing string) Option { return func(s *settings) { s.doing = doing } }

// Host takes the one lock of the host. It waits until the lock is free or ctx ends;
// then the error is a [*HeldError].
func Host(ctx context.Context, opts ...Option) (*Lock, error) {
	return take(ctx, "the host's lock", "host.lock", opts)
}

// Guest takes the lock of one guest, which is the one with its UUID. It is [Host]
// otherwise.
func Guest(ctx context.Context, d *libvirtxml.Domain, opts ...Option) (*Lock, error) {
	id, err := safedir.Guest(d)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return take(ctx, "the lock of guest "+strconv.Quote(d.Name), "guest-"+safedir.FileName(id)+".lock", opts)
}

// Named takes the lock of a name of any kind, such as that of a bridge. It is [Host]
// otherwise.
func Named(ctx context.Context, name string, opts ...Option) (*Lock, error) {
	return take(ctx, "the lock "+strconv.Quote(name), "name-"+safedir.FileName(name)+".lock", opts)
}

func take(ctx context.Context, what, name string, opts []Option) (*Lock, error) {
	s := settings{doing: calledWith(os.Args)}
	for _, o := range opts {
		o(&s)
	}
	if s.dir == "" {
		dir, err := callctx.Folder(ctx, callctx.Runtime, safedir.Runtime)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		s.dir = dir
	}
	root, err := safedir.Open(s.dir)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	file, err := open(ctx, root, name)
	if err != nil {
		var held *HeldError
		if errors.As(err, &held) {
			held.Lock = what
			held.who(root, name)
		} else {
			err = fmt.Errorf("lock: %s: %w", what, err)
		}
		root.Close()
		return nil, err
	}
	describe(file, s.doing)
	return &Lock{root: root, file: file, name: name}, nil
}

// open opens the file and locks it. A file that was deleted meanwhile locks nothing:
// others have made a new one.
func open(ctx context.Context, root *os.Root, name string) (*os.File, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) // close-on-exec, as all that package os opens
		if err != nil {
			return nil, err
		}
		if err := flock(ctx, f); err != nil {
			return nil, err
		}
		ours, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, err
		}
		there, err := root.Lstat(name)
		if err == nil && !there.Mode().IsRegular() {
			f.Close()
			return nil, fmt.Errorf("%s/%s: it is not a regular file", root.Name(), name)
		}
		if err == nil && os.SameFile(ours, there) {
			return f, nil
		}
		f.Close()
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
}

// flock waits for the lock or the end of ctx. After an error f is closed, or will be.
func flock(ctx context.Context, f *os.File) error {
	err := flockFd(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return err
	}
	// The system call cannot be interrupted from here. It waits in a thread of its own:
	// in turn, and without using the processor.
	done := make(chan error, 1)
	go func() { done <- flockFd(f, syscall.LOCK_EX) }()
	select {
	case err := <-done:
		if err != nil {
			f.Close()
		}
		return err
	case <-ctx.Done():
		go func() { // it may get the lock yet, and gives it back
			<-done
			_ = flockFd(f, syscall.LOCK_UN)
			f.Close()
		}()
		return &HeldError{Err: context.Cause(ctx)}
	}
}

func flockFd(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Unlock gives the lock back. Doing it again is harmless.
func (l *Lock) Unlock() error { return l.end(false) }

// Remove gives the lock back and deletes its file, for a lock that is not likely to
// be taken again. Those who wait for it make a new file.
func (l *Lock) Remove() error { return l.end(true) }

func (l *Lock) end(remove bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.root == nil {
		return nil
	}
	var err error
	if remove {
		if err = l.root.Remove(l.name); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	// What stands in a file that is not locked would be taken for the next holder's.
	_ = l.file.Truncate(0)
	// Not only closed: a child of ours between fork and exec still has the file open.
	err = errors.Join(err, flockFd(l.file, syscall.LOCK_UN), l.file.Close(), l.root.Close())
	l.root = nil
	if err != nil {
		return fmt.Errorf("lock: unlocking %s: %w", l.name, err)
	}
	return nil
}
