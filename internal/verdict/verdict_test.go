package verdict_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
)

// failed is the outcome of hooks with these results.
func failed(rs ...hookexec.Result) hookexec.Outcome {
	o := hookexec.Outcome{Results: rs}
	for i := range rs {
		if rs[i].Argv == nil {
			rs[i].Path = "/etc/libvirt/hooks/qemu"
			rs[i].Argv = []string{rs[i].Path, "g", "prepare", "begin", "-"}
			rs[i].Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin", "HOME=/root"}
		}
		o.Failed = o.Failed || rs[i].Failed()
	}
	return o
}

// TestWords: what libvirt does follows from the effect that the spec tells and from
// what was refused.
func TestWords(t *testing.T) {
	for _, tt := range []struct {
		driver, op, effect string
		want               verdict.Word
	}{
		{"qemu", "prepare", "refused", verdict.StartRefused},
		{"lxc", "start", "refused", verdict.StartRefused},
		{"bhyve", "started", "refused", verdict.StartRefused},
		{"network", "start", "refused", verdict.StartRefused},
		{"network", "started", "refused", verdict.StartRefused},
		{"network", "port-created", "refused", verdict.PortRefused},
		{"network", "plugged", "refused", verdict.PortRefused},
		{"qemu", "migrate", "refused", verdict.MigrationRefused},
		{"libxl", "migrate", "refused", verdict.MigrationRefused},
		{"qemu", "restore", "refused", verdict.RestoreRefused},
		{"qemu", "restore", "lost", verdict.StateLost},
		{"qemu", "reconnect", "killed", verdict.GuestKilled},
		{"libxl", "reconnect", "forgotten", verdict.GuestForgotten},
		{"qemu", "stopped", "ignored", verdict.FailureLogged},
		{"daemon", "start", "ignored", verdict.FailureLogged},
		{"qemu", "attach", "refused", verdict.Refused},
		{"qemu", "teleport", "", verdict.Refused},
	} {
		of := verdict.Operation{Driver: tt.driver, Op: tt.op, Effect: tt.effect}
		v := verdict.Judge(of, hookexec.Call{}, failed(hookexec.Result{Status: 1}), nil)
		assert.Equal(t, tt.want, v.Word, "%s/%s %s", tt.driver, tt.op, tt.effect)
		assert.Equal(t, verdict.Failed, v.Cause)
		assert.Contains(t, v.Message, "Hook script execution failed: ")
		assert.False(t, v.OK())
		assert.Equal(t, tt.effect == "ignored", v.GoesOn())
		assert.False(t, v.Changed || v.Tainted)

		v = verdict.Judge(of, hookexec.Call{}, failed(hookexec.Result{Stdout: []byte("junk")}), nil)
		assert.Equal(t, verdict.Verdict{Word: verdict.Continues}, v)
		assert.True(t, v.OK() && v.GoesOn())
		assert.Equal(t, v, verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{}, nil), "nothing to call")
	}
}

// TestFailureMessages holds libvirt's own, as 9.0.0 and 11.3.0 printed them.
func TestFailureMessages(t *testing.T) {
	const child = "Hook script execution failed: internal error: Child process " +
		"(LC_ALL=C PATH=/usr/sbin:/usr/bin HOME=/root /etc/libvirt/hooks/qemu g prepare begin -) unexpected "
	of := verdict.Operation{Driver: "qemu", Op: "prepare", Effect: "refused"}
	for name, tt := range map[string]struct {
		results []hookexec.Result
		want    string
	}{
		"status":   {[]hookexec.Result{{Status: 1}}, child + "exit status 1"},
		"stderr":   {[]hookexec.Result{{Status: 3, Stderr: []byte("a\nb\n")}}, child + "exit status 3: a\nb"},
		"NUL":      {[]hookexec.Result{{Status: 3, Stderr: []byte("a\nb\x00c")}}, child + "exit status 3: a\nb"},
		"only NUL": {[]hookexec.Result{{Status: 3, Stderr: []byte("\x00c")}}, child + "exit status 3"},
		"signal":   {[]hookexec.Result{{Status: -1, Signal: syscall.SIGKILL}}, child + "fatal signal 9"},
		"signal with stderr": {[]hookexec.Result{{Status: -1, Signal: syscall.SIGTERM, Stderr: []byte("x")}},
			child + "fatal signal 15: x"},
		"the last failure stays": {[]hookexec.Result{{Status: 1}, {Status: 2}, {Stderr: []byte("fine")}}, child + "exit status 2"},
	} {
		v := verdict.Judge(of, hookexec.Call{}, failed(tt.results...), nil)
		assert.Equal(t, tt.want, v.Message, name)
	}
}

