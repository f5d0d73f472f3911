package doctor_test

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/doctor"
)

const script = "#!/bin/sh\nexit 0\n"

// A seed is a fault that is put into a healthy host.
type seed struct {
	name  string
	plant func(h *host)
	want  string // the finding: severity id place: what, as a regular expression
	mends bool   // the command of the finding can be run here, and nothing is found after it
	root  bool   // only root can plant it
}

var seeds = []seed{
	{"no folder", func(h *host) { h.remove(hooks) }, `problem hooks-dir-missing /etc/libvirt/hooks: .*no such`, false, false},
	{"folder is a file", func(h *host) { h.remove(hooks); h.write(hooks, 0o644, "") }, `problem hooks-dir-missing .*no folder`, false, false},
	{"built from source", func(h *host) {
		h.library("11003.0", "/usr/local/etc/libvirt/hooks", machine())
	}, `problem hooks-dir-elsewhere /etc/libvirt/hooks: .*libvirt reads /usr/local/etc/libvirt/hooks`, true, false},
	{"folder of NixOS", func(h *host) {
		h.write("/var/lib/libvirt/hooks/qemu", 0o755, "#!/bin/sh\nexit 1\n")
	}, `problem hooks-dir-elsewhere /var/lib/libvirt/hooks: .*libvirt reads /etc/libvirt/hooks`, true, false},
	{"folder asked for", func(h *host) {
		h.write("/srv/hooks/qemu", 0o755, script)
		h.hooks = "/srv/hooks"
	}, `problem hooks-dir-elsewhere /srv/hooks: this libvirt .* reads /etc/libvirt/hooks, not /srv/hooks`, false, false},
	{"no hooks", func(h *host) { h.remove(hooks + "/qemu.d"); h.remove(hooks + "/network") }, `note no-hooks /etc/libvirt/hooks: `, false, false},

	{"world-writable hook", func(h *host) { h.mode(hooks+"/network", 0o777) }, `problem writable /etc/libvirt/hooks/network: .*everybody`, true, false},
	{"group-writable hook", func(h *host) { h.mode(hooks+"/network", 0o775) }, `problem writable /etc/libvirt/hooks/network: .*its group`, true, false},
	{"writable DRIVER.d", func(h *host) { h.mode(hooks+"/qemu.d", 0o775) }, `problem writable /etc/libvirt/hooks/qemu.d: `, true, false},
	{"writable folder above", func(h *host) { h.mode("/etc", 0o777) }, `problem writable /etc: `, true, false},
	{"writable target of a link", func(h *host) {
		h.write("/srv/a/net", 0o755, script)
		h.mode("/srv/a", 0o777)
		h.link("/srv/a/net", hooks+"/network")
	}, `problem writable /srv/a: `, false, false},
	{"owner of a hook", func(h *host) { h.own(hooks + "/network") }, `problem owner /etc/libvirt/hooks/network: .*user 4242`, true, true},
	{"owner of a folder above", func(h *host) { h.own("/etc/libvirt") }, `problem owner /etc/libvirt: .*user 4242`, true, true},
	{"setuid", func(h *host) { h.mode(hooks+"/network", 0o755|os.ModeSetuid) }, `warning setuid /etc/libvirt/hooks/network: `, true, false},
	{"setgid", func(h *host) { h.mode(hooks+"/network", 0o755|os.ModeSetgid) }, `warning setuid /etc/libvirt/hooks/network: `, true, false},

	{"not executable", func(h *host) { h.mode(hooks+"/network", 0o644) }, `problem not-executable /etc/libvirt/hooks/network: .*0644`, true, false},
	{"not executable in DRIVER.d", func(h *host) { h.mode(hooks+"/qemu.d/50-ours", 0o600) }, `problem not-executable /etc/libvirt/hooks/qemu.d/50-ours: `, false, false},
	{"folder in DRIVER.d", func(h *host) { h.write(hooks+"/qemu.d/scripts/x", 0o755, script) }, `problem not-a-file /etc/libvirt/hooks/qemu.d/scripts: .*folder`, true, false},
	{"folder for a hook", func(h *host) { h.write(hooks+"/qemu/x", 0o755, script) }, `problem not-a-file /etc/libvirt/hooks/qemu: .*folder`, true, false},
	{"pipe", func(h *host) {
		require.NoError(h.t, syscall.Mkfifo(h.at(hooks+"/qemu.d/60-pipe"), 0o755))
	}, `problem not-a-file /etc/libvirt/hooks/qemu.d/60-pipe: .*pipe`, false, false},
	{"dangling link", func(h *host) { h.link("/nowhere/hook", hooks+"/qemu.d/60-gone") }, `problem dangling-link /etc/libvirt/hooks/qemu.d/60-gone: .*/nowhere`, true, false},
	{"link to itself", func(h *host) { h.link("60-loop", hooks+"/qemu.d/60-loop") }, `problem unreadable /etc/libvirt/hooks/qemu.d/60-loop: .*too many links`, false, false},
	{"link out of the folder", func(h *host) {
		h.write("/usr/lib/hook", 0o755, script+"#")
		h.link("/usr/lib/hook", hooks+"/qemu.d/60-link")
	}, `note link-out /etc/libvirt/hooks/qemu.d/60-link: .*/usr/lib/hook`, true, false},

	{"foo~", func(h *host) { h.write(hooks+"/qemu.d/50-mine~", 0o755, script+"#") }, `problem backup-runs /etc/libvirt/hooks/qemu.d/50-mine~: `, true, false},
	{".foo.swp", func(h *host) { h.write(hooks+"/qemu.d/.50-mine.swp", 0o755, script+"#") }, `problem backup-runs /etc/libvirt/hooks/qemu.d/.50-mine.swp: `, true, false},
	{"hidden", func(h *host) { h.write(hooks+"/qemu.d/.50-mine", 0o755, script+"#") }, `problem backup-runs /etc/libvirt/hooks/qemu.d/.50-mine: `, true, false},
	{"rpmsave", func(h *host) { h.write(hooks+"/qemu.d/50-mine.rpmsave", 0o755, script+"#") }, `problem backup-runs .*rpmsave: `, false, false},
	{"dpkg-old", func(h *host) { h.write(hooks+"/qemu.d/50-mine.dpkg-old", 0o755, script+"#") }, `problem backup-runs .*dpkg-old: `, false, false},
	{"README", func(h *host) { h.write(hooks+"/qemu.d/README", 0o755, script+"#") }, `problem document-runs /etc/libvirt/hooks/qemu.d/README: `, true, false},
	{"before DRIVER.d", func(h *host) { h.library("6004.0", hooks, machine()) }, `problem driver-d-too-new /etc/libvirt/hooks/qemu.d: libvirt 6.4.0`, false, false},
	{"DRIVER.d is a file", func(h *host) { h.write(hooks+"/network.d", 0o755, script) }, `problem driver-d-not-a-folder /etc/libvirt/hooks/network.d: `, false, false},
	{"misspelt", func(h *host) {
		h.remove(hooks + "/network")
		h.write(hooks+"/Network", 0o755, script)
	}, `problem misnamed /etc/libvirt/hooks/Network: .*driver network`, true, false},
	{"capitals", func(h *host) {
		h.remove(hooks + "/qemu.d")
		h.write(hooks+"/QEMU", 0o755, script+"#")
	}, `problem misnamed /etc/libvirt/hooks/QEMU: .*driver qemu`, true, false},
	{"with an ending", func(h *host) {
		h.remove(hooks + "/network")
		h.write(hooks+"/network.sh", 0o644, script)
	}, `problem misnamed /etc/libvirt/hooks/network.sh: `, true, false},
	{"two letters swapped", func(h *host) {
		h.remove(hooks + "/network")
		h.write(hooks+"/netwrok", 0o755, script)
	}, `problem misnamed /etc/libvirt/hooks/netwrok: `, true, false},
	{"another name of the driver", func(h *host) {
		h.remove(hooks + "/qemu.d")
		h.write(hooks+"/kvm.d/50-mine", 0o755, script)
	}, `problem misnamed /etc/libvirt/hooks/kvm.d: .*driver qemu`, true, false},
	{"a helper of a hook", func(h *host) { h.write(hooks+"/network.sh", 0o755, script) }, `note never-looked-at /etc/libvirt/hooks/network.sh: `, false, false},
	{"twice", func(h *host) { h.write(hooks+"/qemu", 0o755, string(built["qemu"])) }, `warning runs-twice /etc/libvirt/hooks/qemu.d/50-ours: .*/hooks/qemu$`, true, false},

	{"no interpreter", func(h *host) { h.write(hooks+"/network", 0o755, "#!/usr/bin/python\n") }, `problem interpreter-missing /etc/libvirt/hooks/network: .*/usr/bin/python`, false, false},
	{"another interpreter", func(h *host) {
		h.write("/usr/bin/python3", 0o755, "")
		h.write(hooks+"/network", 0o755, "#!/usr/bin/env python\n")
	}, `problem interpreter-missing /etc/libvirt/hooks/network: .*python is nowhere in the PATH .*/usr/bin:/bin$`, true, false},
	{"interpreter not executable", func(h *host) {
		h.write("/usr/bin/perl", 0o644, "")
		h.write(hooks+"/network", 0o755, "#! /usr/bin/perl -w\n")
	}, `problem interpreter-missing .*/usr/bin/perl`, false, false},
	{"CR LF", func(h *host) { h.write(hooks+"/network", 0o755, "#!/bin/sh\r\nexit 0\r\n") }, `problem crlf /etc/libvirt/hooks/network: `, true, false},
	{"no #!", func(h *host) { h.write(hooks+"/network", 0o755, "exit 0\n") }, `problem no-format /etc/libvirt/hooks/network: `, true, false},
	{"nothing after #!", func(h *host) { h.write(hooks+"/network", 0o755, "#! \nexit 0\n") }, `problem no-format .*no interpreter`, true, false},
	{"byte order mark", func(h *host) { h.write(hooks+"/network", 0o755, "\xef\xbb\xbf"+script) }, `problem no-format .*byte order mark`, true, false},
	{"empty", func(h *host) { h.write(hooks+"/network", 0o755, "") }, `problem empty /etc/libvirt/hooks/network: `, true, false},
	{"cut short", func(h *host) { h.write(hooks+"/network", 0o755, string(built["qemu"][:40])) }, `problem no-format .*damaged`, false, false},
	{"cut in the middle", func(h *host) { h.dynamic(hooks+"/network", "/bin/sh"); h.lengthen(hooks + "/network") }, `problem no-format .*within a part of it`, true, false},
	{"another machine", func(h *host) { h.write(hooks+"/network", 0o755, program(elf.EM_PPC64, "")) }, `problem wrong-machine /etc/libvirt/hooks/network: .*ppc64, and this host is `, false, false},
	{"another system", func(h *host) {
		p := []byte(program(machine(), ""))
		p[elf.EI_OSABI] = byte(elf.ELFOSABI_FREEBSD)
		h.write(hooks+"/network", 0o755, string(p))
	}, `problem wrong-machine /etc/libvirt/hooks/network: .*FreeBSD on `, false, false},
	{"a program of Windows", func(h *host) { h.write(hooks+"/network", 0o755, "MZ\x90") }, `problem wrong-machine `, false, false},
	{"no loader", func(h *host) { h.dynamic(hooks+"/network", "/lib64/ld-nowhere.so.2") }, `problem loader-missing /etc/libvirt/hooks/network: .*/lib64/ld-nowhere.so.2`, false, false},
	{"no library", func(h *host) {
		h.write("/lib64/ld-here.so.2", 0o755, "")
		h.dynamic(hooks+"/network", "/lib64/ld-here.so.2", "libnowhere.so.9")
	}, `problem library-missing /etc/libvirt/hooks/network: .*libnowhere.so.9`, false, false},
	{"noexec", func(h *host) {
		h.write("/proc/self/mounts", 0o444, "a / ext4 rw,noatime 0 0\nb /etc/libvirt tmpfs rw,noexec,noatime 0 0\n")
	}, `problem noexec /etc/libvirt/hooks/network: .*/etc/libvirt is`, false, false},

	{"no libvirt", func(h *host) {
		for _, name := range []string{"/usr/lib", "/usr/sbin", "/proc/77"} {
			h.remove(name)
		}
	}, `problem libvirt-missing libvirt: `, false, false},
	{"no daemon", func(h *host) { h.write(hooks+"/lxc", 0o755, script) }, `problem daemon-missing /etc/libvirt/hooks/lxc: .*virtlxcd nor libvirtd`, false, false},
	{"daemon down", func(h *host) { h.remove("/proc/77"); h.write("/proc/1/comm", 0o444, "init\n") }, `problem daemon-not-running libvirtd: `, false, false},
	{"enabled where no systemd runs", func(h *host) {
		h.remove("/proc/77")
		h.write("/proc/1/comm", 0o444, "init\n")
		h.link("/x", "/etc/systemd/system/sockets.target.wants/libvirtd.socket")
	}, `problem daemon-not-running libvirtd: `, false, false},
	{"a user's daemon", func(h *host) { h.write("/proc/77/status", 0o444, "Uid:\t1000\t1000\n") }, `problem daemon-not-running libvirtd: `, false, false},
	{"both run", func(h *host) { h.daemon(78, "virtqemud", 0) }, `warning both-daemons libvirtd: libvirtd and virtqemud both run`, false, false},
	{"both enabled", func(h *host) {
		h.link("/x", "/etc/systemd/system/sockets.target.wants/libvirtd.socket")
		h.link("/x", "/etc/systemd/system/sockets.target.wants/virtnetworkd.socket")
	}, `warning both-daemons libvirtd: libvirtd and virtnetworkd are both enabled`, false, false},
	{"program replaced", func(h *host) { h.link("/usr/sbin/libvirtd (deleted)", "/proc/77/exe") }, `warning daemon-outdated libvirtd: process 77 .*replaced`, false, false},
	{"library replaced", func(h *host) {
		h.write("/proc/77/maps", 0o444, "1-2 r--p 00000000 fd:01 1 "+libraries+"/libvirt.so.0.9000.0 (deleted)\n")
	}, `warning daemon-outdated libvirtd: process 77 .*older libvirt than the installed 11.3.0`, false, false},
	{"not reloaded", func(h *host) {
		h.write("/proc/stat", 0o444, fmt.Sprintf("btime %d\n", time.Now().Add(-time.Hour).Unix()))
	}, `warning not-reloaded /etc/libvirt/hooks/qemu: .*libvirtd \(process 77\)`, false, false},

	{"AppArmor and a link", func(h *host) {
		h.appArmor("libvirtd")
		h.write("/usr/local/lib/hook", 0o755, script+"#")
		h.link("/usr/local/lib/hook", hooks+"/qemu.d/60-link")
	}, `problem apparmor /etc/libvirt/hooks/qemu.d/60-link: .*does not let libvirtd execute /usr/local/lib/hook`, false, false},
	{"AppArmor and an interpreter", func(h *host) {
		h.appArmor("libvirtd")
		h.write("/opt/python/bin/python", 0o755, "")
		h.write(hooks+"/network", 0o755, "#!/opt/python/bin/python\n")
	}, `problem apparmor /etc/libvirt/hooks/network: .*interpreter /opt/python/bin/python`, false, false},
	{"AppArmor and another folder", func(h *host) {
		h.appArmor("libvirtd")
		h.library("11003.0", "/opt/etc/libvirt/hooks", machine())
		require.NoError(h.t, os.MkdirAll(h.at("/opt/etc/libvirt"), 0o755))
		require.NoError(h.t, os.Rename(h.at(hooks), h.at("/opt/etc/libvirt/hooks")))
	}, `problem apparmor /opt/etc/libvirt/hooks/network: `, false, false},
	{"SELinux's boolean", func(h *host) { h.seLinux("0 0") }, `warning selinux-boolean virt_hooks_unconfined: `, false, false},
	{"SELinux's label", func(h *host) {
		h.seLinux("1 1")
		h.label(hooks+"/network", "unconfined_u:object_r:user_home_t:s0")
	}, `problem selinux-label /etc/libvirt/hooks/network: its label is user_home_t, and the policy has virt_hook_t`, false, true},

	{"operation too new", func(h *host) {
		h.library("1002.1", hooks, machine())
		h.remove(hooks + "/qemu.d")
		h.write(hooks+"/network", 0o755, string(built["network"]))
	}, `warning operation-too-new /etc/libvirt/hooks/network: .*network/updated/begin, .*since 1.2.2, and this one is 1.2.1`, false, false},
	{"operation gone", func(h *host) { h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["attach"])) }, `warning operation-gone /etc/libvirt/hooks/qemu.d/50-ours: .*qemu/attach/begin`, false, false},
	{"operation unknown", func(h *host) { h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["future"])) }, `note unknown-operation /etc/libvirt/hooks/qemu.d/50-ours: .*qemu/paused/end`, false, false},
	{"at the wrong driver", func(h *host) { h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["network"])) }, `problem nothing-handled /etc/libvirt/hooks/qemu.d/50-ours: .*operations of network alone`, false, false},
	{"a driver left out", func(h *host) {
		h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["both"]))
	}, `warning driver-left-out /etc/libvirt/hooks/qemu.d/50-ours: .*network`, false, false},
	{"no answer", func(h *host) { h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["hang"])) }, `problem describe-failed /etc/libvirt/hooks/qemu.d/50-ours: .*no answer`, false, false},
	{"two builds", func(h *host) { h.write(hooks+"/network", 0o755, string(built["both"])) }, `warning copies-differ /etc/libvirt/hooks/qemu.d/50-ours: `, false, false},
	{"two filters", func(h *host) {
		h.write(hooks+"/qemu.d/50-ours", 0o755, string(built["filter"]))
		h.write(hooks+"/qemu.d/20-first", 0o755, string(built["filter2"]))
	}, `note filter-order /etc/libvirt/hooks/qemu: qemu/migrate .*: 20-first, 50-ours`, false, false},
	{"never run", func(h *host) {
		h.write("/proc/self/mounts", 0o444, "a / ext4 rw,relatime 0 0\n")
		old := time.Now().Add(-time.Hour)
		require.NoError(h.t, os.Chtimes(h.at(hooks+"/network"), old, old))
	}, `note never-fired /etc/libvirt/hooks/network: `, false, false},
	{"installed and gone", func(h *host) { h.manifest("qemu.d/60-gone", "") }, `warning install-changed /etc/libvirt/hooks/qemu.d/60-gone: .*gone`, false, false},
	{"installed and changed", func(h *host) { h.manifest("qemu.d/50-ours", "other") }, `warning install-changed /etc/libvirt/hooks/qemu.d/50-ours: .*another file`, false, false},
	{"no root", func(h *host) { h.unprivileged = true }, `note not-root virthook doctor: `, false, false},
	{"recording", func(h *host) {
		h.write(hooks+"/qemu.d/00-virthook-record", 0o755, script+"#")
		h.write(hooks+"/virthook-record.json", 0o644, "{}")
	}, `note recording /etc/libvirt/hooks/virthook-record.json: .*qemu`, false, false},
	{"recorder left", func(h *host) { h.write(hooks+"/qemu.d/00-virthook-record", 0o755, script+"#") }, `warning recorder-left /etc/libvirt/hooks/qemu.d/00-virthook-record: `, false, false},
	{"configuration left", func(h *host) { h.write(hooks+"/virthook-record.json", 0o644, "{}") }, `warning recorder-left /etc/libvirt/hooks/virthook-record.json: `, false, false},
}

