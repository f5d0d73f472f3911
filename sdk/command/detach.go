package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/virthook/virthook/internal/fds"
	"github.com/virthook/virthook/sdk/internal/callctx"
	"github.com/virthook/virthook/sdk/internal/children"
)

// Where systemd is; others in tests.
var (
	booted     = "/run/systemd/system"
	systemdRun = "systemd-run"
	runUser    = "/run/user"
)

// Detach starts a program that the hook does not wait for, and that goes on after the
// hook has returned, with all that it starts. It may ask libvirt, which answers when
// the hook has returned.
//
// Where systemd runs the program becomes a service of its own, and what it prints is
// in the journal under that service's name. Elsewhere, and where systemd refuses, it is
// a child in a session of its own, and what it prints is lost. What becomes of it is
// not the hook's to know: an error says that it was not started.
func Detach(ctx context.Context, name string, args ...string) error {
	return Command{Name: name, Args: args}.Detach(ctx)
}

// Detach is as the function Detach. A command with Stdin cannot be detached.
func (c Command) Detach(ctx context.Context) error {
	log := callctx.Logger(ctx).With("command", c.String())
	how, err := c.detach(ctx)
	if err != nil {
		failed := &Error{Command: c.String(), Status: -1, Err: err}
		log.Warn("a command could not be detached", "error", failed.Error())
		return failed
	}
	log.Info("a command was detached", "as", how)
	return nil
}

func (c Command) detach(ctx context.Context) (how string, err error) {
	if len(c.Stdin) > 0 {
		return "", errors.New("standard input is not for a detached command")
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	p, err := c.program(ctx)
	if err != nil {
		return "", err
	}
	if answer := callctx.CommandIn(ctx); answer != nil {
		return c.recordedDetached(answer)
	}
	// systemd says nothing of a program that cannot be run.
	if info, err := os.Stat(p.path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", &os.PathError{Op: "exec", Path: p.path, Err: syscall.EACCES}
	}
	if run, ok := c.service(p); ok {
		failed := run.start(ctx)
		if failed == nil {
			return "a service of systemd", nil
		}
		var unstarted *os.PathError
		if failed.Status < 0 && !errors.As(failed.Err, &unstarted) { // cut short: who knows what systemd does
			return "", failed
		}
		callctx.Logger(ctx).Warn("systemd does not take the command, which gets a session of its own instead", "error", failed.Error())
	}
	pid, err := p.session()
	return "process " + strconv.Itoa(pid), err
}

// service is the command that makes a service of the program; ok is false where that
// cannot be had.
func (c Command) service(p program) (run Command, ok bool) {
	if _, err := os.Stat(booted); err != nil {
		return Command{}, false
	}
	if _, err := find(systemdRun); err != nil {
		return Command{}, false
	}
	run = Command{Name: systemdRun, Args: []string{
		"--collect", "--quiet", "--no-block", "--no-ask-password",
		// Else the program's end would be that of what it has started.
		"--property=KillMode=process",
		"--description=started by a libvirt hook: " + word(p.path), // by itself it is the whole command line
		"--working-directory=" + p.dir,
	}}
	if uid := os.Geteuid(); uid != 0 {
		dir := filepath.Join(runUser, strconv.Itoa(uid))
		if _, err := os.Stat(filepath.Join(dir, "bus")); err != nil {
			return Command{}, false
		}
		run.Args = append(run.Args, "--user")
		run.Env = append(run.Env, "XDG_RUNTIME_DIR="+dir)
	}
	for _, v := range p.env {
		run.Args = append(run.Args, "--setenv="+v)
	}
	run.Args = append(run.Args, "--", p.path)
	for _, a := range c.Args {
		// systemd replaces variables, here as in unit files; $$ is its $. The way
		// around that is newer (--expand-environment, 254), and before 234 a word that
		// begins with $$ was dropped.
		if strings.HasPrefix(a, "$") {
			return Command{}, false
		}
		run.Args = append(run.Args, strings.ReplaceAll(a, "$", "$$"))
	}
	for _, a := range run.Args {
		if !utf8.ValidString(a) { // D-Bus does not carry it
			return Command{}, false
		}
	}
	return run, true
}

// start asks systemd. Its own limit is shorter than systemd-run's for an answer of
// systemd, 25 s: when that fails by itself, nothing was started.
func (c Command) start(ctx context.Context) *Error {
	const limit = 10 * time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("systemd has not answered in %s", limit))
	defer cancel()
	p, err := c.program(ctx)
	if err != nil {
		return &Error{Command: c.String(), Status: -1, Err: err}
	}
	stderr := &tail{most: maxTail}
	failed := c.run(ctx, p, &tail{most: maxTail}, stderr)
	if failed != nil {
		failed.Stderr = string(stderr.text())
	}
	return failed
}

// session starts the program as a child in a session of its own, which children.End
// leaves alone.
func (p program) session() (pid int, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	if mark := children.Mark(); mark != "" {
		p.env = append(p.env, mark)
	}
	fds.CloseOnExec()
	err = children.Start(func() (int, error) {
		process, err := os.StartProcess(p.path, p.argv, &os.ProcAttr{
			Dir: p.dir, Env: p.env, Files: []*os.File{null, null, null},
			Sys: &syscall.SysProcAttr{Setsid: true},
		})
		if err != nil {
			return 0, err
		}
		pid = process.Pid
		go func() { _, _ = process.Wait() }()
		return pid, nil
	})
	return pid, err
}