// TestShellQuotes: the process is described with libvirt's quotes, in which some
// characters that a shell minds have none and the other way round.
func TestShellQuotes(t *testing.T) {
	r := hookexec.Result{
		Status: 1,
		Env:    []string{"LC_ALL=C", "PATH=/my bin", "LOGNAME=", "HOME=/r=t"},
		Argv:   []string{"/h/qemu", "it's", "", "two words", "a\nb", "ü,:@%+/", "$x"},
	}
	v := verdict.Judge(verdict.Operation{}, hookexec.Call{}, failed(r), nil)
	assert.Equal(t, "Hook script execution failed: internal error: Child process "+
		"(LC_ALL=C PATH='/my bin' LOGNAME='' HOME=/r=t /h/qemu 'it'\\''s' '' 'two words' 'a\nb' ü,:@%+/ '$x') unexpected exit status 1", v.Message)
}

func TestChainThatDidNotEnd(t *testing.T) {
	of := verdict.Operation{Driver: "qemu", Op: "stopped", Effect: "ignored"}
	o := failed(hookexec.Result{Left: []hookexec.Process{{PID: 7, Command: "sleep 12", Holds: "stdout"}, {PID: 8, Command: "cat", Holds: "stderr"}}})
	reason := errors.New("no end within 30s")
	v := verdict.Judge(of, hookexec.Call{}, o, &hookexec.UnendedError{Path: "/h/qemu", State: hookexec.OutputOpen, Cause: reason})
	assert.Equal(t, verdict.Verdict{Word: verdict.Hangs, Cause: verdict.NeverEnded, Message: "/h/qemu: exited, but libvirt would wait on for " +
		"process 7 (sleep 12), which keeps stdout open, and for process 8 (cat), which keeps stderr open: no end within 30s"}, v)
	assert.False(t, v.OK() || v.GoesOn())

	v = verdict.Judge(of, hookexec.Call{}, failed(hookexec.Result{Status: -1, Signal: 9}), &hookexec.UnendedError{Path: "/h/qemu", State: hookexec.Killed, Cause: reason})
	assert.Equal(t, verdict.Hangs, v.Word)
	assert.Equal(t, "/h/qemu: still running, killed: no end within 30s", v.Message)

	of.Effect = "refused"
	v = verdict.Judge(of, hookexec.Call{}, failed(hookexec.Result{Status: 1}), &hookexec.FolderError{Dir: "/h/qemu.d", Err: &fs.PathError{Err: syscall.ENOTDIR}})
	assert.Equal(t, verdict.Verdict{Word: verdict.Refused, Cause: verdict.Failed, Message: "cannot open directory '/h/qemu.d': Not a directory"}, v)
	v = verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{}, errors.New("no fork"))
	assert.Equal(t, "Hook script execution failed: no fork", v.Message)
}

// sample is what libvirt gives to a filter.
func sample(t *testing.T, driver, op string) string {
	t.Helper()
	c, ok := captures.Sample(driver, op, "begin")
	require.True(t, ok)
	return string(c.XML)
}

// filtered judges a filter's output.
func filtered(t *testing.T, driver, op, libvirt, output string) verdict.Verdict {
	t.Helper()
	of := verdict.Operation{Driver: driver, Op: op, Effect: "refused", Filter: true, Libvirt: libvirt}
	if driver == "qemu" {
		of.ABICheck = map[string]string{"migrate": "migration", "restore": "restore"}[op]
	}
	call := hookexec.Call{Driver: driver, Op: op, Input: []byte(sample(t, driver, op))}
	return verdict.Judge(of, call, hookexec.Outcome{Results: []hookexec.Result{{}}, Output: []byte(output)}, nil)
}

