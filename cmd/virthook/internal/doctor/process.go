package doctor

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// process is a running daemon of libvirt's.
type process struct {
	pid     int
	name    string // of the daemon
	exe     string // as the host sees it, "" where that is not to be seen
	deleted bool   // the program is no longer the one at exe
	library string // the libvirt.so that is loaded, or ""
	gone    bool   // that file has been replaced or removed
	started time.Time
	path    string // its PATH
	knows   map[string]bool
	asked   bool
}

func (p *process) dir() string { return "/proc/" + strconv.Itoa(p.pid) }

// readProcesses finds root's daemons. Those of users (qemu:///session) and of
// containers are theirs.
func (e *exam) readProcesses() {
	entries, err := e.list("/proc")
	if err != nil {
		return
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		e.live = true
		p := &process{pid: pid, name: strings.TrimSpace(string(e.read("/proc/" + entry.Name() + "/comm")))}
		if exe, err := os.Readlink(e.shown(p.dir() + "/exe")); err == nil {
			p.exe, p.deleted = strings.CutSuffix(exe, " (deleted)")
			p.name = path.Base(p.exe)
		}
		if slices.Contains(daemonNames(), p.name) && e.systems(p) {
			e.readProcess(p)
			e.procs = append(e.procs, p)
		}
	}
}

// systems says whether the process is the system's own daemon.
func (e *exam) systems(p *process) bool {
	for line := range strings.Lines(string(e.read(p.dir() + "/status"))) {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			if f := strings.Fields(ids); len(f) > 0 && f[0] != "0" {
				return false
			}
		}
	}
	own, err := os.Readlink(e.shown("/proc/self/ns/pid"))
	theirs, theirErr := os.Readlink(e.shown(p.dir() + "/ns/pid"))
	return err != nil || theirErr != nil || own == theirs
}

func (e *exam) readProcess(p *process) {
	for line := range strings.Lines(string(e.read(p.dir() + "/maps"))) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasPrefix(path.Base(f[5]), "libvirt.so.0") {
			continue
		}
		p.library, p.gone = f[5], len(f) > 6 && f[6] == "(deleted)"
		break
	}
	for _, v := range bytes.Split(e.read(p.dir()+"/environ"), []byte{0}) {
		if value, ok := bytes.CutPrefix(v, []byte("PATH=")); ok {
			p.path = string(value)
		}
	}
	p.started = e.started(p)
}

// started is when the process was, or the zero time.
func (e *exam) started(p *process) time.Time {
	const ticks = 100 // a second, on all Linux that there is
	_, after, ok := strings.Cut(string(e.read(p.dir()+"/stat")), ") ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 {
		return time.Time{}
	}
	since, err := strconv.ParseInt(fields[19], 10, 64)
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(e.read("/proc/stat"))) {
		if text, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err == nil {
				return time.Unix(boot, 0).Add(time.Duration(since) * time.Second / ticks)
			}
		}
	}
	return time.Time{}
}

// mount is a file system of the host.
type mount struct {
	at      string
	options []string
}

func (e *exam) readMounts() {
	for line := range strings.Lines(string(e.read("/proc/self/mounts"))) {
		if f := strings.Fields(line); len(f) >= 4 {
			at := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(f[1])
			e.mounts = append(e.mounts, mount{at, strings.Split(f[3], ",")})
		}
	}
}

// mountOf is the file system that holds the path, which has no links.
func (e *exam) mountOf(real string) (best mount, known bool) {
	for _, m := range e.mounts {
		inside := m.at == "/" || real == m.at || strings.HasPrefix(real, m.at+"/")
		if inside && len(m.at) >= len(best.at) { // of two at one place the later is seen
			best, known = m, true
		}
	}
	return best, known
}
