package install

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const module = "github.com/virthook/virthook"

// program is a hook to be installed, all of it: what was checked is what is written.
type program struct {
	path, name string
	content    []byte
	sum        string
	executable bool
	notes      []string
}

const programLimit = 1 << 30 // bytes

// readProgram reads the file, through links: its content is copied.
func readProgram(name string) (*program, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, usef("%s: %w", name, cause(err))
	case !info.Mode().IsRegular():
		return nil, usef("%s: not a regular file", name)
	case info.Size() > programLimit:
		return nil, usef("%s: larger than a program of 1 GiB", name)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, cause(err))
	}
	full, err := filepath.Abs(name)
	return &program{
		path: full, name: filepath.Base(full), content: content, sum: sumOf(content),
		executable: info.Mode().Perm()&0o111 != 0,
	}, err
}

func sumOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// check says why the host could not run the program, in libvirt's terms.
func (p *program) check(h *Host) error {
	var err error
	switch {
	case bytes.HasPrefix(p.content, []byte(elf.ELFMAG)):
		err = p.checkELF(h)
	case bytes.HasPrefix(p.content, []byte("#!")):
		err = p.checkScript(h)
	default:
		err = errors.New("neither an ELF program nor a script that begins with #!, so that libvirt could not run it (status 126)")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	if info, err := buildinfo.Read(bytes.NewReader(p.content)); err == nil && info.Path == module+"/cmd/virthook" {
		return fmt.Errorf("%s: virthook itself, which is not a hook", p.path)
	}
	return nil
}

// checkELF holds the program against another one of the host.
func (p *program) checkELF(h *Host) error {
	f, err := elf.NewFile(bytes.NewReader(p.content))
	if err != nil {
		return fmt.Errorf("a damaged ELF program: %w", err)
	}
	if f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN {
		return fmt.Errorf("an ELF file that is not a program but %s", f.Type)
	}
	interpreter := ""
	for _, s := range f.Progs {
		if s.Type == elf.PT_NULL || s.Filesz == 0 {
			continue
		}
		if end := s.Off + s.Filesz; end < s.Off || end > uint64(len(p.content)) {
			return fmt.Errorf("a damaged ELF program: it ends after %d bytes, a part of it", len(p.content))
		}
		if s.Type == elf.PT_INTERP {
			interpreter = string(bytes.TrimRight(p.content[s.Off:s.Off+s.Filesz], "\x00"))
		}
	}
	switch native := h.native(); {
	case native == nil:
		p.notes = append(p.notes, "not checked for the host's architecture: found no program there to compare with")
	case !runs(*native, f.FileHeader):
		return fmt.Errorf("a program for %s, and the host is %s, so that libvirt could not run it (status 126)", target(f.FileHeader), target(*native))
	}
	if interpreter == "" {
		return nil
	}
	if !h.isProgram(interpreter) {
		return fmt.Errorf("not static, and its loader %s is not there, so that libvirt would get status 127", interpreter)
	}
	p.notes = append(p.notes, "not static: it needs "+interpreter+" and libraries, which an update may change and AppArmor or SELinux may keep from libvirt's hooks; CGO_ENABLED=0 go build makes a static one")
	return nil
}

// native is the header of a program that the host runs, nil when none is found.
func (h *Host) native() *elf.FileHeader {
	var names []string
	for _, m := range homes {
		for _, folder := range m.daemons {
			for _, d := range daemonNames() {
				names = append(names, path.Join(folder, d))
			}
		}
	}
	names = append(names, "/bin/sh", "/usr/bin/env", "/sbin/init")
	if self, err := os.Executable(); err == nil && !h.IsImage() {
		names = append(names, self)
	}
	for _, name := range names {
		file, err := h.Open(name)
		if err != nil {
			continue
		}
		f, err := elf.NewFile(file)
		_ = file.Close()
		if err == nil {
			return &f.FileHeader
		}
	}
	return nil
}

// runs says whether a host with native programs runs the other.
func runs(native, other elf.FileHeader) bool {
	if (native.OSABI == elf.ELFOSABI_FREEBSD) != (other.OSABI == elf.ELFOSABI_FREEBSD) {
		return false
	}
	if native.Machine == elf.EM_X86_64 && other.Machine == elf.EM_386 {
		return true
	}
	return native.Machine == other.Machine && native.Data == other.Data && native.Class == other.Class
}

// target is GOOS/GOARCH, as near as the header says.
func target(f elf.FileHeader) string {
	system := "linux/"
	if f.OSABI == elf.ELFOSABI_FREEBSD {
		system = "freebsd/"
	}
	switch f.Machine {
	case elf.EM_X86_64:
		return system + "amd64"
	case elf.EM_386:
		return system + "386"
	case elf.EM_AARCH64:
		return system + "arm64"
	}
	name := strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
	if f.Data == elf.ELFDATA2LSB && (f.Machine == elf.EM_PPC64 || f.Machine == elf.EM_MIPS) {
		name += "le"
	}
	return system + name
}

// daemonPath is where systemd's services look for programs.
var daemonPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// checkScript looks for the interpreter, and for the one that env would look for.
func (p *program) checkScript(h *Host) error {
	line, err := bufio.NewReader(bytes.NewReader(p.content[2:])).ReadString('\n')
	if err == nil && strings.HasSuffix(line, "\r\n") {
		return errors.New("line 1 ends with a carriage return, which is taken for a part of the interpreter's name, so that libvirt would get status 127")
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return errors.New("line 1 names no interpreter after #!, so that libvirt could not run it (status 126)")
	}
	const missing = "the interpreter %s is not there, so that libvirt would get status 127"
	if !h.isProgram(path.Join("/", words[0])) { // hooks run in /
		return fmt.Errorf(missing, words[0])
	}
	if path.Base(words[0]) != "env" {
		return nil
	}
	for _, word := range words[1:] {
		word = strings.TrimPrefix(word, "-S")
		if word == "" || strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
			continue
		}
		if path.IsAbs(word) && h.isProgram(word) {
			return nil
		}
		if !slices.ContainsFunc(daemonPath, func(folder string) bool { return h.isProgram(path.Join(folder, word)) }) {
			return fmt.Errorf(missing, word)
		}
		return nil
	}
	return nil
}

