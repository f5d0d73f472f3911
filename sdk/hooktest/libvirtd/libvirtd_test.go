package libvirtd

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What needs a libvirt is tested with the build tag integration.

func TestVersion(t *testing.T) {
	v := parseVersion("Compiled against library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning against daemon: 10.5.2\n")
	assert.Equal(t, Version{10, 5, 2}, v)
	assert.Equal(t, "10.5.2", v.String())
	assert.True(t, v.AtLeast(10, 5) && v.AtLeast(10, 4) && v.AtLeast(9, 9))
	assert.False(t, v.AtLeast(10, 6) || v.AtLeast(11, 0))
}

func TestAvailableNamesWhatIsMissing(t *testing.T) {
	if runtime.GOOS != "linux" {
		assert.ErrorContains(t, Available(), "needs Linux")
		return
	}
	t.Setenv(RootVariable, t.TempDir())
	err := Available()
	assert.ErrorContains(t, err, "a private libvirtd needs")
	assert.NotContains(t, err.Error(), "\n")
}

func TestBootSectorsFit(t *testing.T) {
	for _, b := range []BootSector{Idle, PowerOff, Panic} {
		image := b.image()
		assert.Len(t, image, 1<<20)
		assert.Equal(t, []byte{0x55, 0xaa}, image[510:512])
		assert.Equal(t, string(b), string(image[:len(b)]))
	}
}
