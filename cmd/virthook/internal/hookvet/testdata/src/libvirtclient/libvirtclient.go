package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	_ "github.com/digitalocean/go-libvirt/socket" // want `github.com/digitalocean/go-libvirt/socket: libvirt waits for the hook.* \(libvirtclient\)`
	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/command"
	"libvirt.org/go/libvirt" // want `libvirt.org/go/libvirt: libvirt waits for the hook`
	"libvirt.org/go/libvirtxml"
)

const tool = "virsh"

func main() {
	sdk.Main(sdk.OnQemuPrepareBegin(func(d *libvirtxml.Domain) error {
		if _, err := libvirt.NewConnect("qemu:///system"); err != nil {
			return err
		}
		return calls(d.Name)
	}))
}

func calls(name string) error {
	ctx := context.Background()
	list := []string{"virsh", "list"}
	for _, cmd := range []*exec.Cmd{
		exec.Command("virsh", "domstate", name),                           // want `virsh: libvirt waits`
		exec.Command("/usr/bin/virsh", "list"),                            // want `virsh: libvirt waits`
		exec.Command(tool, "list"),                                        // want `virsh: libvirt waits`
		exec.CommandContext(ctx, "virt-clone", "-o", name),                // want `virt-clone: libvirt waits`
		exec.Command("timeout", "5", "virsh", "list"),                     // want `virsh: libvirt waits`
		exec.Command("sudo", "-n", "virsh", "list"),                       // want `virsh: libvirt waits`
		exec.Command("sh", "-c", "virsh list | grep -q x"),                // want `virsh: libvirt waits`
		exec.Command("bash", "-euc", "sleep 1; LC_ALL=C virsh list"),      // want `virsh: libvirt waits`
		exec.Command("sh", "-c", `n=$(virsh list --name | wc -l)`),        // want `virsh: libvirt waits`
		exec.Command("sh", "-c", `echo "$(virsh list)"`),                  // want `virsh: libvirt waits`
		exec.Command("sh", "-c", "if virsh list; then true; fi"),          // want `virsh: libvirt waits`
		exec.Command("sh", "-c", fmt.Sprintf("virsh destroy %s", name)),   // want `virsh: libvirt waits`
		exec.Command("sh", "-c", "(sleep 5; virsh resume "+name+") >x &"), // want `virsh: libvirt waits`
		exec.Command(list[0], list...),
		exec.Command(list[1:][0], list...),
	} {
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	if _, err := os.StartProcess("/usr/bin/virsh", list, nil); err != nil { // want `virsh: libvirt waits`
		return err
	}
	if err := helper(ctx, name); err != nil {
		return err
	}
	return syscall.Exec("/usr/bin/env", []string{"env", "virsh", "list"}, nil) // want `virsh: libvirt waits`
}

func helper(ctx context.Context, name string) error {
	if err := command.Run(ctx, "virsh", "domstate", name); err != nil { // want `virsh: libvirt waits.*command.Detach`
		return err
	}
	if _, err := command.Output(ctx, "timeout", []string{"5", "virsh", "list"}...); err != nil { // want `virsh: libvirt waits`
		return err
	}
	if err := (command.Command{Name: "virsh", Args: []string{"list"}}).Run(ctx); err != nil { // want `virsh: libvirt waits`
		return err
	}
	c := command.Command{Name: "sh", Args: []string{"-c", "sleep 1; virsh list"}}
	if _, err := c.Output(ctx); err != nil { // want `virsh: libvirt waits`
		return err
	}
	if err := c.Detach(ctx); err != nil { // it waits for the hook, not the hook for it
		return err
	}
	return command.Detach(ctx, "virsh", "resume", name)
}

// good: none of these talks to libvirt while the hook runs.
func good(name string) []*exec.Cmd {
	return []*exec.Cmd{
		exec.Command("systemd-run", "--no-block", "virsh", "resume", name),
		exec.Command("sh", "-c", "systemd-run --no-block virsh list"),
		exec.Command("sh", "-c", "echo 'not; virsh' \"nor; virsh\" virsh"),
		exec.Command("logger", "virsh", name),
		exec.Command("virt-what"),
		exec.Command("virtiofsd", "--version"),
		exec.Command("qemu-img", "info", name),
	}
}
