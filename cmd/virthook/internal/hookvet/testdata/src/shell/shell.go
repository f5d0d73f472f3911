package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
)

const prefix = "logger "

var (
	//go:embed up.sh
	embedded string
	script   = "logger x"
	changed  = "logger x"
	pointed  = "logger x"
)

func main() {
	changed += os.Args[0]
	fmt.Sscan("x", &pointed)
	sdk.Main(sdk.OnAny(handle))
}

type word string

func (w word) run() error { return exec.Command("sh", "-c", string(w)).Run() } // want `this script is put together at run time.* \(shell\)`

func handle(ctx context.Context, c *sdk.Call) error {
	joined := "logger " + c.Object
	either := "a"
	if c.Op == "start" {
		either = "b" + c.Op
	}
	var kind any = c.Op
	switch kind := kind.(type) {
	case string:
		if err := exec.Command("sh", "-c", kind).Run(); err != nil { // want `this script is put together`
			return err
		}
	}
	args := []string{"-c", joined} // want `this script`
	fixed := []string{"-c", "true"}
	for _, cmd := range []*exec.Cmd{
		exec.Command("sh", "-c", "logger "+c.Object),                          // want `this script is put together at run time, and what a guest's name or XML puts there runs as root`
		exec.Command("/bin/bash", "-euc", fmt.Sprintf("logger %s", c.Object)), // want `this script`
		exec.CommandContext(ctx, "sudo", "sh", "-c", joined),                  // want `this script`
		exec.Command("bash", "-o", "pipefail", "-c", changed),                 // want `this script`
		exec.Command("sh", "-c", pointed),                                     // want `this script`
		exec.Command("sh", "-c", either),                                      // want `this script`
		exec.Command("su", "-", "user", "-c", c.Object),                       // want `this script`
		exec.Command("sh", "-c", strings.TrimSpace(c.Object)),                 // want `this script`
		exec.Command("sh", args...),

		exec.Command("sh", "-c", `logger "$1"`, "sh", c.Object),
		exec.Command("sh", "-c", prefix+"x"),
		exec.Command("sh", "-c", fmt.Sprintf("logger x")),
		exec.Command("sh", "-c", script),
		exec.Command("sh", "-c", embedded),
		exec.Command("sh", fixed...),
		exec.Command("logger", "-c", c.Object),
		exec.Command("sh", c.Object),
	} {
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	if err := command.Run(ctx, "sh", "-c", "logger "+c.Object); err != nil { // want `this script`
		return err
	}
	if err := command.Detach(ctx, "sh", "-c", "logger "+c.Object); err != nil { // want `this script`
		return err
	}
	if err := (command.Command{"sh", []string{"-c", "logger " + c.Object}, nil}).Run(ctx); err != nil { // want `this script`
		return err
	}
	if err := command.Run(ctx, "sh", "-c", `logger "$1"`, "sh", c.Object); err != nil {
		return err
	}
	if err := constants("true"); err != nil {
		return err
	}
	return guests(c.Object)
}

func constants(script string) error { return exec.Command("sh", "-c", script).Run() }

func guests(script string) error { return exec.Command("sh", "-c", script).Run() } // want `this script`
