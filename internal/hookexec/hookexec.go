// Package hookexec calls hooks the way libvirt does. [Run] is virRunScript and
// [Chain] is virHookCall of libvirt's src/util/virhook.c, with what they use of
// vircommand.c: the same arguments, environment and working directory, the same
// pipes, the same statuses and the same order.
//
// What is left to the caller: libvirt has no timeout, here a context may end the wait;
// and a program that calls hooks calls [Isolate] first.
package hookexec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/internal/fds"
)

// Isolate keeps from the hooks what libvirt keeps from them, and this process may have
// inherited: descriptors above 2, and signals that are ignored, as nohup does to SIGHUP.
// This process goes on ignoring them.
func Isolate() {
	fds.CloseOnExec()
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} { // of the others Go sees to it
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s) // with a handler it is a program's default again
		}
	}
}

// Call is one call of a driver's hooks. An empty operand is passed as "-", which
// is what libvirt passes for what it has not.
type Call struct {
	Driver, Object, Op, SubOp, Extra string

	Input []byte // what standard input carries; nil: it is /dev/null
}

// argv is the program's arguments, itself first.
func (c Call) argv(path string) ([]string, error) {
	argv := []string{path, c.Object, c.Op, c.SubOp, c.Extra}
	for i, a := range argv {
		if strings.ContainsRune(a, 0) {
			return nil, fmt.Errorf("argument %q: a NUL cannot be passed", a)
		}
		if a == "" {
			argv[i] = "-"
		}
	}
	return argv, nil
}

// Result is how a hook ended, and what it was given and printed.
type Result struct {
	Path           string   // of the program, absolute
	Argv           []string // Path and the four operands
	Env            []string // its environment, as NAME=VALUE in libvirt's order
	Input          []byte   // what this hook got on standard input; nil: /dev/null
	Status         int      // the exit status; -1 when a signal ended it
	Signal         syscall.Signal
	Stdout, Stderr []byte        // the first 64 MiB of each
	Start          time.Time     // of the call
	Exited         time.Duration // until the program itself ended
	Duration       time.Duration // until the exit and the end of both outputs, which is what libvirt waits for
	Left           []Process     // by PID: what kept the outputs open when the program had ended, or besides it when the wait was given up
}

// Process is another one than the hook itself that keeps libvirt waiting for the
// end of what it holds. Only on Linux are such processes found, and only those
// that this process may look into.
type Process struct {
	PID     int
	Command string // its command line on one line, of bounded length
	Holds   string // "stdout", "stderr" or "stdout and stderr"; "stdin" where the input does not go through
}

// Waiting is what [Run] waits for.
type Waiting struct {
	Path   string    // of the hook
	Exited bool      // it has ended, and its outputs have not
	Left   []Process // what keeps them open, if it was found
}

// Option is a setting of [Run] and [Chain].
type Option func(*settings)

type settings struct {
	tellAfter time.Duration
	tell      func(Waiting)
}

// OnWait calls tell when a hook has taken longer than after, and again when what
// is waited for becomes something else. The wait goes on when tell returns.
func OnWait(after time.Duration, tell func(Waiting)) Option {
	return func(s *settings) { s.tellAfter, s.tell = after, tell }
}

// Failed says whether libvirt takes the hook as failed.
func (r Result) Failed() bool { return r.Status != 0 }

// Output is what libvirt takes from the standard output of a filter, which it
// keeps in a C string: what is before the first NUL, nil when that is nothing but
// white space (virStringIsEmpty with g_ascii_isspace).
func (r Result) Output() []byte {
	out, _, _ := bytes.Cut(r.Stdout, []byte{0})
	if len(bytes.Trim(out, " \t\n\f\r")) == 0 {
		return nil
	}
	return out
}

// passed are the variables that libvirt hands on to a hook when it has them
// itself, in the order of virCommandAddEnvPassCommon.
var passed = []string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_FORCE_FLAT_NAMESPACE",
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR",
}

func environ() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// executable is virFileIsExecutable: a regular file, links followed, with any
// execute bit.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// mustBeExecutable is executable with a reason.
func mustBeExecutable(path string) error {
	if executable(path) {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file: libvirt would not run it", path)
	}
	return fmt.Errorf("%s: not executable: libvirt would not run it", path)
}

// execStatus is the exit status that stands for an execve that failed, if that
// is what err says, with the reason. libvirt forks first, so there the child ends
// with it; Go tells the parent.
func execStatus(err error) (status int, reason error) {
	var perr *fs.PathError
	var errno syscall.Errno
	if !errors.As(err, &perr) || !errors.As(perr.Err, &errno) {
		return 0, nil
	}
	// These are fork's: the hook was not even tried.
	if slices.Contains([]syscall.Errno{syscall.EAGAIN, syscall.ENOMEM}, errno) {
		return 0, nil
	}
	reason = errors.New(capital(errno))
	if errno == syscall.ENOENT { // of the interpreter, as the file itself is there
		return 127, reason
	}
	return 126, reason
}

// capital is a system error as the C library words it, which is as Go does but for
// the first letter.
func capital(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// Link makes a folder hooks/ with DRIVER in it, a symbolic link to the program,
// in a new temporary folder: a program finds out which driver it is called for
// from its own name. It returns the link's path; cleanup removes all of it.
func Link(program, driver string) (path string, cleanup func(), err error) {
	if err := checkDriver(driver); err != nil {
		return "", nil, err
	}
	target, err := filepath.Abs(program)
	if err != nil {
		return "", nil, err
	}
	if err := mustBeExecutable(target); err != nil {
		return "", nil, err
	}
	temp, err := os.MkdirTemp("", "virthook-")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(temp) }
	defer func() {
		if err != nil {
			cleanup()
			path, cleanup = "", nil
		}
	}()
	if temp, err = filepath.Abs(temp); err != nil {
		return
	}
	path = filepath.Join(temp, "hooks", driver)
	if err = os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		return
	}
	err = os.Symlink(target, path)
	return path, cleanup, err
}

// checkDriver refuses what would lead out of the hooks folder.
func checkDriver(driver string) error {
	if driver == "" || driver == "." || driver == ".." || strings.ContainsAny(driver, "/\x00") {
		return fmt.Errorf("%q is not the name of a driver", driver)
	}
	return nil
}
