package doctor

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// libvirt's drivers in the order of its own table, virHookDriver.
var hookDrivers = []string{"daemon", "qemu", "lxc", "network", "libxl", "bhyve"}

// knowledge is whether a daemon calls the hooks of a driver.
type knowledge int

const (
	unknown knowledge = iota
	yes
	no
)

func (k knowledge) String() string { return [...]string{"unknown", "yes", "no"}[k] }

// knows says whether the daemon calls the hooks of the driver. It holds that in one
// number, which it fills when it starts and at each reload.
func (e *exam) knows(p *process, driver string) knowledge {
	if !p.asked {
		p.asked = true
		if found, err := e.hooksFound(p); err == nil {
			p.knows = map[string]bool{}
			for i, d := range hookDrivers {
				p.knows[d] = found == -1 || found&(1<<i) != 0 // -1: looks before its first call
			}
		}
	}
	switch present, known := p.knows[driver]; {
	case !known:
		return unknown
	case present:
		return yes
	}
	return no
}

// hooksFound reads the four bytes of the daemon's variable virHooksFound, which has
// the bit of each driver that has hooks. The variable has no symbol; the function
// that returns a bit of it, virHookPresent, has one. The daemon is not stopped.
func (e *exam) hooksFound(p *process) (int32, error) {
	if p.library == "" || p.gone {
		return 0, fmt.Errorf("libvirt's library is not to be seen")
	}
	lib, err := e.open(p.library)
	if err != nil {
		return 0, err
	}
	defer lib.Close()
	f, err := elf.NewFile(lib)
	if err != nil {
		return 0, err
	}
	address, err := variable(f)
	if err != nil {
		return 0, err
	}
	base, err := e.loadedAt(p)
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(e.shown(p.dir() + "/mem"))
	if err != nil {
		return 0, err
	}
	defer mem.Close()
	var word [4]byte
	if _, err := mem.ReadAt(word[:], int64(base+address)); err != nil {
		return 0, err
	}
	found := int32(binary.LittleEndian.Uint32(word[:]))
	if found < -1 || found >= 1<<len(hookDrivers) {
		return 0, fmt.Errorf("%#x is no set of drivers", found)
	}
	return found, nil
}

// variable is the address of virHooksFound in the library.
func variable(f *elf.File) (uint64, error) {
	if f.Machine != elf.EM_X86_64 {
		return 0, fmt.Errorf("%v is not known", f.Machine)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name != "virHookPresent" || s.Size == 0 || s.Size > 256 {
			continue
		}
		for _, section := range f.Sections {
			if section.Type == elf.SHT_PROGBITS && section.Addr <= s.Value && s.Value+s.Size <= section.Addr+section.Size {
				code := make([]byte, s.Size)
				if _, err := section.ReadAt(code, int64(s.Value-section.Addr)); err != nil {
					return 0, err
				}
				if offset, ok := loads(code); ok {
					return s.Value + offset, nil
				}
			}
		}
	}
	return 0, fmt.Errorf("virHookPresent is not as it is known")
}

// loads finds in x86-64 code the first load of a 32-bit variable, relative to the
// start of the code, which is then compared with -1.
func loads(code []byte) (offset uint64, ok bool) {
	for i := 0; i+6 <= len(code); i++ {
		// mov DISPLACEMENT(%rip),REGISTER
		if code[i] != 0x8b || code[i+1]&0xc7 != 0x05 {
			continue
		}
		register := code[i+1] >> 3 & 7
		if !bytes.Contains(code[i+6:], []byte{0x83, 0xf8 | register, 0xff}) { // cmp $-1,REGISTER
			return 0, false
		}
		return uint64(i+6) + uint64(int64(int32(binary.LittleEndian.Uint32(code[i+2:])))), true
	}
	return 0, false
}

// loadedAt is where the daemon has the library.
func (e *exam) loadedAt(p *process) (uint64, error) {
	for line := range strings.Lines(string(e.read(p.dir() + "/maps"))) {
		f := strings.Fields(line)
		if len(f) == 6 && f[5] == p.library && f[2] == "00000000" {
			start, _, _ := strings.Cut(f[0], "-")
			return strconv.ParseUint(start, 16, 64)
		}
	}
	return 0, fmt.Errorf("the library is not in its memory")
}
