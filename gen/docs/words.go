package docs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/virthook/virthook/gen"
)

// sinceWords say which versions have an operation.
func sinceWords(o *Operation) string {
	if o.Until != "" {
		return fmt.Sprintf("%s to %s", o.Since, o.Until)
	}
	return string(o.Since)
}

// effectWords say what a failing hook does, also where versions differ: "refused or lost".
func effectWords(o *Operation) string {
	var words []string
	for _, v := range o.field("failure") {
		if !slices.Contains(words, v.Effect) {
			words = append(words, v.Effect)
		}
	}
	return strings.Join(words, " or ")
}

// linkWords lists operations by name.
func linkWords(list []Link) string {
	var words []string
	for _, l := range list {
		words = append(words, l.Text)
	}
	return gen.Join(words)
}

// stepWords say what is special about a step; "": nothing.
func stepWords(s Step) string {
	var parts []string
	if s.Extra != "" {
		parts = append(parts, "with "+s.Extra)
	}
	if s.Each {
		parts = append(parts, "for each port")
	}
	return strings.Join(parts, ", ")
}

// valueWords say a value that is neither code nor links.
func valueWords(v Value) string {
	text := v.Text
	if v.Effect != "" {
		text = v.Effect + ": it " + text
	}
	if v.Doc != "" {
		text += ". " + v.Doc
	}
	return text
}

// failureWords say what follows when a hook fails at a step.
func failureWords(o Outcome) string {
	if o.When == "" {
		return "if it fails: " + outcomeWords(o)
	}
	return "if it fails, " + o.When + ": " + outcomeWords(o)
}

// outcomeWords say what follows when a hook fails, or libvirt.
func outcomeWords(o Outcome) string {
	text := o.Text
	if len(o.Calls) > 0 {
		text += "; then " + linkWords(o.Calls)
		if o.Extra != "" {
			text += " with " + o.Extra
		}
	}
	if o.To != "" {
		text += "; " + o.To + " afterwards"
	}
	return text
}

// stateWords say from which state a lifecycle leads to which.
func stateWords(l *Lifecycle) string {
	from, to := l.From, l.To
	if from == "" && to == "" {
		return ""
	}
	return "from " + cmp.Or(from, "any state") + " to " + cmp.Or(to, from)
}
