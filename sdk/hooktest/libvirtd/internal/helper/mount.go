//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/namespace"
)

// ours are the folders of the machine that a libvirtd writes to. Inside, each is an
// empty one in memory.
var ours = []string{"/run", "/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt"}

// mountAll hides the machine's state from the namespaces and changes to the root
// that was asked for.
func mountAll(c namespace.Config) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("separating the mounts: %w", err)
	}
	root := "/"
	if c.Root != "" {
		root = c.Root
		// LXC wants the root to be a mount.
		if err := bind(root, root); err != nil {
			return err
		}
		for _, dir := range append([]string{"/dev"}, c.Shared...) {
			if err := bind(dir, filepath.Join(root, dir)); err != nil {
				return err
			}
		}
	}
	if err := syscall.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	for _, dir := range ours {
		at := filepath.Join(root, dir)
		if c.Root != "" {
			if err := os.MkdirAll(at, 0o755); err != nil {
				return err
			}
		}
		if err := syscall.Mount("tmpfs", at, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("%s cannot be hidden: %w: is libvirt installed?", at, err)
		}
	}
	if !c.Session {
		if err := mountSys(root); err != nil {
			return err
		}
		if err := addUsers(root); err != nil {
			return err
		}
	}
	if c.Root == "" {
		return nil
	}
	return changeRoot(root)
}

// mountSys mounts a /sys that shows the namespaces' own network and control groups.
func mountSys(root string) error {
	groups, err := hierarchies()
	if err != nil {
		return err
	}
	if root == "/" {
		// Only hidden, the old mounts would still be in the table that libvirt looks for control groups in.
		if err := syscall.Unmount("/sys", syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting /sys: %w", err)
		}
	}
	if err := syscall.Mount("sysfs", filepath.Join(root, "sys"), "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mounting /sys: %w", err)
	}
	return groups.mount(root)
}

func bind(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", from, to, err)
	}
	return nil
}

// addUsers adds the user that libvirt's qemu driver insists on, although the
// configuration has qemu run as root. Its package libvirt-daemon-system, which
// makes it, starts the machine's own libvirtd too and is not wanted here.
func addUsers(root string) error {
	for file, lines := range map[string]string{
		"passwd": "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n",
		"group":  "libvirt-qemu:x:64055:\nkvm:x:64056:\n",
	} {
		path := filepath.Join(root, "etc", file)
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(old, []byte("\nlibvirt-qemu:")) {
			continue
		}
		changed := filepath.Join(root, "run", file)
		if err := os.WriteFile(changed, append(old, lines...), 0o644); err != nil {
			return err
		}
		if err := syscall.Mount(changed, path, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", path, err)
		}
	}
	return nil
}

func changeRoot(root string) error {
	old := filepath.Join(root, "run", "old-root")
	if err := os.Mkdir(old, 0o700); err != nil {
		return err
	}
	if err := syscall.PivotRoot(root, old); err != nil {
		return fmt.Errorf("changing the root to %s: %w", root, err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := syscall.Unmount("/run/old-root", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("letting go of the old root: %w", err)
	}
	return nil
}
