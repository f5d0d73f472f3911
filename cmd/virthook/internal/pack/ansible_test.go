package pack_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/pack"
)

// control is a machine from which ansible-playbook is run, and a root folder to
// which it installs.
type control struct {
	t                  *testing.T
	dir, root, reloads string
}

const describes = "#!/bin/sh\n[ \"$*\" = --describe ] && echo '{\"version\": 1, \"program\": \"PROGRAM\"}'\n"

func newControl(t *testing.T, hosts ...built) *control {
	c := &control{t: t, dir: t.TempDir(), root: t.TempDir()}
	c.reloads = filepath.Join(c.dir, "reloads")
	write := func(name, content string) {
		to := filepath.Join(c.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.WriteFile(to, []byte(content), 0o755))
	}
	// virtqemud runs, virtnetworkd does not.
	write("bin/systemctl", "#!/bin/sh\ncase \"$1 $2\" in\n'is-active virtqemud.service') echo active; exit ;;\nis-active*) echo inactive; exit 3 ;;\nesac\n[ ! -e "+c.dir+"/stuck ] || exit 1\ncase \"$1\" in\n*) echo \"$*\" >>"+c.reloads+" ;;\nesac\n")
	c.role(hosts...)
	write("site.yml", "- hosts: all\n  gather_facts: false\n  roles: [virthook_my]\n")
	write("ansible.cfg", "[defaults]\nlocal_tmp = "+c.dir+"/tmp\nremote_tmp = "+c.dir+"/tmp\n")
	var inventory strings.Builder
	for _, b := range hosts {
		inventory.WriteString(b.Host + " ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n")
	}
	inventory.WriteString("stranger ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n")
	write("inventory", inventory.String())
	return c
}

// role writes the role, or a new one in its place.
func (c *control) role(hosts ...built) {
	c.t.Helper()
	var read []*pack.Host
	for _, b := range hosts {
		b.Program = strings.Replace(describes, "PROGRAM", b.Program, 1)
		read = append(read, b.read(c.t))
	}
	all, err := pack.Packages(read, options)
	require.NoError(c.t, err)
	role, err := pack.NewRole(all, options)
	require.NoError(c.t, err)
	require.NoError(c.t, role.Write(filepath.Join(c.dir, "roles", role.Name)))
}

// play installs on a host, and says how many tasks have changed something.
func (c *control) play(host string, more ...string) (changed string, out string, err error) {
	c.t.Helper()
	ctx, stop := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer stop()
	args := []string{"-i", "inventory", "--limit", host, "-e", "virthook_root=" + c.root, "-e", "virthook_verify=true", "-e", "virthook_reload=true"}
	cmd := exec.CommandContext(ctx, "ansible-playbook", append(append(args, more...), "site.yml")...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PATH="+c.dir+"/bin:"+pathWithout("virthook"), "ANSIBLE_CONFIG="+c.dir+"/ansible.cfg", "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1", "HOME="+c.dir, "LC_ALL=C.UTF-8")
	raw, err := cmd.CombinedOutput()
	if m := regexp.MustCompile(`changed=(\d+)`).FindSubmatch(raw); m != nil {
		changed = string(m[1])
	}
	return changed, string(raw), err
}

// pathWithout is PATH but for the folders that have a program: the made-up host is not
// one where somebody has installed it.
func pathWithout(program string) string {
	folders := filepath.SplitList(os.Getenv("PATH"))
	return strings.Join(slices.DeleteFunc(folders, func(folder string) bool {
		_, err := os.Stat(filepath.Join(folder, program))
		return err == nil
	}), string(filepath.ListSeparator))
}

func (c *control) mustPlay(host string, more ...string) (changed string) {
	c.t.Helper()
	changed, out, err := c.play(host, more...)
	require.NoError(c.t, err, out)
	return changed
}

func (c *control) read(at string) string {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.root, pack.DefaultHooksDir, at))
	require.NoError(c.t, err)
	return string(content)
}

func (c *control) reloaded() string {
	text, _ := os.ReadFile(c.reloads)
	return string(text)
}

