// Command lifecyclegen regenerates the tables of package internal/lifecycle in the
// working folder.
package main

import (
	"fmt"
	"os"

	"github.com/virthook/virthook/gen/lifecycle"
	"github.com/virthook/virthook/spec"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "lifecyclegen:", err)
		os.Exit(1)
	}
}

func write() error {
	s, err := spec.Builtin()
	if err != nil {
		return err
	}
	content, err := lifecycle.Render(s)
	if err != nil {
		return err
	}
	return os.WriteFile(lifecycle.File, content, 0o666)
}
