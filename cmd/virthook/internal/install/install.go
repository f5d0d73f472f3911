package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/virthook/virthook/spec"
)

// Options say what to install, and where.
type Options struct {
	Program  string
	Drivers  []string     // none: those that the program says it handles
	As       []string     // places, DRIVER.d/NAME or DRIVER
	HooksDir string       // as the host sees it; "": found
	Root     string       // the host is in this folder; "": this host
	Libvirt  spec.Version // "": found
	Force    bool         // replace what is not ours too
	DryRun   bool
	Reload   bool // reload the daemons that have to be
}

// Action is what was done about a file.
type Action string

// The actions.
const (
	Installed  Action = "installed"   // there was nothing
	Replaced   Action = "replaced"    // what was there is kept
	Mended     Action = "mended"      // the content was right, mode or owner was not
	Unchanged  Action = "unchanged"   // it was there
	Removed    Action = "removed"     // there is nothing now
	PutBack    Action = "put back"    // what install had kept is there again
	GoneBefore Action = "gone before" // somebody had removed it, or put it back, already
)

// File is what became of one file.
type File struct {
	Path   string `json:"path"` // as seen from here
	Driver string `json:"driver"`
	Action Action `json:"action"`
	Kept   string `json:"kept,omitempty"` // where what was replaced is, below the hooks folder
	Why    string `json:"why,omitempty"`
}

// Result is what was done, or with DryRun what would be.
type Result struct {
	Version  int      `json:"version"`
	DryRun   bool     `json:"dry_run"`
	Image    bool     `json:"image"`     // the host is not this one
	HooksDir string   `json:"hooks_dir"` // as seen from here
	SHA256   string   `json:"sha256,omitempty"`
	Files    []File   `json:"files"`
	Notes    []string `json:"notes"`
	Reload   *Reload  `json:"reload"` // null: nothing has to be reloaded
}

// step is what is to be done at one place.
type step struct {
	place Place
	was   found
	file  File
	entry Entry
	keep  bool // what is there, as what install had put there or as what it replaces
	ours  bool // which of these
	write bool
}

// work is what both commands have to do with.
type work struct {
	host     *Host
	hooksDir string // as the host sees it
	running  running
	old, new *Manifest
	steps    []step
	result   *Result
}

// hooksFolder is the one that was named, or that of the host.
func hooksFolder(h *Host, named string) (string, error) {
	switch {
	case named == "":
		return HooksDir(h)
	case h.IsImage() && !filepath.IsAbs(named):
		return "", usef("--hooks-dir: %s is not absolute, as it must be with --root", named)
	}
	return filepath.Abs(named)
}

// Install puts a program into the hooks folder. Where it returns an error with a
// Result, that was done, and something after it failed.
func Install(ctx context.Context, o Options) (*Result, error) {
	if o.Reload && o.Root != "" {
		return nil, usef("--reload: the daemons of an image do not run")
	}
	h, err := OpenHost(o.Root)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	w := &work{host: h}
	var lacks []error // which the command line does, said all at once
	if w.hooksDir, err = hooksFolder(h, o.HooksDir); err != nil && o.HooksDir != "" {
		return nil, err
	} else if err != nil {
		lacks = append(lacks, err)
	}
	p, err := readProgram(o.Program)
	if err != nil {
		return nil, err
	}
	if err := p.check(h); err != nil {
		return nil, err
	}
	if len(o.Drivers) == 0 && len(o.As) == 0 {
		if o.Drivers, err = p.drivers(ctx, h); err != nil {
			lacks = append(lacks, err)
		}
	}
	if err := inOneLine(lacks); err != nil {
		return nil, err
	}
	if o.Libvirt == "" {
		o.Libvirt = LibvirtVersion(h, w.hooksDir)
	}
	to, err := places(p.name, o.Drivers, o.As, o.Libvirt)
	if err != nil {
		return nil, err
	}

	// All that can be in the way is looked for before anything is changed.
	f, err := openFolder(h, w.hooksDir)
	if err != nil {
		return nil, err
	}
	if !h.IsImage() {
		w.running = findRunning(ctx)
	}
	err = w.plan(f, p, to, o)
	f.close()
	if err != nil {
		return nil, err
	}
	if o.DryRun {
		return w.result, nil
	}
	if err := w.install(ctx, p, to, o); err != nil {
		return nil, err
	}
	r := w.result.Reload
	if r == nil || len(r.Commands) == 0 || !o.Reload {
		return w.result, nil
	}
	if err := r.do(ctx); err != nil {
		return w.result, err
	}
	return w.result, w.reloaded(ctx, r.Drivers)
}

