package doctor

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// aliases are what people call drivers.
var aliases = map[string]string{
	"kvm": "qemu", "qemu-kvm": "qemu", "libvirt-qemu": "qemu", "virtqemud": "qemu", "domain": "qemu", "guest": "qemu", "vm": "qemu",
	"xen": "libxl", "virtxend": "libxl", "xl": "libxl",
	"libvirtd": "daemon", "libvirt": "daemon",
	"networks": "network", "net": "network", "virtnetworkd": "network",
	"container": "lxc", "virtlxcd": "lxc", "virtbhyved": "bhyve",
}

// meant is the driver that a name in the hooks folder stands for, or "".
func (e *exam) meant(name string) string {
	stem := strings.TrimSuffix(strings.ToLower(name), ".d")
	known := func(s string) string {
		if e.Spec.Driver(s) != nil {
			return s
		}
		return aliases[s]
	}
	if d := known(stem); d != "" {
		return d
	}
	first, _, _ := strings.Cut(stem, ".")
	if d := known(first); d != "" {
		return d
	}
	for _, d := range e.Spec.Drivers {
		if len(d.Name) > 3 && distance(stem, d.Name) == 1 {
			return d.Name
		}
	}
	return ""
}

// distance is the number of letters to change, put in, take out or swap with the next.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// checkNames looks for files in the hooks folder that libvirt never looks at.
func (e *exam) checkNames() {
	entries, err := e.list(e.hooks)
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		at := path.Join(e.hooks, name)
		if e.Spec.Driver(strings.TrimSuffix(name, ".d")) != nil || strings.HasPrefix(name, ".") {
			continue
		}
		info, err := e.stat(at)
		if err != nil {
			continue
		}
		runnable := info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
		if info.IsDir() && strings.HasSuffix(name, ".d") {
			inside, _ := e.list(at)
			runnable = slices.ContainsFunc(inside, func(i fs.DirEntry) bool { return e.isProgram(path.Join(at, i.Name())) })
		} else if info.IsDir() {
			continue
		}
		driver := e.meant(name)
		switch {
		case driver != "" && len(e.runners(driver)) == 0 && !document(name) && !backup(name):
			to := path.Join(e.hooks, driver)
			if strings.HasSuffix(name, ".d") {
				to += ".d"
			}
			mend := "mv " + quoted(e.shown(at)) + " " + quoted(e.shown(to))
			if info.Mode().IsRegular() {
				mend += " && chmod 755 " + quoted(e.shown(to))
			}
			e.add("misnamed", e.shown(at), mend, "libvirt never looks at %s; the hooks of the driver %s are %s and what is in %[2]s.d", name, driver, driver)
		case runnable:
			e.add("never-looked-at", e.shown(at), "", "libvirt never runs %s by itself; another hook may", name)
		}
	}
}

// backup says whether a name is one that editors and package managers give to
// copies, which are not meant to run.
func backup(name string) bool {
	for _, tail := range []string{
		"~", ".bak", ".backup", ".old", ".orig", ".save", ".swp", ".swo", ".tmp", ".new", ".disabled", ".off",
		".rpmsave", ".rpmnew", ".rpmorig", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-tmp", ".dpkg-bak",
		".ucf-old", ".ucf-new", ".ucf-dist", ".pacsave", ".pacnew", ".apk-new",
	} {
		if strings.HasSuffix(name, tail) {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasPrefix(name, "._cfg")
}

// document says whether a name is that of a text that is no program.
func document(name string) bool {
	upper := strings.ToUpper(name)
	for _, start := range []string{"README", "LICENSE", "COPYING", "CHANGELOG", "MAKEFILE"} {
		if strings.HasPrefix(upper, start) {
			return true
		}
	}
	switch path.Ext(strings.ToLower(name)) {
	case ".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".conf", ".cfg", ".ini", ".xml", ".log", ".service":
		return true
	}
	return false
}
