package doctor_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// dynamicProgram is an ELF file with a loader and the libraries that it needs.
func dynamicProgram(loader string, libraries []string) string {
	strtab := []byte{0}
	var dynamic []elf.Dyn64
	for _, l := range libraries {
		dynamic = append(dynamic, elf.Dyn64{Tag: int64(elf.DT_NEEDED), Val: uint64(len(strtab))})
		strtab = append(append(strtab, l...), 0)
	}
	dynamic = append(dynamic, elf.Dyn64{})
	const programs = 64 // after the header
	loaderAt := uint64(programs + 56)
	strtabAt := loaderAt + uint64(len(loader)) + 1
	dynamicAt := (strtabAt + uint64(len(strtab)) + 7) &^ 7
	sectionsAt := dynamicAt + uint64(16*len(dynamic))

	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	put(elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine()), Version: 1, Phoff: programs, Shoff: sectionsAt,
		Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: 4, Shstrndx: 3,
	})
	put(elf.Prog64{Type: uint32(elf.PT_INTERP), Off: loaderAt, Filesz: uint64(len(loader)) + 1})
	b.WriteString(loader + "\x00")
	b.Write(strtab)
	b.Write(make([]byte, dynamicAt-uint64(b.Len())))
	put(dynamic)
	put(elf.Section64{})
	put(elf.Section64{Type: uint32(elf.SHT_DYNAMIC), Off: dynamicAt, Size: uint64(16 * len(dynamic)), Link: 2, Entsize: 16})
	put(elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: strtabAt, Size: uint64(len(strtab))})
	put(elf.Section64{Type: uint32(elf.SHT_STRTAB), Off: strtabAt, Size: 1})
	return b.String()
}
