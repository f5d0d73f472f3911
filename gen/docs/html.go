package docs

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"github.com/virthook/virthook/templates"
)

// html makes one page that needs nothing else: no network, no other file, and scripts
// only for what can be done without.
func html(r *Reference) (map[string][]byte, error) {
	p := &htmlPage{Reference: r, ids: map[any]string{}, taken: map[string]bool{}}
	p.number()
	t, err := template.New("reference.html.tmpl").Funcs(template.FuncMap{
		"during":  p.during,
		"cap":     p.capital,
		"legend":  legend,
		"failure": func(o *Operation) []Value { return o.field("failure") },
		"forms":   p.forms,
		"id":      func(x any) string { return p.ids[x] },
		"input":   func(o *Operation) []Value { return o.field("input") },
		"life":    life,
		"name":    func(o *Operation) []htmlForm { return p.named(o, o.Name) },
		"of":      p.rangeOf,
		"also":    also,
		"picture": p.picture,
		"pieces":  pieces,
		"some":    p.versioned,
		"value":   func(e *Enum, i int) string { return p.ids[htmlValue{e, i}] },
	}).ParseFS(templates.FS, "reference.html.tmpl")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	// The template would drop the comment.
	fmt.Fprintf(&b, "<!DOCTYPE html><!-- %s -->\n", generated)
	if err := t.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("rendering index.html: %w", err)
	}
	return map[string][]byte{"index.html": b.Bytes()}, nil
}

// htmlPage is the reference with the ids of its parts: anchors, as far as they differ.
// What the page has of its own is named with "_" or ".", which no anchor holds.
type htmlPage struct {
	*Reference
	ids   map[any]string
	taken map[string]bool
}

// htmlValue is a key of ids.
type htmlValue struct {
	of *Enum
	n  int
}

func (p *htmlPage) number() {
	give := func(x any, id string) {
		for p.taken[id] {
			id += "-"
		}
		p.ids[x], p.taken[id] = id, true
	}
	// Operations first: links go to them by their anchor.
	for _, d := range p.Drivers {
		give(d, "hooks."+d.Name)
		for _, o := range d.Operations {
			give(o, o.Anchor)
		}
	}
	for _, t := range p.Topics {
		give(t, t.Anchor)
		for _, f := range t.Facts {
			give(f, f.Anchor)
		}
	}
	for _, e := range p.Enums {
		give(e, e.Anchor)
		for i, v := range e.Values {
			give(htmlValue{e, i}, e.Anchor+"."+unfit.ReplaceAllString(v.Value, "-"))
		}
	}
	for _, d := range p.Drivers {
		for _, l := range d.Lifecycles {
			give(l, l.Anchor)
		}
	}
}

// unfit is what an id of any text does without.
var unfit = regexp.MustCompile(`[^0-9A-Za-z]+`)

// htmlForm is a text that holds for a range of versions.
type htmlForm struct {
	Text string
	Range
	Former bool // to be shown for one of these versions only
}

// forms are the texts of a link, which names its operation as each version does.
func (p *htmlPage) forms(l Link) []htmlForm {
	if o := p.operation(l.Anchor); o != nil && strings.HasSuffix(l.Text, o.Name) {
		return p.named(o, l.Text)
	}
	return []htmlForm{{Text: l.Text}}
}

// named is a text that ends in the operation's name, with what it was called before.
func (p *htmlPage) named(o *Operation, text string) []htmlForm {
	forms := []htmlForm{{Text: text}}
	if p.Libvirt != "" {
		return forms
	}
	formers := slices.Clone(o.field("former"))
	slices.SortStableFunc(formers, func(a, b Value) int { return newest(a.Until, b.Until) })
	for _, v := range formers {
		forms[len(forms)-1].Since = v.Until
		forms = append(forms, htmlForm{
			Text: strings.TrimSuffix(text, o.Name) + v.Text, Range: Range{Until: v.Until}, Former: true,
		})
	}
	forms[0].Until = ""
	return forms
}

// during is a range as the page has it: one version alone has none.
func (p *htmlPage) during(r Range) Range {
	if p.Libvirt != "" {
		return Range{}
	}
	return r
}

// rangeOf is the range of what a link goes to.
func (p *htmlPage) rangeOf(l Link) Range {
	if o := p.operation(l.Anchor); o != nil {
		return o.Range
	}
	return Range{}
}

// life is what goes before the action of a lifecycle: the driver, which some name.
func life(l *Lifecycle) string {
	if strings.HasPrefix(l.Action, l.Driver+"-") {
		return ""
	}
	return l.Driver + " "
}

// also is what people may search an operation by, beside its name.
func also(o *Operation) string {
	var words []string
	for _, v := range o.field("handler") {
		words = append(words, handlerName.FindString(v.Text))
	}
	for _, v := range o.field("former") {
		words = append(words, v.Text)
	}
	return strings.Join(words, " ")
}

var handlerName = regexp.MustCompile(`\bOn\w+`)

// versioned says that nothing in a list may be left in one version, as all of it is of
// a range.
func (p *htmlPage) versioned(list any) bool {
	open := func(r Range) bool { return p.during(r) == Range{} }
	switch list := list.(type) {
	case []Value:
		return !slices.ContainsFunc(list, func(v Value) bool { return open(v.Range) })
	case []*Fact:
		return !slices.ContainsFunc(list, func(f *Fact) bool { return open(f.Range) })
	case []*Topic:
		return !slices.ContainsFunc(list, func(t *Topic) bool { return !p.versioned(t.Facts) })
	case []*Operation:
		return !slices.ContainsFunc(list, func(o *Operation) bool { return open(o.Range) })
	}
	return false
}

// capital is the class of a text that is to begin with a capital, as all do but those
// that begin with a name.
func (p *htmlPage) capital(text string) string {
	if p.beginsWithName(text) {
		return ""
	}
	return " cap"
}

func (p *htmlPage) picture(l *Lifecycle) template.HTML {
	return inlinePicture(l, func(to Link) string {
		if to.Anchor == "" {
			return ""
		}
		return "#" + to.Anchor
	})
}

// htmlPiece is a part of a text, with where it leads.
type htmlPiece struct{ Text, URL string }

// sourceFile is a file of libvirt's repository.
var sourceFile = regexp.MustCompile(`\b(?:src|tests|docs|tools|include)(?:/[A-Za-z0-9_-]+)*/[A-Za-z0-9_-]+(?:\.[a-z]+)+\b`)

// pieces takes a text apart at the files of libvirt's source that it names.
func pieces(text string) []htmlPiece {
	var ps []htmlPiece
	from := 0
	for _, at := range sourceFile.FindAllStringIndex(text, -1) {
		file := text[at[0]:at[1]]
		ps = append(ps, htmlPiece{Text: text[from:at[0]]}, htmlPiece{file, libvirtSource + file})
		from = at[1]
	}
	return append(ps, htmlPiece{Text: text[from:]})
}

// libvirtSource is where libvirt's source can be read, as of the version that the
// spec's facts were read in.
const libvirtSource = "https://gitlab.com/libvirt/libvirt/-/blob/v11.3.0/"
