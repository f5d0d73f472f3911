//go:build amd64 || arm64 || riscv64

package command

import (
	"syscall"
	"unsafe"
)

// awaitEnd waits until the child has ended, and leaves it a zombie.
func awaitEnd(pid int) bool {
	const processID, noWait, exited = 0, 8, 16
	var status int32
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAIT6, processID, uintptr(pid), uintptr(unsafe.Pointer(&status)), noWait|exited, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}
