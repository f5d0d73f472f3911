//go:build unix

package sdk

import (
	"errors"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
)

// stdio is libvirt's ends of standard output and error, away from handlers.
type stdio struct {
	out, err io.Writer
	file     *os.File // where descriptors 1 and 2 lead meanwhile
}

// maxPrinted is how much of what handlers print goes to the log, in bytes.
const maxPrinted = 16 << 10

// takeStdio moves descriptors 1 and 2 to numbers that children do not inherit,
// and leads 1 and 2 into a file. libvirt reads both to their end: a child that
// holds one of them makes it wait.
func takeStdio() *stdio {
	s := &stdio{out: moved(1), err: moved(2), file: scratchFile()}
	if fd, ok := s.err.(pipe); ok {
		// A panic in a goroutine of a handler's own ends the process past every
		// recover: its trace is worth libvirt's log.
		_ = debug.SetCrashOutput(fd.File, debug.CrashOptions{})
	}
	for fd := 1; fd <= 2; fd++ {
		// Without a file the descriptors stay as they are, which only loses the protection.
		if s.file != nil {
			_ = dup2(int(s.file.Fd()), fd)
		}
	}
	return s
}

// moved duplicates the descriptor to one above 2 that is closed on exec.
func moved(fd int) io.Writer {
	if wasClosed(fd) {
		return closed{}
	}
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 3)
	if errno != 0 {
		return closed{}
	}
	return pipe{os.NewFile(n, "libvirt's end of descriptor")}
}

// wasClosed says whether the process was started without the descriptor: Go's
// runtime then opens the null device there, for reading and writing, and what is
// written would vanish with success.
func wasClosed(fd int) bool {
	var null, st syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFCHR ||
		syscall.Stat(os.DevNull, &null) != nil || st.Rdev != null.Rdev {
		return false
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_ACCMODE == syscall.O_RDWR
}

// pipe is libvirt's end of a descriptor, whatever it is.
type pipe struct{ *os.File }

// collectLess lets the heap of a process that is about to end grow, unless the
// document is so large that memory matters more than time.
func (pipe) collectLess(size int) {
	const most, percent = 2 << 20, 800
	if size <= most {
		debug.SetGCPercent(percent)
	}
}

// The memory of a variable costs less than that of a fresh heap, and only what is used
// of it takes any. A process has one document to read, which need not be copied as long
// as it is no larger than this.
var inputBuffer [1 << 20]byte

func (pipe) buffer() []byte { return inputBuffer[:0] }

// closed is a descriptor that the process was started without.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("the descriptor is closed") }

// printed is what was written to descriptors 1 and 2 meanwhile.
func (s *stdio) printed() string {
	if s.file == nil {
		return ""
	}
	// Nobody prints as a rule, and 16 KB of stack cost more than to ask.
	var st syscall.Stat_t
	if err := syscall.Fstat(int(s.file.Fd()), &st); err == nil && st.Size == 0 {
		return ""
	}
	return s.readPrinted()
}

//go:noinline
func (s *stdio) readPrinted() string {
	buf := make([]byte, maxPrinted)
	n, _ := s.file.ReadAt(buf, 0)
	return strings.TrimSpace(string(buf[:n]))
}

// tempFile is an unlinked file, nil where there is none to be had.
func tempFile() *os.File {
	f, err := os.CreateTemp("", "virthook-")
	if err != nil {
		f, err = os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			return nil
		}
		return f
	}
	_ = os.Remove(f.Name())
	return f
}
