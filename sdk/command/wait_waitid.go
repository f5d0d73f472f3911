//go:build linux || darwin

package command

import (
	"runtime"
	"syscall"
	"unsafe"
)

// awaitEnd waits until the child has ended, and leaves it a zombie.
func awaitEnd(pid int) bool {
	const processID, exited = 1, 4
	noWait := uintptr(0x1000000)
	if runtime.GOOS == "darwin" {
		noWait = 0x20
	}
	var info [16]uint64 // a siginfo_t, which is smaller
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, processID, uintptr(pid), uintptr(unsafe.Pointer(&info)), exited|noWait, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}
