//go:build integration && linux

package libvirtd_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// Facts of spec/facts.yaml that no other test shows. They are libvirt's, whatever the
// hook is written in: most hooks here are scripts. Where somebody has to wait, a hook
// waits at a gate and what counts is the order: who is answered before it opens.

// bare is a host without the test hook.
func bare(t *testing.T) host {
	t.Helper()
	return host{libvirtd.Start(t), t}
}

// gate is where a hook waits until the test lets it go: a pipe that it reads a line from.
type gate struct {
	h    host
	path string
	end  *os.File // the test's, from when somebody waits
}

func (h host) gate(name string) *gate {
	h.t.Helper()
	g := &gate{h: h, path: "/run/virthook/gate-" + name}
	require.NoError(h.t, syscall.Mkfifo(h.Inside(g.path), 0o600))
	return g
}

// held tells whether somebody waits.
func (g *gate) held() bool {
	g.h.t.Helper()
	if g.end != nil {
		return true
	}
	end, err := os.OpenFile(g.h.Inside(g.path), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		g.end = end // closed, it would be the reader's end of file
		return true
	}
	require.ErrorIs(g.h.t, err, syscall.ENXIO)
	return false
}

func (g *gate) wait() {
	g.h.t.Helper()
	g.h.WaitFor("somebody at "+g.path, g.held)
}

// open lets go who waits, and fails when that one has gone.
func (g *gate) open() {
	g.h.t.Helper()
	require.True(g.h.t, g.held(), "nobody waits at %s", g.path)
	_, err := g.end.WriteString("\n")
	require.NoError(g.h.t, err)
	require.NoError(g.h.t, g.end.Close())
	g.end = nil
}

// holds is a script that waits at a gate in one operation of one guest or network.
func holds(op, object string, g *gate) string {
	return sh(`[ "$2 $1" = "` + op + " " + object + `" ] || exit 0` + "\nread go <" + g.path)
}

// asked is a command of virsh that runs beside the test.
type asked struct {
	args []string
	done chan struct{}
	err  error
}

func (h host) ask(args ...string) *asked {
	a := &asked{args: args, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		_, a.err = h.Virsh(args...)
	}()
	return a
}

func (a *asked) answered() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// answer waits for it.
func (a *asked) answer() error {
	<-a.done
	return a.err
}

// questions are commands of virsh, by their words.
func questions(all ...string) (args [][]string) {
	for _, q := range all {
		args = append(args, strings.Fields(q))
	}
	return args
}

// whileHeld holds that the first questions are not answered before the gate opens, but
// the second ones are, though they are asked later; and that all are answered then.
func (h host) whileHeld(g *gate, wait, answered [][]string) {
	h.t.Helper()
	g.wait()
	var waiting []*asked
	for _, args := range wait {
		waiting = append(waiting, h.ask(args...))
	}
	for _, args := range answered {
		h.mustVirsh(args...)
	}
	for _, a := range waiting {
		assert.False(h.t, a.answered(), "%s: %v: %v", g.path, a.args, a.err)
	}
	g.open()
	for _, a := range waiting {
		if err := a.answer(); err != nil { // such as destroy, of a guest that has gone by itself
			assert.ErrorAs(h.t, err, new(*libvirtd.VirshError))
		}
	}
}

