package codec

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
)

// encode renders the function that writes the element of a value of that type.
func (p *pass) encode(file *jen.File, name string) {
	t := p.structs[name]
	fn := lower(name)
	own := part{"v", t}
	c := t.Custom
	if c == nil {
		p.encoder(file, fn, name, p.write(own)...)
		return
	}
	if c.Around == both {
		fn += "Element"
	}
	switch c.Kind {
	case "":
		p.encoder(file, fn, name, p.write(own)...)
	case chooses:
		p.choice(file, t)
		lead := jen.If(jen.Id("typ").Op(":=").Id(lower(name)+"Choice").Call(jen.Id("v")), jen.Id("typ").Op("!=").Lit("")).
			Block(jen.Id("e").Dot("lead").Call(jen.Lit(c.Attr), jen.Id("typ")))
		if c.Tagged || c.Around == both {
			p.encoder(file, fn, name, p.write(own)...)
			return
		}
		p.encoder(file, fn, name, append([]jen.Code{lead}, p.write(own)...)...)
	case delegates, wraps:
		p.encodeUnion(file, fn, t)
	case selects:
		p.encodeSelection(file, fn, t)
	case embeds:
		p.encodeEmbedding(file, fn, t)
	case chardev:
		p.encoder(file, fn, name,
			jen.Id("src").Op(":=").Add(qual("DomainChardevSource")).Call(jen.Op("*").Id("v")),
			jen.Id("e").Dot("chardevSource").Call(jen.Id("name"), jen.Op("&").Id("src")))
	case leaf:
		p.encodeLeaf(file, fn, t)
	}
}

func (p *pass) encoder(file *jen.File, fn, typ string, body ...jen.Code) {
	file.Func().Params(jen.Id("e").Op("*").Id("encoder")).Id(fn).
		Params(jen.Id("name").String(), jen.Id("v").Op("*").Add(qual(typ))).Block(body...)
	file.Line()
}

// write writes an element with the fields of parts.
func (p *pass) write(parts ...part) []jen.Code {
	open := jen.Id("e").Dot("open").Call(jen.Id("name"))
	if t := parts[len(parts)-1].t; t.Elem != nil && t.Elem.Space != "" {
		open = jen.Id("e").Dot("openSpace").Call(jen.Id("name"), jen.Lit(t.Elem.Space))
	}
	out := []jen.Code{open}
	for _, pt := range parts {
		for _, f := range pt.t.Fields {
			if f.Mode == attr {
				out = append(out, writeScalar("attr", f, pt.path(f), jen.Lit(f.Name.Local)))
			}
		}
	}
	out = append(out, jen.Id("e").Dot("endStart").Call())
	for _, pt := range parts {
		for _, f := range pt.t.Fields {
			if f.Mode != attr {
				out = append(out, p.writeContent(pt, f))
			}
		}
	}
	return append(out, jen.Id("e").Dot("close").Call(jen.Id("name")))
}

// writeScalar calls the encoder's method for where a value stands and its type.
func writeScalar(where string, f field, path *jen.Statement, args ...jen.Code) jen.Code {
	value := path.Clone()
	if f.Ptr {
		value = jen.Op("*").Add(path.Clone())
	}
	fn := where + f.Scalar.title()
	switch f.Scalar {
	case "uint":
		fn, value = where+"Uint64", jen.Uint64().Call(value)
	case "int":
		fn, value = where+"Int64", jen.Int64().Call(value)
	}
	call := jen.Id("e").Dot(fn).Call(append(args, value)...)
	switch {
	case f.Ptr:
		return jen.If(path.Clone().Op("!=").Nil()).Block(call)
	case f.OmitEmpty && f.Scalar == "string":
		return jen.If(path.Clone().Op("!=").Lit("")).Block(call)
	case f.OmitEmpty:
		return jen.If(path.Clone().Op("!=").Lit(0)).Block(call)
	}
	return call
}

