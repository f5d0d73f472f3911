package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

func lines(t *testing.T, file string) (rs []record) {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var r record
		require.NoError(t, json.Unmarshal(s.Bytes(), &r), "%s", s.Text())
		rs = append(rs, r)
	}
	return rs
}

func TestEveryKindOfCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	newer := hooktest.QemuStartBegin()
	newer.Op = "hibernate"
	calls := []hooktest.Call{
		hooktest.DaemonStart(),
		hooktest.NetworkPortCreatedBegin(),
		hooktest.QemuStartBegin(),
		hooktest.QemuReleaseEnd(sdk.ShutoffReasonFromSnapshot),
		newer,
	}
	for _, c := range calls {
		hooktest.Run(t, c, Hooks(file)).Unchanged()
	}
	rs := lines(t, file)
	require.Len(t, rs, len(calls))
	for i, c := range calls {
		r := rs[i]
		assert.Equal(t, []string{c.Driver, c.Object, c.Op, c.SubOp, c.Extra}, []string{r.Driver, r.Object, r.Op, r.SubOp, r.Extra})
		assert.Equal(t, c.XML != nil, r.UUID != "", c.Op)
		assert.Empty(t, r.Error)
		assert.False(t, r.Time.IsZero())
	}
	assert.NotEqual(t, rs[1].UUID, rs[2].UUID)
}

func TestNeverStopsAGuest(t *testing.T) {
	r := hooktest.Run(t, hooktest.QemuStartBegin(), Hooks(t.TempDir())).Unchanged()
	assert.Contains(t, r.Log, "is a directory")

	file := filepath.Join(t.TempDir(), "audit")
	broken := hooktest.QemuStartBegin()
	broken.XML = []byte("<domain>")
	hooktest.Run(t, broken, Hooks(file)).Unchanged()
	assert.Contains(t, lines(t, file)[0].Error, "unexpected EOF")
}

// Many hooks at once, as libvirt runs them when many guests start: real processes
// that write to one file.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	file, program := filepath.Join(dir, "audit"), filepath.Join(dir, "program")
	build := exec.Command("go", "build", "-ldflags", "-X main.auditFile="+file, "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	const guests = 60
	var wg sync.WaitGroup
	for i := range guests {
		call := hooktest.QemuPrepareBegin(func(d *libvirtxml.Domain) { d.Name = fmt.Sprintf("guest \"%d\"\n", i) })
		wg.Go(func() { hooktest.Exec(t, program, call).Unchanged() })
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, r := range lines(t, file) {
		seen[r.Object] = true
	}
	assert.Len(t, seen, guests)
	assert.Len(t, lines(t, file), guests)
}
