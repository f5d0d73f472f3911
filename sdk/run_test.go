package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

// trace records what ran.
type trace []string

func (tr *trace) add(s string) { *tr = append(*tr, s) }

func (tr *trace) prepare(name string, err error) sdk.Option {
	return sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { tr.add(name); return err })
}

func (tr *trace) stopped(name string, err error) sdk.Option {
	return sdk.OnQemuStoppedEnd(func(*libvirtxml.Domain) error { tr.add(name); return err })
}

func (tr *trace) title(suffix string) sdk.Option {
	return sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		tr.add(d.Title)
		d.Title += suffix
		return d, nil
	})
}

func TestNested(t *testing.T) {
	var tr trace
	both := func(name string) sdk.Option { return sdk.Group(tr.prepare(name, nil), tr.stopped("un"+name, nil)) }
	program := []sdk.Option{
		both("a"),
		sdk.Nested(both("b"), sdk.Group(tr.prepare("c", nil), tr.stopped("unc", nil), tr.stopped("unc again", nil)), both("d")),
		both("e"),
	}
	hooktest.Run(t, hooktest.QemuPrepareBegin(), program...).OK()
	hooktest.Run(t, hooktest.QemuStoppedEnd(), program...).OK()
	assert.Equal(t, trace{"a", "b", "c", "d", "e", "una", "und", "unc", "unc again", "unb", "une"}, tr)
}

func TestHandlersRunInOrder(t *testing.T) {
	var tr trace
	hooktest.Run(t, hooktest.QemuPrepareBegin(),
		tr.prepare("1", nil),
		tr.stopped("not this one", nil),
		sdk.Group(tr.prepare("2", nil), sdk.Group(), sdk.Group(tr.prepare("3", nil))),
		sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error { tr.add("4 " + e.Guest().Name); return nil }),
		sdk.OnAny(func(_ context.Context, c *sdk.Call) error { tr.add("5 " + c.String()); return nil }),
	).OK()
	assert.Equal(t, trace{"1", "2", "3", "4 g1", `5 qemu/prepare/begin of "g1"`}, tr)
}

func TestErrors(t *testing.T) {
	var tr trace
	t.Run("the first stops a start", func(t *testing.T) {
		tr = nil
		r := hooktest.Run(t, hooktest.QemuPrepareBegin(), tr.prepare("1", nil), sdk.Group(tr.prepare("2", errors.New("no"))), tr.prepare("3", nil))
		assert.Equal(t, "no\n", r.Refused("no").Stderr)
		assert.Equal(t, trace{"1", "2"}, tr)
	})
	t.Run("all run where libvirt goes on", func(t *testing.T) {
		tr = nil
		r := hooktest.Run(t, hooktest.QemuStoppedEnd(), tr.stopped("1", errors.New("a\nb")), tr.stopped("2", nil), tr.stopped("3", errors.New("c")))
		assert.Equal(t, `a\nb; c`+"\n", r.Refused("c").Stderr)
		assert.Equal(t, trace{"1", "2", "3"}, tr)
	})
	t.Run("a filter's error leaves nothing", func(t *testing.T) {
		tr = nil
		r := hooktest.Run(t, hooktest.QemuMigrateBegin(), tr.title("x"), sdk.OnQemuMigrateBegin(
			func(*libvirtxml.Domain) (*libvirtxml.Domain, error) { return nil, errors.New("no") }))
		assert.Empty(t, r.Refused("no").Stdout)
	})
	t.Run("passed", func(t *testing.T) {
		tr = nil
		r := hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnError(sdk.Pass), tr.prepare("1", errors.New("no")), tr.prepare("2", nil)).OK()
		assert.Equal(t, trace{"1", "2"}, tr)
		assert.Contains(t, r.Log, "level=ERROR msg=no driver=qemu object=g1 op=prepare sub_op=begin")
		assert.Equal(t, "passed: no\n", r.Stderr)
	})
	t.Run("passed in a group alone", func(t *testing.T) {
		r := hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.Group(sdk.OnError(sdk.Pass), tr.prepare("1", errors.New("one"))),
			tr.prepare("2", errors.New("two"))).Refused("two")
		assert.Equal(t, "two\n", r.Stderr, "what passed is no part of libvirt's message")
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnError(sdk.Pass), sdk.Group(sdk.OnError(sdk.Fail),
			tr.prepare("1", errors.New("inner")))).Refused("inner")
	})
}

