//go:build linux

// Command helper keeps one private libvirtd: as a supervisor outside, and as the
// first process of namespaces of its own inside. Package libvirtd starts it and
// talks to it; nobody else should.
//
// It ends, and with it every process of the namespaces and every mount in them,
// when its standard input does: whatever happens to the test, nothing is left.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

func main() {
	if len(os.Args) != 3 {
		fatal(fmt.Errorf("usage: helper supervise|init CONFIG"))
	}
	var c namespace.Config
	if err := json.Unmarshal([]byte(os.Args[2]), &c); err != nil {
		fatal(err)
	}
	switch role := os.Args[1]; role {
	case "supervise":
		fatal(supervise(c, os.Args[2]))
	case "init":
		fatal(initialise(c))
	default:
		fatal(fmt.Errorf("no role %q", role))
	}
}

// fatal ends the process. The reason is an answer like any other: see [answer].
func fatal(err error) {
	if err != nil {
		answer(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// answer tells the test how what it asked for went.
func answer(err error) {
	var a namespace.Answer
	if err != nil {
		a.Error = err.Error()
	}
	send(a)
}

func send(a namespace.Answer) {
	line, err := json.Marshal(a)
	if err != nil {
		panic(err) // two plain fields
	}
	os.Stdout.Write(append(line, '\n'))
}
