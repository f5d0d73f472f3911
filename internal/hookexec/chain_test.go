package hookexec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/hookexec"
)

// names are the called hooks, relative to the folder.
func names(t *testing.T, hooks string, o hookexec.Outcome) []string {
	t.Helper()
	var ns []string
	for _, r := range o.Results {
		n, err := filepath.Rel(hooks, r.Path)
		require.NoError(t, err)
		ns = append(ns, n)
	}
	return ns
}

func TestChainOrder(t *testing.T) {
	hooks, elsewhere := t.TempDir(), t.TempDir()
	for _, name := range []string{"qemu", "network", "qemu.d/9-c", "qemu.d/10-b", "qemu.d/a-low", "qemu.d/Z-up", "qemu.d/.hidden", "qemu.d/a-low~", "qemu.d/ü", "qemu.d/two words"} {
		script(t, hooks, name, "exit 0")
	}
	file(t, hooks, "qemu.d/readme", "#!/bin/sh\n", 0o644)
	file(t, hooks, "qemu.d/only-others", "#!/bin/sh\n", 0o645)
	require.NoError(t, os.Mkdir(filepath.Join(hooks, "qemu.d/folder"), 0o755))
	fifo(t, filepath.Join(hooks, "qemu.d"), "pipe")
	require.NoError(t, os.Symlink(script(t, elsewhere, "target", "exit 0"), filepath.Join(hooks, "qemu.d/50-link")))
	require.NoError(t, os.Symlink("/no/such", filepath.Join(hooks, "qemu.d/51-dangling")))

	o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu", Op: "start"}, false)
	require.NoError(t, err)
	assert.False(t, o.Failed)
	assert.Equal(t, []string{
		"qemu", "qemu.d/.hidden", "qemu.d/10-b", "qemu.d/50-link", "qemu.d/9-c", "qemu.d/Z-up",
		"qemu.d/a-low", "qemu.d/a-low~", "qemu.d/only-others", "qemu.d/two words", "qemu.d/ü",
	}, names(t, hooks, o))
}

func TestChainOfNothing(t *testing.T) {
	hooks := t.TempDir()
	o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu"}, true)
	require.NoError(t, err)
	assert.Equal(t, hookexec.Outcome{}, o)

	file(t, hooks, "qemu", "#!/bin/sh\nexit 1\n", 0o644)
	require.NoError(t, os.Mkdir(filepath.Join(hooks, "qemu.d"), 0o755))
	o, err = hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu"}, true)
	require.NoError(t, err)
	assert.Equal(t, hookexec.Outcome{}, o)

	for _, driver := range []string{"", "..", "../qemu", "qemu.d/x"} {
		_, err = hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: driver}, true)
		assert.ErrorContains(t, err, "not the name of a driver")
	}
}

func TestChainFolderIsNone(t *testing.T) {
	hooks := t.TempDir()
	script(t, hooks, "qemu", "exit 0")
	file(t, hooks, "qemu.d", "a file", 0o644)
	o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu"}, true)
	assert.Error(t, err)
	assert.True(t, o.Failed)
	assert.Len(t, o.Results, 1, "the program has run before the folder is read")
}

