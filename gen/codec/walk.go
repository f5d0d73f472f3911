package codec

import (
	"fmt"
	"slices"

	"github.com/dave/jennifer/jen"
)

// walk renders the function that goes over an element of the original document
// with what it was decoded into, o, and what it is to be, v.
func (p *pass) walk(file *jen.File, name string) {
	t := p.structs[name]
	fn := lower(name)
	own := pair{"o", "v", t}
	c := t.Custom
	if c == nil {
		p.walker(file, fn, name, p.compare(own)...)
		return
	}
	if c.Around == both {
		fn += "Element"
	}
	switch c.Kind {
	case "":
		p.walker(file, fn, name, p.compare(own)...)
	case chooses:
		var out []jen.Code
		if !c.Tagged && c.Around != both {
			choice := lower(name) + "Choice"
			out = append(out, jen.Id("w").Dot("choice").Call(jen.Lit(c.Attr),
				jen.Id(choice).Call(jen.Id("o")), jen.Id(choice).Call(jen.Id("v"))))
		}
		p.walker(file, fn, name, append(out, p.compare(own)...)...)
	case delegates, wraps:
		p.walkUnion(file, fn, t, nil)
	case selects:
		var out []jen.Code
		for _, i := range c.Attrs {
			f, _ := t.item(i)
			out = append(out, walkAttr(i.Name, f, own))
		}
		p.walkUnion(file, fn, t, append(out, p.discriminate(file, t)...))
	case embeds:
		var out []jen.Code
		if !c.Tagged {
			out = p.discriminate(file, t)
		}
		p.walkUnion(file, fn, t, out)
	case chardev:
		src := func(id string) jen.Code {
			return jen.Params(jen.Op("*").Add(qual("DomainChardevSource"))).Params(jen.Id(id))
		}
		p.walker(file, fn, name, jen.Id("w").Dot("chardevSource").Call(src("o"), src("v")))
	case leaf:
		p.walkLeaf(file, fn, t)
	}
}

// pair is a part of an element as it was and as it is to be.
type pair struct {
	old, new string
	t        *structure
}

func (p *pass) walker(file *jen.File, fn, typ string, body ...jen.Code) {
	file.Func().Params(jen.Id("w").Op("*").Id("walker")).Id(fn).
		Params(jen.List(jen.Id("o"), jen.Id("v")).Op("*").Add(qual(typ))).Block(body...)
	file.Line()
}

// compare compares attributes and content of an element.
func (p *pass) compare(pairs ...pair) []jen.Code {
	var out []jen.Code
	for _, pr := range pairs {
		for _, f := range pr.t.Fields {
			if f.Mode == attr {
				out = append(out, walkAttr(f.Name.Local, f, pr))
			}
		}
	}
	return append(out, p.compareContent(pairs)...)
}

// scalarCall calls a generic function of the walk for a field that is no struct:
// for a pointer, or for a value which, when empty, is omitted or kept.
func scalarCall(where string, f field, args ...jen.Code) jen.Code {
	args = append([]jen.Code{jen.Id("w")}, args...)
	switch {
	case f.Ptr:
		return jen.Id(where + "Ptr").Call(args...)
	case f.OmitEmpty:
		return jen.Id(where).Call(append(args, jen.Id("omit"))...)
	}
	return jen.Id(where).Call(append(args, jen.Id("keep"))...)
}

func walkAttr(name string, f field, pr pair) jen.Code {
	return scalarCall("attr", f, jen.Lit(name), jen.Id(pr.old).Dot(f.Go), jen.Id(pr.new).Dot(f.Go))
}