func TestAnsible(t *testing.T) {
	t.Parallel()
	needs(t, "ansible-playbook")
	one, two := built{Host: "hv-1", Program: "one"}, built{Host: "hv-2", Program: "two", Sets: []string{"gpu"}, Drivers: []string{"lxc"}}
	c := newControl(t, one, two)
	hooks := filepath.Join(c.root, pack.DefaultHooksDir)

	// Each host gets what is its own. Only the daemon that runs is reloaded, once.
	assert.NotEqual(t, "0", c.mustPlay("hv-1"))
	assert.Contains(t, c.read("qemu.d/50-my"), `"one"`)
	assert.Contains(t, c.read("network.d/50-my"), `"one"`)
	info, err := os.Lstat(hooks + "/qemu.d/50-my")
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o755), info.Mode())
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())

	assert.Equal(t, "0", c.mustPlay("hv-1"), "the second run changes nothing")
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())

	// An upgrade needs no reload. What was changed is mended, what is others' stays.
	require.NoError(t, os.WriteFile(hooks+"/qemu.d/10-other", []byte("foreign"), 0o755))
	one.Program = "three"
	c.role(one, two)
	assert.NotEqual(t, "0", c.mustPlay("hv-1"))
	assert.Contains(t, c.read("qemu.d/50-my"), `"three"`)
	require.NoError(t, os.Chmod(hooks+"/network.d/50-my", 0o644))
	assert.NotEqual(t, "0", c.mustPlay("hv-1"))
	info, err = os.Lstat(hooks + "/network.d/50-my")
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o755), info.Mode())
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())
	left, err := filepath.Glob(hooks + "/.[a-z]*")
	require.NoError(t, err)
	assert.Empty(t, left)

	// For another host, and so for other drivers.
	assert.NotEqual(t, "0", c.mustPlay("hv-1", "-e", "virthook_host=hv-2"))
	assert.Contains(t, c.read("lxc.d/50-my"), `"two"`)
	assert.NoFileExists(t, hooks+"/qemu.d/50-my")

	assert.NotEqual(t, "0", c.mustPlay("hv-1", "-e", "virthook_state=absent"))
	assert.NoFileExists(t, hooks+"/lxc.d/50-my")
	assert.Equal(t, "foreign", c.read("qemu.d/10-other"))
	assert.Equal(t, "0", c.mustPlay("hv-1", "-e", "virthook_state=absent"))
}

func TestAnsibleRefuses(t *testing.T) {
	t.Parallel()
	needs(t, "ansible-playbook")
	c := newControl(t, built{Host: "hv-1", Program: "one"})
	_, out, err := c.play("stranger")
	assert.Error(t, err)
	assert.Contains(t, out, "virthook has built nothing for stranger")
	assert.NoDirExists(t, c.root+"/etc")

	state := c.root + "/var/lib/virthook/packages/my"
	require.NoError(t, os.MkdirAll(filepath.Dir(state), 0o755))
	require.NoError(t, os.WriteFile(state, []byte("package x\n"), 0o644))
	_, out, err = c.play("hv-1")
	assert.Error(t, err)
	assert.Contains(t, out, "a deb or rpm has installed my here")
	require.NoError(t, os.Remove(state))

	// What does not answer is found.
	role := filepath.Join(c.dir, "roles/virthook_my")
	mute := built{Host: "hv-1", Program: "#!/bin/sh\nexit 1\n"}
	all, err := pack.Packages([]*pack.Host{mute.read(t)}, options)
	require.NoError(t, err)
	r, err := pack.NewRole(all, options)
	require.NoError(t, err)
	require.NoError(t, r.Write(role))
	_, out, err = c.play("hv-1")
	assert.Error(t, err)
	assert.Contains(t, out, "Ask the hook what it handles")

	// The folder of somebody else's role stays.
	require.NoError(t, os.Remove(role+"/.virthook-role"))
	assert.ErrorContains(t, r.Write(role), "virthook package has not made this")
}

