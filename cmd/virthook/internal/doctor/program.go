package doctor

import (
	"bytes"
	"debug/elf"
	"path"
	"slices"
	"strings"
)

// standardPath is what is searched where the daemon's own PATH is not known.
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// checkProgram says whether the system can execute the file.
func (e *exam) checkProgram(f *file) {
	at := e.shown(f.path)
	switch {
	case f.info.Size() == 0:
		e.add("empty", at, "rm "+quoted(at), "it is empty")
	case f.content == nil:
		e.add("unreadable", at, "ls -l "+quoted(e.shown(f.real)), "it cannot be read")
	case bytes.HasPrefix(f.content, []byte("#!")):
		e.checkScript(f)
	case bytes.HasPrefix(f.content, []byte(elf.ELFMAG)):
		e.checkELF(f)
	case bytes.HasPrefix(f.content, []byte("\xef\xbb\xbf#!")):
		e.add("no-format", at, `sed -i '1s/^\xef\xbb\xbf//' `+quoted(e.shown(f.real)), "there is a byte order mark before #!")
	case bytes.HasPrefix(f.content, []byte("MZ")), bytes.HasPrefix(f.content, []byte("\xcf\xfa\xed\xfe")):
		e.add("wrong-machine", at, "rm "+quoted(at), "it is a program for another system")
	default:
		e.add("no-format", at, `sed -i '1i #!/bin/sh' `+quoted(e.shown(f.real)), "it is neither a program nor begins with #!")
	}
}

// checkScript looks for the interpreter as the system and env do.
func (e *exam) checkScript(f *file) {
	at := e.shown(f.path)
	line, _, _ := bytes.Cut(f.content[2:min(len(f.content), 256)], []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		e.add("crlf", at, `sed -i 's/\r$//' `+quoted(e.shown(f.real)), "its lines end with CR LF, as on Windows")
		return
	}
	words := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		e.add("no-format", at, `sed -i '1s|.*|#!/bin/sh|' `+quoted(e.shown(f.real)), "there is no interpreter after #!")
		return
	}
	name := path.Join("/", words[0])
	if !e.isProgram(name) {
		e.add("interpreter-missing", at, e.otherInterpreter(f, words[0]), "its interpreter %s is not there or not executable", words[0])
		return
	}
	f.needs(e, name)
	if path.Base(name) != "env" {
		return
	}
	for _, word := range words[1:] {
		if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
			continue
		}
		if found := e.search(word); found == "" {
			e.add("interpreter-missing", at, e.otherInterpreter(f, word), "its interpreter %s is nowhere in the PATH that libvirt gives it, %s", word, e.searchPath())
		} else {
			f.needs(e, found)
		}
		return
	}
}