func (h *host) own(name string) {
	h.t.Helper()
	require.NoError(h.t, os.Chown(h.at(name), 4242, 0))
}

func (h *host) label(name, label string) {
	h.t.Helper()
	if err := setLabel(h.at(name), label); err != nil {
		h.t.Skip(err)
	}
}

// dynamic writes a program that was linked dynamically.
func (h *host) dynamic(name, loader string, libraries ...string) {
	h.t.Helper()
	h.write(name, 0o755, dynamicProgram(loader, libraries))
}

// lengthen has the first part of a program reach beyond its end.
func (h *host) lengthen(name string) {
	h.t.Helper()
	content, err := os.ReadFile(h.at(name))
	require.NoError(h.t, err)
	content[64+32+4] = 1 // the size in the file, of 64 bits, at 32 in the part's header
	h.write(name, 0o755, string(content))
}

func (h *host) appArmor(profile string) {
	h.write("/proc/77/attr/apparmor/current", 0o444, profile+" (enforce)\n")
	h.write("/etc/apparmor.d/abstractions/base", 0o644, "  /{usr/,}lib/** r,\n")
	h.write("/etc/apparmor.d/usr.sbin.libvirtd", 0o644, `#include <tunables/global>
@{LIBVIRT}="libvirt"
profile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected) {
  #include <abstractions/base>
  /bin/* PUx,
  /usr/bin/* PUx,
  audit deny /etc/apparmor.d/libvirt/** wxl,
  /etc/@{LIBVIRT}/hooks/** rmix,
  profile helper {
    /opt/** rmix,
    /usr/local/** rmix,
  }
}
`)
}

