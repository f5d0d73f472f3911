//go:build integration

package libvirtd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/sdk/hooktest"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// seen is what libvirt made of a call of odd hooks.
type seen struct {
	word    verdict.Word
	message string // as the log has it
	told    string // what the user was told; "" where it was nothing
	tainted bool
	xml     string // the guest's, where it runs
}

// TestSimulator has libvirt call odd hooks, asks virthook fire about the same call
// of the same hooks in the same place, and holds the two against each other.
func TestSimulator(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	tool := buildTool(t)
	for name, odds := range odds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSimulated(t, tool, name == "migration")
			for _, o := range odds {
				t.Run(o.name, func(t *testing.T) { s.compare(t, o) })
			}
		})
	}
}

// TestSimulatorOfCaptures asks virthook fire about every call that was recorded from a
// libvirt: with a hook that is silent, and with one that fails.
func TestSimulatorOfCaptures(t *testing.T) {
	t.Parallel()
	tool := buildTool(t)
	tried := map[string]bool{} // on the real daemon with a hook that fails
	for _, odds := range odds() {
		for _, o := range odds {
			tried[o.op] = tried[o.op] || strings.HasSuffix(o.name, ": fails")
		}
	}
	all := captures.All()
	require.NotEmpty(t, all)
	for _, c := range all {
		t.Run(c.Version+"/"+c.Name, func(t *testing.T) {
			assert.True(t, tried[c.Driver+"/"+c.Op], "TestSimulator does not try it on libvirt")
			hooks := t.TempDir()
			require.NoError(t, os.Mkdir(hooks+"/"+c.Driver+".d", 0o755))
			args := fireArgs(hooks, c.Version, hooktest.Call{Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra})
			if c.XML != nil {
				xml := filepath.Join(t.TempDir(), "xml")
				require.NoError(t, os.WriteFile(xml, c.XML, 0o600))
				args = append(args, "--xml="+xml)
			}
			for body, word := range map[string]verdict.Word{"exit 0": verdict.Continues, "echo no >&2; exit 3": onFailure(c)} {
				writeProgram(t, hooks+"/"+c.Driver+".d/hook", sh(body))
				f, status := fire(t, exec.CommandContext(t.Context(), tool, args...))
				assert.Equal(t, word, f.Verdict.Word)
				assert.Equal(t, word != verdict.Continues && word != verdict.FailureLogged, status == 1, "status %d", status)
				assert.False(t, f.Verdict.Changed || f.Verdict.Tainted)
				if word == verdict.Continues {
					assert.Empty(t, f.Verdict.Cause)
					assert.Empty(t, f.Verdict.Message)
					continue
				}
				assert.Equal(t, verdict.Failed, f.Verdict.Cause)
				assert.Contains(t, f.Verdict.Message, "Hook script execution failed: internal error: Child process (LC_ALL=C ")
				assert.Contains(t, f.Verdict.Message, ") unexpected exit status 3: no")
			}
		})
	}
}

func buildTool(t *testing.T) string {
	t.Helper()
	return libvirtd.Build(t, "github.com/virthook/virthook/cmd/virthook")
}

// onFailure is what libvirt does when a hook of the call fails.
func onFailure(c captures.Capture) verdict.Word {
	switch c.Driver + "/" + c.Op {
	case "qemu/prepare", "qemu/start", "qemu/started", "lxc/prepare", "lxc/start", "lxc/started", "network/start", "network/started":
		return verdict.StartRefused
	case "network/port-created":
		return verdict.PortRefused
	case "qemu/migrate":
		return verdict.MigrationRefused
	case "qemu/restore":
		if c.Version == "11.3.0" {
			return verdict.StateLost
		}
		return verdict.RestoreRefused
	case "qemu/reconnect", "lxc/reconnect":
		return verdict.GuestKilled
	}
	return verdict.FailureLogged
}

// simulated is a host on which hooks are tried, one after another.
type simulated struct {
	host
	source host // of migrations to it
	guests map[string]*libvirtd.Guest
	box    *libvirtd.Guest
	lan    *libvirtd.Network
	saved  bool
	tried  int
}

