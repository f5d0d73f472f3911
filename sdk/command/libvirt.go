package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// errLibvirt is why a command is refused.
var errLibvirt = errors.New("libvirt waits for the hook, and this would wait for libvirt, forever; start it with Detach, which does not wait for it")

// clients do nothing without libvirt. Those that can do without, such as guestfish, have
// the guard in their environment.
var clients = []string{
	"virsh", "virt-admin", "virt-clone", "virt-install", "virt-login-shell", "virt-manager",
	"virt-qemu-qmp-proxy", "virt-ssh-helper", "virt-top", "virt-viewer", "virt-xml",
}

var shells = []string{"ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"}

// uriVariables make programs connect to the libvirt that they name.
var uriVariables = []string{"LIBVIRT_DEFAULT_URI=", "VIRSH_DEFAULT_CONNECT_URI=", "LIBVIRT_ADMIN_DEFAULT_URI=", "VIRT_ADMIN_DEFAULT_URI="}

// asksLibvirt refuses a command that is sure to ask libvirt. This is a help to the author,
// no fence: what is deep in some script is left to the guard in the environment.
func (c Command) asksLibvirt(path string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	base := filepath.Base(path)
	if slices.Contains(clients, base) {
		return fmt.Errorf("%s asks libvirt: %w", base, errLibvirt)
	}
	words := c.Args
	if slices.Contains(shells, base) { // what else is text is no command line
		words = strings.FieldsFunc(strings.Join(c.Args, " "), func(r rune) bool { return strings.ContainsRune(" \t\n;|&()<>'\"`", r) })
	}
	for i, w := range words {
		uri, joined := strings.CutPrefix(w, "--connect=")
		if !joined {
			uri, joined = strings.CutPrefix(w, "-c")
		}
		if (w == "-c" || w == "--connect") && i+1 < len(words) {
			uri, joined = words[i+1], true
		}
		if joined && isURI(uri) {
			return fmt.Errorf("%q is a libvirt: %w", uri, errLibvirt)
		}
	}
	for _, w := range slices.Concat(words, c.Env) {
		for _, v := range uriVariables {
			if strings.HasPrefix(w, v) {
				return fmt.Errorf("%s names a libvirt: %w", strings.TrimSuffix(v, "="), errLibvirt)
			}
		}
		if s := socket(w); s != "" {
			return fmt.Errorf("%q is a socket of libvirt: %w", s, errLibvirt)
		}
	}
	return nil
}

var drivers = []string{"bhyve", "ch", "interface", "libxl", "lxc", "network", "nodedev", "nwfilter", "qemu", "secret", "storage", "vbox", "vz", "xen"}

// isURI says whether the text is a libvirt's URI, as qemu+ssh://host/system.
func isURI(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	driver, _, _ := strings.Cut(scheme, "+")
	return ok && slices.Contains(drivers, driver)
}

// socket returns a path to a socket of libvirt that is in the text, or "".
func socket(text string) string {
	dirs := []string{"/run/libvirt/", "/.cache/libvirt/"}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "libvirt")+"/")
	}
	for _, dir := range append(dirs, "/libvirt/") {
		_, rest, ok := strings.Cut(text, dir)
		if !ok || dir == "/libvirt/" && !strings.Contains(text, "/run/user/") {
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./", r))
		})
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		if strings.HasSuffix(name, "-sock") || strings.HasSuffix(name, "-sock-ro") {
			return dir + name
		}
	}
	return ""
}
