package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"github.com/virthook/virthook/spec"
)

// OutOfDate are the hosts whose folder in the output is missing, or is not what Build
// would make of the fleet and its packages now. It compiles packages and links nothing.
func (f *Fleet) OutOfDate(ctx context.Context, s *spec.Spec, out string, hosts []string) (stale []string, err error) {
	mod, err := findModule(f.File)
	if err != nil {
		return nil, err
	}
	p := &planner{fleet: f, mod: mod, spec: s, problems: &list{file: f.File}}
	if err := p.plan(ctx, f.entriesOf(hosts)); err != nil {
		return nil, err
	}
	if err := p.problems.problems.Err(); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "virthook-build-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	overlay, err := mod.overlay(temp, p.builds)
	if err != nil {
		return nil, err
	}
	byTarget := map[string][]*build{}
	for _, b := range p.builds {
		byTarget[b.target] = append(byTarget[b.target], b)
	}
	for target, builds := range byTarget {
		if err := mod.findKeys(ctx, target, overlay, builds); err != nil {
			return nil, err
		}
	}
	for _, host := range hosts {
		e := f.match(host)
		b := p.plans[e].build
		main := sha256.Sum256(b.source)
		var m manifest
		data, err := os.ReadFile(filepath.Join(out, host, manifestFile))
		if err != nil || json.Unmarshal(data, &m) != nil || m.Host != host ||
			m.Target != b.target || m.Build != b.key || m.Main != hex.EncodeToString(main[:]) || m.Libvirt != e.Libvirt ||
			!slices.Equal(m.Drivers, e.drivers()) || !slices.Equal(m.Sets, e.Sets.values()) {
			stale = append(stale, host)
		}
	}
	return stale, nil
}