var changed = verdict.Verdict{Word: verdict.Continues, Changed: true, Tainted: true}

// TestEveryCaptureIsTaken: what libvirt itself wrote it takes back.
func TestEveryCaptureIsTaken(t *testing.T) {
	n := 0
	for _, c := range captures.All() {
		if c.Driver != "qemu" || c.Op != "migrate" && c.Op != "restore" {
			continue
		}
		n++
		of := verdict.Operation{Driver: c.Driver, Op: c.Op, Effect: "refused", Filter: true, ABICheck: map[string]string{"migrate": "migration", "restore": "restore"}[c.Op]}
		v := verdict.Judge(of, hookexec.Call{Input: c.XML}, hookexec.Outcome{Output: c.XML}, nil)
		assert.Equal(t, changed, v, c.Version+" "+c.Name)
	}
	assert.Equal(t, 6, n)
	assert.Equal(t, changed, filtered(t, "libxl", "migrate", "", sample(t, "libxl", "migrate")))
}

func TestOnlyFiltersAreJudged(t *testing.T) {
	of := verdict.Operation{Driver: "qemu", Op: "start", Effect: "refused"}
	v := verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{Output: []byte("junk")}, nil)
	assert.Equal(t, verdict.Verdict{Word: verdict.Continues}, v)
	of.Filter = true
	assert.Equal(t, v, verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{}, nil), "no output, no change")
	v = verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{Results: []hookexec.Result{{Status: 1}}, Output: []byte("junk")}, nil)
	assert.Equal(t, verdict.Failed, v.Cause, "a failure goes before the output")
}

// TestFilteredGuest: the changes to a real guest for which libvirt refuses it, in its
// words. The messages were read from daemons of 9.0.0 and 11.3.0.
func TestFilteredGuest(t *testing.T) {
	for _, tt := range []struct {
		old, new string
		cause    verdict.Cause
		message  string
		libxl    bool // refused there too
	}{
		{"<name>", "\n<title>new</title><name>", verdict.NoCause, "", false},
		{"<metadata>", "<metadata><x:y xmlns:x='u'/>", verdict.NoCause, "", false},
		{"<metadata>", "<metadata><undeclared:y/>", verdict.NoCause, "", false},
		{"unit='KiB'>32768</memory>", "unit='KiB'>65536</memory>", verdict.ABIBroken,
			"unsupported configuration: Target domain max memory 65536 does not match source 32768", false},
		{"<name>", "<name>x", verdict.ABIBroken, "unsupported configuration: Target domain name 'xNAME' does not match source 'NAME'", false},
		{"static'>1</vcpu>", "static'>7</vcpu>", verdict.ABIBroken, "unsupported configuration: Target domain vCPU max 7 does not match source 1", false},
		{"<domain type='qemu'>", "<domain type='kvm'>", verdict.ABIBroken, "unsupported configuration: Target domain virt type kvm does not match source qemu", false},
		{"<uuid>", "<uuid>zz", verdict.NotAGuest, "internal error: malformed uuid element", true},
		{"<domain type='qemu'>", "<domain>", verdict.NotAGuest, "internal error: missing domain type attribute", true},
		{"<domain type='qemu'>", "<domain type='zap'>", verdict.NotAGuest, "unsupported configuration: invalid domain type zap", true},
		{"<name>NAME</name>", "<name/>", verdict.NotAGuest, "missing name information", true},
		{"<domain ", "<domain xmlns='urn:x' ", verdict.NotAGuest, "missing name information", true},
		{">hvm<", ">bsd<", verdict.NotAGuest, "unsupported configuration: unknown OS type 'bsd'", true},
		{">hvm<", "><", verdict.NotAGuest, "XML error: an os <type> must be specified", true},
		{"arch='x86_64'", "arch='pdp11'", verdict.NotAGuest, "unsupported configuration: Unknown architecture pdp11", true},
		{">32768</memory>", ">much</memory>", verdict.NotAGuest, "XML error: Invalid value 'much' for element or attribute './memory[1]'", true},
		{"<memory unit='KiB'>", "<memory unit='furlong'>", verdict.NotAGuest, "invalid argument: unknown suffix 'furlong'", true},
		{"<memory unit='KiB'>32768</memory>", "", verdict.NotAGuest,
			"XML error: Memory size must be specified via <memory> or in the <numa> configuration", true},
		{"static'>1</vcpu>", "static'>one</vcpu>", verdict.NotAGuest, "XML error: maximum vcpus count must be an integer", true},
		{"<name>NAME</name>", "<name>a/b</name>", verdict.NotAGuest, "XML error: name a/b cannot contain '/'", true},
		{"</domain>", "", verdict.NotXML, "Premature end of data in tag domain line 1", true},
	} {
		for _, op := range []string{"migrate", "restore"} {
			doc := sample(t, "qemu", op)
			_, name, _ := strings.Cut(doc, "<name>")
			name, _, _ = strings.Cut(name, "</name>")
			named := func(s string) string { return strings.ReplaceAll(s, "NAME", name) }
			require.Contains(t, doc, named(tt.old))
			output := strings.Replace(doc, named(tt.old), named(tt.new), 1)

			v := filtered(t, "qemu", op, "", output)
			assert.Equal(t, tt.cause, v.Cause, tt.new)
			if tt.cause == verdict.NoCause {
				assert.Equal(t, changed, v, tt.new)
				continue
			}
			assert.Contains(t, v.Message, named(tt.message), tt.new)
			assert.Equal(t, map[string]verdict.Word{"migrate": verdict.MigrationRefused, "restore": verdict.RestoreRefused}[op], v.Word)
			assert.False(t, v.Changed || v.Tainted, "libvirt does not take it")

			v = filtered(t, "libxl", "migrate", "", output)
			assert.Equal(t, tt.libxl, v.Cause == tt.cause, "libxl: "+tt.new)
			assert.Equal(t, !tt.libxl, v == changed, "libxl: "+tt.new)
		}
	}
}

