package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/virthook/virthook/spec"
)

// Options is what to build and where to.
type Options struct {
	Hosts    []string                         // empty: all that are known by name
	Out      string                           // the folder that gets a folder for each host
	Prune    bool                             // remove the folders of hosts that the fleet has no more
	Progress func(doing string, done, of int) // may be nil; calls come one by one
	Warn     func(format string, args ...any) // may be nil
}

// Result is what a build has done.
type Result struct {
	Hosts    int // that were asked for
	Builds   int // distinct programs that they run
	Compiled int // of which were compiled, the others being there already
	Written  int // folders, the others being up to date
	Removed  int // folders of hosts that are no more
}

// Unknown is the error for hosts that the fleet does not have.
type Unknown struct {
	File  string
	Hosts []string
}

// Error names them all.
func (u *Unknown) Error() string {
	return fmt.Sprintf("%s has no host %s", u.File, strings.Join(u.Hosts, ", "))
}

// Build writes the folders of the hosts. When the fleet and its packages do not hold
// together, the error is of type [strict.Problems] and no folder has changed.
func (f *Fleet) Build(ctx context.Context, s *spec.Spec, o Options) (*Result, error) {
	var err error
	if o.Out, err = filepath.Abs(o.Out); err != nil { // the go command runs elsewhere
		return nil, err
	}
	hosts, err := f.choose(o.Hosts)
	if err != nil {
		return nil, err
	}
	mod, err := findModule(f.File)
	if err != nil {
		return nil, err
	}
	progress := o.Progress
	if progress == nil {
		progress = func(string, int, int) {}
	}
	progress("reading packages", 0, 0)
	p := &planner{fleet: f, mod: mod, spec: s, problems: &list{file: f.File}}
	entries := f.entriesOf(hosts)
	if err := p.plan(ctx, entries); err != nil {
		return nil, err
	}
	if err := p.problems.problems.Err(); err != nil {
		return nil, err
	}

	store := filepath.Join(o.Out, storeFolder)
	unlock, err := lockStore(store)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeLeftovers(o.Out); err != nil {
		return nil, err
	}
	r := &Result{Hosts: len(hosts), Builds: len(p.builds)}
	if r.Compiled, err = p.build(ctx, store, progress); err != nil {
		return nil, err
	}
	for _, e := range entries {
		p.check(p.plans[e])
	}
	if err := p.problems.problems.Err(); err != nil {
		return nil, err
	}

	contents := map[*entry]content{}
	for i, host := range hosts {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		progress("writing hosts", i, len(hosts))
		e := f.match(host)
		c, ok := contents[e]
		if !ok {
			c = p.content(p.plans[e])
			contents[e] = c
		}
		written, err := c.write(o.Out, host)
		if err != nil {
			return nil, err
		}
		if written {
			r.Written++
		}
	}
	if r.Removed, err = f.removeStale(o); err != nil {
		return nil, err
	}
	return r, tidyStore(store, p.builds)
}

// choose checks the names that were given, or takes all.
func (f *Fleet) choose(given []string) ([]string, error) {
	if len(given) == 0 {
		if len(f.listed) == 0 {
			return nil, fmt.Errorf("%s: all hosts are patterns: name some, here or in an inventory", f.File)
		}
		return f.listed, nil
	}
	unknown := &Unknown{File: f.File}
	var hosts []string
	for _, h := range given {
		if !f.Has(h) {
			unknown.Hosts = append(unknown.Hosts, h)
		} else if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	if len(unknown.Hosts) > 0 {
		return nil, unknown
	}
	return hosts, nil
}

// entriesOf are those that the hosts have; what no host has is not looked at further.
func (f *Fleet) entriesOf(hosts []string) (entries []*entry) {
	seen := map[*entry]bool{}
	for _, h := range hosts {
		if e := f.match(h); !seen[e] {
			seen[e] = true
			entries = append(entries, e)
		}
	}
	return entries
}

// build compiles what the store does not have.
func (p *planner) build(ctx context.Context, store string, progress func(string, int, int)) (compiled int, err error) {
	temp, err := os.MkdirTemp("", "virthook-build-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(temp)
	overlay, err := p.mod.overlay(temp, p.builds)
	if err != nil {
		return 0, err
	}
	byTarget := map[string][]*build{}
	for _, b := range p.builds {
		byTarget[b.target] = append(byTarget[b.target], b)
	}
	for target, builds := range byTarget {
		if err := p.mod.findKeys(ctx, target, overlay, builds); err != nil {
			return 0, err
		}
	}
	var missing []*build
	for _, b := range p.builds {
		if !b.find(store) {
			missing = append(missing, b)
		}
	}
	if len(missing) == 0 {
		return 0, nil
	}

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	var workers sync.WaitGroup
	queue := make(chan *build)
	progress("compiling", 0, len(missing))
	for range min(runtime.GOMAXPROCS(0), len(missing)) {
		workers.Go(func() {
			for b := range queue {
				err := b.make(ctx, p.mod, p.spec, store, overlay)
				mu.Lock()
				var start *startError
				switch {
				case errors.As(err, &start):
					e := b.plans[0].entry
					p.problems.add(e.lines.Of("settings"), "the program of these hosts does not start: %s", start.line)
				case err != nil:
					stop(err)
				default:
					compiled++
					progress("compiling", compiled, len(missing))
				}
				mu.Unlock()
			}
		})
	}
feed:
	for _, b := range missing {
		select {
		case queue <- b:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	workers.Wait()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	return compiled, p.problems.problems.Err()
}

// removeStale removes the folders of hosts that are no more, or says that there are some.
func (f *Fleet) removeStale(o Options) (removed int, err error) {
	hosts, err := f.stale(o.Out)
	if err != nil {
		return 0, err
	}
	for _, h := range hosts {
		dir := filepath.Join(o.Out, h)
		if !o.Prune {
			if o.Warn != nil {
				o.Warn("%s: %s has no such host; --prune removes it", dir, f.File)
			}
			continue
		}
		gone := filepath.Join(o.Out, newPrefix+h)
		if err := os.Rename(dir, gone); err != nil { // never half of it
			return removed, err
		}
		if err := os.RemoveAll(gone); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
