package memfd_test

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/sdk/internal/memfd"
)

func TestCreate(t *testing.T) {
	fd, err := memfd.Create("a name")
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "memory")
	defer f.Close()
	_, err = f.WriteString("kept")
	require.NoError(t, err)
	content := make([]byte, 8)
	n, _ := f.ReadAt(content, 0)
	assert.Equal(t, "kept", string(content[:n]))
	link, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	require.NoError(t, err)
	assert.Contains(t, link, "memfd:a name")
	assert.Error(t, exec.Command("test", "-e", "/proc/self/fd/"+strconv.Itoa(fd)).Run(), "a child has it")
}
