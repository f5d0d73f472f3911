package spec

import (
	"regexp"
	"strings"
)

// word is what drivers, operations, sub-operations and enums are named with:
// Go names come from it without loss.
var word = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// GoName turns a name of libvirt's ("port-created", "from snapshot",
// "shutoff_reason") into an exported Go name ("PortCreated"). Dashes, spaces and
// underscores separate words.
func GoName(name string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == ' ' || r == '_' }) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// GoName is the name of the operation's event type and, after "On", of its
// handler function: "QemuMigrateBegin". The sub-operation "-" adds nothing.
func (o *Op) GoName() string {
	return GoName(o.Driver.Name) + GoName(o.Op) + GoName(o.SubOp)
}

// GoName is the name of the enum's type: "ShutoffReason".
func (e *Enum) GoName() string { return GoName(e.Name) }

// ValueGoName is the name of the constant for v: "ShutoffReasonFromSnapshot".
func (e *Enum) ValueGoName(v Value) string { return e.GoName() + GoName(v.Value) }
