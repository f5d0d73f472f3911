package hookvet

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

var droppedError = check("droppederror", `find handlers that drop an error

What a handler returns decides whether a guest starts, migrates or lives on, so
an error that nobody looks at is a decision that nobody took. A call whose
error is meant to be ignored says so: _ = f().

Dropping is a call that stands alone, also after defer. Allowed are: what
cannot fail (a strings.Builder, a bytes.Buffer, a hash) or tells later (a
bufio.Writer until Flush), printing, and cleaning up (Close, Unlock, os.Remove)
after defer or on the way to returning an error.

In all of the program: a call of sdk.Run whose exit status is dropped.`, runDroppedError)

func runDroppedError(p *program, report report) {
	p.reach.each(func(n ast.Node, from string) {
		call, deferred := alone(n)
		if call == nil || !p.returnsError(call) || p.cannotFail(call) {
			return
		}
		if p.cleansUp(call) && (deferred || p.onTheWayOut(n)) {
			return
		}
		report(n, "the error of %s is dropped in reach of the handler of %s, and with it the decision; return it, or write _ = to ignore it", types.ExprString(call.Fun), from)
	})
	for n := range p.tree.PreorderSeq((*ast.ExprStmt)(nil)) {
		if call, _ := alone(n); call != nil && p.calleeName(call) == sdkPath+".Run" {
			report(n, "the exit status of sdk.Run is dropped, so that the hook always succeeds; pass it to os.Exit, or use sdk.Main")
		}
	}
}

// alone is the call that the statement is.
func alone(n ast.Node) (call *ast.CallExpr, deferred bool) {
	switch n := n.(type) {
	case *ast.ExprStmt:
		call, _ = ast.Unparen(n.X).(*ast.CallExpr)
		return call, false
	case *ast.DeferStmt:
		return n.Call, true
	}
	return nil, false
}

func (p *program) returnsError(call *ast.CallExpr) bool {
	t := p.info.TypeOf(call)
	if tuple, ok := t.(*types.Tuple); ok {
		return slices.ContainsFunc(slices.Collect(tuple.Variables()), func(v *types.Var) bool { return isError(v.Type()) })
	}
	return isError(t)
}

// cannotFail says whether the error is always nil, or that of printing for people.
func (p *program) cannotFail(call *ast.CallExpr) bool {
	name := p.calleeName(call)
	switch {
	case name == "fmt.Print", name == "fmt.Printf", name == "fmt.Println":
		return true
	case strings.HasPrefix(name, "fmt.Fprint"):
		to := call.Args[0]
		v := p.variable(to)
		return neverFails(p.info.TypeOf(to)) || v != nil && v.Pkg() != nil && v.Pkg().Path() == "os" && (v.Name() == "Stdout" || v.Name() == "Stderr")
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && name != "(*bufio.Writer).Flush" && neverFails(p.info.TypeOf(sel.X))
}

// neverFails says whether writing to the type cannot fail or, with bufio, tells so
// when it is flushed.
func neverFails(t types.Type) bool {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	return isNamed(t, "strings", "Builder") || isNamed(t, "bytes", "Buffer") || isNamed(t, "bufio", "Writer") ||
		isNamed(t, "hash", "Hash") || isNamed(t, "hash", "Hash32") || isNamed(t, "hash", "Hash64")
}

func (p *program) cleansUp(call *ast.CallExpr) bool {
	f := p.callee(call)
	if f == nil {
		return false
	}
	switch f.FullName() {
	case "os.Remove", "os.RemoveAll", "(*os.Process).Kill", "(*os.Process).Release", "(*" + sdkPath + "/lock.Lock).Remove":
		return true
	}
	return f.Signature().Recv() != nil && (f.Name() == "Close" || f.Name() == "Unlock")
}

// onTheWayOut says whether the statement's block goes on to return an error.
func (p *program) onTheWayOut(n ast.Node) bool {
	var list []ast.Stmt
	switch parent := p.cursor(n).Parent().Node().(type) {
	case *ast.BlockStmt:
		list = parent.List
	case *ast.CaseClause:
		list = parent.Body
	}
	if len(list) == 0 {
		return false
	}
	last, ok := list[len(list)-1].(*ast.ReturnStmt)
	if !ok || len(last.Results) == 0 {
		return false
	}
	result := last.Results[len(last.Results)-1]
	return !p.info.Types[result].IsNil() && isError(p.info.TypeOf(result))
}

func isError(t types.Type) bool {
	return t != nil && types.AssignableTo(t, types.Universe.Lookup("error").Type())
}