// plan looks at each place and decides.
func (w *work) plan(f *folder, p *program, to []Place, o Options) (err error) {
	w.steps = nil
	w.result = &Result{
		Version: 1, DryRun: o.DryRun, Image: w.host.IsImage(), HooksDir: w.host.Seen(w.hooksDir), SHA256: p.sum,
		Files: []File{}, Notes: append([]string{}, p.notes...),
	}
	if err := f.safe(".", StoreName); err != nil {
		return err
	}
	if w.old, err = f.manifest(); err != nil {
		return err
	}
	w.new = w.old.clone()
	now := time.Now().UTC().Truncate(time.Second)
	var problems []error
	fresh := map[string]bool{}
	for _, place := range to {
		s, err := w.decide(f, place, p, o)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if fresh[place.Driver] || !Hooked(w.host, w.hooksDir, place.Driver, "") {
			fresh[place.Driver] = true
		}
		s.entry.Place, s.entry.Program, s.entry.SHA256 = place.String(), p.name, p.sum
		s.file.Path, s.file.Driver = filepath.Join(w.result.HooksDir, place.String()), place.Driver
		if s.write {
			s.entry.Installed = now
		}
		if s.keep {
			k := &Kept{SHA256: s.was.sum, File: keptName(place, s.was.sum)}
			s.file.Kept = path.Join(StoreName, k.File)
			if s.ours {
				s.entry.Previous = k
			} else {
				s.entry.Replaced = k
			}
		}
		if s.write || w.old.Entry(place) != nil {
			w.new.set(s.entry)
		}
		w.steps = append(w.steps, s)
		w.result.Files = append(w.result.Files, s.file)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	w.reload(to, fresh, now)
	w.others(p, to)
	if selinux() && !w.host.IsImage() && slices.ContainsFunc(w.steps, func(s step) bool { return s.write }) {
		w.result.Notes = append(w.result.Notes, "SELinux is on: restorecon -RF "+w.result.HooksDir+", and see the boolean virt_hooks_unconfined")
	}
	return nil
}

// decide says what is to be done at a place.
func (w *work) decide(f *folder, place Place, p *program, o Options) (s step, err error) {
	s.place = place
	if err := f.safe(place.folder()); err != nil {
		return s, err
	}
	if s.was, err = f.inspect(place.String()); err != nil {
		return s, err
	}
	seen := filepath.Join(w.result.HooksDir, place.String())
	e := w.old.Entry(place)
	if e != nil {
		s.entry = *e
	}
	is := func(k *Kept) bool { return k != nil && s.was.sum == k.SHA256 }
	switch {
	case s.was.info == nil:
		s.file.Action, s.write = Installed, true
		s.entry.Previous = nil
		return s, nil
	case s.was.sum == "":
		return s, fmt.Errorf("%s: in the way, and not a file", seen)
	case s.was.sum == p.sum && e != nil:
		s.file.Action = Unchanged
		if is(e.Previous) {
			s.entry.Previous = nil
		}
		if !rightMode(s.was.info) {
			s.file.Action, s.write = Mended, true
		}
		return s, nil
	case s.was.sum == p.sum && s.was.info.Mode().Perm()&0o111 != 0:
		s.file.Action = Unchanged
		s.file.Why = "virthook did not put it there, so uninstall leaves it"
		return s, nil
	}
	s.file.Action, s.write, s.keep = Replaced, true, true
	switch {
	case e != nil && (s.was.sum == e.SHA256 || is(e.Previous)):
		s.ours = true
	case e != nil && !is(e.Replaced):
		if !o.Force {
			return s, fmt.Errorf("%s: changed since virthook put it there: --force replaces it, and keeps the changed one as the previous", seen)
		}
		s.ours = true
	default:
		if !o.Force {
			return s, w.foreign(f, place, p, o)
		}
		s.entry.Previous = nil
	}
	return s, nil
}

// foreign is the error for a hook that is not ours, with a way around it.
func (w *work) foreign(f *folder, place Place, p *program, o Options) error {
	ways := "--force replaces it and keeps it"
	if o.Libvirt != "" && o.Libvirt.Less(folders) {
		ways += fmt.Sprintf(", for libvirt %s runs nothing in %s.d beside it", o.Libvirt, place.Driver)
	} else if beside := w.beside(f, place, p); beside != "" {
		ways = fmt.Sprintf("virthook install %s --as %s puts yours beside it, %s", p.path, beside, ways)
	}
	return fmt.Errorf("%s: not put there by virthook install, so it is left as it is: %s", filepath.Join(w.result.HooksDir, place.String()), ways)
}

// beside is the first place after that one where nothing is, "" without one.
func (w *work) beside(f *folder, place Place, p *program) string {
	name := p.name
	if place.Name != "" {
		name = place.Name
	}
	if numbered.MatchString(name) {
		name = name[3:]
	}
	for n := 50; n < 100; n++ {
		beside := Place{place.Driver, fmt.Sprintf("%d-%s", n, name)}
		if !placeName.MatchString(beside.Name) {
			return ""
		}
		if there, err := f.inspect(beside.String()); err == nil && there.info == nil {
			return beside.String()
		}
	}
	return ""
}

// reload finds the drivers whose daemons do not look for hooks.
func (w *work) reload(to []Place, fresh map[string]bool, now time.Time) {
	r := &Reload{Drivers: []string{}, Units: []string{}, Commands: []string{}}
	for _, place := range to {
		d := place.Driver
		if fresh[d] {
			w.new.Reload[d] = now
		}
		at, due := w.new.Reload[d]
		if !due || slices.Contains(r.Drivers, d) {
			continue
		}
		r.Drivers = append(r.Drivers, d)
		if !fresh[d] && (r.Since == nil || at.Before(*r.Since)) {
			r.Since = &at
		}
	}
	if len(r.Drivers) == 0 {
		return
	}
	w.running.reload(r)
	if len(r.Commands) == 0 { // who starts later looks for hooks then
		for _, d := range r.Drivers {
			delete(w.new.Reload, d)
		}
		r.Since = nil
	}
	if !w.host.IsImage() {
		w.result.Reload = r
	}
}

// others notes hooks of the same name that stay, where they are another version or
// are run besides this one.
func (w *work) others(p *program, to []Place) {
	for _, e := range w.old.Hooks {
		at := filepath.Join(w.result.HooksDir, e.Place)
		driver, _, _ := strings.Cut(strings.Replace(e.Place, ".d/", "/", 1), "/")
		switch {
		case e.Program != p.name || slices.ContainsFunc(to, func(place Place) bool { return place.String() == e.Place }):
		case slices.ContainsFunc(to, func(place Place) bool { return place.Driver == driver }):
			w.result.Notes = append(w.result.Notes, fmt.Sprintf("%s was put there before, and runs too: virthook uninstall %s", at, e.Place))
		case e.SHA256 != p.sum:
			w.result.Notes = append(w.result.Notes, fmt.Sprintf("%s stays another version: virthook install %s --as %[3]s, or uninstall %[3]s", at, p.path, e.Place))
		}
	}
}

// install does what was planned, which is planned again when nobody else changes it.
func (w *work) install(ctx context.Context, p *program, to []Place, o Options) (err error) {
	absent, err := w.host.absent(w.hooksDir)
	if err != nil {
		return err
	}
	for _, name := range absent {
		if err := w.host.mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", w.host.Seen(name), cause(err))
		}
		defer func() {
			if err != nil {
				w.host.rmdir(name)
			}
		}()
	}
	f, err := w.openAlone(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	if err := w.plan(f, p, to, o); err != nil {
		return err
	}
	return w.apply(f, p)
}

// openAlone opens the hooks folder, which is there, and keeps others out of it.
func (w *work) openAlone(ctx context.Context) (*folder, error) {
	f, err := openFolder(w.host, w.hooksDir)
	if err == nil && f == nil {
		err = fmt.Errorf("%s: %w", w.host.Seen(w.hooksDir), fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if err := f.alone(ctx); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// apply writes all files into the store, then says in the manifest that they are
// ours, and then puts each in its place: killed at any moment, what is there is whole
// and known.
func (w *work) apply(f *folder, p *program) (err error) {
	if err := f.sweep(w.old); err != nil {
		return fmt.Errorf("%s: %w", f.seen(StoreName), cause(err))
	}
	moved := false
	var made []string
	defer func() {
		if err == nil {
			return
		}
		if moved {
			err = fmt.Errorf("%w: not all is in place: install again", err)
			return
		}
		_ = f.write(w.old)
		_ = f.sweep(w.old)
		for _, name := range made {
			_ = f.Remove(name)
		}
	}()
	temps := map[Place]string{}
	for _, s := range w.steps {
		if !s.write {
			continue
		}
		if temps[s.place], err = f.stage(s.place.String(), p.content, 0o755); err != nil {
			return err
		}
		if s.keep {
			if err := f.keep(s.place, s.was); err != nil {
				return err
			}
		}
		if _, statErr := f.Lstat(s.place.folder()); errors.Is(statErr, fs.ErrNotExist) && !slices.Contains(w.new.Created, s.place.folder()) {
			w.new.Created = append(w.new.Created, s.place.folder())
		}
	}
	if w.new.equal(w.old) && len(temps) == 0 {
		return nil
	}
	if err := f.write(w.new); err != nil {
		return err
	}
	for _, s := range w.steps {
		if !s.write {
			continue
		}
		if folder := s.place.folder(); folder != "." {
			is, err := f.makeFolder(folder)
			if is {
				made = append(made, folder)
			}
			if err != nil {
				return err
			}
		}
	}
	for _, s := range w.steps {
		if !s.write {
			continue
		}
		if err := f.move(temps[s.place], s.place.String()); err != nil {
			return err
		}
		moved = true
	}
	if err := f.sweep(w.new); err != nil {
		return fmt.Errorf("%s: %w", f.seen(StoreName), cause(err))
	}
	return nil
}

// reloaded takes down that daemons look for the drivers' hooks now.
func (w *work) reloaded(ctx context.Context, drivers []string) error {
	f, err := w.openAlone(ctx)
	if err != nil {
		return err
	}
	defer f.close()
	m, err := f.manifest()
	if err != nil {
		return err
	}
	for _, d := range drivers {
		delete(m.Reload, d)
	}
	if err := f.write(m); err != nil {
		return err
	}
	return f.sweep(m)
}

// rightMode says whether libvirt runs the file and only root changes it.
func rightMode(info fs.FileInfo) bool {
	if !info.Mode().IsRegular() || info.Mode() != 0o755 {
		return false
	}
	owner := info.Sys().(*syscall.Stat_t)
	return os.Geteuid() != 0 || owner.Uid == 0 && owner.Gid == 0
}

// safe checks the folders that are there.
func (f *folder) safe(names ...string) error {
	if f == nil {
		return nil
	}
	for _, name := range names {
		info, err := f.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("%s: %w", f.seen(name), cause(err))
		default:
			if err := onlyOwners(f.seen(name), info); err != nil {
				return err
			}
		}
	}
	return nil
}

// Hooked says whether the driver has a hook, other than those of that name in
// DRIVER.d.
func Hooked(h *Host, hooksDir, driver, except string) bool {
	program := path.Join(hooksDir, driver)
	if h.isProgram(program) {
		return true
	}
	dir, err := h.Open(program + ".d")
	if err != nil {
		return false
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return slices.ContainsFunc(names, func(name string) bool {
		return name != except && h.isProgram(path.Join(program+".d", name))
	})
}

// selinux says whether this host labels files for it.
func selinux() bool {
	_, err := os.Stat("/sys/fs/selinux/enforce")
	return err == nil
}

func keptName(p Place, sum string) string {
	return strings.ReplaceAll(p.String(), "/", "_") + "-" + sum[:16]
}
