// Peak runs a program with its own standard streams and writes to the file named
// first how many kilobytes of memory the program had at most, and how many page
// faults that did not read from a disk.
//
// It stands between the benchmark and the program because Linux counts the memory
// of the process that starts a program as the program's, from before its exec:
// what is measured is never below what Peak itself has. So it links not even os.
package main

import (
	"strconv"
	"strings"
	"syscall"
)

func main() {
	args := arguments()
	pid, err := syscall.ForkExec(args[1], args[1:], &syscall.ProcAttr{Env: syscall.Environ(), Files: []uintptr{0, 1, 2}})
	check(err)
	var status syscall.WaitStatus
	var usage syscall.Rusage
	_, err = syscall.Wait4(pid, &status, 0, &usage)
	check(err)
	file, err := syscall.Open(args[0], syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC, 0o600)
	check(err)
	_, err = syscall.Write(file, []byte(strconv.FormatInt(usage.Maxrss, 10)+" "+strconv.FormatInt(usage.Minflt, 10)))
	check(err)
	syscall.Exit(status.ExitStatus())
}

// arguments are those after the program's name.
func arguments() []string {
	file, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	check(err)
	line := make([]byte, 4096)
	n, err := syscall.Read(file, line)
	check(err)
	args := strings.Split(strings.TrimSuffix(string(line[:n]), "\x00"), "\x00")
	if len(args) < 3 {
		syscall.Exit(126)
	}
	return args[1:]
}

func check(err error) {
	if err != nil {
		syscall.Exit(126)
	}
}