// TestChainInput is the rule for what each hook reads, which virHookCall's loop holds.
func TestChainInput(t *testing.T) {
	const (
		add    = `in=$(cat); echo "$in+${0##*/}"` // a filter
		silent = `exit 0`
		blank  = `printf ' \t\r\n\f\n'`
		fail   = `echo partial; exit 1`
		tab    = `printf '\013'` // a vertical tab, no space for libvirt
		nul    = `printf 'cut\000off'`
	)
	for _, tt := range []struct {
		name    string
		hooks   []string // "main" is hooks/qemu, the others are hooks/qemu.d/1, 2, …
		noMain  bool
		filter  bool
		inputs  []string
		output  string
		failed  bool
		isEmpty bool
	}{
		{name: "fed through", filter: true, hooks: []string{add, add, add},
			inputs: []string{"in", "in+qemu\n", "in+qemu+1\n"}, output: "in+qemu+1+2\n"},
		{name: "without the program", noMain: true, filter: true, hooks: []string{add, add},
			inputs: []string{"in", "in+1\n"}, output: "in+1+2\n"},
		{name: "a silent one keeps what was before", filter: true, hooks: []string{add, silent, add},
			inputs: []string{"in", "in+qemu\n", "in+qemu\n"}, output: "in+qemu+2\n"},
		{name: "white space is silence", filter: true, hooks: []string{blank, blank, add},
			inputs: []string{"in", "in", "in"}, output: "in+2\n"},
		{name: "all silent", filter: true, hooks: []string{blank, silent},
			inputs: []string{"in", "in"}, isEmpty: true},
		{name: "not white space", filter: true, hooks: []string{tab, silent},
			inputs: []string{"in", "\v"}, output: "\v"},
		{name: "the first fails", filter: true, hooks: []string{fail, add, add},
			inputs: []string{"in", "in", "in"}, failed: true, isEmpty: true},
		{name: "the middle fails", filter: true, hooks: []string{add, fail, add, add},
			inputs: []string{"in", "in+qemu\n", "in", "in"}, failed: true, isEmpty: true},
		{name: "the last fails", filter: true, hooks: []string{add, add, fail},
			inputs: []string{"in", "in+qemu\n", "in+qemu+1\n"}, failed: true, isEmpty: true},
		{name: "up to a NUL", filter: true, hooks: []string{nul, add},
			inputs: []string{"in", "cut"}, output: "cut+1\n"},
		{name: "no filter", hooks: []string{add, add},
			inputs: []string{"in", "in"}, isEmpty: true},
		{name: "no filter, a failure", hooks: []string{add, fail, add},
			inputs: []string{"in", "in", "in"}, failed: true, isEmpty: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hooks := t.TempDir()
			for i, body := range tt.hooks {
				n := i
				if tt.noMain {
					n++
				}
				name := "qemu"
				if n > 0 {
					name = fmt.Sprintf("qemu.d/%d", n)
				}
				script(t, hooks, name, body)
			}
			o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu", Op: "restore", Input: []byte("in")}, tt.filter)
			require.NoError(t, err)
			var inputs []string
			for _, r := range o.Results {
				inputs = append(inputs, string(r.Input))
			}
			assert.Equal(t, tt.inputs, inputs)
			assert.Equal(t, tt.failed, o.Failed)
			assert.Equal(t, tt.output, string(o.Output))
			assert.Equal(t, tt.isEmpty, o.Output == nil)
		})
	}
}

// TestChainGivesEachItsInput: what a Result says the hook got, it did get.
func TestChainGivesEachItsInput(t *testing.T) {
	hooks := t.TempDir()
	script(t, hooks, "qemu", `sed s/one/two/; echo "$@" >&2`)
	script(t, hooks, "qemu.d/x", `cat >&2`)
	o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu", Object: "a b", Op: "migrate", SubOp: "begin", Input: []byte("one\n")}, true)
	require.NoError(t, err)
	require.Len(t, o.Results, 2)
	assert.Equal(t, "a b migrate begin -\n", string(o.Results[0].Stderr))
	assert.Equal(t, "two\n", string(o.Results[1].Stderr))
	assert.Equal(t, "two\n", string(o.Output))
}

func TestChainEndsWithTheContext(t *testing.T) {
	hooks := t.TempDir()
	ready, never := fifo(t, t.TempDir(), "ready"), fifo(t, t.TempDir(), "never")
	script(t, hooks, "qemu", "echo out")
	script(t, hooks, "qemu.d/1", fmt.Sprintf("echo >%s; exec cat %s", ready, never))
	script(t, hooks, "qemu.d/2", "exit 0")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		read(ready)
		cancel()
	}()
	o, err := hookexec.Chain(ctx, hooks, hookexec.Call{Driver: "qemu"}, true)
	assert.ErrorIs(t, err, context.Canceled)
	assert.True(t, o.Failed)
	assert.Nil(t, o.Output)
	assert.Equal(t, "qemu qemu.d/1", strings.Join(names(t, hooks, o), " "))
}

// What is in the folder is found before the first program of it is run.
func TestChainOfWhatIsRemovedMeanwhile(t *testing.T) {
	hooks := t.TempDir()
	script(t, hooks, "qemu", `printf '#!/bin/sh\n' >${0%/*}/qemu.d/0 && chmod 755 ${0%/*}/qemu.d/0`)
	script(t, hooks, "qemu.d/1", `rm ${0%/*}/2; cp $0 ${0%/*}/4`)
	script(t, hooks, "qemu.d/2", "exit 0")
	script(t, hooks, "qemu.d/3", "exit 0")
	o, err := hookexec.Chain(t.Context(), hooks, hookexec.Call{Driver: "qemu"}, false)
	require.NoError(t, err)
	assert.Equal(t, []string{"qemu", "qemu.d/0", "qemu.d/1", "qemu.d/2", "qemu.d/3"}, names(t, hooks, o))
	assert.Equal(t, 127, o.Results[3].Status)
	assert.Contains(t, string(o.Results[3].Stderr), "cannot execute binary "+hooks+"/qemu.d/2: No such file or directory")
}