// otherInterpreter is the command that puts an interpreter that is there in place of
// one that is not, such as python3 of python.
func (e *exam) otherInterpreter(f *file, missing string) string {
	for _, name := range []string{path.Base(missing) + "3", path.Base(missing), strings.TrimRight(path.Base(missing), "0123456789."), "sh"} {
		if found := e.search(name); found != "" && found != missing {
			text := strings.NewReplacer(`\`, `\\`, `&`, `\&`, `|`, `\|`).Replace(found)
			return "sed -i " + quoted("1s|.*|#!"+text+"|") + " " + quoted(e.shown(f.real))
		}
	}
	return "sed -i '1s|.*|#!/bin/sh|' " + quoted(e.shown(f.real))
}

func (e *exam) searchPath() string {
	for _, p := range e.procs {
		if p.path != "" {
			return p.path
		}
	}
	return standardPath
}

// search finds a program in the PATH of hooks, or returns "".
func (e *exam) search(name string) string {
	if strings.Contains(name, "/") {
		if e.isProgram(name) {
			return name
		}
		return ""
	}
	for dir := range strings.SplitSeq(e.searchPath(), ":") {
		if at := path.Join("/", dir, name); e.isProgram(at) {
			return at
		}
	}
	return ""
}

// needs remembers a program that the hook's run executes.
func (f *file) needs(e *exam, name string) { f.programs = append(f.programs, e.real(name)) }

// machines that run the programs of others.
var alsoRuns = map[elf.Machine][]elf.Machine{
	elf.EM_X86_64:  {elf.EM_386},
	elf.EM_AARCH64: {elf.EM_ARM},
}

func (e *exam) checkELF(f *file) {
	at := e.shown(f.path)
	program, err := elf.NewFile(bytes.NewReader(f.content))
	if err != nil {
		e.add("no-format", at, "rm "+quoted(at), "it is a damaged program: %v", err)
		return
	}
	machine, class, freeBSD := e.hostMachine()
	same := program.Machine == machine && program.Class == class || slices.Contains(alsoRuns[machine], program.Machine)
	if forFreeBSD := program.OSABI == elf.ELFOSABI_FREEBSD; machine != 0 && (!same || forFreeBSD != freeBSD) {
		e.add("wrong-machine", at, "virthook build", "it is a program for %s, and this host is %s",
			targetName(program.Machine, forFreeBSD), targetName(machine, freeBSD))
		return
	}
	loader := ""
	for _, p := range program.Progs {
		if p.Filesz > 0 && p.Off+p.Filesz > uint64(len(f.content)) {
			e.add("no-format", at, "rm "+quoted(at), "it is a damaged program: it ends after %d bytes, within a part of it", len(f.content))
			return
		}
		if p.Type == elf.PT_INTERP {
			name := make([]byte, min(p.Filesz, 4096))
			if _, err := p.ReadAt(name, 0); err == nil {
				loader = string(bytes.TrimRight(name, "\x00"))
			}
		}
	}
	if loader == "" { // static
		return
	}
	if !e.isProgram(loader) {
		e.add("loader-missing", at, "CGO_ENABLED=0 go build", "it is dynamic, and its loader %s is not there", loader)
		return
	}
	for _, name := range e.missingLibraries(program, path.Dir(f.real)) {
		e.add("library-missing", at, "ldd "+quoted(at), "its library %s is not there", name)
	}
}

func targetName(m elf.Machine, freeBSD bool) string {
	if freeBSD {
		return "FreeBSD on " + targetName(m, false)
	}
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
}

// missingLibraries are those that the loader would not find, of the program and of
// its libraries.
func (e *exam) missingLibraries(program *elf.File, origin string) (missing []string) {
	done := map[string]bool{}
	folders := e.loaderFolders()
	cache := e.read("/etc/ld.so.cache")
	var visit func(f *elf.File, origin string)
	visit = func(f *elf.File, origin string) {
		names, _ := f.DynString(elf.DT_NEEDED)
		var own []string
		for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
			paths, _ := f.DynString(tag)
			for _, p := range paths {
				for dir := range strings.SplitSeq(p, ":") {
					own = append(own, strings.NewReplacer("${ORIGIN}", origin, "$ORIGIN", origin).Replace(dir))
				}
			}
		}
		for _, name := range names {
			if done[name] {
				continue
			}
			done[name] = true
			found, at := e.library(name, f, append(own, folders...), cache)
			if found == nil {
				missing = append(missing, name)
				continue
			}
			visit(found, path.Dir(at))
		}
	}
	visit(program, origin)
	slices.Sort(missing)
	return missing
}

// library finds a library that fits the program.
func (e *exam) library(name string, program *elf.File, folders []string, cache []byte) (*elf.File, string) {
	var places []string
	for _, dir := range folders {
		places = append(places, path.Join("/", dir, name))
	}
	if strings.Contains(name, "/") {
		places = []string{name}
	}
	// The loader's own list: paths that end with a NUL.
	for rest, tail := cache, []byte("/"+name+"\x00"); len(rest) > 0; {
		i := bytes.Index(rest, tail)
		if i < 0 {
			break
		}
		start := bytes.LastIndexByte(rest[:i], 0) + 1
		places = append(places, string(rest[start:i+len(tail)-1]))
		rest = rest[i+len(tail):]
	}
	for _, place := range places {
		if !e.exists(place) {
			continue
		}
		if lib, err := elf.NewFile(bytes.NewReader(e.read(place))); err == nil && lib.Machine == program.Machine && lib.Class == program.Class {
			return lib, place
		}
	}
	return nil, ""
}

// loaderFolders are where the loader looks.
func (e *exam) loaderFolders() []string {
	var folders []string
	var read func(name string, depth int)
	read = func(name string, depth int) {
		for line := range strings.Lines(string(e.read(name))) {
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSpace(line)
			if pattern, ok := strings.CutPrefix(line, "include "); ok && depth < 4 {
				pattern = strings.TrimSpace(pattern)
				if !path.IsAbs(pattern) {
					pattern = path.Join("/etc", pattern)
				}
				for _, included := range e.glob(pattern) {
					read(included, depth+1)
				}
			} else if strings.HasPrefix(line, "/") {
				folders = append(folders, line)
			}
		}
	}
	read("/etc/ld.so.conf", 0)
	for _, file := range e.glob("/etc/ld-musl-*.path") {
		for line := range strings.Lines(string(e.read(file))) {
			folders = append(folders, strings.TrimSpace(line))
		}
	}
	folders = append(folders, e.glob("/lib/*-linux-*", "/usr/lib/*-linux-*")...)
	return append(folders, "/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32", "/usr/local/lib")
}
