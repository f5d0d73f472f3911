package doctor

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/spec"
)

// answer is what a hook of ours says of itself.
type answer struct {
	Version int       `json:"version"`
	Handles []Handled `json:"handles"`
	Any     bool      `json:"any"`
	err     error
}

// checkOurs looks at the hooks that link our SDK, which can say what they handle.
func (e *exam) checkOurs() {
	for _, f := range e.files {
		// The code of an image is not for this machine to run.
		if f.sdk == "" || !f.runs() || e.Root != "" && !e.asksImages || !executableOn(runtime.GOOS, runtime.GOARCH, f.content) {
			continue
		}
		a, asked := e.asked[f.sum]
		if !asked {
			a = describe(e.ctx, f.content)
			e.asked[f.sum] = a
		}
		if a == nil {
			continue
		}
		if a.err != nil {
			e.add("describe-failed", e.shown(f.path), quoted(e.shown(f.path))+" --describe", "--describe: %v", a.err)
			continue
		}
		f.answer = a
		e.checkHandled(f)
	}
	for _, d := range e.Spec.Drivers {
		e.checkTwice(d.Name)
		e.checkFilters(d.Name)
	}
	e.checkCopies()
}

// executableOn says whether the system could execute the program.
func executableOn(goos, goarch string, content []byte) bool {
	f, err := elf.NewFile(bytes.NewReader(content))
	if goos != "linux" && goos != "freebsd" {
		return err != nil
	}
	if err != nil {
		return false
	}
	own := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "386": elf.EM_386, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390, "ppc64le": elf.EM_PPC64, "arm": elf.EM_ARM}
	return own[goarch] == f.Machine && (f.OSABI == elf.ELFOSABI_FREEBSD) == (goos == "freebsd")
}

// copies are the ways to a copy that can be executed, the best first. In memory no
// file system that is mounted noexec, full or read-only is in the way.
var copies = []func(program []byte) (name string, remove func(), err error){memoryCopy, folderCopy}

func folderCopy(program []byte) (name string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "virthook-doctor-")
	if err != nil {
		return "", nil, err
	}
	name = filepath.Join(dir, "hook")
	// A process that is started meanwhile would have it open for writing.
	syscall.ForkLock.RLock()
	err = os.WriteFile(name, program, 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return name, func() { _ = os.RemoveAll(dir) }, nil
}

// describe asks a copy of the program, so that the hook itself is not read. It
// returns nil when this machine lets no copy run, which is no fault of the hook's.
func describe(ctx context.Context, program []byte) (a *answer) {
	for _, copied := range copies {
		name, remove, err := copied(program)
		if err != nil {
			a = nil
			continue
		}
		a = ask(ctx, name)
		remove()
		var unstarted *fs.PathError
		if !errors.As(a.err, &unstarted) {
			return a
		}
	}
	if a != nil && (errors.Is(a.err, syscall.EACCES) || errors.Is(a.err, syscall.EPERM) || errors.Is(a.err, syscall.ENOEXEC)) {
		return nil
	}
	return a
}

// ask runs the program with --describe. It fails with [*fs.PathError] when the program
// cannot be started.
func ask(ctx context.Context, name string) *answer {
	ctx, cancel := context.WithTimeout(ctx, describeTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, "--describe")
	cmd.Args[0] = "hook"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + standardPath}
	cmd.Dir = "/"
	cmd.WaitDelay = time.Second
	var stdout limited
	cmd.Stdout = &stdout
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer within %v", describeTime)
		}
		return &answer{err: err}
	}
	a := new(answer)
	if err := json.Unmarshal(stdout.Bytes(), a); err != nil {
		return &answer{err: fmt.Errorf("not the JSON that was expected: %w", err)}
	}
	if a.Version != 1 {
		return &answer{err: fmt.Errorf("version %d, and 1 is known here", a.Version)}
	}
	return a
}

// limited is a buffer of one MiB at most.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > 1<<20 {
		return 0, errors.New("too much output")
	}
	return l.Buffer.Write(p)
}

