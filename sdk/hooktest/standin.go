package hooktest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/virthook/virthook/sdk/internal/callctx"
)

// system is what a test has in the place of the system.
type system struct {
	t testing.TB

	mu       sync.Mutex
	ended    bool
	dir      string    // for state and locks; "" until somebody asks for it
	commands *Recorder // nil: commands are run
}

// systems are those of the tests that are going on, by their names: what stands for a
// test to its functions may be another value than the test itself.
var systems struct {
	sync.Mutex
	of map[string]*system
}

// systemOf is the one of a test.
func systemOf(t testing.TB) *system {
	systems.Lock()
	defer systems.Unlock()
	name := t.Name()
	s := systems.of[name]
	if s == nil || !s.goesOn(t) {
		s = &system{t: t}
		if systems.of == nil {
			systems.of = map[string]*system{}
		}
		systems.of[name] = s
	} else if !s.begin() {
		return s
	}
	t.Cleanup(func() {
		if err := s.end(); err != nil {
			t.Errorf("hooktest: removing the test's state: %v", err)
		}
		// A cleanup that is still to come must find the recorder.
		if r, _ := s.recorder(); r == nil {
			systems.Lock()
			defer systems.Unlock()
			if systems.of[name] == s {
				delete(systems.of, name)
			}
		}
	})
	return s
}

// goesOn says whether s is still that of the test, and not of one of the same name that
// has ended. In a cleanup a test that had ended here goes on.
func (s *system) goesOn(t testing.TB) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.ended || reflect.TypeOf(t).Comparable() && t == s.t
}

// begin says whether s had ended; it has not, any more.
func (s *system) begin() (had bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	had, s.ended = s.ended, false
	return had
}

// recorderOf is the recorder of a test or of one that it is in; nil without one.
func recorderOf(t testing.TB) *Recorder {
	systems.Lock()
	defer systems.Unlock()
	for name := t.Name(); ; {
		if s := systems.of[name]; s != nil {
			if r, ended := s.recorder(); r != nil && !ended {
				return r
			}
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return nil
		}
		name = name[:i]
	}
}

func (s *system) recorder() (r *Recorder, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commands, s.ended
}

var errEnded = errors.New("the test has ended")

// folder makes the test's own folder when a handler first needs it.
func (s *system) folder(kind callctx.Kind) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return "", errEnded
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "hooktest")
		if err != nil {
			return "", err
		}
		if s.dir, err = filepath.Abs(dir); err != nil {
			return "", err
		}
	}
	return filepath.Join(s.dir, string(kind)), nil
}

func (s *system) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir := s.dir
	s.ended, s.dir = true, ""
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

// Context is the context that [Run] calls handlers with, before any deadline. A test
// calls functions of its own with it that use sdk/command, sdk/state or sdk/lock, and
// looks at what handlers have saved:
//
//	record, err := devices.Load(hooktest.Context(t), key)
func Context(t testing.TB) context.Context {
	t.Helper()
	in := callctx.StandIn{Folder: systemOf(t).folder}
	if r := recorderOf(t); r != nil {
		in.Command = r.answer
	}
	return callctx.WithStandIn(context.Background(), &in)
}
