package abi

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoRuleIsAboutWhatIsNotCompared(t *testing.T) {
	for _, r := range Rules() {
		assert.True(t, Compares(r.Path), r.Path)
	}
	assert.True(t, Compares("/domain/devices/disk/sources"))
	assert.True(t, Compares("/domain/devices/interface/source/address/@slot"))
}

// That an edit of the rest passes the check is a test of package document, which
// knows what an edit changes: TestWhatIsNotComparedPasses.
