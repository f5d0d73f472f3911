package version_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/internal/version"
)

func TestCompare(t *testing.T) {
	ordered := []string{"", "0.9.13", "9.0.0", "9.10.0", "11.3.0", "11.3.1", "12"}
	for i, a := range ordered {
		for j, b := range ordered {
			got := version.Compare(a, b)
			assert.Equal(t, i < j, got < 0, "%s, %s", a, b)
			assert.Equal(t, i == j, got == 0, "%s, %s", a, b)
		}
	}
	assert.Zero(t, version.Compare("11.3", "11.3.0"))
}
