package codec

import (
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
)

// decode renders the function that decodes the element the scanner stands at into
// a value of that type.
func (p *pass) decode(file *jen.File, name string) {
	t := p.structs[name]
	fn := lower(name)
	if name == roots[0] {
		p.slabs(file)
	}
	if t.Custom == nil {
		p.decoder(file, fn, name, p.body(true, part{"v", t})...)
		return
	}
	c := t.Custom
	if c.Around != nothing {
		fn += "Element"
	}
	switch c.Kind {
	case "":
		p.decoder(file, fn, name, p.body(true, part{"v", t})...)
	case chooses:
		p.decoder(file, fn, name, append(p.choose(t), p.body(true, part{"v", t})...)...)
	case delegates, wraps:
		p.decodeUnion(file, fn, t)
	case selects:
		p.decodeSelection(file, fn, t)
	case embeds:
		p.decodeEmbedding(file, fn, t)
	case chardev:
		p.decoder(file, fn, name,
			jen.Id("src").Op(":=").Id("d").Dot("chardevSource").Call(jen.Lit(c.Default)),
			jen.If(jen.Id("src").Op("==").Nil()).Block(jen.Id("d").Dot("noVariant").Call(), jen.Return()),
			jen.Id("d").Dot(p.call("DomainChardevSource")).Call(jen.Id("src")),
			jen.Op("*").Id("v").Op("=").Add(qual(name)).Call(jen.Op("*").Id("src")),
		)
	case leaf:
		p.decodeLeaf(file, fn, t)
	}
}

func (p *pass) decoder(file *jen.File, fn, typ string, body ...jen.Code) {
	file.Func().Params(jen.Id("d").Op("*").Id("decoder")).Id(fn).
		Params(jen.Id("v").Op("*").Add(qual(typ))).Block(body...)
	file.Line()
}

// body decodes attributes and content of an element into the fields of parts.
// Where a variant is coded with its union, encoding/xml leaves XMLName empty.
func (p *pass) body(named bool, parts ...part) []jen.Code {
	var out []jen.Code
	if t := parts[len(parts)-1].t; named && t.Elem != nil {
		out = append(out, jen.Id("v").Dot("XMLName").Op("=").Id("d").Dot("xmlName").Call())
	}
	out = append(out, p.attributes(parts)...)
	return append(out, p.content(parts)...)
}

// attributes is the loop over the attributes.
func (p *pass) attributes(parts []part) []jen.Code {
	var cases []jen.Code
	for _, pt := range parts {
		for _, f := range pt.t.Fields {
			if f.Mode == attr {
				cases = append(cases, jen.Case(jen.Lit(f.Name.Local)).Block(
					assign("attr", f.Scalar, f.Ptr, pt.path(f), jen.Id("a"))))
			}
		}
	}
	return attributeLoop(cases)
}

func attributeLoop(cases []jen.Code) []jen.Code {
	if len(cases) == 0 {
		return []jen.Code{jen.Id("d").Dot("noAttrs").Call()}
	}
	cases = append(cases, jen.Default().Block(jen.Id("d").Dot("unknownAttr").Call(jen.Id("a"))))
	return []jen.Code{
		jen.Id("attrs").Op(":=").Id("d").Dot("s").Dot("Attrs").Call(),
		jen.For(jen.Id("i").Op(":=").Range().Id("attrs")).Block(
			jen.Id("a").Op(":=").Op("&").Id("attrs").Index(jen.Id("i")),
			jen.Switch(jen.Id("d").Dot("local").Call(jen.Id("a"))).Block(cases...),
		),
	}
}

// assign sets dst by the decoder's method for where the value stands and its type.
func assign(where string, s scalar, ptr bool, dst *jen.Statement, args ...jen.Code) jen.Code {
	if s == "string" && !ptr {
		return dst.Op("=").Id("d").Dot(where + "String").Call(args...)
	}
	fn := where + s.title()
	if ptr {
		fn += "Ptr"
	}
	return jen.Id("d").Dot(fn).Call(append(args, jen.Op("&").Add(dst))...)
}

