package verdict

import (
	"errors"

	"github.com/virthook/virthook/internal/abi"
	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/hookexec"
	"libvirt.org/go/libvirtxml"
)

// judgeOutput says why libvirt does not take what a filter printed, in its words.
// What only a hypervisor could tell is taken to be right.
func judgeOutput(op Operation, call hookexec.Call, output []byte) (Cause, string) {
	root, f := findFlaw(output)
	if f != nil {
		return NotXML, f.inLibvirtsWords(output, op.older("11.3.0"))
	}
	if root != "domain" {
		return WrongRoot, "XML error: expecting root element of 'domain', not '" + root + "'"
	}
	g, ok := readGuest(output)
	if !ok {
		return NoCause, ""
	}
	if message := g.wrong(); message != "" {
		return NotAGuest, message
	}
	check := abi.Check
	switch op.ABICheck {
	case "migration":
	case "restore":
		check = abi.CheckRestore
	default:
		return NoCause, ""
	}
	if message := broken(check, call.Input, output, g); message != "" {
		return ABIBroken, message
	}
	return NoCause, ""
}

// broken is libvirt's error when the guest would see another machine.
func broken(check func(src, dst *libvirtxml.Domain) error, input, output []byte, g *guest) string {
	src, _, err := codec.DecodeDomain(input)
	if err != nil {
		return "" // the input is not libvirt's
	}
	dst, _, err := codec.DecodeDomain(output)
	if err != nil {
		return ""
	}
	const prefix = "unsupported configuration: "
	var difference *abi.Error
	found := errors.As(check(src, dst), &difference)
	// Without a UUID libvirt makes one up, which is never the guest's. That is found
	// right after the guest's type.
	if g.uuid == "" && src.UUID != "" && !(found && difference.Path == "/domain/@type") {
		return prefix + "Target domain uuid, which libvirt makes up as there is no <uuid>, does not match source " + src.UUID
	}
	if found {
		return prefix + difference.Message
	}
	return ""
}
