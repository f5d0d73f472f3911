// Command virthook works with libvirt's hooks: it lists the operations, generates
// the SDK for them, and calls hooks as libvirt does.
//
// It exits with 0 when all is well, 1 when it failed and 2 when it was used wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/virthook/virthook/internal/hookexec"
)

func main() {
	if len(os.Args) > 0 && filepath.Base(os.Args[0]) == recorderName {
		runRecorder(os.Args)
	}
	hookexec.Isolate()
	if vetTool(os.Args[1:]) {
		runVetTool()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without the process; it returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var failed *failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(stderr, "virthook: "+line)
		}
		return 1
	}
	// Wrong use, most of it found by cobra, which quotes arguments as they are.
	fmt.Fprintln(stderr, "virthook: "+strings.ReplaceAll(err.Error(), "\n", `\n`))
	return 2
}

// failure is an error that is not one of use. Each line of it is a problem.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

// misuse is an error of use, found by a command.
type misuse struct{ error }

func misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }
