//go:build unix

package journal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/slogtest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/journal"
)

// listen stands in for a log daemon.
func listen(t *testing.T, socket string) *net.UnixConn {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// receive returns a datagram, or the content of the file that came with an empty one.
func receive(t *testing.T, c *net.UnixConn) (content []byte, file bool) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	buf, oob := make([]byte, 1<<20), make([]byte, 1<<10)
	n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
	require.NoError(t, err)
	if oobn == 0 {
		return buf[:n], false
	}
	assert.Zero(t, n, "a datagram has a payload or a file")
	messages, err := syscall.ParseSocketControlMessage(oob[:oobn])
	require.NoError(t, err)
	require.Len(t, messages, 1)
	fds, err := syscall.ParseUnixRights(&messages[0])
	require.NoError(t, err)
	require.Len(t, fds, 1)
	f := os.NewFile(uintptr(fds[0]), "entry")
	defer f.Close()
	_, err = f.WriteAt([]byte("x"), 0)
	assert.Error(t, err, "the file is sealed")
	assert.Error(t, f.Truncate(0), "the file is sealed")
	content, err = io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
	require.NoError(t, err)
	return content, true
}

// parse reads an entry as the journal's protocol says, and refuses what the journal
// would drop.
func parse(t *testing.T, entry []byte) map[string][]string {
	t.Helper()
	fields := map[string][]string{}
	for len(entry) > 0 {
		end := bytes.IndexByte(entry, '\n')
		require.GreaterOrEqual(t, end, 1, "an empty line ends an entry; one without an end is dropped")
		name, value, plain := strings.Cut(string(entry[:end]), "=")
		entry = entry[end+1:]
		if !plain {
			require.GreaterOrEqual(t, len(entry), 8)
			n := binary.LittleEndian.Uint64(entry)
			require.Less(t, n, uint64(len(entry)-8))
			value = string(entry[8 : 8+n])
			require.Equal(t, byte('\n'), entry[8+n])
			entry = entry[8+n+1:]
		}
		require.Regexp(t, `\A[A-Z][A-Z0-9_]{0,63}\z`, name)
		fields[name] = append(fields[name], value)
	}
	assert.Len(t, fields["MESSAGE"], 1)
	assert.True(t, utf8.ValidString(fields["MESSAGE"][0]))
	assert.NotRegexp(t, `[\x00-\x1f\x7f\x{85}\x{2028}\x{2029}]`, fields["MESSAGE"][0])
	return fields
}

type daemons struct {
	opts            journal.Options
	journal, syslog string
	fallback        *bytes.Buffer
}

func newDaemons(t *testing.T) *daemons {
	dir := t.TempDir()
	d := &daemons{journal: filepath.Join(dir, "j"), syslog: filepath.Join(dir, "s"), fallback: new(bytes.Buffer)}
	d.opts = journal.Options{Journal: d.journal, Syslog: []string{filepath.Join(dir, "none"), d.syslog}, Fallback: d.fallback}
	return d
}

func (d *daemons) log() *slog.Logger { return slog.New(journal.New("virthook-qemu", &d.opts)) }

type valuer struct{ v slog.Value }

func (v valuer) LogValue() slog.Value { return v.v }

type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }

