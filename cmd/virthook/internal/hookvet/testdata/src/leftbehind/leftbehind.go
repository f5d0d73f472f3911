package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
)

func main() {
	sdk.Main(sdk.OnAny(handle))
	_ = exec.Command("before").Start() // no handler
}

var running []*exec.Cmd

type job struct{ cmd *exec.Cmd }

func handle(ctx context.Context, c *sdk.Call) error {
	cmd := exec.Command("watch", c.Object)
	cmd.Stdout = new(bytes.Buffer)
	if err := cmd.Start(); err != nil { // want `nobody waits for the process that is started here, in reach of the handler of OnAny; wait for it \(command.Run\), or let a service manager run it.* \(leftbehind\)`
		return err
	}
	if err := exec.CommandContext(ctx, "watch").Start(); err != nil { // want `nobody waits`
		return err
	}
	released := exec.Command("watch")
	if err := released.Start(); err != nil { // want `nobody waits`
		return err
	}
	if err := released.Process.Release(); err != nil {
		return err
	}
	p, err := os.StartProcess("/bin/watch", nil, nil) // want `nobody waits`
	if err != nil || p == nil {
		return err
	}
	if _, err := os.StartProcess("/bin/watch", nil, nil); err != nil { // want `nobody waits`
		return err
	}
	os.StartProcess("/bin/watch", nil, nil)                              // want `nobody waits`
	if err := exec.Command("sh", "-c", "sleep 60 &").Run(); err != nil { // want `the script leaves a process in the background`
		return err
	}
	if err := command.Run(ctx, "sh", "-c", "sleep 60 &"); err != nil { // want `the script leaves a process in the background`
		return err
	}
	if err := command.Detach(ctx, "sh", "-c", "sleep 60 & sleep 30"); err != nil {
		return err
	}
	return good(exec.Command("given"))
}

func good(given *exec.Cmd) (err error) {
	for _, script := range []string{"a && b", "a >x 2>&1", "a &>x", "echo 'a & b' \"a & b\"", "a | b; c"} {
		_ = script
	}
	for _, cmd := range []*exec.Cmd{
		exec.Command("sh", "-c", "a && b"),
		exec.Command("sh", "-c", "a >x 2>&1"),
		exec.Command("bash", "-c", "a &>x"),
		exec.Command("sh", "-c", "echo 'a & b' \"a & b\""),
		exec.Command("logger", "a &"),
	} {
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	waited := exec.Command("a")
	if err := waited.Start(); err != nil {
		return err
	}
	defer func() { err = waited.Wait() }()
	if err := given.Start(); err != nil { // the caller's
		return err
	}
	kept := exec.Command("a")
	if err := kept.Start(); err != nil {
		return err
	}
	running = append(running, kept)
	if err := running[0].Start(); err != nil {
		return err
	}
	inField := job{exec.Command("a")}
	if err := inField.cmd.Start(); err != nil {
		return err
	}
	passed := exec.Command("a")
	if err := passed.Start(); err != nil {
		return err
	}
	wait(passed)
	byProcess := exec.Command("a")
	if err := byProcess.Start(); err != nil {
		return err
	}
	if _, err := byProcess.Process.Wait(); err != nil {
		return err
	}
	p, err := os.StartProcess("/bin/a", nil, nil)
	if err != nil {
		return err
	}
	if _, err = p.Wait(); err != nil {
		return err
	}
	if _, err := start(); err != nil {
		return err
	}
	_, err = named()
	return err
}

func wait(*exec.Cmd) {}

func start() (*exec.Cmd, error) {
	cmd := exec.Command("a")
	return cmd, cmd.Start()
}

func named() (cmd *exec.Cmd, err error) {
	cmd = exec.Command("a")
	err = cmd.Start()
	return
}
