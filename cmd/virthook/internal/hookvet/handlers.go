package hookvet

import (
	"go/ast"
	"go/types"
	"slices"
)

// handler is a function that the SDK gets to call.
type handler struct {
	name   string // of the function that it was passed to: OnQemuStartBegin
	fn     ast.Node
	filter bool
}

// findHandlers lists them in the order of the source.
func (p *program) findHandlers() (found []handler) {
	for call := range p.calls {
		to, ok := p.takesHandlers(call)
		if !ok {
			continue
		}
		for _, arg := range call.Args {
			for _, fn := range p.functionsIn(arg) {
				found = append(found, handler{to, fn, p.isFilter(call)})
			}
		}
	}
	return found
}

// functionsIn are the functions that an argument passes: itself, its elements or,
// of a struct, what the package ever sets its fields to.
func (p *program) functionsIn(arg ast.Expr) []ast.Node {
	t := p.info.TypeOf(arg)
	if holdsFunctions(t) {
		return p.functions(arg, true)
	}
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	str, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	r := p.newResolver(true)
	for f := range str.Fields() {
		if holdsFunctions(f.Type()) {
			r.object(f)
		}
	}
	return r.found
}

// takesHandlers says whether the functions that the call passes are handlers, and
// the name of what it calls. What a function of the package does with those that
// it gets, its own calls tell.
func (p *program) takesHandlers(call *ast.CallExpr) (name string, ok bool) {
	to := p.callee(call)
	if to == nil {
		return types.ExprString(call.Fun), isOption(p.info.TypeOf(call))
	}
	if to.Pkg() == p.pkg {
		return "", false
	}
	name = to.Name()
	if to.Pkg() != nil && to.Pkg().Path() != sdkPath {
		name = to.Pkg().Name() + "." + name
	}
	return name, isOption(p.info.TypeOf(call)) || to.Pkg() != nil && ofSDK(to.Pkg())
}

// isFilter says whether the call makes a filter: it takes a function that returns
// the document it gets, or one of an event that is a filter, or names such an event.
func (p *program) isFilter(call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		t := p.info.TypeOf(arg)
		sig, ok := t.Underlying().(*types.Signature)
		if !ok {
			return isFilterEvent(t)
		}
		if sig.Params().Len() == 1 && sig.Results().Len() == 2 {
			in, out := sig.Params().At(0).Type(), sig.Results().At(0).Type()
			_, pointer := in.(*types.Pointer)
			return pointer && types.Identical(in, out)
		}
		for v := range sig.Params().Variables() {
			if isFilterEvent(v.Type()) {
				return true
			}
		}
		return false
	})
}

// isFilterEvent says whether it is a pointer to a struct that embeds sdk.Filter.
func isFilterEvent(t types.Type) bool {
	pointer, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return false
	}
	event, ok := pointer.Elem().Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range event.Fields() {
		if f.Embedded() && isNamed(f.Type(), sdkPath, "Filter") {
			return true
		}
	}
	return false
}

// reach is the functions that handlers get to.
type reach struct {
	p         *program
	functions []ast.Node          // *ast.FuncDecl or *ast.FuncLit, each once
	from      map[ast.Node]string // the name of the first handler that gets there
}

func (p *program) reachOf(handlers []handler) *reach {
	r := &reach{p: p, from: map[ast.Node]string{}}
	for _, h := range handlers {
		r.add(h.fn, h.name)
	}
	for i := 0; i < len(r.functions); i++ { // it grows
		from := r.from[r.functions[i]]
		ast.Inspect(body(r.functions[i]), func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				for _, fn := range p.mentioned(id) {
					r.add(fn, from)
				}
			}
			return true
		})
	}
	return r
}

func (r *reach) add(fn ast.Node, from string) {
	if _, known := r.from[fn]; !known {
		r.from[fn] = from
		r.functions = append(r.functions, fn)
	}
}

// mentioned are the functions that an identifier in reach brings in. A parameter
// brings none: what is passed for it in reach is mentioned there.
func (p *program) mentioned(id *ast.Ident) []ast.Node {
	switch obj := p.info.Uses[id].(type) {
	case *types.Func:
		return p.functions(id, false)
	case *types.Var:
		if holdsFunctions(obj.Type()) {
			return p.functions(id, false)
		}
	}
	return nil
}

// each visits the nodes in reach, every one once, with the name of a handler
// that gets there.
func (r *reach) each(visit func(n ast.Node, from string)) {
	for _, fn := range r.functions {
		ast.Inspect(body(fn), func(n ast.Node) bool {
			if n == nil {
				return false
			}
			if _, own := r.from[n]; own {
				return false // has its own turn
			}
			visit(n, r.from[fn])
			return true
		})
	}
}

func body(fn ast.Node) *ast.BlockStmt {
	if decl, ok := fn.(*ast.FuncDecl); ok {
		return decl.Body
	}
	return fn.(*ast.FuncLit).Body
}
