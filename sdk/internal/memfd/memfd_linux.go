// Package memfd makes files in memory, with package syscall alone: that is frozen, and
// knows memfd_create on few architectures.
package memfd

import (
	"errors"
	"runtime"
	"syscall"
	"unsafe"
)

// Create makes a file that has a name for people only, takes seals, and is closed on
// exec. An architecture that is not known has errors.ErrUnsupported.
func Create(name string) (fd int, err error) {
	var number uintptr
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
	const closeOnExec, allowSealing = 1, 2
	ended := append([]byte(name), 0)
	r, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(&ended[0])), closeOnExec|allowSealing, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}
