package doctor

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

func (e *exam) checkSecurity() {
	for _, d := range e.Spec.Drivers {
		hooks := e.runners(d.Name)
		if len(hooks) == 0 {
			continue
		}
		if s := e.server(d.Name); s.name != "" {
			e.checkAppArmor(s, hooks)
		}
	}
	e.checkSELinux()
}

// checkAppArmor looks whether the profile that is in force for the daemon lets it
// execute the hooks.
func (e *exam) checkAppArmor(s server, hooks []*file) {
	profile := e.enforced(s)
	if profile == "" {
		return
	}
	file, rules := e.profile(profile)
	if file == "" {
		return // from elsewhere: nothing can be said
	}
	for _, f := range hooks {
		for i, program := range append([]string{f.real}, f.programs...) {
			if rules.allow(program) {
				continue
			}
			if i == 0 {
				mend := "cp --remove-destination " + quoted(e.shown(f.real)) + " " + quoted(e.shown(f.path))
				if !f.link {
					mend = e.allow(file, path.Dir(f.real), "/**")
				}
				e.add("apparmor", e.shown(f.path), mend, "the profile %s (%s) does not let %s execute %s", profile, e.shown(file), s.name, f.real)
				continue
			}
			e.add("apparmor", e.shown(f.path), e.allow(file, program, ""),
				"the profile %s (%s) does not let it execute its interpreter %s", profile, e.shown(file), program)
		}
	}
}