// Files inside.
const (
	hooksFolder = "/etc/libvirt/hooks"
	toolFile    = "/run/virthook/virthook"
	inputFile   = "/run/virthook/fire.xml"
	saveFile    = "/run/virthook/saved"
)

func newSimulated(t *testing.T, tool string, migrates bool) *simulated {
	t.Helper()
	s := &simulated{guests: map[string]*libvirtd.Guest{}}
	if migrates {
		source, destination := libvirtd.StartPair(t)
		s.source, s.host = host{source, t}, host{destination, t}
	} else {
		s.host = host{libvirtd.Start(t), t}
	}
	s.install(toolFile, tool)
	return s
}

// compare has libvirt make the call, asks fire about it, and compares.
func (s *simulated) compare(t *testing.T, o odd) {
	if o.needs != "" && !s.Exists(o.needs) {
		t.Logf("there is no %s: this shows only that both miss it", o.needs)
	}
	s.tried++
	errand := s.errand(o)
	errand.before()
	s.put(o)
	s.ForgetCalls()
	begin := len(s.Log())
	real := errand.do(func() []record { return s.errors(begin, o.op) })
	calls := s.CallsOf(cutOp(o.op))
	if !assert.NotEmpty(t, calls, "libvirt did not call %s", o.op) {
		s.clear()
		errand.after()
		return
	}
	call := calls[0]
	if o.late != noChild {
		assert.Equal(t, o.late == waited, s.Exists(lateFile), "libvirt waited for the child")
	}

	s.put(o) // again: a hook may have removed itself
	fired, status := s.fire(t, call)
	if o.late != noChild {
		assert.Equal(t, o.late == waited, s.Exists(lateFile), "fire waited for the child")
	}
	s.clear()
	errand.after()

	if real.word != verdict.Continues {
		assert.NotEmpty(t, real.message, "libvirt's log does not have what the user was told: %q", real.told)
	}
	t.Logf("%s by %s: %s, told %t, tainted %t\n%s", call, s.Version(), real.word, real.told != "", real.tainted, clip(real.message))
	s.hold(t, o, real, fired, status)
}

func cutOp(op string) (driver, word string) {
	driver, word, _ = strings.Cut(op, "/")
	return driver, word
}

func clip(text string) string {
	if len(text) > 1500 {
		return text[:700] + fmt.Sprintf("…%d bytes…", len(text)-1400) + text[len(text)-700:]
	}
	return text
}

// hold compares what fire says with what libvirt did.
func (s *simulated) hold(t *testing.T, o odd, real seen, fired fired, status int) {
	t.Helper()
	v := fired.Verdict
	cause := o.cause
	switch {
	case real.word == verdict.Continues:
		assert.Empty(t, o.cause, "libvirt went on, which the table does not expect")
		cause = verdict.NoCause
	case o.cause == "":
		cause = verdict.Failed
	}
	word := real.word
	if word == verdict.RestoreRefused && losesStates(s.Version()) {
		// Both ways to restore make the same call. fire tells of the one that costs more.
		word = verdict.StateLost
	}
	assert.Equal(t, word, v.Word, "word")
	assert.Equal(t, cause, v.Cause, "cause")
	// Neither a terminal nor virsh shows how many ends of line a message ends with.
	message := strings.TrimRight(inJSON(t, real.message), "\n")
	reason := o.unequal
	if o.reworded && !s.Version().AtLeast(9, 1) {
		reason = "libvirt's words were others"
	}
	if reason == "" {
		assert.Equal(t, message, v.Message, "message")
	} else {
		assert.NotEqual(t, message, v.Message, "the table says that it cannot be equal: %s", reason)
	}
	assert.Equal(t, real.tainted, v.Tainted, "tainted")
	if real.word == verdict.Continues {
		assert.Equal(t, real.tainted, v.Changed, "libvirt taints the guest whose XML it takes from a hook")
	}
	if o.takes != "" {
		assert.Contains(t, real.xml, o.takes, "libvirt's XML")
		if assert.NotNil(t, fired.Output) {
			prints := o.prints
			if prints == "" {
				prints = o.takes
			}
			assert.Contains(t, *fired.Output, prints, "fire's output")
		}
	}
	assert.Equal(t, real.word == verdict.Continues || real.word == verdict.FailureLogged, v.OK, "ok: libvirt goes on")
	assert.Equal(t, status == 0, v.OK, "fire ended with status %d", status)
	var left int
	for _, c := range fired.Calls {
		left += len(c.Left)
		for _, p := range c.Left {
			assert.Positive(t, p.PID)
			assert.Regexp(t, "sleep|sh", p.Command)
			assert.Contains(t, p.Holds, "std")
		}
	}
	assert.Equal(t, o.late == waited, left > 0, "fire names %d that keep libvirt waiting", left)
}

