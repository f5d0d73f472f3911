package sdk_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
)

const qemuHook = "/etc/libvirt/hooks/qemu"

func sampleXML(t *testing.T, driver, op, subOp string) []byte {
	c, ok := captures.Sample(driver, op, subOp)
	require.True(t, ok)
	return c.XML
}

// oneLine asserts that the hook said just one line, with the text in it.
func oneLine(t *testing.T, a answer, text string) {
	t.Helper()
	assert.Contains(t, a.stderr, text)
	assert.True(t, strings.HasSuffix(a.stderr, "\n"), "%q", a.stderr)
	assert.Equal(t, 1, strings.Count(a.stderr, "\n"), "%q", a.stderr)
	assert.Empty(t, a.stdout)
}

func TestBadArguments(t *testing.T) {
	for name, x := range map[string]struct {
		argv []string
		want string
	}{
		"none":           {[]string{qemuHook}, "qemu: 0 arguments where libvirt passes four"},
		"three":          {[]string{qemuHook, "g", "prepare", "begin"}, "qemu: 3 arguments"},
		"five":           {[]string{qemuHook, "g", "prepare", "begin", "-", "-"}, "qemu: 5 arguments"},
		"a flag":         {[]string{qemuHook, "--descrybe"}, "qemu: 1 arguments"},
		"flag and more":  {[]string{qemuHook, "--describe", "x"}, "qemu: 2 arguments"},
		"unknown driver": {[]string{"/etc/libvirt/hooks/vbox", "g", "prepare", "begin", "-"}, "vbox: the name is not that of a libvirt driver (bhyve, daemon, libxl, lxc, network, qemu)"},
		"own name":       {[]string{"./my\nhook", "g", "prepare", "begin", "-"}, `my\nhook: the name is not`},
		"other folder":   {[]string{"/etc/foo.d/hook", "g", "prepare", "begin", "-"}, "hook: the name is not"},
		"no name":        {[]string{""}, ": the name is not"},
	} {
		t.Run(name, func(t *testing.T) {
			a := process{program: "everything", argv: x.argv, stdin: sampleXML(t, "qemu", "prepare", "begin")}.run(t)
			assert.Equal(t, 2, a.status)
			oneLine(t, a, x.want)
			assert.Empty(t, a.report)
		})
	}
}

func TestDriverFromThePath(t *testing.T) {
	for path, driver := range map[string]string{
		"/etc/libvirt/hooks/qemu":               "qemu",
		"/usr/local/etc/libvirt/hooks/lxc":      "lxc",
		"/etc/libvirt/hooks/qemu.d/50-anything": "qemu",
		"/etc/libvirt/hooks/qemu.d/network":     "qemu",
		"/etc/libvirt/hooks/qemu.d/.hidden~":    "qemu",
		"qemu.d/x":                              "qemu",
		"qemu":                                  "qemu",
		"/etc/foo.d/lxc":                        "lxc",
	} {
		a := process{program: "names", argv: []string{path, "g", "start", "begin", "-"}, stdin: sampleXML(t, driver, "start", "begin")}.run(t)
		require.Len(t, a.report, 1, path)
		assert.Contains(t, strings.ToLower(a.report[0].Handler), "*sdk."+driver, path)
	}
}

// The program that libvirt calls may be a link to one elsewhere.
func TestLinkedHook(t *testing.T) {
	hooks := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(hooks, "qemu.d"), 0o755))
	link := filepath.Join(hooks, "qemu.d", "50-mine")
	test, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(test, link))
	a := process{program: "everything", argv: []string{link, "g", "prepare", "begin", "-"}, stdin: sampleXML(t, "qemu", "prepare", "begin"),
		set: func(c *exec.Cmd) { c.Path = link }}.run(t)
	assert.Zero(t, a.status, a.stderr)
	require.Len(t, a.report, 1)
	assert.Equal(t, "qemu/prepare/begin", a.report[0].Handler)
}

// Names reach handlers as they are, whatever is in them.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{
		"with space", `"quoted" 'twice'`, "new\nline", "../../etc/passwd", "--describe", "--help", "", "$(reboot)", "*", "\xff\xfe", "ünïcode", "-",
	} {
		argv := []string{qemuHook, name, "start", "begin", name}
		a := process{program: "any", argv: argv}.run(t)
		assert.Zero(t, a.status, "%q: %s", name, a.stderr)
		require.Len(t, a.report, 1, "%q", name)
		assert.Equal(t, strconv.Quote(name), a.report[0].Name)
	}
}

