//go:build integration

package libvirtd_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// packagedHook makes a deb of the test hook with what follows it, which does no
// program any harm and tells versions apart.
func packagedHook(t *testing.T, virthook, version, end string) string {
	t.Helper()
	program, err := os.ReadFile(testhook)
	require.NoError(t, err)
	program = append(program, end...)
	dir := filepath.Join(t.TempDir(), "hv")
	require.NoError(t, os.Mkdir(dir, 0o755))
	type file struct {
		Path   string `json:"path"`
		SHA256 string `json:"sha256"`
	}
	var files []file
	for _, name := range []string{"my", "hooks/qemu.d/50-my", "hooks/network.d/50-my"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), program, 0o755))
		files = append(files, file{name, fmt.Sprintf("%x", sha256.Sum256(program))})
	}
	manifest, err := json.Marshal(map[string]any{"version": 1, "host": "hv", "target": "linux/amd64", "sets": []string{"base"}, "files": files})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), manifest, 0o644))
	out, err := exec.Command(virthook, "package", "--format", "deb", "--version", version, "-o", t.TempDir(), dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	name, _, _ := strings.Cut(string(out), ": ")
	return name
}

// chroot makes a copy of the daemon's root folder in which dpkg can write what it likes.
// The hooks folder and the processes are the daemon's own.
const chroot = `set -e
mkdir -p /run/chroot/upper /run/chroot/work /run/root /run/fake
mount -t overlay overlay -o lowerdir=/,upperdir=/run/chroot/upper,workdir=/run/chroot/work /run/root
for folder in /etc/libvirt /dev /proc /run; do mount --rbind $folder /run/root$folder; done
rm -f /run/root/usr/sbin/policy-rc.d # with which container images forbid to start daemons
`

// systemctl is that of a host on which libvirtd is a service, and the only one.
const systemctl = `#!/bin/sh
echo "$*" >>/run/systemctl
case "$*" in
"is-active libvirtd.service") echo active ;;
is-active*) echo inactive; exit 3 ;;
"reload libvirtd.service") kill -HUP $(pgrep -x libvirtd) ;;
*) exit 1 ;;
esac
`

// A deb is installed, upgraded and removed with dpkg in a chroot. The daemon calls the
// hook after the package has reloaded it, through the upgrade, and no more when it is
// gone. No other hook is there, so that the daemon does not look for any at first.
func TestPackage(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	virthook := filepath.Join(t.TempDir(), "virthook")
	out, err := exec.Command("go", "build", "-o", virthook, "../../../cmd/virthook").CombinedOutput()
	require.NoError(t, err, "%s", out)

	h := host{libvirtd.Start(t), t}
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := h.Command(t.Context(), name, args...).CombinedOutput()
		require.NoError(t, err, "%s %q: %s", name, args, out)
		return string(out)
	}
	run("sh", "-c", chroot)
	h.WriteFile("/run/fake/systemctl", []byte(systemctl))
	run("chmod", "755", "/run/fake/systemctl")
	dpkg := func(args ...string) string {
		t.Helper()
		return run("chroot", append([]string{"/run/root", "env", "PATH=/run/fake:/usr/sbin:/usr/bin:/sbin:/bin", "dpkg", "--log=/dev/null"}, args...)...)
	}
	install := func(file string) {
		t.Helper()
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		h.WriteFile("/run/hook.deb", content)
		dpkg("-i", "/run/hook.deb")
	}
	reloads := func() int {
		said, err := h.ReadFile("/run/systemctl")
		require.NoError(t, err)
		assert.NotContains(t, string(said), "start")
		return strings.Count(string(said), "reload libvirtd.service\n")
	}
	ops := func() (ops []string) {
		t.Helper()
		if !h.Exists(protocol.TypedFile) {
			return nil
		}
		for _, typed := range h.typed() {
			assert.Equal(t, "50-my", typed.Hook)
			ops = append(ops, typed.Op)
		}
		return ops
	}

	for _, driver := range []string{"qemu", "lxc", "network"} {
		h.Remove(driver)
	}
	h.Restart() // now it knows that there is none
	guest := h.Guest("web", libvirtd.Idle)
	guest.Start()
	guest.Destroy()
	assert.Empty(t, ops())

	before := len(h.CallsOf("daemon", "reload"))
	install(packagedHook(t, virthook, "1.0.0", ""))
	assert.Equal(t, 1, reloads())
	h.WaitFor("the package's reload", func() bool { return len(h.CallsOf("daemon", "reload")) > before })
	guest.Start()
	started := []string{"qemu/prepare", "qemu/start", "qemu/started"}
	assert.Equal(t, started, ops())

	install(packagedHook(t, virthook, "1.1.0", "1.1.0"))
	assert.Equal(t, 1, reloads(), "an upgrade needs none")
	assert.Equal(t, "1.1.0", run("tail", "-c", "5", "/etc/libvirt/hooks/qemu.d/50-my"))
	assert.True(t, guest.Running())
	guest.Destroy()
	all := append(started, "qemu/stopped", "qemu/release")
	assert.Equal(t, all, ops())

	dpkg("--remove", "virthook-my-base")
	guest.Start()
	guest.Destroy()
	assert.Equal(t, all, ops(), "nothing is called any more")
	assert.False(t, h.Exists("/etc/libvirt/hooks/qemu.d"))
	assert.False(t, h.Exists("/etc/libvirt/hooks/network.d"))
	assert.Equal(t, 1, reloads())
}
