// Package journal is the log of a hook: a [slog.Handler] that writes to the systemd
// journal with structured fields, to syslog where no journal runs, and else to an
// [io.Writer].
//
//	log := slog.New(journal.New("virthook-qemu", nil))
//	log.Error("no such bridge", "driver", "qemu", "object", "web")
//
// A record is an entry of the journal with these fields:
//
//   - MESSAGE: the record's message and its attributes as key=value, on one line
//   - PRIORITY, SYSLOG_FACILITY (daemon), SYSLOG_IDENTIFIER
//   - CODE_FILE, CODE_LINE, CODE_FUNC where the record knows its place in the source
//   - VIRTHOOK_TIME: when it was made, which may be before it was received
//   - VIRTHOOK_DRIVER, VIRTHOOK_OBJECT, …: one for each attribute
//
// The name of an attribute's field is VIRTHOOK_, the groups and the key, joined by _
// and in upper case; what is not of A–Z, 0–9 and _ becomes _, and what is longer than
// 64 characters is cut. A duration is in microseconds, and its field ends in _USEC.
// An entry has at most 1000 fields; further attributes are in MESSAGE alone.
//
//	journalctl VIRTHOOK_OBJECT=web VIRTHOOK_OP=start
//	journalctl -t virthook-qemu -o json
//
// Values are written as they are, whatever bytes they hold, and no name or value
// becomes another field or another record. A stack, which is an attribute with the
// key "stack" and several lines, has its field alone; in syslog and on the fallback,
// which have no fields, it ends the line, escaped.
//
// Secrets are replaced by [redacted] in all of that: the value of an attribute whose
// key, or whose group's, says that it is one (password, token, …), and what [Redact]
// finds in messages and in all other values.
//
// Logging never waits. What the journal cannot take at once, as its queue is full,
// goes to syslog, then to the fallback; when that fails too it is dropped, and the
// next record that gets through has the number of dropped ones as an attribute,
// dropped_records. A record too large for a datagram reaches the journal in a sealed
// memory file. Where that cannot be had, and in syslog, it is cut, and says so.
package journal

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/virthook/virthook/internal/redact"
	"github.com/virthook/virthook/sdk/internal/oneline"
)

// Options are settings of a [Handler]; the zero value is that of nil.
type Options struct {
	// Level is the least level that is logged; nil logs everything.
	Level slog.Leveler

	// Fallback gets a line of text for each record that neither the journal nor syslog
	// takes; with nil such records are dropped. Calls of Write do not overlap.
	Fallback io.Writer

	// Journal is the journal's socket, where it is not /run/systemd/journal/socket: that
	// of a journal namespace, or a test's.
	Journal string
	// Syslog are the sockets that syslog may listen on, where they are not /dev/log and
	// /var/run/log. The first that takes a record gets it.
	Syslog []string
}

// Handler is a [slog.Handler]. All that derive from one may be used at the same time.
type Handler struct {
	out    *output
	level  slog.Leveler
	attrs  []field
	prefix string // the groups, each with a dot after it
	secret bool   // the groups say that what is in them is secret
}

// output is what handlers share that derive from each other.
type output struct {
	identifier string
	journal    string
	syslog     []string
	memfd      func(entry []byte) (fd int, err error)

	mu       sync.Mutex // of all below
	fallback io.Writer
	dropped  int
}

// New returns a handler whose records say that they are the identifier's, which is
// the program's name as a rule. Nothing is opened before there is something to log.
func New(identifier string, opts *Options) *Handler {
	if opts == nil {
		opts = new(Options)
	}
	out := &output{
		identifier: oneline.Escape(identifier),
		journal:    opts.Journal,
		syslog:     opts.Syslog,
		memfd:      inMemory,
		fallback:   opts.Fallback,
	}
	if out.journal == "" {
		out.journal = "/run/systemd/journal/socket"
	}
	if out.syslog == nil {
		out.syslog = []string{"/dev/log", "/var/run/log"} // Linux, FreeBSD
	}
	return &Handler{out: out, level: opts.Level}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool {
	return h.level == nil || l >= h.level.Level()
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(as []slog.Attr) slog.Handler {
	c := *h
	c.attrs = c.attrs[:len(c.attrs):len(c.attrs)] // others append to it too
	for _, a := range as {
		c.attrs = appendFields(c.attrs, h.prefix, h.secret, a)
	}
	return &c
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.prefix += name + "."
	c.secret = c.secret || redact.Name(name)
	return &c
}

// Handle implements [slog.Handler]. Its error is the fallback's; that nobody takes
// the record is none.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	rec := record{
		level:   r.Level,
		time:    r.Time,
		pc:      r.PC,
		message: oneline.Escape(Redact(r.Message)),
		fields:  h.attrs[:len(h.attrs):len(h.attrs)],
	}
	r.Attrs(func(a slog.Attr) bool {
		rec.fields = appendFields(rec.fields, h.prefix, h.secret, a)
		return true
	})
	return h.out.write(&rec)
}

// A record is as it is to be written: nothing in it is secret any more.
type record struct {
	level   slog.Level
	time    time.Time
	pc      uintptr
	message string
	fields  []field
}