// checkHandled holds what the hook handles against what libvirt calls it for.
func (e *exam) checkHandled(f *file) {
	at := e.shown(f.path)
	mine := false
	var others []string
	for _, h := range f.answer.Handles {
		if h.Driver != f.driver {
			if !slices.Contains(others, h.Driver) {
				others = append(others, h.Driver)
			}
			continue
		}
		mine = true
		op := e.operation(h)
		v := e.libvirt.version
		switch {
		case op == nil:
			e.add("unknown-operation", at, "", "it handles %s/%s/%s, which this virthook does not know", h.Driver, h.Op, h.SubOp)
		case v == "" || op.In(v):
		case v.Less(op.Since):
			e.add("operation-too-new", at, "virthook events "+h.Driver+" --libvirt "+string(v), "it handles %s, which libvirt calls since %s, and this one is %s", op.ID(), op.Since, v)
		default:
			e.add("operation-gone", at, "virthook events "+h.Driver+" --libvirt "+string(v), "it handles %s, which no libvirt calls since %s", op.ID(), op.Until)
		}
	}
	if !mine && !f.answer.Any {
		what := "it handles nothing"
		if len(others) > 0 {
			what = "it handles operations of " + strings.Join(others, ", ") + " alone"
		}
		e.add("nothing-handled", at, "rm "+quoted(at), "%s, and libvirt calls it for %s", what, f.driver)
	}
	for _, driver := range others {
		there := slices.ContainsFunc(e.runners(driver), func(g *file) bool { return g.module == f.module })
		if !there && e.server(driver).name != "" {
			name := path.Base(f.path)
			if !f.inFolder {
				name = "50-" + path.Base(f.module)
			}
			place := driver + ".d/" + name
			if e.ignoresFolders() {
				place = driver
			}
			e.add("driver-left-out", at, "virthook install "+quoted(e.shown(f.real))+" --as "+quoted(place)+e.folderFlags(), "it handles operations of %s too, but is no hook of that driver", driver)
		}
	}
}

func (e *exam) operation(h Handled) *spec.Op {
	if d := e.Spec.Driver(h.Driver); d != nil {
		for _, o := range d.Find(h.Op) {
			if o.SubOp == h.SubOp {
				return o
			}
		}
	}
	return nil
}

// checkTwice looks for the same program twice among the hooks of a driver.
func (e *exam) checkTwice(driver string) {
	first := map[string]*file{}
	for _, f := range e.runners(driver) {
		if f.sum == "" || f.info.Size() == 0 {
			continue
		}
		if other := first[f.sum]; other != nil {
			e.add("runs-twice", e.shown(f.path), "rm "+quoted(e.shown(f.path)), "it is the same as %s", e.shown(other.path))
			continue
		}
		first[f.sum] = f
	}
}

// checkFilters tells which of several hooks gets the XML first.
func (e *exam) checkFilters(driver string) {
	filters := map[string][]string{}
	var names []string
	for _, f := range e.runners(driver) {
		if f.answer == nil {
			continue
		}
		for _, h := range f.answer.Handles {
			if h.Driver == driver && h.Filter {
				if filters[h.Op] == nil {
					names = append(names, h.Op)
				}
				filters[h.Op] = append(filters[h.Op], path.Base(f.path))
			}
		}
	}
	for _, op := range names {
		if len(filters[op]) > 1 {
			e.add("filter-order", e.shown(path.Join(e.hooks, driver)), "", "%s/%s is filtered by several, in this order: %s", driver, op, strings.Join(filters[op], ", "))
		}
	}
}

// checkCopies looks for copies of one program that are not the same.
func (e *exam) checkCopies() {
	first := map[string]*file{}
	for _, f := range e.files {
		if f.sdk == "" || !f.runs() || f.module == "" || f.module == "command-line-arguments" {
			continue
		}
		switch other := first[f.module]; {
		case other == nil:
			first[f.module] = f
		case other.sum != f.sum:
			e.add("copies-differ", e.shown(f.path), "sha256sum "+quoted(e.shown(other.path))+" "+quoted(e.shown(f.path)),
				"it is another build of %s than %s", f.module, e.shown(other.path))
		}
	}
}
