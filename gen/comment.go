package gen

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/virthook/virthook/spec"
)

// commenter is what comments are added to: a file or a group.
type commenter interface{ Comment(string) *jen.Statement }

// comment adds paragraphs as line comments; jennifer would make one block comment.
func comment(to commenter, paragraphs ...string) {
	first := true
	for _, p := range paragraphs {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if !first {
			to.Comment("//")
		}
		first = false
		for _, line := range wrap(p) {
			to.Comment("// " + line)
		}
	}
}

// wrap fills the lines of a paragraph to 80 columns; indented lines stay as they are.
func wrap(p string) []string {
	const width = 77
	var out []string
	line := ""
	flush := func() {
		if line != "" {
			out = append(out, line)
		}
		line = ""
	}
	for _, l := range strings.Split(p, "\n") {
		if strings.HasPrefix(l, " ") {
			flush()
			out = append(out, l)
			continue
		}
		if strings.TrimSpace(l) == "" {
			flush()
			out = append(out, "")
			continue
		}
		for _, w := range strings.Fields(l) {
			if line != "" && len(line)+1+len(w) > width {
				flush()
			}
			if line != "" {
				line += " "
			}
			line += w
		}
	}
	flush()
	return out
}

// handlerComment is the documentation of an operation's handler function.
func (g *generator) handlerComment(function string, o *spec.Op) []string {
	ps := []string{
		fmt.Sprintf("%s handles %s: %s.", function, o.ID(), o.Summary),
		o.Doc,
	}
	if o.Filters() {
		ps = append(ps, "The handler is a filter: libvirt goes on with the domain that it returns, "+
			"which may be the one that it got, edited. One that returns nil leaves the domain as it is.")
	}
	if o.ABICheck != "" {
		ps = append(ps, "libvirt refuses a domain whose ABI differs: what the guest can see of its hardware. "+
			"The hook checks most of that before it writes anything; "+g.link("CheckABI")+" switches that off.")
	}
	ps = append(ps, failureComment(o)...)
	if o.Fault == "pass" {
		ps = append(ps, "A fault (a panic, an expired deadline, input that cannot be decoded) therefore passes: "+
			"the program exits with 0 and tells the log.")
	}
	ps = append(ps, versionComment(o))
	if o.Until != "" {
		ps = append(ps, fmt.Sprintf("Deprecated: libvirt no longer calls it since %s.", o.Until))
	}
	return ps
}

// failureComment says what an error does, by version where that changed.
func failureComment(o *spec.Op) []string {
	if len(o.Failure) == 1 {
		f := o.Failure[0]
		return []string{fmt.Sprintf("An error %s.", effects[f.Effect]), f.Doc}
	}
	ps := []string{"What an error does depends on libvirt's version."}
	for _, f := range o.Failure {
		text := fmt.Sprintf("Before that an error %s.", effects[f.Effect])
		if f.Since != "" {
			text = fmt.Sprintf("From libvirt %s on an error %s.", f.Since, effects[f.Effect])
		}
		ps = append(ps, text+"\n"+f.Doc)
	}
	return ps
}

// effects finish the sentence "an error …".
var effects = map[string]string{
	spec.EffectRefused:   "stops what libvirt was about to do",
	spec.EffectKilled:    "gets the running guest killed",
	spec.EffectForgotten: "makes libvirt forget the guest, which runs on",
	spec.EffectLost:      "can cost the guest's saved state",
	spec.EffectIgnored:   "is logged by libvirt and stops nothing",
}

func versionComment(o *spec.Op) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Since libvirt %s.", o.Since)
	if x := o.Extra; x != nil && x.Enum != "" && x.Since != "" {
		fmt.Fprintf(&b, " The %s is empty before libvirt %s.", x.Name, x.Since)
	}
	for _, f := range o.Replaces {
		fmt.Fprintf(&b, " Before libvirt %s it was called %s, which is not handled.", f.Until, f.Op)
	}
	if len(o.Verified.Seen) > 0 {
		fmt.Fprintf(&b, " Seen on %s;", Join(o.Verified.Seen))
	} else {
		b.WriteString(" Not seen on a real daemon;")
	}
	fmt.Fprintf(&b, " in libvirt's source: %s.", Join(o.Verified.Source))
	return b.String()
}

// Join lists words as a sentence does: "a, b and c".
func Join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}
