package hooktest

import "testing"

// ChangesOf is what Result.Changes says of two documents.
func ChangesOf(t testing.TB, before, after []byte) []string {
	r := &Result{t: t, call: Call{XML: before}, Stdout: after}
	return r.Changes()
}