// TestRestoreComparesMore than a migration: the current memory too.
func TestRestoreComparesMore(t *testing.T) {
	for op, cause := range map[string]verdict.Cause{"migrate": verdict.NoCause, "restore": verdict.ABIBroken} {
		output := strings.Replace(sample(t, "qemu", op), ">32768</currentMemory>", ">16384</currentMemory>", 1)
		assert.Equal(t, cause, filtered(t, "qemu", op, "", output).Cause, op)
	}
}

// TestNoUUID: libvirt makes one up, so it is never the guest's.
func TestNoUUID(t *testing.T) {
	doc := sample(t, "qemu", "restore")
	before, rest, _ := strings.Cut(doc, "<uuid>")
	uuid, after, _ := strings.Cut(rest, "</uuid>")
	v := filtered(t, "qemu", "restore", "", before+after)
	assert.Equal(t, verdict.ABIBroken, v.Cause)
	assert.Contains(t, v.Message, "unsupported configuration: Target domain uuid")
	assert.Contains(t, v.Message, "does not match source "+uuid)
	v = filtered(t, "qemu", "restore", "", strings.Replace(before+after, "type='qemu'", "type='kvm'", 1))
	assert.Contains(t, v.Message, "virt type kvm", "which libvirt compares first")
}

func TestWrongRoot(t *testing.T) {
	for root, doc := range map[string]string{
		"network": "<network><name>x</name></network>", "domains": "<domains/>",
		"hookData": "<hookData><network/></hookData>", "svg": "<s:svg xmlns:s='u'/>",
	} {
		v := filtered(t, "qemu", "migrate", "", doc)
		assert.Equal(t, verdict.Verdict{Word: verdict.MigrationRefused, Cause: verdict.WrongRoot,
			Message: "XML error: expecting root element of 'domain', not '" + root + "'"}, v)
	}
	assert.NotEqual(t, verdict.WrongRoot, filtered(t, "qemu", "migrate", "", "<d:domain xmlns:d='u'/>").Cause)
}