// writeContent writes a child element or text.
func (p *pass) writeContent(pt part, f field) jen.Code {
	path := pt.path(f)
	name := jen.Lit(f.Name.Local)
	switch f.Mode {
	case chardata:
		return writeScalar("text", f, path)
	case cdata:
		return writeScalar("cdata", f, path)
	case innerxml:
		return jen.Id("e").Dot("raw").Call(path)
	}
	switch {
	case f.Struct == "" && f.Slice:
		one := f
		one.Slice = false
		return jen.For(jen.List(jen.Id("_"), jen.Id("value")).Op(":=").Range().Add(path)).
			Block(writeScalar("element", one, jen.Id("value"), name))
	case f.Struct == "":
		return writeScalar("element", f, path, name)
	case f.Slice:
		return jen.For(jen.Id("i").Op(":=").Range().Add(path.Clone())).
			Block(jen.Id("e").Dot(p.call(f.Struct)).Call(name, jen.Op("&").Add(path).Index(jen.Id("i"))))
	case f.Ptr:
		return jen.If(path.Clone().Op("!=").Nil()).
			Block(jen.Id("e").Dot(p.call(f.Struct)).Call(name, path))
	}
	return jen.Id("e").Dot(p.call(f.Struct)).Call(name, jen.Op("&").Add(path))
}

// choice renders the function that names the variant a type has chosen.
func (p *pass) choice(file *jen.File, t *structure) {
	c := t.Custom
	if c.Tagged {
		return
	}
	f, _ := t.field(c.Field)
	u := p.structs[f.Struct]
	path := jen.Id("v").Dot(c.Field)
	var cases []jen.Code
	for _, v := range u.Custom.Variants {
		if !slices.Contains(c.Except, v.Value) {
			cases = append(cases, jen.Case(path.Clone().Dot(v.Field).Op("!=").Nil()).Block(jen.Return(jen.Lit(v.Value))))
		}
	}
	file.Comment("// " + lower(t.Name) + "Choice names the variant of " + c.Field + ", \"\" when there is none or it has no name.")
	out := []jen.Code{
		jen.Switch().Block(append([]jen.Code{jen.Case(path.Clone().Op("==").Nil()).Block(jen.Return(jen.Lit("")))}, cases...)...),
		jen.Return(jen.Lit("")),
	}
	if u.Name == "DomainChardevSource" {
		out = []jen.Code{jen.Return(jen.Id("chardevChoice").Call(path))}
	}
	file.Func().Id(lower(t.Name) + "Choice").Params(jen.Id("v").Op("*").Add(qual(t.Name))).String().Block(out...)
	file.Line()
}

// encodeUnion writes the variant that is there.
func (p *pass) encodeUnion(file *jen.File, fn string, t *structure) {
	var cases []jen.Code
	for _, v := range t.Custom.Variants {
		var body jen.Code
		switch {
		case v.Mute:
			body = jen.Comment("Has no element.")
		case v.Flat:
			body = jen.Id("e").Dot("flat"+v.Field).Call(jen.Id("name"), jen.Id("v").Dot(v.Field))
		case v.Nested != "":
			inner := jen.Id("v").Dot(v.Field).Dot(v.Nested)
			body = jen.If(inner.Clone().Op("!=").Nil()).Block(
				jen.Id("e").Dot("lead").Call(jen.Lit("type"), jen.Lit(v.NestedValue)),
				jen.Id("e").Dot(p.encodeWith(file, fn, t, v)).Call(jen.Id("name"), jen.Id("v"), inner))
		case t.Custom.Kind == wraps && p.structs[t.hidden(v)].Custom == nil:
			body = jen.Id("e").Dot(p.encodeWith(file, fn, t, v)).Call(jen.Id("name"), jen.Id("v"), jen.Id("v").Dot(v.Field))
		default:
			body = jen.Id("e").Dot(p.call(t.hidden(v))).Call(jen.Id("name"), jen.Id("v").Dot(v.Field))
		}
		if cond := p.condition(t, v); cond != nil {
			body = jen.If(cond).Block(body)
		}
		cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(body))
	}
	p.encoder(file, fn, t.Name, jen.Switch().Block(cases...), jen.Id("e").Dot("drop").Call())
	if t.Name == "DomainChardevSource" {
		p.encodeChardev(file, t)
	}
}

