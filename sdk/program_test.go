package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
)

// The test binary is also every hook program that the tests run as a process:
// with this variable set it is the one of that name.
const programVariable = "VIRTHOOK_TEST_PROGRAM"

// reportVariable names the file that a program's handlers write to; standard
// output is not theirs.
const reportVariable = "VIRTHOOK_TEST_REPORT"

func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		opts := programs[name]()
		if name != "logs to the system" {
			// What the host does with logs is not to decide about the tests.
			opts = append([]sdk.Option{sdk.Log(slog.DiscardHandler)}, opts...)
		}
		sdk.Main(opts...)
		panic("sdk.Main returned")
	}
	os.Exit(m.Run())
}

// process is a hook program as libvirt would call it.
type process struct {
	program string
	argv    []string // the program's path first
	stdin   []byte
	set     func(*exec.Cmd) // for what is out of the ordinary
}

// answer is what libvirt would get.
type answer struct {
	status         int
	stdout, stderr string
	report         []event
}

// event is a handler's report.
type event struct {
	Handler string
	Name    string `json:",omitempty"`
	UUID    string `json:",omitempty"`
	Disks   []string
	Reason  *sdk.ShutoffReason
	Port    string `json:",omitempty"`
	Owner   string `json:",omitempty"`
	Extra   string
}

func (p process) run(t *testing.T) answer {
	t.Helper()
	report := t.TempDir() + "/report"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Args = p.argv
	cmd.Env = append(os.Environ(), programVariable+"="+p.program, reportVariable+"="+report)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(p.stdin), &stdout, &stderr
	if p.set != nil {
		p.set(cmd)
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	require.NoError(t, ctx.Err(), "the program hung")
	a := answer{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		a.status = -1
	}
	data, err := os.ReadFile(report)
	if err == nil {
		for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
			var e event
			require.NoError(t, d.Decode(&e))
			a.report = append(a.report, e)
		}
	}
	return a
}

// report appends a line to the report of this process.
func report(e event) error {
	f, err := os.OpenFile(os.Getenv(reportVariable), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, string(line))
	return err
}

func reportDomain(handler string, d *libvirtxml.Domain, reason *sdk.ShutoffReason) error {
	e := event{Handler: handler, Name: d.Name, UUID: d.UUID, Reason: reason}
	if d.Devices != nil {
		for _, disk := range d.Devices.Disks {
			if disk.Source != nil && disk.Source.File != nil {
				e.Disks = append(e.Disks, disk.Source.File.File)
			}
		}
	}
	return report(e)
}

func domain(handler string) func(*libvirtxml.Domain) error {
	return func(d *libvirtxml.Domain) error { return reportDomain(handler, d, nil) }
}

func release(handler string) func(*libvirtxml.Domain, sdk.ShutoffReason) error {
	return func(d *libvirtxml.Domain, reason sdk.ShutoffReason) error { return reportDomain(handler, d, &reason) }
}

func filter(handler string) func(*libvirtxml.Domain) (*libvirtxml.Domain, error) {
	return func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { return d, reportDomain(handler, d, nil) }
}

func network(handler string) func(*libvirtxml.Network) error {
	return func(n *libvirtxml.Network) error {
		return report(event{Handler: handler, Name: n.Name, UUID: n.UUID})
	}
}

func port(handler string) func(*libvirtxml.Network, *libvirtxml.NetworkPort) error {
	return func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) error {
		return report(event{Handler: handler, Name: n.Name, UUID: n.UUID, Port: p.UUID, Owner: p.Owner.Name})
	}
}

func bare(handler string) func() error {
	return func() error { return report(event{Handler: handler}) }
}

