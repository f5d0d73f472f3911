package hookvet

import (
	"go/ast"
	"go/types"
	"strings"
)

var exit = check("exit", `find handlers that end the process themselves

The exit status is the hook's decision, and the SDK makes it of what the handlers
return. A handler that ends the process takes it away: handlers after it do
not run, the XML of a filter and the log are lost, and where a fault should
let a running guest live, the status kills it. Return an error instead.

In all of the program: defer os.Exit(code) exits with what code is when defer
runs, not with what it is at the end.`, runExit)

var exits = map[string]bool{
	"os.Exit": true, "syscall.Exit": true, "golang.org/x/sys/unix.Exit": true, "runtime.Goexit": true, sdkPath + ".Main": true,
}

func runExit(p *program, report report) {
	seen := map[ast.Node]bool{}
	p.reach.each(func(n ast.Node, from string) {
		if id, ok := n.(*ast.Ident); ok {
			if f, ok := p.info.Uses[id].(*types.Func); ok && endsProcess(f) {
				seen[id] = true
				report(id, "%s in reach of the handler of %s ends the hook before the SDK can answer libvirt; return an error", shortName(f), from)
			}
		}
	})
	for n := range p.tree.PreorderSeq((*ast.DeferStmt)(nil)) {
		call := n.(*ast.DeferStmt).Call
		if p.calleeName(call) == "os.Exit" && p.info.Types[call.Args[0]].Value == nil && !seen[nameOf(call.Fun)] {
			report(n, "the argument of a deferred os.Exit is read now, so that a later failure does not count; call os.Exit last, or return the status to main")
		}
	}
}

func endsProcess(f *types.Func) bool {
	name := f.FullName()
	return exits[name] || strings.HasPrefix(name, "log.Fatal") || strings.HasPrefix(name, "(*log.Logger).Fatal")
}

// shortName is how the source names it.
func shortName(f *types.Func) string {
	if f.Signature().Recv() != nil {
		return f.FullName()
	}
	return f.Pkg().Name() + "." + f.Name()
}

// nameOf is the identifier that names the function.
func nameOf(fun ast.Expr) ast.Node {
	if sel, ok := ast.Unparen(fun).(*ast.SelectorExpr); ok {
		return sel.Sel
	}
	return ast.Unparen(fun)
}