// content is the loop over the children, and the text where there is a field for it.
func (p *pass) content(parts []part) []jen.Code {
	var before, cases, after []jen.Code
	next := jen.Id("d").Dot("child").Call()
	switchOn := jen.Id("d").Dot("name").Call()
	byName := map[string]int{} // where the cases of an ambiguous name are
	var names []string
	spaced := map[string][]jen.Code{}
	for _, pt := range parts {
		for _, f := range pt.t.Fields {
			switch f.Mode {
			case chardata, cdata:
				before = append(before, jen.Var().Id("text").Id("text"))
				next = jen.Id("d").Dot("childOrText").Call(jen.Op("&").Id("text"))
				after = append(after, assign("text", f.Scalar, f.Ptr, pt.path(f), jen.Op("&").Id("text")))
			case innerxml:
				return []jen.Code{pt.path(f).Op("=").Id("d").Dot("inner").Call()}
			case element:
				body := p.child(pt, f)
				if f.Name.Space == "" {
					cases = append(cases, jen.Case(jen.Lit(f.Name.Local)).Block(body...))
					continue
				}
				if _, ok := byName[f.Name.Local]; !ok {
					byName[f.Name.Local] = len(cases)
					names = append(names, f.Name.Local)
					cases = append(cases, nil)
				}
				spaced[f.Name.Local] = append(spaced[f.Name.Local], jen.Case(jen.Lit(f.Name.Space)).Block(body...))
			}
		}
	}
	unknown := jen.Default().Block(jen.Id("d").Dot("unknownElement").Call())
	for _, n := range names {
		cases[byName[n]] = jen.Case(jen.Lit(n)).Block(
			jen.Switch(jen.Id("d").Dot("space").Call()).Block(append(spaced[n], unknown)...))
	}
	if len(cases) == 0 {
		if len(after) == 0 {
			return []jen.Code{jen.Id("d").Dot("noContent").Call()}
		}
		loop := jen.For(next).Block(jen.Id("d").Dot("unknownElement").Call())
		return slices.Concat(before, []jen.Code{loop}, after)
	}
	loop := jen.For(next).Block(jen.Switch(switchOn).Block(append(cases, unknown)...))
	return slices.Concat(before, []jen.Code{loop}, after)
}

// child decodes a child element into the field for it.
func (p *pass) child(pt part, f field) []jen.Code {
	path := pt.path(f)
	switch {
	case f.Struct == "" && f.Slice:
		return []jen.Code{jen.Id("d").Dot("append" + f.Scalar.title()).Call(jen.Op("&").Add(path))}
	case f.Struct == "":
		return append([]jen.Code{assign("element", f.Scalar, f.Ptr, path)}, keep(pt.t)...)
	case f.Slice:
		decode := jen.Id("d").Dot(p.call(f.Struct)).Call(grow(pt.t, f, jen.Op("&").Add(path)))
		if isCompared(pt.t, f) {
			return []jen.Code{passed(f, path), decode, compared(f, path)}
		}
		return append([]jen.Code{decode}, keep(pt.t)...)
	case f.Ptr:
		decode := jen.Id("d").Dot(p.call(f.Struct)).Call(ensure(f.Struct, jen.Op("&").Add(path)))
		return append([]jen.Code{decode}, keep(pt.t)...)
	}
	return append([]jen.Code{jen.Id("d").Dot(p.call(f.Struct)).Call(jen.Op("&").Add(path))}, keep(pt.t)...)
}

