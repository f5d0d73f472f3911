package doctor

import (
	"cmp"
	"path"
	"strings"
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
)

// checkDaemons looks at what is to call the hooks.
func (e *exam) checkDaemons() {
	if e.libvirt.library == "" && len(e.libvirt.daemons) == 0 && len(e.procs) == 0 {
		e.add("libvirt-missing", "libvirt", e.installs("libvirt-daemon-system", "libvirt"), "there is no libvirt on this host")
		return
	}
	for _, p := range e.procs {
		switch {
		case p.deleted:
			e.add("daemon-outdated", p.name, "", "process %d runs a program that has been replaced or removed", p.pid)
		case p.gone:
			e.add("daemon-outdated", p.name, "", "process %d runs an older libvirt than the installed %s", p.pid, cmp.Or(string(e.libvirt.version), "one"))
		}
	}
	e.checkBoth()
	for _, d := range e.Spec.Drivers {
		hooks := e.runners(d.Name)
		if len(hooks) == 0 {
			continue
		}
		at := e.shown(hooks[0].path)
		s := e.server(d.Name)
		switch {
		case s.name == "":
			name := cmp.Or(install.Daemon(d.Name), "libvirtd")
			deb := "libvirt-daemon-driver-" + d.Name
			if d.Name == "libxl" {
				deb = "libvirt-daemon-driver-xen"
			}
			e.add("daemon-missing", at, e.installs(deb, "libvirt-daemon-driver-"+d.Name),
				"nothing on this host calls hooks of %s: neither %s nor libvirtd with that driver is installed", d.Name, name)
		case s.process == nil && e.live && !e.activated(s.name):
			e.add("daemon-not-running", s.name, "systemctl enable --now "+s.name, "it calls the hooks of %s, and does not run", d.Name)
		case s.process != nil && d.Name == "daemon":
			for _, p := range e.procs {
				e.checkReloaded(p, d.Name, hooks)
			}
		case s.process != nil:
			e.checkReloaded(s.process, d.Name, hooks)
		}
	}
}

// installs is the command that installs a package.
func (e *exam) installs(deb, rpm string) string {
	switch {
	case e.isProgram("/usr/bin/apt-get"):
		return "apt-get install " + deb
	case e.isProgram("/usr/bin/zypper"):
		return "zypper install " + rpm
	case e.isProgram("/usr/sbin/pkg") || e.isProgram("/usr/local/sbin/pkg"):
		return "pkg install libvirt"
	}
	return "dnf install " + rpm
}

// checkBoth looks for libvirtd beside the modular daemons.
func (e *exam) checkBoth() {
	runs := map[string]bool{}
	for _, p := range e.procs {
		runs[p.name] = true
	}
	const stop = "systemctl disable --now libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket"
	for _, name := range daemonNames()[1:] {
		switch {
		case runs["libvirtd"] && runs[name]:
			e.add("both-daemons", "libvirtd", stop, "libvirtd and %s both run", name)
		case len(e.enabled("libvirtd")) > 0 && len(e.enabled(name)) > 0:
			e.add("both-daemons", "libvirtd", stop, "libvirtd and %s are both enabled", name)
		}
	}
}

// clock is how much the times of processes may be off, which count from a whole second.
const clock = 2 * time.Second

// checkReloaded says whether the daemon has looked for hooks since the driver got
// its first. It says so itself; where it cannot be asked, the times tell: when every
// hook of the driver is newer than the daemon's last look, the first may be too.
func (e *exam) checkReloaded(p *process, driver string, hooks []*file) {
	mend := "systemctl reload " + p.name
	if e.Run == nil {
		mend = "kill -HUP $(pidof " + p.name + ")"
	}
	place := e.shown(path.Join(e.hooks, driver))
	switch e.knows(p, driver) {
	case yes:
		return
	case no:
		e.addAs(Problem, "not-reloaded", place, mend, "%s (process %d) looked for hooks when there was none of %s", p.name, p.pid, driver)
		return
	}
	looked := p.started
	if t := e.reloaded(p); t.After(looked) {
		looked = t
	}
	if looked.IsZero() {
		return
	}
	for _, f := range hooks {
		if _, change, ok := times(f.info); !ok || change.Before(looked.Add(clock)) {
			return
		}
	}
	e.addAs(Warning, "not-reloaded", place, mend, "every hook of %s is newer than the last look of %s (process %d) for hooks, %s: it calls none if there was none then",
		driver, p.name, p.pid, looked.UTC().Format(time.DateTime+" UTC"))
}

// reloaded is when systemd has last reloaded the daemon, or the zero time.
func (e *exam) reloaded(p *process) time.Time {
	if e.Run == nil {
		return time.Time{}
	}
	out, err := e.Run(e.ctx, "systemctl", "show", "--property=ExecReload", p.name)
	if err != nil {
		return time.Time{}
	}
	var last time.Time
	for _, part := range strings.Split(string(out), " ; ") {
		text, ok := strings.CutPrefix(strings.TrimSpace(part), "start_time=[")
		if !ok {
			continue
		}
		t, err := time.ParseInLocation("Mon 2006-01-02 15:04:05 MST", strings.TrimSuffix(text, "]"), time.Local)
		if err == nil && t.After(last) {
			last = t
		}
	}
	return last
}
