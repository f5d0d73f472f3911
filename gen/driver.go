package gen

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/virthook/virthook/spec"
)

// driver renders a driver's operations: for each its facts for the runtime, its
// event type and its handler function.
func (g *generator) driver(d *spec.Driver) ([]byte, error) {
	f := g.file(g.path, g.pkg, d.Name+".yaml")
	for _, o := range d.Ops {
		g.facts(f, o)
		g.event(f, o)
		g.on(f, o)
	}
	return render(f)
}

// factsVar is the variable that holds what the runtime knows of the operation.
func factsVar(o *spec.Op) string { return "op" + o.GoName() }

func (g *generator) facts(f *jen.File, o *spec.Op) {
	fields := []jen.Code{
		jen.Id("Driver").Op(":").Lit(o.Driver.Name),
		jen.Id("Op").Op(":").Lit(o.Op),
		jen.Id("SubOp").Op(":").Lit(o.SubOp),
	}
	inputs := map[string]string{
		spec.InputDomain:      "Domain",
		spec.InputNetwork:     "Network",
		spec.InputNetworkPort: "NetworkPort",
	}
	if name, ok := inputs[o.InputAt("")]; ok {
		fields = append(fields, jen.Id("Input").Op(":").Qual(hookimplPath, name))
	}
	set := func(name string, on bool) {
		if on {
			fields = append(fields, jen.Id(name).Op(":").True())
		}
	}
	set("Filter", o.Filters())
	if o.ABICheck != "" {
		fields = append(fields, jen.Id("ABICheck").Op(":").Qual(hookimplPath, "ABI"+spec.GoName(o.ABICheck)))
	}
	set("EmptyInput", o.InputAt("") != spec.InputNone &&
		slices.ContainsFunc(o.Input, func(in spec.Input) bool { return in.Kind == spec.InputNone }))
	set("FailureIgnored", o.FailureIgnored())
	set("FaultPasses", o.Fault == "pass")
	f.Var().Id(factsVar(o)).Op("=").Qual(hookimplPath, "Op").Values(fields...)
}

// field is a part of the operation's payload: of its event type, and an argument
// of its plain handler.
type field struct {
	name  string
	typ   *jen.Statement
	value *jen.Statement // in HookNew, from c and doc
}

func (g *generator) fields(o *spec.Op) []field {
	document := func(name string) field {
		return field{name, jen.Op("*").Qual(libvirtxmlPath, name), jen.Id("doc").Dot(name)}
	}
	var fs []field
	switch o.InputAt("") {
	case spec.InputDomain:
		fs = append(fs, document("Domain"))
	case spec.InputNetwork:
		fs = append(fs, document("Network"))
	case spec.InputNetworkPort:
		fs = append(fs, document("Network"), document("NetworkPort"))
	}
	if x := o.Extra; x != nil && x.Enum != "" {
		typ := g.spec.Enum(x.Enum).GoName()
		fs = append(fs, field{
			name:  spec.GoName(x.Name),
			typ:   jen.Qual(g.path, typ),
			value: jen.Qual(g.path, typ).Call(jen.Qual(hookimplPath, "Word").Call(jen.Id("c").Dot("Extra"))),
		})
	}
	return fs
}

func (g *generator) event(f *jen.File, o *spec.Op) {
	name := o.GoName()
	fields := g.fields(o)

	comment(f, name+" is the event of [On"+name+"]: "+o.Summary+".")
	f.Type().Id(name).StructFunc(func(s *jen.Group) {
		s.Op("*").Qual(sdkPath, "Call")
		if o.Filters() {
			s.Qual(sdkPath, "Filter")
		}
		for _, x := range fields {
			s.Id(x.name).Add(x.typ)
		}
	})
	receiver := jen.Op("*").Id(name)
	if o.InputAt("") == spec.InputDomain {
		comment(f, "Guest returns e.Domain.")
		f.Func().Params(jen.Id("e").Add(receiver)).Id("Guest").Params().Op("*").Qual(libvirtxmlPath, "Domain").
			Block(jen.Return(jen.Id("e").Dot("Domain")))
	}
	comment(f, "HookOp serves package sdk.")
	f.Func().Params(receiver).Id("HookOp").Params().Op("*").Qual(hookimplPath, "Op").
		Block(jen.Return(jen.Op("&").Id(factsVar(o))))

	comment(f, "HookNew serves package sdk.")
	doc := "doc"
	if o.InputAt("") == spec.InputNone {
		doc = "_"
	}
	f.Func().Params(receiver).Id("HookNew").
		Params(jen.Id("c").Op("*").Qual(sdkPath, "Call"), jen.Id(doc).Qual(hookimplPath, "Document")).
		Qual(sdkPath, "Event").
		Block(jen.Return(jen.Op("&").Id(name).ValuesFunc(func(v *jen.Group) {
			v.Id("Call").Op(":").Id("c")
			for _, x := range fields {
				v.Id(x.name).Op(":").Add(x.value)
			}
		})))
}

// on renders the operation's plain handler function, which is sugar for sdk.On.
func (g *generator) on(f *jen.File, o *spec.Op) {
	name := "On" + o.GoName()
	comment(f, g.handlerComment(name, o)...)

	fields := g.fields(o)
	var params, args []jen.Code
	for _, x := range fields {
		params = append(params, x.typ)
		args = append(args, jen.Id("e").Dot(x.name))
	}
	results := []jen.Code{jen.Error()}
	body := []jen.Code{jen.Return(jen.Id("h").Call(args...))}
	if o.Filters() {
		results = []jen.Code{jen.Op("*").Qual(libvirtxmlPath, "Domain"), jen.Error()}
		body = []jen.Code{
			jen.Var().Err().Error(),
			jen.List(jen.Id("e").Dot("Domain"), jen.Err()).Op("=").Id("h").Call(args...),
			jen.Return(jen.Err()),
		}
	}
	event := jen.Id("e")
	if len(fields) == 0 {
		event = jen.Id("_")
	}
	f.Func().Id(name).
		Params(jen.Id("h").Func().Params(params...).Params(results...)).
		Qual(sdkPath, "Option").
		Block(
			jen.Qual(hookimplPath, "NonNil").Call(jen.Lit(g.pkg+"."+name), jen.Id("h").Op("==").Nil()),
			jen.Return(jen.Qual(sdkPath, "On").Call(
				jen.Func().Params(jen.Id("_").Qual("context", "Context"), event.Op("*").Id(o.GoName())).Error().Block(body...),
			)),
		)
}