func TestBadInput(t *testing.T) {
	good := sampleXML(t, "qemu", "migrate", "begin")
	network := sampleXML(t, "network", "start", "begin")
	for name, x := range map[string]struct {
		input []byte
		want  string
	}{
		"empty":           {nil, "line 1, column 1: document is empty"},
		"white space":     {[]byte(" \n\t"), "line 2, column 2: document is empty"},
		"truncated":       {good[:len(good)/2], "line 2"},
		"all but the end": {good[:len(good)-len("</domain>\n")], "<domain> of line 1 is not closed"},
		"not XML":         {[]byte("junk"), "text outside the root element"},
		"another root":    {network, "element is <hookData>, not <domain>"},
		"two roots":       {append(bytes.Clone(good), good...), "second root element <domain>"},
		"trailing text":   {append(bytes.Clone(good), "x"...), "text outside the root element"},
		"doctype":         {append([]byte("<!DOCTYPE domain [<!ENTITY a 'b'>]>"), good...), "line 1, column 1: DOCTYPE is refused"},
		"entity":          {[]byte("<domain><name>&a;</name></domain>"), "entity is not defined"},
		"too deep":        {[]byte(strings.Repeat("<domain>", 300)), "elements nest deeper than 256"},
		"too long":        {bytes.Repeat([]byte("<!-- 70 MB -->\n"), 70<<20/15), "the XML is longer than 64 MiB"},
		"invalid UTF-8":   {[]byte("<domain><name>\xff</name></domain>"), "invalid UTF-8"},
		"binary":          {[]byte("\x00\x01\x02"), "character U+0000 is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, op := range []string{"migrate", "prepare"} {
				a := process{program: "everything", argv: []string{qemuHook, "g", op, "begin", "-"}, stdin: x.input}.run(t)
				assert.Equal(t, 1, a.status)
				oneLine(t, a, x.want)
				oneLine(t, a, "input: ")
				assert.Empty(t, a.report)
			}
			// Here failing would get the guest killed.
			a := process{program: "everything", argv: []string{qemuHook, "g", "reconnect", "begin", "-"}, stdin: x.input}.run(t)
			assert.Zero(t, a.status)
			oneLine(t, a, x.want)
			assert.Empty(t, a.report)
		})
	}
}

// What is not understood does not keep the rest from the handler, and the log is told.
func TestTolerance(t *testing.T) {
	future := bytes.Replace(sampleXML(t, "qemu", "migrate", "begin"), []byte("32768"), []byte("plenty"), 1)
	a := process{program: "everything", argv: []string{qemuHook, "g", "migrate", "begin", "-"}, stdin: future}.run(t)
	assert.Zero(t, a.status)
	assert.Empty(t, a.stdout)
	require.Len(t, a.report, 1)
	assert.Equal(t, "m1", a.report[0].Name)
}

func TestNetworkWithoutItsParts(t *testing.T) {
	for op, input := range map[string]string{
		"start":        "<hookData/>",
		"port-created": "<hookData><network><name>n</name></network></hookData>",
	} {
		a := process{program: "everything", argv: []string{"hooks/network", "n", op, "begin", "-"}, stdin: []byte(input)}.run(t)
		assert.Equal(t, 1, a.status)
		oneLine(t, a, "<hookData> has no <network")
	}
}

// What nobody handles reads nothing: libvirt's end of a pipe that is never filled
// nor closed must not hold the hook up.
func TestUnhandledReadsNothing(t *testing.T) {
	for name, p := range map[string]process{
		"no handler":           {program: "none", argv: []string{qemuHook, "g", "prepare", "begin", "-"}},
		"newer operation":      {program: "everything", argv: []string{qemuHook, "g", "hibernate", "begin", "-"}},
		"newer sub-operation":  {program: "everything", argv: []string{qemuHook, "g", "prepare", "again", "-"}},
		"older operation":      {program: "everything", argv: []string{"hooks/network", "n", "plugged", "begin", "-"}},
		"operation of another": {program: "everything", argv: []string{"hooks/lxc", "g", "migrate", "begin", "-"}},
		"daemon, no XML":       {program: "everything", argv: []string{"hooks/daemon", "-", "start", "-", "start"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			defer r.Close()
			defer w.Close()
			p.set = func(c *exec.Cmd) { c.Stdin = r }
			a := p.run(t)
			a.report = nil
			assert.Equal(t, answer{}, a)

			_, err = w.WriteString("unread")
			require.NoError(t, err)
			buf := make([]byte, 10)
			n, err := r.Read(buf)
			require.NoError(t, err)
			assert.Equal(t, "unread", string(buf[:n]))
		})
	}
}

