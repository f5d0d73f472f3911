package hooktest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/hooktest"
)

func TestFolder(t *testing.T) {
	sys := hooktest.Dir(t, hooktest.Files{
		"cpu0/governor": "powersave", "old.conf": "x", "empty/": "", "mode": "m", "both": "1", "kind": "file", "same": "s", "touched": "t",
	})
	sys.Changed()
	umask := syscall.Umask(0)
	defer syscall.Umask(umask)
	hooktest.Run(t, hooktest.QemuStartBegin(), does(func(context.Context) error {
		for _, err := range []error{
			os.WriteFile(sys.Path("cpu0", "governor"), []byte("performance"), 0o600),
			os.Remove(sys.Path("old.conf")),
			os.Remove(sys.Path("empty")),
			os.Chmod(sys.Path("mode"), 0o600),
			os.WriteFile(sys.Path("both"), []byte("2\n"), 0),
			os.Chmod(sys.Path("both"), 0o755|os.ModeSetuid),
			os.Remove(sys.Path("kind")),
			os.Mkdir(sys.Path("kind"), 0o700),
			os.WriteFile(sys.Path("kind/new"), []byte("n"), 0o640),
			os.Symlink("kind/new", sys.Path("link")),
			syscall.Mkfifo(sys.Path("fifo"), 0o600),
			os.WriteFile(sys.Path("long"), []byte(strings.Repeat("x", 1001)), 0o644),
			os.WriteFile(sys.Path("touched"), []byte("t"), 0),
		} {
			require.NoError(t, err)
		}
		return nil
	})).OK()
	want := []string{
		`both: "1" -> "2\n"`,
		`both: mode 0644 -> 4755`,
		`cpu0/governor: "powersave" -> "performance"`,
		`empty: removed`,
		`fifo: added special file prw-------`,
		`kind: removed`,
		`kind: added folder 0700`,
		`kind/new: added 0640 "n"`,
		`link: added link to "kind/new"`,
		`long: added 0644 1001 bytes (sha256 7e6b08bf6c41c46f)`,
		`mode: mode 0644 -> 0600`,
		`old.conf: removed`,
	}
	got := sys.Changes()
	for i, line := range got {
		if strings.HasPrefix(line, "long: ") {
			assert.Regexp(t, `^long: added 0644 1001 bytes \(sha256 [0-9a-f]{16}\)$`, line)
			want[i] = line
		}
	}
	assert.Equal(t, want, got)
	sys.Changed(want...)
	hooktest.Watch(t, sys.Path()).Changed()
}

func TestFolderFails(t *testing.T) {
	sys := hooktest.Dir(t, hooktest.Files{"a": "1"})
	require.NoError(t, os.WriteFile(sys.Path("a"), []byte("2"), 0o644))
	assert.Equal(t, sys.Path()+": other changes than wanted (- wanted, + made):\n- a: removed\n+ a: \"1\" -> \"2\"\n",
		failure(t, func(t testing.TB) {
			sys := hooktest.Watch(t, sys.Path())
			require.NoError(t, os.WriteFile(sys.Path("a"), []byte("1"), 0o644))
			sys = hooktest.Watch(t, sys.Path())
			require.NoError(t, os.WriteFile(sys.Path("a"), []byte("2"), 0o644))
			sys.Changed("a: removed")
		}))
	for _, name := range []string{"../x", "/x", ""} {
		assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Dir(t, hooktest.Files{name: ""}) }), "is not the name of a file in the test's folder")
	}
	assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Dir(t, hooktest.Files{"a": "", "a/b": ""}) }), "hooktest: making the test's folder: ")

	// A folder that is not there yet is an empty one.
	later := filepath.Join(t.TempDir(), "later")
	f := hooktest.Watch(t, later)
	f.Changed()
	require.NoError(t, os.Mkdir(later, 0o755))
	require.NoError(t, os.Symlink("x", filepath.Join(later, "l")))
	f.Changed(`l: added link to "x"`)
}
