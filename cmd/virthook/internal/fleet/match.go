package fleet

import (
	"path"
	"slices"
	"strings"
)

// index makes looking up hosts quick.
func (f *Fleet) index() {
	for _, e := range f.entries {
		for _, n := range e.Names {
			switch {
			case isPattern(n.value):
				f.patterns = append(f.patterns, pattern{n.value, e})
			case f.plain[n.value] == nil:
				f.plain[n.value] = e
			}
		}
	}
}

// match is the first entry that matches the name, nil when none does.
func (f *Fleet) match(host string) *entry {
	found := f.plain[host]
	for _, p := range f.patterns {
		if found != nil && found.index <= p.entry.index {
			break
		}
		if ok, _ := path.Match(p.text, host); ok {
			return p.entry
		}
	}
	return found
}

// enumerate lists the hosts that are known by name.
func (f *Fleet) enumerate(inventory []text, problems *list) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			f.listed = append(f.listed, name)
		}
	}
	for _, e := range f.entries {
		for _, n := range e.Names {
			if !isPattern(n.value) {
				add(n.value)
			}
		}
	}
	for _, n := range inventory {
		if f.match(n.value) == nil {
			problems.in(f.inventory, n.line, "%s: no entry of %s matches this host", n.value, f.File)
			continue
		}
		add(n.value)
	}
	folded := map[string]string{}
	for _, n := range f.listed { // a folder each, also where file systems do not tell case
		if other := folded[strings.ToLower(n)]; other != "" {
			problems.add(f.match(n).line(), "the hosts %s and %s differ in case only", other, n)
		}
		folded[strings.ToLower(n)] = n
	}
}

// Hosts are the hosts that are known by name.
func (f *Fleet) Hosts() []string { return f.listed }

// Has says whether the name is one of the fleet's: listed, or without an inventory
// matched by some pattern.
func (f *Fleet) Has(host string) bool {
	if f.inventory != "" {
		return slices.Contains(f.listed, host)
	}
	return hostName.MatchString(host) && f.match(host) != nil
}

// warn finds what is of no effect.
func (f *Fleet) warn(d *document) {
	warnings := &list{file: f.File}
	f.warnOfInventory(warnings)
	used := map[string]bool{}
	for _, e := range f.entries {
		for _, s := range e.Sets {
			used[s.value] = true
		}
		reached := false
		for _, n := range e.Names {
			if by := f.shadowed(e, n.value); by == nil {
				reached = true
			} else if len(e.Names) > 1 {
				warnings.add(n.line, "%s never gets here: the entry at line %d matches first", n.value, by.line())
			}
		}
		if !reached {
			if len(e.Names) == 1 {
				warnings.add(e.line(), "no host gets here: the entry at line %d matches first", f.shadowed(e, e.Names[0].value).line())
			} else {
				warnings.add(e.line(), "no host gets here: entries before match first")
			}
		}
	}
	for name := range f.sets {
		if !used[name] {
			warnings.add(d.Sets.lines.Of(name), "no host uses the set %s", name)
		}
	}
	_ = warnings.problems.Err() // sorts
	f.Warnings = warnings.problems
}

// warnOfInventory finds entries that are for no host of it.
func (f *Fleet) warnOfInventory(warnings *list) {
	if f.inventory == "" {
		return
	}
	reached := map[*entry]bool{}
	for _, host := range f.listed {
		reached[f.match(host)] = true
	}
	for _, e := range f.entries {
		patterns := slices.ContainsFunc(e.Names, func(n text) bool { return isPattern(n.value) })
		if patterns && !reached[e] && !slices.ContainsFunc(e.Names, func(n text) bool { return f.shadowed(e, n.value) != nil }) {
			warnings.add(e.line(), "no host of the inventory gets here")
		}
	}
}

// shadowed is an entry before e that takes every host that the name of e stands for,
// as far as that can be told; nil: none.
func (f *Fleet) shadowed(e *entry, name string) *entry {
	if !isPattern(name) {
		if first := f.match(name); first != e {
			return first
		}
		return nil
	}
	for _, p := range f.patterns {
		if p.entry.index >= e.index {
			break
		}
		if covers(p.text, name) {
			return p.entry
		}
	}
	return nil
}

// covers says whether the pattern a matches all that b matches. It may say no where
// there are sets of characters.
func covers(a, b string) bool {
	if a == b {
		return true
	}
	if strings.ContainsAny(a+b, `[\`) {
		return false
	}
	// A character that no pattern has stands for any: only * and ? match it. It is one
	// byte, for path.Match counts those after a *.
	const any, many = "\x01", 64
	for _, n := range []int{0, 1, 2, many + len(a)} {
		text := strings.ReplaceAll(strings.ReplaceAll(b, "?", any), "*", strings.Repeat(any, n))
		if ok, _ := path.Match(a, text); !ok {
			return false
		}
	}
	return true
}
