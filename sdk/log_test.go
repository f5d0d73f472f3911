package sdk_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/journal"
)

func init() {
	programs["logs to the system"] = func() []sdk.Option {
		return []sdk.Option{sdk.LogCalls(true), sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
			if d.Title == "refuse" {
				return errors.New("refused")
			}
			return nil
		})}
	}
	programs["logs as others do"] = func() []sdk.Option {
		file, err := os.Create(os.Getenv("VIRTHOOK_TEST_LOG"))
		if err != nil {
			panic(err)
		}
		return []sdk.Option{sdk.Log(slog.NewTextHandler(file, nil)), sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
			slog.Warn("careful", "n", 1)
			log.Print("from package log")
			return nil
		})}
	}
}

// What a handler of the plain form logs by log/slog has its level and the call's fields.
func TestDefaultLogger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	p := process{program: "logs as others do", argv: []string{qemuHook, "web", "prepare", "begin", "-"}, stdin: sampleXML(t, "qemu", "prepare", "begin"),
		set: func(c *exec.Cmd) { c.Env = append(c.Env, "VIRTHOOK_TEST_LOG="+file) }}
	assert.Equal(t, answer{}, p.run(t))
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(written), "level=WARN msg=careful driver=qemu object=web op=prepare sub_op=begin n=1\n")
	assert.Contains(t, string(written), `level=INFO msg="from package log" driver=qemu object=web op=prepare sub_op=begin`)
	assert.NotContains(t, string(written), "a handler printed")
}

// The journal gets what a call is as fields, whatever the names.
func TestJournalFields(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "journal")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer c.Close()
	receive := func() string {
		buf := make([]byte, 1<<16)
		n, err := c.Read(buf)
		require.NoError(t, err)
		return string(buf[:n])
	}
	log := sdk.Log(journal.New("virthook-qemu", &journal.Options{Journal: socket}))

	call := hooktest.QemuReleaseEnd("crashed", func(d *libvirtxml.Domain) { d.Name = "web\nPRIORITY=0" })
	hooktest.Run(t, call, log, sdk.LogCalls(true), sdk.OnQemuReleaseEnd(func(*libvirtxml.Domain, sdk.ShutoffReason) error { return nil })).OK()
	entry := receive()
	for _, field := range []string{
		"PRIORITY=6\n", "SYSLOG_IDENTIFIER=virthook-qemu\n", "VIRTHOOK_DRIVER=qemu\n", "VIRTHOOK_OP=release\n", "VIRTHOOK_SUB_OP=end\n",
		"VIRTHOOK_OBJECT\n\x0e\x00\x00\x00\x00\x00\x00\x00web\nPRIORITY=0\n", "VIRTHOOK_UUID=fda97112-8596-4696-817f-704b0eaff214\n",
		"VIRTHOOK_REASON=crashed\n", "VIRTHOOK_DURATION_USEC=", `MESSAGE=done driver=qemu object="web\nPRIORITY=0" op=release`,
	} {
		assert.Contains(t, entry, field)
	}

	refuse := sdk.On(func(context.Context, *sdk.QemuPrepareBegin) error { return errors.New("no bridge") })
	hooktest.Run(t, hooktest.QemuPrepareBegin(), log, refuse).Refused("no bridge")
	entry = receive()
	for _, field := range []string{"PRIORITY=3\n", "MESSAGE=no bridge ", "VIRTHOOK_OP=prepare\n", "VIRTHOOK_DURATION_USEC=", "VIRTHOOK_PASSED=false\n"} {
		assert.Contains(t, entry, field)
	}
	assert.NotContains(t, entry, "VIRTHOOK_FAULT")

	hooktest.Run(t, hooktest.QemuReconnectBegin(), log, sdk.On(func(context.Context, *sdk.QemuReconnectBegin) error { panic("boom") })).OK()
	entry = receive()
	for _, field := range []string{"VIRTHOOK_FAULT=panic\n", "VIRTHOOK_PASSED=true\n", "VIRTHOOK_STACK\n"} {
		assert.Contains(t, entry, field)
	}
}

// On a host without a log daemon the log of a run that succeeds goes to standard error.
func TestNoLogDaemon(t *testing.T) {
	for _, socket := range []string{"/run/systemd/journal/socket", "/dev/log", "/var/run/log"} {
		if f, err := os.Stat(socket); err == nil && f.Mode()&os.ModeSocket != 0 {
			t.Skipf("%s: this host has a log daemon", socket)
		}
	}
	p := process{program: "logs to the system", argv: []string{qemuHook, "web", "prepare", "begin", "-"}, stdin: sampleXML(t, "qemu", "prepare", "begin")}
	a := p.run(t)
	assert.Zero(t, a.status)
	assert.Regexp(t, `^\S+ INFO virthook-qemu\[\d+\]: done driver=qemu object=web .*\n$`, a.stderr)

	p.stdin = []byte(strings.Replace(string(p.stdin), "<uuid>", "<title>refuse</title><uuid>", 1))
	a = p.run(t)
	assert.Equal(t, 1, a.status)
	assert.Equal(t, "refused\n", a.stderr, "libvirt makes one message of all there is")
}

// LogCalls is a setting like others: it holds for its group.
func TestLogCalls(t *testing.T) {
	var text strings.Builder
	log := sdk.Log(slog.NewTextHandler(&text, nil))
	ok := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return nil })
	hooktest.Run(t, hooktest.QemuPrepareBegin(), log, ok, sdk.Group(sdk.LogCalls(true), ok, sdk.Group(ok, sdk.LogCalls(false)))).OK()
	assert.Equal(t, 1, strings.Count(text.String(), "msg=done"), text.String())
}
