package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/virthook/virthook/spec"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == recorderName { // which testscript would call without its path
		main()
	}
	testscript.Main(m, map[string]func(){"virthook": main})
}

// TestScripts runs the program as its users do: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// With the race detector a program waits a second before it exits.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			// What a script's line cannot hold.
			env.Setenv("TWO_LINES", "line\nline")
			if err := forGo(env); err != nil {
				return err
			}
			return writeLibvirt(filepath.Join(env.WorkDir, "libvirt"))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"status": status,
			"wrong":  wrong,
			"json":   jsonValue,
		},
	})
}

// forGo makes the go command work in scripts, without the network, and says where
// this module and the program are.
func forGo(env *testscript.Env) error {
	folders, err := goFolders()
	if err != nil {
		return err
	}
	env.Setenv("GOCACHE", folders[0])
	env.Setenv("GOMODCACHE", folders[1])
	env.Setenv("ROOT", filepath.Dir(folders[2]))
	env.Setenv("GOPROXY", "off")
	program, err := exec.LookPath("virthook")
	env.Setenv("VIRTHOOK", program)
	return err
}

var goFolders = sync.OnceValues(func() ([]string, error) {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOMOD").Output()
	return strings.Split(string(out), "\n"), err
})

// status is a command for scripts: "status N PROGRAM ARG…" runs the program and
// wants that exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil && err != context.DeadlineExceeded:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// wrong is "wrong PROGRAM ARG…": the use is wrong, and one line says why.
func wrong(ts *testscript.TestScript, neg bool, args []string) {
	status(ts, neg, append([]string{"2"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("wrong use prints on stdout: %q", out)
	}
	line, ended := strings.CutSuffix(ts.ReadFile("stderr"), "\n")
	if !ended || !strings.HasPrefix(line, "virthook: ") || strings.Contains(line, "\n") {
		ts.Fatalf("wrong use prints not one line but %q", line)
	}
}

// jsonValue is "json PATH VALUE": standard output is one JSON document, in which
// the value at the path, such as calls.0.status, is VALUE. With ! there is none.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	var doc any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc); err != nil {
		ts.Fatalf("stdout is not JSON: %v", err)
	}
	value, found := doc, true
	for key := range strings.SplitSeq(args[0], ".") {
		switch v := value.(type) {
		case map[string]any:
			value, found = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if found = err == nil && i < len(v); found {
				value = v[i]
			} else if found = key == "len"; found {
				value = len(v)
			}
		default:
			found = false
		}
		if !found {
			break
		}
	}
	if neg {
		if found {
			ts.Fatalf("%s is %v", args[0], value)
		}
		return
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	ts.Check(enc.Encode(value))
	got := strings.TrimSuffix(b.String(), "\n")
	want := os.Expand(args[1], ts.Getenv)
	if !found || got != want {
		ts.Fatalf("%s is %s, not %s", args[0], got, want)
	}
}

// writeLibvirt writes the two files of a libvirt source tree that verify-spec
// reads, with the operations of the built-in spec.
func writeLibvirt(dir string) error {
	s, err := spec.Builtin()
	if err != nil {
		return err
	}
	var b strings.Builder
	table := func(name string, values []string) {
		fmt.Fprintf(&b, "VIR_ENUM_IMPL(%s,\n              LAST,\n", name)
		for _, v := range values {
			fmt.Fprintf(&b, "              %q,\n", v)
		}
		b.WriteString(");\n\n")
	}
	var drivers, subOps []string
	for _, d := range s.Drivers {
		drivers = append(drivers, d.Name)
		var ops []string
		for _, o := range d.Ops {
			ops = append(ops, o.Op)
			subOps = append(subOps, o.SubOp)
		}
		table("virHook"+spec.GoName(d.Name)+"Op", ops)
	}
	table("virHookDriver", drivers)
	slices.Sort(subOps)
	table("virHookSubop", slices.Compact(subOps))
	if err := os.MkdirAll(filepath.Join(dir, "src", "util"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "meson.build"), []byte("project('libvirt', version: '99.0.0')\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "src", "util", "virhook.c"), []byte(b.String()), 0o644)
}
