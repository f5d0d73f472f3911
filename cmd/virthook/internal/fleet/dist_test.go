package fleet

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Two builds at a time would remove each other's files.
func TestStoreIsLocked(t *testing.T) {
	store := filepath.Join(t.TempDir(), "dist", storeFolder)
	unlock, err := lockStore(store)
	require.NoError(t, err)
	_, err = lockStore(store)
	assert.EqualError(t, err, filepath.Dir(store)+": another virthook build is at work there")
	unlock()
	unlock, err = lockStore(store)
	require.NoError(t, err)
	unlock()
}

// Between file systems there are no links.
func TestLinkOrCopy(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	require.NoError(t, os.WriteFile(from, []byte("content"), 0o755))
	require.NoError(t, os.Chmod(from, 0o755))
	to := filepath.Join(dir, "to")
	require.NoError(t, linkOrCopy(from, to))
	a, err := os.Stat(from)
	require.NoError(t, err)
	b, err := os.Stat(to)
	require.NoError(t, err)
	assert.True(t, os.SameFile(a, b))

	other, err := os.MkdirTemp("/dev/shm", "")
	if err != nil {
		t.Skip("no second file system")
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	to = filepath.Join(other, "to")
	if err := os.Link(from, to); err == nil {
		t.Skip("no second file system")
	}
	defer syscall.Umask(syscall.Umask(0o077))
	require.NoError(t, linkOrCopy(from, to))
	content, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))
	b, err = os.Stat(to)
	require.NoError(t, err)
	assert.Equal(t, a.Mode(), b.Mode())
}

// Nothing is replaced half, and of what is not there nothing is lost.
func TestReplaceFolder(t *testing.T) {
	dir := t.TempDir()
	folder := func(name, file string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(p, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(p, file), nil, 0o644))
		return p
	}
	host := filepath.Join(dir, "host")
	require.NoError(t, ReplaceFolder(folder(".new-1", "a"), host))
	require.NoError(t, ReplaceFolder(folder(".new-2", "b"), host))
	entries, err := os.ReadDir(host)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "b", entries[0].Name())
	assert.Error(t, ReplaceFolder(filepath.Join(dir, ".new-3"), host), "there is no new one")
	assert.FileExists(t, filepath.Join(host, "b"))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

func TestProgramName(t *testing.T) {
	for module, want := range map[string]string{
		"example.com/team/fleet": "fleet", "example.com/fleet/v2": "fleet", "gopkg.in/fleet.v3": "fleet", "fleet": "fleet",
		"example.com/hooks": "hooks-hook",
	} {
		assert.Equal(t, want, (&goModule{path: module}).name())
	}
}
