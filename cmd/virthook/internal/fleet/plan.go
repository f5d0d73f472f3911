package fleet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/virthook/virthook/gen/hookmain"
	"github.com/virthook/virthook/spec"
)

// plan is what the hosts of one entry get.
type plan struct {
	entry    *entry
	packages []*Package
	build    *build
}

// build is one program.
type build struct {
	target string
	source []byte  // of its main package
	plans  []*plan // whose hosts run it

	id  string // of the source
	key string // of all that goes into it

	record // once it is there
	dir    string
}

// planner turns entries into builds.
type planner struct {
	fleet    *Fleet
	mod      *goModule
	spec     *spec.Spec
	problems *list
	builds   []*build
	plans    map[*entry]*plan
}

// want is a package that an entry's sets name.
type want struct {
	path string
	place
}

// wants are those of an entry, in the order in which they run.
func (p *planner) wants(e *entry) (wants []want) {
	seen := map[string]want{}
	for _, s := range e.Sets {
		for _, t := range p.fleet.sets[s.value].packages {
			w := want{p.mod.importPath(t.value), place{p.fleet.File, t.line, t.value}}
			if other, twice := seen[w.path]; twice {
				p.problems.add(w.line, "%s is the package %s of line %d: it would run twice", w.text, other.text, other.line)
				continue
			}
			seen[w.path] = w
			if dir, own := p.mod.folder(w.path); own && !exists(dir) {
				p.problems.add(w.line, "package %s: there is no folder %s", w.text, p.mod.short(dir))
			}
			wants = append(wants, w)
		}
	}
	return wants
}

// plan looks at the packages of the entries, and renders a program for each
// distinct combination. Problems are gathered.
func (p *planner) plan(ctx context.Context, entries []*entry) error {
	if err := p.checkTargets(ctx, entries); err != nil {
		return err
	}
	byTarget := map[string][]*entry{}
	for _, e := range entries {
		byTarget[e.target()] = append(byTarget[e.target()], e)
	}
	var targets []string
	for t := range byTarget {
		targets = append(targets, t)
	}
	slices.Sort(targets)
	p.plans = map[*entry]*plan{}
	bySource := map[string]*build{}
	for _, target := range targets {
		wanted := map[string]place{}
		wants := map[*entry][]want{}
		for _, e := range byTarget[target] {
			wants[e] = p.wants(e)
			for _, w := range wants[e] {
				wanted[w.path] = w.place
			}
		}
		if len(p.problems.problems) > 0 {
			continue
		}
		loaded, err := loadPackages(ctx, p.mod, p.spec, target, wanted, p.problems)
		if err != nil {
			return err
		}
		if loaded == nil {
			continue
		}
		for _, e := range byTarget[target] {
			pl := &plan{entry: e}
			for _, w := range wants[e] {
				pl.packages = append(pl.packages, loaded[w.path])
			}
			source, err := p.render(pl, wants[e])
			if err != nil {
				return err
			}
			p.plans[e] = pl
			if source == nil {
				continue
			}
			key := target + "\n" + string(source)
			if bySource[key] == nil {
				sum := sha256.Sum256([]byte(key))
				bySource[key] = &build{target: target, source: source, id: hex.EncodeToString(sum[:8])}
				p.builds = append(p.builds, bySource[key])
			}
			pl.build = bySource[key]
			pl.build.plans = append(pl.build.plans, pl)
		}
	}
	return nil
}

// checkTargets asks Go which it has.
func (p *planner) checkTargets(ctx context.Context, entries []*entry) error {
	cmd := exec.CommandContext(ctx, "go", "tool", "dist", "list")
	cmd.Dir = p.mod.root
	out, err := cmd.Output()
	if err != nil {
		return goFailed(err, "go tool dist list")
	}
	known := strings.Fields(string(out))
	for _, e := range entries {
		if !slices.Contains(known, e.target()) {
			p.problems.add(e.Target.line, "Go has no target %s: go tool dist list prints those that it has", e.target())
		}
	}
	return nil
}

// render writes the program of an entry; nil: there are problems.
func (p *planner) render(pl *plan, wants []want) ([]byte, error) {
	given := p.settingsOf(pl, wants)
	var packages []hookmain.Package
	ok := given != nil
	for _, pkg := range pl.packages {
		out := hookmain.Package{Path: pkg.path, Name: pkg.name}
		ok = ok && !pkg.unfit
		if pkg.settings != nil && given != nil && !pkg.unfit {
			out.Settings = p.value(pl, pkg, given[pkg])
			ok = ok && out.Settings != nil
		}
		packages = append(packages, out)
	}
	if !ok {
		return nil, nil
	}
	return hookmain.Render(packages)
}

// value is the settings of a package as a Go value.
func (p *planner) value(pl *plan, pkg *Package, given pair) hookmain.Value {
	s := settings{file: p.fleet.File, pkg: pkg, into: p.problems}
	n := given.value
	if n == nil {
		n = emptyMapping(pl.entry.lines.Of("settings"))
	} else if n.ShortTag() == "!!null" { // "limits:" alone
		n = emptyMapping(given.key.Line)
	}
	return s.value(n, pkg.settings, typeName(pkg.settings))
}

