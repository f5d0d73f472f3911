package sdk

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/virthook/virthook/sdk/hookimpl"
	"github.com/virthook/virthook/sdk/internal/oneline"
)

// program is the handlers of a hook.
type program struct {
	root    *group
	timeout time.Duration // of a whole run
	overdue func()        // see run
}

func newProgram(opts []Option) *program {
	root := newGroup("sdk.Main", nil, opts)
	p := &program{root: root, timeout: cmp.Or(root.settings.timeout, DefaultTimeout)}
	root.settings.timeout = 0
	return p
}

// call reads the arguments. When done is set there is nothing to run, and status
// is the exit status.
func (p *program) call(args []string, stdout, stderr io.Writer) (c *Call, status int, done bool) {
	usage := func(format string, a ...any) (*Call, int, bool) {
		fmt.Fprintln(stderr, oneline.Escape(fmt.Sprintf(format, a...)))
		return nil, exitUsage, true
	}
	if len(args) == 0 {
		return usage("no arguments, not even the program's name")
	}
	if len(args) == 2 {
		if describe := p.selfDescription(args[1]); describe != nil {
			if err := describe(filepath.Base(args[0]), stdout); err != nil {
				fmt.Fprintln(stderr, oneline.Escape(err.Error()))
				return nil, exitFailed, true
			}
			return nil, exitOK, true
		}
	}
	driver, ok := p.driverOf(args[0])
	if !ok {
		return usage("%s: the name is not that of a libvirt driver (%s): install the program as hooks/DRIVER or hooks/DRIVER.d/NAME, or call it with --help",
			filepath.Base(args[0]), strings.Join(p.drivers(), ", "))
	}
	if len(args) != 5 {
		return usage("%s: %d arguments where libvirt passes four: OBJECT OPERATION SUB-OPERATION EXTRA", driver, len(args)-1)
	}
	c = &Call{Driver: driver, Object: args[1], Op: args[2], SubOp: args[3], Extra: args[4]}
	return c, exitOK, !p.root.handles(c)
}

// driverOf finds the driver in the path of a hook: hooks/qemu, hooks/qemu.d/anything.
func (p *program) driverOf(path string) (string, bool) {
	if dir, ok := strings.CutSuffix(filepath.Base(filepath.Dir(path)), ".d"); ok && p.isDriver(dir) {
		return dir, true
	}
	base := filepath.Base(path)
	return base, p.isDriver(base)
}

func (p *program) isDriver(name string) (found bool) {
	p.ops(func(op *hookimpl.Op) bool {
		found = op.Driver == name
		return !found
	})
	return found
}

// drivers are those of the spec and of the handlers, which may be of another spec.
func (p *program) drivers() []string {
	var names []string
	p.ops(func(op *hookimpl.Op) bool {
		if !slices.Contains(names, op.Driver) {
			names = append(names, op.Driver)
		}
		return true
	})
	slices.Sort(names)
	return names
}

// op is what is known of the operation of c, nil when nothing is.
func (p *program) op(c *Call) (found *hookimpl.Op) {
	p.ops(func(op *hookimpl.Op) bool {
		if isOp(op, c) {
			found = op
		}
		return found == nil
	})
	return found
}

// ops yields the operations that the handlers name, then all of this package.
func (p *program) ops(yield func(*hookimpl.Op) bool) {
	more := true
	p.root.each(func(h *handler) {
		for _, e := range h.events {
			more = more && yield(e.HookOp())
		}
	})
	if !more {
		return
	}
	for _, e := range Events() {
		more = more && yield(e.HookOp())
	}
}
