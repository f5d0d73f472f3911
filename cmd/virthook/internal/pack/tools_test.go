package pack_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/pack"
	"github.com/virthook/virthook/internal/hookexec"
)

// needs skips a test where the tools are not: make integration installs them.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, whose files the packages' are")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
}

func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return out
}

// image is a root folder, for dpkg or rpm.
type image struct {
	t    *testing.T
	root string
	rpm  bool
}

func newImage(t *testing.T, format string) image {
	i := image{t, t.TempDir(), format == "rpm"}
	if i.rpm {
		// rpm changes its root for the scripts.
		i.copyPrograms("sh", "cat", "chmod", "chown", "cp", "cut", "id", "mkdir", "mv", "rm", "rmdir", "sha256sum", "stat", "sync")
		require.NoError(t, os.MkdirAll(i.root+"/dev", 0o755))
		require.NoError(t, os.WriteFile(i.root+"/dev/null", nil, 0o666))
		return i
	}
	for _, folder := range []string{"updates", "info", "triggers"} {
		require.NoError(t, os.MkdirAll(i.root+"/var/lib/dpkg/"+folder, 0o755))
	}
	require.NoError(t, os.WriteFile(i.root+"/var/lib/dpkg/status", nil, 0o644))
	return i
}

// copyPrograms copies programs and the libraries that they need.
func (i image) copyPrograms(names ...string) {
	i.t.Helper()
	for _, name := range names {
		program, err := exec.LookPath(name)
		require.NoError(i.t, err)
		i.copy(program, "/bin/"+name)
		for word := range strings.FieldsSeq(must(i.t, "ldd", program)) {
			if strings.HasPrefix(word, "/") && !exists(i.root+word) {
				i.copy(word, word)
			}
		}
	}
}

func (i image) copy(from, to string) {
	i.t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(i.t, err)
	require.NoError(i.t, os.MkdirAll(filepath.Dir(i.root+to), 0o755))
	require.NoError(i.t, os.WriteFile(i.root+to, content, 0o755))
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

func (i image) install(file string) (string, error) {
	i.t.Helper()
	if i.rpm {
		return run(i.t, "rpm", "--root", i.root, "--nodeps", "--force-debian", "-U", "--oldpackage", file)
	}
	return run(i.t, "dpkg", "--root="+i.root, "--force-script-chrootless", "--log=/dev/null", "-i", file)
}

func (i image) mustInstall(file string) {
	i.t.Helper()
	out, err := i.install(file)
	require.NoError(i.t, err, out)
}

func (i image) remove(name string) (said string) {
	i.t.Helper()
	if i.rpm {
		return must(i.t, "rpm", "--root", i.root, "--force-debian", "-e", name)
	}
	return must(i.t, "dpkg", "--root="+i.root, "--force-script-chrootless", "--log=/dev/null", "--remove", name)
}

func (i image) hooks() string { return i.root + pack.DefaultHooksDir }

// left are the files and folders of ours that there are.
func (i image) left() (names []string) {
	i.t.Helper()
	for _, folder := range []string{"etc/libvirt", "usr/lib/virthook", "usr/share/doc", "var/lib/virthook"} {
		err := filepath.WalkDir(filepath.Join(i.root, folder), func(name string, e fs.DirEntry, err error) error {
			if name := strings.TrimPrefix(name, i.root); err == nil && name != "/usr/share/doc" {
				names = append(names, name)
			}
			return nil
		})
		require.NoError(i.t, err)
	}
	return names
}

// read is what the hook of a driver is.
func (i image) read(at string) string {
	i.t.Helper()
	content, err := os.ReadFile(filepath.Join(i.hooks(), at))
	require.NoError(i.t, err)
	return string(content)
}

func make1(t *testing.T, format, version string, b built) string {
	t.Helper()
	return make1In(t, pack.DefaultHooksDir, format, version, b)
}

func make1In(t *testing.T, hooksDir, format, version string, b built) string {
	t.Helper()
	o := options
	o.Version, o.HooksDir = version, hooksDir
	all, err := pack.Packages([]*pack.Host{b.read(t)}, o)
	require.NoError(t, err)
	name, content, err := all[0].Linux(format, o)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, content, 0o644))
	return file
}

// hook is a program that says its version when all of it is there.
func hook(version string) string {
	filler := make([]byte, 1<<18)
	_, _ = rand.Read(filler)
	return "#!/bin/sh\n: " + hex.EncodeToString(filler) + "\necho " + version + "\n"
}