// choose creates the variant that the discriminator names.
func (p *pass) choose(t *structure) []jen.Code {
	c := t.Custom
	f, _ := t.field(c.Field)
	u := p.structs[f.Struct]
	path := jen.Id("v").Dot(c.Field)
	if u.Name == "DomainChardevSource" {
		return []jen.Code{path.Op("=").Id("d").Dot("chardevSource").Call(jen.Lit(c.Default))}
	}
	take := []jen.Code{jen.Lit(c.Attr), jen.Lit(c.Default)}
	var cases []jen.Code
	for _, v := range u.Custom.Variants {
		if !slices.Contains(c.Except, v.Value) {
			cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(
				path.Clone().Dot(v.Field).Op("=").Add(allocate(u.hidden(v)))))
		}
	}
	if !c.Tagged {
		cases = append(cases, jen.Default().Block(jen.Id("d").Dot("unknownChoice").Call(jen.Lit(c.Attr))))
	}
	typ := jen.List(jen.Id("typ"), jen.Id("given")).Op(":=").Id("d").Dot("choice").Call(take...)
	create := []jen.Code{
		path.Clone().Op("=").Add(allocate(f.Struct)),
		jen.Switch(jen.Id("typ")).Block(cases...),
	}
	switch {
	case c.Optional:
		return []jen.Code{jen.If(typ, jen.Id("given")).Block(create...)}
	case c.None != "":
		// The variant without an attribute has no value: an empty attribute is unknown.
		return []jen.Code{
			path.Clone().Op("=").Add(allocate(f.Struct)),
			jen.If(typ, jen.Op("!").Id("given")).Block(
				path.Clone().Dot(c.None).Op("=").Add(allocate(u.hidden(variant{Field: c.None}))),
			).Else().Block(jen.Switch(jen.Id("typ")).Block(cases[1:]...)),
		}
	}
	return slices.Concat([]jen.Code{jen.List(jen.Id("typ"), jen.Id("_")).Op(":=").Id("d").Dot("choice").Call(take...)}, create)
}

// decodeUnion decodes into the variant that is there.
func (p *pass) decodeUnion(file *jen.File, fn string, t *structure) {
	var cases []jen.Code
	for _, v := range t.Custom.Variants {
		var body []jen.Code
		switch {
		case v.Mute:
			body = []jen.Code{jen.Id("d").Dot("unknownElement").Call()}
		case v.Flat:
			body = []jen.Code{jen.Id("d").Dot("flat" + v.Field).Call(jen.Id("v").Dot(v.Field))}
		case v.Nested != "":
			body = []jen.Code{jen.If(jen.Id("d").Dot("isType").Call(jen.Lit(v.NestedValue))).Block(
				jen.Id("v").Dot(v.Field).Dot(v.Nested).Op("=").New(qual(p.nested(t, v))),
				jen.Id("d").Dot(p.decodeWith(file, fn, t, v)).Call(jen.Id("v"), jen.Id("v").Dot(v.Field).Dot(v.Nested)),
			)}
		case t.Custom.Kind == wraps && p.structs[t.hidden(v)].Custom == nil:
			body = []jen.Code{jen.Id("d").Dot(p.decodeWith(file, fn, t, v)).Call(jen.Id("v"), jen.Id("v").Dot(v.Field))}
		default:
			// A variant with methods of its own hides the fields of the union.
			body = []jen.Code{jen.Id("d").Dot(p.call(t.hidden(v))).Call(jen.Id("v").Dot(v.Field))}
		}
		cases = append(cases, jen.Case(jen.Id("v").Dot(v.Field).Op("!=").Nil()).Block(body...))
	}
	cases = append(cases, jen.Default().Block(jen.Id("d").Dot("noVariant").Call()))
	p.decoder(file, fn, t.Name, jen.Switch().Block(cases...))
	if t.Name == "DomainChardevSource" {
		p.decodeChardev(file, t)
	}
}