// losesStates tells whether this libvirt deletes a managed save that a hook refuses.
func losesStates(v libvirtd.Version) bool { return v.AtLeast(11, 3) && !v.AtLeast(12, 8) }

// inJSON is a text as it comes out of JSON, which has no bytes that are not UTF-8.
func inJSON(t *testing.T, text string) (through string) {
	t.Helper()
	b, err := json.Marshal(text)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &through))
	return through
}

// fired is what the comparison reads of fire --json.
type fired struct {
	Verdict struct {
		Word                 verdict.Word
		Cause                verdict.Cause
		Message              string
		Changed, Tainted, OK bool
	}
	Calls []struct {
		Path string
		Left []struct {
			PID     int
			Command string
			Holds   string
		}
	}
	Output *string
}

// fire asks the simulator, where and of whom libvirt called, about the same call.
func (s *simulated) fire(t *testing.T, c libvirtd.Call) (f fired, status int) {
	t.Helper()
	args := fireArgs(hooksFolder, s.Version().String(), c.Call)
	if c.XML != nil {
		s.WriteFile(inputFile, c.XML)
		args = append(args, "--xml="+inputFile)
	}
	return fire(t, s.Command(t.Context(), toolFile, args...))
}

func fireArgs(hooks, version string, c hooktest.Call) []string {
	return []string{"fire", c.Driver, c.Op + "/" + c.SubOp, "--json", "--hooks=" + hooks,
		"--libvirt=" + version, "--object=" + c.Object, "--extra=" + c.Extra}
}

func fire(t *testing.T, cmd *exec.Cmd) (f fired, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("fire: %v", err)
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &f), "%s%s", stdout.Bytes(), stderr.Bytes())
	return f, cmd.ProcessState.ExitCode()
}

// writeProgram writes a file that is executed at once: no process that is started
// meanwhile may have it open for writing.
func writeProgram(t *testing.T, path, content string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
}

// put installs the files of an odd hook in place of those of the one before.
func (s *simulated) put(o odd) {
	s.t.Helper()
	s.clear()
	s.rules(o.rules...)
	for _, f := range o.files {
		to := s.Inside(hooksFolder + "/" + f.name)
		temp := s.Inside("/etc/libvirt/odd-hook")
		err := os.MkdirAll(path.Dir(to), 0o755)
		mode := f.mode
		if mode == 0 {
			mode = 0o755
		}
		switch {
		case err != nil:
		case f.folder:
			err = os.MkdirAll(to, 0o755)
		case f.fifo:
			err = syscall.Mkfifo(to, 0o755)
		case f.link != "":
			err = os.Symlink(f.link, to)
		default:
			content := f.content
			if f.compiled {
				program, err := os.ReadFile(testhook)
				require.NoError(s.t, err)
				content = string(program)
			}
			writeProgram(s.t, temp, content)
			err = errors.Join(syscall.Chmod(temp, mode), os.Rename(temp, to))
		}
		require.NoError(s.t, err, f.name)
	}
}

