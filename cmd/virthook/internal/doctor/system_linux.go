package doctor

import (
	"io/fs"
	"syscall"
	"time"
)

const noatime = syscall.O_NOATIME

// times are when the file was read and when anything about it was changed.
func times(info fs.FileInfo) (access, change time.Time, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	return time.Unix(s.Atim.Unix()), time.Unix(s.Ctim.Unix()), true
}

// label is SELinux's of a file, or "".
func label(path string) string {
	buf := make([]byte, 512)
	n, err := syscall.Getxattr(path, "security.selinux", buf)
	if err != nil {
		return ""
	}
	for n > 0 && buf[n-1] == 0 {
		n--
	}
	return string(buf[:n])
}
