package gen

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/virthook/virthook/spec"
	"github.com/virthook/virthook/templates"
)

// reference renders the page that lists every operation with all that the spec says of it.
func (g *generator) reference() ([]byte, error) {
	t, err := template.New("reference.md.tmpl").Funcs(template.FuncMap{
		"anchor":   func(o *spec.Op) string { return strings.ReplaceAll(o.ID(), "/", "") }, // as forges make it of the heading
		"extra":    extraWord,
		"handler":  g.handlerSignature,
		"input":    func(o *spec.Op) string { return o.InputAt("") },
		"inputs":   inputs,
		"join":     joinAny,
		"line":     func(s string) string { return strings.Join(strings.Fields(s), " ") },
		"object":   objectWord,
		"para":     strings.TrimSpace,
		"sentence": func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
	}).ParseFS(templates.FS, "reference.md.tmpl")
	if err != nil {
		return nil, err
	}
	var count int
	for range g.spec.All() {
		count++
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{
		"Header":  header("*.yaml"),
		"Count":   count,
		"Drivers": g.spec.Drivers,
		"Enums":   g.spec.Enums,
	})
	return b.Bytes(), err
}

// joinAny is join for templates, which cannot infer types.
func joinAny(list any) string {
	switch l := list.(type) {
	case spec.Versions:
		return join(l)
	case spec.Strings:
		return join(l)
	case []string:
		return join(l)
	}
	return fmt.Sprint(list)
}

// extraWord is the fourth operand as people write it.
func extraWord(o *spec.Op) string {
	switch x := o.Extra; {
	case x == nil:
		return "-"
	case x.Const != "":
		return x.Const
	default:
		return strings.ToUpper(x.Name)
	}
}

// inputs says what stdin carries, by version where that changed.
func inputs(o *spec.Op) string {
	names := map[string]string{
		spec.InputNone:        "nothing",
		spec.InputDomain:      "`<domain>`",
		spec.InputNetwork:     "`<hookData>` with `<network>`",
		spec.InputNetworkPort: "`<hookData>` with `<network>` and `<networkport>`",
	}
	var parts []string
	for _, in := range o.Input {
		part := names[in.Kind]
		if in.Since != "" {
			part += " since libvirt " + string(in.Since)
		} else if len(parts) > 0 {
			part += " before"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// handlerSignature is the handler function of the operation as one line of Go.
func (g *generator) handlerSignature(o *spec.Op) string {
	var params []string
	for _, x := range g.fields(o) {
		if o.Extra != nil && x.name == spec.GoName(o.Extra.Name) {
			params = append(params, g.spec.Enum(o.Extra.Enum).GoName())
		} else {
			params = append(params, "*libvirtxml."+x.name)
		}
	}
	result := "error"
	if o.Filters() {
		result = "(*libvirtxml.Domain, error)"
	}
	return fmt.Sprintf("%s.On%s(func(%s) %s)", g.pkg, o.GoName(), strings.Join(params, ", "), result)
}

// objectWord is the first operand as people write it.
func objectWord(o *spec.Op) string {
	if o.Driver.Object == "none" {
		return "-"
	}
	return strings.ToUpper(o.Driver.Object)
}
