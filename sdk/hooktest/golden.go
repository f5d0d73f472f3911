package hooktest

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// home is where the test's package is: go test starts tests there.
var home, _ = os.Getwd()

func init() {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write golden files anew, in the place of comparing with them")
	}
}

// updating says whether golden files are to be written.
func updating() bool {
	if os.Getenv("HOOKTEST_UPDATE") == "1" {
		return true
	}
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// golden are the files that this process has written, with their texts.
var golden struct {
	sync.Mutex
	written map[string]string
}

// Golden fails the test unless the hook answered as the file says, a path relative to
// the test's own folder. In the file is what one wants to review: the exit status, the
// line on standard error and the [Result.Changes].
//
//	go test . -update
//
// writes the files anew; review them with git diff. Two calls with one file must agree.
//
// The flag -update is this package's, unless a package that was initialised before it
// has one, which is heeded then. One that comes later cannot have its own; Go says "flag
// redefined: update", and it is to use flag.Lookup("update"). And go test hands the
// flag to all packages it tests, of which those without it fail: for many packages set
// HOOKTEST_UPDATE=1 in the environment instead.
func (r *Result) Golden(file string) *Result {
	r.t.Helper()
	path := filepath.FromSlash(file)
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	got := r.text()
	if updating() {
		if err := updateGolden(path, got); err != nil {
			r.t.Fatalf("%s: %s: %v", r.call, file, err)
		}
		return r
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.t.Fatalf("%s: there is no %s yet; this makes it:\n%s\nwith:\n%s", r.call, file, updateCommand(r.t), got)
	}
	if err != nil {
		r.t.Fatalf("%s: reading the golden file: %v", r.call, err)
	}
	lines := func(text string) []string {
		return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	}
	if text, same := compareLines(lines(string(want)), lines(got)); !same {
		r.t.Fatalf("%s: the answer is not that of %s (- wanted, + got):\n%sif it is right: %s", r.call, file, text, updateCommand(r.t))
	}
	return r
}

// text is the answer in the form of golden files.
func (r *Result) text() string {
	r.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "call: %s %s %s %s %s\n", r.call.Driver, value(r.call.Object), r.call.Op, r.call.SubOp, value(r.call.Extra))
	fmt.Fprintf(&b, "status: %d\n", r.Status)
	list := func(name string, lines []string) {
		b.WriteString(name + ":\n")
		for _, l := range lines {
			b.WriteString("  " + value(l) + "\n")
		}
	}
	if stderr := strings.TrimSuffix(r.Stderr, "\n"); stderr != "" {
		list("stderr", strings.Split(stderr, "\n"))
	}
	if len(bytes.TrimSpace(r.Stdout)) == 0 {
		return b.String()
	}
	changes, err := r.changes()
	if err != nil {
		list("output", strings.Split(strings.TrimSuffix(string(r.Stdout), "\n"), "\n"))
		return b.String()
	}
	b.WriteString("changes:\n")
	for _, l := range changes {
		b.WriteString("  " + l + "\n")
	}
	return b.String()
}

// updateGolden writes a file whole or not at all.
func updateGolden(path, text string) (err error) {
	golden.Lock()
	defer golden.Unlock()
	if before, ok := golden.written[path]; ok {
		if before != text {
			return errors.New("it was just written with another answer: give each its own file")
		}
		return nil
	}
	if golden.written == nil {
		golden.written = map[string]string{}
	}
	golden.written[path] = text
	if old, err := os.ReadFile(path); err == nil && string(old) == text {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".golden-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.WriteString(text)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// updateCommand is what makes the golden files of a test.
func updateCommand(t testing.TB) string {
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return "go test . -run '" + strings.ReplaceAll(strings.Join(parts, "/"), "'", `'\''`) + "' -update"
}