func (h *host) seLinux(hooksUnconfined string) {
	h.write("/sys/fs/selinux/enforce", 0o644, "1")
	h.write("/sys/fs/selinux/booleans/virt_hooks_unconfined", 0o644, hooksUnconfined)
	h.write("/etc/selinux/config", 0o644, "SELINUX=enforcing\nSELINUXTYPE=targeted\n")
	h.write("/etc/selinux/targeted/contexts/files/file_contexts", 0o644, `/.*	system_u:object_r:default_t:s0
/etc/.*	system_u:object_r:etc_t:s0
/etc/libvirt/hooks(/.*)?	--	system_u:object_r:virt_hook_t:s0
/etc/libvirt/hooks(/.*)?	-d	system_u:object_r:virt_etc_t:s0
/etc/zzz	--	system_u:object_r:zzz_t:s0
`)
}

func (h *host) manifest(place, sum string) {
	content, err := json.Marshal(map[string]any{"version": 1, "hooks": []any{map[string]string{"place": place, "sha256": sum}}})
	require.NoError(h.t, err)
	h.write(hooks+"/virthook-install.json", 0o644, string(content))
}

// A healthy host has nothing wrong with it.
func TestHealthy(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h *host){
		"as it is":    func(*host) {},
		"an image":    func(h *host) { h.remove("/proc") },
		"a bare name": func(h *host) { h.hooks = hooks },
		"AppArmor":    func(h *host) { h.appArmor("libvirtd") },
		"AppArmor only complains": func(h *host) {
			h.appArmor("libvirtd")
			h.write("/proc/77/attr/apparmor/current", 0o444, "libvirtd (complain)\n")
			h.write("/opt/python", 0o755, "")
			h.write(hooks+"/network", 0o755, "#!/opt/python\n")
		},
		"SELinux": func(h *host) { h.seLinux("1 1") },
		"installed by virthook": func(h *host) {
			sum := sha256.Sum256(built["qemu"])
			h.manifest("qemu.d/50-ours", hex.EncodeToString(sum[:]))
		},
		"socket activation": func(h *host) {
			h.remove("/proc/77")
			h.write("/proc/1/comm", 0o444, "systemd\n")
			h.write("/run/systemd/system/x", 0o644, "")
			h.link("/x", "/etc/systemd/system/sockets.target.wants/libvirtd.socket")
		},
		"texts that do not run": func(h *host) {
			h.write(hooks+"/qemu.d/README", 0o644, "read me")
			h.write(hooks+"/qemu.d/50-ours~", 0o644, "old")
			h.write(hooks+"/README.md", 0o644, "read me")
		},
		"a sticky folder above": func(h *host) { h.mode("/etc", 0o777|os.ModeSticky) },
		"a library that is there": func(h *host) {
			h.write("/lib64/ld-here.so.2", 0o755, "")
			h.write("/opt/lib/libhere.so.9", 0o755, program(machine(), ""))
			h.write("/etc/ld.so.conf", 0o644, "include ld.so.conf.d/*.conf\n")
			h.write("/etc/ld.so.conf.d/opt.conf", 0o644, "# ours\n/opt/lib\n")
			h.dynamic(hooks+"/network", "/lib64/ld-here.so.2", "libhere.so.9")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			change(h)
			r := h.examine()
			assert.Empty(t, lines(r))
			assert.True(t, r.OK)
		})
	}
}

