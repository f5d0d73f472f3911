// Package layout_test holds what no folder has for itself: the rules between folders,
// who may import whom and what gets into a hook binary, and that the guides do what
// they say.
package layout_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module     = "github.com/virthook/virthook"
	libvirtxml = "libvirt.org/go/libvirtxml"
)

func goCommand(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return strings.TrimSpace(string(out))
}

// packages lists our packages that match the patterns, without tests.
func packages(t *testing.T, patterns ...string) []string {
	return strings.Fields(goCommand(t, nil, append([]string{"list"}, patterns...)...))
}

// deps lists what a package links, by import path, and the modules it comes from.
func deps(t *testing.T, pkg string) (paths, modules []string) {
	out := goCommand(t, nil, "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", pkg)
	for line := range strings.Lines(out) {
		path, mod, _ := strings.Cut(strings.TrimSpace(line), " ")
		paths = append(paths, path)
		if mod != "" && mod != module && !slices.Contains(modules, mod) {
			modules = append(modules, mod)
		}
	}
	return paths, modules
}

func TestDirections(t *testing.T) {
	for folder, rule := range map[string]struct {
		never   []string // of our own folders
		modules []string // the only ones of others, nil: any
	}{
		"internal":  {[]string{"sdk", "gen", "spec", "templates", "cmd"}, []string{libvirtxml}},
		"sdk":       {[]string{"gen", "spec", "templates", "cmd"}, []string{libvirtxml}},
		"examples":  {[]string{"gen", "spec", "templates", "cmd"}, []string{libvirtxml}},
		"spec":      {[]string{"sdk", "gen", "templates", "cmd", "internal"}, []string{"go.yaml.in/yaml/v4"}},
		"templates": {[]string{"sdk", "gen", "spec", "cmd", "internal"}, []string{}},
		"gen":       {[]string{"sdk", "cmd"}, []string{"go.yaml.in/yaml/v4", "github.com/dave/jennifer"}},
		"cmd":       {[]string{"sdk"}, nil},
	} {
		t.Run(folder, func(t *testing.T) {
			for _, pkg := range packages(t, "./"+folder+"/...") {
				paths, modules := deps(t, pkg)
				for _, other := range rule.never {
					for _, path := range paths {
						assert.NotRegexp(t, "^"+module+"/"+other+"(/|$)", path, "%s links it", pkg)
					}
				}
				if rule.modules != nil {
					assert.Subset(t, rule.modules, modules, pkg)
				}
				assert.NotContains(t, modules, "github.com/stretchr/testify", pkg)
			}
		})
	}
}

// What a hook links at start is what every call of it costs.
func TestHooksLinkLittle(t *testing.T) {
	for _, pkg := range packages(t, "./examples/...") {
		paths, modules := deps(t, pkg)
		assert.Equal(t, []string{libvirtxml}, modules, pkg)
		for _, heavy := range []string{"net", "net/http", "os/user", "regexp", "embed", "text/template", "testing", "runtime/cgo", "html", "go/ast"} {
			assert.NotContains(t, paths, heavy, pkg)
		}
	}
}

// Every package that a hook links is a choice. A newcomer is added to the list by
// who knows what it costs: go run ./internal/bench.
func TestHooksLinkWhatIsListed(t *testing.T) {
	listed, err := os.ReadFile("testdata/linked.txt")
	require.NoError(t, err)
	paths, _ := deps(t, "./examples/relocate-disks")
	slices.Sort(paths)
	var linked []string
	for _, path := range paths {
		// What package runtime is made of changes with Go's versions.
		if !strings.Contains(path, "internal/") || strings.HasPrefix(path, module) {
			linked = append(linked, path)
		}
	}
	assert.Equal(t, strings.Fields(string(listed)), linked)
}

// A hook pays at each start for what packages do in their initialisation.
func TestNothingIsInitialised(t *testing.T) {
	hook := filepath.Join(t.TempDir(), "qemu")
	goCommand(t, []string{"CGO_ENABLED=0"}, "build", "-o", hook, "./examples/relocate-disks")
	cmd := exec.Command(hook, "web", "no-such-operation", "begin", "-")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "init os ", "Go's way to say it has changed")
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, module) {
			assert.Contains(t, line, " 0 allocs", "what allocates belongs into a function")
		}
	}
}

func TestCrossCompiles(t *testing.T) {
	for _, target := range []string{"linux/amd64", "linux/arm64", "freebsd/amd64", "darwin/arm64"} {
		t.Run(target, func(t *testing.T) {
			dir := t.TempDir()
			goos, goarch, _ := strings.Cut(target, "/")
			env := []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch}
			goCommand(t, env, "build", "-o", dir+"/", "./examples/...")
			goCommand(t, env, "build", "./sdk/...")
			goCommand(t, env, "build", "-o", os.DevNull, "./cmd/virthook")
			binary := filepath.Join(dir, "relocate-disks")
			require.FileExists(t, binary)
			if goos != "linux" {
				return
			}
			f, err := elf.Open(binary)
			require.NoError(t, err)
			defer f.Close()
			for _, p := range f.Progs {
				assert.NotEqual(t, elf.PT_INTERP, p.Type, "the binary is not static")
			}
		})
	}
}