func TestFilters(t *testing.T) {
	var tr trace
	titled := func(d *libvirtxml.Domain) { d.Title = "t" }
	t.Run("feed each other", func(t *testing.T) {
		tr = nil
		d := hooktest.Run(t, hooktest.QemuMigrateBegin(titled), tr.title("1"), tr.title("2"),
			sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
				input, err := c.Input()
				tr.add(string(regexp.MustCompile(`<title>.*</title>`).Find(input)))
				return err
			})).Domain()
		assert.Equal(t, trace{"t", "t1", "<title>t12</title>"}, tr)
		assert.Equal(t, "t12", d.Title)
	})
	t.Run("nil discards edits", func(t *testing.T) {
		tr = nil
		discard := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Title = "lost"; return nil, nil })
		hooktest.Run(t, hooktest.QemuMigrateBegin(titled), discard).Unchanged()
		assert.Equal(t, "t1", hooktest.Run(t, hooktest.QemuMigrateBegin(titled), tr.title("1"), discard).Domain().Title)
	})
	t.Run("another document", func(t *testing.T) {
		d := hooktest.Run(t, hooktest.QemuMigrateBegin(titled), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			c := *d
			c.Title = "other"
			return &c, nil
		})).Domain()
		assert.Equal(t, "other", d.Title)
	})
	t.Run("in place, by every rich form", func(t *testing.T) {
		d := hooktest.Run(t, hooktest.QemuRestoreBegin(titled),
			sdk.On(func(_ context.Context, e *sdk.QemuRestoreBegin) error { e.Domain.Title += "1"; return nil }),
			sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error { e.Guest().Title += "2"; return nil }),
			sdk.OnEach[sdk.DomainEvent](func(_ context.Context, e sdk.DomainEvent) error { e.Guest().Title += "3"; return nil },
				(*sdk.QemuMigrateBegin)(nil), (*sdk.QemuRestoreBegin)(nil)),
		).Domain()
		assert.Equal(t, "t123", d.Title)
	})
	t.Run("without effect on the XML", func(t *testing.T) {
		r := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			d.Devices.Sounds = []libvirtxml.DomainSound{} // no sound device, as before
			return d, nil
		})).Unchanged()
		assert.Contains(t, r.Log, "nothing of that shows in the XML")
	})
	t.Run("edits count in filters alone", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(titled), sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
			e.Guest().Title = "x"
			return nil
		})).Unchanged()
	})
	t.Run("a document that XML cannot hold", func(t *testing.T) {
		r := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			d.Devices.Disks[0].Source.File.File = "a\x00b" // XML has no such character
			return d, nil
		}))
		assert.Empty(t, r.Refused("a character that XML cannot hold").Stdout)
	})
	t.Run("a document that panics", func(t *testing.T) {
		r := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
			e.Domain.Devices.Disks = append(e.Domain.Devices.Disks, libvirtxml.DomainDisk{})
			return nil
		}))
		assert.Contains(t, []int{0, 1}, r.Status) // libvirtxml decides; the process lives
	})
}