func TestFields(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.journal)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	log := d.log().With("driver", "qemu", slog.Group("", slog.String("object", "web 1"))).WithGroup("req").With("op", "start")
	log.Error("no such bridge", "sub_op", "begin", "n", -3, "u", uint64(1<<63), "f", 1.5, "ok", true,
		"took", 1500*time.Millisecond, "at", at, "err", fmt.Errorf("x: %w", io.EOF), "nil", nil, "nilerr", (*brokenError)(nil),
		"any", struct{ A int }{1}, "bytes", []byte("a\xffb"), "v", valuer{slog.GroupValue(slog.Int("w", 1))},
		slog.Group("g", "a", "b", slog.Group("empty")), slog.Attr{})

	entry, _ := receive(t, c)
	got := parse(t, entry)
	for name, want := range map[string]string{
		"MESSAGE": `no such bridge driver=qemu object="web 1" req.op=start req.sub_op=begin req.n=-3 req.u=9223372036854775808 req.f=1.5 req.ok=true` +
			` req.took=1.5s req.at=2026-01-02T02:04:05.000000006Z req.err="x: EOF" req.nil=<nil> req.nilerr=<nil> req.any={A:1} req.bytes="a\xffb" req.v.w=1 req.g.a=b`,
		"PRIORITY": "3", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "virthook-qemu",
		"VIRTHOOK_DRIVER": "qemu", "VIRTHOOK_OBJECT": "web 1", "VIRTHOOK_REQ_OP": "start", "VIRTHOOK_REQ_SUB_OP": "begin",
		"VIRTHOOK_REQ_N": "-3", "VIRTHOOK_REQ_U": "9223372036854775808", "VIRTHOOK_REQ_F": "1.5", "VIRTHOOK_REQ_OK": "true",
		"VIRTHOOK_REQ_TOOK_USEC": "1500000", "VIRTHOOK_REQ_AT": "2026-01-02T02:04:05.000000006Z", "VIRTHOOK_REQ_ERR": "x: EOF",
		"VIRTHOOK_REQ_NIL": "<nil>", "VIRTHOOK_REQ_NILERR": "<nil>", "VIRTHOOK_REQ_ANY": "{A:1}", "VIRTHOOK_REQ_BYTES": "a\xffb",
		"VIRTHOOK_REQ_V_W": "1", "VIRTHOOK_REQ_G_A": "b",
	} {
		assert.Equal(t, []string{want}, got[name], name)
	}
	assert.Equal(t, "journal_test.go", filepath.Base(got["CODE_FILE"][0]))
	assert.Regexp(t, `^\d+$`, got["CODE_LINE"][0])
	assert.Contains(t, got["CODE_FUNC"][0], "journal_test.TestFields")
	_, err := time.Parse(time.RFC3339Nano, got["VIRTHOOK_TIME"][0])
	assert.NoError(t, err)
	assert.Len(t, got, 25)
}

func TestPriorityAndLevel(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.journal)
	for level, priority := range map[slog.Level]string{slog.LevelDebug - 1: "7", slog.LevelDebug: "7", slog.LevelInfo: "6", slog.LevelWarn: "4", slog.LevelError + 5: "3"} {
		d.log().Log(t.Context(), level, "m")
		entry, _ := receive(t, c)
		assert.Equal(t, priority, parse(t, entry)["PRIORITY"][0])
	}
	var level slog.LevelVar
	d.opts.Level = &level
	log := d.log().With("a", 1).WithGroup("g")
	assert.False(t, log.Enabled(t.Context(), slog.LevelDebug))
	level.Set(slog.LevelDebug)
	assert.True(t, log.Enabled(t.Context(), slog.LevelDebug))
	assert.True(t, slog.New(journal.New("x", nil)).Enabled(t.Context(), slog.LevelDebug))
}

func hostile() []string {
	return []string{
		"", " ", "\n", "x\nPRIORITY=0\n", "\nPRIORITY=0\n\nMESSAGE=forged\n", "\x00", "a\x00\nb", "\xff\xfe\n_PID=1", "a=b", "\r\x1b[31m",
		"\u2028PRIORITY=0", "\u0085", "\x7f", "\n\x01\x00\x00\x00\x00\x00\x00\x00x\n", "<0>x[1]: y", "message", strings.Repeat("v\n", 1<<19),
	}
}

