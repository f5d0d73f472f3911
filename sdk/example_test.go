package sdk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
	"github.com/virthook/virthook/sdk/hooktest"
)

// A whole program is its handlers and a main that gives them to Main. Run is the same
// without the process.
func Example() {
	hooks := sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
		if d.VCPU != nil && d.VCPU.Value > 8 {
			return fmt.Errorf("%s has %d CPUs, 8 are allowed", d.Name, d.VCPU.Value)
		}
		return nil
	})

	_ = func() { // main
		sdk.Main(hooks)
	}

	args := []string{"/etc/libvirt/hooks/qemu", "web", "prepare", "begin", "-"}
	xml := strings.NewReader("<domain><name>web</name><vcpu>16</vcpu></domain>")
	status := sdk.Run(context.Background(), args, xml, os.Stdout, os.Stdout, hooks)
	fmt.Println("exit status", status)
	// Output:
	// web has 16 CPUs, 8 are allowed
	// exit status 1
}

// The rich form has a context, which ends with the hook's time, for what runs programs
// or waits, and the call, with a logger that says whose it is.
func ExampleOn() {
	hook := sdk.On(func(ctx context.Context, e *sdk.QemuStartedBegin) error {
		if e.Domain.Devices == nil {
			return nil
		}
		for _, nic := range e.Domain.Devices.Interfaces {
			if nic.Target == nil {
				continue
			}
			e.Logger().Info("shaping", "tap", nic.Target.Dev)
			if err := command.Run(ctx, "tc", "qdisc", "add", "dev", nic.Target.Dev, "root", "fq_codel"); err != nil {
				return err
			}
		}
		return nil
	})
	fire(sdk.Group(sdk.Log(slog.Default().Handler()), hook), hooktest.QemuStartedBegin())
	// Output:
	// INFO shaping driver=qemu object=g1 op=started sub_op=begin uuid=69e9bc72-72fa-4cd1-b01b-d788b3f80781 tap=vnet0
	// runs tc qdisc add dev vnet0 root fq_codel
	// exit status 0
}

// One function for the guests of all drivers, at every step; what is different for
// some of them a switch tells apart.
func ExampleOnDomain() {
	hook := sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error {
		switch e := e.(type) {
		case *sdk.QemuReleaseEnd:
			fmt.Println(e.Domain.Name, "is off:", e.Reason)
		default:
			fmt.Println(e.Guest().Name, e.Info().Op)
		}
		return nil
	})
	fire(hook, hooktest.LxcStartBegin())
	fire(hook, hooktest.QemuReleaseEnd(sdk.ShutoffReasonSaved))
	// Output:
	// c1 start
	// exit status 0
	// g2 is off: saved
	// exit status 0
}

// One function for a few operations.
func ExampleOnEach() {
	count := func(_ context.Context, e sdk.DomainEvent) error {
		fmt.Println("one more:", e.Guest().Name)
		return nil
	}
	hook := sdk.OnEach[sdk.DomainEvent](count, (*sdk.QemuStartedBegin)(nil), (*sdk.LxcStartedBegin)(nil))
	fire(hook, hooktest.QemuStartedBegin())
	fire(hook, hooktest.LxcStartedBegin())
	fire(hook, hooktest.LxcStoppedEnd()) // is not among them
	// Output:
	// one more: g1
	// exit status 0
	// one more: c1
	// exit status 0
	// exit status 0
}

// Every call, also one that a libvirt of the future makes. Nothing is decoded.
func ExampleOnAny() {
	hook := sdk.OnAny(func(_ context.Context, c *sdk.Call) error {
		fmt.Println(c)
		return nil
	})
	fire(hook, hooktest.NetworkStoppedEnd())
	fire(hook, hooktest.Call{Driver: "qemu", Object: "web", Op: "hibernate", SubOp: "begin", Extra: "-"})
	// Output:
	// network/stopped/end of "hk"
	// exit status 0
	// qemu/hibernate/begin of "web"
	// exit status 0
}

// A filter that edits the bytes and not the Domain.
func ExampleFilter_Replace() {
	hook := sdk.On(func(_ context.Context, e *sdk.QemuMigrateBegin) error {
		xml, err := e.Input()
		if err != nil {
			return err
		}
		e.Replace(bytes.ReplaceAll(xml, []byte("'/var/lib/libvirt/images/"), []byte("'/srv/images/")))
		return nil
	})
	fire(hook, hooktest.QemuMigrateBegin())
	// Output:
	// /domain/devices/disk/source/@file: /var/lib/libvirt/images/m1.qcow2 -> /srv/images/m1.qcow2
	// exit status 0
}

// Handlers for some guests only. Of a guest that does not match the XML is not read.
func ExampleFor() {
	tests := sdk.AllOf(sdk.Driver("qemu", "lxc"), sdk.Name("test-*", "ci-*"), sdk.Not(sdk.Name("*-keep")))
	hook := sdk.For(tests,
		sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error {
			return errors.New("no tests on this host")
		}),
	)
	fire(hook, hooktest.QemuPrepareBegin(hooktest.Named("test-7")))
	fire(hook, hooktest.QemuPrepareBegin(hooktest.Named("test-8-keep")))
	fire(hook, hooktest.QemuPrepareBegin(hooktest.Named("web")))
	// Output:
	// exit status 1: no tests on this host
	// exit status 0
	// exit status 0
}

