package install_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// built are the programs of the tests.
type built struct {
	virthook string
	v1, v2   string // two versions of a hook, in folders of their own
}

// build makes them once.
func build(t *testing.T) built {
	t.Helper()
	once.Do(func() { made = buildInto(t, folder) })
	require.NotEmpty(t, made.v2, "the programs could not be built")
	return made
}

var (
	once   sync.Once
	made   built
	folder string
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "virthook-install-")
	if err != nil {
		panic(err)
	}
	folder = dir
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

func buildInto(t *testing.T, dir string) built {
	t.Helper()
	// What a test looks at makes the go command run it again when that changes.
	for _, pattern := range []string{"*.go", "../../*.go", "testdata/hook/*.go"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			_, err := os.Stat(name)
			require.NoError(t, err)
		}
	}
	b := built{filepath.Join(dir, "virthook"), filepath.Join(dir, "v1", "limits"), filepath.Join(dir, "v2", "limits")}
	goBuild(t, "-o", b.virthook, "../..")
	goBuild(t, "-ldflags", "-X main.version=v1", "-o", b.v1, "testdata/hook/main.go")
	goBuild(t, "-ldflags", "-X main.version=v2", "-o", b.v2, "testdata/hook/main.go")
	return b
}

func goBuild(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// hooksFolder is a new one, as distributions have it.
func hooksFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hooks")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}
