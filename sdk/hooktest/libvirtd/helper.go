package libvirtd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// helper is the process that holds a daemon's namespaces: it ends, and all inside
// with it, when requests is closed, which the kernel does when the test dies.
type helper struct {
	process  *exec.Cmd
	requests io.WriteCloser
	answers  *bufio.Reader
	stderr   *bytes.Buffer
	pid      int // of the first process inside
}

// startHelper returns when the namespaces are ready.
func startHelper(t testing.TB, c namespace.Config) (*helper, error) {
	p, err := programs()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	program := filepath.Join(t.TempDir(), "helper")
	if err := writeProgram(program, p.helper); err != nil {
		return nil, err
	}
	h := &helper{process: exec.Command(program, "supervise", string(config)), stderr: new(bytes.Buffer)}
	h.process.Stderr = h.stderr
	if h.requests, err = h.process.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := h.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.answers = bufio.NewReader(answers)
	if err := h.process.Start(); err != nil {
		return nil, err
	}
	a, err := h.answer()
	h.pid = a.PID
	if err == nil {
		_, err = h.answer()
	}
	if err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h, nil
}

func (h *helper) answer() (a namespace.Answer, err error) {
	line, err := h.answers.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("the helper is gone: %w", err)
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// ask has the helper do something and waits until it has.
func (h *helper) ask(request string) error {
	if _, err := io.WriteString(h.requests, request+"\n"); err != nil {
		return fmt.Errorf("the helper is gone: %w", err)
	}
	_, err := h.answer()
	return err
}

// stop kills everything inside and returns when it is gone.
func (h *helper) stop() error {
	_ = h.requests.Close()
	if err := h.process.Wait(); err != nil {
		return fmt.Errorf("the helper: %w: %s", err, h.stderr)
	}
	return nil
}

// command is one inside the namespaces.
func (h *helper) command(ctx context.Context, c namespace.Config, name string, args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(h.pid), "-m", "-u", "-i", "-n", "-p"}
	if c.Session {
		enter = append(enter, "-U", "--preserve-credentials")
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(append(enter, "--", name), args...)...)
	cmd.Env = c.Environ()
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second // nsenter's child outlives it
	return cmd
}

// path is where a file inside is seen from outside.
func (h *helper) path(inside string) string {
	return filepath.Join("/proc", strconv.Itoa(h.pid), "root", inside)
}

// programs are the helper and the recorder, built once a test run from the version
// of this module that the test is built with, and kept in memory: there is no end
// of a test run at which a file could be removed.
var programs = sync.OnceValues(func() (p struct{ helper, recorder []byte }, err error) {
	dir, err := os.MkdirTemp("", "virthook")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(dir)
	const internal = "github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/"
	if err = build(dir+"/", internal+"helper", internal+"recorder"); err != nil {
		return p, err
	}
	if p.helper, err = os.ReadFile(dir + "/helper"); err != nil {
		return p, err
	}
	p.recorder, err = os.ReadFile(dir + "/recorder")
	return p, err
})

// Build compiles a hook as it would be installed, static, and returns the
// program's path. The package is given as to go build; "." is that of the test.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := build(path, pkg); err != nil {
		t.Fatal(err)
	}
	return path
}

func build(out string, packages ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-o", out}, packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, said)
	}
	return nil
}
