package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/virthook/virthook/internal/hookexec"
)

// Whatever drivers a project has, its files are right in themselves: Go that parses, no
// line that a template has left behind.
func TestNewFilesOfAllDrivers(t *testing.T) {
	for i := 1; i < 1<<len(allSamples); i++ {
		p := project{Module: "example.com/x", Name: "x", Version: "v1.2.3"}
		for bit, driver := range allSamples {
			if i&(1<<bit) != 0 {
				p.Drivers = append(p.Drivers, driver)
			}
		}
		files, err := p.files()
		require.NoError(t, err, "%s", p.Drivers)
		handlers := 0
		for name, content := range files {
			if strings.HasPrefix(name, "hooks/") {
				handlers++
			}
			where := fmt.Sprintf("%s of %s:\n%s", name, p.Drivers, content)
			assert.NotRegexp(t, `\{\{(-|\.|if|else|end|range)`, string(content), where)
			assert.NotContains(t, string(content), "<no value>", where)
			assert.NotContains(t, string(content), "\n\n\n", where)
			assert.NotRegexp(t, `[ \t]\n`, string(content), where)
			assert.Regexp(t, `[^\n]\n$`, string(content), where)
		}
		assert.Equal(t, 2*len(p.Packages()), handlers, "%s", p.Drivers)
		for _, pkg := range p.Packages() {
			assert.Contains(t, files, "hooks/"+pkg+"/"+pkg+".go")
			assert.Contains(t, files, "hooks/"+pkg+"/"+pkg+"_test.go")
			for _, file := range []string{"main.go", "README.md", "virthook.yaml"} {
				assert.Contains(t, string(files[file]), "hooks/"+pkg, "%s of %s", file, p.Drivers)
			}
		}
	}
}

func TestNewNeedsTheGoOfOurModule(t *testing.T) {
	content, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	mod, err := modfile.Parse("go.mod", content, nil)
	require.NoError(t, err)
	assert.Equal(t, mod.Go.Version, ourGo)
}