// allow is the command that adds a rule to the profile in the file: what is at the
// path, and the pattern after it, may be executed.
func (e *exam) allow(file, program, pattern string) string {
	var b strings.Builder
	for _, r := range program {
		if strings.ContainsRune("\\\"*?[]{}^", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	rule := b.String() + pattern
	if strings.ContainsAny(rule, " \t,") {
		rule = `"` + rule + `"`
	}
	return `printf '%s\n' ` + quoted(rule+" rmix,") + " >>" + quoted(e.shown("/etc/apparmor.d/local/"+path.Base(file))) + " && apparmor_parser -r " + quoted(e.shown(file))
}

// enforced is the profile that is in force for the daemon, or "".
func (e *exam) enforced(s server) string {
	if s.process != nil {
		for _, name := range []string{"/attr/apparmor/current", "/attr/current"} {
			if label := strings.TrimRight(string(e.read(s.process.dir()+name)), "\x00\n"); label != "" {
				profile, ok := strings.CutSuffix(label, " (enforce)")
				if !ok {
					return ""
				}
				return profile
			}
		}
	}
	for line := range strings.Lines(string(e.read("/sys/kernel/security/apparmor/profiles"))) {
		profile, ok := strings.CutSuffix(strings.TrimSpace(line), " (enforce)")
		if ok && path.Base(profile) == s.name {
			return profile
		}
	}
	return ""
}

// aaRules are those of a profile about executing.
type aaRules struct{ allowed, denied []*regexp.Regexp }

func (r *aaRules) allow(program string) bool {
	match := func(p *regexp.Regexp) bool { return p.MatchString(program) }
	return slices.ContainsFunc(r.allowed, match) && !slices.ContainsFunc(r.denied, match)
}

var (
	aaInclude  = regexp.MustCompile(`^#?include\s+(?:if\s+exists\s+)?[<"]([^>"]+)[>"]`)
	aaVariable = regexp.MustCompile(`^(@\{\w+\})\s*\+?=\s*(.+)$`)
	aaRule     = regexp.MustCompile(`^((?:(?:audit|deny|owner|allow|file)\s+)*)("[^"]+"|[/@]\S*)\s+([a-zA-Z]+)(?:\s+->.*)?\s*,`)
	aaProfile  = regexp.MustCompile(`^(?:profile\s+)?(\S+)(?:\s+(\S+))?.*\{\s*$`)
)

// profile finds the file of a profile, and its rules.
func (e *exam) profile(name string) (file string, rules *aaRules) {
	const folder = "/etc/apparmor.d"
	entries, _ := e.list(folder)
	for _, entry := range entries {
		at := path.Join(folder, entry.Name())
		if info, err := e.stat(at); err != nil || !info.Mode().IsRegular() {
			continue
		}
		for line := range strings.Lines(string(e.read(at))) {
			m := aaProfile.FindStringSubmatch(strings.TrimSpace(line))
			if m != nil && (m[1] == name || m[2] == name) {
				r := &aaReader{exam: e, variables: map[string][]string{}, rules: &aaRules{}, read: map[string]bool{}}
				r.file(at)
				return at, r.rules
			}
		}
	}
	return "", nil
}

type aaReader struct {
	*exam
	variables map[string][]string
	rules     *aaRules
	read      map[string]bool
}

// file reads a file of AppArmor's and all that it includes.
func (r *aaReader) file(name string) {
	if r.read[name] || len(r.read) > 500 {
		return
	}
	r.read[name] = true
	if entries, err := r.list(name); err == nil {
		for _, entry := range entries {
			r.file(path.Join(name, entry.Name()))
		}
		return
	}
	depth := 0
	for line := range strings.Lines(string(r.exam.read(name))) {
		line = strings.TrimSpace(line)
		if m := aaInclude.FindStringSubmatch(line); m != nil {
			if !path.IsAbs(m[1]) {
				m[1] = path.Join("/etc/apparmor.d", m[1])
			}
			r.file(m[1])
			continue
		}
		if m := aaVariable.FindStringSubmatch(line); m != nil {
			for _, value := range strings.Fields(m[2]) {
				r.variables[m[1]] = append(r.variables[m[1]], strings.Trim(value, `"`))
			}
			continue
		}
		// The rules of a profile within the profile are not the daemon's.
		switch {
		case strings.HasSuffix(line, "{"):
			depth++
		case line == "}":
			depth--
		}
		m := aaRule.FindStringSubmatch(line)
		if m == nil || depth > 1 || !strings.ContainsAny(m[3], "xX") {
			continue
		}
		pattern, err := regexp.Compile(r.pattern(strings.Trim(m[2], `"`)))
		if err != nil {
			continue
		}
		if strings.Contains(m[1], "deny") {
			r.rules.denied = append(r.rules.denied, pattern)
		} else {
			r.rules.allowed = append(r.rules.allowed, pattern)
		}
	}
}

// pattern is AppArmor's glob as a regular expression. A variable that is not known
// may be anything.
func (r *aaReader) pattern(glob string) string {
	for range 10 {
		start := strings.Index(glob, "@{")
		if start < 0 {
			break
		}
		end := strings.Index(glob[start:], "}")
		if end < 0 {
			break
		}
		name := glob[start : start+end+1]
		value := "**"
		if values := r.variables[name]; len(values) > 0 {
			value = "{" + strings.Join(values, ",") + "}"
		}
		glob = strings.ReplaceAll(glob, name, value)
	}
	var b strings.Builder
	b.WriteString("^")
	depth := 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '\\' && i+1 < len(glob):
			i++
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			depth++
			b.WriteString("(?:")
		case c == '}' && depth > 0:
			depth--
			b.WriteString(")")
		case c == ',' && depth > 0:
			b.WriteString("|")
		case c == '[' || c == ']' || c == '^':
			b.WriteByte(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return strings.ReplaceAll(b.String(), "//", "/") + "$"
}

// checkSELinux looks whether SELinux, where it is enforcing, has the label of the
// policy on each hook, and lets hooks do what they want.
func (e *exam) checkSELinux() {
	if strings.TrimSpace(string(e.read("/sys/fs/selinux/enforce"))) != "1" {
		return
	}
	var hooks []*file
	for _, d := range e.Spec.Drivers {
		hooks = append(hooks, e.runners(d.Name)...)
	}
	if len(hooks) == 0 {
		return
	}
	if value := strings.Fields(string(e.read("/sys/fs/selinux/booleans/virt_hooks_unconfined"))); len(value) > 0 && value[0] == "0" {
		e.add("selinux-boolean", "virt_hooks_unconfined", "setsebool -P virt_hooks_unconfined on", "SELinux is enforcing, and virt_hooks_unconfined is off")
	}
	contexts := e.fileContexts()
	for _, f := range hooks {
		has, want := labelType(label(e.shown(f.real))), contexts.of(f.real)
		if want != "" && has != "" && has != want {
			e.add("selinux-label", e.shown(f.path), "restorecon -v "+quoted(e.shown(f.real)), "its label is %s, and the policy has %s for it", has, want)
		}
	}
}

// labelType is the third part of a label.
func labelType(label string) string {
	parts := strings.Split(label, ":")
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

type fileContext struct {
	stem    string // the pattern up to its first special character
	pattern string
	kind    string
}

type fileContexts []fileContext

// fileContexts are the labels that the policy has for regular files.
func (e *exam) fileContexts() (list fileContexts) {
	policy := "targeted"
	for line := range strings.Lines(string(e.read("/etc/selinux/config"))) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "SELINUXTYPE="); ok {
			policy = strings.TrimSpace(name)
		}
	}
	for _, name := range []string{"file_contexts", "file_contexts.local"} {
		for line := range strings.Lines(string(e.read("/etc/selinux/" + policy + "/contexts/files/" + name))) {
			f := strings.Fields(line)
			if len(f) < 2 || strings.HasPrefix(f[0], "#") || len(f) == 3 && f[1] != "--" {
				continue
			}
			stem := f[0]
			if i := strings.IndexAny(stem, `.^$?*+|[({\`); i >= 0 {
				stem = stem[:i]
				if special := f[0][i]; special == '?' || special == '*' || special == '{' { // which is about the one before
					stem = stem[:max(0, i-1)]
				}
			}
			list = append(list, fileContext{stem, f[0], labelType(f[len(f)-1])})
		}
	}
	return list
}

// of is the type of the last pattern that matches, or "".
func (l fileContexts) of(name string) string {
	for _, c := range slices.Backward(l) {
		if !strings.HasPrefix(name, c.stem) {
			continue
		}
		if p, err := regexp.Compile("^(?:" + c.pattern + ")$"); err == nil && p.MatchString(name) {
			return c.kind
		}
	}
	return ""
}