// Each fault is found, and its command mends it.
func TestSeeds(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	found := map[string]bool{}
	t.Run("all", func(t *testing.T) {
		for _, s := range seeds {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				id := strings.Fields(s.want)[1]
				mu.Lock()
				found[id] = true
				mu.Unlock()
				if s.root && os.Getuid() != 0 {
					t.Skip("needs root")
				}
				h := newHost(t)
				s.plant(h)
				r := h.examine()
				pattern := regexp.MustCompile("^" + s.want)
				match := func(f doctor.Finding) bool {
					return pattern.MatchString(strings.ReplaceAll(fmt.Sprintf("%s %s %s: %s", f.Severity, f.ID, f.Place, f.What), h.root, ""))
				}
				i := slices.IndexFunc(r.Findings, match)
				require.GreaterOrEqual(t, i, 0, "not found: %s among %s", s.want, strings.Join(lines(r), "\n"))
				f := r.Findings[i]
				assert.NotEmpty(t, f.Why)
				assert.Equal(t, !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool { return f.Severity != doctor.Note }), r.OK)
				if f.Severity == doctor.Problem {
					assert.NotEmpty(t, f.Mend)
				}
				if !s.mends {
					return
				}
				out, err := exec.Command("sh", "-euc", f.Mend).CombinedOutput()
				require.NoError(t, err, "%s: %s", f.Mend, out)
				assert.False(t, slices.ContainsFunc(h.examine().Findings, match), "%s does not mend it", f.Mend)
			})
		}
	})
	for _, k := range doctor.Kinds {
		assert.True(t, found[k.ID], "no seed for %s", k.ID)
	}
}