// compareContent goes over the children. What the original may lack although its
// value is not nil has a bit in seen.
func (p *pass) compareContent(pairs []pair) []jen.Code {
	var before, cases, after []jen.Code
	next := jen.Id("w").Dot("child").Call()
	spaced := map[string][]jen.Code{}
	at := map[string]int{}
	bits := 0
	for _, pr := range pairs {
		var chosen []string // fields that are not nil although the element may be missing
		if c := pr.t.Custom; c != nil {
			chosen = append(c.Made, c.Field)
		}
		for _, f := range pr.t.Fields {
			old, now := jen.Id(pr.old).Dot(f.Go), jen.Id(pr.new).Dot(f.Go)
			name := jen.Lit(f.Name.Local)
			var body []jen.Code
			switch f.Mode {
			case attr:
				continue
			case chardata, cdata:
				before = append(before, jen.Var().Id("text").Id("text"))
				next = jen.Id("w").Dot("childOrText").Call(jen.Op("&").Id("text"))
				after = append(after, scalarCall("content", f, jen.Op("&").Id("text"), old, now))
				continue
			case innerxml:
				return []jen.Code{jen.Id("w").Dot("inner").Call(old, now)}
			}
			encode := jen.Nil()
			if f.Struct != "" {
				encode = jen.Params(jen.Op("*").Id("encoder")).Dot(p.call(f.Struct))
			}
			switch {
			case f.Slice:
				list := lower(f.Go)
				if list == "type" || list == "range" || list == "map" {
					list += "s"
				}
				if f.Struct == "" {
					encode = jen.Id("encode" + f.Scalar.title())
				}
				before = append(before, jen.Id(list).Op(":=").Id("align").Call(jen.Id("w"), name, old.Clone(), now.Clone(), encode))
				var visit jen.Code
				if f.Struct != "" {
					visit = jen.Id("w").Dot(lower(f.Struct)).Call(
						jen.Op("&").Add(old.Clone()).Index(jen.Id("i")), jen.Op("&").Add(now.Clone()).Index(jen.Id("j")))
				} else {
					visit = jen.Id("leaf").Call(jen.Id("w"),
						old.Clone().Index(jen.Id("i")), now.Clone().Index(jen.Id("j")), jen.Id("keep"))
				}
				body = []jen.Code{jen.If(jen.List(jen.Id("i"), jen.Id("j")).Op(":=").Id(list).Dot("next").Call(jen.Id("w")), jen.Id("j").Op(">=").Lit(0)).Block(visit)}
				after = append(after, jen.Id(list).Dot("finish").Call(jen.Id("w")))
			case f.Struct == "":
				bit := jen.Lit(1).Op("<<").Lit(bits)
				bits++
				body = []jen.Code{
					jen.Id("seen").Op("|=").Add(bit),
					scalarCall("leaf", f, old.Clone(), now.Clone()),
				}
				after = append(after, jen.If(jen.Id("seen").Op("&").Params(bit.Clone()).Op("==").Lit(0)).Block(
					scalarCall("absent", f, name, old.Clone(), now.Clone())))
			case !f.Ptr || slices.Contains(chosen, f.Go):
				bit := jen.Lit(1).Op("<<").Lit(bits)
				bits++
				ref := func(s *jen.Statement) jen.Code {
					if f.Ptr {
						return s.Clone()
					}
					return jen.Op("&").Add(s.Clone())
				}
				visit := jen.Code(jen.Id("w").Dot(lower(f.Struct)).Call(ref(old), ref(now)))
				if f.Ptr {
					visit = jen.If(stays(jen.Id("w"), old.Clone(), now.Clone(), encode)).Block(visit)
				}
				body = []jen.Code{jen.Id("seen").Op("|=").Add(bit), visit}
				after = append(after, jen.If(jen.Id("seen").Op("&").Params(bit.Clone()).Op("==").Lit(0)).Block(
					jen.Id("appeared").Call(jen.Id("w"), name, ref(old), ref(now), encode)))
			default:
				body = []jen.Code{jen.If(stays(jen.Id("w"), old.Clone(), now.Clone(), encode)).Block(
					jen.Id("w").Dot(lower(f.Struct)).Call(old.Clone(), now.Clone()))}
				after = append(after, jen.If(old.Clone().Op("==").Nil()).Block(
					jen.Id("appeared").Call(jen.Id("w"), name, old.Clone(), now.Clone(), encode)))
			}
			if f.Name.Space == "" {
				cases = append(cases, jen.Case(name).Block(body...))
				continue
			}
			if _, ok := at[f.Name.Local]; !ok {
				at[f.Name.Local] = len(cases)
				cases = append(cases, nil)
			}
			spaced[f.Name.Local] = append(spaced[f.Name.Local], jen.Case(jen.Lit(f.Name.Space)).Block(body...))
		}
	}
	if bits > 64 {
		panic(fmt.Sprintf("%s has more than 64 children", pairs[0].t.Name))
	}
	other := jen.Default().Block(jen.Id("w").Dot("other").Call())
	for _, n := range sortedKeys(at) {
		cases[at[n]] = jen.Case(jen.Lit(n)).Block(jen.Switch(jen.Id("w").Dot("space").Call()).Block(append(spaced[n], other)...))
	}
	if bits > 0 {
		before = append([]jen.Code{jen.Var().Id("seen").Uint64()}, before...)
	}
	loop := jen.For(next).Block(jen.Switch(jen.Id("w").Dot("name").Call()).Block(append(cases, other)...))
	if len(cases) == 0 {
		loop = jen.For(next).Block(jen.Id("w").Dot("other").Call())
		if len(after) == 0 {
			loop = jen.Id("w").Dot("noContent").Call()
		}
	}
	if len(cases) == 0 && len(after) == 0 {
		return []jen.Code{loop}
	}
	return slices.Concat(before, []jen.Code{loop}, after, []jen.Code{jen.Id("w").Dot("leave").Call()})
}

