package gen

import (
	"github.com/dave/jennifer/jen"
)

// enums renders a string type with constants for each enum.
func (g *generator) enums() ([]byte, error) {
	f := g.file(g.path, g.pkg, "enums.yaml")
	for _, e := range g.spec.Enums {
		comment(f, e.GoName()+" says "+e.Summary+".", e.Doc)
		f.Type().Id(e.GoName()).String()

		comment(f, "The words of libvirt "+string(e.Since)+" and later, from "+Join(e.Source)+".")
		f.Const().DefsFunc(func(defs *jen.Group) {
			for _, v := range e.Values {
				defs.Id(e.ValueGoName(v)).Id(e.GoName()).Op("=").Lit(v.Value).Comment(v.Summary)
			}
		})
	}
	return render(f)
}
