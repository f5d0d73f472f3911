package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
)

// Each flag that takes a value says what may be given, and each command.
func TestEveryFlagHasCompletions(t *testing.T) {
	root := newRoot()
	var keys []string
	for _, c := range shown(root) {
		assert.NotNil(t, c.ValidArgsFunction, c.CommandPath())
		keys = append(keys, c.CommandPath())
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.NoOptDefVal != "" {
				return
			}
			keys = append(keys, "--"+f.Name, c.CommandPath()+" --"+f.Name)
			_, ok := c.GetFlagCompletionFunc(f.Name)
			assert.True(t, ok, "%s --%s is missing in complete.go", c.CommandPath(), f.Name)
		})
	}
	for key := range flagWords {
		assert.Contains(t, keys, key, "there is no such flag")
	}
	for key := range operandWords {
		assert.Contains(t, keys, key, "there is no such command")
	}
}

// completed is what the shells get for the last word of a command line, and show of it.
func completed(t *testing.T, words ...string) (offered []string, directive string) {
	t.Helper()
	var out, errs bytes.Buffer
	assert.Zero(t, run(t.Context(), append([]string{cobra.ShellCompRequestCmd}, words...), strings.NewReader(""), &out, &errs))
	assert.Regexp(t, `^Completion ended with directive: [A-Za-z, ]+\n$`, errs.String()) // cobra's own, which scripts drop
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, l := range lines[:len(lines)-1] {
		if strings.HasPrefix(l, words[len(words)-1]) {
			offered = append(offered, l)
		}
	}
	return offered, lines[len(lines)-1]
}

func TestCompletions(t *testing.T) {
	const inOrder = ":36"
	offered, directive := completed(t, "fire", "")
	assert.Equal(t, inOrder, directive)
	assert.Contains(t, offered, "qemu\tQEMU and KVM guests")
	assert.Len(t, offered, 6)

	offered, _ = completed(t, "fire", "lxc", "")
	assert.Len(t, offered, 6)
	assert.Contains(t, offered, "started\tafter the container has been created")

	for _, tt := range []struct {
		name, line string
		want       []string
		directive  string
	}{
		{"a driver", "events q", []string{"qemu"}, inOrder},
		{"one driver only", "events qemu ", nil, ":4"},
		{"an operation", "fire qemu re", []string{"release", "restore", "reconnect"}, inOrder},
		{"with the sub-operation", "fire qemu release/", []string{"release/end"}, inOrder},
		{"with slashes from the driver on", "fire qemu/re", []string{"qemu/release", "qemu/restore", "qemu/reconnect"}, inOrder},
		{"all with slashes", "fire qemu/release/", []string{"qemu/release/end"}, inOrder},
		{"a sub-operation as a word", "fire qemu release ", []string{"end"}, inOrder},
		{"a sub-operation after a slash", "fire qemu/release ", []string{"end"}, inOrder},
		{"no fourth word", "fire qemu release end ", nil, inOrder},
		{"reasons after words", "fire qemu release end --extra s", []string{"shutdown", "saved"}, inOrder},
		{"reasons after slashes", "fire qemu/release --extra s", []string{"shutdown", "saved"}, inOrder},
		{"under the name of the time", "fire --libvirt 5.0.0 network pl", []string{"plugged"}, inOrder},
		{"gone", "fire --libvirt 11.3.0 qemu at", nil, inOrder},
		{"no such driver", "fire xen ", nil, inOrder},
		{"reasons", "fire qemu release --extra s", []string{"shutdown", "saved"}, inOrder},
		{"reasons before there were any", "fire qemu release --libvirt 9.0.0 --extra ", nil, inOrder},
		{"a constant", "fire daemon reload --extra ", []string{"SIGHUP"}, inOrder},
		{"a sub-operation", "fire qemu release --sub-op ", []string{"end"}, inOrder},
		{"versions", "events --libvirt 12", []string{"12.8.0"}, inOrder},
		{"a scenario", "replay c", []string{"container", "crash"}, ":4"},
		{"none beside a recording", "replay --recorded x ", nil, ":4"},
		{"a list", "install --driver qemu,l", []string{"qemu,lxc", "qemu,libxl"}, inOrder},
		{"a list goes on", "install --driver qemu,lxc,l", []string{"qemu,lxc,libxl"}, inOrder},
		{"a place", "install --as qemu", []string{"qemu.d/", "qemu"}, ":38"},
		{"formats of packages", "package --format deb,", []string{"deb,rpm", "deb,ansible"}, inOrder},
		{"formats of documentation", "docs --format ", []string{"md", "man", "html"}, inOrder},
		{"drivers of projects", "new --driver n", []string{"network"}, inOrder},
		{"a file", "install ", nil, ":0"},
		{"a second one", "install x ", nil, ":4"},
		{"a folder", "record show ", nil, ":16"},
		{"XML", "fire --xml ", []string{"xml"}, ":8"},
		{"nothing", "doctor ", nil, ":4"},
		{"a flag's free text", "fire --timeout ", nil, ":4"},
		{"help of a command", "help rec", []string{"record"}, ":4"},
		{"help below a command", "help record st", []string{"start", "status", "stop"}, ":4"},
		{"a package", "vet example", nil, ":4"},
		{"a spec that is not there", "fire --spec /nowhere ", nil, inOrder},
		{"a fleet that is not there", "build ", nil, inOrder},
		{"nothing is installed", "uninstall --hooks-dir /nowhere ", nil, inOrder},
		{"no host there", "uninstall --root /nowhere ", nil, inOrder},
		{"a version that is none", "fire --libvirt x qemu mi", []string{"migrate"}, inOrder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offered, directive := completed(t, strings.Split(tt.line, " ")...)
			var words []string
			for _, o := range offered {
				word, _, _ := strings.Cut(o, "\t")
				words = append(words, word)
			}
			slices.Sort(words)
			slices.Sort(tt.want)
			assert.Equal(t, tt.want, words)
			assert.Equal(t, tt.directive, directive)
		})
	}
}

// A file system that does not answer, or a pipe, holds nobody's shell.
func TestCompletionsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		assert.Zero(t, soon(func() int {
			<-answer
			return 1
		}))
		close(answer)
	})
	assert.Equal(t, 1, soon(func() int { return 1 }))
}