// While a hook runs, its guest or network waits for it, and every list of them does, but
// nobody else.
func TestHookHolds(t *testing.T) {
	t.Parallel()
	h := bare(t)
	web, other := h.Guest("web", libvirtd.Idle), h.Guest("other", libvirtd.Idle)
	h.Guest("idle", libvirtd.Idle)
	other.Start()
	wait := questions("list", "list --all", "domstate web", "dumpxml web", "dominfo web", "destroy web")
	answered := questions("version", "nodeinfo", "domstate other", "dumpxml other", "start idle", "destroy idle")
	if !h.Session() {
		h.Network("lan").Start()
		answered = append(answered, questions("net-list", "net-dumpxml lan")...)
	}

	prepare := h.gate("prepare")
	h.WriteHook("qemu.d/50-hold", holds("prepare", "web", prepare))
	errand := h.ask("start", "web")
	h.whileHeld(prepare, wait, answered)
	_ = errand.answer() // destroy may have come in between

	stopped := h.gate("stopped")
	h.WriteHook("qemu.d/50-hold", holds("stopped", "web", stopped))
	if !web.Active() {
		web.Start()
	}
	errand = h.ask("destroy", "web")
	h.whileHeld(stopped, wait, answered)
	require.NoError(t, errand.answer())
	if h.Session() {
		return
	}

	updated := h.gate("updated")
	h.WriteHook("network.d/50-hold", holds("updated", "lan", updated))
	errand = h.ask("net-update", "lan", "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:01' ip='127.99.0.12'/>", "--live")
	h.whileHeld(updated,
		questions("net-list", "net-list --all", "net-dumpxml lan"),
		questions("version", "list", "list --all", "domstate web", "dumpxml web", "start idle", "destroy idle"))
	require.NoError(t, errand.answer())
}

// The hooks of two guests run at the same time, those of one network one after another.
func TestHooksAtOnce(t *testing.T) {
	t.Parallel()
	h := bare(t)
	var edits []func(*libvirtxml.Domain)
	if !h.Session() {
		h.Network("lan").Start()
		edits = append(edits, libvirtd.NIC("lan"))
	}
	guests := []*libvirtd.Guest{h.Guest("a", libvirtd.Idle, edits...), h.Guest("b", libvirtd.Idle, edits...)}
	both := func() (a, b *asked) { return h.ask("start", "a"), h.ask("start", "b") }

	gates := map[string]*gate{"a": h.gate("a"), "b": h.gate("b")}
	h.WriteHook("qemu.d/50-hold", only("prepare", "read go </run/virthook/gate-$1"))
	a, b := both()
	gates["a"].wait()
	gates["b"].wait() // while a's waits
	gates["a"].open()
	gates["b"].open()
	require.NoError(t, a.answer())
	require.NoError(t, b.answer())
	if h.Session() {
		return
	}

	h.Remove("qemu.d/50-hold")
	for _, g := range guests {
		g.Destroy()
	}
	idle := h.Guest("idle", libvirtd.Idle)
	h.WriteHook("network.d/50-hold", only("port-created", `case $(cat) in *"<owner>"*"<name>a</name>"*) who=a ;; *) who=b ;; esac
echo "begin $who" >>/run/virthook/turns
read go </run/virthook/gate-$who
echo "end $who" >>/run/virthook/turns`))
	h.ForgetCalls()
	a, b = both()
	first, second := "a", "b"
	h.WaitFor("the first of both", func() bool {
		if gates["b"].held() {
			first, second = "b", "a"
		}
		return gates[first].held()
	})
	h.WaitFor("prepare of both", func() bool { return len(h.CallsOf("qemu", "prepare")) == 2 })
	idle.Start() // which takes longer than the step from prepare to port-created
	idle.Destroy()
	assert.False(t, gates[second].held())
	gates[first].open()
	gates[second].wait()
	gates[second].open()
	require.NoError(t, a.answer())
	require.NoError(t, b.answer())
	turns, err := h.ReadFile("/run/virthook/turns")
	require.NoError(t, err)
	assert.Equal(t, []string{"begin " + first, "end " + first, "begin " + second, "end " + second}, strings.Split(strings.TrimSpace(string(turns)), "\n"))
}

