package hookvet

import (
	"go/ast"
	"go/types"
)

var goroutine = check("goroutine", `find goroutines that handlers start with a go statement

The SDK recovers a panic of a handler and makes it a fault, which does not kill
a running guest. It cannot recover one in another goroutine: that ends the
process with status 2. An error there is lost as well, and the program may end
before the goroutine does. Use sdk.Go.

A go statement, and the Go of a sync.WaitGroup, is allowed whose function
recovers itself: defer func() { … recover() … }() at its beginning.`, runGoroutine)

func runGoroutine(p *program, report report) {
	p.reach.each(func(n ast.Node, from string) {
		if fun := p.startedBy(n); fun != nil && !p.recovers(fun) {
			report(n, "a panic in this goroutine, in reach of the handler of %s, ends the hook past the SDK, and its error is lost; use sdk.Go", from)
		}
	})
}

// startedBy is the function that the node runs in a goroutine, nil for none.
func (p *program) startedBy(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.GoStmt:
		return n.Call.Fun
	case *ast.CallExpr:
		if p.calleeName(n) == "(*sync.WaitGroup).Go" {
			return n.Args[0]
		}
	}
	return nil
}

// recovers says whether the function begins with deferred calls one of which recovers.
func (p *program) recovers(fun ast.Expr) bool {
	for _, fn := range p.functions(fun, false) {
		for _, s := range body(fn).List {
			deferred, ok := s.(*ast.DeferStmt)
			if !ok {
				break
			}
			for _, d := range p.functions(deferred.Call.Fun, false) {
				if p.callsRecover(d) {
					return true
				}
			}
		}
	}
	return false
}

func (p *program) callsRecover(fn ast.Node) (found bool) {
	ast.Inspect(body(fn), func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			b, ok := p.info.Uses[id].(*types.Builtin)
			found = found || ok && b.Name() == "recover"
		}
		return !found
	})
	return found
}
