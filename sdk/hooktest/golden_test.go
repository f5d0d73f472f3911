package hooktest_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

// titled is a filter that gives guests a title.
func titled(title string) sdk.Option {
	return sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { d.Title = title; return d, nil })
}

var refuses = sdk.OnQemuPrepareBegin(func(*libvirtxml.Domain) error { return errors.New("no\troom") })

// These files are in testdata, written by -update and read by people.
func TestGolden(t *testing.T) {
	t.Parallel()
	hooktest.Run(t, hooktest.QemuMigrateBegin(), titled("a <title>")).Golden("testdata/changed.golden")
	hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden("testdata/unchanged.golden")
	hooktest.Run(t, hooktest.QemuPrepareBegin(hooktest.Named("a\nb")), refuses).Golden("testdata/refused.golden")
	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho hello\necho ' x'\nprintf 'a\\nb\\n' >&2"), 0o755))
	hooktest.Exec(t, program, hooktest.QemuMigrateBegin()).Golden("testdata/junk.golden")
}

// Goldens are found from wherever the test has gone.
func TestGoldenElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden("testdata/unchanged.golden")
}

// notUpdating skips a test that is about files that are not updated.
func notUpdating(t *testing.T) {
	if flag.Lookup("update").Value.String() == "true" || os.Getenv("HOOKTEST_UPDATE") != "" {
		t.Skip("golden files are being updated")
	}
}

func TestGoldenFails(t *testing.T) {
	notUpdating(t)
	text := failure(t, func(t testing.TB) {
		hooktest.Run(t, hooktest.QemuMigrateBegin(), titled("b")).Golden("testdata/changed.golden")
	})
	assert.Equal(t, "qemu/migrate/begin of \"m1\": the answer is not that of testdata/changed.golden (- wanted, + got):\n"+
		"  call: qemu m1 migrate begin -\n  status: 0\n  changes:\n"+
		"-   /domain/title: added <title>a &lt;title&gt;</title>\n+   /domain/title: added <title>b</title>\n"+
		"if it is right: go test . -run '^TestGoldenFails$' -update", text)

	t.Run("it's missing", func(t *testing.T) {
		text := failure(t, func(t testing.TB) { hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden("testdata/none.golden") })
		assert.Equal(t, "qemu/migrate/begin of \"m1\": there is no testdata/none.golden yet; this makes it:\n"+
			`go test . -run '^TestGoldenFails$/^it'\''s_missing$' -update`+"\nwith:\ncall: qemu m1 migrate begin -\nstatus: 0\n", text)
	})
	dir := t.TempDir()
	assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden(dir) }), "reading the golden file: ")

	// A checkout with other line ends.
	file := filepath.Join(dir, "crlf.golden")
	require.NoError(t, os.WriteFile(file, []byte("call: qemu m1 migrate begin -\r\nstatus: 0\r\n"), 0o644))
	hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden(file)
}

// TestGoldenHelper is run by TestUpdate, in a process of its own.
func TestGoldenHelper(t *testing.T) {
	dir := os.Getenv("HOOKTEST_GOLDEN")
	if dir == "" {
		return // there is nothing to test but by TestUpdate
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				hooktest.Run(t, hooktest.QemuMigrateBegin(), titled(name)).Golden(filepath.Join(dir, "new", name+".golden"))
			}
			hooktest.Run(t, hooktest.QemuMigrateBegin()).Golden(filepath.Join(dir, "shared.golden"))
		})
	}
	if os.Getenv("HOOKTEST_CONFLICT") != "" {
		hooktest.Run(t, hooktest.QemuMigrateBegin(), titled("1")).Golden(filepath.Join(dir, "one.golden"))
		hooktest.Run(t, hooktest.QemuMigrateBegin(), titled("2")).Golden(filepath.Join(dir, "one.golden"))
	}
}

func TestUpdate(t *testing.T) {
	notUpdating(t)
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	run := func(env string, args ...string) (string, error) {
		c := exec.Command(self, append([]string{"-test.run", "^TestGoldenHelper$"}, args...)...)
		c.Env = append(os.Environ(), "HOOKTEST_GOLDEN="+dir, env)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := run("A=b")
	require.Error(t, err)
	assert.Contains(t, out, "a.golden yet; this makes it:\n")
	assert.NoDirExists(t, filepath.Join(dir, "new"))

	out, err = run("A=b", "-update")
	require.NoError(t, err, out)
	text, err := os.ReadFile(filepath.Join(dir, "new", "b.golden"))
	require.NoError(t, err)
	assert.Equal(t, "call: qemu m1 migrate begin -\nstatus: 0\nchanges:\n  /domain/title: added <title>b</title>\n", string(text))
	files, err := os.ReadDir(filepath.Join(dir, "new"))
	require.NoError(t, err)
	assert.Len(t, files, 4, "something else is left")
	out, err = run("A=b")
	require.NoError(t, err, out)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "new", "b.golden"), []byte("stale"), 0o644))
	_, err = run("A=b")
	require.Error(t, err)
	out, err = run("HOOKTEST_UPDATE=1")
	require.NoError(t, err, out)
	again, err := os.ReadFile(filepath.Join(dir, "new", "b.golden"))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again))

	out, err = run("HOOKTEST_CONFLICT=1", "-update")
	require.Error(t, err)
	assert.Contains(t, out, "one.golden: it was just written with another answer: give each its own file")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o644))
	dir = filepath.Join(dir, "file")
	out, err = run("A=b", "-update")
	require.Error(t, err)
	assert.Contains(t, out, "a.golden: ")
}