// Where a project gets virthook from, by how this one was built. A module proxy of
// folders stands in for the public one.
func TestNewFromEveryBuild(t *testing.T) {
	folders, err := goFolders()
	require.NoError(t, err)
	root := filepath.Dir(folders[2])
	dir := t.TempDir()
	publish(t, root, filepath.Join(dir, "proxy"), "v0.9.1")
	env := append(os.Environ(), "GOFLAGS=-trimpath -modcacherw -buildvcs=false", "GOWORK=off", "GOSUMDB=off",
		"GOMODCACHE="+filepath.Join(dir, "modules"), "GOBIN="+filepath.Join(dir, "bin"),
		"GOPROXY=file://"+filepath.Join(dir, "proxy")+",file://"+filepath.Join(folders[1], "cache", "download"))
	run := func(in, program string, args ...string) (string, error) {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Env = in, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	build := func(to string, args ...string) string {
		to = filepath.Join(dir, to)
		out, err := run(root, "go", append(append([]string{"build", "-o", to}, args...), "./cmd/virthook")...)
		require.NoError(t, err, out)
		return to
	}
	goMod := func(project string) string {
		content, err := os.ReadFile(filepath.Join(dir, project, "go.mod"))
		require.NoError(t, err)
		return string(content)
	}

	trimmed := build("trimmed")
	out, err := run(dir, trimmed, "new", "nowhere")
	assert.Error(t, err)
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
	assert.Contains(t, out, "give --checkout DIR")
	assert.NoDirExists(t, filepath.Join(dir, "nowhere"))
	out, err = run(dir, trimmed, "new", "told", "--checkout", root)
	require.NoError(t, err, out)
	assert.Contains(t, goMod("told"), "replace "+ourModule+" => ")

	// In the checkout itself: here one of a single file.
	inside := filepath.Join(dir, "fake", "bin", "virthook")
	require.NoError(t, os.MkdirAll(filepath.Dir(inside), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fake", "go.mod"), []byte("module "+ourModule+"\n"), 0o644))
	require.NoError(t, os.Link(trimmed, inside))
	out, _ = run(dir, inside, "new", "nothing")
	assert.Contains(t, out, "go mod tidy: ", "it has found the folder, which lacks the packages")
	assert.NoDirExists(t, filepath.Join(dir, "nothing"))

	release := build("release", "-ldflags", "-X main.release=v0.9.1")
	out, err = run(dir, release, "--version")
	require.NoError(t, err, out)
	assert.Equal(t, "virthook v0.9.1\n", out)
	released := func(program, project string) {
		out, err := run(dir, program, "new", project)
		require.NoError(t, err, out)
		assert.NotContains(t, out, root)
		assert.Contains(t, goMod(project), ourModule+" v0.9.1\n")
		assert.NotContains(t, goMod(project), "replace")
		sums, err := os.ReadFile(filepath.Join(dir, project, "go.sum"))
		require.NoError(t, err)
		assert.Contains(t, string(sums), ourModule+" v0.9.1 h1:")
		workflow, err := os.ReadFile(filepath.Join(dir, project, ".github", "workflows", "test.yml"))
		require.NoError(t, err)
		assert.Contains(t, string(workflow), "go install "+ourModule+"/cmd/virthook@v0.9.1\n")
		out, err = run(filepath.Join(dir, project), "go", "build", "./...")
		require.NoError(t, err, out)
	}
	released(release, "released")

	out, err = run(dir, "go", "install", ourModule+"/cmd/virthook@v0.9.1")
	require.NoError(t, err, out)
	released(filepath.Join(dir, "bin", "virthook"), "installed")

	require.NoError(t, os.Rename(filepath.Join(dir, "proxy"), filepath.Join(dir, "gone")))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "modules")))
	out, err = run(dir, release, "new", "too-new")
	assert.Error(t, err)
	assert.Contains(t, out, "go mod tidy: ")
	assert.Contains(t, out, ourModule+"@v0.9.1")
	assert.Equal(t, 1, strings.Count(out, "\n"), out)
	left, err := filepath.Glob(filepath.Join(dir, ".virthook-new-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestReleaseMustBeAVersion(t *testing.T) {
	t.Cleanup(func() { release = "" })
	for _, release = range []string{"1.2.3", "v1", "v1.2.3+dirty", "(devel)"} {
		_, _, err := source("")
		assert.ErrorContains(t, err, "release "+hookexec.Quote(release)+", which is no version")
	}
}

// An interrupt while the go command works leaves nothing, in a folder of ours or in one
// that was there.
func TestNewInterrupted(t *testing.T) {
	tools, parent := t.TempDir(), t.TempDir()
	begun := filepath.Join(tools, "begun")
	require.NoError(t, syscall.Mkfifo(begun, 0o600))
	script := "#!/bin/sh\n[ $1 != env ] || exit 0\necho >" + begun + "\nexec sleep 600\n"
	require.NoError(t, os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o755))
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	empty := filepath.Join(parent, "empty")
	require.NoError(t, os.Mkdir(empty, 0o755))

	for _, dir := range []string{empty, filepath.Join(parent, "x")} {
		ctx, interrupt := context.WithCancelCause(t.Context())
		go func() {
			_, err := os.ReadFile(begun) // when the script has opened it
			assert.NoError(t, err)
			interrupt(errors.New("interrupted"))
		}()
		err := create(ctx, dir, dir == empty, map[string][]byte{"go.mod": []byte("module x\n"), "a/b": nil})
		assert.EqualError(t, err, "interrupted")
		entries, err := os.ReadDir(empty)
		require.NoError(t, err)
		assert.Empty(t, entries)
		entries, err = os.ReadDir(parent)
		require.NoError(t, err)
		assert.Len(t, entries, 1)
	}
}

func TestMoveIntoIsAllOrNothing(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{"a", "b/c", "d"} {
		name = filepath.Join(from, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte("new"), 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(to, "d"), []byte("theirs"), 0o644))
	assert.EqualError(t, moveInto(to, from), "d is in the way")
	entries, err := os.ReadDir(to)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	content, err := os.ReadFile(filepath.Join(to, "d"))
	require.NoError(t, err)
	assert.Equal(t, "theirs", string(content))
}

func TestFirstProblem(t *testing.T) {
	failed := errors.New("exit status 1")
	for said, want := range map[string]string{
		"":                       "exit status 1",
		"go: downloading a v1\n": "exit status 1",
		"go: finding module for a\ngo: found a\ngo: x imports\n\ty: no\ngo: z imports\n": "x imports y: no",
		"main.go:8:2: no package a\n":  "main.go:8:2: no package a",
		"go: updates to go.mod needed": "updates to go.mod needed",
	} {
		assert.Equal(t, want, firstProblem(said, failed), "%q", said)
	}
}

// publish puts this module into a folder that serves as a module proxy. Tests are left
// out, and so is what the go command leaves out.
func publish(t *testing.T, root, proxy, version string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	var files []modzip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() && !strings.Contains(name, "testdata/") {
			files = append(files, moduleFile{root, name})
		}
	}
	to := filepath.Join(proxy, filepath.FromSlash(ourModule), "@v")
	require.NoError(t, os.MkdirAll(to, 0o755))
	z, err := os.Create(filepath.Join(to, version+".zip"))
	require.NoError(t, err)
	defer z.Close()
	require.NoError(t, modzip.Create(z, module.Version{Path: ourModule, Version: version}, files))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(to, version+".mod"), mod, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(to, version+".info"), []byte(`{"Version": "`+version+`"}`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(to, "list"), []byte(version+"\n"), 0o644))
}

type moduleFile struct{ root, name string }

func (f moduleFile) Path() string                 { return f.name }
func (f moduleFile) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(f.root, f.name)) }
func (f moduleFile) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(f.root, f.name)) }