// stays is the condition that an element which is there was decoded and is to stay.
func stays(args ...jen.Code) jen.Code { return jen.Id("stays").Call(args...) }

// discriminate compares the attributes that say which variant it is.
func (p *pass) discriminate(file *jen.File, t *structure) []jen.Code {
	c := t.Custom
	fn := lower(t.Name) + "Choice"
	var cases []jen.Code
	none := jen.Lit("")
	for _, v := range c.Variants {
		if v.Field == "" {
			none = jen.Lit(v.Value)
			continue
		}
		cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(jen.Return(jen.Lit(v.Value))))
	}
	file.Comment("// " + fn + " names the variant.")
	file.Func().Id(fn).Params(jen.Id("v").Op("*").Add(qual(t.Name))).String().Block(
		jen.Switch().Block(cases...), jen.Return(none))
	file.Line()
	call := func(id string) jen.Code { return jen.Id(fn).Call(jen.Id(id)) }
	if c.Second != "" {
		return []jen.Code{jen.Id("w").Dot("choices").Call(jen.Lit(c.Attr), jen.Lit(c.Second), call("o"), call("v"))}
	}
	return []jen.Code{jen.Id("w").Dot("choice").Call(jen.Lit(c.Attr), call("o"), call("v"))}
}

// walkUnion compares as the variant that it is to be. What only the variant that
// it was knows goes.
func (p *pass) walkUnion(file *jen.File, fn string, t *structure, before []jen.Code) {
	c := t.Custom
	p.names(file, t)
	var cases []jen.Code
	for _, v := range c.Variants {
		if v.Field == "" {
			continue
		}
		old, now := jen.Id("o").Dot(v.Field), jen.Id("v").Dot(v.Field)
		x := t.hidden(v)
		was := jen.Code(jen.Id("orZero").Call(old.Clone()))
		var body []jen.Code
		switch {
		case v.Mute:
			body = []jen.Code{
				jen.If(old.Clone().Op("==").Nil()).Block(jen.Id("w").Dot("removed").Call(), jen.Return()),
				jen.Id("w").Dot("skip").Call(),
			}
			cases = append(cases, jen.Case(now.Clone().Op("!=").Nil()).Block(body...))
			continue
		case v.Flat:
			body = []jen.Code{jen.Id("w").Dot("flat"+v.Field).Call(was, now)}
		case v.Nested != "":
			x = p.nested(t, v)
			inner := jen.Id("orZero").Call(old.Clone()).Dot(v.Nested)
			body = []jen.Code{
				jen.If(now.Clone().Dot(v.Nested).Op("==").Nil()).Block(jen.Id("w").Dot("removed").Call(), jen.Return()),
				jen.Id("w").Dot("choice").Call(jen.Lit("type"),
					jen.Id("given").Call(inner.Clone().Op("!=").Nil(), jen.Lit(v.NestedValue)), jen.Lit(v.NestedValue)),
				jen.Id("w").Dot(p.walkWith(file, fn, t, v, x)).Call(jen.Id("o"), jen.Id("v"), jen.Id("orZero").Call(inner.Clone()), now.Clone().Dot(v.Nested)),
			}
		case (c.Kind == wraps || c.Kind == embeds) && p.structs[x].Custom == nil:
			is := jen.Code(now)
			if c.Tagged {
				is = jen.Id("orZero").Call(now)
			}
			body = []jen.Code{jen.Id("w").Dot(p.walkWith(file, fn, t, v, x)).Call(jen.Id("o"), jen.Id("v"), was, is)}
		default:
			body = []jen.Code{jen.Id("w").Dot(p.call(x)).Call(was, now)}
		}
		retire := jen.If(old.Clone().Op("==").Nil()).Block(
			jen.Id("w").Dot("retire").Call(jen.Id(lower(t.Name) + "Names").Call(jen.Id("o")).Op("...")))
		is := now.Clone().Op("!=").Nil()
		if c.Tagged {
			is = jen.Lit(v.Value)
		}
		cases = append(cases, jen.Case(is).Block(append([]jen.Code{retire}, body...)...))
	}
	var gone []jen.Code
	var was *jen.Statement // o has a variant
	for _, v := range c.Variants {
		if v.Field == "" {
			continue
		}
		one := jen.Id("o").Dot(v.Field).Op("!=").Nil()
		if was == nil {
			was = one
		} else {
			was = was.Op("||").Add(one)
		}
	}
	retireAll := jen.If(was.Clone()).Block(
		jen.Id("w").Dot("retire").Call(jen.Id(lower(t.Name) + "Names").Call(jen.Id("o")).Op("...")))
	switch {
	case c.Plain:
		gone = append([]jen.Code{retireAll}, p.compare(pair{"o", "v", t})...)
	case slices.ContainsFunc(c.Variants, func(v variant) bool { return v.Field == "" }):
		gone = []jen.Code{retireAll, jen.Id("w").Dot("noContent").Call()}
	default:
		// Without a variant there is no element.
		gone = []jen.Code{
			jen.If(was).Block(jen.Id("w").Dot("removed").Call(), jen.Return()),
			jen.Id("w").Dot("noContent").Call(),
		}
	}
	cases = append(cases, jen.Default().Block(gone...))
	on := jen.Switch()
	if c.Tagged {
		on = jen.Switch(jen.Id("v").Dot(t.tag().Go))
	}
	p.walker(file, fn, t.Name, append(before, on.Block(cases...))...)
}

