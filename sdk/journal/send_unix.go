//go:build unix

package journal

import "syscall"

// send sends a datagram or, where file is none of -1, an empty one with the file. It
// uses package syscall alone: package net costs every hook its start-up.
func send(socket string, datagram []byte, file int) error {
	// No exec may come between the socket and its close-on-exec flag.
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	to := &syscall.SockaddrUnix{Name: socket}
	if file >= 0 {
		return syscall.Sendmsg(fd, nil, syscall.UnixRights(file), to, 0)
	}
	return syscall.Sendto(fd, datagram, 0, to)
}

func closeFile(fd int) { _ = syscall.Close(fd) }
