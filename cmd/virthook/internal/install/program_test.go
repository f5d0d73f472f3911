package install_test

import (
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPrograms installs what libvirt could and could not run, with this host's
// programs to compare with, and with an image's.
func TestPrograms(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the ELF files are Linux's")
	}
	programs := build(t)
	hook, err := os.ReadFile(programs.v1)
	require.NoError(t, err)
	other := elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		other = elf.EM_X86_64
	}
	with := func(at int, value uint16) []byte {
		changed := append([]byte{}, hook...)
		binary.NativeEndian.PutUint16(changed[at:], value)
		return changed
	}
	const osABI, kind, machine = 7, 16, 18
	freeBSD := append([]byte{}, hook...)
	freeBSD[osABI] = byte(elf.ELFOSABI_FREEBSD)

	stripped := append([]byte{}, hook...) // of the table of sections, as ELF files may be
	clear(stripped[40:48])
	clear(stripped[58:64])

	// In an image, a program tells its architecture.
	foreign := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(foreign, "usr", "sbin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "usr", "sbin", "libvirtd"), with(machine, uint16(other)), 0o755))

	for i, tt := range []struct {
		name    string
		content []byte
		root    string
		says    string // "": it is installed
	}{
		{name: "static", content: hook},
		{name: "empty", says: "neither an ELF program nor a script that begins with #!, so that libvirt could not run it (status 126)"},
		{name: "no #!", content: []byte("echo\n"), says: "neither an ELF program nor a script"},
		{name: "other machine", content: with(machine, uint16(other)), says: "so that libvirt could not run it (status 126)"},
		{name: "other system", content: freeBSD, says: "a program for freebsd/"},
		{name: "library", content: with(kind, uint16(elf.ET_REL)), says: "an ELF file that is not a program but ET_REL"},
		{name: "half", content: hook[:len(hook)/2], says: "a damaged ELF program: "},
		{name: "without sections", content: stripped},
		{name: "half without sections", content: stripped[:len(hook)/2], says: "a damaged ELF program: it ends after"},
		{name: "header", content: hook[:20], says: "a damaged ELF program: "},
		{name: "other machine in its image", content: with(machine, uint16(other)), root: foreign},
		{name: "this machine in the other's image", content: hook, root: foreign, says: "so that libvirt could not run it (status 126)"},
		{name: "nothing to compare with", content: hook, root: t.TempDir()},
		{name: "script", content: []byte("#!/bin/sh\n")},
		{name: "script with arguments", content: []byte("#! /bin/sh -eu")},
		{name: "no interpreter", content: []byte("#!\n"), says: "names no interpreter"},
		{name: "carriage return", content: []byte("#!/bin/sh\r\nexit 0\r\n"), says: "carriage return"},
		{name: "missing interpreter", content: []byte("#!/no/such\n"), says: "the interpreter /no/such is not there, so that libvirt would get status 127"},
		{name: "folder as interpreter", content: []byte("#!/usr\n"), says: "the interpreter /usr is not there"},
		{name: "env", content: []byte("#!/usr/bin/env sh\n")},
		{name: "env with options", content: []byte("#!/usr/bin/env -S A=b sh -e\n")},
		{name: "env of what is missing", content: []byte("#!/usr/bin/env no-such-python\n"), says: "the interpreter no-such-python is not there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "limits")
			require.NoError(t, os.WriteFile(program, tt.content, 0o644))
			hooks := hooksFolder(t)
			args := []string{"install", program, "--driver", "qemu", "--hooks-dir", hooks}
			if tt.root != "" {
				inside := fmt.Sprintf("/hooks%d", i)
				hooks = filepath.Join(tt.root, inside)
				args = append(args[:4], "--hooks-dir", inside, "--root", tt.root)
			}
			out, err := exec.Command(programs.virthook, args...).CombinedOutput()
			if tt.says == "" {
				require.NoError(t, err, "%s", out)
				installed, err := os.ReadFile(filepath.Join(hooks, "qemu.d", "50-limits"))
				require.NoError(t, err)
				assert.Equal(t, tt.content, installed)
				assert.NotContains(t, string(out), "not static")
				if tt.name == "nothing to compare with" {
					assert.Contains(t, string(out), "note: not checked for the host's architecture")
				}
				return
			}
			require.Error(t, err)
			assert.Regexp(t, `^virthook: \S+/limits: [^\n]+\n$`, string(out))
			assert.Contains(t, string(out), tt.says)
			left, err := os.ReadDir(hooks)
			if !os.IsNotExist(err) {
				require.NoError(t, err)
			}
			assert.Empty(t, left, "nothing is touched")
		})
	}
}