// Nothing but hooks of ours is run, and those from a copy that leaves their times alone.
func TestRunsNothingForeign(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(hooks+"/network", 0o755, string(built["foreign"]))
	ran := filepath.Join(t.TempDir(), "ran")
	h.write(hooks+"/qemu.d/60-script", 0o755, "#!/bin/sh\ntouch "+ran+"\n")
	before, err := os.Stat(h.at(hooks + "/qemu.d/50-ours"))
	require.NoError(t, err)
	r := h.examine()
	assert.Empty(t, lines(r))
	assert.NoFileExists(t, mark)
	assert.NoFileExists(t, ran)
	after, err := os.Stat(h.at(hooks + "/qemu.d/50-ours"))
	require.NoError(t, err)
	assert.Equal(t, before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t))
}

// The drivers, with who calls their hooks and what these are.
func TestDrivers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mode(hooks+"/network", 0o644)
	r := h.examine()
	names := map[string]doctor.Driver{}
	for _, d := range r.Drivers {
		names[d.Driver] = d
	}
	assert.Len(t, names, 3) // daemon too
	q := names["qemu"]
	assert.Equal(t, "libvirtd", q.Daemon)
	assert.True(t, q.Running)
	require.Len(t, q.Hooks, 1)
	sum := sha256.Sum256(built["qemu"])
	assert.Equal(t, doctor.Hook{
		Path: h.at(hooks + "/qemu.d/50-ours"), Runs: true, SHA256: hex.EncodeToString(sum[:]), Ours: true, SDK: q.Hooks[0].SDK,
		Handles: []doctor.Handled{{Driver: "qemu", Op: "start", SubOp: "begin"}},
	}, q.Hooks[0])
	assert.NotEmpty(t, q.Hooks[0].SDK)
	assert.False(t, names["network"].Hooks[0].Runs)
	assert.False(t, names["network"].Hooks[0].Ours)
	assert.Equal(t, "11.3.0", r.Libvirt)
	assert.Equal(t, h.at(hooks), r.HooksDir)

	h.daemon(78, "virtqemud", 0)
	h.remove("/proc/77")
	h.link("/x", "/etc/systemd/system/multi-user.target.wants/virtnetworkd.service")
	h.write("/usr/sbin/virtnetworkd", 0o755, "")
	for _, d := range h.examine().Drivers {
		if d.Driver != "daemon" {
			assert.Equal(t, map[string]string{"qemu": "virtqemud", "network": "virtnetworkd"}[d.Driver], d.Daemon)
			assert.Equal(t, d.Driver == "qemu", d.Running, d.Driver)
		}
	}
}

