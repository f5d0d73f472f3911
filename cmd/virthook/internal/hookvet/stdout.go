package hookvet

import (
	"go/ast"
	"go/types"
)

var stdout = check("stdout", `find filters that print

In a hook without the SDK a filter prints the XML, and anything else that it
prints spoils it. Under the SDK standard output leads to the log: what a filter
prints, its XML included, never gets to libvirt. A filter returns the document,
or gives bytes to the event's Replace; for the log there is the call's Logger.

Only filters are looked at, the handlers of qemu migrate and restore and libxl
migrate; and log.SetOutput(os.Stdout) anywhere beside one.`, runStdout)

const goesToLog = "goes to the log, not into the guest's XML; return the document or use Replace, and for the log the call's Logger"

func runStdout(p *program, report report) {
	p.filters.each(func(n ast.Node, from string) {
		id, ok := n.(*ast.Ident)
		if !ok {
			return
		}
		switch obj := p.info.Uses[id].(type) {
		case *types.Func:
			switch obj.FullName() {
			case "fmt.Print", "fmt.Printf", "fmt.Println":
				report(id, "what %s prints in reach of the filter of %s %s", obj.FullName(), from, goesToLog)
			}
		case *types.Var:
			if isStdout(obj) {
				report(id, "what is written to os.Stdout in reach of the filter of %s %s", from, goesToLog)
			}
		}
	})
	if len(p.filters.functions) > 0 {
		p.logsToStdout(report)
	}
}

func isStdout(v *types.Var) bool {
	return v.Name() == "Stdout" && v.Pkg() != nil && v.Pkg().Path() == "os" && !v.IsField()
}

// logsToStdout reports the standard logger led there outside of the filters.
func (p *program) logsToStdout(report report) {
	inReach := map[ast.Node]bool{}
	p.filters.each(func(n ast.Node, _ string) { inReach[n] = true })
	for call := range p.calls {
		if p.calleeName(call) != "log.SetOutput" || inReach[call] {
			continue
		}
		if v := p.variable(call.Args[0]); v != nil && isStdout(v) {
			report(call, "what is logged to os.Stdout beside a filter %s", goesToLog)
		}
	}
}