// A field is an attribute.
type field struct {
	key  string // with its groups, dotted
	text string // for people
	name string // of the journal's field
	data string // the journal's
}

func appendFields(fields []field, prefix string, secret bool, a slog.Attr) []field {
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return fields
	}
	secret = secret || redact.Name(a.Key)
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, a := range a.Value.Group() {
			fields = appendFields(fields, prefix, secret, a)
		}
		return fields
	}
	f := field{key: prefix + a.Key}
	suffix := ""
	switch {
	case secret:
		f.text, f.data = redact.Mark, redact.Mark
	case a.Value.Kind() == slog.KindDuration:
		d := a.Value.Duration()
		f.text, f.data, suffix = d.String(), strconv.FormatInt(d.Microseconds(), 10), "_USEC"
	default:
		f.text = Redact(text(a.Value))
		f.data = f.text
	}
	f.name = fieldName(f.key, suffix)
	return append(fields, f)
}

// text is a value as it is written, before it is searched for secrets.
func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	case slog.KindAny:
		if _, ok := v.Any().(error); ok {
			return fmt.Sprint(v.Any()) // not its Error alone: that of a nil pointer may panic
		}
		if r := reflect.ValueOf(v.Any()); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
			return string(r.Bytes())
		}
		return fmt.Sprintf("%+v", v.Any())
	}
	return v.String()
}

// fieldName is the journal's name for a key. The prefix keeps it from being a name
// that means something to the journal.
func fieldName(key, suffix string) string {
	const longest = 64 // the journal drops fields with longer names
	name := []byte("VIRTHOOK_")
	for _, r := range key {
		if len(name)+len(suffix) == longest {
			break
		}
		switch {
		case 'a' <= r && r <= 'z':
			name = append(name, byte(r)-'a'+'A')
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			name = append(name, byte(r))
		default:
			name = append(name, '_')
		}
	}
	return string(name) + suffix
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

// line is the record for people.
func (r *record) line(stacks bool) string {
	var b strings.Builder
	b.WriteString(r.message)
	var last []field
	for _, f := range r.fields {
		if f.stack() {
			last = append(last, f)
			continue
		}
		f.write(&b)
	}
	if stacks {
		for _, f := range last {
			f.write(&b)
		}
	}
	return b.String()
}

func (f *field) stack() bool {
	return (f.key == "stack" || strings.HasSuffix(f.key, ".stack")) && strings.Contains(f.text, "\n")
}

func (f *field) write(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(quoted(f.key))
	b.WriteByte('=')
	b.WriteString(quoted(f.text))
}

// quoted quotes s where [slog.TextHandler] does.
func quoted(s string) string {
	special := func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r)
	}
	if s == "" || strings.IndexFunc(s, special) >= 0 {
		return strconv.Quote(s)
	}
	return s
}

// write brings the record to the first that takes it.
func (o *output) write(r *record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dropped > 0 {
		n := strconv.Itoa(o.dropped)
		const key = "dropped_records"
		r.fields = append(r.fields, field{key: key, text: n, name: fieldName(key, ""), data: n})
	}
	if o.toJournal(r) || o.toSyslog(r) {
		o.dropped = 0
		return nil
	}
	if o.fallback != nil {
		_, err := io.WriteString(o.fallback, o.fallbackLine(r))
		if err == nil {
			o.dropped = 0
			return nil
		}
		o.dropped++
		return fmt.Errorf("journal: the fallback: %w", err)
	}
	o.dropped++
	return nil
}

func (o *output) fallbackLine(r *record) string {
	when := ""
	if !r.time.IsZero() {
		when = r.time.UTC().Format("2006-01-02T15:04:05.000Z") + " "
	}
	return when + r.level.String() + " " + o.identifier + "[" + strconv.Itoa(syscall.Getpid()) + "]: " + r.line(true) + "\n"
}

// entry is the record in the journal's protocol, https://systemd.io/JOURNAL_NATIVE_PROTOCOL/,
// each value cut to at most limit bytes.
func (o *output) entry(r *record, limit int) []byte {
	const facility = "3" // daemon
	var b []byte
	add := func(name, value string) { b = appendField(b, name, cut(value, limit)) }
	add("MESSAGE", r.line(false))
	add("PRIORITY", strconv.Itoa(priority(r.level)))
	add("SYSLOG_FACILITY", facility)
	add("SYSLOG_IDENTIFIER", o.identifier)
	if r.pc != 0 {
		if f, _ := runtime.CallersFrames([]uintptr{r.pc}).Next(); f.File != "" {
			add("CODE_FILE", f.File)
			add("CODE_LINE", strconv.Itoa(f.Line))
			add("CODE_FUNC", f.Function)
		}
	}
	if !r.time.IsZero() {
		add("VIRTHOOK_TIME", r.time.UTC().Format(time.RFC3339Nano))
	}
	// The journal refuses an entry of more than 1024 fields, its own included.
	const most = 992
	for _, f := range r.fields[:min(most, len(r.fields))] {
		add(f.name, f.data)
	}
	return b
}