// systemd's last reload counts as the daemon's start does.
func TestReloadedBySystemd(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("/proc/stat", 0o444, fmt.Sprintf("btime %d\n", time.Now().Add(-time.Hour).Unix()))
	reload, failure := time.Now().Add(time.Hour), error(nil)
	h.run = func(_ context.Context, name string, args ...string) ([]byte, error) {
		if name == "journalctl" {
			assert.Equal(t, "--identifier=virthook-qemu", args[len(args)-1])
			return []byte(`{"__REALTIME_TIMESTAMP":"1700000000000000","MESSAGE":"x"}` + "\n"), failure
		}
		assert.Equal(t, "systemctl show --property=ExecReload libvirtd", name+" "+strings.Join(args, " "))
		return []byte("ExecReload={ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; ignore_errors=no ; start_time=[" +
			reload.Local().Format("Mon 2006-01-02 15:04:05 MST") + "] ; stop_time=[n/a] ; pid=1 ; code=exited ; status=0 }\n"), failure
	}
	assert.Empty(t, lines(h.examine()))
	reload = time.Now().Add(-30 * time.Minute)
	r := h.examine()
	require.Len(t, r.Findings, 2)
	assert.Equal(t, "not-reloaded", r.Findings[0].ID)
	assert.Equal(t, "systemctl reload libvirtd", r.Findings[0].Mend)
	assert.Contains(t, r.Findings[0].What, reload.UTC().Format(time.DateTime))
	for _, d := range r.Drivers {
		if d.Driver == "qemu" {
			require.NotNil(t, d.Logged)
			assert.Equal(t, int64(1700000000), d.Logged.Unix())
		} else {
			assert.Nil(t, d.Logged, "%s has no hook of ours", d.Driver)
		}
	}
	failure = errors.New("no systemd")
	r = h.examine()
	assert.Len(t, r.Findings, 2)
	for _, d := range r.Drivers {
		assert.Nil(t, d.Logged)
	}
}

