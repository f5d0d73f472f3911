package gen

import (
	"github.com/dave/jennifer/jen"

	"github.com/virthook/virthook/spec"
)

// hooktest renders the test kit's constructors: one call an operation.
func (g *generator) hooktest() ([]byte, error) {
	f := g.file(g.path+"/hooktest", "hooktest", "*.yaml")
	f.ImportName(g.path, g.pkg)
	for o := range g.spec.All() {
		name := o.GoName()
		constructor := map[string]string{
			spec.InputDomain:      "DomainCall",
			spec.InputNetwork:     "NetworkCall",
			spec.InputNetworkPort: "NetworkPortCall",
			spec.InputNone:        "BareCall",
		}[o.InputAt("")]

		text := name + " is a call of " + o.ID() + ": " + o.Summary + "."
		var params []jen.Code
		extra := jen.Lit("-")
		if x := o.Extra; x != nil && x.Enum != "" {
			params = append(params, jen.Id(paramName(x.Name)).Qual(g.path, g.spec.Enum(x.Enum).GoName()))
			extra = jen.String().Call(jen.Id(paramName(x.Name)))
			text += " An empty " + x.Name + " is that of libvirt before " + string(x.Since) + "."
		} else if x != nil {
			extra = jen.Lit(x.Const)
		}
		args := []jen.Code{jen.Lit(o.Driver.Name), jen.Lit(o.Op), jen.Lit(o.SubOp), extra}
		if documents := g.documents(o); len(documents) > 0 {
			params = append(params, jen.Id("edits").Op("...").Func().Params(documents...))
			args = append(args, jen.Id("edits").Op("..."))
			text += " The edits are made to its XML."
		}
		comment(f, text)
		f.Func().Id(name).Params(params...).Qual(hooktestPath, "Call").Block(
			jen.Return(jen.Qual(hooktestPath, constructor).Call(args...)),
		)
	}
	return render(f)
}

// documents are the types of what the operation's input decodes to.
func (g *generator) documents(o *spec.Op) (types []jen.Code) {
	for _, x := range g.fields(o) {
		if o.Extra == nil || x.name != spec.GoName(o.Extra.Name) {
			types = append(types, x.typ)
		}
	}
	return types
}
