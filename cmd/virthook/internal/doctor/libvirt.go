package doctor

import (
	"bytes"
	"cmp"
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/spec"
)

// daemonNames are the daemons that call hooks.
func daemonNames() []string {
	names := []string{"libvirtd"}
	for _, d := range hookDrivers {
		if name := install.Daemon(d); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// libvirtInstall is the libvirt that is on the host's disk.
type libvirtInstall struct {
	library string       // libvirt.so without links; "": there is none
	version spec.Version // "": unknown
	folder  string       // where it looks for hooks; "": unknown
	machine elf.Machine  // that it is built for; 0: unknown
	class   elf.Class
	freeBSD bool
	daemons map[string]string // name to path
	drivers map[string]bool   // that it has as modules
}

// libraryFolders are where libraries are, as patterns.
var libraryFolders = []string{
	"/usr/lib/*-linux-*", "/usr/lib64", "/usr/lib", "/lib/*-linux-*", "/lib64", "/lib", "/usr/local/lib/*-linux-*", "/usr/local/lib64", "/usr/local/lib",
	"/run/current-system/sw/lib",
}

func (e *exam) findLibvirt() libvirtInstall {
	l := libvirtInstall{daemons: map[string]string{}, drivers: map[string]bool{}}
	var libraries []string
	for _, p := range e.procs { // the one that runs is the one that counts
		if p.library != "" && !p.gone {
			libraries = append(libraries, p.library)
		}
	}
	for _, dir := range libraryFolders {
		libraries = append(libraries, e.glob(dir+"/libvirt.so.0")...)
	}
	for _, name := range libraries {
		if real, err := e.resolve(name); err == nil {
			l.library = real
			break
		}
	}
	if l.library != "" {
		e.readLibrary(&l)
	}
	for _, name := range daemonNames() {
		folders := []string{"/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/libexec", "/run/current-system/sw/bin"}
		for _, p := range e.procs {
			if p.name == name && p.exe != "" && !p.deleted {
				folders = append([]string{path.Dir(p.exe)}, folders...)
			}
		}
		for _, folder := range folders {
			if at := folder + "/" + name; e.isProgram(at) {
				l.daemons[name] = at
				break
			}
		}
	}
	modules := append([]string{}, libraryFolders...)
	if l.library != "" {
		modules = append(modules, path.Dir(l.library))
	}
	for _, driver := range hookDrivers {
		for _, dir := range modules {
			if len(e.glob(dir+"/libvirt/connection-driver/libvirt_driver_"+driver+".so")) > 0 {
				l.drivers[driver] = true
			}
		}
	}
	return l
}

// readLibrary takes from libvirt's library its version, which is in the file's name,
// and the folder of hooks, which was fixed when it was built.
func (e *exam) readLibrary(l *libvirtInstall) {
	if number, ok := strings.CutPrefix(path.Base(l.library), "libvirt.so.0."); ok {
		high, micro, _ := strings.Cut(number, ".")
		n, err := strconv.Atoi(high)
		if v, parseErr := spec.ParseVersion(fmt.Sprintf("%d.%d.%s", n/1000, n%1000, micro)); err == nil && parseErr == nil {
			l.version = v
		}
	}
	content := e.read(l.library)
	if f, err := elf.NewFile(bytes.NewReader(content)); err == nil {
		l.machine, l.class, l.freeBSD = f.Machine, f.Class, f.OSABI == elf.ELFOSABI_FREEBSD
	}
	const tail = "/libvirt/hooks\x00"
	for at := 0; ; {
		i := bytes.Index(content[at:], []byte(tail))
		if i < 0 {
			return
		}
		i += at
		start := bytes.LastIndexByte(content[:i], 0) + 1
		if i-start > 0 && i-start < 200 && content[start] == '/' {
			l.folder = string(content[start : i+len(tail)-1])
			return
		}
		at = i + 1
	}
}

// hostMachine is what the host runs; 0: unknown.
func (e *exam) hostMachine() (m elf.Machine, c elf.Class, freeBSD bool) {
	if e.libvirt.machine != 0 {
		return e.libvirt.machine, e.libvirt.class, e.libvirt.freeBSD
	}
	for _, name := range []string{"/bin/sh", "/sbin/init", "/usr/bin/env"} {
		if f, err := elf.NewFile(bytes.NewReader(e.read(name))); err == nil {
			return f.Machine, f.Class, f.OSABI == elf.ELFOSABI_FREEBSD
		}
	}
	return 0, 0, false
}

// server is the daemon that calls the hooks of a driver.
type server struct {
	name    string   // "": none is installed
	process *process // nil: it does not run
}

func (e *exam) server(driver string) server {
	own := install.Daemon(driver) // none of the driver daemon, which is each daemon's
	for _, name := range []string{own, "libvirtd"} {
		for _, p := range e.procs {
			if p.name == name && (name == own || e.serves(driver)) {
				return server{name, p}
			}
		}
	}
	if driver == "daemon" {
		if len(e.procs) > 0 {
			return server{e.procs[0].name, e.procs[0]}
		}
		for _, name := range daemonNames() {
			if e.libvirt.daemons[name] != "" {
				return server{name: name}
			}
		}
		return server{}
	}
	if !e.serves(driver) {
		return server{}
	}
	// Of two that are installed the one that is enabled counts.
	candidates := slices.DeleteFunc([]string{own, "libvirtd"}, func(n string) bool { return e.libvirt.daemons[n] == "" })
	slices.SortStableFunc(candidates, func(a, b string) int {
		return -cmp.Compare(rank(len(e.enabled(a)) > 0), rank(len(e.enabled(b)) > 0))
	})
	if len(candidates) == 0 {
		return server{}
	}
	return server{name: candidates[0]}
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// serves says whether libvirt has the driver. One that has no modules at all has
// its drivers in the daemon.
func (e *exam) serves(driver string) bool {
	return driver == "daemon" || e.libvirt.drivers[driver] || len(e.libvirt.drivers) == 0
}

// enabled are the units of the daemon that systemd starts by itself.
func (e *exam) enabled(daemon string) []string {
	return e.glob("/etc/systemd/system/*.wants/"+daemon+".service", "/etc/systemd/system/*.wants/"+daemon+".socket")
}

// activated says whether systemd starts the daemon when somebody wants it.
func (e *exam) activated(daemon string) bool {
	socket := daemon + "-sock"
	if daemon == "libvirtd" {
		socket = "libvirt-sock"
	}
	return e.exists("/run/systemd/system") && // systemd is what runs the host
		(e.exists("/run/libvirt/"+socket) || len(e.glob("/etc/systemd/system/*.wants/"+daemon+".socket")) > 0)
}