// An older hook of the driver was there when the daemon started: it knows of the driver.
func TestNewerHookBesideAnOldOne(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	info, err := os.Stat(h.at(hooks + "/network"))
	require.NoError(t, err)
	// The daemon was started right after all that is there.
	h.write("/proc/stat", 0o444, fmt.Sprintf("btime %d\n", info.ModTime().Unix()))
	assert.Empty(t, lines(h.examine()))
}

// The variable that the code of libvirt 9.0.0, of 11.3.0 and of others loads.
func TestLoads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   string
		offset uint64
		ok     bool
	}{
		"9.0.0":                {"31c0 83ff05 7715 8b3533ba3a00 89f9 89f2 d3fa 83e201 83feff 0f45c2 c3", 0x48d6d0 - 0xe1c90, true},
		"11.3.0":               {"f30f1efa 31c0 83ff05 7715 8b357fc83e00 89f9 89f2 d3fa 83e201 83feff 0f45c2 c3", 0x4f56f0 - 0x108e60, true},
		"before the function":  {"8b05f0ffffff 83f8ff c3", ^uint64(0) - 9, true},
		"not compared with -1": {"31c0 83ff05 7715 8b3533ba3a00 89f9 c3", 0, false},
		"another register":     {"8b3533ba3a00 83f8ff c3", 0, false},
		"no load":              {"31c0 c3", 0, false},
		"cut":                  {"8b35", 0, false},
	} {
		code, err := hex.DecodeString(strings.ReplaceAll(c.code, " ", ""))
		require.NoError(t, err)
		offset, ok := doctor.Loads(code)
		assert.Equal(t, c.ok, ok, name)
		assert.Equal(t, c.offset, offset, name)
	}
}

// The page about the findings has them all, as they are.
func TestPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../../docs/doctor.md")
	require.NoError(t, err)
	var rows []string
	_, table, _ := strings.Cut(string(page), "## The findings\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `") {
			rows = append(rows, strings.TrimSuffix(line, "\n"))
		}
	}
	var want []string
	for _, k := range doctor.Kinds {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", k.ID, k.Severity, k.Means, k.Why))
	}
	assert.Equal(t, strings.Join(want, "\n"), strings.Join(rows, "\n"))
}

func TestNoHost(t *testing.T) {
	t.Parallel()
	_, err := doctor.Examine(t.Context(), doctor.Host{Root: "/nowhere/at/all"})
	assert.ErrorContains(t, err, "/nowhere/at/all")
}

// A script of python runs with python3, where that is all there is.
func TestOtherInterpreter(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("/usr/bin/python3", 0o755, "")
	h.write(hooks+"/network", 0o755, "#!/usr/bin/python\n")
	r := h.examine()
	require.Len(t, r.Findings, 1)
	assert.Contains(t, r.Findings[0].Mend, "#!/usr/bin/python3|")
}
