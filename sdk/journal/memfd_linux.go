package journal

import (
	"errors"
	"syscall"

	"github.com/virthook/virthook/sdk/internal/memfd"
)

// inMemory returns a file in memory with the entry, which nobody can change any more: the
// journal reads it after it was sent.
func inMemory(entry []byte) (int, error) {
	fd, err := memfd.Create("virthook-journal")
	if err != nil {
		return -1, err
	}
	err = writeAll(fd, entry)
	if err == nil {
		const addSeals, seal, shrink, grow, write = 1033, 1, 2, 4, 8
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), addSeals, seal|shrink|grow|write)
		if errno != 0 {
			err = errno
		}
	}
	if err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(fd, b)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