// TestNotStatic installs a program that needs a loader, which an image may lack.
func TestNotStatic(t *testing.T) {
	programs := build(t)
	const env = "/usr/bin/env"
	f, err := elf.Open(env)
	require.NoError(t, err)
	defer f.Close()
	dynamic := false
	for _, p := range f.Progs {
		dynamic = dynamic || p.Type == elf.PT_INTERP
	}
	if !dynamic {
		t.Skip(env + " is static here")
	}
	program := filepath.Join(t.TempDir(), "limits")
	content, err := os.ReadFile(env)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, content, 0o755))

	out, err := exec.Command(programs.virthook, "install", program, "--driver", "qemu", "--hooks-dir", hooksFolder(t), "--json").Output()
	require.NoError(t, err)
	var result struct{ Notes []string }
	require.NoError(t, json.Unmarshal(out, &result))
	require.NotEmpty(t, result.Notes)
	assert.Contains(t, result.Notes[0], "not static: it needs /")

	image := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(image, "sbin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(image, "sbin", "init"), content, 0o755))
	out, err = exec.Command(programs.virthook, "install", program, "--driver", "qemu", "--hooks-dir", "/hooks", "--root", image).CombinedOutput()
	require.Error(t, err)
	assert.Regexp(t, `^virthook: \S+/limits: not static, and its loader /\S+ is not there, so that libvirt would get status 127\n$`, string(out))
}

// TestOwner is about what only root can do.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of others are made by root alone")
	}
	programs := build(t)
	const nobody = 65534
	hooks := hooksFolder(t)
	install := func(program string) (string, error) {
		out, err := exec.Command(programs.virthook, "install", program, "--driver", "qemu", "--hooks-dir", hooks).CombinedOutput()
		return string(out), err
	}
	must := func(program string) string {
		t.Helper()
		out, err := install(program)
		require.NoError(t, err, out)
		return out
	}
	must(programs.v1)
	must(programs.v2)
	// Folders that give their group to what is made in them, as all do on FreeBSD.
	for _, name := range []string{".", ".virthook", "qemu.d"} {
		dir := filepath.Join(hooks, name)
		require.NoError(t, os.Chown(dir, 0, nobody))
		require.NoError(t, os.Chmod(dir, 0o755|os.ModeSetgid))
	}
	must(programs.v1)
	owner := func() string {
		t.Helper()
		out, err := exec.Command("stat", "-c", "%u:%g %a", filepath.Join(hooks, "qemu.d", "50-limits")).Output()
		require.NoError(t, err)
		return string(out)
	}
	assert.Equal(t, "0:0 755\n", owner())

	// An owner who could change it is mended.
	require.NoError(t, os.Chown(filepath.Join(hooks, "qemu.d", "50-limits"), nobody, nobody))
	assert.Contains(t, must(programs.v1), "mended ")
	assert.Equal(t, "0:0 755\n", owner())

	// A folder of somebody else's is not used.
	require.NoError(t, os.Chown(hooks, nobody, 0))
	out, err := install(programs.v2)
	require.Error(t, err)
	assert.Equal(t, "virthook: "+hooks+": belongs to user 65534, who could replace what libvirt runs as root: chown root "+hooks+"\n", out)
}
