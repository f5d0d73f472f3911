//go:build linux

package journal_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/journal"
)

// journald starts one of its own for the test, on folders that nobody else sees. stop
// ends it, after it has written all that it was sent, and returns its entries.
func journald(t *testing.T) (socket string, stop func() []map[string]any) {
	program := ""
	for _, p := range []string{"/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald"} {
		if _, err := os.Stat(p); err == nil {
			program = p
			break
		}
	}
	for _, p := range []string{"journalctl", "unshare", "mount"} {
		if _, err := exec.LookPath(p); err != nil {
			program = ""
		}
	}
	if program == "" {
		t.Skip("needs systemd-journald, journalctl, unshare and mount")
	}
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("needs a mount namespace: %v: %s", err, out)
	}
	dir, err := os.MkdirTemp("", "j") // t.TempDir's is too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"run", "log", "etc"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "run", "notify"), Net: "unixgram"})
	require.NoError(t, err)
	defer ready.Close()

	// The name of a namespace keeps it off the kernel's log and audit.
	const namespace = "virthook"
	id := filepath.Join(dir, "machine-id")
	require.NoError(t, os.WriteFile(id, []byte("0123456789abcdef0123456789abcdef\n"), 0o644))
	c := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-ec", `
		[ -e /etc/machine-id ] && mount --bind "$1/machine-id" /etc/machine-id
		mount --bind "$1/log" /var/log
		mount --bind "$1/run" /run
		exec "$2" "$3"`, "sh", dir, program, namespace)
	c.Env = append(os.Environ(), "NOTIFY_SOCKET=/run/notify")
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait(); ready.Close() }()
	t.Cleanup(func() { _ = c.Process.Kill() })
	require.NoError(t, ready.SetReadDeadline(time.Now().Add(time.Minute)))
	for buf := make([]byte, 1<<12); ; {
		n, err := ready.Read(buf)
		if err != nil {
			t.Skipf("systemd-journald does not start here: %v", err)
		}
		if strings.Contains(string(buf[:n]), "READY=1") {
			break
		}
	}
	return filepath.Join(dir, "run/systemd/journal."+namespace+"/socket"), func() (entries []map[string]any) {
		// It reads all that was sent before it handles the signal.
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		select {
		case err := <-ended:
			require.NoError(t, err, said.String())
		case <-time.After(time.Minute):
			require.Fail(t, "systemd-journald does not end")
		}
		var files []string
		for _, pattern := range []string{"run/log/journal/*/*.journal", "log/journal/*/*.journal"} {
			found, err := filepath.Glob(filepath.Join(dir, pattern))
			require.NoError(t, err)
			for _, f := range found {
				files = append(files, "--file="+f)
			}
		}
		require.NotEmpty(t, files)
		read := exec.Command("journalctl", append(files, "--all", "--no-pager", "-o", "json")...)
		var errText bytes.Buffer
		read.Stderr = &errText
		out, err := read.Output()
		require.NoError(t, err, errText.String())
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, 1<<28)
		for lines.Scan() {
			var e map[string]any
			require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
			if e["SYSLOG_IDENTIFIER"] == "virthook-qemu" {
				entries = append(entries, e)
			}
		}
		require.NoError(t, lines.Err())
		return entries
	}
}

// fieldText is a field's value, which journalctl gives as a string, or as an array of
// its bytes where it is not printable.
func fieldText(v any) string {
	bytes, ok := v.([]any)
	if !ok {
		s, _ := v.(string)
		return s
	}
	var b strings.Builder
	for _, c := range bytes {
		b.WriteByte(byte(c.(float64)))
	}
	return b.String()
}

// What the real journal has is what was logged.
func TestJournald(t *testing.T) {
	socket, stop := journald(t)
	d := newDaemons(t)
	d.opts = journal.Options{Journal: socket, Syslog: []string{}, Fallback: d.fallback}
	log := d.log().With("driver", "qemu")
	texts := append(hostile(), strings.Repeat("long\xff", 1<<18))
	taken := func(what func()) {
		for { // its queue may be short; what it does not take is on the fallback
			d.fallback.Reset()
			if what(); d.fallback.Len() == 0 {
				return
			}
			runtime.Gosched()
		}
	}
	for _, s := range texts {
		taken(func() { log.Error("m "+s, "object", s) })
	}
	taken(func() { log.Warn("m", "duration", 1500*time.Microsecond, "password", "s3cr3t") })

	entries := stop()
	require.Len(t, entries, len(texts)+1)
	for i, s := range texts {
		e := entries[i]
		assert.Equal(t, "3", e["PRIORITY"])
		assert.Equal(t, "3", e["SYSLOG_FACILITY"])
		assert.Equal(t, "qemu", e["VIRTHOOK_DRIVER"])
		assert.True(t, fieldText(e["VIRTHOOK_OBJECT"]) == s, "%.50q", s)
		assert.NotContains(t, fieldText(e["MESSAGE"]), "\n")
		assert.Contains(t, fieldText(e["MESSAGE"]), "m ")
		assert.Contains(t, e["CODE_FILE"], "journald_test.go")
	}
	last := entries[len(texts)]
	assert.Equal(t, "m driver=qemu duration=1.5ms password=[redacted]", last["MESSAGE"])
	assert.Equal(t, "1500", last["VIRTHOOK_DURATION_USEC"])
	assert.Equal(t, "[redacted]", last["VIRTHOOK_PASSWORD"])
	assert.Equal(t, "4", last["PRIORITY"])
}