// clear leaves the recorders alone, which are hooks/DRIVER.
func (s *simulated) clear() {
	s.t.Helper()
	s.rules()
	require.NoError(s.t, os.RemoveAll(s.Inside(lateFile)))
	entries, err := os.ReadDir(s.Inside(hooksFolder))
	require.NoError(s.t, err)
	for _, e := range entries {
		if name := e.Name(); name != "qemu" && name != "lxc" && name != "network" && name != "daemon" {
			s.Remove(name)
		}
	}
}

// errand is how libvirt is brought to make a call: before and after happen without
// odd hooks.
type errand struct {
	before, after func()
	do            func(errors func() []record) seen
}

func (s *simulated) errand(o odd) *errand {
	switch driver, word := cutOp(o.op); driver {
	case "qemu":
		switch word {
		case "restore":
			return s.restore(o)
		case "migrate":
			return s.migration(o)
		}
		return s.life(o, s.guest(o.guest))
	case "lxc":
		if s.box == nil {
			s.box = s.Container("box", []string{"/bin/sleep", "47110815"})
		}
		return s.life(o, s.box)
	case "network":
		if strings.HasPrefix(word, "port") {
			return s.life(o, s.guest("connected"))
		}
		return s.network(o)
	default:
		return s.daemon(o)
	}
}

// guest is the one of that name, defined when it is first asked for.
func (s *simulated) guest(name string) *libvirtd.Guest {
	s.t.Helper()
	if name == "" {
		name = "web"
	}
	if s.guests[name] == nil {
		h := s.host
		if s.source.Daemon != nil {
			h = s.source
		}
		s.guests[name] = h.Guest(name, libvirtd.Idle, func(d *libvirtxml.Domain) {
			switch name {
			case "big":
				d.Description = strings.Repeat("big ", 1<<18)
			case "connected":
				s.lan = h.Network("lan")
				s.lan.Start()
				libvirtd.NIC("lan")(d)
			default:
				d.Devices.Interfaces = []libvirtxml.DomainInterface{{
					Source: &libvirtxml.DomainInterfaceSource{User: &libvirtxml.DomainInterfaceSourceUser{}},
					Model:  &libvirtxml.DomainInterfaceModel{Type: "rtl8139"},
				}}
			}
		})
		h.Image(path.Dir(s.guests[name].Disk)+"/moved.qcow2", libvirtd.Idle)
	}
	return s.guests[name]
}

// outcome is what libvirt made of an errand that it refused, with err, or not. The
// message is the error in the log that the user was told, or else that of the hooks:
// there are errors that have nothing to do with them.
func outcome(refused verdict.Word, logged []record, err error) (r seen) {
	if err != nil {
		r.word, r.told = refused, err.Error()
		var virsh *libvirtd.VirshError
		if errors.As(err, &virsh) {
			parts := strings.SplitAfterN("\n"+virsh.Message, "\nerror: ", 3)
			r.told = parts[len(parts)-1]
		}
		for _, e := range logged {
			if strings.TrimSpace(e.text) == strings.TrimSpace(r.told) {
				r.message = e.text
			}
		}
		return r
	}
	r.word = verdict.Continues
	for _, e := range logged {
		if e.function == "virRunScript" || e.function == "virDirOpenInternal" {
			r.word, r.message = verdict.FailureLogged, e.text
		}
	}
	return r
}

