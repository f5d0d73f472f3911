package main

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/cmd/virthook/internal/jsondoc"
	"github.com/virthook/virthook/internal/verdict"
)

// TestFireJSONIsDocumented holds docs/json.md against what fire prints.
func TestFireJSONIsDocumented(t *testing.T) {
	section, err := jsondoc.Check("../../docs/json.md", "fire", reflect.TypeFor[firedJSON]())
	assert.NoError(t, err)
	for _, w := range verdict.Words() {
		assert.Contains(t, section, "`"+string(w)+"`")
	}
	for _, c := range verdict.Causes() {
		assert.Contains(t, section, "`"+string(c)+"`")
	}
}
