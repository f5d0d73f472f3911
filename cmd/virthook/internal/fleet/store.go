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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/spec"
)

// The store is a folder in the output that has one folder for each build, named by its
// key: the program, its source, its bill of materials and a record of them. What hosts
// have are links to these.
const (
	storeFolder = ".builds"
	recordFile  = "build.json"
	sourceFile  = "main.go"
	newPrefix   = ".new-" // what is not whole yet
)

// record says what a build has become.
type record struct {
	Program   file        `json:"program"`
	SBOM      file        `json:"sbom"`
	Go        string      `json:"go"`
	Describes description `json:"describes"`
}

// file is one that hosts get.
type file struct {
	Path   string `json:"path"` // from the host's folder, with slashes
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Mode   string `json:"mode"`
}

// description is the JSON of --describe.
type description struct {
	Version    int       `json:"version"`
	SDK        string    `json:"sdk"`
	LibvirtXML string    `json:"libvirtxml"`
	Handles    []handled `json:"handles"`
	Any        bool      `json:"any"`
}

type handled struct {
	Driver string `json:"driver"`
	Op     string `json:"op"`
	SubOp  string `json:"sub_op"`
	Filter bool   `json:"filter"`
}

func (h handled) id() string { return h.Driver + "/" + h.Op + "/" + h.SubOp }

// find says whether the store has the build, whole.
func (b *build) find(store string) bool {
	b.dir = filepath.Join(store, b.key)
	data, err := os.ReadFile(filepath.Join(b.dir, recordFile))
	if err != nil || json.Unmarshal(data, &b.record) != nil {
		return false
	}
	return b.Program.isIn(b.dir) && b.SBOM.isIn(b.dir)
}

// isIn says whether the file is in the folder and what it should be.
func (f file) isIn(dir string) bool {
	sum, size, err := hash(filepath.Join(dir, filepath.FromSlash(f.Path)))
	return err == nil && sum == f.SHA256 && size == f.Size
}

func hash(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

func newFile(dir, name string, mode os.FileMode) (file, error) {
	sum, size, err := hash(filepath.Join(dir, name))
	return file{name, sum, size, fmt.Sprintf("%04o", mode)}, err
}

// make compiles the build and puts it into the store.
func (b *build) make(ctx context.Context, m *goModule, s *spec.Spec, store, overlay string) (err error) {
	dir, err := os.MkdirTemp(store, newPrefix)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, m.name())
	if err := m.compile(ctx, b, b.target, overlay, program); err != nil {
		return err
	}
	if err := os.Chmod(program, 0o755); err != nil {
		return err
	}
	if b.Describes, err = b.describe(ctx, m, s, program, overlay); err != nil {
		return err
	}
	if b.Program, err = newFile(dir, m.name(), 0o755); err != nil {
		return err
	}
	sbom, version, err := billOfMaterials(program, m.name(), b.Program.SHA256)
	if err != nil {
		return err
	}
	b.Go = version
	for name, content := range map[string][]byte{sbomFile: sbom, sourceFile: b.source} {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	if b.SBOM, err = newFile(dir, sbomFile, 0o644); err != nil {
		return err
	}
	data, err := json.MarshalIndent(b.record, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, recordFile), append(data, '\n')); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	b.dir = filepath.Join(store, b.key)
	if err := os.RemoveAll(b.dir); err != nil { // one that is damaged
		return err
	}
	return os.Rename(dir, b.dir)
}

// describe has the program say what it handles, which calls its Hooks: what these refuse
// in their settings is found here. A program for another machine is built for this one as
// well; where that cannot be, as with packages that are for its system alone, the source
// tells.
func (b *build) describe(ctx context.Context, m *goModule, s *spec.Spec, program, overlay string) (description, error) {
	here := runtime.GOOS + "/" + runtime.GOARCH
	if b.target != here {
		f, err := os.CreateTemp("", "virthook-describe-*")
		if err != nil {
			return description{}, err
		}
		f.Close()
		defer os.Remove(f.Name())
		if err := m.compile(ctx, b, here, overlay, f.Name()); err != nil {
			return b.fromSource(s), ctx.Err()
		}
		program = f.Name()
		if err := os.Chmod(program, 0o700); err != nil {
			return description{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--describe")
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if line == "" {
			line = err.Error()
		}
		return description{}, &startError{line}
	}
	var d description
	if err := json.Unmarshal(out, &d); err != nil || d.Version != 1 {
		return description{}, &startError{"it does not answer --describe as version 1 of that does"}
	}
	return d, nil
}

// startError is what a program says that does not start.
type startError struct{ line string }

func (e *startError) Error() string { return e.line }

// fromSource is what the packages name of the SDK.
func (b *build) fromSource(s *spec.Spec) description {
	d := description{Version: 1, SDK: "unknown", LibvirtXML: "unknown", Handles: []handled{}}
	for o := range s.All() {
		for _, p := range b.plans[0].packages {
			_, mentioned := p.mentions.ops[o.ID()]
			if mentioned || p.mentions.domains && o.Driver.Object == "guest" {
				d.Handles = append(d.Handles, handled{o.Driver.Name, o.Op, o.SubOp, o.Filters()})
				break
			}
		}
	}
	d.Any = slices.ContainsFunc(b.plans[0].packages, func(p *Package) bool { return p.mentions.any })
	return d
}

// lockStore keeps other builds out of the folder while this one is at work.
func lockStore(store string) (unlock func(), err error) {
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(store, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: another virthook build is at work there", filepath.Dir(store))
		}
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// tidyStore removes the builds that no host has and this run did not use, and what a run
// left behind that was killed.
func tidyStore(store string, used []*build) error {
	entries, err := os.ReadDir(store)
	if err != nil {
		return err
	}
	for _, e := range entries {
		dir := filepath.Join(store, e.Name())
		if !e.IsDir() || slices.ContainsFunc(used, func(b *build) bool { return b.key == e.Name() }) || linked(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// linked says whether the program of a build has links in hosts' folders.
func linked(dir string) bool {
	b := build{key: filepath.Base(dir)}
	data, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil || json.Unmarshal(data, &b.record) != nil {
		return false
	}
	info, err := os.Stat(filepath.Join(dir, b.Program.Path))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 1
}
