// Package libvirtd tests hooks on a real libvirt. It starts a libvirtd of the
// test's own, lets it boot guests, and tells which calls of hooks it made:
//
//	func TestOnLibvirt(t *testing.T) {
//		d := libvirtd.Start(t, libvirtd.Hook("qemu", libvirtd.Build(t, ".")))
//		web := d.Guest("web", libvirtd.Idle)
//		web.Start()
//		web.Destroy()
//		for _, c := range d.Calls() {
//			t.Log(c.Driver, c.Op, c.Object)
//		}
//	}
//
// The daemon lives in namespaces of its own for mounts, processes, network, host
// name and control groups, with its own /etc/libvirt, /run, /var/lib/libvirt,
// /var/log/libvirt and /var/cache/libvirt, all in memory. A libvirt that the
// machine has is neither seen nor touched, tests may start as many daemons at once
// as they like, and all that happened inside is gone when the test ends, however
// it ends. Guests are boot sectors of a few bytes under QEMU's emulation: no
// hardware support and no disk images are needed, and one starts in half a second.
//
// As root the daemon is that of qemu:///system, with the drivers qemu, lxc and
// network. Else it is that of qemu:///session, which has the driver qemu alone and
// needs a kernel that lets users make user namespaces.
//
// Needed are Linux, go, nsenter, ip and libvirt's packages. Those of Debian are
// libvirt-daemon, libvirt-daemon-driver-qemu, libvirt-clients, qemu-system-x86,
// qemu-utils and iproute2, since Debian 13 also libvirt-daemon-driver-network; for
// networks dnsmasq-base and iptables; for containers libvirt-daemon-driver-lxc.
// [Available] says what is missing.
package libvirtd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// RootVariable names the environment variable that has the daemons of a test run
// started from another root folder, with another version of libvirt in it:
//
//	mmdebstrap --include=libvirt-daemon,… trixie /srv/trixie
//	VIRTHOOK_LIBVIRT_ROOT=/srv/trixie go test ./...
const RootVariable = "VIRTHOOK_LIBVIRT_ROOT"

// Daemon is a running libvirtd, for the length of a test.
type Daemon struct {
	t       testing.TB
	helper  *helper
	config  namespace.Config
	shared  string // folder that both daemons of a pair see
	version Version
}

// Available says why [Start] would fail, in one line, or nil. A test that must
// not fail where there is no libvirt calls it and skips.
func Available() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("a private libvirtd needs Linux, this is %s", runtime.GOOS)
	}
	for _, program := range []string{"go", "nsenter", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("a private libvirtd needs %s: %w", program, err)
		}
	}
	root := os.Getenv(RootVariable)
	for _, program := range []string{"sbin/libvirtd", "bin/virsh", "bin/qemu-img"} {
		if _, err := os.Stat(root + "/usr/" + program); err != nil {
			return fmt.Errorf("a private libvirtd needs libvirt and QEMU: %w", err)
		}
	}
	return nil
}

// Option changes the daemon that [Start] starts.
type Option func(*settings)

type settings struct {
	name   string
	shared string
	hooks  []hook
}

// Hook installs a program as a hook of the driver: qemu, lxc, network or daemon. It
// becomes hooks/DRIVER.d/50-hook, because hooks/DRIVER is the recorder's, which
// [Daemon.Calls] reads. Installed before the daemon starts, it is called from the
// first event on.
func Hook(driver, program string) Option { return HookAs(driver+".d/50-hook", program) }

// HookAs is [Hook] with the name below /etc/libvirt/hooks. Several hooks of one
// driver are called in the order of their names.
func HookAs(name, program string) Option {
	return func(s *settings) { s.hooks = append(s.hooks, hook{name, program}) }
}

// Name is the host name that the daemon sees; else it is "host".
func Name(name string) Option { return func(s *settings) { s.name = name } }