// decodeChardev renders the method that creates a chardev source of a type.
func (p *pass) decodeChardev(file *jen.File, t *structure) {
	var cases []jen.Code
	for _, v := range t.Custom.Variants {
		cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(
			jen.Id("v").Op(":=").Add(allocate(t.Name)),
			jen.Id("v").Dot(v.Field).Op("=").Add(allocate(t.hidden(v))),
			jen.Return(jen.Id("v"))))
	}
	file.Comment("// newChardevSource returns a source of that type, nil when the type is unknown.")
	file.Func().Params(jen.Id("d").Op("*").Id("decoder")).Id("newChardevSource").Params(jen.Id("typ").String()).Op("*").Add(qual(t.Name)).Block(
		jen.Switch(jen.Id("typ")).Block(cases...), jen.Return(jen.Nil()))
	file.Line()
}

// nested is the type of the field that stands in a variant's place.
func (p *pass) nested(t *structure, v variant) string {
	f, _ := p.structs[t.hidden(v)].field(v.Nested)
	return f.Struct
}

// decodeWith renders the function that decodes a variant and the fields of its
// union out of one element, and returns its name.
func (p *pass) decodeWith(file *jen.File, fn string, t *structure, v variant) string {
	x := t.hidden(v)
	if v.Nested != "" {
		x = p.nested(t, v)
	}
	name := fn + "With" + v.Field
	file.Func().Params(jen.Id("d").Op("*").Id("decoder")).Id(name).
		Params(jen.Id("v").Op("*").Add(qual(t.Name)), jen.Id("x").Op("*").Add(qual(x))).
		Block(p.body(false, part{"x", p.structs[x]}, part{"v", t})...)
	file.Line()
	return name
}

// decodeSelection decodes as the variant that the discriminator names.
func (p *pass) decodeSelection(file *jen.File, fn string, t *structure) {
	c := t.Custom
	var out []jen.Code
	for _, i := range c.Attrs {
		f, _ := t.item(i)
		out = append(out, jen.If(jen.Id("a").Op(":=").Id("d").Dot("take").Call(jen.Lit(i.Name)), jen.Id("a").Op("!=").Nil()).
			Block(jen.Id("d").Dot("attr"+f.Scalar.title()+"32").Call(jen.Id("a"), jen.Op("&").Id("v").Dot(f.Go))))
	}
	var cases []jen.Code
	var without []jen.Code
	for _, v := range c.Variants {
		if v.Field == "" {
			cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(jen.Id("d").Dot("empty").Call()))
			continue
		}
		body := []jen.Code{
			jen.Id("v").Dot(v.Field).Op("=").Add(allocate(t.hidden(v))),
			jen.Id("d").Dot(p.call(t.hidden(v))).Call(jen.Id("v").Dot(v.Field)),
		}
		if v.Field == c.None {
			without = body
			continue
		}
		cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(body...))
	}
	cases = append(cases, jen.Default().Block(jen.Id("d").Dot("unknownVariant").Call(jen.Lit(c.Attr))))
	if without != nil {
		out = append(out,
			jen.List(jen.Id("typ"), jen.Id("given")).Op(":=").Id("d").Dot("choice").Call(jen.Lit(c.Attr), jen.Lit("")),
			jen.Switch().Block(
				jen.Case(jen.Op("!").Id("given")).Block(without...),
				jen.Default().Block(jen.Switch(jen.Id("typ")).Block(cases...))))
	} else if c.Last {
		out = append(out,
			jen.Id("typ").Op(":=").Id("d").Dot("lastChoice").Call(jen.Lit(c.Attr)),
			jen.Switch(jen.Id("typ")).Block(cases...))
	} else {
		out = append(out,
			jen.List(jen.Id("typ"), jen.Id("_")).Op(":=").Id("d").Dot("choice").Call(jen.Lit(c.Attr), jen.Lit("")),
			jen.Switch(jen.Id("typ")).Block(cases...))
	}
	p.decoder(file, fn, t.Name, out...)
}