// life is the start, the end or the daemon's restart in the life of a guest.
func (s *simulated) life(o odd, g *libvirtd.Guest) *errand {
	driver, word := cutOp(o.op)
	off := func() {
		if g.Active() {
			g.Destroy()
		}
	}
	e := &errand{before: g.Start, after: off}
	switch word {
	case "stopped", "release", "port-deleted":
		e.do = func(errors func() []record) seen {
			g.Destroy()
			return outcome("", errors(), nil)
		}
	case "reconnect":
		e.do = func(errors func() []record) seen {
			s.Restart()
			s.WaitFor("the reconnect", func() bool { return len(s.CallsOf(driver, "reconnect")) > 0 })
			// libvirt answers this when it has done with the guest: of qemu it needs the job
			// that a reconnect holds, while domstate may be answered in the midst of the end.
			if driver == "qemu" {
				_, _ = s.virshOf(driver, "dommemstat", g.Name)
			}
			runs := false
			if state, err := s.virshOf(driver, "domstate", g.Name); err == nil {
				runs = strings.TrimSpace(state) == "running"
			}
			if !runs {
				s.WaitFor("the release", func() bool { return len(s.CallsOf(driver, "release")) > 0 })
			}
			r := outcome("", errors(), nil)
			if !runs {
				r.word = verdict.GuestKilled
				if s.Command(s.t.Context(), "pgrep", "-f", "qemu-system.*guest="+g.Name+",|47110815").Run() == nil {
					r.word = verdict.GuestForgotten
				}
			}
			return r
		}
		e.after = func() {
			if driver == "lxc" { // 11.3.0 may forget the definition of a killed one
				if _, err := s.virshOf(driver, "domstate", g.Name); err != nil {
					s.box = s.Container("box", []string{"/bin/sleep", "47110815"})
					return
				}
			}
			off()
		}
	default:
		e.before = func() {}
		e.do = func(errors func() []record) seen {
			_, err := g.TryStart()
			refused := verdict.StartRefused
			if err != nil && s.last(driver, word) == "network/port-created" {
				refused = verdict.PortRefused
			}
			r := outcome(refused, errors(), err)
			runs := err == nil
			if err != nil && g.Active() {
				r.word, runs = "the start was refused, and the guest runs", true
			}
			if runs && driver == "qemu" {
				r.tainted = g.Tainted()
			}
			e.after = func() {
				if runs {
					g.Destroy()
				}
			}
			return r
		}
	}
	return e
}

func (s *simulated) virshOf(driver string, args ...string) (string, error) {
	if driver == "lxc" {
		return s.VirshLXC(args...)
	}
	return s.Virsh(args...)
}

// last is the last operation that was called before a start was given up.
func (s *simulated) last(driver, word string) (op string) {
	for _, c := range s.Calls() {
		if c.Op == "stopped" {
			break
		}
		op = c.Driver + "/" + c.Op
	}
	return op
}

// restore is one from a file, which stays, or of a managed save, which must be made.
func (s *simulated) restore(o odd) *errand {
	name := "saved"
	if o.how == managed {
		name = managed
	}
	g := s.guest(name)
	active := false
	after := func() {
		if active {
			g.Destroy()
		}
		if o.how == managed && strings.Contains(s.mustVirsh("dominfo", g.Name), "Managed save:   yes") {
			s.mustVirsh("managedsave-remove", g.Name)
		}
	}
	running := func(r seen) seen {
		if active = g.Active(); active {
			r.tainted, r.xml = g.Tainted(), g.XML()
		}
		return r
	}
	if o.how == managed {
		return &errand{
			before: func() { g.Start(); s.mustVirsh("managedsave", g.Name) },
			do: func(errors func() []record) seen {
				_, err := g.TryStart()
				r := running(outcome(verdict.RestoreRefused, errors(), err))
				if err == nil && !active && strings.Contains(s.mustVirsh("dominfo", g.Name), "Managed save:   no") {
					logged := errors()
					r.word, r.message = verdict.StateLost, logged[len(logged)-1].text
				}
				return r
			},
			after: after,
		}
	}
	return &errand{
		before: func() {
			if !s.saved {
				g.Start()
				s.mustVirsh("save", g.Name, saveFile)
				// Of a guest that is defined libvirt remembers for good that a hook has
				// changed it once.
				s.mustVirsh("undefine", g.Name)
				s.saved = true
			}
		},
		do: func(errors func() []record) seen {
			_, err := s.Virsh("restore", saveFile)
			r := running(outcome(verdict.RestoreRefused, errors(), err))
			if err != nil && active {
				r.word = "the restore was refused, and the guest runs"
			}
			return r
		},
		after: after,
	}
}