// What a hook asks about others is answered. The daemon's own hook is answered at
// reload alone.
func TestHookIsAnswered(t *testing.T) {
	t.Parallel()
	h := bare(t)
	web, other := h.Guest("web", libvirtd.Idle), h.Guest("other", libvirtd.Idle)
	other.Start()
	questions := []string{"version", "nodeinfo", "domstate other"}
	if !h.Session() {
		h.Network("lan").Start()
		questions = append(questions, "net-list", "net-dumpxml lan")
	}
	// timeout is for a libvirt of which this is not true.
	asks := func(questions []string) (script string) {
		for _, q := range questions {
			script += "timeout 30 virsh -q -c '" + h.URI("qemu") + "' " + q + " >/dev/null 2>&1; echo \"$2: " + q + ": $?\" >>/run/virthook/answers\n"
		}
		return script
	}
	answers := func() []string {
		content, err := h.ReadFile("/run/virthook/answers")
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSpace(string(content)), "\n")
	}
	var want []string
	for _, op := range []string{"prepare", "started", "stopped"} {
		for _, q := range questions {
			want = append(want, op+": "+q+": 0")
		}
	}
	h.WriteHook("qemu.d/50-ask", sh(`case "$2 $1" in "prepare web"|"started web"|"stopped web") ;; *) exit 0 ;; esac`+"\n"+asks(questions)))
	web.Start()
	web.Destroy()
	assert.Equal(t, want, answers())
	if h.Session() {
		return // there virsh starts a daemon where it finds none
	}

	h.sh("rm /run/virthook/answers")
	h.WriteHook("daemon.d/50-ask", sh(asks([]string{"version", "list"})))
	h.Reload()
	h.WaitFor("the answers at reload", func() bool { return len(answers()) == 2 })
	h.Restart()
	h.WaitFor("the answers at start", func() bool { return len(answers()) == 6 })
	assert.Equal(t, []string{
		"reload: version: 0", "reload: list: 0",
		"shutdown: version: 1", "shutdown: list: 1", "start: version: 1", "start: list: 1",
	}, answers())
}

// A child that keeps nothing but stdin holds libvirt up when the XML does not fit into
// the pipe, and only then.
func TestChildKeepsUnreadStdin(t *testing.T) {
	t.Parallel()
	h := bare(t)
	small := h.Guest("small", libvirtd.Idle)
	h.Guest("big", libvirtd.Idle, func(d *libvirtxml.Domain) { d.Description = strings.Repeat("big ", 1<<18) })
	kept := map[string]*gate{"small": h.gate("small"), "big": h.gate("big")}
	h.WriteHook("qemu.d/50-leave", only("prepare", "exec 3<&0 >/dev/null 2>&1\n"+
		"sh -c 'read go </run/virthook/gate-'$1 <&3 3<&- &"))
	big := h.ask("start", "big")
	kept["big"].wait()
	small.Start()
	require.True(t, kept["small"].held(), "the child has gone: this shows nothing")
	assert.True(t, small.Running())
	assert.Equal(t, []string{"prepare"}, h.ops("qemu", "big"), "it goes on though its XML was not read")
	assert.False(t, big.answered())
	kept["big"].open()
	require.NoError(t, big.answer())
	kept["small"].open()
}

// A daemon that is told to end waits for the hook and goes on to the end with what it
// was called for. One that is killed leaves it alone, and the guest's other hooks are
// never called.
func TestDaemonEndsBeforeItsHook(t *testing.T) {
	t.Parallel()
	h := bare(t)
	web := h.Guest("web", libvirtd.Idle)
	gates := []*gate{h.gate("term"), h.gate("kill")}
	begin := func(g *gate) *asked {
		h.WriteHook("qemu.d/50-hold", holds("prepare", "web", g)+"touch "+g.path+"-opened\n")
		h.ForgetCalls()
		start := h.ask("start", "web")
		g.wait()
		return start
	}
	runs := func() bool { return h.Command(t.Context(), "pgrep", "-x", "libvirtd").Run() == nil }
	const disconnected = "End of file while reading data"

	start := begin(gates[0])
	down := make(chan struct{})
	go func() {
		defer close(down)
		h.Down()
	}()
	assert.ErrorContains(t, start.answer(), disconnected)
	assert.True(t, runs(), "the daemon has not waited")
	assert.Equal(t, []string{"prepare"}, h.ops("qemu", "web"))
	gates[0].open()
	<-down
	assert.Equal(t, []string{"prepare", "start", "started"}, h.ops("qemu", "web"))
	h.Up()
	h.WaitFor("the reconnect", func() bool { return len(h.CallsOf("qemu", "reconnect")) == 1 })
	assert.True(t, web.Running())
	assert.Equal(t, []string{"shutdown shutdown", "start start"}, h.ops("daemon", "-"))
	web.Destroy()

	start = begin(gates[1])
	h.Kill()
	assert.ErrorContains(t, start.answer(), disconnected)
	h.Up()
	assert.False(t, web.Active())
	gates[1].open()
	h.WaitFor("the hook to go on alone", func() bool { return h.Exists(gates[1].path + "-opened") })
	assert.False(t, web.Active())
	assert.Equal(t, []string{"prepare"}, h.ops("qemu", "web"))
	assert.Equal(t, []string{"start start"}, h.ops("daemon", "-"))
}

