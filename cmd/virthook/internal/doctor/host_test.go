package doctor_test

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/doctor"
	"github.com/virthook/virthook/spec"
)

// built are the compiled hooks of these tests, by what they handle.
var built = map[string][]byte{}

// mark is the file that the foreign program leaves when it is run.
var mark string

func TestMain(m *testing.M) {
	doctor.DescribeTime(4 * time.Second)
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "virthook-doctor-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	mark = filepath.Join(dir, "ran")
	build := func(name, pkg, flags string) {
		out := filepath.Join(dir, name)
		cmd := exec.Command("go", "build", "-ldflags", flags, "-o", out, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			panic(fmt.Sprintf("building %s: %v: %s", name, err, said))
		}
		if built[name], err = os.ReadFile(out); err != nil {
			panic(err)
		}
	}
	for _, handles := range []string{"qemu", "filter", "filter2", "attach", "network", "both", "future", "hang"} {
		build(handles, "./testdata/hook", "-s -w -X main.handles="+handles)
	}
	build("marks", "./testdata/hook", "-s -w -X main.handles=marks -X main.mark="+mark)
	build("foreign", "./testdata/foreign", "-s -w -X main.mark="+mark)
	return m.Run()
}

// host is a folder with all that the doctor looks at.
type host struct {
	t            *testing.T
	root         string
	hooks        string // --hooks-dir
	unprivileged bool
	image        bool // hooks are not asked
	run          func(ctx context.Context, name string, args ...string) ([]byte, error)
}

const hooks = "/etc/libvirt/hooks"

// newHost is a healthy host: libvirt 11.3.0, libvirtd with qemu and network, which
// was started after its hooks were installed, one of ours and a script.
func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, root: t.TempDir()}
	require.NoError(t, os.Chmod(h.root, 0o755))
	h.library("11003.0", hooks, machine())
	for _, driver := range []string{"qemu", "network"} {
		h.write(libraries+"/libvirt/connection-driver/libvirt_driver_"+driver+".so", 0o644, "")
	}
	h.write("/usr/sbin/libvirtd", 0o755, "libvirtd")
	h.write("/bin/sh", 0o755, "sh")
	h.write("/usr/bin/env", 0o755, "env")
	h.write("/proc/stat", 0o444, fmt.Sprintf("cpu 1 2\nbtime %d\n", time.Now().Add(time.Hour).Unix()))
	h.write("/proc/self/mounts", 0o444, "/dev/vda1 / ext4 rw,noatime 0 0\n")
	h.daemon(77, "libvirtd", 0)
	h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["qemu"]))
	h.write(hooks+"/network", 0o755, "#!/bin/sh\nexit 0\n")
	return h
}

const libraries = "/usr/lib/x86_64-linux-gnu"

func machine() elf.Machine {
	if runtime.GOARCH == "arm64" {
		return elf.EM_AARCH64
	}
	return elf.EM_X86_64
}

// program is the header of an ELF file, with text after it.
func program(m elf.Machine, text string) string {
	header := make([]byte, 64)
	copy(header, elf.ELFMAG)
	header[elf.EI_CLASS], header[elf.EI_DATA], header[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	binary.LittleEndian.PutUint16(header[16:], uint16(elf.ET_DYN))
	binary.LittleEndian.PutUint16(header[18:], uint16(m))
	binary.LittleEndian.PutUint32(header[20:], uint32(elf.EV_CURRENT))
	binary.LittleEndian.PutUint16(header[52:], 64)
	return string(header) + text
}

// library installs libvirt's library, which reads the folder of hooks.
func (h *host) library(version, folder string, m elf.Machine) {
	for _, old := range h.glob(libraries + "/libvirt.so.0*") {
		require.NoError(h.t, os.Remove(old))
	}
	h.write(libraries+"/libvirt.so.0."+version, 0o644, program(m, "\x00"+folder+"\x00"))
	h.link("libvirt.so.0."+version, libraries+"/libvirt.so.0")
	if len(h.glob("/proc/77")) > 0 {
		h.write("/proc/77/maps", 0o444, "00001000-00002000 r--p 00000000 fd:01 1 "+libraries+"/libvirt.so.0."+version+"\n")
	}
}

// daemon is a process of root's, which was started at so many seconds after the boot.
func (h *host) daemon(pid int, name string, at int) {
	dir := fmt.Sprintf("/proc/%d", pid)
	h.write("/usr/sbin/"+name, 0o755, name)
	h.write(dir+"/comm", 0o444, name[:min(15, len(name))]+"\n")
	h.write(dir+"/status", 0o444, "Name:\t"+name+"\nUid:\t0\t0\t0\t0\n")
	h.write(dir+"/stat", 0o444, fmt.Sprintf("%d (%s) S %s%d 0\n", pid, name, strings.Repeat("1 ", 18), at*100))
	h.write(dir+"/environ", 0o444, "A=1\x00PATH=/usr/bin:/bin\x00")
	h.write(dir+"/maps", 0o444, "00001000-00002000 r--p 00000000 fd:01 1 "+libraries+"/libvirt.so.0.11003.0\n")
	h.link("/usr/sbin/"+name, dir+"/exe")
}

func (h *host) at(name string) string { return filepath.Join(h.root, name) }

func (h *host) write(name string, mode fs.FileMode, content string) {
	h.t.Helper()
	at := h.at(name)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(at), 0o755))
	_ = os.Remove(at)
	require.NoError(h.t, os.WriteFile(at, []byte(content), 0o644))
	h.mode(name, mode)
}

func (h *host) mode(name string, mode fs.FileMode) {
	h.t.Helper()
	require.NoError(h.t, os.Chmod(h.at(name), mode))
}

func (h *host) link(to, name string) {
	h.t.Helper()
	require.NoError(h.t, os.MkdirAll(filepath.Dir(h.at(name)), 0o755))
	_ = os.Remove(h.at(name))
	require.NoError(h.t, os.Symlink(to, h.at(name)))
}

func (h *host) remove(name string) {
	h.t.Helper()
	require.NoError(h.t, os.RemoveAll(h.at(name)))
}

func (h *host) glob(pattern string) []string {
	found, err := filepath.Glob(h.at(pattern))
	require.NoError(h.t, err)
	return found
}

func (h *host) examine() *doctor.Report {
	h.t.Helper()
	s, err := spec.Builtin()
	require.NoError(h.t, err)
	examined := doctor.Host{Root: h.root, HooksDir: h.hooks, Spec: s, Run: h.run, Unprivileged: h.unprivileged}
	if !h.image {
		examined = examined.AsksImages()
	}
	r, err := doctor.Examine(h.t.Context(), examined)
	require.NoError(h.t, err)
	return r
}

// fields are the findings in a line each.
func lines(r *doctor.Report) (all []string) {
	for _, f := range r.Findings {
		all = append(all, string(f.Severity)+" "+f.ID+" "+f.Place+": "+f.What)
	}
	return all
}