// Start starts a libvirtd that is stopped when the test is over. What goes wrong
// fails the test.
func Start(t testing.TB, opts ...Option) *Daemon {
	t.Helper()
	if err := Available(); err != nil {
		t.Fatal(err)
	}
	s := settings{name: "host"}
	for _, o := range opts {
		o(&s)
	}
	d := &Daemon{t: t, shared: s.shared, config: namespace.Config{
		Root:    os.Getenv(RootVariable),
		Name:    s.name,
		Session: os.Getuid() != 0,
		UID:     os.Getuid(), GID: os.Getgid(),
	}}
	if d.shared != "" {
		d.config.Shared = []string{d.shared}
	}
	d.config.Files = configuration(d.config, d.socketFolder())
	h, err := startHelper(t, d.config)
	if err != nil {
		t.Fatalf("the namespaces of a private libvirtd: %v", err)
	}
	d.helper = h
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log of libvirtd on %s:\n%s", s.name, tail(d.Log(), 40))
		}
		if err := h.stop(); err != nil {
			t.Errorf("stopping the private libvirtd: %v", err)
		}
	})
	p, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, driver := range []string{"daemon", "qemu", "lxc", "network"} {
		d.WriteHook(driver, string(p.recorder))
	}
	for _, hook := range s.hooks {
		d.Install(hook.name, hook.program)
	}
	d.Up()
	return d
}

// configuration is that of libvirtd and its qemu driver. It needs no D-Bus, polkit,
// virtlogd, control groups or security driver, and so none of the machine's.
func configuration(c namespace.Config, sockets string) map[string]string {
	folder := "/etc/libvirt/"
	if c.Session {
		folder = namespace.Home + "/.config/libvirt/"
	}
	daemon := `auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
log_outputs = "1:file:` + namespace.Run + `/libvirtd.log"
log_filters = "1:util.hook 3:*"
`
	qemu := `security_driver = "none"
namespaces = [ ]
stdio_handler = "file"
seccomp_sandbox = 0
`
	if !c.Session {
		daemon += "unix_sock_group = \"root\"\n"
		qemu += "user = \"root\"\ngroup = \"root\"\ndynamic_ownership = 0\nremember_owner = 0\ncgroup_controllers = [ ]\n"
	}
	if sockets != "" {
		daemon += fmt.Sprintf("unix_sock_dir = %q\n", sockets)
	}
	return map[string]string{folder + "libvirtd.conf": daemon, folder + "qemu.conf": qemu, "/etc/libvirt/libvirt.conf": ""}
}

// Up starts libvirtd, which [Start] has done already, and returns when it has
// initialised its drivers.
func (d *Daemon) Up() {
	d.t.Helper()
	d.request(namespace.Up)
	// It listens before its drivers are ready, and answers when they are.
	out, err := d.Virsh("version", "--daemon")
	if err != nil {
		d.t.Fatalf("libvirtd does not answer: %v", err)
	}
	d.version = parseVersion(out)
}

// Down ends libvirtd with SIGTERM and waits for its end. Guests go on running.
func (d *Daemon) Down() { d.t.Helper(); d.request(namespace.Down) }

// Kill is [Daemon.Down] with SIGKILL.
func (d *Daemon) Kill() { d.t.Helper(); d.request(namespace.Kill) }

// Restart ends libvirtd and starts it again, which has it reconnect to its guests.
// They are still at it when Restart returns.
func (d *Daemon) Restart() { d.t.Helper(); d.Down(); d.Up() }

// Reload has libvirtd read its configuration and look for hooks again, and returns
// when it calls the hooks of the event, which may still run.
func (d *Daemon) Reload() {
	d.t.Helper()
	before := len(d.CallsOf("daemon", "reload"))
	d.request(namespace.Reload)
	d.WaitFor("the daemon's reload", func() bool { return len(d.CallsOf("daemon", "reload")) > before })
}

func (d *Daemon) request(r string) {
	d.t.Helper()
	if err := d.helper.ask(r); err != nil {
		d.t.Fatalf("libvirtd, %s: %v", r, err)
	}
}

// Version is a version of libvirt.
type Version struct{ Major, Minor, Micro int }

// AtLeast tells whether the version is that one or a later one.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Micro) }

// Version is the daemon's.
func (d *Daemon) Version() Version { return d.version }

func parseVersion(virsh string) (v Version) {
	for line := range strings.Lines(virsh) {
		if rest, ok := strings.CutPrefix(line, "Running against daemon: "); ok {
			fmt.Sscanf(rest, "%d.%d.%d", &v.Major, &v.Minor, &v.Micro)
		}
	}
	return v
}

// Session tells whether the daemon is that of qemu:///session.
func (d *Daemon) Session() bool { return d.config.Session }

// Command is a command inside the namespaces, where it sees the daemon's files,
// processes and network. Give it a deadline through ctx.
func (d *Daemon) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return d.helper.command(ctx, d.config, name, args...)
}

func tail(text string, lines int) string {
	all := strings.SplitAfter(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}
