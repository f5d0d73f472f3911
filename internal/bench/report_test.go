package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpread(t *testing.T) {
	assert.Equal(t, spread{3, 3, 3}, spreadOf([]float64{3}))
	assert.Equal(t, spread{2, 3, 4}, spreadOf([]float64{5, 1, 4, 2, 3}))
	assert.Equal(t, spread{1.25, 1.5, 1.75}, spreadOf([]float64{2, 1}))

	// A slow moment of the machine hits both, and leaves the ratio as it is.
	assert.Equal(t, []float64{2, 2, 3}, ratios([]time.Duration{20, 200, 30}, []time.Duration{10, 100, 10}))
}

func TestNumber3(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.0451: "0.05", 0.451: "0.45", 1: "1.00", 1.258: "1.26", 16.66: "16.7", 114.4: "114", 2065: "2065", -12.34: "-12.3",
	} {
		assert.Equal(t, want, number3(v), v)
	}
}

func TestTable(t *testing.T) {
	assert.Equal(t, "| a | b |\n|---|---:|\n| x\\|y | 1 |\n", table([]string{"a", "b"}, [][]string{{"x|y", "1"}}))
}

func TestReplaceTables(t *testing.T) {
	page := "before\n" + beginTables + "old\n" + endTables + "after\n"
	got, err := replaceTables([]byte(page), "new\n")
	require.NoError(t, err)
	assert.Equal(t, "before\n"+beginTables+"\nnew\n\n"+endTables+"after\n", string(got))
	again, err := replaceTables(got, "new\n")
	require.NoError(t, err)
	assert.Equal(t, string(got), string(again))

	_, err = replaceTables([]byte("no markers\n"), "new\n")
	assert.Error(t, err)
	_, err = replaceTables([]byte(endTables+beginTables), "new\n")
	assert.Error(t, err)
}

// The page that make bench writes into has a place for the tables.
func TestPageHasItsPlace(t *testing.T) {
	page, err := os.ReadFile("../../docs/speed.md")
	require.NoError(t, err)
	_, err = replaceTables(page, "")
	assert.NoError(t, err)
}

// made are results of all contestants, made up.
func made() *results {
	r := &results{
		contestants: contestants, docs: documents(), rounds: 4, machine: "a machine", absent: []string{"a thing (no thing)"},
		times: map[string]times{}, huge: map[string]usage{}, usual: map[string]usage{}, crowds: map[string][]crowd{},
	}
	for i, c := range contestants {
		for j, d := range r.docs {
			if r.times[d.size] == nil {
				r.times[d.size] = times{}
			}
			for round := range 4 {
				took := time.Duration((i+1)*(j+1)*(10+round)) * 100 * time.Microsecond
				r.times[d.size][c.key] = append(r.times[d.size][c.key], took)
			}
		}
		r.huge[c.key] = usage{peak: float64(i+1) * 1e6}
		r.usual[c.key] = usage{faults: float64(i + 100)}
	}
	for i, key := range []string{bare, edited} {
		r.crowds[key] = []crowd{{time.Duration(i+1) * time.Second, time.Second / 2}}
	}
	return r
}

func TestMarkdown(t *testing.T) {
	r := made()
	text := r.markdown()
	for _, c := range r.contestants {
		assert.Contains(t, text, "| "+c.title+" |")
	}
	assert.Contains(t, text, "| bare Go, exit | 1 | 1 | 1 | 1 | 1 |")
	assert.Contains(t, text, "| static C, exit | **0.50** 0.50–0.50 |")
	assert.Contains(t, text, "| **virthook**, filter that moves the disks | 2.00 | 2000 | 500 |")
	assert.Contains(t, text, "Left out: a thing (no thing).")
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "Inf")

	for block := range strings.SplitSeq(text, "\n\n") {
		var columns []int
		for line := range strings.Lines(block) {
			columns = append(columns, strings.Count(line, "|"))
		}
		for _, n := range columns {
			assert.Equal(t, columns[0], n, block)
		}
	}
}

func TestChart(t *testing.T) {
	r := made()
	r.contestants = append([]contestant{{key: bare, title: "a < b & c"}}, r.contestants...)
	svg := chart(r)
	require.NoError(t, wellFormed(svg))
	assert.NotContains(t, svg, "NaN")
	assert.NotContains(t, svg, "Inf")
	assert.NotContains(t, svg, "**")
	assert.Contains(t, svg, "<title id=\"title\">")
	assert.Contains(t, svg, "<desc id=\"desc\">")
	for _, c := range contestants {
		assert.Contains(t, svg, ">"+c.name()+"<")
	}
	assert.NotContains(t, strings.ReplaceAll(svg, "http://www.w3.org/2000/svg", ""), "http", "it loads something")
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