func eachFormat(t *testing.T, test func(t *testing.T, format string)) {
	for _, format := range pack.Formats {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			needs(t, map[string]string{"deb": "dpkg", "rpm": "rpm"}[format])
			test(t, format)
		})
	}
}

// TestPackageLife is installed, upgraded, mended, moved to other drivers and removed.
func TestPackageLife(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		require.NoError(t, os.MkdirAll(i.hooks()+"/network.d", 0o755))
		foreign := i.hooks() + "/network.d/10-other"
		require.NoError(t, os.WriteFile(foreign, []byte("foreign"), 0o755))

		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		for _, driver := range []string{"qemu", "network"} {
			assert.Equal(t, "one", i.read(driver+".d/50-my"))
			info, err := os.Lstat(i.hooks() + "/" + driver + ".d/50-my")
			require.NoError(t, err)
			assert.Equal(t, fs.FileMode(0o755), info.Mode())
		}
		i.mustInstall(make1(t, format, "1.0.1", built{Host: "a", Program: "two"}))
		assert.Equal(t, "two", i.read("qemu.d/50-my"))

		// Somebody has taken it away, and changed the mode.
		require.NoError(t, os.Remove(i.hooks()+"/qemu.d/50-my"))
		require.NoError(t, os.Chmod(i.hooks()+"/network.d/50-my", 0o600))
		i.mustInstall(make1(t, format, "1.0.2", built{Host: "a", Program: "two", Sets: []string{"base"}}))
		assert.Equal(t, "two", i.read("qemu.d/50-my"))
		info, err := os.Lstat(i.hooks() + "/network.d/50-my")
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o755), info.Mode())

		i.mustInstall(make1(t, format, "1.0.3", built{Host: "a", Program: "two", Drivers: []string{"lxc", "network"}}))
		assert.Equal(t, "two", i.read("lxc.d/50-my"))
		assert.NoDirExists(t, i.hooks()+"/qemu.d")

		i.remove("virthook-my-base")
		assert.Equal(t, []string{"/etc/libvirt", "/etc/libvirt/hooks", "/etc/libvirt/hooks/network.d", "/etc/libvirt/hooks/network.d/10-other"}, i.left())
		assert.Equal(t, "foreign", i.read("network.d/10-other"))
	})
}

// TestPackageLeavesNothing is of a host that had no hooks folder.
func TestPackageLeavesNothing(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		assert.NotEmpty(t, i.left())
		i.remove("virthook-my-base")
		if format == "deb" {
			assert.Empty(t, must(t, "dpkg-query", "--admindir="+i.root+"/var/lib/dpkg", "-W"))
		}
		assert.Empty(t, i.left())
	})
}

// TestPackageRefusesForeign holds that what others have put there stays, and that
// nothing is changed when it is in the way.
func TestPackageRefusesForeign(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		at := i.hooks() + "/qemu.d/50-my"
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte("foreign"), 0o755))
		out, err := i.install(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		assert.Error(t, err)
		assert.Contains(t, out, "/etc/libvirt/hooks/qemu.d/50-my is in the way")
		assert.NoFileExists(t, i.hooks()+"/network.d/50-my")
		assert.Equal(t, "foreign", i.read("qemu.d/50-my"))

		// A link is not a file of ours, wherever it leads to.
		require.NoError(t, os.Remove(at))
		require.NoError(t, os.WriteFile(i.root+"/one", []byte("one"), 0o755))
		require.NoError(t, os.Symlink("../../../../one", at))
		_, err = i.install(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		assert.Error(t, err)

		// The same content is no obstacle. What was changed later is: an upgrade is refused,
		// and a removal leaves it.
		require.NoError(t, os.Remove(at))
		require.NoError(t, os.WriteFile(at, []byte("one"), 0o755))
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		require.NoError(t, os.WriteFile(at, []byte("changed"), 0o755))
		_, err = i.install(make1(t, format, "1.0.1", built{Host: "a", Program: "two"}))
		assert.Error(t, err)
		assert.Equal(t, "one", i.read("network.d/50-my"))
		i.remove("virthook-my-base")
		assert.Equal(t, "changed", i.read("qemu.d/50-my"))
		assert.NoFileExists(t, i.hooks()+"/network.d/50-my")
	})
}