func TestReplace(t *testing.T) {
	replace := func(xml func(in []byte) []byte) sdk.Option {
		return sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
			e.Domain.Title = "not this"
			in, err := e.Input()
			e.Replace(xml(in))
			return err
		})
	}
	call := hooktest.QemuMigrateBegin()
	r := hooktest.Run(t, call, replace(func(in []byte) []byte { return bytes.Replace(in, []byte("<memory"), []byte("<!-- kept --><memory"), 1) })).OK()
	assert.Contains(t, string(r.Stdout), "<!-- kept -->")
	assert.Len(t, r.Stdout, len(call.XML)+len("<!-- kept -->"))
	hooktest.Run(t, call, replace(func(in []byte) []byte { return in })).Unchanged()
	for want, xml := range map[string]string{
		"document is empty": "",
		"is not closed":     "<domain>",
		"not <domain>":      "<network/>",
	} {
		r := hooktest.Run(t, call, replace(func([]byte) []byte { return []byte(xml) }))
		assert.Empty(t, r.Refused("the XML given to Replace: ").Refused(want).Stdout)
	}
}

func TestInputIsTheCallersOwn(t *testing.T) {
	call := hooktest.QemuPrepareBegin()
	spoil := sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
		in, err := c.Input()
		if !bytes.Equal(in, call.XML) {
			return errors.New("spoilt")
		}
		clear(in)
		return err
	})
	hooktest.Run(t, call, spoil, spoil, sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error { d.Name = ""; return nil }), spoil).OK()
}

func TestFaultPolicies(t *testing.T) {
	boom := func(*libvirtxml.Domain) error { panic("boom") }
	prepare, reconnect := sdk.OnQemuPrepareBegin(boom), sdk.OnQemuReconnectBegin(boom)

	r := hooktest.Run(t, hooktest.QemuPrepareBegin(), prepare).Refused(`panic: boom (run_test.go:`)
	assert.Contains(t, r.Log, "stack=")
	assert.Contains(t, r.Log, "TestFaultPolicies")
	r = hooktest.Run(t, hooktest.QemuReconnectBegin(), reconnect).OK()
	assert.Contains(t, r.Log, "stack=")
	hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnFault(sdk.Pass), prepare).OK()
	hooktest.Run(t, hooktest.QemuReconnectBegin(), sdk.OnFault(sdk.Fail), reconnect).Refused("boom")
	hooktest.Run(t, hooktest.LxcReconnectBegin(), sdk.OnLxcReconnectBegin(boom)).OK()
	hooktest.Run(t, hooktest.LibxlReconnectBegin(), sdk.OnLibxlReconnectBegin(boom)).OK()
	// An error is a decision, there too.
	hooktest.Run(t, hooktest.QemuReconnectBegin(), sdk.OnQemuReconnectBegin(func(*libvirtxml.Domain) error { return errors.New("kill it") })).Refused("kill it")

	t.Run("of unknown operations pass", func(t *testing.T) {
		call := hooktest.QemuPrepareBegin()
		call.Op = "hibernate"
		hooktest.Run(t, call, sdk.OnAny(func(context.Context, *sdk.Call) error { panic("boom") })).OK()
		hooktest.Run(t, call, sdk.OnAny(func(context.Context, *sdk.Call) error { return errors.New("no") })).Refused("no")
	})
	t.Run("of known ones do not, in OnAny", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnAny(func(context.Context, *sdk.Call) error { panic("boom") })).Refused("boom")
		hooktest.Run(t, hooktest.QemuReconnectBegin(), sdk.OnAny(func(context.Context, *sdk.Call) error { panic("boom") })).OK()
	})
	t.Run("hold for inner groups", func(t *testing.T) {
		fails := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return errors.New("no") })
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnFault(sdk.Pass), sdk.Group(sdk.Group(prepare))).OK()
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnError(sdk.Pass), sdk.Group(sdk.Group(fails))).OK()
	})
	t.Run("Goexit", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { runtime.Goexit(); return nil })).Refused("runtime.Goexit")
	})
	t.Run("passed, the other handlers run", func(t *testing.T) {
		var tr trace
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.Group(sdk.OnFault(sdk.Pass), prepare, tr.prepare("1", nil)), tr.prepare("2", nil)).OK()
		assert.Equal(t, trace{"1", "2"}, tr)
	})
}

