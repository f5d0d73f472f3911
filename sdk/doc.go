// Package sdk makes a Go program a libvirt hook.
//
// A hook is a program that libvirt runs, as root, at every step of a guest's or
// a network's life. It is told the step in four arguments and the guest's XML on
// standard input; its exit status decides whether the guest starts, migrates or,
// at some steps, lives on. With this package a hook is functions given to [Main]:
//
//	func main() {
//		sdk.Main(
//			sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
//				return reserveHugepages(d.Name)
//			}),
//			sdk.OnQemuMigrateBegin(moveDisks), // a filter: returns the domain to use instead
//		)
//	}
//
// Compile it with CGO_ENABLED=0 and install it as hooks/DRIVER or as
// hooks/DRIVER.d/NAME. The same binary serves every driver that it handles.
//
// Each operation of libvirt has one function here, On and its name. It takes the
// plain form of handler, which sees the document alone. [On] takes the rich form
// of the same, which sees the call too; [OnDomain] and [OnAny] take many operations.
// [Group], [For] and [Wrap] put handlers together.
//
// # What an error does
//
// A handler that returns an error ends the program with status 1 and the error
// as one line on standard error, where libvirt logs it. What that stops, if
// anything, each operation's comment says.
//
// A panic, a deadline that expired and input that cannot be decoded are not
// decisions but faults ([Fault]): they count as failure too, except where failing
// would kill a running guest or lose it. There the program exits with 0 and tells
// the log. [OnFault] and [OnError] choose otherwise.
//
// # Processes
//
// libvirt waits for the hook without limit. So a run has a deadline ([Timeout]); then,
// and when the process is told to end by SIGTERM or SIGINT, handlers' contexts end, the
// processes that handlers have started are killed, whoever their parents are, and the run
// goes on with a [Fault] after a tenth of a second, even if a handler does not return. The
// process group is left alone: it is libvirtd's. Processes are found on Linux and FreeBSD.
//
// Package command runs programs so that none of that is needed, and leaves work to run
// after the hook, which is the place to talk to libvirt: from within a hook it would
// wait for itself. LIBVIRT_DEFAULT_URI says so to whom handlers start.
//
// # Filters
//
// libvirt uses what a filter prints in place of the document that it passed.
// Handlers never print: they edit the document, and the package carries what they
// changed over into the bytes that libvirt sent. All else stays as it was, also what
// the types of libvirtxml do not know. It is written once, when all handlers have
// succeeded, and not at all where nothing was changed.
package sdk

//go:generate go run ../cmd/virthook generate --out .
