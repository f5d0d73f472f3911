//go:build unix

package sdk

import (
	"context"
	"os"
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
// printed goes to the log. As the only argument --help, --version and --describe
// tell about the program.
func Main(opts ...Option) {
	os.Exit(mainStatus(opts))
}

func mainStatus(opts []Option) int {
	p := newProgram(opts)
	call, status, done := p.call(os.Args, os.Stdout, os.Stderr)
	if done {
		return status
	}
	if p.root.settings.log == nil {
		p.root.settings.log = newSystemLog(call.Driver)
	}
	std := takeStdio()
	status = p.run(context.Background(), call, pipe{os.Stdin}, std.out, std.err)
	if printed := std.printed(); printed != "" {
		c := *call
		c.log = p.root.settings.log
		c.Logger().Warn("a handler printed; libvirt did not get it", "text", printed)
	}
	return status
}
