// Package elsewhere has nothing to do with hooks.
package elsewhere

import (
	"os"
	"os/exec"
)

func main() {
	code := 0
	defer os.Exit(code)
	go exec.Command("sh", "-c", os.Args[0]).Run()
}

//virthook:ignore exit no hook // want `this silences nothing`
