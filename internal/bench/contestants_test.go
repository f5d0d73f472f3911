package main

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every contestant that this machine has does what the tables say it does; the
// programs are below testdata, where no other test compiles them.
func TestContestants(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("calls programs as libvirt does on Linux")
	}
	a, err := newArena(contestants)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.close()) })
	for _, key := range []string{bare, "linked", unhandled, readOnly, "keep", edited, decode, "unmarshal", remarshal} {
		assert.Len(t, pick(a.ready, key), 1, "%s needs nothing but Go", key)
	}
	assert.Len(t, a.absent, len(contestants)-len(a.ready))
	docs := documents()
	for _, c := range a.ready {
		for _, d := range docs[:3] {
			assert.NoError(t, a.check(c, d))
		}
	}

	usual := find(docs, usualSize)
	took, err := a.measure(a.ready, usual, 2)
	require.NoError(t, err)
	for _, c := range a.ready {
		assert.Len(t, took[c.key], 2, c.key)
	}
	ours := pick(a.ready, bare, edited)
	usages, err := a.usages(ours, usual)
	require.NoError(t, err)
	assert.Greater(t, usages[edited].peak, usages[bare].peak)
	assert.Greater(t, usages[edited].faults, usages[bare].faults)
	crowds, err := a.crowds(ours[:1], usual, 1)
	require.NoError(t, err)
	assert.Len(t, crowds[bare], 1)
}

// The caller tells a contestant that fails from one that is fast.
func TestCallerTellsFailures(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("calls programs as libvirt does on Linux")
	}
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	sized := strings.Repeat("0123456789", 100_000)
	for script, tt := range map[string]struct{ stdout, failure string }{
		"cat":                {sized, ""},
		"exit 0":             {"", ""},
		"exit 3":             {"", "status 0x300"},
		"echo no >&2":        {"", `it says "no\n"`},
		"kill -9 $$":         {"", "status 0x9"},
		"head -c 5; echo x ": {"01234x\n", ""},
	} {
		got, err := newCaller().call(call{[]string{sh, "-c", script}, []byte(sized)})
		require.NoError(t, err, script)
		assert.Equal(t, tt.stdout, string(got.stdout), script)
		if tt.failure == "" {
			assert.NoError(t, got.mustSucceed(), script)
		} else {
			assert.ErrorContains(t, got.mustSucceed(), tt.failure, script)
		}
		assert.GreaterOrEqual(t, got.took, got.ran)
	}
	_, err = newCaller().call(call{[]string{"/no/such/program"}, nil})
	assert.Error(t, err)
}

func TestCheckOutput(t *testing.T) {
	filter, silent, d := contestant{edits: true}, contestant{}, document{disks: 2}
	assert.NoError(t, checkOutput(filter, d, newImages+newImages))
	assert.Error(t, checkOutput(filter, d, newImages))
	assert.Error(t, checkOutput(filter, d, newImages+newImages+oldImages))
	assert.Error(t, checkOutput(filter, d, ""))
	assert.NoError(t, checkOutput(silent, d, ""))
	assert.Error(t, checkOutput(silent, d, "x"))
}

func TestGuardsNameContestants(t *testing.T) {
	for _, g := range guards {
		assert.Len(t, pick(contestants, g.what, g.unit), 2)
		assert.Positive(t, guardRounds[g.size])
		assert.Positive(t, g.limit)
	}
}
