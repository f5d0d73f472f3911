package document

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/abi"
)

// An edit of which abi.Compares says, by its paths, that nobody looks at it passes
// libvirt's check.
func TestWhatIsNotComparedPasses(t *testing.T) {
	seen := map[string]bool{}
	eachDomain(t, 10, func(name string, xml []byte) {
		first, _, err := Domain(xml)
		if err != nil {
			return
		}
		for i := range leaves(reflect.ValueOf(first)) {
			edited, _, err := Domain(xml)
			require.NoError(t, err)
			leaf := leaves(reflect.ValueOf(edited))[i]
			leaf.SetString(leaf.String() + "0")
			edit, err := ApplyDomain(xml, edited)
			if err != nil || len(edit.Paths) == 0 || abi.Compares(edit.Paths[0]) {
				continue
			}
			seen[edit.Paths[0]] = true
			assert.NoError(t, abi.CheckRestore(first, edit.After), "%s: %s", name, edit.Paths)
		}
	})
	t.Logf("%d kinds of place", len(seen))
	assert.Greater(t, len(seen), 3)
}