// No value, key, message or identifier becomes a field or a record of its own.
func TestHostileText(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.journal)
	names := []string{"CODE_FILE", "CODE_FUNC", "CODE_LINE", "MESSAGE", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "VIRTHOOK_TIME"}
	for _, s := range hostile() {
		slog.New(journal.New(s, &d.opts)).With("w", s).Info(s, "v", s, slog.Group("g", "v", errors.New(s)))
		entry, _ := receive(t, c)
		got := parse(t, entry)
		var others []string
		for name, values := range got {
			require.Len(t, values, 1, name)
			if strings.HasPrefix(name, "VIRTHOOK_") && name != "VIRTHOOK_TIME" {
				others = append(others, name)
				assert.True(t, values[0] == s, "%.50q", values[0])
			}
		}
		assert.ElementsMatch(t, []string{"VIRTHOOK_W", "VIRTHOOK_V", "VIRTHOOK_G_V"}, others)
		assert.Len(t, got, len(names)+3)
		assert.Equal(t, "6", got["PRIORITY"][0])

		// As keys and groups.
		d.log().WithGroup(s).Info("m", s, "v", slog.Group(s, s, time.Second))
		entry, _ = receive(t, c)
		got = parse(t, entry)
		assert.Equal(t, "6", got["PRIORITY"][0])
		for name, values := range got {
			if strings.HasPrefix(name, "VIRTHOOK_") {
				continue
			}
			assert.Contains(t, names, name)
			assert.Len(t, values, 1, name)
		}
	}
	for key, want := range map[string]string{
		"message": "VIRTHOOK_MESSAGE", "MESSAGE": "VIRTHOOK_MESSAGE", "a=b": "VIRTHOOK_A_B", "_trusted": "VIRTHOOK__TRUSTED", "": "VIRTHOOK_",
		"größe 1": "VIRTHOOK_GR__E_1", strings.Repeat("k", 100): "VIRTHOOK_" + strings.Repeat("K", 55),
	} {
		d.log().Info("m", key, "v")
		entry, _ := receive(t, c)
		assert.Equal(t, []string{"v"}, parse(t, entry)[want], key)
	}
	d.log().Info("m", strings.Repeat("k", 100), time.Second)
	entry, _ := receive(t, c)
	assert.Equal(t, []string{"1000000"}, parse(t, entry)["VIRTHOOK_"+strings.Repeat("K", 50)+"_USEC"])
}

func TestManyAttributes(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.journal)
	log := d.log()
	for i := range 2000 {
		log = log.With("a"+strconv.Itoa(i), i)
	}
	log.Info("m")
	entry, _ := receive(t, c)
	got := parse(t, entry)
	assert.Len(t, got, 1000)
	assert.Contains(t, got["MESSAGE"][0], " a1999=1999")
}

func TestStack(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.journal)
	d.log().Error("panic", "stack", "a\nb", "kind", "panic")
	entry, _ := receive(t, c)
	got := parse(t, entry)
	assert.Equal(t, "panic kind=panic", got["MESSAGE"][0])
	assert.Equal(t, "a\nb", got["VIRTHOOK_STACK"][0])

	c.Close()
	d.log().Error("panic", "stack", "a\nb", "kind", "panic")
	assert.Contains(t, d.fallback.String(), `: panic kind=panic stack="a\nb"`+"\n")
}

func TestSyslog(t *testing.T) {
	d := newDaemons(t)
	c := listen(t, d.syslog)
	d.log().Error("a\nb", "k", "v\n<0>w", "password", "x")
	got, _ := receive(t, c)
	assert.Equal(t, "<27>virthook-qemu["+strconv.Itoa(os.Getpid())+`]: a\nb k="v\n<0>w" password=[redacted]`, string(got))

	slog.New(journal.New("a b: [x]\n\u2028", &d.opts)).Info("m")
	got, _ = receive(t, c)
	assert.Equal(t, `<30>a_b___x_\n\u2028[`+strconv.Itoa(os.Getpid())+"]: m", string(got))

	for _, s := range hostile() {
		d.log().Info(s, s, s)
		got, _ = receive(t, c)
		assert.True(t, strings.HasPrefix(string(got), "<30>virthook-qemu["))
		assert.True(t, utf8.Valid(got))
		assert.NotRegexp(t, `[\x00-\x1f\x7f\x{85}\x{2028}\x{2029}]`, string(got))
		assert.Equal(t, len(s) > 1<<19, strings.HasSuffix(string(got), " [cut]"))
	}
	assert.Empty(t, d.fallback)
}