// decodeEmbedding decodes the variant that the discriminators name and the fields
// of the union out of one element.
func (p *pass) decodeEmbedding(file *jen.File, fn string, t *structure) {
	c := t.Custom
	branch := func(v variant) []jen.Code {
		taken := []jen.Code{}
		for _, a := range []string{c.Attr, c.Second} {
			if a != "" && !c.Tagged {
				taken = append(taken, jen.Id("d").Dot("take").Call(jen.Lit(a)))
			}
		}
		return append(taken,
			jen.Id("v").Dot(v.Field).Op("=").Add(allocate(t.hidden(v))),
			jen.Id("d").Dot(p.decodeWith(file, fn, t, v)).Call(jen.Id("v"), jen.Id("v").Dot(v.Field)))
	}
	var out, cases []jen.Code
	for _, v := range c.Variants {
		cases = append(cases, jen.Case(jen.Lit(v.Value)).Block(branch(v)...))
	}
	other := []jen.Code{jen.Id("d").Dot("unknownVariant").Call(jen.Lit(c.Attr))}
	if c.Plain {
		p.decoder(file, fn+"Plain", t.Name, p.body(true, part{"v", t})...)
		other = nil
		for _, a := range []string{c.Attr, c.Second} {
			if a != "" {
				other = append(other, jen.Id("d").Dot("require").Call(jen.Lit(a)))
			}
		}
		other = append(other, jen.Id("d").Dot(fn+"Plain").Call(jen.Id("v")))
	}
	cases = append(cases, jen.Default().Block(other...))
	on := jen.Id("d").Dot("attr").Call(jen.Lit(c.Attr))
	if c.Second != "" {
		on.Op("+").Lit(" ").Op("+").Id("d").Dot("attr").Call(jen.Lit(c.Second))
	}
	out = append(out, jen.Switch(on).Block(cases...))
	p.decoder(file, fn, t.Name, out...)
}

// decodeLeaf decodes what the custom methods list one by one.
func (p *pass) decodeLeaf(file *jen.File, fn string, t *structure) {
	c := t.Custom
	var cases []jen.Code
	for _, i := range c.Attrs {
		f, _ := t.item(i)
		set := based("attr", i, f, jen.Id("a"))
		if i.Unset != "" {
			set = jen.If(jen.Op("!").Id("d").Dot("isUnset").Call(jen.Id("a"), jen.Lit(i.Unset))).Block(set)
		}
		cases = append(cases, jen.Case(jen.Lit(i.Name)).Block(set))
	}
	out := attributeLoop(cases)
	if len(c.Children) == 0 {
		p.decoder(file, fn, t.Name, append(out, jen.Id("d").Dot("noContent").Call())...)
		return
	}
	cases = nil
	for _, i := range c.Children {
		f, _ := t.item(i)
		if i.Struct {
			cases = append(cases, jen.Case(jen.Lit(i.Name)).Block(
				jen.Id("v").Dot(f.Go).Op("=").Add(allocate(f.Struct)),
				jen.Id("d").Dot(p.call(f.Struct)).Call(jen.Id("v").Dot(f.Go))))
			continue
		}
		cases = append(cases, jen.Case(jen.Lit(i.Name)).Block(
			jen.If(jen.List(jen.Id("text"), jen.Id("ok")).Op(":=").Id("d").Dot("firstText").Call(), jen.Id("ok")).Block(
				based("first", i, f, jen.Id("text")))))
	}
	cases = append(cases, jen.Default().Block(jen.Id("d").Dot("unknownAround").Call()))
	out = append(out,
		jen.For(jen.Id("depth").Op(":=").Id("d").Dot("s").Dot("Depth").Call(), jen.Id("d").Dot("descendant").Call(jen.Id("depth")), jen.Empty()).Block(
			jen.Switch(jen.Id("d").Dot("name").Call()).Block(cases...)))
	p.decoder(file, fn, t.Name, out...)
}