// TestAnsibleReloads holds that a reload that is due is made up for, and what is no hook
// for libvirt is none for the role.
func TestAnsibleReloads(t *testing.T) {
	t.Parallel()
	needs(t, "ansible-playbook")
	c := newControl(t, built{Host: "hv-1", Program: "one", Drivers: []string{"qemu"}})
	hooks := filepath.Join(c.root, pack.DefaultHooksDir)
	note := hooks + "/.virthook-50-my.reload"
	require.NoError(t, os.MkdirAll(hooks+"/qemu.d", 0o755))
	require.NoError(t, os.WriteFile(c.root+"/plain", nil, 0o644))
	require.NoError(t, os.Symlink("nowhere", hooks+"/qemu.d/10-dangling"))
	require.NoError(t, os.Symlink(c.root+"/plain", hooks+"/qemu.d/20-plain"))

	// Nobody has reloaded, and then it failed.
	later := []string{"-e", "virthook_root=", "-e", "virthook_hooks_dir=" + hooks, "-e", "virthook_reload=false"}
	c.mustPlay("hv-1", later...)
	assert.Contains(t, c.read("qemu.d/50-my"), `"one"`)
	assert.Equal(t, "0", c.mustPlay("hv-1", later...))
	assert.FileExists(t, note)
	stuck := filepath.Join(c.dir, "stuck")
	require.NoError(t, os.WriteFile(stuck, nil, 0o644))
	_, out, err := c.play("hv-1")
	assert.Error(t, err, out)
	assert.FileExists(t, note)
	assert.Empty(t, c.reloaded())

	require.NoError(t, os.Remove(stuck))
	c.mustPlay("hv-1")
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())
	assert.NoFileExists(t, note)
	assert.Equal(t, "0", c.mustPlay("hv-1"))
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())

	// A link to a program is a hook.
	at := hooks + "/qemu.d/50-my"
	require.NoError(t, os.Rename(at, c.root+"/program"))
	require.NoError(t, os.Symlink(c.root+"/program", hooks+"/qemu.d/30-program"))
	c.mustPlay("hv-1")
	assert.Equal(t, "reload virtqemud.service\n", c.reloaded())

	// Into a folder nothing is moved.
	require.NoError(t, os.Remove(at))
	require.NoError(t, os.Mkdir(c.root+"/folder", 0o755))
	require.NoError(t, os.Symlink(c.root+"/folder", at))
	_, out, err = c.play("hv-1")
	assert.Error(t, err)
	assert.Contains(t, out, "50-my is in the way, and a link to a folder")
	inside, err := os.ReadDir(c.root + "/folder")
	require.NoError(t, err)
	assert.Empty(t, inside)

	require.NoError(t, os.Chmod(hooks+"/qemu.d", 0o775))
	_, out, err = c.play("hv-1")
	assert.Error(t, err)
	assert.Contains(t, out, "qemu.d has to be a folder of root to which others cannot write")
}

// TestRoleIsForAll is not parallel: the umask is the process's.
func TestRoleIsForAll(t *testing.T) {
	read := built{Host: "a", Program: "a"}.read(t)
	all, err := pack.Packages([]*pack.Host{read}, options)
	require.NoError(t, err)
	role, err := pack.NewRole(all, options)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "role")
	before := syscall.Umask(0o077)
	err = role.Write(dir)
	syscall.Umask(before)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := e.Info()
		require.NoError(t, err)
		want := fs.FileMode(0o644)
		if e.IsDir() || strings.Contains(name, "/files/") {
			want = 0o755
		}
		assert.Equal(t, want, info.Mode().Perm(), name)
		return nil
	}))
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestRoleIsOfOneProject(t *testing.T) {
	t.Parallel()
	all, err := pack.Packages([]*pack.Host{built{Host: "a", Program: "a"}.read(t), built{Host: "b", Program: "b", Name: "other"}.read(t)}, options)
	require.NoError(t, err)
	_, err = pack.NewRole(all, options)
	assert.ErrorContains(t, err, "are of two projects, my and other")
}