func TestFallback(t *testing.T) {
	d := newDaemons(t)
	for _, s := range hostile() {
		d.fallback.Reset()
		d.log().Warn(s, s, s)
		line := d.fallback.String()
		assert.Regexp(t, `\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN virthook-qemu\[\d+\]: [^\x00-\x1f\x7f\x{85}\x{2028}\x{2029}]*\n\z`, line)
	}
	d.fallback.Reset()
	require.NoError(t, d.log().Handler().Handle(t.Context(), slog.Record{Message: "m"}))
	assert.Equal(t, "INFO virthook-qemu["+strconv.Itoa(os.Getpid())+"]: m\n", d.fallback.String())

	d.opts.Fallback = nil
	d.log().Error("to nobody")
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestDroppedRecordsAreCounted(t *testing.T) {
	for name, fallback := range map[string]io.Writer{"nil": nil, "failing": failing{}} {
		t.Run(name, func(t *testing.T) {
			d := newDaemons(t)
			d.opts.Fallback = fallback
			log := d.log()
			log.Error("lost")
			err := log.With("a", 1).Handler().Handle(t.Context(), slog.Record{Message: "lost"})
			if fallback == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, io.ErrClosedPipe)
			}
			c := listen(t, d.journal)
			log.Error("m")
			entry, _ := receive(t, c)
			got := parse(t, entry)
			assert.Equal(t, "m dropped_records=2", got["MESSAGE"][0])
			assert.Equal(t, []string{"2"}, got["VIRTHOOK_DROPPED_RECORDS"])
			log.Error("m")
			entry, _ = receive(t, c)
			assert.Equal(t, "m", parse(t, entry)["MESSAGE"][0])
		})
	}
}

// A daemon that does not read holds nothing up, and what it does not take is not lost.
func TestQueueFull(t *testing.T) {
	d := newDaemons(t)
	j, s := listen(t, d.journal), listen(t, d.syslog)
	log := d.log()
	const records = 3000 // more than any queue takes
	big := strings.Repeat("x", 1<<20)
	done := make(chan bool)
	go func() {
		for i := range records {
			log.Error("m", "i", i)
		}
		log.Error(big)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		require.Fail(t, "logging waits")
	}
	lines := strings.Count(d.fallback.String(), "\n")
	assert.Positive(t, lines)
	assert.Contains(t, d.fallback.String(), big)
	count := func(c *net.UnixConn) (n int) {
		raw, err := c.SyscallConn()
		require.NoError(t, err)
		buf := make([]byte, 1<<16)
		require.NoError(t, raw.Read(func(fd uintptr) bool {
			for ; err == nil; n++ {
				_, _, err = syscall.Recvfrom(int(fd), buf, 0) // does not wait: package net's sockets do not
			}
			return true
		}))
		return n - 1
	}
	nj, ns := count(j), count(s)
	assert.Positive(t, nj)
	assert.Positive(t, ns)
	assert.Equal(t, records+1, nj+ns+lines)
}

func TestConcurrentWriters(t *testing.T) {
	d := newDaemons(t)
	log := d.log().With("shared", 1)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			log := log.With("writer", i)
			for j := range 100 {
				log.WithGroup("g").Info("m", "j", j)
			}
		})
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSuffix(d.fallback.String(), "\n"), "\n")
	seen := map[string]bool{}
	for _, l := range lines {
		require.Regexp(t, `: m shared=1 writer=\d g\.j=\d+( dropped_records=\d+)?$`, l)
		seen[l[strings.Index(l, "]: "):]] = true
	}
	assert.Len(t, seen, 800)
}

// Nothing that derives from a logger gets the attributes of another.
func TestSiblings(t *testing.T) {
	d := newDaemons(t)
	parent := d.log().With("a", 1).With("b", 2).With("c", 3)
	one, two := parent.With("d", "one"), parent.With("d", "two")
	one.Info("m")
	two.Info("m")
	assert.Contains(t, d.fallback.String(), " a=1 b=2 c=3 d=one\n")
	assert.Contains(t, d.fallback.String(), " a=1 b=2 c=3 d=two\n")
}

type named []byte

