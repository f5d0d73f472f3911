//go:build unix

package journal

import (
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A record that no datagram holds is cut where there are no files in memory.
func TestLargeIsCut(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "j")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer c.Close()
	h := New("x", &Options{Journal: socket, Syslog: []string{}})
	h.out.memfd = func([]byte) (int, error) { return -1, errors.ErrUnsupported }
	log := slog.New(h)
	log.Error(strings.Repeat("mä", 1<<20), "object", "web", "big", strings.Repeat("ä\n", 1<<20))
	buf := make([]byte, 1<<20)
	n, err := c.Read(buf)
	require.NoError(t, err)
	got := string(buf[:n])
	assert.True(t, strings.HasSuffix(got, " [cut]\n"))
	assert.Contains(t, got, "\nVIRTHOOK_OBJECT=web\n")
	message, _, _ := strings.Cut(got, "\n")
	assert.True(t, utf8.ValidString(message))
	assert.True(t, strings.HasPrefix(message, "MESSAGE=mämä"))
	assert.True(t, strings.HasSuffix(message, " [cut]"))
	assert.Greater(t, n, 16<<10)
	log.Error("m")
	n, err = c.Read(buf)
	require.NoError(t, err)
	assert.NotContains(t, string(buf[:n]), "DROPPED")
}

func TestLargeIsSentInAFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files in memory are Linux's")
	}
	socket := filepath.Join(t.TempDir(), "j")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer c.Close()
	slog.New(New("x", &Options{Journal: socket})).Error(strings.Repeat("m", 1<<20))
	n, oobn, _, _, err := c.ReadMsgUnix(make([]byte, 10), make([]byte, 100))
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.NotZero(t, oobn)
}

func TestCut(t *testing.T) {
	for n := range 20 {
		got := cut("ääääääääääääää", n)
		assert.True(t, utf8.ValidString(got))
		assert.LessOrEqual(t, len(got), max(n, len(cutMark)))
	}
	assert.Equal(t, "abc", cut("abc", 3))
	assert.Equal(t, "a"+cutMark, cut(strings.Repeat("a", 8), 7))
}