func TestAnySeesWhatTheSpecDoesNotKnow(t *testing.T) {
	a := process{program: "any", argv: []string{qemuHook, "g", "hibernate", "again", "x"}, stdin: []byte("not XML")}.run(t)
	assert.Equal(t, answer{report: []event{{Handler: "qemu/hibernate/again", Name: `"g"`, Extra: "7"}}}, a)
}

func TestClosedAndFullDescriptors(t *testing.T) {
	good := sampleXML(t, "qemu", "migrate", "begin")
	migrate := []string{qemuHook, "g", "migrate", "begin", "-"}
	viaShell := func(redirection string) func(*exec.Cmd) {
		return func(c *exec.Cmd) {
			// exec -a gives the test binary the hook's name.
			c.Args = append([]string{"bash", "-c", `name=$1; shift; exec -a "$name" ` + c.Path + ` "$@" ` + redirection, "bash"}, c.Args...)
			c.Path = "/bin/bash"
		}
	}
	t.Run("stdin closed", func(t *testing.T) {
		a := process{program: "edits", argv: migrate, set: viaShell("<&-")}.run(t)
		assert.Equal(t, 1, a.status)
		oneLine(t, a, "document is empty")
	})
	t.Run("stdout closed", func(t *testing.T) {
		a := process{program: "edits", argv: migrate, stdin: good, set: viaShell(">&-")}.run(t)
		assert.Equal(t, 1, a.status)
		oneLine(t, a, "writing the changed XML: the descriptor is closed")
	})
	t.Run("stdout closed, nothing to write", func(t *testing.T) {
		a := process{program: "everything", argv: migrate, stdin: good, set: viaShell(">&-")}.run(t)
		assert.Zero(t, a.status)
	})
	t.Run("stdout full", func(t *testing.T) {
		a := process{program: "edits", argv: migrate, stdin: good, set: viaShell(">/dev/full")}.run(t)
		assert.Equal(t, 1, a.status)
		oneLine(t, a, "writing the changed XML: ")
		assert.Contains(t, a.stderr, "no space left on device")
	})
	t.Run("stdout null", func(t *testing.T) {
		a := process{program: "edits", argv: migrate, stdin: good, set: viaShell(">/dev/null")}.run(t)
		assert.Zero(t, a.status, a.stderr)
	})
	t.Run("stdout a closed pipe", func(t *testing.T) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, r.Close())
		defer w.Close()
		a := process{program: "edits", argv: migrate, stdin: good, set: func(c *exec.Cmd) { c.Stdout = w }}.run(t)
		assert.Equal(t, 1, a.status)
		oneLine(t, a, "broken pipe")
	})
	t.Run("stderr closed", func(t *testing.T) {
		a := process{program: "refuses", argv: []string{qemuHook, "g", "prepare", "begin", "-"}, stdin: good, set: viaShell("2>&-")}.run(t)
		assert.Equal(t, answer{status: 1}, a)
	})
	t.Run("edited, more than a pipe holds", func(t *testing.T) {
		a := process{program: "edits", argv: migrate, stdin: good}.run(t)
		assert.Zero(t, a.status)
		assert.Greater(t, len(a.stdout), 200_000)
		assert.True(t, strings.HasSuffix(a.stdout, "</domain>\n"), "%q", a.stdout[len(a.stdout)-20:])
	})
}

// Nothing that a handler or its child prints gets into the guest's XML.
func TestPrinting(t *testing.T) {
	a := process{program: "prints", argv: []string{qemuHook, "g", "migrate", "begin", "-"}, stdin: sampleXML(t, "qemu", "migrate", "begin")}.run(t)
	assert.Zero(t, a.status, a.stderr)
	assert.Empty(t, a.stderr)
	assert.NotContains(t, a.stdout, "standard")
	assert.NotContains(t, a.stdout, "child")
	assert.True(t, strings.HasPrefix(a.stdout, "<domain"), a.stdout)
	assert.Contains(t, a.stdout, "<title>edited</title>")
}

