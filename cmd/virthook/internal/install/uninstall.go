package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// UninstallOptions say what to take away.
type UninstallOptions struct {
	Names    []string // of programs or places; none: the only program that is installed
	All      bool     // every program
	Drivers  []string // only of these; none: of all
	Previous bool     // put our version before this one back
	HooksDir string   // as the host sees it; "": found
	Root     string   // the host is in this folder; "": this host
	Force    bool     // also what was changed since it was installed
	DryRun   bool
}

// Uninstall takes away what Install has put there, and puts back what that replaced.
func Uninstall(ctx context.Context, o UninstallOptions) (*Result, error) {
	h, err := OpenHost(o.Root)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	w := &work{host: h}
	if w.hooksDir, err = hooksFolder(h, o.HooksDir); err != nil {
		return nil, err
	}
	f, err := openFolder(h, w.hooksDir)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("%s: nothing was installed there by virthook install", h.Seen(w.hooksDir))
	}
	defer f.close()
	if !o.DryRun {
		if err := f.alone(ctx); err != nil {
			return nil, err
		}
	}
	if w.old, err = f.manifest(); err != nil {
		return nil, err
	}
	w.new = w.old.clone()
	w.result = &Result{Version: 1, DryRun: o.DryRun, Image: h.IsImage(), HooksDir: f.dir, Files: []File{}, Notes: []string{}}
	chosen, err := w.choose(o)
	if err != nil {
		return nil, err
	}
	// All that can be in the way is looked for before anything is changed.
	var back []func() error
	var problems []error
	for _, e := range chosen {
		do, err := w.away(f, e, o)
		if err != nil {
			problems = append(problems, err)
		}
		back = append(back, do)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if o.DryRun {
		return w.result, nil
	}
	if err := f.sweep(w.old); err != nil { // what one that was killed has left
		return nil, err
	}
	for _, do := range back {
		if do == nil {
			continue
		}
		if err := do(); err != nil {
			return nil, err
		}
	}
	return w.result, w.tidy(f)
}

// tidy writes down what is left, and removes what nobody needs.
func (w *work) tidy(f *folder) error {
	w.new.Created = slices.DeleteFunc(w.new.Created, func(folder string) bool {
		if slices.ContainsFunc(w.new.Hooks, func(e Entry) bool { return strings.HasPrefix(e.Place, folder+"/") }) {
			return false
		}
		_ = f.Remove(folder) // which fails when others have put hooks there
		return true
	})
	maps.DeleteFunc(w.new.Reload, func(driver string, _ time.Time) bool {
		return len(w.new.Hooks) == 0 || !Hooked(w.host, w.hooksDir, driver, "")
	})
	if err := f.write(w.new); err != nil {
		return err
	}
	return f.sweep(w.new)
}

// choose finds the entries that are meant.
func (w *work) choose(o UninstallOptions) ([]Entry, error) {
	if len(w.old.Hooks) == 0 {
		return nil, fmt.Errorf("%s: nothing was installed there by virthook install", w.result.HooksDir)
	}
	var programs []string
	for _, e := range w.old.Hooks {
		if !slices.Contains(programs, e.Program) {
			programs = append(programs, e.Program)
		}
	}
	slices.Sort(programs)
	switch {
	case o.All && len(o.Names) > 0:
		return nil, usef("--all: %s is named too", o.Names[0])
	case !o.All && len(o.Names) == 0 && len(programs) > 1:
		return nil, usef("several programs are installed: name one of %s, or give --all", strings.Join(programs, ", "))
	}
	known, err := knownDrivers()
	if err != nil {
		return nil, err
	}
	for _, d := range o.Drivers {
		if !slices.Contains(known, d) {
			return nil, usef("unknown driver %q: one of %s", d, strings.Join(known, ", "))
		}
	}
	for _, name := range o.Names {
		if !slices.ContainsFunc(w.old.Hooks, func(e Entry) bool { return e.Program == name || e.Place == name }) {
			return nil, fmt.Errorf("%s: %s was not installed there by virthook install, which has installed %s",
				w.result.HooksDir, name, strings.Join(programs, ", "))
		}
	}
	chosen := slices.DeleteFunc(slices.Clone(w.old.Hooks), func(e Entry) bool {
		place, _ := ParsePlace(e.Place, known)
		named := len(o.Names) == 0 || slices.Contains(o.Names, e.Program) || slices.Contains(o.Names, e.Place)
		return !named || len(o.Drivers) > 0 && !slices.Contains(o.Drivers, place.Driver)
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s: nothing was installed there by virthook install for %s", w.result.HooksDir, strings.Join(o.Drivers, ", "))
	}
	return chosen, nil
}

// away decides about one file and says what is to be done, nil for nothing.
func (w *work) away(f *folder, e Entry, o UninstallOptions) (do func() error, err error) {
	known, err := knownDrivers()
	if err != nil {
		return nil, err
	}
	place, err := ParsePlace(e.Place, known)
	if err != nil {
		return nil, err
	}
	if err := f.safe(".", StoreName, place.folder()); err != nil {
		return nil, err
	}
	was, err := f.inspect(e.Place)
	if err != nil {
		return nil, err
	}
	seen := f.seen(e.Place)
	file := File{Path: seen, Driver: place.Driver}
	is := func(k *Kept) bool { return k != nil && was.sum == k.SHA256 }
	ours := was.sum == e.SHA256 || is(e.Previous)
	to, entry := e.Replaced, (*Entry)(nil) // what is there then, and what is known of it
	if o.Previous {
		if to = e.Previous; to == nil {
			return nil, fmt.Errorf("%s: no version before this one was kept", seen)
		}
		c := e
		c.SHA256, c.Previous = to.SHA256, nil
		entry = &c
	}
	remove := func() error {
		if err := f.Remove(e.Place); err != nil {
			return fmt.Errorf("%s: %w", seen, cause(err))
		}
		f.sync(place.folder())
		return nil
	}
	switch {
	case was.info != nil && was.sum == "":
		return nil, fmt.Errorf("%s: in the way, and not a file", seen)
	case was.info != nil && to != nil && is(to), was.info == nil && to == nil:
		file.Action = GoneBefore
		if o.Previous {
			file.Action = Unchanged
		}
	case was.info != nil && !ours && !o.Force:
		return nil, fmt.Errorf("%s: changed since virthook put it there: --force takes it away all the same", seen)
	case to == nil:
		file.Action = Removed
		do = remove
	default:
		if err := f.kept(to); err == nil {
			file.Action = PutBack
			do = func() error {
				if place.Name != "" {
					if _, err := f.makeFolder(place.folder()); err != nil {
						return err
					}
				}
				return f.move(path.Join(StoreName, to.File), e.Place)
			}
			break
		} else if !o.Force || o.Previous {
			return nil, err
		} else {
			w.result.Notes = append(w.result.Notes, err.Error())
		}
		if file.Action = GoneBefore; was.info != nil {
			file.Action, do = Removed, remove
		}
	}
	w.result.Files = append(w.result.Files, file)
	if entry == nil {
		w.new.drop(e.Place)
	} else {
		w.new.set(*entry)
	}
	return do, nil
}