// TestPackageRefusesOpenFolders holds that no hook is put where others could put theirs.
func TestPackageRefusesOpenFolders(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		require.NoError(t, os.MkdirAll(i.hooks()+"/qemu.d", 0o755))
		file := make1(t, format, "1.0.0", built{Host: "a", Program: "one"})
		for _, c := range []struct {
			folder string
			mode   fs.FileMode
			uid    int
			want   string
		}{
			{"", 0o775, 0, "others can write to /etc/libvirt/hooks,"},
			{"", 0o755, 1, "/etc/libvirt/hooks belongs to user 1,"},
			{"/qemu.d", 0o757, 0, "others can write to /etc/libvirt/hooks/qemu.d,"},
			{"/qemu.d", 0o755, 1, "/etc/libvirt/hooks/qemu.d belongs to user 1,"},
		} {
			folder := i.hooks() + c.folder
			require.NoError(t, os.Chmod(folder, c.mode))
			require.NoError(t, os.Chown(folder, c.uid, 0))
			out, err := i.install(file)
			assert.Error(t, err, c.want)
			assert.Contains(t, out, c.want)
			require.NoError(t, os.Chmod(folder, 0o755))
			require.NoError(t, os.Chown(folder, 0, 0))
		}
		assert.NoFileExists(t, i.hooks()+"/qemu.d/50-my")
		assert.NoDirExists(t, i.hooks()+"/network.d")
		i.mustInstall(file)
	})
}

// TestPackageRemovesItsFolders and no others, however deep they are.
func TestPackageRemovesItsFolders(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		const hooksDir = "/srv/a/b/hooks"
		i.mustInstall(make1In(t, hooksDir, format, "1.0.0", built{Host: "a", Program: "one"}))
		assert.FileExists(t, i.root+hooksDir+"/qemu.d/50-my")
		i.remove("virthook-my-base")
		assert.NoDirExists(t, i.root+"/srv")

		require.NoError(t, os.MkdirAll(i.hooks()+"/qemu.d", 0o755))
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one", Drivers: []string{"qemu", "lxc"}}))
		i.mustInstall(make1(t, format, "1.0.1", built{Host: "a", Program: "one", Drivers: []string{"network"}}))
		assert.DirExists(t, i.hooks()+"/qemu.d")
		assert.NoDirExists(t, i.hooks()+"/lxc.d")
	})
}

// TestPackageNamesWhatStays when somebody has put something else in the hook's place.
func TestPackageNamesWhatStays(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one", Drivers: []string{"qemu", "network", "lxc"}}))
		for _, driver := range []string{"qemu", "network", "lxc"} {
			require.NoError(t, os.Remove(i.hooks()+"/"+driver+".d/50-my"))
		}
		require.NoError(t, os.Symlink("nowhere", i.hooks()+"/qemu.d/50-my"))
		require.NoError(t, os.Mkdir(i.hooks()+"/network.d/50-my", 0o755))
		said := i.remove("virthook-my-base")
		assert.Contains(t, said, "/etc/libvirt/hooks/qemu.d/50-my was changed")
		assert.Contains(t, said, "/etc/libvirt/hooks/network.d/50-my was changed")
		assert.NotContains(t, said, "lxc")
		assert.True(t, exists(i.hooks()+"/qemu.d/50-my"))
	})
}

// TestPackageAfterAKill begins where a maintainer script was killed: some of the hooks are
// of the version before, and both are noted.
func TestPackageAfterAKill(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		state := i.root + "/var/lib/virthook/packages/my"
		text, err := os.ReadFile(state)
		require.NoError(t, err)
		i.mustInstall(make1(t, format, "1.0.1", built{Host: "a", Program: "two"}))
		now, err := os.ReadFile(state)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(state, append(text, now...), 0o644))
		require.NoError(t, os.WriteFile(i.hooks()+"/qemu.d/50-my", []byte("one"), 0o755))
		require.NoError(t, os.WriteFile(i.hooks()+"/.virthook-50-my.new", []byte("tw"), 0o755))
		i.mustInstall(make1(t, format, "1.0.2", built{Host: "a", Program: "three"}))
		assert.Equal(t, "three", i.read("qemu.d/50-my"))
		assert.Equal(t, "three", i.read("network.d/50-my"))
		assert.NoFileExists(t, i.hooks()+"/.virthook-50-my.new")
	})
}