// isOurs says whether the program was built with the SDK.
func (p *program) isOurs() bool {
	info, err := buildinfo.Read(bytes.NewReader(p.content))
	if err != nil {
		return false
	}
	if info.Main.Path == module {
		return true
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return true
		}
	}
	return false
}

// drivers asks the program what it handles.
func (p *program) drivers(ctx context.Context, h *Host) ([]string, error) {
	why := ""
	switch {
	case !p.isOurs():
		why = "it was not built with virthook, so it cannot be asked"
	case h.IsImage():
		why = "programs for an image are not run, so it cannot be asked"
	case !p.executable:
		why = "it is not executable, so it cannot be asked"
	}
	if why != "" {
		return nil, usef("%s: which drivers is it for? %s: give --driver", p.path, why)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, "--describe")
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=" + strings.Join(daemonPath, ":")}
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s --describe: %w: give --driver", p.path, err)
	}
	var d struct {
		Handles []struct {
			Driver string `json:"driver"`
		} `json:"handles"`
		Any bool `json:"any"`
	}
	if err := json.Unmarshal(out, &d); err != nil {
		return nil, fmt.Errorf("%s --describe: %w: give --driver", p.path, err)
	}
	if d.Any {
		return nil, usef("%s: which drivers is it for? it takes every call of every driver: give --driver", p.path)
	}
	var drivers []string
	for _, handled := range d.Handles {
		drivers = append(drivers, handled.Driver)
	}
	if len(drivers) == 0 {
		return nil, usef("%s: it handles nothing", p.path)
	}
	slices.Sort(drivers)
	return slices.Compact(drivers), nil
}
