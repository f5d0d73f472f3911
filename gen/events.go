package gen

import (
	"slices"

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
			"A switch on the type of the event tells them apart. In a filter, edits of the event's Domain count.")
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

// nilPointers is the body of a slice literal with (*T)(nil) for each event type, one a line.
func nilPointers(ops []*spec.Op) *jen.Statement {
	return jen.Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, func() (items []jen.Code) {
		for _, o := range ops {
			items = append(items, jen.Parens(jen.Op("*").Id(o.GoName())).Parens(jen.Nil()))
		}
		return items
	}()...)
}
