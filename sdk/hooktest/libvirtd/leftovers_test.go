//go:build integration

package libvirtd_test

import (
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest/libvirtd"
)

// dieVariable makes [TestMustDie] end a test process the hard way.
const dieVariable = "VIRTHOOK_TEST_DIE"

// TestMustDie is the process that [TestNothingIsLeft] starts: it has a guest and a
// container run, and then ends without a chance to clean up.
func TestMustDie(t *testing.T) {
	how := os.Getenv(dieVariable)
	if how == "" {
		return // it is no test of its own
	}
	d := libvirtd.Start(t)
	d.Guest("web", libvirtd.Idle).Start()
	if !d.Session() {
		d.Network("leftover").Start()
		d.Container("box", []string{"/bin/sleep", "1000"}).Start()
	}
	switch how {
	case "panic":
		panic("as asked")
	case "panic elsewhere":
		go func() { panic("as asked") }()
		select {}
	case "kill":
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGKILL))
	case "interrupt":
		require.NoError(t, syscall.Kill(0, syscall.SIGINT)) // the group, as a terminal does
		select {}
	}
}

// However a test ends, no process, mount, control group or bridge of its daemon
// outlives it.
func TestNothingIsLeft(t *testing.T) {
	for _, how := range []string{"nothing", "panic", "panic elsewhere", "kill", "interrupt"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			test := exec.Command("/proc/self/exe", "-test.run", "^TestMustDie$")
			temp := t.TempDir()
			test.Env = append(os.Environ(), dieVariable+"="+how, "TMPDIR="+temp)
			test.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, err := test.CombinedOutput()
			assert.Equal(t, how == "nothing", err == nil, "%s", out)

			// The temporary folder names what belongs to that test.
			deadline := time.Now().Add(time.Minute)
			for left := leftovers(t, temp); len(left) > 0; left = leftovers(t, temp) {
				if !time.Now().Before(deadline) {
					t.Fatalf("%s: left behind: %q", how, left)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	t.Cleanup(func() {
		groups, err := filepath.Glob("/sys/fs/cgroup/*/machine*/*box*")
		assert.NoError(t, err)
		assert.Empty(t, groups)
		_, err = net.InterfaceByName("vhleftover")
		assert.Error(t, err, "the bridge is on the machine itself")
	})
}

// leftovers are the processes whose program is below the folder, whose control
// groups are named after such a process, and mounts.
func leftovers(t *testing.T, folder string) (found []string) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range processes {
		if exe, err := os.Readlink(p + "/exe"); err == nil && strings.HasPrefix(exe, folder) {
			found = append(found, p+" "+exe)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	found = append(found, regexp.MustCompile(`(?m)^.*libvirt.*$`).FindAllString(string(mounts), -1)...)
	groups, err := filepath.Glob("/sys/fs/cgroup/*/virthook-*")
	require.NoError(t, err)
	more, err := filepath.Glob("/sys/fs/cgroup/virthook-*")
	require.NoError(t, err)
	for _, g := range append(groups, more...) {
		// Of a supervisor that lives a group is in use, by another test perhaps.
		pid := g[strings.LastIndex(g, "-")+1:]
		if _, err := os.Stat("/proc/" + pid); os.IsNotExist(err) {
			if _, err := os.Stat(g); !os.IsNotExist(err) {
				found = append(found, g)
			}
		}
	}
	return found
}

// The machine's own folders are as they were.
func TestMachineIsNotTouched(t *testing.T) {
	list := func() (paths []string) {
		for _, root := range []string{"/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt", "/run/libvirt"} {
			_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
				if err == nil {
					paths = append(paths, path)
				}
				return nil
			})
		}
		return paths
	}
	before := list()
	d := libvirtd.Start(t)
	d.Guest("web", libvirtd.Idle).Start()
	assert.Equal(t, before, list())
}