// A child that a handler leaves behind, holding its standard output and error,
// does not hold libvirt up: it blocks on a pipe that is opened after the hook's
// end of output was read.
func TestChildLeftBehind(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	p := process{program: "leaves a child", argv: []string{qemuHook, "g", "prepare", "begin", "-"}, stdin: sampleXML(t, "qemu", "prepare", "begin"),
		set: func(c *exec.Cmd) { c.Env = append(c.Env, "VIRTHOOK_TEST_FIFO="+fifo) }}
	assert.Equal(t, answer{}, p.run(t))
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	require.NoError(t, err, "the child is there")
	_, err = io.WriteString(w, "end\n")
	require.NoError(t, err)
	require.NoError(t, w.Close())
}

func TestFaults(t *testing.T) {
	input := sampleXML(t, "qemu", "prepare", "begin")
	for _, x := range []struct {
		program, op string
		status      int
		want        string
	}{
		{"panics", "prepare", 1, `panic: boom\nwith a second line (program_test.go:`},
		{"panics", "migrate", 1, `in qemu/migrate/begin of "g \"1\""`},
		{"panics", "reconnect", 0, `passed: panic: boom\nwith a second line (program_test.go:`},
		{"hangs", "prepare", 1, `deadline: not done within 50ms in qemu/prepare/begin of "g \"1\""`},
		{"hangs", "reconnect", 0, `passed: deadline: not done within 50ms in qemu/reconnect/begin of "g \"1\""`},
		{"refuses", "prepare", 1, `no:\ng1\x1b[31m\xff`},
	} {
		t.Run(x.program+" "+x.op, func(t *testing.T) {
			a := process{program: x.program, argv: []string{qemuHook, `g "1"`, x.op, "begin", "-"}, stdin: input}.run(t)
			assert.Equal(t, x.status, a.status)
			oneLine(t, a, x.want)
		})
	}
}

// Go ends the process; what it says reaches libvirt's log all the same.
func TestPanicInAGoroutine(t *testing.T) {
	a := process{program: "panics elsewhere", argv: []string{qemuHook, "g", "migrate", "begin", "-"}, stdin: sampleXML(t, "qemu", "migrate", "begin")}.run(t)
	assert.Equal(t, 2, a.status)
	assert.Empty(t, a.stdout)
	assert.Contains(t, a.stderr, "panic: in a goroutine")
}

func TestDescribe(t *testing.T) {
	// Under any name: it says what the program is before it is installed.
	a := process{program: "everything", argv: []string{"/tmp/my-hook", "--describe"}}.run(t)
	assert.Zero(t, a.status)
	var d struct {
		Version         int
		SDK, Libvirtxml string
		Handles         []struct {
			Driver, Op string
			SubOp      string `json:"sub_op"`
			Filter     bool
		}
		Any bool
	}
	dec := json.NewDecoder(strings.NewReader(a.stdout))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&d))
	assert.Equal(t, 1, d.Version)
	assert.NotEmpty(t, d.SDK)
	assert.NotEmpty(t, d.Libvirtxml)
	assert.False(t, d.Any)
	assert.Len(t, d.Handles, 36)
	var filters []string
	for _, h := range d.Handles {
		if h.Filter {
			filters = append(filters, h.Driver+"/"+h.Op+"/"+h.SubOp)
		}
	}
	assert.Equal(t, []string{"libxl/migrate/begin", "qemu/migrate/begin", "qemu/restore/begin"}, filters)

	assert.Equal(t, a, process{program: "twice", argv: []string{"/tmp/my-hook", "--describe"}}.run(t), "an operation is listed once")
	a = process{program: "none", argv: []string{qemuHook, "--describe"}}.run(t)
	assert.Contains(t, a.stdout, `"handles": []`)
	a = process{program: "any", argv: []string{qemuHook, "--help"}}.run(t)
	assert.Zero(t, a.status)
	assert.Contains(t, a.stdout, "every call of every driver")
	a = process{program: "everything", argv: []string{"x", "--help"}}.run(t)
	assert.Contains(t, a.stdout, "  qemu     migrate       begin  filter\n")
	a = process{program: "everything", argv: []string{"x", "--version"}}.run(t)
	assert.Regexp(t, `^x, a libvirt hook \(virthook .+, libvirtxml .+\)\n$`, a.stdout)
	a = process{program: "everything", argv: []string{"x", "--describe"}, set: func(c *exec.Cmd) {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		require.NoError(t, err)
		c.Stdout = full
	}}.run(t)
	assert.Equal(t, 1, a.status)
	oneLine(t, a, "no space left on device")
}
