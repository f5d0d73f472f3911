//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// hierarchy is one tree of control groups: one of several controllers, or the only
// one of version 2.
type hierarchy struct {
	mount, options string // options: of the mount, which name its controllers; "" for version 2
	home, ours     string // where this process was, and the group made for the namespaces
}

// cgroups are the groups that the namespaces have to themselves. What libvirt_lxc
// makes of groups is made below them, and goes with them.
type cgroups []hierarchy

// enterCgroups makes a group in each hierarchy and puts this process into it, so
// that a process in a cgroup namespace of its own takes it for the root. Where
// both versions are mounted that of version 2 is left alone: LXC would find no
// controllers there.
func enterCgroups(name string) (cgroups, error) {
	hs, err := hierarchies()
	if err != nil {
		return nil, err
	}
	for i := range hs {
		h := &hs[i]
		h.ours = filepath.Join(h.home, name)
		err := os.Mkdir(h.ours, 0o755)
		if err == nil {
			err = h.enter()
		}
		if err != nil {
			cgroups(hs[:i+1]).remove()
			return nil, fmt.Errorf("a control group of their own: %w", err)
		}
	}
	return hs, nil
}

func hierarchies() (cgroups, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	member, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	var first, second cgroups
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		switch {
		case len(f) < 4:
		case f[2] == "cgroup":
			options, key := controllers(f[3])
			first = append(first, hierarchy{mount: f[1], options: options, home: filepath.Join(f[1], group(member, key))})
		case f[2] == "cgroup2":
			second = append(second, hierarchy{mount: f[1], home: filepath.Join(f[1], group(member, ""))})
		}
	}
	if len(first) > 0 {
		return first, nil
	}
	return second, nil
}

// controllers are the mount options that name a hierarchy of version 1, and the
// name that /proc/self/cgroup has for it.
func controllers(options string) (mount, key string) {
	var names []string
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "rw", "ro", "relatime", "noatime", "nosuid", "nodev", "noexec", "xattr", "clone_children":
		default:
			if !strings.HasPrefix(o, "release_agent=") {
				names = append(names, o)
			}
		}
	}
	key = strings.Join(names, ",")
	if strings.HasPrefix(key, "name=") {
		return "none," + key, key
	}
	return key, key
}

// group is the path of this process's group in one hierarchy.
func group(member []byte, key string) string {
	for line := range strings.Lines(string(member)) {
		if _, rest, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			if name, path, ok := strings.Cut(rest, ":"); ok && name == key {
				return path
			}
		}
	}
	return "/"
}

func (h hierarchy) enter() error {
	// A new group of the cpuset controller takes no process before it has CPUs and memory.
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if value, err := os.ReadFile(filepath.Join(h.home, file)); err == nil && h.options != "" {
			if err := write(filepath.Join(h.ours, file), string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	return move(h.ours)
}

// leave puts this process back to where it was.
func (c cgroups) leave() {
	for _, h := range c {
		_ = move(h.home) // remove reports nothing either: it is what can still be done
	}
}

// remove removes the groups, whose processes are dying or dead.
func (c cgroups) remove() {
	c.leave()
	for _, h := range c {
		// The kernel may need a moment after a namespace's end until its groups are empty.
		for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
			if removeGroup(h.ours) == nil {
				break
			}
			time.Sleep(wait)
		}
	}
}

// removeGroup removes a group and those below it. Its files cannot be removed, nor need they.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, removeGroup(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(err, syscall.Rmdir(dir))
}

// mount mounts the hierarchies anew, which shows the namespaces' own groups alone.
func (c cgroups) mount(root string) error {
	if len(c) == 0 {
		return nil
	}
	at := func(mount string) string { return filepath.Join(root, mount) }
	if c[0].options == "" {
		if err := syscall.Mount("cgroup2", at(cgroupRoot), "cgroup2", 0, ""); err != nil {
			return fmt.Errorf("mounting control groups: %w", err)
		}
		// A group with processes cannot hand controllers down: they go into a leaf.
		leaf := filepath.Join(at(cgroupRoot), "init")
		return errors.Join(os.Mkdir(leaf, 0o755), move(leaf))
	}
	if err := syscall.Mount("tmpfs", at(cgroupRoot), "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting control groups: %w", err)
	}
	for _, h := range c {
		if err := os.MkdirAll(at(h.mount), 0o755); err != nil {
			return err
		}
		if err := syscall.Mount("cgroup", at(h.mount), "cgroup", 0, h.options); err != nil {
			return fmt.Errorf("mounting the control groups of %s: %w", h.options, err)
		}
	}
	return nil
}

// move puts this process into a group.
func move(group string) error { return write(filepath.Join(group, "cgroup.procs"), "0") }

func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
