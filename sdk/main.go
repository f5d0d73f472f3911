//go:build unix

package sdk

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"github.com/virthook/virthook/sdk/internal/nolibvirt"
	"github.com/virthook/virthook/sdk/journal"
)

// Main runs this process as a hook and exits; it never returns. It reads the
// driver from the path that libvirt called, the operation from the arguments and
// the XML, when a handler takes it, from standard input.
//
// The exit status is 0 when every handler that took the call succeeded, 1 when
// one returned an error or a [Fault] counts as failure, and 2 when libvirt cannot
// have made the call. A call that no handler takes succeeds and reads nothing.
//
// While handlers run, standard output and standard error lead into a file of the
// package's own, so that nothing that they or their children print gets into the
// guest's XML, and no child that they leave behind makes libvirt wait. What was
// printed goes to the log, which is the systemd journal or syslog; on a host without
// one the log is held back, and goes to standard error when the run has succeeded.
// The default logger of log/slog, and package log with it, write to the log as well.
//
// As the only argument --help, --version and --describe tell about the program.
func Main(opts ...Option) {
	os.Exit(mainStatus(opts))
}

func mainStatus(opts []Option) int {
	p := newProgram(opts)
	call, status, done := p.call(os.Args, os.Stdout, os.Stderr)
	if done {
		return status
	}
	var unheard held
	if p.root.settings.log == nil {
		p.root.settings.log = journal.New("virthook-"+call.Driver, &journal.Options{Fallback: &unheard})
	}
	call.log = p.root.settings.log
	slog.SetDefault(call.Logger()) // for handlers of the plain form, which have no other
	_ = syscall.Setenv(nolibvirt.Name, nolibvirt.Value)
	std, family := takeStdio(), adopt()
	p.overdue = family.end
	stdin := pipe{os.Stdin}
	status = p.run(watched(p.timeout), call, &input{r: stdin, own: stdin}, std.out, std.err)
	family.leave(call)
	if printed := std.printed(); printed != "" {
		call.Logger().Warn("a handler printed; libvirt did not get it", "text", printed)
	}
	if status == exitOK {
		unheard.writeTo(std.err)
	}
	return status
}

// held keeps the log of a host without a log daemon. It goes to standard error when
// the run has succeeded, for libvirt drops that, and whoever calls the hook by hand
// sees it. When the run has failed libvirt puts all of standard error into one message,
// which is to be the error's one line.
type held struct {
	mu  sync.Mutex
	log []byte
}

func (h *held) Write(line []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	const most = 64 << 10
	h.log = append(h.log, line[:min(len(line), most-len(h.log))]...)
	return len(line), nil
}

func (h *held) writeTo(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.log) > 0 {
		_, _ = w.Write(h.log)
	}
}