// tag is the field that is the discriminator of a Tagged type.
func (t *structure) tag() field {
	i := slices.IndexFunc(t.Fields, func(f field) bool { return f.Mode == attr && f.Name.Local == t.Custom.Attr })
	return t.Fields[i]
}

// walkWith renders the function that compares a variant and the fields of its
// union, and returns its name.
func (p *pass) walkWith(file *jen.File, fn string, t *structure, v variant, x string) string {
	name := fn + "With" + v.Field
	file.Func().Params(jen.Id("w").Op("*").Id("walker")).Id(name).
		Params(jen.List(jen.Id("o"), jen.Id("v")).Op("*").Add(qual(t.Name)), jen.List(jen.Id("p"), jen.Id("x")).Op("*").Add(qual(x))).
		Block(p.compare(pair{"p", "x", p.structs[x]}, pair{"o", "v", t})...)
	file.Line()
	return name
}

// names renders the function that lists the attributes and children of the variant
// that a union is.
func (p *pass) names(file *jen.File, t *structure) {
	var cases []jen.Code
	for _, v := range t.Custom.Variants {
		if v.Field == "" {
			continue
		}
		x := p.structs[t.hidden(v)]
		if v.Nested != "" {
			x = p.structs[p.nested(t, v)]
		}
		var list []jen.Code
		for _, f := range x.Fields {
			byTags := x.Custom == nil || x.Custom.Kind == chooses || x.Custom.Kind == ""
			if byTags && (f.Mode == attr || f.Mode == element) {
				list = append(list, jen.Lit(f.Name.Local))
			}
		}
		if x.Custom != nil {
			if x.Custom.Attr != "" && x.Custom.Attr != t.Custom.Attr {
				list = append(list, jen.Lit(x.Custom.Attr))
			}
			for _, i := range slices.Concat(x.Custom.Attrs, x.Custom.Children) {
				list = append(list, jen.Lit(i.Name))
			}
		}
		if v.Flat {
			list = []jen.Code{jen.Lit("mode"), jen.Lit("host"), jen.Lit("service")}
		}
		if len(list) > 0 {
			cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(
				jen.Return(jen.Index().String().Values(list...))))
		}
	}
	fn := lower(t.Name) + "Names"
	file.Comment("// " + fn + " lists what only the variant has that it is.")
	file.Func().Id(fn).Params(jen.Id("v").Op("*").Add(qual(t.Name))).Index().String().Block(
		jen.Switch().Block(cases...), jen.Return(jen.Nil()))
	file.Line()
}

