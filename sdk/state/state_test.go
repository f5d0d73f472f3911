package state

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/lock"
)

func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "state") }

func set[T any](v T) func(*Entry[T]) error {
	return func(e *Entry[T]) error { e.Value = v; return nil }
}

func TestStore(t *testing.T) {
	store := Store[map[string]int]{Name: "n", Dir: folder(t)}
	_, err := store.Load(t.Context(), "k")
	require.ErrorIs(t, err, fs.ErrNotExist)
	all, err := store.All(t.Context())
	require.NoError(t, err)
	require.Empty(t, all)
	assert.NoDirExists(t, store.Dir, "reading makes nothing")

	e, err := store.Open(t.Context(), "k")
	require.NoError(t, err)
	assert.False(t, e.Found)
	e.Value = map[string]int{"a": 1}
	require.NoError(t, e.Save())
	assert.True(t, e.Found)
	e.Value["b"] = 2 // not saved
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "again")

	r, err := store.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, Record[map[string]int]{Key: "k", Value: map[string]int{"a": 1}}, r)

	failed := errors.New("failed")
	require.ErrorIs(t, store.Update(t.Context(), "k", func(e *Entry[map[string]int]) error { e.Value = nil; return failed }), failed)
	require.NoError(t, store.Update(t.Context(), "l", set(map[string]int{"l": 1})))
	all, err = store.All(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []Record[map[string]int]{{Key: "k", Value: map[string]int{"a": 1}}, {Key: "l", Value: map[string]int{"l": 1}}}, all)

	for _, k := range []string{"k", "l"} {
		e, err := store.Open(t.Context(), k)
		require.NoError(t, err)
		require.NoError(t, e.Delete())
		require.NoError(t, e.Delete(), "again")
		assert.Nil(t, e.Value)
		require.NoError(t, e.Close())
	}
	left, err := os.ReadDir(filepath.Join(store.Dir, "n"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Each value is written to another file, synced, renamed, and the folder synced.
func TestEveryStepOfAWrite(t *testing.T) {
	old := system
	t.Cleanup(func() { system = old })
	var steps []string
	system.write = func(f *os.File, text []byte) (int, error) {
		steps = append(steps, "write "+filepath.Base(f.Name()))
		return old.write(f, text)
	}
	system.syncFile = func(f *os.File) error {
		steps = append(steps, "sync "+filepath.Base(f.Name()))
		return old.syncFile(f)
	}
	system.rename = func(r *os.Root, from, to string) error {
		steps = append(steps, "rename "+from+" "+to)
		return old.rename(r, from, to)
	}
	system.syncDir = func(f *os.File) error {
		info, err := f.Stat()
		require.NoError(t, err)
		assert.True(t, info.IsDir())
		steps = append(steps, "sync the folder")
		return old.syncDir(f)
	}
	store := Store[int]{Name: "n", Dir: folder(t)}
	e, err := store.Open(t.Context(), "k")
	require.NoError(t, err)
	defer e.Close()
	require.NoError(t, e.Save())
	assert.Equal(t, []string{"write k.json.new", "sync k.json.new", "rename k.json.new k.json", "sync the folder"}, steps)
	steps = nil
	require.NoError(t, e.Delete())
	assert.Equal(t, []string{"sync the folder"}, steps)

	// A disk that fails at any of them leaves the old value, or at the last the new one.
	e.Value = 1
	require.NoError(t, e.Save())
	broken := errors.New("broken")
	for want, breaks := range []func(){
		func() { system.syncDir = func(*os.File) error { return broken } },
		func() { system.rename = func(*os.Root, string, string) error { return broken } },
		func() { system.syncFile = func(*os.File) error { return broken } },
		func() {
			system.write = func(f *os.File, b []byte) (int, error) { n, _ := old.write(f, b[:9]); return n, broken }
		},
	} {
		breaks()
		e.Value = 2 + want
		require.ErrorIs(t, e.Save(), broken)
		r, err := store.Load(t.Context(), "k")
		require.NoError(t, err)
		assert.Equal(t, 2, r.Value) // of the first round, in which only the last step failed
	}
}

func TestWaitsForTheKey(t *testing.T) {
	store := Store[int]{Name: "n", Dir: folder(t)}
	program, err := os.Executable()
	require.NoError(t, err)
	p := exec.Command(program)
	p.Env = append(os.Environ(), "STATE_TEST=acquire", "DIR="+store.Dir)
	stdin, err := p.StdinPipe()
	require.NoError(t, err)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { stdin.Close(); _ = p.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open <nil>\n", line)

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var held *lock.HeldError
	require.ErrorAs(t, err, &held)
	assert.Equal(t, p.Process.Pid, held.Holder.PID)
	assert.ErrorContains(t, err, `state "n": lock: the lock "k" is held by pid `)
	require.NoError(t, store.Update(t.Context(), "other", set(1)), "another key is free")

	require.NoError(t, p.Process.Signal(syscall.SIGKILL))
	require.NoError(t, store.Update(t.Context(), "k", set(1)))
}

func TestHostileKeys(t *testing.T) {
	dir := folder(t)
	long := strings.Repeat("é", 200)
	keys := []string{".", "..", "../../etc/passwd", "/etc/passwd", "a", "A", "a.json", "a.json.new", "name-a.lock", " ", "a b", "a\nb", "a\x00b", `a"b`, "a'b", "$(reboot)", "%41", "\xff\xfe", long, long + "x", "~", "-rf", "*", "ü", "u\u0308"}
	for _, name := range []string{"n", "../n", "a/b", ".", "..", "N"} {
		store := Store[[]byte]{Name: name, Dir: dir}
		for _, k := range keys {
			require.NoError(t, store.Update(t.Context(), k, set([]byte(name+" "+k))))
		}
	}
	for _, name := range []string{"n", "../n", "a/b", ".", "..", "N"} {
		store := Store[[]byte]{Name: name, Dir: dir}
		for _, k := range keys {
			r, err := store.Load(t.Context(), k)
			require.NoError(t, err)
			assert.Equal(t, name+" "+k, string(r.Value))
		}
		all, err := store.All(t.Context())
		require.NoError(t, err)
		assert.Len(t, all, len(keys))
	}
	above, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	assert.Len(t, above, 1, "nothing beside the folder")

	store := Store[string]{Name: "n", Dir: dir}
	_, err = store.Open(t.Context(), "")
	require.EqualError(t, err, `state "n": empty key`)
	_, err = (&Store[string]{Dir: dir}).Open(t.Context(), "k")
	require.EqualError(t, err, `state "": the store has no name`)

	// A file that was copied by hand is not taken for another key's.
	text, err := os.ReadFile(filepath.Join(dir, "n", "a.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "n", "b.json"), text, 0o600))
	_, err = store.Load(t.Context(), "b")
	require.ErrorContains(t, err, `b.json is that of "a", not of "b"`)
	_, err = store.Open(t.Context(), "b")
	require.ErrorContains(t, err, `b.json is that of "a", not of "b"`)
}

func TestGuest(t *testing.T) {
	const uuid = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
	key := func(d *libvirtxml.Domain) string {
		k, err := Guest(d)
		require.NoError(t, err)
		return k
	}
	assert.Equal(t, "uuid-"+uuid, key(&libvirtxml.Domain{Name: "n", UUID: strings.ToUpper(uuid)}))
	assert.Equal(t, "uuid-"+uuid, key(&libvirtxml.Domain{UUID: strings.ReplaceAll(uuid, "-", "")}))
	assert.Equal(t, "name-"+uuid, key(&libvirtxml.Domain{Name: uuid}))
	_, err := Guest(&libvirtxml.Domain{Name: "n", UUID: "../x"})
	require.EqualError(t, err, `state: guest "n": "../x" is not a UUID`)
	_, err = Guest(nil)
	require.EqualError(t, err, "state: a guest without UUID and name")
}

func TestVersions(t *testing.T) {
	dir := folder(t)
	v1 := Store[string]{Name: "n", Dir: dir, Version: 1}
	require.NoError(t, v1.Update(t.Context(), "k", set("seven")))

	v2 := Store[int]{Name: "n", Dir: dir, Version: 2}
	_, err := v2.Load(t.Context(), "k")
	var e *VersionError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, VersionError{Path: dir + "/n/k.json", Saved: 1, Ours: 2}, *e)
	assert.ErrorContains(t, err, "saved by version 1, and there is no migration to ours, which is 2")

	v2.Migrate = func(version int, old []byte) (int, error) {
		if version != 1 || string(old) != `"seven"` {
			return 0, errors.New("not seven")
		}
		return 7, nil
	}
	r, err := v2.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, 7, r.Value)
	_, err = v1.Load(t.Context(), "k")
	require.NoError(t, err, "loading migrates nothing on disk")
	require.NoError(t, v2.Update(t.Context(), "k", func(*Entry[int]) error { return nil }))

	// What is newer is neither read nor overwritten.
	before, err := os.ReadFile(dir + "/n/k.json")
	require.NoError(t, err)
	err = v1.Update(t.Context(), "k", set("eight"))
	require.ErrorAs(t, err, &e)
	assert.EqualError(t, err, `state "n": `+dir+"/n/k.json: saved by version 2, newer than ours, which is 1: not touched")
	all, err := v1.All(t.Context())
	assert.Empty(t, all)
	require.ErrorAs(t, err, &e)
	after, err := os.ReadFile(dir + "/n/k.json")
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))

	require.NoError(t, v1.Update(t.Context(), "l", set("eight")))
	_, err = v2.Load(t.Context(), "l")
	require.ErrorContains(t, err, "l.json, of version 1: not seven")
}

func TestDamaged(t *testing.T) {
	store := Store[int]{Name: "n", Dir: folder(t)}
	require.NoError(t, store.Update(t.Context(), "k", set(1)))
	for _, text := range []string{"", "{", `{"key":"k","version":0,"value":`, `{"key":"k","value":"x"}`} {
		require.NoError(t, os.WriteFile(store.Dir+"/n/k.json", []byte(text), 0o600))
		_, err := store.Load(t.Context(), "k")
		require.ErrorContains(t, err, store.Dir+"/n/k.json")
		require.ErrorContains(t, store.Update(t.Context(), "k", set(2)), store.Dir+"/n/k.json", "not overwritten")
	}
}

func TestAfterReboot(t *testing.T) {
	store := Store[int]{Name: "n", Dir: folder(t)}
	require.NoError(t, store.Update(t.Context(), "k", set(1)))
	Reboot(t, store.Dir)
	r, err := store.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.True(t, r.Stale)
	e, err := store.Open(t.Context(), "k")
	require.NoError(t, err)
	defer e.Close()
	assert.True(t, e.Stale)
	assert.Equal(t, 1, e.Value)
	require.NoError(t, e.Save())
	assert.False(t, e.Stale)
	r, err = store.Load(t.Context(), "k")
	require.NoError(t, err)
	assert.False(t, r.Stale)
}

// Reboot makes all that is saved below dir as of another boot.
func Reboot(t *testing.T, dir string) {
	boot, err := bootID()
	require.NoError(t, err)
	require.NotEmpty(t, boot)
	files, err := filepath.Glob(dir + "/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(f, []byte(strings.Replace(string(text), boot, "another", 1)), 0o600))
	}
}

func TestFolders(t *testing.T) {
	dir := folder(t)
	store := Store[int]{Name: "n", Dir: dir}
	require.NoError(t, store.Update(t.Context(), "k", set(1)))
	for _, bad := range []string{dir, filepath.Join(dir, "n")} {
		require.NoError(t, os.Chmod(bad, 0o770))
		want := "folder " + bad + ": others can write to it (mode 0770): chmod go-w it"
		_, err := store.Open(t.Context(), "k")
		require.EqualError(t, err, `state "n": `+want)
		_, err = store.Load(t.Context(), "k")
		require.EqualError(t, err, `state "n": `+want)
		require.NoError(t, os.Chmod(bad, 0o700))
	}
	elsewhere := folder(t)
	require.NoError(t, os.Mkdir(elsewhere, 0o700))
	link := filepath.Join(dir, "linked")
	require.NoError(t, os.Symlink(elsewhere, link))
	linked := Store[int]{Name: "linked", Dir: dir}
	require.EqualError(t, linked.Update(t.Context(), "k", set(1)), `state "linked": folder `+link+": it is a symbolic link")
	foreign := Store[int]{Name: "n", Dir: "/"}
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(filepath.Join(dir, "n"), 65534, 65534))
		foreign.Dir = dir
	}
	require.ErrorContains(t, foreign.Update(t.Context(), "k", set(1)), ": it belongs to uid ")
}

func TestUsers(t *testing.T) {
	var u Users
	assert.False(t, u.Remove("a"))
	assert.True(t, u.Add("b"), "the first")
	assert.False(t, u.Add("b"), "again")
	assert.False(t, u.Add("a"))
	assert.False(t, u.Add("a"))
	assert.True(t, u.Has("a"))
	assert.False(t, u.Has("c"))
	assert.Equal(t, Users{"a", "b"}, u)
	assert.False(t, u.Remove("b"))
	assert.False(t, u.Remove("b"), "again")
	assert.True(t, u.Remove("a"), "the last")
	assert.False(t, u.Remove("a"))
	assert.Empty(t, u)
}
