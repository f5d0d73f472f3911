package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const guest = "g1"

// arena is a folder of installed contestants, each as a hook that libvirt would call.
type arena struct {
	dir    string
	source string // the folder testdata
	ready  []contestant
	absent []string          // the titles of those left out, with the reason
	tools  map[string]string // what the others need, with the versions
}

// newArena installs those contestants whose needs are there.
func newArena(cs []contestant) (a *arena, err error) {
	source, err := testdata()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "virthook-bench")
	if err != nil {
		return nil, err
	}
	a = &arena{dir: dir, source: source, tools: map[string]string{}}
	defer func() {
		if err != nil {
			_ = a.close()
		}
	}()
	for _, c := range cs {
		var out errAbsent
		switch err := a.install(c); {
		case errors.As(err, &out):
			a.absent = append(a.absent, c.title+" ("+string(out)+")")
		case err != nil:
			return nil, fmt.Errorf("%s: %w", c.key, err)
		default:
			a.ready = append(a.ready, c)
		}
	}
	return a, nil
}

func (a *arena) close() error { return os.RemoveAll(a.dir) }

// testdata finds the programs from anywhere in the module.
func testdata() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("no module here: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "internal", "bench", "testdata"), nil
}

// errAbsent says why a contestant cannot take part on this machine.
type errAbsent string

func (e errAbsent) Error() string { return string(e) }

// path is where a contestant is, in a folder of its own: a hook learns its driver
// from its name.
func (a *arena) path(c contestant) string { return filepath.Join(a.dir, c.key, "qemu") }

func (a *arena) call(c contestant, d document) call {
	return call{[]string{a.path(c), guest, c.op, "begin", "-"}, d.xml}
}

func (a *arena) install(c contestant) error {
	for _, need := range c.needs {
		if _, err := exec.LookPath(need); err != nil {
			return errAbsent("no " + need)
		}
	}
	program, err := a.build(c.program)
	if err != nil {
		return err
	}
	// The same bytes run at different speeds when a linker and when a copy wrote
	// them, so every program is a copy.
	if err := copyProgram(a.path(c), program); err != nil {
		return err
	}
	if c.tree {
		tree := filepath.Join(a.dir, c.key, "qemu.d", guest, c.op, "begin")
		if err := os.MkdirAll(tree, 0o755); err != nil {
			return err
		}
		if c.script {
			return copyProgram(filepath.Join(tree, "10-exit"), filepath.Join(a.source, "scripts/exit.sh"))
		}
	}
	for _, need := range c.needs {
		a.tools[need] = version(need)
	}
	return nil
}

// build makes a program of a source below testdata, once.
func (a *arena) build(source string) (string, error) {
	out := filepath.Join(a.dir, "built", source)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	from := filepath.Join(a.source, source)
	switch filepath.Ext(source) {
	case "":
		return out, run("go", "build", "-o", out, from)
	case ".c":
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return "", err
		}
		if run("cc", "-O2", "-static", "-o", out, from) != nil {
			return "", errAbsent("cc links nothing static")
		}
		return out, nil
	case ".py":
		return out, a.pythonScript(out, from)
	}
	return from, nil
}

// pythonScript puts the interpreter into the script's first line: the one that is
// found first may be a wrapper in shell, which is slower than Python itself.
func (a *arena) pythonScript(out, from string) error {
	interpreter := "/usr/bin/python3"
	if _, err := os.Stat(interpreter); err != nil {
		name, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
		if err != nil {
			return errAbsent("python3 does not run")
		}
		interpreter = strings.TrimSpace(string(name))
	}
	script, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	_, body, _ := bytes.Cut(script, []byte("\n"))
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, fmt.Appendf(nil, "#!%s\n%s", interpreter, body), 0o755)
}

func copyProgram(to, from string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as hooks are built
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+`)

// version is empty when the command does not tell.
func version(command string) string {
	out, _ := exec.Command(command, "--version").Output()
	return versionNumber.FindString(string(out))
}

// check runs a contestant on a document and says whether it did what it is there for.
func (a *arena) check(c contestant, d document) error {
	got, err := newCaller().call(a.call(c, d))
	if err == nil {
		err = got.mustSucceed()
	}
	if err == nil {
		err = checkOutput(c, d, string(got.stdout))
	}
	if err != nil {
		return fmt.Errorf("%s, %s: %w", c.key, d.size, err)
	}
	return nil
}

// checkOutput counts the disks that were moved: contestants may write the same XML
// in other words.
func checkOutput(c contestant, d document, out string) error {
	if !c.edits {
		if out != "" {
			return fmt.Errorf("it writes %d bytes", len(out))
		}
		return nil
	}
	if moved, left := strings.Count(out, newImages), strings.Count(out, oldImages); moved != d.disks || left != 0 {
		return fmt.Errorf("%d of %d disks are moved, %d are not", moved, d.disks, left)
	}
	return nil
}