// encodeChardev renders the function that names the type of a chardev source.
func (p *pass) encodeChardev(file *jen.File, t *structure) {
	cases := []jen.Code{jen.Case(jen.Id("v").Op("==").Nil()).Block(jen.Return(jen.Lit("")))}
	for _, v := range t.Custom.Variants {
		cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(jen.Return(jen.Lit(v.Value))))
	}
	file.Comment("// chardevChoice names the type of a source, \"\" when it has none.")
	file.Func().Id("chardevChoice").Params(jen.Id("v").Op("*").Add(qual(t.Name))).String().Block(
		jen.Switch().Block(cases...), jen.Return(jen.Lit("")))
	file.Line()
}

// condition says when a variant's element is written at all.
func (p *pass) condition(t *structure, v variant) jen.Code {
	fields, op := v.IfAny, "||"
	if len(v.IfAll) > 0 {
		fields, op = v.IfAll, "&&"
	}
	var cond *jen.Statement
	for _, name := range fields {
		owner, path := p.structs[t.hidden(v)], jen.Id("v").Dot(v.Field)
		if own, ok := strings.CutPrefix(name, "."); ok {
			owner, path, name = t, jen.Id("v"), own
		}
		f, ok := owner.field(name)
		var c *jen.Statement
		switch path = path.Dot(name); {
		case !ok:
			panic("table: " + t.Name + ": no field " + name)
		case f.Slice:
			c = jen.Len(path).Op(">").Lit(0)
		case f.Ptr:
			c = path.Op("!=").Nil()
		default:
			c = path.Op("!=").Lit("")
		}
		if cond == nil {
			cond = c
		} else {
			cond = cond.Op(op).Add(c)
		}
	}
	if cond == nil {
		return nil
	}
	return cond
}

// encodeWith renders the function that writes a variant and the fields of its
// union into one element, and returns its name.
func (p *pass) encodeWith(file *jen.File, fn string, t *structure, v variant) string {
	x := t.hidden(v)
	if v.Nested != "" {
		x = p.nested(t, v)
	}
	name := fn + "With" + v.Field
	file.Func().Params(jen.Id("e").Op("*").Id("encoder")).Id(name).
		Params(jen.Id("name").String(), jen.Id("v").Op("*").Add(qual(t.Name)), jen.Id("x").Op("*").Add(qual(x))).
		Block(p.write(part{"x", p.structs[x]}, part{"v", t})...)
	file.Line()
	return name
}

// leads writes the discriminators of a variant.
func leads(c *custom, v variant) []jen.Code {
	if c.Tagged || v.Value == "" {
		return nil
	}
	first, second, _ := strings.Cut(v.Value, " ")
	out := []jen.Code{jen.Id("e").Dot("lead").Call(jen.Lit(c.Attr), jen.Lit(first))}
	if c.Second != "" {
		out = append(out, jen.Id("e").Dot("lead").Call(jen.Lit(c.Second), jen.Lit(second)))
	}
	return out
}

