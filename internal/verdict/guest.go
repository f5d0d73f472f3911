package verdict

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// guest is what libvirt looks at first in a <domain>. Texts are those of the
// first element of that name, "" where there is none.
type guest struct {
	virtType           string
	name, uuid         string
	bootloader         string
	osType, arch       string
	title              string
	memory, memoryUnit *string
	currentMemory      *string
	currentMemoryUnit  *string
	vcpu               *string
	cells              bool // <numa> has some, which may give the memory
}

// readGuest returns false for a document that it cannot read, although libvirt may.
// Only elements without a namespace count.
func readGuest(doc []byte) (*guest, bool) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	g := &guest{}
	var path []string
	var text *strings.Builder // of the element at depth
	depth := 0
	taken := map[string]bool{}
	var take func(string)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return g, true
		}
		if err != nil {
			return nil, false
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := t.Name.Local
			if t.Name.Space != "" {
				name = "{" + t.Name.Space + "}" + name
			}
			path = append(path, name)
			if len(path) == 1 {
				g.virtType = deref(attribute(t, "type"))
				continue
			}
			at := strings.Join(path[1:], "/")
			if at == "cpu/numa/cell" {
				g.cells = true
			}
			if text != nil || taken[at] {
				continue
			}
			var use func(string)
			switch at {
			case "name":
				use = func(s string) { g.name = s }
			case "uuid":
				use = func(s string) { g.uuid = s }
			case "bootloader":
				use = func(s string) { g.bootloader = s }
			case "title":
				use = func(s string) { g.title = s }
			case "os/type":
				g.arch = deref(attribute(t, "arch"))
				use = func(s string) { g.osType = s }
			case "memory":
				g.memoryUnit = attribute(t, "unit")
				use = func(s string) { g.memory = &s }
			case "currentMemory":
				g.currentMemoryUnit = attribute(t, "unit")
				use = func(s string) { g.currentMemory = &s }
			case "vcpu":
				use = func(s string) { g.vcpu = &s }
			default:
				continue
			}
			taken[at] = true
			text, depth, take = &strings.Builder{}, len(path), use
		case xml.CharData:
			if text != nil {
				text.Write(t)
			}
		case xml.EndElement:
			if text != nil && len(path) == depth {
				take(text.String())
				text = nil
			}
			path = path[:len(path)-1]
		}
	}
}

// attribute is the one without a namespace, nil when it is not given.
func attribute(e xml.StartElement, name string) *string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			value := normal.Replace(a.Value)
			return &value
		}
	}
	return nil
}

// normal is what white space becomes in the value of an attribute.
var normal = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// What libvirt knows; the lists have only ever grown at their ends.
var (
	virtTypes = []string{
		"none", "qemu", "kqemu", "kvm", "xen", "lxc", "uml", "openvz", "test", "vmware", "hyperv", "vbox",
		"phyp", "parallels", "bhyve", "vz", "hvf",
	}
	osTypes       = []string{"hvm", "xen", "linux", "exe", "uml", "xenpvh"}
	architectures = []string{
		"alpha", "armv6l", "armv7l", "armv7b", "aarch64", "cris", "i686", "ia64", "lm32", "loongarch64", "m68k",
		"microblaze", "microblazeel", "mips", "mipsel", "mips64", "mips64el", "openrisc", "parisc", "parisc64",
		"ppc", "ppcle", "ppc64", "ppc64le", "ppcemb", "riscv32", "riscv64", "s390", "s390x", "sh4", "sh4eb",
		"sparc", "sparc64", "unicore32", "x86_64", "xtensa", "xtensaeb",
	}
)

// wrong is the first error for which libvirt does not parse the guest, in the order
// of virDomainDefParseXML; "" where nothing is surely wrong.
func (g *guest) wrong() string {
	switch {
	case g.name == "":
		return "missing name information"
	case g.uuid != "" && !isUUID(g.uuid):
		return "internal error: malformed uuid element"
	case g.virtType == "":
		return "internal error: missing domain type attribute"
	case !slices.Contains(virtTypes, g.virtType):
		return "unsupported configuration: invalid domain type " + g.virtType
	case g.osType == "" && g.bootloader == "":
		return "XML error: an os <type> must be specified"
	case g.osType != "" && !slices.Contains(osTypes, g.osType):
		return "unsupported configuration: unknown OS type '" + g.osType + "'"
	case g.arch != "" && g.arch != "none" && !slices.Contains(architectures, g.arch):
		return "unsupported configuration: Unknown architecture " + g.arch
	case strings.Contains(g.title, "\n"):
		return "XML error: Domain title can't contain newlines"
	}
	for _, m := range []struct {
		xpath       string
		value, unit *string
	}{{"./memory[1]", g.memory, g.memoryUnit}, {"./currentMemory[1]", g.currentMemory, g.currentMemoryUnit}} {
		if message := wrongSize(m.xpath, m.value, m.unit); message != "" {
			return message
		}
	}
	if g.vcpu != nil {
		switch n, ok := leadingNumber(strings.Replace(*g.vcpu, "-", "", 1)); {
		case !ok:
			return "XML error: maximum vcpus count must be an integer"
		case n == 0:
			return "internal error: CPU IDs in <numa> exceed the <vcpu> count"
		}
	}
	if strings.Contains(g.name, "/") {
		return "XML error: name " + g.name + " cannot contain '/'"
	}
	if total, _ := leadingNumber(deref(g.memory)); total == 0 && !g.cells {
		return "XML error: Memory size must be specified via <memory> or in the <numa> configuration"
	}
	return ""
}

// wrongSize is the error for an amount of memory (virDomainParseScaledValue).
func wrongSize(xpath string, value, unit *string) string {
	if value == nil || *value == "" {
		return ""
	}
	n, ok := leadingNumber(*value)
	if !ok {
		return "XML error: Invalid value '" + *value + "' for element or attribute '" + xpath + "'"
	}
	u := deref(unit)
	scale := unitScale(u)
	switch {
	case scale == 0:
		return "invalid argument: unknown suffix '" + u + "'"
	case n > math.MaxInt64/scale:
		return "numerical overflow: value too large: " + strconv.FormatUint(n, 10) + u
	}
	return ""
}

// leadingNumber reads a whole number as the C library does, with white space in front.
func leadingNumber(text string) (uint64, bool) {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64)
	return n, err == nil
}

// unitScale is how many bytes a unit of memory has, 0 for what virScaleInteger does
// not take. Without one it is KiB.
func unitScale(unit string) uint64 {
	u := strings.ToLower(unit)
	switch u {
	case "":
		return 1024
	case "b", "byte", "bytes":
		return 1
	}
	base := uint64(1024)
	switch u[1:] {
	case "", "ib":
	case "b":
		base = 1000
	default:
		return 0
	}
	scale := uint64(1)
	for range strings.IndexByte("kmgtpe", u[0]) + 1 {
		scale *= base
	}
	if scale == 1 {
		return 0
	}
	return scale
}

// isUUID is virUUIDParse.
func isUUID(text string) bool {
	const space = " \t\n\v\f\r"
	text = strings.TrimLeft(text, space)
	for n := 0; n < 16; {
		switch {
		case text == "":
			return false
		case text[0] == '-' || text[0] == ' ':
			text = text[1:]
			continue
		case len(text) < 2 || !isHex(text[0]) || !isHex(text[1]):
			return false
		}
		text = text[2:]
		n++
	}
	return strings.Trim(text, space) == ""
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'f' || 'A' <= b && b <= 'F'
}
