package recording_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/recording"
)

var at = time.Date(2026, 11, 22, 23, 5, 55, 123456789, time.UTC)

func call(name string) recording.Call {
	return recording.Call{
		At: at, Driver: "qemu", Object: name, Op: "release", SubOp: "end", Extra: "from snapshot",
		XML: []byte("<domain>\n</domain>\n"), Program: "/etc/libvirt/hooks/qemu.d/00-virthook-record", UID: 7, Env: []string{"LC_ALL=C"},
	}
}

// store is a new recording.
func store(t *testing.T, limit recording.Limit) (dir string, s *recording.Store) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "new", "recording")
	require.NoError(t, recording.Create(dir))
	s, err := recording.OpenStore(dir, limit)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return dir, s
}

func open(t *testing.T, dir string) []recording.Call {
	t.Helper()
	r, err := recording.Open(dir)
	require.NoError(t, err)
	assert.Equal(t, dir, r.Dir)
	return r.Calls
}

func TestWhatIsAddedIsRead(t *testing.T) {
	dir, s := store(t, recording.Limit{})
	assert.Empty(t, open(t, dir))
	var want []recording.Call
	for i, name := range []string{"web", "a\nb", "not utf8 \xff", `{"base64":"eA=="}`, "", "../x"} {
		c := call(name)
		c.At = at.Add(time.Duration(i))
		if i%2 == 1 {
			c.XML = nil
		}
		want = append(want, c)
	}
	for _, i := range []int{5, 3, 0, 1, 4, 2} { // in any order
		require.NoError(t, s.Add(want[i]))
	}
	// The order is that of the calls, whatever the files are called.
	require.NoError(t, os.Rename(open(t, dir)[0].File, filepath.Join(dir, "zz.call")))
	got := open(t, dir)
	for i := range got {
		assert.Equal(t, dir, filepath.Dir(got[i].File))
		got[i].File = ""
	}
	assert.Equal(t, want, got)

	stats, err := recording.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, 6, stats.Calls)
	assert.Empty(t, stats.Problems)
	assert.NotZero(t, stats.Bytes)
	assert.False(t, stats.Last.IsZero())
}

func TestOtherZones(t *testing.T) {
	dir, s := store(t, recording.Limit{})
	c := call("web")
	c.At = at.In(time.FixedZone("east", 7200))
	require.NoError(t, s.Add(c))
	assert.Equal(t, at, open(t, dir)[0].At)
}

