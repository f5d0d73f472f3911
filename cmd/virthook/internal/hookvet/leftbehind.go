package hookvet

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

var leftBehind = check("leftbehind", `find processes that handlers start and nobody waits for

Such a process outlives the hook: nobody learns that it failed, it stays in
the daemon's control group, and it may still run when the guest is gone. If
it holds the hook's output, libvirt waits for it. Wait for it, as Run of
package sdk/command does, or have a service manager run it, as Detach does.

A process in a variable of the function must see Wait there, unless it is
passed on, returned or kept. Of shell scripts that are constants, "&" counts.`, runLeftBehind)

const waitFor = "wait for it (command.Run), or let a service manager run it (command.Detach)"

func runLeftBehind(p *program, report report) {
	p.reach.each(func(n ast.Node, from string) {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return
		}
		switch p.calleeName(call) {
		case "(*os/exec.Cmd).Start":
			if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && p.unwaited(sel.X) {
				report(call, "nobody waits for the process that is started here, in reach of the handler of %s; %s", from, waitFor)
			}
		case "os.StartProcess":
			if p.processDropped(call) {
				report(call, "nobody waits for the process that is started here, in reach of the handler of %s; %s", from, waitFor)
			}
		}
		// What is detached may leave others: nobody waits for any of them.
		if c := p.commandOf(call); len(c.words) > 0 && !c.detached {
			p.background(c, from, report)
		}
	})
}

func (p *program) background(c command, from string, report report) {
	script := p.script(c)
	if script == nil {
		return
	}
	if _, background := scriptPrograms(p.text(script)); background {
		report(c.at, "the script leaves a process in the background, in reach of the handler of %s; %s", from, waitFor)
	}
}

// unwaited says whether the command that the expression is can have no Wait.
func (p *program) unwaited(cmd ast.Expr) bool {
	switch cmd := ast.Unparen(cmd).(type) {
	case *ast.CallExpr: // exec.Command(…).Start()
		return true
	case *ast.Ident:
		v, ok := p.info.Uses[cmd].(*types.Var)
		return ok && v.Kind() == types.LocalVar && !p.waitsOrEscapes(v)
	}
	return false
}

// processDropped says whether what os.StartProcess returns is lost.
func (p *program) processDropped(call *ast.CallExpr) bool {
	switch parent := p.cursor(call).Parent().Node().(type) {
	case *ast.ExprStmt:
		return true
	case *ast.AssignStmt:
		if id, ok := parent.Lhs[0].(*ast.Ident); ok {
			v := p.variable(id)
			return v == nil || v.Kind() == types.LocalVar && !p.waitsOrEscapes(v)
		}
	}
	return false
}

// waitsOrEscapes says whether somebody waits for the process in the variable, or
// may, because it is handed on.
func (p *program) waitsOrEscapes(v *types.Var) bool {
	for c := range p.tree.Root().Preorder((*ast.Ident)(nil)) {
		if p.info.Uses[c.Node().(*ast.Ident)] == v && useWaits(c) {
			return true
		}
	}
	return false
}

// useWaits says it of one use: a method that waits, or anything but the reading
// and setting of fields.
func useWaits(use inspector.Cursor) bool {
	parent := use.Parent()
	switch n := parent.Node().(type) {
	case *ast.SelectorExpr:
		switch n.Sel.Name {
		case "Wait", "Run", "Output", "CombinedOutput":
			return true
		case "Process":
			process, ok := parent.Parent().Node().(*ast.SelectorExpr)
			return !ok || process.Sel.Name == "Wait"
		}
		return false
	case *ast.AssignStmt:
		for _, e := range n.Rhs {
			if e == use.Node() {
				return true
			}
		}
		return false
	case *ast.BinaryExpr:
		return false
	}
	return true
}
