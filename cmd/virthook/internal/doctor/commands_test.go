package doctor_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/doctor"
)

func finding(t *testing.T, r *doctor.Report, id string) doctor.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.ID == id {
			return f
		}
	}
	require.Fail(t, "no "+id, strings.Join(lines(r), "\n"))
	return doctor.Finding{}
}

// A restart is nothing to paste: it calls hooks for guests that run.
func TestProposesNoRestart(t *testing.T) {
	t.Parallel()
	for _, plant := range []func(h *host){
		func(h *host) { h.link("/usr/sbin/libvirtd (deleted)", "/proc/77/exe") },
		func(h *host) {
			h.write("/proc/77/maps", 0o444, "1-2 r--p 00000000 fd:01 1 "+libraries+"/libvirt.so.0.9000.0 (deleted)\n")
		},
	} {
		h := newHost(t)
		plant(h)
		f := finding(t, h.examine(), "daemon-outdated")
		assert.Empty(t, f.Mend)
		assert.Contains(t, f.Why, "a restart calls the hook reconnect for every running guest")
		assert.Contains(t, f.Why, "operator")
	}
}

// A hook of an old libvirt's is not overwritten, and only a hook takes its place.
func TestLift(t *testing.T) {
	t.Parallel()
	newOld := func() *host {
		h := newHost(t)
		h.library("6004.0", hooks, machine())
		h.write(hooks+"/qemu.d/10-not-executable", 0o644, script)
		h.write(hooks+"/qemu.d/20-backup~", 0o755, script)
		h.write(hooks+"/qemu.d/30-folder/x", 0o755, script)
		return h
	}
	h := newOld()
	f := finding(t, h.examine(), "driver-d-too-new")
	assert.Equal(t, "cp "+h.at(hooks+"/qemu.d/50-ours")+" "+h.at(hooks+"/qemu"), f.Mend)
	h.remove(hooks + "/qemu.d/50-ours")
	assert.Empty(t, finding(t, h.examine(), "driver-d-too-new").Mend, "none is a hook")

	for _, there := range []func(h *host){
		func(h *host) { h.write(hooks+"/qemu", 0o755, script) },
		func(h *host) { h.write(hooks+"/qemu", 0o644, script) },
		func(h *host) { h.link("/nowhere", hooks+"/qemu") },
	} {
		h := newOld()
		there(h)
		assert.Empty(t, finding(t, h.examine(), "driver-d-too-new").Mend)
	}
}

// What virthook installs it installs so that it can be taken away again.
func TestDriverLeftOut(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["both"]))
	ours := h.at(hooks + "/qemu.d/50-ours")
	assert.Equal(t, "virthook install "+ours+" --as network.d/50-ours --root "+h.root, finding(t, h.examine(), "driver-left-out").Mend)

	h.hooks = "/srv/the hooks"
	h.write(h.hooks+"/qemu", 0o755, string(built["both"]))
	assert.Equal(t, "virthook install '"+h.at(h.hooks+"/qemu")+"' --as network.d/50-hook --root "+h.root+" --hooks-dir '/srv/the hooks'",
		finding(t, h.examine(), "driver-left-out").Mend)

	h.hooks = ""
	h.library("6004.0", hooks, machine())
	h.write(hooks+"/qemu", 0o755, string(built["both"]))
	assert.Equal(t, "virthook install "+h.at(hooks+"/qemu")+" --as network --root "+h.root, finding(t, h.examine(), "driver-left-out").Mend)
}

// Names that mean something to the shell, to sed and to AppArmor are names all the same.
func TestCommandsQuote(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "apparmor_parser"), []byte("#!/bin/sh\n"), 0o700))
	run := func(command string) {
		t.Helper()
		cmd := exec.Command("sh", "-euc", command)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
		left, err := os.ReadDir(cmd.Dir)
		require.NoError(t, err)
		assert.Empty(t, left, command)
	}
	const odd = `it's;>x; & [a] {b} * | \t, "c"`

	h := newHost(t)
	h.appArmor("libvirtd")
	h.write("/etc/apparmor.d/local/usr.sbin.libvirtd", 0o644, "")
	profile, err := os.ReadFile(h.at("/etc/apparmor.d/usr.sbin.libvirtd"))
	require.NoError(t, err)
	h.write("/etc/apparmor.d/usr.sbin.libvirtd", 0o644, strings.TrimSuffix(string(profile), "}\n")+"  #include <local/usr.sbin.libvirtd>\n}\n")
	h.write("/opt/it's;>x&[a]{b}*\\t/python", 0o755, "")
	h.write(hooks+"/network", 0o755, "#!/opt/it's;>x&[a]{b}*\\t/python\n")
	f := finding(t, h.examine(), "apparmor")
	run(f.Mend)
	content, err := os.ReadFile(h.at("/etc/apparmor.d/local/usr.sbin.libvirtd"))
	require.NoError(t, err)
	assert.Equal(t, `/opt/it's;>x&\[a\]\{b\}\*\\t/python rmix,`+"\n", string(content))
	assert.Empty(t, lines(h.examine()))

	h.write("/etc/apparmor.d/local/usr.sbin.libvirtd", 0o644, "")
	h.library("11003.0", "/opt/"+odd+"/libvirt/hooks", machine())
	h.write("/opt/"+odd+"/libvirt/hooks/network", 0o755, script)
	h.remove(hooks)
	run(finding(t, h.examine(), "apparmor").Mend)
	content, err = os.ReadFile(h.at("/etc/apparmor.d/local/usr.sbin.libvirtd"))
	require.NoError(t, err)
	assert.Equal(t, `"/opt/it's;>x; & \[a\] \{b\} \* | \\t, \"c\"/libvirt/hooks/**" rmix,`+"\n", string(content))

	h = newHost(t)
	h.write(`/usr/bin/it's;>x&|\t3`, 0o755, "")
	h.write(hooks+"/network", 0o755, `#!/opt/it's;>x&|\t`+"\nexit 0\n")
	run(finding(t, h.examine(), "interpreter-missing").Mend)
	content, err = os.ReadFile(h.at(hooks + "/network"))
	require.NoError(t, err)
	assert.Equal(t, `#!/usr/bin/it's;>x&|\t3`+"\nexit 0\n", string(content))
	assert.Empty(t, lines(h.examine()))
}
