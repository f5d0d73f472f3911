package safedir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	_, err := OpenExisting(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for range 2 {
		root, err := Open(dir + "/")
		require.NoError(t, err)
		assert.Equal(t, dir, root.Name())
		require.NoError(t, root.Close())
	}
	for _, made := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(made)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	}
	_, err = Open("a/b")
	require.EqualError(t, err, `folder "a/b": not an absolute path`)
}

func TestRefused(t *testing.T) {
	top := t.TempDir()
	own := filepath.Join(top, "own")
	require.NoError(t, os.Mkdir(own, 0o700))
	file := filepath.Join(top, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	link := filepath.Join(top, "link")
	require.NoError(t, os.Symlink(own, link))
	nowhere := filepath.Join(top, "nowhere")
	require.NoError(t, os.Symlink("none", nowhere))
	for path, want := range map[string]string{
		link:       "it is a symbolic link",
		link + "/": "it is a symbolic link",
		nowhere:    "it is a symbolic link",
		file:       "it is not a folder",
	} {
		_, err := Open(path)
		assert.EqualError(t, err, "folder "+strings.TrimSuffix(path, "/")+": "+want)
	}

	for mode, want := range map[fs.FileMode]string{
		0o700: "", 0o755: "",
		0o770: "others can write to it (mode 0770): chmod go-w it",
		0o702: "others can write to it (mode 0702): chmod go-w it",
	} {
		require.NoError(t, os.Chmod(own, mode))
		_, err := Open(own)
		if want == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, "folder "+own+": "+want)
		}
	}

	foreign, owner := "/", 0 // root's, when this is not root
	if os.Geteuid() == 0 {
		foreign, owner = own, 65534
		require.NoError(t, os.Chmod(own, 0o700))
		require.NoError(t, os.Chown(own, owner, owner))
	}
	_, err := Open(foreign)
	require.EqualError(t, err, "folder "+foreign+": it belongs to uid "+strconv.Itoa(owner)+", not to uid "+strconv.Itoa(os.Geteuid())+" who runs this")
}

// A folder in which one may not make another is named.
func TestCannotBeMade(t *testing.T) {
	top := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(top, "file"), nil, 0o600))
	_, err := Open(filepath.Join(top, "file", "sub"))
	require.ErrorIs(t, err, syscall.ENOTDIR)
	assert.ErrorContains(t, err, filepath.Join(top, "file"))
}

func TestDefaults(t *testing.T) {
	top := t.TempDir()
	_, err := userRuntime(top, 7)
	require.ErrorContains(t, err, "no folder to lock in: ")
	require.ErrorContains(t, err, filepath.Join(top, "7"))
	require.NoError(t, os.Mkdir(filepath.Join(top, "7"), 0o700))
	dir, err := userRuntime(top, 7)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(top, "7", "virthook"), dir)

	t.Setenv("HOME", "/home/u")
	dir, err = userRuntime(filepath.Join(top, "none"), 7)
	require.NoError(t, err)
	assert.Equal(t, "/home/u/.local/state/virthook/run", dir)
	dir, err = userState("/home/u")
	require.NoError(t, err)
	assert.Equal(t, "/home/u/.local/state/virthook", dir)

	t.Setenv("HOME", "")
	_, err = userRuntime(filepath.Join(top, "none"), 7)
	require.EqualError(t, err, `no folder for state: HOME is "": set it, or give another folder`)
	_, err = userState(".")
	require.Error(t, err)

	state, err := State()
	if os.Geteuid() == 0 {
		require.NoError(t, err)
		assert.Equal(t, "/var/lib/virthook", state)
		dir, err := Runtime()
		require.NoError(t, err)
		assert.Regexp(t, "^(/var)?/run/virthook$", dir)
	} else {
		require.Error(t, err, "without HOME")
	}
}

func FuzzFileName(f *testing.F) {
	for _, s := range []string{"", "a", "A", "%", "%41", "..", "/", "a\nb", "~", strings.Repeat("x", 500)} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		na, nb := FileName(a), FileName(b)
		if (a == b) != strings.EqualFold(na, nb) {
			t.Errorf("%q is %s and %q is %s", a, na, b, nb)
		}
		for _, n := range []string{na, nb} {
			if n == "" || len(n) > 200 || strings.ContainsAny(n, "./\x00\n ") || !filepath.IsLocal(n) {
				t.Errorf("%q", n)
			}
		}
	})
}