// based sets a field whose number, if it is one, is in a base of its own.
func based(where string, i item, f field, from jen.Code) jen.Code {
	dst := jen.Id("v").Dot(f.Go)
	if f.Scalar == "string" {
		if where == "first" {
			return dst.Op("=").Add(from).Dot("s")
		}
		return dst.Op("=").Id("d").Dot("attrString").Call(from)
	}
	return jen.Id("d").Dot(where+"Base"+f.Scalar.title()).Call(from, jen.Lit(i.Base), jen.Op("&").Add(dst))
}

// scalarFormat splits a format into whether it is hexadecimal and how many digits
// it has at least.
func scalarFormat(format string) (hex bool, digits int) {
	f := strings.TrimPrefix(format, "0x")
	if f == format {
		return false, 0
	}
	f = strings.TrimSuffix(strings.TrimPrefix(f, "%"), "x")
	if f = strings.TrimPrefix(f, "0"); f != "" {
		digits = int(f[0] - '0')
	}
	return true, digits
}

// growing is the type whose lists make a document large. Where one is compared while
// it is decoded, their items are compared one by one and not kept.
const growing = "DomainDeviceList"

// isCompared says whether the items of a list need not be kept. The first IOMMU is in
// another field, too.
func isCompared(t *structure, f field) bool { return t.Name == growing && f.Go != "IOMMUs" }

// compared compares the item that was decoded last, where there is something to
// compare it with.
func compared(f field, list *jen.Statement) jen.Code {
	known := jen.Code(jen.Nil())
	if name := recognised[f.Struct]; name != "" {
		known = jen.Id(name)
	}
	now := func(of string) *jen.Statement { return jen.Id("d").Dot("beside").Dot(of).Dot(f.Go) }
	return jen.If(jen.Id("d").Dot("beside").Op("!=").Nil()).Block(
		jen.Id("compared").Call(jen.Id("d"), jen.Lit(f.Name.Local), jen.Op("&").Add(list.Clone()), jen.Op("&").Add(now("rest")), jen.Len(now("now")),
			jen.Params(jen.Op("*").Id("difference")).Dot(lower(f.Struct)), known))
}

// passed goes on to the next element where the item of a list that begins is known to
// be as it should.
func passed(f field, list *jen.Statement) jen.Code {
	return jen.If(jen.Id("d").Dot("beside").Op("!=").Nil().Op("&&").Id("passed").Call(jen.Id("d"), jen.Op("&").Add(list.Clone()), jen.Op("&").Id("d").Dot("beside").Dot("rest").Dot(f.Go))).Block(jen.Continue())
}

// keep keeps what was decoded last although items beside it are not kept.
func keep(t *structure) []jen.Code {
	if t.Name != growing {
		return nil
	}
	return []jen.Code{jen.Id("d").Dot("keep").Call()}
}

// supply is how many values of a type, or items of a list, a usual domain has. There
// is room for them in one allocation; those of a larger domain follow in slabs.
type supply struct {
	Name         string // of a type, or of a list: type and field
	Small, Large int
}

