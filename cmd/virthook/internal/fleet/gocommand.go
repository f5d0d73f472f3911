package fleet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ldflags leave out what is for debuggers, and what would tell builds apart.
const ldflags = "-s -w -buildid="

// goFailed is what the go command says when it fails, without what it puts around it.
func goFailed(err error, command string) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", command, err)
	}
	var lines []string
	for line := range strings.Lines(string(exit.Stderr)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "# ") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("%s: %w", command, err)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// goRun runs the go command in the module's root and returns what it prints.
func (m *goModule) goRun(ctx context.Context, target string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.root
	cmd.Env = goEnv(target)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, goFailed(err, "go "+args[0])
	}
	return out, nil
}

// overlay is a file that tells the go command where the main packages are.
func (m *goModule) overlay(dir string, builds []*build) (string, error) {
	replace := map[string]string{}
	for _, b := range builds {
		source := filepath.Join(dir, b.id+".go")
		if err := os.WriteFile(source, b.source, 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(m.mainFolder(b), "main.go")] = source
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, data, 0o644)
}

// findKeys gives each build of a target the hash of all that goes into it, as the go
// command sees it: it compiles what is not in its cache, and links nothing.
func (m *goModule) findKeys(ctx context.Context, target, overlay string, builds []*build) error {
	version, err := m.goRun(ctx, target, "env", "GOVERSION", "GOFLAGS", "GOEXPERIMENT")
	if err != nil {
		return err
	}
	args := append([]string{"list", "-deps", "-export", "-overlay", overlay, "-json=ImportPath,BuildID,Deps"}, buildFlags...)
	for _, b := range builds {
		args = append(args, m.mainPattern(b))
	}
	out, err := m.goRun(ctx, target, args...)
	if err != nil {
		return err
	}
	type listed struct {
		ImportPath, BuildID string
		Deps                []string
	}
	all := map[string]listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		err := dec.Decode(&l)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		all[l.ImportPath] = l
	}
	for _, b := range builds {
		main, ok := all[m.path+"/_virthook/"+b.id]
		if !ok {
			return fmt.Errorf("go list does not know %s", m.mainPattern(b))
		}
		h := sha256.New()
		fmt.Fprintf(h, "virthook build 1\n%s%s %s %q\n%s\n", version, target, m.name(), ldflags, b.source)
		for _, dep := range append(main.Deps, main.ImportPath) {
			fmt.Fprintf(h, "%s %s\n", dep, all[dep].BuildID)
		}
		b.key = hex.EncodeToString(h.Sum(nil))[:40]
	}
	return nil
}

// compile builds the program for a target into the file.
func (m *goModule) compile(ctx context.Context, b *build, target, overlay, to string) error {
	args := append([]string{"build", "-o", to, "-overlay", overlay, "-ldflags", ldflags}, buildFlags...)
	_, err := m.goRun(ctx, target, append(args, m.mainPattern(b))...)
	return err
}