// everything handles each of the 36 operations with its plain function. That the
// list compiles shows their signatures.
func everything() []sdk.Option {
	return []sdk.Option{
		sdk.OnBhyvePrepareBegin(domain("bhyve/prepare/begin")),
		sdk.OnBhyveStartBegin(domain("bhyve/start/begin")),
		sdk.OnBhyveStartedBegin(domain("bhyve/started/begin")),
		sdk.OnBhyveStoppedEnd(domain("bhyve/stopped/end")),
		sdk.OnBhyveReleaseEnd(domain("bhyve/release/end")),
		sdk.OnDaemonStart(bare("daemon/start/-")),
		sdk.OnDaemonReloadBegin(bare("daemon/reload/begin")),
		sdk.OnDaemonShutdown(bare("daemon/shutdown/-")),
		sdk.OnLibxlPrepareBegin(domain("libxl/prepare/begin")),
		sdk.OnLibxlStartBegin(domain("libxl/start/begin")),
		sdk.OnLibxlStartedBegin(domain("libxl/started/begin")),
		sdk.OnLibxlStoppedEnd(domain("libxl/stopped/end")),
		sdk.OnLibxlReleaseEnd(domain("libxl/release/end")),
		sdk.OnLibxlMigrateBegin(filter("libxl/migrate/begin")),
		sdk.OnLibxlReconnectBegin(domain("libxl/reconnect/begin")),
		sdk.OnLxcPrepareBegin(domain("lxc/prepare/begin")),
		sdk.OnLxcStartBegin(domain("lxc/start/begin")),
		sdk.OnLxcStartedBegin(domain("lxc/started/begin")),
		sdk.OnLxcStoppedEnd(domain("lxc/stopped/end")),
		sdk.OnLxcReleaseEnd(release("lxc/release/end")),
		sdk.OnLxcReconnectBegin(domain("lxc/reconnect/begin")),
		sdk.OnNetworkStartBegin(network("network/start/begin")),
		sdk.OnNetworkStartedBegin(network("network/started/begin")),
		sdk.OnNetworkUpdatedBegin(network("network/updated/begin")),
		sdk.OnNetworkPortCreatedBegin(port("network/port-created/begin")),
		sdk.OnNetworkPortDeletedBegin(port("network/port-deleted/begin")),
		sdk.OnNetworkStoppedEnd(network("network/stopped/end")),
		sdk.OnQemuPrepareBegin(domain("qemu/prepare/begin")),
		sdk.OnQemuStartBegin(domain("qemu/start/begin")),
		sdk.OnQemuStartedBegin(domain("qemu/started/begin")),
		sdk.OnQemuStoppedEnd(domain("qemu/stopped/end")),
		sdk.OnQemuReleaseEnd(release("qemu/release/end")),
		sdk.OnQemuMigrateBegin(filter("qemu/migrate/begin")),
		sdk.OnQemuRestoreBegin(filter("qemu/restore/begin")),
		sdk.OnQemuReconnectBegin(domain("qemu/reconnect/begin")),
		sdk.OnQemuAttachBegin(domain("qemu/attach/begin")), //nolint:staticcheck // deprecated, and yet to work
	}
}

// programs are the hooks that the tests run as processes.
var programs = map[string]func() []sdk.Option{
	"everything": everything,
	"prints": func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			fmt.Println("to standard output")
			fmt.Fprintln(os.Stderr, "to standard error")
			child := exec.Command("/bin/sh", "-c", "echo from a child; echo from a child >&2; exit 3")
			child.Stdout, child.Stderr = os.Stdout, os.Stderr
			if err := child.Run(); err == nil || child.ProcessState.ExitCode() != 3 {
				return nil, fmt.Errorf("the child: %v", err)
			}
			d.Title = "edited"
			return d, nil
		})}
	},
	"panics": func() []sdk.Option {
		boom := func(*libvirtxml.Domain) error { panic("boom\nwith a second line") }
		return []sdk.Option{sdk.OnQemuPrepareBegin(boom), sdk.OnQemuReconnectBegin(boom),
			sdk.OnQemuMigrateBegin(func(*libvirtxml.Domain) (*libvirtxml.Domain, error) { panic("boom") })}
	},
	"panics elsewhere": func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			go func() { panic("in a goroutine") }()
			select {}
		})}
	},
	"refuses": func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
			return fmt.Errorf("no:\n%s\x1b[31m\xff", d.Name)
		})}
	},
	"edits": func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
			d.Description = strings.Repeat("long ", 40_000) // more than a pipe holds
			return d, nil
		})}
	},
	"hangs": func() []sdk.Option {
		hang := func(*libvirtxml.Domain) error { select {} }
		return []sdk.Option{sdk.Timeout(50 * time.Millisecond), sdk.OnQemuPrepareBegin(hang), sdk.OnQemuReconnectBegin(hang)}
	},
	"leaves a child": func() []sdk.Option {
		return []sdk.Option{sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			child := exec.Command("/bin/sh", "-c", "read line <"+os.Getenv("VIRTHOOK_TEST_FIFO"))
			child.Stdout, child.Stderr = os.Stdout, os.Stderr
			return child.Start()
		})}
	},
	"names": func() []sdk.Option {
		return []sdk.Option{sdk.OnEach(func(_ context.Context, e sdk.Event) error {
			return report(event{Handler: fmt.Sprintf("%T", e), Name: fmt.Sprintf("%q", e.Info().Object), Extra: e.Info().Extra})
		}, sdk.Events()...)}
	},
	"any": func() []sdk.Option {
		return []sdk.Option{sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
			input, err := c.Input()
			if err != nil {
				return err
			}
			return report(event{Handler: c.ID(), Name: fmt.Sprintf("%q", c.Object), Extra: fmt.Sprint(len(input))})
		})}
	},
	"mishap": mishapProgram,
	"twice":  func() []sdk.Option { return append(everything(), everything()...) },
	"none":   func() []sdk.Option { return nil },
}
