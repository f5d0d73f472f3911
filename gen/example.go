package gen

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/spec"
)

// param is a parameter of an operation's plain handler.
type param struct{ name, typ string }

// params are the handler's parameters as a user of the SDK package pkg writes them.
func params(s *spec.Spec, o *spec.Op, pkg string) (ps []param) {
	document := func(name, typ string) { ps = append(ps, param{name, "*libvirtxml." + typ}) }
	switch o.InputAt("") {
	case spec.InputDomain:
		document("d", "Domain")
	case spec.InputNetwork:
		document("n", "Network")
	case spec.InputNetworkPort:
		document("n", "Network")
		document("p", "NetworkPort")
	}
	if x := o.Extra; x != nil && x.Enum != "" {
		ps = append(ps, param{paramName(x.Name), pkg + "." + s.Enum(x.Enum).GoName()})
	}
	return ps
}

// paramName is a word of the spec as a parameter: "shutoff-reason" is shutoffReason.
func paramName(word string) string {
	name := spec.GoName(word)
	name = strings.ToLower(name[:1]) + name[1:]
	if token.IsKeyword(name) {
		return name + "_"
	}
	return name
}

// results are those of the operation's plain handler.
func results(o *spec.Op) string {
	if o.Filters() {
		return "(*libvirtxml.Domain, error)"
	}
	return "error"
}

// Handler is the call that registers a handler of the operation, with the type of the
// handler, as a user of the SDK package pkg writes them:
//
//	sdk.OnQemuReleaseEnd(func(*libvirtxml.Domain, sdk.ShutoffReason) error)
func Handler(s *spec.Spec, o *spec.Op, pkg string) string {
	var types []string
	for _, p := range params(s, o, pkg) {
		types = append(types, p.typ)
	}
	return fmt.Sprintf("%s.On%s(func(%s) %s)", pkg, o.GoName(), strings.Join(types, ", "), results(o))
}

// HandlerLiteral is the same call with the handler of the operation's example, gofmt'ed;
// without an example, with one that does nothing. Code that is no Go, which [Render]
// refuses, is left as it is.
func HandlerLiteral(s *spec.Spec, o *spec.Op, pkg string) string {
	text := literal(s, o, pkg)
	if formatted, err := format.Source([]byte(text)); err == nil {
		return string(formatted)
	}
	return text
}

func literal(s *spec.Spec, o *spec.Op, pkg string) string {
	var ps []string
	for _, p := range params(s, o, pkg) {
		ps = append(ps, p.name+" "+p.typ)
	}
	body := "return nil"
	switch {
	case o.Example != nil:
		body = strings.TrimSpace(o.Example.Code)
	case o.Filters():
		body = "return d, nil"
	}
	return fmt.Sprintf("%s.On%s(func(%s) %s {\n%s\n})", pkg, o.GoName(), strings.Join(ps, ", "), results(o), body)
}

// examples reports an example that is not the body of a Go function.
func (g *generator) examples() error {
	for o := range g.spec.All() {
		if o.Example == nil {
			continue
		}
		_, err := parser.ParseExprFrom(token.NewFileSet(), "", literal(g.spec, o, g.pkg), 0)
		var list scanner.ErrorList
		if errors.As(err, &list) && len(list) > 0 {
			last := strings.Count(strings.TrimSpace(o.Example.Code), "\n") + 1 // what is missing is missed after it
			line := min(list[0].Pos.Line-1, last)
			return fmt.Errorf("operation %s: line %d of its example: %s", o.ID(), line, list[0].Msg)
		}
		if err != nil {
			return fmt.Errorf("operation %s: its example: %w", o.ID(), err)
		}
	}
	return nil
}

func (g *generator) hasExamples() bool {
	for o := range g.spec.All() {
		if o.Example != nil {
			return true
		}
	}
	return false
}

// examplesTest renders the examples of the spec as Go examples, of the module's own SDK:
// each fires its handler at libvirt's sample of the call. What fire does is written by
// hand beside them.
func (g *generator) examplesTest() ([]byte, error) {
	imports := map[string]bool{hooktestPath: true, g.path: true}
	var body bytes.Buffer
	for o := range g.spec.All() {
		if o.Example == nil {
			continue
		}
		for _, name := range o.Example.Imports {
			imports[name] = true
		}
		if slices.ContainsFunc(params(g.spec, o, g.pkg), func(p param) bool { return strings.HasPrefix(p.typ, "*libvirtxml.") }) {
			imports[libvirtxmlPath] = true
		}
		body.WriteString("\n")
		for _, line := range wrap(firstUpper(o.Example.Summary) + ".") {
			body.WriteString("// " + line + "\n")
		}
		fmt.Fprintf(&body, "func ExampleOn%s() {\n", o.GoName())
		fmt.Fprintf(&body, "hook := %s\n", literal(g.spec, o, g.pkg))
		fmt.Fprintf(&body, "fire(hook, hooktest.%s(%s))\n// Output:\n", o.GoName(), g.sampleExtra(o))
		for _, line := range strings.Split(strings.TrimSpace(o.Example.Prints), "\n") {
			body.WriteString(strings.TrimRight("// "+line, " ") + "\n")
		}
		body.WriteString("}\n")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n\npackage %s_test\n\nimport (\n", header("*.yaml"), g.pkg)
	for _, std := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(imports)) {
			if first, _, _ := strings.Cut(name, "/"); std == !strings.Contains(first, ".") {
				b.WriteString(strconv.Quote(name) + "\n")
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(")\n")
	b.Write(body.Bytes())
	return format.Source(b.Bytes())
}

// sampleExtra is the fourth operand of the call that an example is fired at.
func (g *generator) sampleExtra(o *spec.Op) string {
	if o.Extra == nil || o.Extra.Enum == "" {
		return ""
	}
	e := g.spec.Enum(o.Extra.Enum)
	of := max(0, slices.IndexFunc(e.Values, func(v spec.Value) bool { return v.Value == o.Example.Extra }))
	return g.pkg + "." + e.ValueGoName(e.Values[of])
}

func firstUpper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
