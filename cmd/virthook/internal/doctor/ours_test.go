package doctor_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/doctor"
)

func handles(r *doctor.Report) (all []string) {
	for _, d := range r.Drivers {
		for _, hook := range d.Hooks {
			for _, o := range hook.Handles {
				all = append(all, o.Driver+"/"+o.Op)
			}
		}
	}
	return all
}

// No code of an image is run, also when it is one for this machine.
func TestRunsNothingOfAnImage(t *testing.T) {
	h := newHost(t)
	h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["marks"]))
	h.examine()
	require.FileExists(t, mark, "the hook leaves a mark when it is run")
	require.NoError(t, os.Remove(mark))
	h.image = true
	r := h.examine()
	assert.NoFileExists(t, mark)
	assert.Empty(t, lines(r))
	assert.Empty(t, handles(r))
	for _, d := range r.Drivers {
		if d.Driver == "qemu" {
			assert.True(t, d.Hooks[0].Ours, "that it is ours is known without running it")
		}
	}
}

// A hook is asked where no file can be written and executed.
func TestAsksFromMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux executes files in memory")
	}
	h := newHost(t)
	t.Setenv("TMPDIR", "/nowhere/at/all")
	r := h.examine()
	assert.Empty(t, lines(r))
	assert.Equal(t, []string{"qemu/start"}, handles(r))
}

// That no copy can be executed is no fault of the hook's.
func TestNoCopyRuns(t *testing.T) {
	saved := *doctor.Copies
	defer func() { *doctor.Copies = saved }()
	only := func(content string, mode os.FileMode) {
		*doctor.Copies = (*doctor.Copies)[:0:0]
		*doctor.Copies = append(*doctor.Copies, func([]byte) (string, func(), error) {
			name := filepath.Join(t.TempDir(), "hook")
			return name, func() {}, os.WriteFile(name, []byte(content), mode)
		})
	}
	h := newHost(t)
	only("", 0o600) // as where noexec is mounted
	r := h.examine()
	assert.Empty(t, lines(r))
	assert.Empty(t, handles(r))

	only("no program", 0o700)
	assert.Empty(t, lines(h.examine()))

	*doctor.Copies = saved[1:]
	t.Setenv("TMPDIR", "/nowhere/at/all")
	assert.Empty(t, lines(h.examine()))

	t.Setenv("TMPDIR", t.TempDir())
	assert.Equal(t, []string{"qemu/start"}, handles(h.examine()), "a copy in a folder does too")

	only("#!/bin/sh\nexit 3\n", 0o700)
	r = h.examine()
	require.Len(t, r.Findings, 1, "one that runs and fails is a fault")
	assert.Equal(t, "describe-failed", r.Findings[0].ID)
}

func TestExecutableOn(t *testing.T) {
	t.Parallel()
	linux := program(elf.EM_X86_64, "")
	freeBSD := []byte(linux)
	freeBSD[elf.EI_OSABI] = byte(elf.ELFOSABI_FREEBSD)
	for _, c := range []struct {
		goos, goarch string
		linux, bsd   bool
	}{
		{"linux", "amd64", true, false},
		{"linux", "arm64", false, false},
		{"freebsd", "amd64", false, true},
		{"freebsd", "arm64", false, false},
		{"darwin", "amd64", false, false},
	} {
		assert.Equal(t, c.linux, doctor.ExecutableOn(c.goos, c.goarch, []byte(linux)), c)
		assert.Equal(t, c.bsd, doctor.ExecutableOn(c.goos, c.goarch, freeBSD), c)
		assert.Equal(t, c.goos == "darwin", doctor.ExecutableOn(c.goos, c.goarch, []byte("no ELF")), c)
	}
}