// walkLeaf compares what the custom methods list one by one.
func (p *pass) walkLeaf(file *jen.File, fn string, t *structure) {
	c := t.Custom
	var out []jen.Code
	for _, i := range c.Attrs {
		out = append(out, walkItem("attr", t, i, jen.Lit(i.Name)))
	}
	if len(c.Children) == 0 {
		p.walker(file, fn, t.Name, append(out, jen.Id("w").Dot("noContent").Call())...)
		return
	}
	var cases, after []jen.Code
	for k, i := range c.Children {
		f, _ := t.item(i)
		bit := jen.Lit(1).Op("<<").Lit(k)
		seen := jen.Id("seen").Op("|=").Add(bit)
		unseen := jen.Id("seen").Op("&").Params(bit.Clone()).Op("==").Lit(0)
		if i.Struct {
			old, now := jen.Id("o").Dot(f.Go), jen.Id("v").Dot(f.Go)
			encode := jen.Params(jen.Op("*").Id("encoder")).Dot(p.call(f.Struct))
			cases = append(cases, jen.Case(jen.Lit(i.Name)).Block(seen,
				jen.If(stays(jen.Id("w"), old.Clone(), now.Clone(), encode)).Block(
					jen.Id("w").Dot(lower(f.Struct)).Call(old.Clone(), now.Clone()))))
			after = append(after, jen.If(unseen).Block(
				jen.Id("appeared").Call(jen.Id("w"), jen.Lit(i.Name), old, now, encode)))
			continue
		}
		cases = append(cases, jen.Case(jen.Lit(i.Name)).Block(seen, walkItem("first", t, i)))
		after = append(after, jen.If(unseen).Block(walkItem("absent", t, i, jen.Lit(i.Name))))
	}
	cases = append(cases, jen.Default().Block(jen.Id("w").Dot("around").Call()))
	out = append(out, jen.Var().Id("seen").Uint64(),
		jen.For(jen.Id("depth").Op(":=").Len(jen.Id("w").Dot("frames")), jen.Id("w").Dot("descendant").Call(jen.Id("depth")), jen.Empty()).Block(
			jen.Switch(jen.Id("w").Dot("name").Call()).Block(cases...)))
	out = append(out, after...)
	p.walker(file, fn, t.Name, append(out, jen.Id("w").Dot("leave").Call())...)
}

func walkItem(where string, t *structure, i item, args ...jen.Code) jen.Code {
	f, _ := t.item(i)
	args = append(args, jen.Id("o").Dot(f.Go), jen.Id("v").Dot(f.Go))
	if hex, digits := scalarFormat(i.Format); hex {
		return jen.Id(where + "Hex").Call(append(append([]jen.Code{jen.Id("w")}, args...), jen.Lit(digits))...)
	}
	f.OmitEmpty = !i.Always
	return scalarCall(where, f, args...)
}
