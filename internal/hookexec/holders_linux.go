package hookexec

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pipeEnd is one end of a pipe, as it is seen in /proc/PID/fd.
type pipeEnd struct {
	link string      // what the descriptor's link says, such as "pipe:[4711]"
	mode os.FileMode // the permission that the link has for this end and not for the other
	name string      // of the stream
}

// holders returns the other processes that hold the hook's ends of the pipes that
// are still waited for.
func holders(s *streams) []Process {
	var ends []pipeEnd
	for fd, e := range []struct {
		ours *os.File
		mode os.FileMode
		name string
	}{{s.stdin, 0o400, "stdin"}, {s.out, 0o200, "stdout"}, {s.err, 0o200, "stderr"}} {
		if s.ended[fd].Load() || e.ours == nil {
			continue
		}
		info, err := e.ours.Stat()
		if err != nil {
			continue // it has just been closed
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok { // both ends have the same number
			ends = append(ends, pipeEnd{"pipe:[" + strconv.FormatUint(st.Ino, 10) + "]", e.mode, e.name})
		}
	}
	if len(ends) == 0 {
		return nil
	}
	procs, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer procs.Close()
	names, _ := procs.Readdirnames(-1)
	var found []Process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		if holds := held(pid, ends); len(holds) > 0 {
			found = append(found, Process{pid, command(pid), strings.Join(holds, " and ")})
		}
	}
	return found
}

// held returns which of the ends the process has open: none when it is gone, or
// belongs to somebody else.
func held(pid int, ends []pipeEnd) []string {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	fds, _ := d.Readdirnames(-1)
	open := make([]bool, len(ends))
	for _, fd := range fds {
		path := filepath.Join(dir, fd)
		link, err := os.Readlink(path)
		if err != nil {
			continue
		}
		for i, e := range ends {
			if link != e.link || open[i] {
				continue
			}
			info, err := os.Lstat(path)
			open[i] = err == nil && info.Mode()&e.mode != 0
		}
	}
	var names []string
	for i, e := range ends {
		if open[i] {
			names = append(names, e.name)
		}
	}
	return names
}

// command is the process's command line, or its name where it has none.
func command(pid int) string {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if f, err := os.Open(filepath.Join(dir, "cmdline")); err == nil {
		defer f.Close()
		line, _ := io.ReadAll(io.LimitReader(f, 4096))
		if line = bytes.TrimSuffix(line, []byte{0}); len(line) > 0 {
			return commandLine(strings.Split(string(line), "\x00"))
		}
	}
	name, err := os.ReadFile(filepath.Join(dir, "comm"))
	if err != nil {
		return "?"
	}
	return "[" + commandLine([]string{string(bytes.TrimSuffix(name, []byte("\n")))}) + "]"
}