func TestDeadlines(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	ignores := sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { <-release; return nil })
	heeds := sdk.On(func(ctx context.Context, e *sdk.QemuPrepareBegin) error {
		<-ctx.Done()
		return fmt.Errorf("stopped: %w", ctx.Err())
	})
	short := sdk.Timeout(time.Millisecond)
	var tr trace

	hooktest.Run(t, hooktest.QemuPrepareBegin(), short, ignores, tr.prepare("after", nil)).Refused("deadline: not done within 1ms in qemu/prepare/begin")
	r := hooktest.Run(t, hooktest.QemuPrepareBegin(), short, heeds)
	r.Refused("deadline: not done within 1ms")
	hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.Group(short, ignores)).Refused("not done within 1ms")
	assert.Empty(t, tr)
	r = hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.Group(short, sdk.OnFault(sdk.Pass), ignores, tr.prepare("same group", nil)),
		tr.prepare("outside", nil)).OK()
	assert.Equal(t, trace{"outside"}, tr)
	assert.Equal(t, 1, strings.Count(r.Stderr, "passed: "), "what is after the deadline is not even tried")

	t.Run("default", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.On(func(ctx context.Context, e *sdk.QemuPrepareBegin) error {
			at, ok := ctx.Deadline()
			if !ok || time.Until(at) > sdk.DefaultTimeout || time.Until(at) < sdk.DefaultTimeout/2 {
				return fmt.Errorf("deadline %v %v", at, ok)
			}
			return nil
		})).OK()
	})
	t.Run("longer than the default", func(t *testing.T) {
		hooktest.Run(t, hooktest.QemuPrepareBegin(), sdk.Timeout(time.Hour), sdk.On(func(ctx context.Context, e *sdk.QemuPrepareBegin) error {
			if at, _ := ctx.Deadline(); time.Until(at) < sdk.DefaultTimeout {
				return errors.New("shortened")
			}
			return nil
		})).OK()
	})
	t.Run("input that never ends", func(t *testing.T) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		defer w.Close()
		var stderr bytes.Buffer
		status := sdk.Run(context.Background(), []string{"qemu", "g", "prepare", "begin", "-"}, r, io.Discard, &stderr, short, tr.prepare("no", nil))
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr.String(), "not done within 1ms")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		var stderr bytes.Buffer
		status := sdk.Run(ctx, []string{"qemu", "g", "prepare", "begin", "-"}, strings.NewReader(""), io.Discard, &stderr, ignores)
		assert.Equal(t, 1, status)
		assert.Contains(t, stderr.String(), "deadline: context canceled")
	})
}

// An abandoned filter can no longer reach the output.
func TestAbandonedFilter(t *testing.T) {
	proceed, finished := make(chan struct{}), make(chan struct{})
	r := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.Group(sdk.Timeout(time.Millisecond), sdk.OnFault(sdk.Pass),
		sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			defer close(finished)
			<-proceed
			d.Title = "late"
			return d, nil
		})),
		sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			close(proceed)
			<-finished
			d.Description = "in time"
			return d, nil
		}))
	d := r.Domain()
	assert.Empty(t, d.Title)
	assert.Equal(t, "in time", d.Description)
}

