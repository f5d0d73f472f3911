package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The documents are what the tables say: of these sizes, well-formed, with disks to move.
func TestDocuments(t *testing.T) {
	docs := documents()
	require.Len(t, docs, len(sizes))
	want := map[string]float64{"2.7 KB": 2.7, "7 KB": 7, "30 KB": 30, "150 KB": 150, "1 MB": 1000}
	for _, d := range docs {
		assert.InEpsilon(t, want[d.size], d.kilobytes(), 0.05, d.size)
		assert.Positive(t, d.disks, d.size)
		dec := xml.NewDecoder(strings.NewReader(string(d.xml)))
		for {
			if _, err := dec.Token(); err != nil {
				require.ErrorIs(t, err, io.EOF, d.size)
				break
			}
		}
	}
}

func TestSteps(t *testing.T) {
	assert.InDeltaSlice(t, []float64{0.5, 1, 2, 5, 10}, steps(0.5, 10), 1e-9)
	s := around([]float64{0.7, 12}, 0, 100)
	assert.InDelta(t, 0.5, s.min, 1e-9)
	assert.InDelta(t, 20, s.max, 1e-9)
	assert.InDelta(t, 0, s.at(0.5), 1e-9)
	assert.InDelta(t, 100, s.at(20), 1e-9)
}

func TestApart(t *testing.T) {
	moved := apart([]float64{10, 100, 11, 12}, 10)
	assert.InDeltaSlice(t, []float64{1, 100, 11, 21}, moved, 1e-9)
}

// A guard that is over in one run and not in the next is noise; one that is over twice
// is a regression.
func TestGuards(t *testing.T) {
	slow := times{unhandled: {300}, readOnly: {300}, edited: {300}, remarshal: {900}, bare: {100}}
	fast := times{unhandled: {110}, readOnly: {110}, edited: {110}, remarshal: {900}, bare: {100}}
	for _, c := range []struct {
		runs   []times
		within bool
	}{{[]times{fast}, true}, {[]times{slow, fast}, true}, {[]times{slow, slow}, false}} {
		run := 0
		within, err := holdGuards(io.Discard, usualSize, func() (times, error) { run++; return c.runs[run-1], nil })
		require.NoError(t, err)
		assert.Equal(t, c.within, within)
		assert.Equal(t, len(c.runs), run)
	}
}