// An executable file in place of the folder DRIVER.d keeps the daemon from starting. One
// that is not executable does not.
func TestProgramInPlaceOfFolder(t *testing.T) {
	t.Parallel()
	h := bare(t)
	h.Down()
	h.Remove("qemu")
	h.WriteHook("qemu.d", sh("exit 0"))
	out, err := h.Command(t.Context(), "timeout", "60", "libvirtd", "--timeout", "1").CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	assert.Equal(t, 8, exit.ExitCode(), "%s", out)
	h.sh("chmod 644 /etc/libvirt/hooks/qemu.d")
	h.Up()
}

// While the daemon looks for hooks again it knows of none, and a guest starts without.
// It is held up where it opens the folder of the first driver's hooks.
func TestReloadGap(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	h := bare(t)
	web := h.Guest("web", libvirtd.Idle)
	const reloaded = "/run/virthook/reloaded"
	h.Remove("daemon")
	h.WriteHook("daemon.d/50-reload", only("reload", "touch "+reloaded))
	held := holdOpening(t, h.Inside(hooksFolder+"/daemon.d"))
	h.sh("kill -HUP $(pgrep -x libvirtd)")
	held.wait()
	h.ForgetCalls()
	web.Start()
	assert.Empty(t, h.Calls(), "hooks were called")
	assert.False(t, h.Exists(reloaded), "the daemon was not held up: this shows nothing")
	held.letGo()
	h.WaitFor("the daemon's reload", func() bool { return h.Exists(reloaded) })
	web.Destroy()
	assert.Equal(t, []string{"stopped", h.release("destroyed")}, h.ops("qemu", "web"))
}

// opening is a folder that nobody can open for now: who tries waits, by fanotify.
type opening struct {
	t     *testing.T
	queue *os.File
	event struct {
		Length          uint32
		Version, _      uint8
		Metadata        uint16
		Mask            uint64
		Descriptor, PID int32
	}
}

