package journal

import (
	"errors"
	"runtime"
	"syscall"
	"unsafe"
)

// memfd returns a file in memory with the entry, which nobody can change any more: the
// journal reads it after it was sent.
func memfd(entry []byte) (int, error) {
	var number uintptr // package syscall is frozen and lacks memfd_create on most architectures
	switch runtime.GOARCH {
	case "amd64":
		number = 319
	case "386":
		number = 356
	case "arm":
		number = 385
	case "ppc64", "ppc64le":
		number = 360
	case "s390x":
		number = 350
	case "arm64", "loong64", "riscv64":
		number = 279
	default:
		return -1, errors.ErrUnsupported
	}
	name := []byte("virthook-journal\x00")
	const closeOnExec, allowSealing = 1, 2
	r, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(&name[0])), closeOnExec|allowSealing, 0)
	if errno != 0 {
		return -1, errno
	}
	fd := int(r)
	err := writeAll(fd, entry)
	if err == nil {
		const addSeals, seal, shrink, grow, write = 1033, 1, 2, 4, 8
		_, _, errno = syscall.Syscall(syscall.SYS_FCNTL, r, addSeals, seal|shrink|grow|write)
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
