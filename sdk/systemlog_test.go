package sdk

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen stands in for a log daemon.
func listen(t *testing.T, socket string) (receive func() string) {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return func() string {
		buf := make([]byte, 1<<16)
		n, err := c.Read(buf)
		require.NoError(t, err)
		return string(buf[:n])
	}
}

func newTestLog(t *testing.T) (*systemLog, string) {
	dir := t.TempDir()
	log := newSystemLog("qemu")
	log.out.journal = filepath.Join(dir, "journal")
	log.out.syslog = []string{filepath.Join(dir, "none"), filepath.Join(dir, "log")}
	return log, dir
}

func TestSystemLogToTheJournal(t *testing.T) {
	log, _ := newTestLog(t)
	receive := listen(t, log.out.journal)
	c := Call{Driver: "qemu", Object: "g\n\"1\"", Op: "prepare", SubOp: "begin", log: log}
	for level, priority := range map[slog.Level]string{slog.LevelDebug: "7", slog.LevelInfo: "6", slog.LevelWarn: "4", slog.LevelError: "3"} {
		c.Logger().WithGroup("x").Log(t.Context(), level, "a\nPRIORITY=0", "k", "v w")
		assert.Equal(t, "PRIORITY="+priority+"\nSYSLOG_IDENTIFIER=virthook-qemu\n"+
			`MESSAGE=msg="a\nPRIORITY=0" driver=qemu object="g\n\"1\"" op=prepare sub_op=begin x.k="v w"`+"\n", receive())
	}
}

func TestSystemLogToSyslog(t *testing.T) {
	log, _ := newTestLog(t)
	receive := listen(t, log.out.syslog[1])
	slog.New(log).Error("boom")
	assert.Equal(t, "<27>virthook-qemu["+strconv.Itoa(os.Getpid())+"]: msg=boom", receive())
}

// Without a log daemon, with a full one and with a line that no datagram holds,
// logging neither fails nor waits.
func TestSystemLogNeverHoldsUp(t *testing.T) {
	log, _ := newTestLog(t)
	slog.New(log).Error("to nobody")

	listen(t, log.out.journal)
	for range 5000 {
		slog.New(log).Error("never read")
	}
	slog.New(log).Error(strings.Repeat("long ", 1<<20))
}