// migration is one from the other host to this one.
func (s *simulated) migration(o odd) *errand {
	g := s.guest(o.guest)
	arrived := g.On(s.Daemon)
	return &errand{
		before: func() {
			if !g.Active() {
				g.Start()
			}
		},
		do: func(errors func() []record) seen {
			_, err := g.Migrate(s.Daemon)
			r := outcome(verdict.MigrationRefused, errors(), err)
			if err == nil {
				r.tainted, r.xml = arrived.Tainted(), arrived.XML()
			} else if !g.Active() {
				r.word = "the migration was refused, and the guest is gone"
			}
			return r
		},
		after: func() {
			if arrived.Active() {
				arrived.Destroy()
			}
		},
	}
}

// network is the start, the end or a change in the life of a network.
func (s *simulated) network(o odd) *errand {
	_, word := cutOp(o.op)
	if word == "updated" {
		return &errand{
			before: func() { s.guest("connected") }, // and its network
			do: func(errors func() []record) seen {
				_, err := s.Virsh("net-update", "lan", "add", "ip-dhcp-host",
					fmt.Sprintf("<host mac='52:54:00:00:01:%02x' ip='127.99.0.%d'/>", s.tried%256, 100+s.tried%100), "--live")
				return outcome("the update was refused", errors(), err)
			},
			after: func() {},
		}
	}
	// A new one each time: 9.0.0 leaves the bridge of one that it refused behind.
	n := s.Network(fmt.Sprint("net", s.tried), func(n *libvirtxml.Network) { n.IPs = nil })
	if word == "stopped" {
		return &errand{
			before: n.Start,
			do: func(errors func() []record) seen {
				n.Destroy()
				return outcome("", errors(), nil)
			},
			after: func() {},
		}
	}
	return &errand{
		before: func() {},
		do: func(errors func() []record) seen {
			_, err := n.TryStart()
			r := outcome(verdict.StartRefused, errors(), err)
			if err != nil && n.Active() {
				r.word = "the start was refused, and the network runs"
			}
			return r
		},
		after: func() {
			if n.Active() {
				n.Destroy()
			}
		},
	}
}

// daemon is the daemon's own life.
func (s *simulated) daemon(o odd) *errand {
	_, word := cutOp(o.op)
	return &errand{
		before: func() {
			if word == "reload" {
				s.Restart() // one reload too soon after another is ignored
			}
		},
		do: func(errors func() []record) seen {
			if word == "reload" {
				s.Reload()
				if o.logged { // by a thread of its own, which only the log tells of
					s.WaitFor("the log of a failed reload", func() bool { return len(errors()) > 0 })
				}
			} else {
				s.Restart()
			}
			return outcome("", errors(), nil)
		},
		after: func() {},
	}
}

// record is a piece of libvirt's log.
type record struct{ level, function, text string }

var recordStart = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: \d+: (\w+) : (?:([\w./-]+):\d+ : )?`)

// records cuts the log: a message may have any number of lines.
func records(log string) (rs []record) {
	starts := recordStart.FindAllStringSubmatchIndex(log, -1)
	for i, at := range starts {
		end := len(log)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		r := record{level: log[at[2]:at[3]], text: strings.TrimSuffix(log[at[1]:end], "\n")}
		if at[4] >= 0 {
			r.function = log[at[4]:at[5]]
		}
		rs = append(rs, r)
	}
	return rs
}

// errors are the errors in the log, from a place in it on, between the first call of
// the operation's hooks and what follows of another operation's.
func (s *simulated) errors(from int, op string) (errors []record) {
	s.t.Helper()
	driver, word := cutOp(op)
	calls := s.CallsOf(driver, word)
	if len(calls) == 0 {
		return nil
	}
	during := false
	for _, r := range records(s.Log()[from:]) {
		switch {
		case strings.HasPrefix(r.text, "Calling hook "):
			// A container's release may be called twice, with two reasons.
			during = strings.HasPrefix(r.text, "Calling hook "+hooksFolder+"/"+driver) &&
				strings.Contains(r.text, " op="+word+" ") && strings.HasSuffix(r.text, " extra="+calls[0].Extra)
		case during && r.level == "error":
			errors = append(errors, r)
		}
	}
	return errors
}
