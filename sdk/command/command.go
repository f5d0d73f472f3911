// Package command runs programs from a hook.
//
//	err := command.Run(ctx, "ip", "link", "set", tap, "master", bridge)
//
// A hook is no place for plain os/exec: libvirt waits for the hook, and for everybody
// who holds its output. So here
//
//   - no shell is involved: arguments reach the program as they are;
//   - a plain name is looked up in the system's folders, not in the daemon's PATH, and
//     the environment is a clean one;
//   - the program never gets the hook's standard streams: its output goes to the log
//     of the call and into the error;
//   - when ctx ends, so does the program, with all that it has started in its process
//     group, which is its own; and when the program has ended, what it has left behind
//     in the group is ended as well;
//   - programs that ask libvirt are refused, because libvirt waits for the hook: both
//     would wait forever.
//
// A program that makes a session of its own, as daemons do, leaves the group, but not
// the hook, which ends it too when its time is over. [Detach] starts what is meant to
// stay.
//
// Commands are logged with their arguments. Give secrets as Stdin.
//
// Tests need not run them: Commands of package hooktest records what a handler runs, and
// answers it.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/nolibvirt"
	"github.com/virthook/virthook/sdk/internal/oneline"
)

// Command is a program with what it gets.
type Command struct {
	// Name is an absolute path, or a plain name that is looked up in
	// /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin, /bin and, for NixOS,
	// /run/current-system/sw/bin.
	Name string
	Args []string

	Stdin []byte   // standard input; empty is the null device
	Env   []string // NAME=VALUE, in addition to PATH, LC_ALL, HOME, USER, LOGNAME, TMPDIR
	Dir   string   // where it runs, an absolute path; empty is /
}

// Error says what has become of a command.
type Error struct {
	Command string         // the program and its arguments, quoted where need be
	Status  int            // the exit status, -1 without one
	Signal  syscall.Signal // what ended it, if something has
	Stderr  string         // the end of what it wrote to standard error
	Err     error          // why it was not started, or not let go on; nil otherwise
}

// Error is one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("command: " + e.Command + ": ")
	switch {
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	case e.Signal != 0:
		b.WriteString("ended by a signal, " + e.Signal.String())
	default:
		b.WriteString("exit status " + strconv.Itoa(e.Status))
	}
	if text := strings.TrimSpace(e.Stderr); text != "" {
		const most = 1000
		if len(text) > most {
			text = "…" + strings.ToValidUTF8(text[len(text)-most:], "")
		}
		b.WriteString(": " + text)
	}
	return oneline.Escape(b.String())
}

// Unwrap returns Err: the cause of ctx's end, or an error of the system's.
func (e *Error) Unwrap() error { return e.Err }

// Run runs a program and waits for it. Its output goes to the log, and the end of what
// it wrote to standard error into the error, which is an [*Error].
func Run(ctx context.Context, name string, args ...string) error {
	return Command{Name: name, Args: args}.Run(ctx)
}

// Output is [Run], and returns what the program wrote to standard output: 16 MiB at
// most, more is an error. It is returned with an error too.
func Output(ctx context.Context, name string, args ...string) ([]byte, error) {
	return Command{Name: name, Args: args}.Output(ctx)
}

// Run is as the function Run.
func (c Command) Run(ctx context.Context) error {
	out := &tail{most: maxTail}
	return c.guarded(ctx, out, func() string { return string(out.text()) })
}

// Output is as the function Output.
func (c Command) Output(ctx context.Context) ([]byte, error) {
	out := &whole{full: make(chan struct{})}
	err := c.guarded(ctx, out, func() string { return "" })
	return out.text, err
}

const maxTail = 16 << 10

// guarded runs the command where libvirt waits for it.
func (c Command) guarded(ctx context.Context, out output, printed func() string) error {
	p, err := c.program(ctx, nolibvirt.Name+"="+nolibvirt.Value)
	if err == nil {
		err = c.asksLibvirt(p.path)
	}
	began, stderr := time.Now(), &tail{most: maxTail}
	failed := &Error{Command: c.String(), Status: -1, Err: err}
	if answer := callctx.CommandIn(ctx); err == nil && answer != nil {
		failed = c.recorded(ctx, answer, out, stderr)
	} else if err == nil {
		failed = c.run(ctx, p, out, stderr)
	}
	log := callctx.Logger(ctx).With("command", c.String(), "duration", time.Since(began))
	if text := printed(); text != "" {
		log = log.With("stdout", text)
	}
	text := string(stderr.text())
	if text != "" {
		log = log.With("stderr", text)
	}
	switch {
	case failed != nil:
		failed.Stderr = text
		problem := *failed
		problem.Stderr = ""
		log.Warn("a command failed", "error", problem.Error())
		return failed
	case text != "":
		log.Info("a command ran, and wrote to standard error")
	default:
		log.Debug("a command ran")
	}
	return nil
}

// program is what a command comes to.
type program struct {
	path string
	argv []string
	env  []string
	dir  string
}

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin"

func (c Command) program(ctx context.Context, guard ...string) (program, error) {
	path, err := findFor(ctx, c.Name)
	if err != nil {
		return program{}, err
	}
	for _, text := range slices.Concat([]string{c.Dir}, c.Args, c.Env) {
		if strings.IndexByte(text, 0) >= 0 {
			return program{}, fmt.Errorf("%q holds a NUL, which no program can be given", text)
		}
	}
	dir := "/"
	if c.Dir != "" {
		if dir = filepath.Clean(c.Dir); !filepath.IsAbs(dir) {
			return program{}, fmt.Errorf("folder %q: not an absolute path", c.Dir)
		}
	}
	env, err := c.environment(guard)
	return program{path: path, argv: append([]string{c.Name}, c.Args...), env: env, dir: dir}, err
}

func find(name string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return "", errors.New("neither an absolute path nor a plain name")
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("no such program in %s: %w", path, os.ErrNotExist)
}

// environment is the clean one with the additions; the last of a name counts.
func (c Command) environment(guard []string) ([]string, error) {
	env := []string{"PATH=" + path, "LC_ALL=C"}
	for _, name := range []string{"HOME", "USER", "LOGNAME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, guard...)
	for _, v := range c.Env {
		name, _, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("environment %q: not NAME=VALUE", v)
		}
		env = slices.DeleteFunc(env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		env = append(env, v)
	}
	return env, nil
}

// String is the program and its arguments on one line.
func (c Command) String() string {
	words := []string{word(c.Name)}
	for _, a := range c.Args {
		words = append(words, word(a))
	}
	return strings.Join(words, " ")
}

// word quotes what does not speak for itself.
func word(s string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_+=:,./@%^", r))
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}
