//go:build unix

package sdk

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

// systemLog is a slog.Handler whose records go to the systemd journal or, where
// none runs, to syslog: one datagram each, with package syscall alone, because
// package net costs every hook its start-up. What cannot be sent is dropped: a
// hook must not fail, or wait, for its log.
type systemLog struct {
	text slog.Handler // formats into buf
	out  *datagrams
}

type datagrams struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	name    string   // the program's, for the log
	journal string   // the socket of the systemd journal
	syslog  []string // the sockets that syslog may listen on
}

func newSystemLog(driver string) *systemLog {
	out := &datagrams{
		name:    "virthook-" + driver,
		journal: "/run/systemd/journal/socket",
		syslog:  []string{"/dev/log", "/var/run/log"}, // Linux, FreeBSD
	}
	text := slog.NewTextHandler(&out.buf, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			// The log has the time and the priority already.
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		},
	})
	return &systemLog{text: text, out: out}
}

func (s *systemLog) Enabled(context.Context, slog.Level) bool { return true }

func (s *systemLog) WithAttrs(as []slog.Attr) slog.Handler {
	return &systemLog{text: s.text.WithAttrs(as), out: s.out}
}

func (s *systemLog) WithGroup(name string) slog.Handler {
	return &systemLog{text: s.text.WithGroup(name), out: s.out}
}

func (s *systemLog) Handle(ctx context.Context, r slog.Record) error {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.buf.Reset()
	if err := s.text.Handle(ctx, r); err != nil {
		return err
	}
	s.out.send(priority(r.Level), bytes.TrimSuffix(s.out.buf.Bytes(), []byte("\n")))
	return nil
}

// priority is syslog's for a level.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}

// send writes one record. TextHandler quotes newlines, so that a line is a record.
func (d *datagrams) send(priority int, line []byte) {
	journal := fmt.Appendf(nil, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", priority, d.name, line)
	if sendTo(d.journal, journal) {
		return
	}
	const daemon = 3 << 3 // syslog's facility
	syslog := fmt.Appendf(nil, "<%d>%s[%d]: %s", daemon|priority, d.name, os.Getpid(), line)
	for _, socket := range d.syslog {
		if sendTo(socket, syslog) {
			return
		}
	}
}

func sendTo(socket string, datagram []byte) bool {
	// No exec may come between the socket and its close-on-exec flag.
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	if syscall.SetNonblock(fd, true) != nil {
		return false
	}
	return syscall.Sendto(fd, datagram, 0, &syscall.SockaddrUnix{Name: socket}) == nil
}
