package verdict

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/virthook/virthook/internal/hookexec"
)

// failure is libvirt's error of a chain that has failed, "" when it has not. Each
// failing hook reports one, and the last is the one that stays.
func failure(o hookexec.Outcome, err error) string {
	const prefix = "Hook script execution failed: "
	var folder *hookexec.FolderError
	switch {
	case errors.As(err, &folder):
		return folder.Error()
	case err != nil: // it could not be called: libvirt would fail in its own way
		return prefix + err.Error()
	}
	for i := len(o.Results) - 1; i >= 0; i-- {
		if r := o.Results[i]; r.Failed() {
			return prefix + "internal error: " + childProcess(r)
		}
	}
	return ""
}

// childProcess is what libvirt says of a process that did not end with status 0
// (virCommandWait). Standard error is put behind it as it is, up to the first NUL.
func childProcess(r hookexec.Result) string {
	end := fmt.Sprintf("exit status %d", r.Status)
	if r.Signal != 0 {
		end = fmt.Sprintf("fatal signal %d", int(r.Signal))
	}
	message := "Child process (" + shell(r.Env, r.Argv) + ") unexpected " + end
	if text, _, _ := bytes.Cut(r.Stderr, []byte{0}); len(text) > 0 {
		message += ": " + strings.TrimRight(string(text), "\n")
	}
	return message
}

// shell is the command as libvirt shows it (virCommandToString).
func shell(env, argv []string) string {
	var words []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		words = append(words, name+"="+quote(value))
	}
	for _, a := range argv {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

// quote is virBufferEscapeShell.
func quote(word string) string {
	switch {
	case word == "":
		return "''"
	case !strings.ContainsAny(word, "\r\t\n !\"#$&'()*;<>?[\\]^`{|}~"):
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// waitsFor says what libvirt would wait for on.
func waitsFor(e *hookexec.UnendedError, o hookexec.Outcome) string {
	if e.State != hookexec.OutputOpen || len(o.Results) == 0 {
		return e.Error()
	}
	var left []string
	for _, p := range o.Results[len(o.Results)-1].Left {
		left = append(left, fmt.Sprintf("process %d (%s), which keeps %s open", p.PID, p.Command, p.Holds))
	}
	if len(left) == 0 {
		return e.Error()
	}
	return fmt.Sprintf("%s: exited, but libvirt would wait on for %s: %v", e.Path, strings.Join(left, ", and for "), e.Cause)
}