func TestReadErrors(t *testing.T) {
	var stdout, stderr bytes.Buffer
	broken := io.MultiReader(strings.NewReader("<domain>"), errReader{})
	status := sdk.Run(context.Background(), []string{"qemu", "g", "prepare", "begin", "-"}, broken, &stdout, &stderr, (&trace{}).prepare("no", nil))
	assert.Equal(t, 1, status)
	assert.Equal(t, "input: reading the XML: broken in qemu/prepare/begin of \"g\"\n", stderr.String())
	assert.Equal(t, 2, sdk.Run(context.Background(), nil, nil, &stdout, &stderr))
	assert.Empty(t, stdout.String())
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestWrap(t *testing.T) {
	var tr trace
	wrap := func(name string) sdk.Option {
		return sdk.Wrap(func(next sdk.Handler) sdk.Handler {
			return func(ctx context.Context, c *sdk.Call) error {
				tr.add(name + " before " + c.Op)
				err := next(ctx, c)
				tr.add(fmt.Sprintf("%s after: %v", name, err))
				return err
			}
		})
	}
	hooktest.Run(t, hooktest.QemuPrepareBegin(), tr.prepare("unwrapped? no: settings hold for all", nil), wrap("outer"),
		sdk.Group(wrap("a"), wrap("b"), tr.prepare("handler", errors.New("no")))).Refused("no")
	assert.Equal(t, trace{
		"outer before prepare", "unwrapped? no: settings hold for all", "outer after: <nil>",
		"outer before prepare", "a before prepare", "b before prepare", "handler",
		"b after: no", "a after: no", "outer after: no",
	}, tr)

	t.Run("sees faults", func(t *testing.T) {
		bad := hooktest.QemuPrepareBegin()
		bad.XML = []byte("junk")
		var got error
		hooktest.Run(t, bad, tr.prepare("not reached", nil), sdk.Wrap(func(next sdk.Handler) sdk.Handler {
			return func(ctx context.Context, c *sdk.Call) error { got = next(ctx, c); return got }
		})).Refused("text outside the root")
		var f *sdk.Fault
		require.ErrorAs(t, got, &f)
		assert.Equal(t, sdk.FaultInput, f.Kind)
	})
	t.Run("may leave the handler out", func(t *testing.T) {
		tr = nil
		hooktest.Run(t, hooktest.QemuPrepareBegin(), tr.prepare("no", nil), sdk.Wrap(func(sdk.Handler) sdk.Handler {
			return func(context.Context, *sdk.Call) error { return nil }
		})).OK()
		assert.Empty(t, tr)
	})
	t.Run("may call it again", func(t *testing.T) {
		first := true
		d := hooktest.Run(t, hooktest.QemuMigrateBegin(), sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			d.Title += "x"
			if first {
				first = false
				return nil, errors.New("again")
			}
			return d, nil
		}), sdk.Wrap(func(next sdk.Handler) sdk.Handler {
			return func(ctx context.Context, c *sdk.Call) error { return errors.Join(skip(next(ctx, c)), next(ctx, c)) }
		})).Domain()
		assert.Equal(t, "x", d.Title, "each call gets a fresh view")
	})
}

func skip(error) error { return nil }

func TestLogger(t *testing.T) {
	var own bytes.Buffer
	r := hooktest.Run(t, hooktest.QemuPrepareBegin(),
		sdk.On(func(_ context.Context, e *sdk.QemuPrepareBegin) error { e.Logger().Info("hello", "k", 1); return nil }),
		sdk.Group(sdk.Log(slog.NewJSONHandler(&own, nil)),
			sdk.OnAny(func(_ context.Context, c *sdk.Call) error { c.Logger().Warn("elsewhere"); return nil })))
	assert.Contains(t, r.OK().Log, "level=INFO msg=hello driver=qemu object=g1 op=prepare sub_op=begin uuid=69e9bc72-72fa-4cd1-b01b-d788b3f80781 k=1")
	assert.NotContains(t, r.Log, "elsewhere")
	assert.Contains(t, own.String(), `"msg":"elsewhere","driver":"qemu"`)
	// Without Log, Run has none; neither has a call made by hand.
	status := sdk.Run(context.Background(), []string{"daemon", "-", "start", "-", "start"}, nil, io.Discard, io.Discard,
		sdk.On(func(_ context.Context, e *sdk.DaemonStart) error { e.Logger().Error("to nobody"); return nil }))
	assert.Zero(t, status)
	(&sdk.Call{}).Logger().Error("to nobody")
}

// Run is safe to use from many goroutines, also with the same options.
func TestRunInParallel(t *testing.T) {
	filter := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Title = "for " + d.Name; return d, nil })
	opts := []sdk.Option{sdk.For(sdk.Name("g*"), filter), sdk.OnDomain(func(context.Context, sdk.DomainEvent) error { return nil })}
	for i := range 32 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			name := fmt.Sprintf("g%d", i)
			d := hooktest.Run(t, hooktest.QemuMigrateBegin(func(d *libvirtxml.Domain) { d.Name = name }), opts...).Domain()
			assert.Equal(t, "for "+name, d.Title)
		})
	}
}