// No sink and no field shows a secret, whatever it comes in.
func TestSecretsAreRedacted(t *testing.T) {
	const xml = "<graphics passwd='s3cr3t'/>"
	record := func(log *slog.Logger) {
		for _, key := range []string{"password", "PASSWD", "root_passwd", "Passphrase", "client_secret", "apiToken", "credentials", "Authorization", "api_key", "APIKey", "private-key", "cookie", "x.password"} {
			log = log.With(key, "s3cr3t")
		}
		log.WithGroup("vnc_password").With("w", "s3cr3t").Error("m "+xml, "text", xml, "error", errors.New(xml), "bytes", []byte(xml), "named", named(xml),
			"any", struct{ X string }{xml}, "valuer", valuer{slog.StringValue(xml)}, slog.Group("tokens", "a", "s3cr3t", slog.Group("b", "c", []string{"s3cr3t"})))
		log.Error("m "+xml, "stack", "s\n"+xml, "text", xml, "error", errors.New(xml), "bytes", []byte(xml), "named", named(xml), "struct", struct{ Passwd string }{"s3cr3t"},
			"any", struct{ X string }{xml}, "valuer", valuer{slog.StringValue(xml)}, slog.Group("tokens", "a", "s3cr3t"), slog.Group("g", "password", valuer{slog.StringValue("s3cr3t")}))
	}
	d := newDaemons(t)
	j, s := listen(t, d.journal), listen(t, d.syslog)
	for _, c := range []*net.UnixConn{j, s} {
		record(d.log())
		for range 2 {
			got, _ := receive(t, c)
			assert.NotContains(t, string(got), "s3cr3t")
			assert.Contains(t, string(got), "passwd='[redacted]'")
			assert.NotContains(t, string(got), fmt.Sprint([]byte("s3cr3t"))[1:15])
		}
		c.Close()
	}
	record(d.log())
	assert.NotContains(t, d.fallback.String(), "s3cr3t")
	assert.Equal(t, 2, strings.Count(d.fallback.String(), "\n"))
}

// The sockets are closed, and no child inherits one.
func TestNoDescriptorIsLeft(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	d := newDaemons(t)
	j := listen(t, d.journal)
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(fds)
	}
	before := count()
	for range 20 {
		d.log().Info("m")
		receive(t, j)
		d.log().Info(strings.Repeat("m", 1<<20))
		receive(t, j)
	}
	assert.LessOrEqual(t, count(), before)
}

func TestSlogtest(t *testing.T) {
	t.Run("journal", func(t *testing.T) {
		d := newDaemons(t)
		c := listen(t, d.journal)
		slogtest.Run(t, func(*testing.T) slog.Handler { return d.log().Handler() }, func(t *testing.T) map[string]any {
			entry, _ := receive(t, c)
			m := map[string]any{}
			for name, values := range parse(t, entry) {
				switch rest, ok := strings.CutPrefix(name, "VIRTHOOK_"); {
				case name == "MESSAGE":
					m[slog.MessageKey], _, _ = strings.Cut(values[0], " ")
				case name == "PRIORITY":
					m[slog.LevelKey] = values[0]
				case name == "VIRTHOOK_TIME":
					m[slog.TimeKey] = values[0]
				case ok:
					parts := strings.Split(rest, "_") // the test's groups are G and H, its keys are small
					put(m, append(parts[:len(parts)-1:len(parts)-1], strings.ToLower(parts[len(parts)-1])), values[0])
				}
			}
			return m
		})
	})
	t.Run("fallback", func(t *testing.T) {
		d := newDaemons(t)
		slogtest.Run(t, func(*testing.T) slog.Handler { d.fallback.Reset(); return d.log().Handler() }, func(t *testing.T) map[string]any {
			m := map[string]any{}
			head, rest, _ := strings.Cut(strings.TrimSuffix(d.fallback.String(), "\n"), "]: ")
			if words := strings.Fields(head); len(words) == 3 {
				m[slog.TimeKey], m[slog.LevelKey] = words[0], words[1]
			} else {
				m[slog.LevelKey] = words[0]
			}
			words := strings.Fields(rest)
			m[slog.MessageKey] = words[0]
			for _, w := range words[1:] {
				key, value, _ := strings.Cut(w, "=")
				if key != "dropped_records" {
					put(m, strings.Split(key, "."), value)
				}
			}
			return m
		})
	})
}

func put(m map[string]any, path []string, value string) {
	for _, p := range path[:len(path)-1] {
		if m[p] == nil {
			m[p] = map[string]any{}
		}
		m = m[p].(map[string]any)
	}
	m[path[len(path)-1]] = value
}

func BenchmarkHandle(b *testing.B) {
	h := journal.New("x", &journal.Options{Journal: "/nonexistent", Syslog: []string{}}).WithAttrs([]slog.Attr{slog.String("driver", "qemu"), slog.String("object", "web")})
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)
	r.AddAttrs(slog.Int("n", 1))
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Handle(context.Background(), r)
	}
}
