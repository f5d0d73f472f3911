package docs

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/virthook/virthook/templates"
)

// man makes virthook-hooks(7).
func man(r *Reference) (map[string][]byte, error) {
	t, err := template.New("hooks.7.tmpl").Funcs(Roff).Funcs(template.FuncMap{
		"argv":     func(s *Sample) string { return strings.Join(s.Argv, " ") },
		"effects":  effectWords,
		"join":     func(list any) string { return joined(list) },
		"lower":    strings.ToLower,
		"outcome":  outcomeWords,
		"sentence": r.sentence,
		"state":    stateWords,
		"step":     stepWords,
		"table":    operationTable,
		"value":    valueWords,
	}).ParseFS(templates.FS, "hooks.7.tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, r); err != nil {
		return nil, fmt.Errorf("rendering virthook-hooks.7: %w", err)
	}
	return map[string][]byte{"man/man7/virthook-hooks.7": RoffPage(b.String())}, nil
}

// joined lists versions or links.
func joined(list any) string {
	var words []string
	switch list := list.(type) {
	case []Link:
		for _, l := range list {
			words = append(words, l.Text)
		}
	default:
		words = strings.Fields(strings.Trim(fmt.Sprint(list), "[]"))
	}
	return join(words)
}

// operationTable is an overview of all operations.
func operationTable(ds []*Driver) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, d := range ds {
		if i > 0 {
			fmt.Fprintln(w, "\t\t\t")
		}
		for _, o := range d.Operations {
			kind := ""
			if o.Filter {
				kind = "filter"
			}
			fmt.Fprintln(w, strings.Join([]string{o.ID, sinceCell(o), o.Effect, kind}, "\t"))
		}
	}
	_ = w.Flush() // to a Builder
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
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

// outcomeWords say what follows when a hook fails, or libvirt.
func outcomeWords(o Outcome) string {
	text := o.Text
	if o.When != "" {
		text = o.When + ": " + text
	}
	if len(o.Calls) > 0 {
		text += "; then " + joined(o.Calls)
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
