package pack

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Package is what one or more hosts get.
type Package struct {
	Name    string // such as virthook-myhooks-base
	Version string
	Hosts   []string // sorted

	host     *Host // one of those whose content it is
	family   string
	hooksDir string
}

// Options say what the packages are to be.
type Options struct {
	Version    string // as dpkg and rpm both take it; see [Version]
	HooksDir   string // of the hosts
	Maintainer string // "NAME <ADDRESS>"
	License    string
	PerHost    bool // a package for each host, whatever it has in common with others
	SourceDate int64
}

// DefaultHooksDir is where libvirt looks for hooks.
const DefaultHooksDir = "/etc/libvirt/hooks"

// Packages puts the hosts of the same content together and names each package: by the
// project's name and the sets of its hosts, and where these do not tell packages apart
// by what the names of the hosts begin with too. With o.PerHost it is the host's name.
func Packages(hosts []*Host, o Options) ([]*Package, error) {
	if !plainFolder.MatchString(o.HooksDir) {
		return nil, fmt.Errorf("hooks folder %q: it is absolute, of letters, digits and . _ + -", o.HooksDir)
	}
	var all []*Package
	byContent := map[string]*Package{}
	seen := map[string]string{}
	for _, h := range hosts {
		if other, twice := seen[h.Name]; twice {
			if other == h.Dir {
				continue
			}
			return nil, fmt.Errorf("%s and %s are both of the host %s", other, h.Dir, h.Name)
		}
		seen[h.Name] = h.Dir
		key := strings.Join([]string{h.System, h.Arch, h.Program, h.Sum, h.hookName, strings.Join(h.Drivers, " ")}, "\n")
		if o.PerHost {
			key = h.Name
		}
		p := byContent[key]
		if p == nil {
			p = &Package{Version: o.Version, host: h, family: "virthook-" + debian(h.Program), hooksDir: o.HooksDir}
			byContent[key] = p
			all = append(all, p)
		}
		p.Hosts = append(p.Hosts, h.Name)
		if slices.Compare(h.Sets, p.host.Sets) < 0 { // the same packages may be in other sets
			p.host = h
		}
	}
	for _, p := range all {
		slices.Sort(p.Hosts)
		p.Name = p.family + "-" + debian(strings.Join(p.host.Sets, "-"))
		if o.PerHost {
			p.Name = p.family + "-" + debian(p.Hosts[0])
		}
	}
	if !o.PerHost {
		shared := clashing(all)
		for _, p := range all {
			if !shared[p.id()] {
				continue
			}
			if common := debian(commonName(p.Hosts)); common != "" {
				p.Name += "-" + common
			}
		}
	}
	slices.SortFunc(all, func(a, b *Package) int { return strings.Compare(a.id(), b.id()) })
	var problems []error
	for i, p := range all {
		if i > 0 && all[i-1].id() == p.id() {
			advice := ": --per-host makes a package for each"
			if o.PerHost {
				advice = ""
			}
			problems = append(problems, fmt.Errorf("the hosts %s and %s differ, and the packages of both would be named %s%s", all[i-1].Hosts[0], p.Hosts[0], p.Name, advice))
		}
	}
	return all, errors.Join(problems...)
}

// id is what tells a package from others in a repository, but for its version.
func (p *Package) id() string { return p.Name + " " + p.host.System + "/" + p.host.Arch }

func clashing(all []*Package) map[string]bool {
	first, twice := map[string]bool{}, map[string]bool{}
	for _, p := range all {
		twice[p.id()] = first[p.id()]
		first[p.id()] = true
	}
	return twice
}

// commonName is what all names begin with, without a number at the end, so that it
// stays when hosts are added.
func commonName(names []string) string {
	common := names[0]
	for _, n := range names {
		for !strings.HasPrefix(n, common) {
			common = common[:len(common)-1]
		}
	}
	if short := strings.TrimRight(common, "0123456789.-_"); short != "" || len(names) > 1 {
		return short
	}
	return common
}

// debian makes a part of a package's name of a text: Debian allows lower case, digits
// and + - . there.
func debian(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '+', r == '-':
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(text, "-.+")
}

// folder is where the package has its program. libvirt does not look there.
func (p *Package) folder() string {
	return "/usr/lib/virthook/" + strings.TrimPrefix(p.Name, "virthook-")
}

func (p *Package) payload() string { return path.Join(p.folder(), p.host.Program) }

// state is where the scripts of all packages of this hook note what is theirs.
func (p *Package) state() string { return "/var/lib/virthook/packages/" + p.host.Program }