// values are the types that a usual domain has values of, behind pointers, and those
// that a large one has many of (0: no room).
var values = []supply{
	{"DomainAddress", 8, 28},
	{"DomainAddressDrive", 2, 4},
	{"DomainAddressPCI", 8, 26},
	{"DomainAddressUSB", 1, 3},
	{"DomainAddressVirtioSerial", 1, 2},
	{"DomainAlias", 14, 36},
	{"DomainAudioNone", 1, 3},
	{"DomainCPU", 1, 1},
	{"DomainCPUModel", 1, 1},
	{"DomainChannelTarget", 1, 2},
	{"DomainChannelTargetVirtIO", 1, 2},
	{"DomainChardevSource", 3, 5},
	{"DomainChardevSourcePty", 2, 3},
	{"DomainChardevSourceUNIX", 1, 2},
	{"DomainClock", 1, 1},
	{"DomainConsoleTarget", 1, 1},
	{"DomainControllerPCI", 1, 16},
	{"DomainControllerPCIModel", 1, 16},
	{"DomainControllerPCITarget", 1, 16},
	{"DomainControllerUSB", 1, 3},
	{"DomainControllerVirtIOSerial", 1, 2},
	{"DomainCurrentMemory", 1, 1},
	{"DomainDeviceList", 1, 1},
	{"DomainDiskBackingStore", 1, 4},
	{"DomainDiskDriver", 2, 4},
	{"DomainDiskFormat", 0, 0},
	{"DomainDiskIOTune", 0, 0},
	{"DomainDiskReadOnly", 1, 1},
	{"DomainDiskSource", 3, 8},
	{"DomainDiskSourceFile", 2, 8},
	{"DomainDiskTarget", 2, 4},
	{"DomainFeature", 2, 6},
	{"DomainFeatureList", 1, 1},
	{"DomainGraphicListenerAddress", 1, 3},
	{"DomainGraphicVNC", 1, 3},
	{"DomainInputSource", 3, 6},
	{"DomainInterfaceDriver", 0, 0},
	{"DomainInterfaceMAC", 1, 3},
	{"DomainInterfaceMTU", 0, 0},
	{"DomainInterfaceModel", 1, 3},
	{"DomainInterfaceSource", 1, 3},
	{"DomainInterfaceSourceBridge", 0, 2},
	{"DomainInterfaceSourceNetwork", 1, 3},
	{"DomainInterfaceTarget", 1, 3},
	{"DomainMemBalloon", 1, 1},
	{"DomainMemory", 1, 1},
	{"DomainMetadata", 1, 1},
	{"DomainOS", 1, 1},
	{"DomainOSType", 1, 1},
	{"DomainResource", 1, 1},
	{"DomainSerialTarget", 1, 1},
	{"DomainSerialTargetModel", 1, 1},
	{"DomainVCPU", 1, 1},
}

// lists are those that a usual domain has once.
var lists = []supply{
	{"Domain.SecLabel", 2, 2},
	{"DomainCPU.Features", 2, 8},
	{"DomainClock.Timer", 3, 4},
	{"DomainDeviceList.Audios", 1, 3},
	{"DomainDeviceList.Channels", 1, 2},
	{"DomainDeviceList.Consoles", 1, 1},
	{"DomainDeviceList.Controllers", 4, 20},
	{"DomainDeviceList.Disks", 2, 4},
	{"DomainDeviceList.Graphics", 1, 3},
	{"DomainDeviceList.Inputs", 3, 6},
	{"DomainDeviceList.Interfaces", 1, 4},
	{"DomainDeviceList.Panics", 1, 3},
	{"DomainDeviceList.RNGs", 1, 1},
	{"DomainDeviceList.Serials", 1, 1},
	{"DomainDeviceList.Videos", 1, 3},
	{"DomainGraphicVNC.Listeners", 1, 1},
	{"DomainOS.BootDevices", 1, 2},
}

// numbers are those behind pointers.
var numbers = []supply{{"int", 1, 1}, {"uint", 32, 160}}

func supplied(list []supply, name string) bool {
	return slices.ContainsFunc(list, func(s supply) bool { return s.Name == name })
}

// allocate makes a zero value on the heap.
func allocate(name string) *jen.Statement {
	if supplied(values, name) {
		return jen.Id("d").Dot("slabs").Dot(lower(name)).Dot("new").Call(jen.Id("d"))
	}
	return jen.New(qual(name))
}

// ensure makes what a nil pointer is to lead to.
func ensure(name string, ptr jen.Code) *jen.Statement {
	if supplied(values, name) {
		return jen.Id("d").Dot("slabs").Dot(lower(name)).Dot("ensure").Call(jen.Id("d"), ptr)
	}
	return jen.Id("ensure").Call(ptr)
}