func TestWrongOptionsPanic(t *testing.T) {
	type mine struct{ *sdk.QemuStartBegin }
	for want, f := range map[string]func(){
		"sdk.OnQemuMigrateBegin: nil handler":                                func() { sdk.OnQemuMigrateBegin(nil) },
		"sdk.OnDaemonStart: nil handler":                                     func() { sdk.OnDaemonStart(nil) },
		"sdk.On[*sdk.QemuStartBegin]: nil handler":                           func() { sdk.On[*sdk.QemuStartBegin](nil) },
		"sdk.OnDomain: nil handler":                                          func() { sdk.OnDomain(nil) },
		"sdk.OnAny: nil handler":                                             func() { sdk.OnAny(nil) },
		"sdk.OnEach: nil handler":                                            func() { sdk.OnEach(nil, sdk.Events()...) },
		"sdk.OnEach: no operations":                                          func() { sdk.OnEach(func(context.Context, sdk.Event) error { return nil }) },
		"sdk.OnEach: operation 1 is nil":                                     func() { sdk.OnEach(func(context.Context, sdk.Event) error { return nil }, nil) },
		"sdk.On: sdk.DomainEvent is an interface, not the type of one event": func() { sdk.On(func(context.Context, sdk.DomainEvent) error { return nil }) },
		"sdk.On: sdk.Event is an interface, not the type of one event":       func() { sdk.On(func(context.Context, sdk.Event) error { return nil }) },
		"sdk.On[*sdk_test.mine]: *sdk_test.mine is not an event type":        func() { sdk.On(func(context.Context, *mine) error { return nil }) },
		"sdk.For: nil matcher":                                               func() { sdk.For(nil) },
		"sdk.Wrap: nil middleware":                                           func() { sdk.Wrap(nil) },
		"sdk.Log: nil handler":                                               func() { sdk.Log(nil) },
		"sdk.Timeout: 0s is not positive":                                    func() { sdk.Timeout(0) },
		"sdk.OnFault: 0 is neither Fail nor Pass":                            func() { sdk.OnFault(0) },
		"sdk.OnError: 3 is neither Fail nor Pass":                            func() { sdk.OnError(3) },
		"sdk.Group: option 2 is nil":                                         func() { sdk.Group(sdk.Group(), nil) },
		"sdk.Main: option 1 is nil":                                          func() { sdk.Run(context.Background(), nil, nil, io.Discard, io.Discard, nil) },
		"sdk.Group: option 1 is a sdk_test.embedding, not what a function of this package returned": func() { sdk.Group(embedding{sdk.Group()}) },
		"sdk.NameRegexp: nil expression":                              func() { sdk.NameRegexp(nil) },
		"sdk.Not: nil matcher":                                        func() { sdk.Not(nil) },
		"sdk.AllOf: nil matcher":                                      func() { sdk.AllOf(sdk.Name("x"), nil) },
		"sdk.AnyOf: nil matcher":                                      func() { sdk.AnyOf(nil) },
		"sdk.Metadata: libvirt keeps no metadata without a namespace": func() { sdk.Metadata("", "x") },
		`sdk.UUID: "nonsense" is not a UUID`:                          func() { sdk.UUID("nonsense") },
		`sdk.Name: pattern "[a": [ without ]`:                         func() { sdk.Name("ok", "[a") },
		`sdk.Name: pattern "a\\": ends with \`:                        func() { sdk.Name(`a\`) },
		`sdk.Name: pattern "[z-a]": a range in [] runs backwards`:     func() { sdk.Name("[z-a]") },
	} {
		assert.PanicsWithValue(t, want, f)
	}
}

// embedding has the methods of an Option and is none.
type embedding struct{ sdk.Option }
