package main

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/internal/hookexec"
)

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{
		"plain":      "plain",
		"-":          "-",
		"größe":      "größe",
		"$x;*|&":     "$x;*|&",
		"":           `""`,
		"two words":  `"two words"`,
		"line\nline": `"line\nline"`,
		`"a"`:        `"\"a\""`,
		"it's":       `"it's"`,
		"`x`":        "\"`x`\"",
		`a\b`:        `"a\\b"`,
		"\x1b[31m":   `"\x1b[31m"`,
		"\u202eabc":  `"\u202eabc"`,
		"\xff":       `"\xff"`,
	} {
		assert.Equal(t, want, quote(arg))
	}
}

func TestColour(t *testing.T) {
	var b bytes.Buffer
	p := printer{to: &b, colour: true}
	p.result(hookexec.Result{Argv: []string{"/hooks/qemu", "g1"}, Duration: 1234 * time.Microsecond}, false)
	assert.Equal(t, "/hooks/qemu g1: \x1b[32mexit status 0\x1b[m, 1.2ms\n", b.String())

	b.Reset()
	p.result(hookexec.Result{Argv: []string{"/hooks/qemu"}, Status: -1, Signal: syscall.SIGKILL}, false)
	assert.Equal(t, "/hooks/qemu: \x1b[31mfatal signal 9 (killed)\x1b[m, 0s\n", b.String())

	b.Reset()
	p.result(hookexec.Result{Input: []byte("<a>1</a>"), Stdout: []byte("<a>2</a>")}, true)
	assert.Contains(t, b.String(), "    \x1b[31m-<a>1</a>\x1b[m\n    \x1b[32m+<a>2</a>\x1b[m\n")

	assert.False(t, wantsColour(&b), "no terminal")
}