// grow appends a zero value to a list.
func grow(t *structure, f field, list jen.Code) *jen.Statement {
	if name := t.Name + "." + f.Go; supplied(lists, name) {
		return jen.Id("growIn").Call(jen.Id("d"), list, jen.Op("&").Id("d").Dot("slabs").Dot(listName(name)))
	}
	return jen.Id("grow").Call(jen.Id("d"), list)
}

func listName(name string) string { return lower(strings.ReplaceAll(name, ".", "")) }

// slabs renders the type that gives out values of the common types, and the types
// that have the room of usual domains.
func (p *pass) slabs(file *jen.File) {
	var slabs []jen.Code
	for _, s := range values {
		slabs = append(slabs, jen.Id(lower(s.Name)).Id("slab").Index(qual(s.Name)))
	}
	for _, s := range lists {
		slabs = append(slabs, jen.Id(listName(s.Name)).Index().Add(p.item(s)))
	}
	for _, s := range numbers {
		slabs = append(slabs, jen.Id(s.Name).Id("slab").Index(jen.Id(s.Name)))
	}
	file.Comment("// slabs has room for what there is much of.")
	file.Type().Id("slabs").Struct(slabs...)
	file.Line()
	p.slabMethod(file, "keep", "keeps what has been given out from the next release.")
	p.slabMethod(file, "release", "takes back what has been given out since keep.")
	p.room(file, "small", func(s supply) int { return s.Small })
	p.room(file, "large", func(s supply) int { return s.Large })
}

// slabMethod renders a method that does the same to each slab.
func (p *pass) slabMethod(file *jen.File, name, does string) {
	var body []jen.Code
	for _, s := range values {
		body = append(body, jen.Id("s").Dot(lower(s.Name)).Dot(name).Call())
	}
	for _, s := range numbers {
		body = append(body, jen.Id("s").Dot(s.Name).Dot(name).Call())
	}
	file.Comment("// " + name + " " + does)
	file.Func().Params(jen.Id("s").Op("*").Id("slabs")).Id(name).Params().Block(body...)
	file.Line()
}

// item is the type of a list's items.
func (p *pass) item(s supply) jen.Code {
	typ, name, _ := strings.Cut(s.Name, ".")
	f, ok := p.structs[typ].field(name)
	if !ok || !f.Slice || f.Struct == "" {
		panic(s.Name + " is no list of structs")
	}
	return qual(f.Struct)
}

// room renders a type that has the room of a domain, and the method that hands it out.
func (p *pass) room(file *jen.File, size string, n func(supply) int) {
	var room, seed []jen.Code
	add := func(id string, s supply, typ jen.Code, to *jen.Statement) {
		if n := n(s); n > 0 {
			room = append(room, jen.Id(id).Index(jen.Lit(n)).Add(typ))
			seed = append(seed, to.Op("=").Id("r").Dot(id).Index(jen.Op(":")))
		}
	}
	room = append(room, jen.Id("domain").Add(qual(roots[0])), jen.Id("report").Id("Report"))
	for _, s := range values {
		id := lower(s.Name)
		add(id, s, qual(s.Name), jen.Id("s").Dot(id).Dot("items"))
	}
	for _, s := range lists {
		id := listName(s.Name)
		add(id, s, p.item(s), jen.Id("s").Dot(id))
	}
	// Last: what follows the last pointer is nothing to the garbage collector.
	for _, s := range numbers {
		add(s.Name, s, jen.Id(s.Name), jen.Id("s").Dot(s.Name).Dot("items"))
	}
	name := size + "Room"
	file.Comment("// " + name + " is the room of a " + size + " domain, in one allocation.")
	file.Type().Id(name).Struct(room...)
	file.Line()
	file.Func().Params(jen.Id("r").Op("*").Id(name)).Id("seed").Params(jen.Id("s").Op("*").Id("slabs")).Block(seed...)
	file.Line()
}
