package docs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/virthook/virthook/gen"
	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/templates"
)

// man makes virthook-hooks(7).
func man(r *Reference) (map[string][]byte, error) {
	t, err := template.New("hooks.7.tmpl").Funcs(Roff).Funcs(template.FuncMap{
		"argv":     func(s *Sample) string { return strings.Join(s.Argv, " ") },
		"failure":  failureWords,
		"legend":   legend,
		"links":    linkWords,
		"versions": gen.Join[spec.Version],
		"outcome":  outcomeWords,
		"samples":  hasSamples,
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

func hasSamples(ds []*Driver) bool {
	return slices.ContainsFunc(ds, func(d *Driver) bool {
		return slices.ContainsFunc(d.Operations, func(o *Operation) bool { return o.Sample != nil })
	})
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
			fmt.Fprintln(w, strings.Join([]string{o.ID, sinceWords(o), effectWords(o), kind}, "\t"))
		}
	}
	_ = w.Flush() // to a Builder
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
