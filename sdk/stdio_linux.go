package sdk

import (
	"os"
	"syscall"
	"time"

	"github.com/virthook/virthook/sdk/internal/memfd"
)

func dup2(from, to int) error { return syscall.Dup3(from, to, 0) }

// scratchFile is a file in memory: hooks run where /tmp may be full, read-only or
// out of reach of the security module's profile.
func scratchFile() *os.File {
	fd, err := memfd.Create("virthook")
	if err != nil {
		return tempFile()
	}
	return os.NewFile(uintptr(fd), "memfd:virthook")
}

// widen makes the pipe hold as much as an unprivileged process may have it hold, so
// that a large document takes few turns of reader and writer. What is no pipe, or may
// not be changed, stays as it is.
func (p pipe) widen() {
	const setPipeSize, size = 1031, 1 << 20 // F_SETPIPE_SZ
	_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, p.Fd(), setPipeSize, size)
}

// pause sleeps without the timers of Go's runtime, of which the first takes a thread.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal ends it early, which does no harm
}
