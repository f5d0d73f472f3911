package gen

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/virthook/virthook/spec"
)

// events renders what enumerates all operations, and the handshake with the runtime.
func (g *generator) events() ([]byte, error) {
	f := g.file(g.path, g.pkg, "*.yaml")
	comment(f, "Where this does not compile, the generated code and the virthook module are of different releases: generate again.")
	f.Const().Id("_").Op("=").Qual(hookimplPath, "Version1")

	all := slices.Collect(g.spec.All())
	comment(f, "Events returns a nil pointer of each event type of this package, for "+g.link("OnEach")+".")
	f.Func().Id("Events").Params().Index().Qual(sdkPath, "Event").Block(
		jen.Return(jen.Index().Qual(sdkPath, "Event").Add(nilPointers(all))),
	)

	domains := slices.DeleteFunc(all, func(o *spec.Op) bool { return o.InputAt("") != spec.InputDomain })
	if len(domains) > 0 {
		comment(f, "OnDomain handles every operation of this package that carries a guest's domain, of every driver. "+
			"A switch on the type of the event tells them apart. In a filter, edits of the event's Domain count.",
			gravest(domains))
		f.Func().Id("OnDomain").
			Params(jen.Id("h").Func().Params(jen.Qual("context", "Context"), jen.Qual(sdkPath, "DomainEvent")).Error()).
			Qual(sdkPath, "Option").
			Block(
				jen.Qual(hookimplPath, "NonNil").Call(jen.Lit(g.pkg+".OnDomain"), jen.Id("h").Op("==").Nil()),
				jen.Return(jen.Qual(sdkPath, "OnEach").Call(
					jen.Id("h"), jen.Index().Qual(sdkPath, "DomainEvent").Add(nilPointers(domains)).Op("..."),
				)),
			)
	}
	return render(f)
}

// gravest names the operations where an error costs more than what libvirt was about to
// do, "" when there are none.
func gravest(ops []*spec.Op) string {
	var parts []string
	for _, effect := range []string{spec.EffectKilled, spec.EffectForgotten, spec.EffectLost} {
		var names []string
		for _, o := range ops {
			if slices.ContainsFunc(o.Failure, func(f spec.Failure) bool { return f.Effect == effect }) {
				names = append(names, "["+o.GoName()+"]")
			}
		}
		if len(names) > 0 {
			parts = append(parts, enumerated(names)+", where an error "+effects[effect])
		}
	}
	switch {
	case len(parts) == 0:
		return ""
	case len(parts) == 1:
		return "Among them are " + parts[0] + "."
	}
	last := len(parts) - 1
	return "Among them are " + strings.Join(parts[:last], "; ") + "; and " + parts[last] + "."
}

// enumerated is "a", "a and b" or "a, b and c".
func enumerated(words []string) string {
	last := len(words) - 1
	if last <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// nilPointers is the body of a slice literal with (*T)(nil) for each event type, one a line.
func nilPointers(ops []*spec.Op) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func() (items []jen.Code) {
		for _, o := range ops {
			items = append(items, jen.Parens(jen.Op("*").Id(o.GoName())).Parens(jen.Nil()))
		}
		return items
	}()...)
}
