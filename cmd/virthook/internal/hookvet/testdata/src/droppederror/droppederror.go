package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/virthook/virthook/sdk"
)

func main() {
	os.Remove("before")
	sdk.Run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr, sdk.OnAny(handle)) // want `the exit status of sdk.Run is dropped.* \(droppederror\)`
	os.Exit(sdk.Run(context.Background(), os.Args, os.Stdin, os.Stdout, os.Stderr))
}

func handle(_ context.Context, c *sdk.Call) error {
	// As public hooks do: a rule that is not there, and a guest that starts.
	exec.Command("iptables", "-A", "FORWARD").Run()    // want `the error of exec.Command\(.*\).Run is dropped in reach of the handler of OnAny, and with it the decision`
	exec.Command("iptables", "-A", "FORWARD").Output() // want `the error of exec.Command`
	os.WriteFile("/sys/x", nil, 0o600)                 // want `the error of os.WriteFile is dropped`
	defer undo()                                       // want `the error of undo is dropped`
	json.NewEncoder(os.Stdout).Encode(c)               // want `Encode is dropped`
	f, err := os.Create(c.Object)
	if err != nil {
		return err
	}
	fmt.Fprintln(f, "a line") // want `the error of fmt.Fprintln is dropped`
	f.Close()                 // want `the error of f.Close is dropped`
	if err := good(); err != nil {
		os.Chmod("x", 0) // want `the error of os.Chmod`
		return err
	}
	w := bufio.NewWriter(f)
	w.WriteString("told by Flush")
	w.Flush() // want `the error of w.Flush`
	switch {
	case err == nil:
		f.Close() // want `the error of f.Close`
		return nil
	}
	return nil
}

func undo() error { return errors.New("x") }

func good() error {
	_ = os.Remove("explicit")
	var b strings.Builder
	var buf bytes.Buffer
	b.WriteString("x")
	buf.WriteByte('x')
	fmt.Fprintf(&b, "x")
	fmt.Fprintf(&buf, "x")
	fmt.Fprintln(os.Stderr, "for the log")
	fmt.Println("for the log")
	sum := sha256.New()
	sum.Write(nil)
	os.Getpid()
	func() {}()
	f, err := os.Open("x")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove("x")
	if _, err := f.WriteString("x"); err != nil {
		f.Close()
		os.Remove("x")
		return fmt.Errorf("x: %w", err)
	}
	switch _, err := f.Stat(); {
	case err != nil:
		f.Close()
		return err
	}
	return nil
}
