// Package doctor finds out why libvirt would not run a hook: it looks at the hooks
// folder, at the programs in it, at libvirt and at the daemons that run, and changes
// nothing. Of the hooks it runs only those of this machine that link our SDK, with
// --describe, from a copy, so that the time of the last access of a hook stays what it
// is. Of an image it runs nothing.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/virthook/virthook/spec"
)

// Host is what is examined.
type Host struct {
	Root     string     // absolute; "": this machine. All paths are below it, /proc and /sys too, and no program in it is run
	HooksDir string     // absolute and below the root; "": where the host's libvirt looks
	Spec     *spec.Spec // the operations that are known

	Unprivileged bool // whoever examines cannot see all of it

	// Run runs a program of the host, such as systemctl, and returns what it prints;
	// nil: none is asked, as must be with a root. Hooks are not run with it.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)

	asksImages bool // hooks below a root are run too: tests alone
}

// Severity says how bad a finding is.
type Severity string

// The severities. A host with notes alone is healthy.
const (
	Problem Severity = "problem" // a hook does not run, or others than root can change it
	Warning Severity = "warning" // it may not run, or other than was meant
	Note    Severity = "note"    // good to know
)

func (s Severity) rank() int { return slices.Index([]Severity{Problem, Warning, Note}, s) }

// Finding is one thing that was found.
type Finding struct {
	ID       string   `json:"id"` // one of [Kinds]
	Severity Severity `json:"severity"`
	Place    string   `json:"place"` // a path, or the name of a daemon
	What     string   `json:"what"`
	Why      string   `json:"why"`  // it matters
	Mend     string   `json:"mend"` // the command that mends it; "" of some
}

// Report is all that was found.
type Report struct {
	Version  int       `json:"version"`
	OK       bool      `json:"ok"` // no problem and no warning
	HooksDir string    `json:"hooks_dir"`
	Libvirt  string    `json:"libvirt,omitempty"` // the version that is installed; absent: unknown
	Findings []Finding `json:"findings"`          // the worst first
	Drivers  []Driver  `json:"drivers"`           // those with hooks or with a daemon, by name
}

// Driver is a driver of the host.
type Driver struct {
	Driver  string `json:"driver"`
	Daemon  string `json:"daemon"` // that calls its hooks; "": none is installed
	Running bool   `json:"running"`
	Knows   string `json:"knows"` // whether the running daemon calls hooks of the driver: yes, no, unknown
	// when one of our hooks has last written to the journal; absent: unknown
	Logged *time.Time `json:"logged,omitempty"`
	Hooks  []Hook     `json:"hooks"` // what libvirt runs, in its order, and what it passes over
}

// Hook is a file at a place where libvirt looks for hooks.
type Hook struct {
	Path    string    `json:"path"`
	Runs    bool      `json:"runs"`             // libvirt executes it
	SHA256  string    `json:"sha256,omitempty"` // absent: it cannot be read
	Ours    bool      `json:"ours"`             // links our SDK
	SDK     string    `json:"sdk,omitempty"`    // its version
	Handles []Handled `json:"handles"`          // of the driver, as it says itself; empty of those not ours
	Any     bool      `json:"any"`              // it takes every call
}

// Handled is an operation that a hook has a handler for.
type Handled struct {
	Driver string `json:"driver"`
	Op     string `json:"op"`
	SubOp  string `json:"sub_op"`
	Filter bool   `json:"filter"`
}

// exam is an examination under way.
type exam struct {
	Host
	ctx     context.Context
	report  *Report
	hooks   string // the folder that is examined, as the host sees it
	files   []*file
	libvirt libvirtInstall
	procs   []*process
	live    bool // processes can be seen
	mounts  []mount
	owner   uint32 // whose files are root's
	seen    map[string]bool
	asked   map[string]*answer // by the checksum
}

// Examine looks at the host. The error says why it cannot be looked at.
func Examine(ctx context.Context, h Host) (*Report, error) {
	if h.Root == "/" {
		h.Root = ""
	}
	e := &exam{Host: h, ctx: ctx, seen: map[string]bool{}, asked: map[string]*answer{},
		report: &Report{Version: 1, Findings: []Finding{}, Drivers: []Driver{}}}
	if err := e.checkRoot(); err != nil {
		return nil, err
	}
	e.readProcesses()
	e.libvirt = e.findLibvirt()
	e.report.Libvirt = string(e.libvirt.version)
	e.readMounts()
	e.findFolder()
	e.report.HooksDir = e.shown(e.hooks)
	e.readHooks()
	e.checkNames()
	for _, f := range e.files {
		e.checkFile(f)
	}
	e.checkDaemons()
	e.checkOurs()
	e.checkSecurity()
	e.checkRecorder()
	e.checkInstalled()
	if e.Unprivileged {
		e.add("not-root", "virthook doctor", "sudo virthook doctor", "it does not run as root")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.finish()
	return e.report, nil
}

// add adds a finding of the kind, once for each place and text.
func (e *exam) add(id, place, mend, what string, args ...any) {
	e.addAs(kindOf(id).Severity, id, place, mend, what, args...)
}

func (e *exam) addAs(s Severity, id, place, mend, what string, args ...any) {
	f := Finding{ID: id, Severity: s, Place: place, What: fmt.Sprintf(what, args...), Why: kindOf(id).Why, Mend: mend}
	if key := id + "\x00" + place + "\x00" + f.What; !e.seen[key] {
		e.seen[key] = true
		e.report.Findings = append(e.report.Findings, f)
	}
}

func (e *exam) finish() {
	r := e.report
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(a.Place, b.Place), cmp.Compare(a.ID, b.ID))
	})
	r.OK = !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity != Note })
	for _, d := range e.Spec.Drivers {
		s := e.server(d.Name)
		entry := Driver{Driver: d.Name, Daemon: s.name, Running: s.process != nil, Knows: "unknown", Hooks: []Hook{}}
		if s.process != nil {
			entry.Knows = e.knows(s.process, d.Name).String()
		}
		for _, f := range e.files {
			if f.driver == d.Name {
				entry.Hooks = append(entry.Hooks, f.entry(e))
			}
		}
		if s.name != "" || len(entry.Hooks) > 0 {
			entry.Logged = e.logged(entry)
			r.Drivers = append(r.Drivers, entry)
		}
	}
}

// runners are the hooks of the driver that libvirt executes.
func (e *exam) runners(driver string) (hooks []*file) {
	for _, f := range e.files {
		if f.driver == driver && f.runs() && !(f.inFolder && e.ignoresFolders()) {
			hooks = append(hooks, f)
		}
	}
	return hooks
}

// ignoresFolders says that the host's libvirt is from before the folders DRIVER.d.
func (e *exam) ignoresFolders() bool {
	return e.libvirt.version != "" && e.libvirt.version.Less("6.5.0")
}

// shown is a path of the host as whoever asked sees it.
func (e *exam) shown(path string) string { return filepath.Join(e.Root, path) }

// describeTime is how long a hook of ours has to describe itself.
var describeTime = 10 * time.Second