func holdOpening(t *testing.T, folder string) *opening {
	t.Helper()
	const ( // from linux/fanotify.h
		closeOnExec, nonBlocking, classContent = 0x1, 0x2, 0x4
		add, openPermission, onFolder          = 0x1, 0x10000, 0x40000000
	)
	queue, _, errno := syscall.Syscall(syscall.SYS_FANOTIFY_INIT, closeOnExec|nonBlocking|classContent, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	require.Zero(t, errno, "fanotify: %v", errno)
	o := &opening{t: t, queue: os.NewFile(queue, "fanotify")}
	t.Cleanup(func() { _ = o.queue.Close() })
	path, err := syscall.BytePtrFromString(folder) // absolute: the folder that it begins in does not matter
	require.NoError(t, err)
	_, _, errno = syscall.Syscall6(syscall.SYS_FANOTIFY_MARK, queue, add, openPermission|onFolder, 0, uintptr(unsafe.Pointer(path)), 0)
	require.Zero(t, errno, "fanotify: %v", errno)
	return o
}

// wait returns when somebody waits.
func (o *opening) wait() {
	o.t.Helper()
	require.NoError(o.t, o.queue.SetReadDeadline(time.Now().Add(time.Minute)))
	require.NoError(o.t, binary.Read(o.queue, binary.NativeEndian, &o.event))
}

// letGo lets all go: the end of the queue is permission.
func (o *opening) letGo() {
	o.t.Helper()
	require.NoError(o.t, syscall.Close(int(o.event.Descriptor)))
	require.NoError(o.t, o.queue.Close())
}

// Names that are taken reach the hook as they are.
func TestNames(t *testing.T) {
	t.Parallel()
	h := bare(t)
	base := h.Guest("base", libvirtd.Idle).Domain()
	base.UUID, base.Devices.Disks = "", nil
	const file = "/run/virthook/name.xml"
	guest := func(command, name string) error {
		domain := *base
		domain.Name = name
		xml, err := domain.Marshal()
		require.NoError(t, err)
		h.WriteFile(file, []byte(xml))
		h.ForgetCalls()
		_, err = h.Virsh(command, file)
		return err
	}
	h.WriteHook("qemu.d/50-refuse", only("prepare", "exit 1"))
	// Of a guest that is gone libvirt removes a folder named after it: ".." is the last.
	for _, name := range []string{"a\tb", "-e", " ", "  x ", "a;$(id)`id`'\"|&*", "größer", "a\nb", ".."} {
		assert.ErrorContains(t, guest("create", name), "Hook script execution failed", "%q", name)
		calls := h.CallsOf("qemu", "prepare")
		require.Len(t, calls, 1, "%q", name)
		assert.Equal(t, name, calls[0].Object)
		assert.Equal(t, name, calls[0].Domain().Name)
		if name != "a\nb" && name != ".." {
			assert.NoError(t, guest("define", name), "%q", name)
		}
	}
	for _, command := range []string{"create", "define"} {
		assert.ErrorContains(t, guest(command, "a/b"), "cannot contain '/'", command)
	}
	assert.ErrorContains(t, guest("define", "a\nb"), "invalid char in name")
	if h.Session() {
		return
	}

	network := func(command, name string) error {
		network := libvirtxml.Network{Name: name}
		xml, err := network.Marshal()
		require.NoError(t, err)
		h.WriteFile(file, []byte(xml))
		h.ForgetCalls()
		_, err = h.Virsh(command, file)
		return err
	}
	const name = "-x ;$(id)\t.."
	require.NoError(t, network("net-create", name))
	assert.Equal(t, []string{"start", "started"}, h.ops("network", name))
	for _, command := range []string{"net-create", "net-define"} {
		for _, name := range []string{"a/b", "a\nb"} {
			assert.ErrorContains(t, network(command, name), "invalid char in name", "%s %q", command, name)
		}
	}
	assert.Empty(t, h.Calls())
}

// What a filter drops of what the guest does not see is lost for this run, without a
// word; the stored definition has it, and so has the next start. The taint stays as long
// as the daemon runs, and on the guest that runs.
func TestFilterDropsForOneRun(t *testing.T) {
	t.Parallel()
	h := bare(t)
	guest := h.Guest("web", libvirtd.Idle, withAll)
	h.WriteHook("qemu.d/50-drop", only("restore", `sed -e '/<metadata>/,/<\/metadata>/d' -e "s/ passwd='secret'//"`))
	guest.Start()
	h.mustVirsh("managedsave", "web")
	assert.False(t, guest.Tainted())
	guest.Start()
	running := guest.Domain()
	assert.Nil(t, running.Metadata)
	assert.Empty(t, running.Devices.Graphics[0].VNC.Passwd)
	assert.True(t, guest.Tainted())
	restored := h.CallsOf("qemu", "restore")
	require.Len(t, restored, 1)
	assert.Contains(t, string(restored[0].XML), "passwd='secret'")

	var stored libvirtxml.Domain
	require.NoError(t, stored.Unmarshal(h.mustVirsh("dumpxml", "--inactive", "--security-info", "web")))
	assert.Contains(t, stored.Metadata.XML, "web</app:role>")
	assert.Equal(t, "secret", stored.Devices.Graphics[0].VNC.Passwd)

	h.Remove("qemu.d/50-drop")
	guest.Destroy()
	guest.Start()
	requireAll(t, guest)
	assert.True(t, guest.Tainted(), "in a later start without any filter")
	h.Restart()
	h.WaitFor("the reconnect", func() bool { return len(h.CallsOf("qemu", "reconnect")) == 1 })
	assert.True(t, guest.Tainted(), "it runs on")
	guest.Destroy()
	guest.Start()
	assert.False(t, guest.Tainted(), "the restarted daemon has not forgotten")
}

// A program that somebody writes to at the moment cannot be run.
func TestHookIsBeingWritten(t *testing.T) {
	t.Parallel()
	h := bare(t)
	guest := h.Guest("web", libvirtd.Idle)
	const name = "qemu.d/50-busy"
	for kind, install := range map[string]func(){
		"program": func() { h.Install(name, testhook) },
		"script":  func() { h.WriteHook(name, sh("exit 0")) },
	} {
		install()
		writer, err := os.OpenFile(h.Inside(hooksFolder+"/"+name), os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = guest.TryStart()
		assert.ErrorContains(t, err, "unexpected exit status 126", kind)
		assert.ErrorContains(t, err, "Text file busy", kind)
		syscall.ForkLock.RLock() // no process that another test starts has it open still
		err = writer.Close()
		syscall.ForkLock.RUnlock()
		require.NoError(t, err)
		guest.Start()
		guest.Destroy()
	}
}

// A hook has the daemon's user, groups, capabilities and label.
func TestHookHasTheDaemonsRights(t *testing.T) {
	t.Parallel()
	h := bare(t)
	h.WriteHook("qemu.d/50-rights", only("prepare", `for p in $$ $PPID; do
  grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' /proc/$p/status
  cat /proc/$p/attr/current 2>/dev/null
done >/run/virthook/rights
cat /proc/$PPID/comm >/run/virthook/parent`))
	h.Guest("web", libvirtd.Idle).Start()
	parent, err := h.ReadFile("/run/virthook/parent")
	require.NoError(t, err)
	require.Equal(t, "libvirtd\n", string(parent))
	content, err := h.ReadFile("/run/virthook/rights")
	require.NoError(t, err)
	lines := strings.SplitAfter(string(content), "\n")
	half := len(lines) / 2
	require.GreaterOrEqual(t, half, 9)
	assert.Equal(t, lines[half:2*half], lines[:half])
	assert.Equal(t, fmt.Sprint(os.Getuid()), strings.Fields(lines[0])[1])
}

// resets boots, and resets the machine through the controller of the keyboard.
const resets libvirtd.BootSector = "\xb0\xfe\xe6\x64\xeb\xfe"

// What calls no hook.
func TestSilentActions(t *testing.T) {
	t.Parallel()
	h := bare(t)
	h.Guest("web", libvirtd.Idle).Start()
	restless := h.Guest("restless", resets)
	restless.Start()
	const disk = "/run/virthook/images/more.qcow2"
	h.Image(disk, libvirtd.Idle)
	h.ForgetCalls()
	for _, args := range [][]string{
		{"suspend", "web"},
		{"resume", "web"},
		{"reset", "web"},
		{"reboot", "web"},
		{"setmem", "web", "16M", "--live"},
		{"desc", "web", "other", "--live"},
		{"metadata", "web", "urn:x", "--set", "<a/>", "--key", "k", "--live"},
		{"attach-disk", "web", disk, "vdb", "--subdriver", "qcow2", "--live"},
		{"dump", "web", "/run/virthook/dump", "--live"},
		{"snapshot-create-as", "restless", "s"},
		{"snapshot-delete", "restless", "s"},
		// From inside: it comes again and again.
		{"event", "--domain", "restless", "--event", "reboot", "--timeout", "60"},
	} {
		h.mustVirsh(args...)
		assert.Empty(t, h.Calls(), "%v", args)
		h.ForgetCalls()
	}
	h.Guest("new", libvirtd.Idle)
	h.mustVirsh("undefine", "new")
	if !h.Session() {
		h.Network("new")
		h.mustVirsh("net-undefine", "new")
	}
	assert.Empty(t, h.Calls(), "what is defined and undefined")
	assert.True(t, restless.Running())
}