// A file that is no recording's is named, with what is wrong.
func TestOpenNamesWhatIsWrong(t *testing.T) {
	const head = `{"version":1,"at":"2026-11-22T23:05:55Z","driver":"qemu","argv":["p","web","start","begin","-"],"xml_bytes":4}`
	for name, tt := range map[string]struct{ content, want string }{
		"readme":       {"x", "not a file of a recording"},
		"web.xml":      {"<a/>", "not a file of a recording"},
		"empty.call":   {"", "not a recorded call: the first line does not end"},
		"text.call":    {"hello\n", "not a recorded call: line 1: invalid character"},
		"list.call":    {"[]\n", "not a recorded call: line 1: json: cannot unmarshal array"},
		"object.call":  {"{}\n", "recorded in version 0 of the format"},
		"newer.call":   {strings.Replace(head, "1", "2", 1) + "\n<a/>", "recorded in version 2 of the format, this virthook reads 1"},
		"cut.call":     {head + "\n<a", "damaged: it has 2 bytes of XML and should have 4"},
		"long.call":    {head + "\n<a/>\n", "damaged: it has 5 bytes of XML and should have 4"},
		"noxml.call":   {strings.Replace(head, `,"xml_bytes":4`, "", 1) + "\n", "not a recorded call: line 1 needs"},
		"argv.call":    {strings.Replace(head, `,"-"`, "", 1) + "\n<a/>", "not a recorded call: line 1 needs"},
		"nowhen.call":  {strings.Replace(head, `"at":"2026-11-22T23:05:55Z",`, "", 1) + "\n<a/>", "not a recorded call: line 1 needs"},
		"driver.call":  {strings.Replace(head, `"driver":"qemu",`, "", 1) + "\n<a/>", "not a recorded call: line 1 needs"},
		"strings.call": {strings.Replace(head, `"web"`, "1", 1) + "\n<a/>", "not a recorded call: line 1: json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, s := store(t, recording.Limit{})
			require.NoError(t, s.Add(call("web")))
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
			_, err := recording.Open(dir)
			require.ErrorContains(t, err, path+": "+tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	dir, s := store(t, recording.Limit{})
	require.NoError(t, s.Add(call("web")))
	for _, name := range []string{".20261122-x.call-12", ".calls", "errors.log"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	assert.Len(t, open(t, dir), 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hand.call"), []byte(strings.Replace(head, `"at"`, `"later": 1, "at"`, 1)+"\n<a/>"), 0o600))
	assert.Len(t, open(t, dir), 2, "what a later version adds")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder.call"), 0o700))
	_, err := recording.Open(dir)
	assert.ErrorContains(t, err, "folder.call: not a file of a recording")
	_, err = recording.Open(filepath.Join(dir, "no-such"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, recording.Create(dir))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
	assert.ErrorContains(t, recording.Create(dir), dir+": not empty")
	assert.Error(t, recording.Create(filepath.Join(dir, "x")))

	link, empty := filepath.Join(t.TempDir(), "link"), t.TempDir()
	require.NoError(t, os.Symlink(empty, link))
	assert.ErrorIs(t, recording.Create(link), recording.ErrForeign)
	require.NoError(t, os.Chmod(empty, 0o777))
	assert.ErrorIs(t, recording.Create(empty), recording.ErrForeign)
}

// However many write at once, what is stored is exactly what the limit allows.
func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		limit recording.Limit
		want  int
	}{
		{recording.Limit{}, 100},
		{recording.Limit{Calls: 1}, 1},
		{recording.Limit{Calls: 37}, 37},
		{recording.Limit{Calls: 100}, 100},
		{recording.Limit{Bytes: 37 * 2 * recording.Block}, 37},
		{recording.Limit{Bytes: 74*recording.Block + 1}, 37},
		{recording.Limit{Bytes: recording.Block}, 0},
		{recording.Limit{Calls: 50, Bytes: 20 * recording.Block}, 10},
	} {
		t.Run(fmt.Sprintf("%+v", tt.limit), func(t *testing.T) {
			dir, s := store(t, tt.limit)
			c := call("web")
			c.XML = make([]byte, recording.Block) // with its first line two blocks
			var refused atomic.Int64
			var adds sync.WaitGroup
			for range 100 {
				adds.Go(func() {
					if err := s.Add(c); err != nil {
						assert.ErrorIs(t, err, recording.ErrFull)
						refused.Add(1)
					}
				})
			}
			adds.Wait()
			assert.Len(t, open(t, dir), tt.want)
			assert.EqualValues(t, 100-tt.want, refused.Load())
			assert.Equal(t, tt.want < 100, s.Full())
			full, err := recording.Reached(dir, tt.limit)
			require.NoError(t, err)
			assert.Equal(t, tt.want < 100, full)
			stats, err := recording.Stat(dir)
			require.NoError(t, err)
			if tt.want == 100 {
				assert.Empty(t, stats.Problems)
			} else {
				assert.Len(t, stats.Problems, 1)
			}
		})
	}
}

// A call that no longer fits ends the recording: the smaller ones after it would be a
// recording with holes.
func TestLimitIsForGood(t *testing.T) {
	dir, s := store(t, recording.Limit{Bytes: 4 * recording.Block})
	require.NoError(t, s.Add(call("first")))
	big := call("big")
	big.XML = make([]byte, 3*recording.Block)
	assert.ErrorIs(t, s.Add(big), recording.ErrFull)
	assert.ErrorIs(t, s.Add(call("small")), recording.ErrFull)
	assert.Len(t, open(t, dir), 1)
}

func TestProblems(t *testing.T) {
	dir, s := store(t, recording.Limit{})
	s.Problem(at, "a line\nand \x1b another")
	stats, err := recording.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{`2026-11-22T23:05:55Z "a line\nand \x1b another"`}, stats.Problems)
	for range 5000 {
		s.Problem(at, strings.Repeat("x", 100))
	}
	info, err := os.Stat(filepath.Join(dir, "errors.log"))
	require.NoError(t, err)
	assert.Less(t, info.Size(), int64(100<<10))
}

// What cannot be written leaves nothing behind.
func TestAddFails(t *testing.T) {
	dir, s := store(t, recording.Limit{})
	require.NoError(t, os.Remove(dir))
	err := s.Add(call("web"))
	assert.True(t, errors.Is(err, fs.ErrNotExist), "%v", err)
	assert.NoDirExists(t, dir)
}

func TestUserDir(t *testing.T) {
	dir, err := recording.UserDir("/home/u", at)
	require.NoError(t, err)
	assert.Equal(t, "/home/u/.local/state/virthook/recordings/20261122T230555Z", dir)
	for _, home := range []string{"", "relative", "."} {
		_, err := recording.UserDir(home, at)
		assert.ErrorContains(t, err, "HOME")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"version":1,"at":"2026-11-22T23:05:55Z","driver":"qemu","argv":["p","web",{"base64":"/w=="},"begin","-"],"xml_bytes":4}` + "\n<a/>"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.call")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		r, err := recording.Open(dir)
		if err != nil {
			assert.ErrorContains(t, err, path)
			return
		}
		again, s := store(t, recording.Limit{})
		require.NoError(t, s.Add(r.Calls[0]))
		got := open(t, again)
		got[0].File = path
		assert.Equal(t, r.Calls, got)
	})
}
