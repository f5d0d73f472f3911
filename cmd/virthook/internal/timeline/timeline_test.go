package timeline_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

func text(t *testing.T, tl *timeline.Timeline, o timeline.TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tl.Text(&b, o))
	return b.String()
}

func html(t *testing.T, tl *timeline.Timeline) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tl.HTML(&b))
	return b.String()
}

// TestGolden holds the outputs of the samples.
func TestGolden(t *testing.T) {
	writers := map[string]func(*timeline.Timeline, io.Writer) error{
		".txt":      func(tl *timeline.Timeline, w io.Writer) error { return tl.Text(w, timeline.TextOptions{Width: 100}) },
		".pipe.txt": func(tl *timeline.Timeline, w io.Writer) error { return tl.Text(w, timeline.TextOptions{}) },
		".verbose.txt": func(tl *timeline.Timeline, w io.Writer) error {
			return tl.Text(w, timeline.TextOptions{Width: 100, Verbose: true, Colour: true})
		},
		".json": (*timeline.Timeline).JSON,
		".html": (*timeline.Timeline).HTML,
	}
	for name, sample := range samples() {
		for ext, write := range writers {
			switch {
			case name == "hundred" && (ext == ".json" || ext == ".verbose.txt"):
				continue // long, and of calls alike
			case ext == ".html" && name != "migrate" && name != "hostile":
				continue // most of each page is the same
			}
			t.Run(name+ext, func(t *testing.T) {
				var b bytes.Buffer
				require.NoError(t, write(sample, &b))
				path := filepath.Join("testdata", name+ext)
				if *update {
					require.NoError(t, os.MkdirAll("testdata", 0o755))
					require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
				}
				want, err := os.ReadFile(path)
				require.NoError(t, err, "run the test with -update")
				if !bytes.Equal(want, b.Bytes()) { // a page is too long for a message
					assert.Equal(t, lines(want), lines(b.Bytes()), "if this is meant, run the test with -update")
				}
			})
		}
	}
}

// lines are those in which two files may differ, to keep a failure's message short.
func lines(b []byte) []string {
	var all []string
	for l := range bytes.Lines(b) {
		all = append(all, string(l))
	}
	return all
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestWriteError(t *testing.T) {
	assert.ErrorIs(t, boot().Text(full{}, timeline.TextOptions{}), os.ErrDeadlineExceeded)
	assert.ErrorIs(t, boot().JSON(full{}), os.ErrDeadlineExceeded)
	assert.ErrorIs(t, boot().HTML(full{}), os.ErrDeadlineExceeded)
}

func TestOK(t *testing.T) {
	assert.True(t, boot().OK())
	assert.True(t, migrate().OK(), "a failure that is logged")
	assert.False(t, refused().OK(), "one of two steps")
}