// What a package of handlers offers: one option. The settings in it hold for its own
// handlers alone.
func ExampleGroup() {
	accounting := func() sdk.Option { // as a rule func Hooks() of a package
		return sdk.Group(
			sdk.OnError(sdk.Pass), // no guest has to wait for accounting
			sdk.OnQemuStartedBegin(func(*libvirtxml.Domain) error { return errors.New("disk full") }),
			sdk.OnQemuStoppedEnd(func(*libvirtxml.Domain) error { return errors.New("disk full") }),
		)
	}
	inventory := sdk.OnQemuStartBegin(func(d *libvirtxml.Domain) error {
		return fmt.Errorf("%s is not in the inventory", d.Name)
	})
	hook := sdk.Group(accounting(), inventory)
	fire(hook, hooktest.QemuStartedBegin())
	fire(hook, hooktest.QemuStartBegin())
	// Output:
	// exit status 0
	// exit status 1: g1 is not in the inventory
}

// Something around each handler, whatever it handles.
func ExampleWrap() {
	audit := func(next sdk.Handler) sdk.Handler {
		return func(ctx context.Context, c *sdk.Call) error {
			err := next(ctx, c)
			fmt.Printf("%s: %v\n", c, err)
			return err
		}
	}
	hook := sdk.Group(sdk.Wrap(audit),
		sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return nil }),
		sdk.OnNetworkStartBegin(func(*libvirtxml.Network) error { return errors.New("no uplink") }),
	)
	fire(hook, hooktest.QemuPrepareBegin())
	fire(hook, hooktest.NetworkStartBegin())
	// Output:
	// qemu/prepare/begin of "g1": <nil>
	// exit status 0
	// network/start/begin of "hk": no uplink
	// exit status 1: no uplink
}

// libvirt waits for a hook without limit. What asks a server gets a limit of its own, long
// before that of the run.
func ExampleTimeout() {
	answer := make(chan string) // of a server that is down
	defer close(answer)
	hook := sdk.Group(sdk.Timeout(10*time.Millisecond),
		sdk.OnQemuStartBegin(func(d *libvirtxml.Domain) error {
			if <-answer != "yes" {
				return fmt.Errorf("%s has no license", d.Name)
			}
			return nil
		}),
	)
	fire(hook, hooktest.QemuStartBegin())
	// Output: exit status 1: deadline: not done within 10ms in qemu/start/begin of "g1"
}

// A panic, a deadline or input that cannot be decoded refuses a start, unless the
// handler is one that a guest can do without.
func ExampleOnFault() {
	label := sdk.OnQemuStartedBegin(func(d *libvirtxml.Domain) error {
		fmt.Println(d.Devices.Disks[7].Target.Dev) // g1 has one disk
		return nil
	})
	fire(sdk.Group(sdk.OnFault(sdk.Pass), label), hooktest.QemuStartedBegin())
	// Output: exit status 0
}

// An error at reconnect would make libvirt kill the running guest. With Pass the log is
// told, and the guest lives on.
func ExampleOnError() {
	firewall := sdk.OnQemuReconnectBegin(func(*libvirtxml.Domain) error {
		return errors.New("no firewall")
	})
	fire(firewall, hooktest.QemuReconnectBegin())
	fire(sdk.Group(sdk.OnError(sdk.Pass), firewall), hooktest.QemuReconnectBegin())
	// Output:
	// exit status 1: no firewall
	// exit status 0
}

// Every operation that this package knows, decoded, in one function.
func ExampleEvents() {
	hook := sdk.OnEach(func(_ context.Context, e sdk.Event) error {
		switch e := e.(type) {
		case sdk.DomainEvent:
			fmt.Println("guest", e.Guest().UUID)
		case *sdk.NetworkPortCreatedBegin:
			fmt.Println("port", e.NetworkPort.UUID)
		default:
			fmt.Println(e.Info().ID())
		}
		return nil
	}, sdk.Events()...)
	fire(hook, hooktest.LxcStartBegin())
	fire(hook, hooktest.NetworkPortCreatedBegin())
	fire(hook, hooktest.DaemonStart())
	// Output:
	// guest 1eecc29b-403e-4882-adca-6f105f0bbab2
	// exit status 0
	// port 99d70ef1-f9cd-4a12-95ea-e2deefd17a55
	// exit status 0
	// daemon/start/-
	// exit status 0
}

// fire calls a hook as libvirt would, and prints what it logs, the programs that it would
// run, what a filter changes and the exit status, with the line of error.
func fire(hook sdk.Option, call hooktest.Call) {
	defer func(flags int) { log.SetFlags(flags); log.SetOutput(os.Stderr) }(log.Flags())
	log.SetFlags(0) // no time: the default logger of slog writes here too
	log.SetOutput(os.Stdout)
	t := new(exampleTB)
	defer t.end()
	commands := hooktest.Commands(t)
	r := hooktest.Run(t, call, hook)
	for _, c := range commands.Commands() {
		fmt.Println("runs", c)
	}
	if r.Status != 0 {
		fmt.Printf("exit status %d: %s", r.Status, r.Stderr)
		return
	}
	for _, line := range r.Changes() {
		fmt.Println(line)
	}
	fmt.Println("exit status 0")
}

// exampleTB is what an example has in the place of the test that the test kit asks for.
type exampleTB struct {
	testing.TB
	cleanups []func()
}

func (*exampleTB) Helper()                        {}
func (*exampleTB) Name() string                   { return "Example" }
func (t *exampleTB) Cleanup(f func())             { t.cleanups = append(t.cleanups, f) }
func (*exampleTB) Errorf(format string, a ...any) { fmt.Printf(format+"\n", a...) }
func (*exampleTB) Fatal(a ...any)                 { panic(fmt.Sprint(a...)) }
func (*exampleTB) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func (t *exampleTB) end() {
	for _, f := range t.cleanups {
		f()
	}
}