// TestOnePackageOfAHook holds that a host has one of the packages of a project, and
// that with rpm, which can change over in one run, the old one takes nothing away.
func TestOnePackageOfAHook(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		i.mustInstall(make1(t, format, "1.0.0", built{Host: "a", Program: "one"}))
		other := make1(t, format, "1.0.0", built{Host: "b", Program: "two", Sets: []string{"gpu"}})
		if format == "deb" {
			out, err := i.install(other)
			assert.Error(t, err)
			assert.Contains(t, out, "virthook-my-base conflicts with virthook-my")
			return
		}
		out, err := run(t, "rpm", "--root", i.root, "--force-debian", "-U", other)
		assert.Error(t, err)
		assert.Contains(t, out, "conflicts with")
		i.mustInstall(other) // as in a swap, which installs and then erases
		i.remove("virthook-my-base")
		assert.Equal(t, "two", i.read("qemu.d/50-my"))
		i.remove("virthook-my-gpu")
		assert.NoFileExists(t, i.hooks()+"/qemu.d/50-my")
	})
}

// watch runs the hooks as libvirt does, again and again, and gathers what they say.
func (i image) watch(done <-chan struct{}) (calls int, odd []string) {
	for {
		select {
		case <-done:
			return calls, odd
		default:
		}
		outcome, err := hookexec.Chain(i.t.Context(), i.hooks(), hookexec.Call{Driver: "qemu", Object: "web", Op: "start", SubOp: "begin", Extra: "-"}, false)
		said := ""
		if err != nil {
			said = err.Error()
		}
		for _, r := range outcome.Results {
			said += fmt.Sprintf("%s %d %s%s;", filepath.Base(r.Path), r.Status, r.Stdout, r.Stderr)
		}
		calls++
		if said != "50-my 0 v1\n;" && said != "50-my 0 v2\n;" && !slices.Contains(odd, said) {
			odd = append(odd, said)
		}
	}
}

// TestPackageUpgradeIsOneStep fires the hook in a loop while it is upgraded: there is one
// at any moment, whole, old or new.
func TestPackageUpgradeIsOneStep(t *testing.T) {
	t.Parallel()
	eachFormat(t, func(t *testing.T, format string) {
		i := newImage(t, format)
		files := []string{
			make1(t, format, "1.0.0", built{Host: "a", Program: hook("v1")}),
			make1(t, format, "1.0.1", built{Host: "a", Program: hook("v2")}),
		}
		i.mustInstall(files[0])
		calls, odd := i.whileWatched(func() {
			for n := range 4 {
				i.mustInstall(files[(n+1)%2])
			}
		})
		assert.Empty(t, odd)
		assert.Greater(t, calls, 6)
		t.Logf("%d calls", calls)
	})
}

func (i image) whileWatched(do func()) (calls int, odd []string) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		calls, odd = i.watch(done)
	}()
	do()
	close(done)
	<-ended
	return calls, odd
}

// TestWatchSeesDpkg is why the packages are as they are: of a deb that has the hook in
// DRIVER.d itself, libvirt runs dpkg's temporary file too.
func TestWatchSeesDpkg(t *testing.T) {
	t.Parallel()
	needs(t, "dpkg")
	i := newImage(t, "deb")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/filler", make([]byte, 64<<20), 0o644))
	var debs []string
	for _, version := range []string{"v1", "v2"} {
		require.NoError(t, os.WriteFile(dir+"/"+version, []byte(hook(version)), 0o755))
		deb1 := filepath.Join(dir, version+".deb")
		f, err := os.Create(deb1)
		require.NoError(t, err)
		require.NoError(t, deb.Default.Package(nfpm.WithDefaults(&nfpm.Info{
			Name: "naive", Version: version[1:], VersionSchema: "none", Arch: "amd64", Maintainer: "a <a@example.com>", Description: "a",
			Overridables: nfpm.Overridables{Contents: files.Contents{
				{Source: dir + "/" + version, Destination: "/etc/libvirt/hooks/qemu.d/50-my", FileInfo: &files.ContentFileInfo{Mode: 0o755}},
				// dpkg renames when it has unpacked all.
				{Source: dir + "/filler", Destination: "/usr/share/filler"},
			}},
		}), f))
		require.NoError(t, f.Close())
		debs = append(debs, deb1)
	}
	i.mustInstall(debs[0])
	_, odd := i.whileWatched(func() { i.mustInstall(debs[1]) })
	assert.Contains(t, strings.Join(odd, "\n"), "50-my.dpkg-new")
	t.Logf("%q", odd)
}