// encodeSelection writes the variant that is there, with its discriminator.
func (p *pass) encodeSelection(file *jen.File, fn string, t *structure) {
	c := t.Custom
	var out, cases []jen.Code
	for _, i := range c.Attrs {
		f, _ := t.item(i)
		value := jen.Uint64().Call(jen.Id("v").Dot(f.Go))
		call := "leadUint64"
		if f.Scalar == "int" {
			value, call = jen.Int64().Call(jen.Id("v").Dot(f.Go)), "leadInt64"
		}
		out = append(out, jen.If(jen.Id("v").Dot(f.Go).Op("!=").Lit(0)).
			Block(jen.Id("e").Dot(call).Call(jen.Lit(i.Name), value)))
	}
	for _, v := range c.Variants {
		if v.Field == "" {
			cases = append(cases, jen.Default().Block(append(leads(c, v),
				jen.Id("e").Dot("empty").Call(jen.Id("name")))...))
			continue
		}
		cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(append(leads(c, v),
			jen.Id("e").Dot(p.call(t.hidden(v))).Call(jen.Id("name"), jen.Id("v").Dot(v.Field)))...))
	}
	out = append(out, jen.Switch().Block(cases...), jen.Id("e").Dot("drop").Call())
	p.encoder(file, fn, t.Name, out...)
}

// encodeEmbedding writes the variant that is there together with the union.
func (p *pass) encodeEmbedding(file *jen.File, fn string, t *structure) {
	c := t.Custom
	var cases []jen.Code
	for _, v := range c.Variants {
		with := p.encodeWith(file, fn, t, v)
		x := jen.Id("v").Dot(v.Field)
		if c.Tagged {
			cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(
				jen.Id("e").Dot(with).Call(jen.Id("name"), jen.Id("v"), jen.Id("orZero").Call(x))))
			continue
		}
		cases = append(cases, jen.Case(x.Clone().Op("!=").Nil()).Block(append(leads(c, v),
			jen.Id("e").Dot(with).Call(jen.Id("name"), jen.Id("v"), x))...))
	}
	if c.Plain {
		cases = append(cases, jen.Default().Block(p.write(part{"v", t})...))
	}
	on := jen.Switch()
	if c.Tagged {
		on = jen.Switch(jen.Id("v").Dot(t.tag().Go))
	}
	p.encoder(file, fn, t.Name, on.Block(cases...))
}

// encodeLeaf writes what the custom methods list one by one.
func (p *pass) encodeLeaf(file *jen.File, fn string, t *structure) {
	c := t.Custom
	out := []jen.Code{jen.Id("e").Dot("open").Call(jen.Id("name"))}
	for _, i := range c.Attrs {
		out = append(out, p.writeItem("attr", t, i))
	}
	out = append(out, jen.Id("e").Dot("endStart").Call())
	for _, i := range c.Children {
		out = append(out, p.writeItem("leaf", t, i))
	}
	out = append(out, jen.Id("e").Dot("close").Call(jen.Id("name")))
	p.encoder(file, fn, t.Name, out...)
}

func (p *pass) writeItem(where string, t *structure, i item) jen.Code {
	f, _ := t.item(i)
	path := jen.Id("v").Dot(f.Go)
	name := jen.Lit(i.Name)
	if i.Struct {
		return jen.If(path.Clone().Op("!=").Nil()).Block(jen.Id("e").Dot(p.call(f.Struct)).Call(name, path))
	}
	if f.Scalar == "string" {
		call := jen.Id("e").Dot(where+"String").Call(name, path.Clone())
		if i.Always {
			return call
		}
		return jen.If(path.Clone().Op("!=").Lit("")).Block(call)
	}
	value := jen.Uint64().Call(jen.Op("*").Add(path.Clone()))
	if f.Scalar == "uint64" {
		value = jen.Op("*").Add(path.Clone())
	}
	call := jen.Id("e").Dot(where+"Uint64").Call(name, value)
	if hex, digits := scalarFormat(i.Format); hex {
		call = jen.Id("e").Dot(where+"Hex").Call(name, value, jen.Lit(digits))
	}
	return jen.If(path.Clone().Op("!=").Nil()).Block(call)
}

// tag is the field that is the discriminator of a Tagged type.
func (t *structure) tag() field {
	i := slices.IndexFunc(t.Fields, func(f field) bool { return f.Mode == attr && f.Name.Local == t.Custom.Attr })
	return t.Fields[i]
}
