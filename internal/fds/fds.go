// Package fds keeps this process's descriptors from the programs that it starts.
package fds

import (
	"os"
	"strconv"
	"syscall"
)

// CloseOnExec keeps every descriptor but the first three from programs started from now
// on. Go's own are so from the start; those of others, or of whoever started this
// process, need not be.
func CloseOnExec() {
	const most = 1024
	fds := make([]int, 0, most)
	if names, err := os.ReadDir("/proc/self/fd"); err == nil {
		for _, n := range names {
			if fd, err := strconv.Atoi(n.Name()); err == nil {
				fds = append(fds, fd)
			}
		}
	} else {
		for fd := range most {
			fds = append(fds, fd)
		}
	}
	for _, fd := range fds {
		if fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}