// settingsOf finds the settings of each package; nil: they are not as they should be.
func (p *planner) settingsOf(pl *plan, wants []want) map[*Package]pair {
	given := map[*Package]pair{}
	n := pl.entry.Settings.Node
	if n == nil {
		return given
	}
	before := len(p.problems.problems)
	all, err := pairs(n)
	if err != nil {
		p.problems.add(n.Line, "settings: %v", err)
		return nil
	}
	for _, kv := range all {
		var found []int
		var names []string
		for i, w := range wants {
			if p.mod.importPath(kv.key.Value) == w.path {
				found = []int{i}
				break
			}
			if kv.key.Value == path.Base(w.path) {
				found = append(found, i)
			}
			names = append(names, path.Base(w.path))
		}
		line := kv.key.Line
		switch {
		case len(found) == 0:
			p.problems.add(line, "settings: the sets of this entry have no package %q; they have %s", kv.key.Value, strings.Join(names, ", "))
		case len(found) > 1:
			p.problems.add(line, "settings: %q is %s and %s: write the path", kv.key.Value, wants[found[0]].text, wants[found[1]].text)
		case pl.packages[found[0]].settings == nil:
			p.problems.add(line, "settings: %s takes none: its Hooks has no parameter", wants[found[0]].text)
		case given[pl.packages[found[0]]].key != nil:
			p.problems.add(line, "settings: those of %s are at line %d already", wants[found[0]].text, given[pl.packages[found[0]]].key.Line)
		default:
			given[pl.packages[found[0]]] = kv
		}
	}
	if len(p.problems.problems) > before {
		return nil
	}
	return given
}

// check holds what a program handles against what the hosts have that run it.
func (p *planner) check(pl *plan) {
	e, b := pl.entry, pl.build
	where := fmt.Sprintf("the hosts of %s:%d", p.fleet.File, e.line())
	handled := map[string]bool{}
	for _, h := range b.Describes.Handles {
		handled[h.id()] = true
	}
	for _, pkg := range pl.packages {
		for id, m := range pkg.mentions.ops {
			if !handled[id] {
				continue
			}
			o := p.op(id)
			switch {
			case !slices.Contains(e.drivers(), o.Driver.Name):
				p.problems.in(m.file, m.line, "%s: %s have no driver %s; they have %s", m.what, where, o.Driver.Name, strings.Join(e.drivers(), ", "))
			case o.Until != "" && (e.Libvirt == "" || !e.Libvirt.Less(o.Until)):
				p.problems.in(m.file, m.line, "%s: libvirt %s and later never call it (%s)", m.what, o.Until, where)
			case e.Libvirt != "" && e.Libvirt.Less(o.Since):
				p.problems.in(m.file, m.line, "%s: libvirt calls it since %s, and %s have %s", m.what, o.Since, where, e.Libvirt)
			}
		}
		for name, m := range pkg.mentions.reasons {
			if since := p.spec.Enum(name).Since; e.Libvirt != "" && e.Libvirt.Less(since) {
				p.problems.in(m.file, m.line, "%s: libvirt passes a reason since %s, and %s have %s", m.what, since, where, e.Libvirt)
			}
		}
	}
	if len(b.links(e)) == 0 {
		p.problems.add(e.line(), "nothing that these hosts run handles a call of their drivers, %s", strings.Join(e.drivers(), ", "))
	}
}

func (p *planner) op(id string) *spec.Op {
	for o := range p.spec.All() {
		if o.ID() == id {
			return o
		}
	}
	return nil
}

// links are the drivers whose hooks the program is on the hosts of the entry.
func (b *build) links(e *entry) (drivers []string) {
	for _, d := range e.drivers() {
		if b.Describes.Any || slices.ContainsFunc(b.Describes.Handles, func(h handled) bool { return h.Driver == d }) {
			drivers = append(drivers, d)
		}
	}
	return drivers
}

// handles are the calls that the program handles on the hosts of the entry.
func (p *planner) handles(pl *plan) []handled {
	out := []handled{}
	for _, h := range pl.build.Describes.Handles {
		o := p.op(h.id())
		known := o == nil || (pl.entry.Libvirt == "" && o.Until == "" || pl.entry.Libvirt != "" && o.In(pl.entry.Libvirt))
		if known && slices.Contains(pl.entry.drivers(), h.Driver) {
			out = append(out, h)
		}
	}
	return out
}

// name is that of the program: the last element of the module's path.
func (m *goModule) name() string {
	prefix, _, ok := module.SplitPathVersion(m.path)
	name := path.Base(cmp.Or(prefix, m.path))
	if !ok {
		name = path.Base(m.path)
	}
	if name == hooksFolder || name == manifestFile || name == sbomFile {
		name += "-hook" // what is beside it in the host's folder has that name
	}
	return name
}

// mainFolder is where, in the module, the main package of a build seems to be. There is
// no such folder: the go command is told where the source is.
func (m *goModule) mainFolder(b *build) string { return filepath.Join(m.root, "_virthook", b.id) }

func (m *goModule) mainPattern(b *build) string { return "./_virthook/" + b.id }
