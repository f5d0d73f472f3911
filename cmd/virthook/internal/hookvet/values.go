package hookvet

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// values is what the package says its functions and variables are.
type values struct {
	functions map[*types.Func]*ast.FuncDecl
	assigned  map[*types.Var][]ast.Expr // to variables and fields, in the order of the source
	passed    map[*types.Var][]ast.Expr // for parameters, by calls in the package
	declared  map[*types.Var]bool       // by var, so that without an assignment they are empty
	changed   map[*types.Var]bool       // in ways that assigned does not show
}

func (p *program) readValues() values {
	v := values{
		functions: map[*types.Func]*ast.FuncDecl{},
		assigned:  map[*types.Var][]ast.Expr{},
		passed:    map[*types.Var][]ast.Expr{},
		declared:  map[*types.Var]bool{},
		changed:   map[*types.Var]bool{},
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			p.readValue(&v, n)
			return true
		})
	}
	return v
}

func (p *program) readValue(v *values, n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if f, ok := p.info.Defs[n.Name].(*types.Func); ok && n.Body != nil {
			v.functions[f] = n
		}
	case *ast.AssignStmt:
		if n.Tok == token.ASSIGN || n.Tok == token.DEFINE {
			p.assign(v, n.Lhs, n.Rhs)
		} else {
			v.change(p.variable(n.Lhs[0]))
		}
	case *ast.ValueSpec:
		names := make([]ast.Expr, len(n.Names))
		for i, name := range n.Names {
			names[i] = name
			if to := p.variable(name); to != nil {
				v.declared[to] = true
			}
		}
		p.assign(v, names, n.Values)
	case *ast.RangeStmt:
		for _, to := range []ast.Expr{n.Key, n.Value} {
			if to != nil {
				v.change(p.variable(to))
				p.assign(v, []ast.Expr{to}, []ast.Expr{n.X}) // for functions in a list
			}
		}
	case *ast.IncDecStmt:
		v.change(p.variable(n.X))
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			v.change(p.variable(n.X))
		}
	case *ast.CompositeLit:
		p.fields(v, n)
	case *ast.CallExpr:
		p.pass(v, n)
	}
}

func (v *values) change(of *types.Var) {
	if of != nil {
		v.changed[of] = true
	}
}

// variable is the variable or field that the expression names, or whose element.
func (p *program) variable(e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := p.info.ObjectOf(e).(*types.Var); ok {
			return v.Origin()
		}
	case *ast.SelectorExpr:
		return p.variable(e.Sel)
	case *ast.IndexExpr:
		return p.variable(e.X)
	}
	return nil
}

// assign pairs them; of a call with several results each variable gets the call.
func (p *program) assign(v *values, to, from []ast.Expr) {
	for i, e := range to {
		if to := p.variable(e); to != nil && len(from) > 0 {
			v.assigned[to] = append(v.assigned[to], from[min(i, len(from)-1)])
		}
	}
}

// fields are assigned by a literal of their struct.
func (p *program) fields(v *values, lit *ast.CompositeLit) {
	t := p.info.TypeOf(lit)
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	str, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			p.assign(v, []ast.Expr{kv.Key}, []ast.Expr{kv.Value})
		} else {
			to := str.Field(i).Origin()
			v.assigned[to] = append(v.assigned[to], e)
		}
	}
}

// pass binds what a call passes to the parameters of a function of the package.
func (p *program) pass(v *values, call *ast.CallExpr) {
	f := p.callee(call)
	if f == nil || f.Pkg() != p.pkg {
		return
	}
	params := f.Signature().Params()
	for i, arg := range call.Args {
		if params.Len() > 0 {
			to := params.At(min(i, params.Len()-1))
			v.passed[to] = append(v.passed[to], arg)
		}
	}
}

// functions are those of the package that the expression can stand for. With
// params the parameters in it stand for what calls pass.
func (p *program) functions(e ast.Expr, params bool) []ast.Node {
	r := p.newResolver(params)
	r.expr(e)
	return r.found
}

func (p *program) newResolver(params bool) *resolver {
	return &resolver{p: p, params: params, seen: map[any]bool{}, calls: map[*ast.CallExpr]bool{}}
}

type resolver struct {
	p      *program
	params bool
	seen   map[any]bool // variables and functions
	calls  map[*ast.CallExpr]bool
	found  []ast.Node
}

func (r *resolver) once(x any) bool {
	first := !r.seen[x]
	r.seen[x] = true
	return first
}

func (r *resolver) expr(e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		if r.once(e) {
			r.found = append(r.found, e)
		}
	case *ast.Ident:
		r.object(r.p.info.Uses[e])
	case *ast.SelectorExpr:
		r.object(r.p.info.Uses[e.Sel])
	case *ast.IndexExpr: // an instance of a generic function, or an element
		r.expr(e.X)
	case *ast.IndexListExpr:
		r.expr(e.X)
	case *ast.CompositeLit:
		for _, element := range e.Elts {
			if kv, ok := element.(*ast.KeyValueExpr); ok {
				element = kv.Value
			}
			if holdsFunctions(r.p.info.TypeOf(element)) {
				r.expr(element)
			}
		}
	case *ast.CallExpr:
		r.call(e)
	}
}

func (r *resolver) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Func:
		if decl := r.p.values.functions[obj.Origin()]; decl != nil && r.once(decl) {
			r.found = append(r.found, decl)
		}
	case *types.Var:
		obj = obj.Origin()
		if !r.once(obj) {
			return
		}
		for _, e := range r.p.values.assigned[obj] {
			r.expr(e)
		}
		if r.params {
			for _, e := range r.p.values.passed[obj] {
				r.expr(e)
			}
		}
	}
}

// call resolves what the called function returns. Where its body is not at hand,
// the functions that it gets stand for the result, as with sync.OnceFunc or a
// conversion.
func (r *resolver) call(call *ast.CallExpr) {
	if r.calls[call] {
		return
	}
	r.calls[call] = true
	called := resolver{p: r.p, params: r.params, seen: map[any]bool{}, calls: r.calls}
	called.expr(call.Fun)
	for _, fn := range called.found {
		r.returned(fn)
	}
	if len(called.found) > 0 {
		return
	}
	for _, arg := range call.Args {
		if holdsFunctions(r.p.info.TypeOf(arg)) {
			r.expr(arg)
		}
	}
}

func (r *resolver) returned(fn ast.Node) {
	ast.Inspect(body(fn), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			for _, e := range n.Results {
				if holdsFunctions(r.p.info.TypeOf(e)) {
					r.expr(e)
				}
			}
		}
		return true
	})
}

// holdsFunctions says whether the type is one of functions, or a list or table of such.
func holdsFunctions(t types.Type) bool {
	if t == nil {
		return false
	}
	switch t := t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Slice:
		return holdsFunctions(t.Elem())
	case *types.Array:
		return holdsFunctions(t.Elem())
	case *types.Map:
		return holdsFunctions(t.Elem())
	case *types.Tuple:
		return slices.ContainsFunc(slices.Collect(t.Variables()), func(v *types.Var) bool { return holdsFunctions(v.Type()) })
	}
	return false
}

// unknown stands in a text for what the source does not say. No text holds it.
const unknown = "\x00"

// text is the string that the expression is, with unknown in place of what only a
// run knows.
func (p *program) text(e ast.Expr) string { return p.textOf(e, map[*types.Var]bool{}) }

func (p *program) textOf(e ast.Expr, seen map[*types.Var]bool) string {
	if tv := p.info.Types[e]; tv.Value != nil && tv.Value.Kind() == constant.String {
		return constant.StringVal(tv.Value)
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		return p.textOf(e.X, seen) + p.textOf(e.Y, seen)
	case *ast.Ident:
		if v, ok := p.info.Uses[e].(*types.Var); ok {
			return p.variableText(v, seen)
		}
	case *ast.CallExpr:
		if p.calleeName(e) == "fmt.Sprintf" && len(e.Args) > 0 {
			format := p.textOf(e.Args[0], seen)
			if strings.Contains(format, "%") {
				return format + unknown
			}
			return format
		}
	}
	return unknown
}

// variableText is the text of a variable that has only one: nothing in the
// package gives it another.
func (p *program) variableText(v *types.Var, seen map[*types.Var]bool) string {
	if seen[v] || p.values.changed[v] || v.IsField() || v.Pkg() != p.pkg {
		return unknown
	}
	seen[v] = true
	from := p.values.assigned[v]
	if v.Kind() == types.ParamVar {
		from = append(from[:len(from):len(from)], p.values.passed[v]...)
	} else if len(from) == 0 && p.values.declared[v] {
		return "" // or what go:embed or the linker puts there: no guest's name
	}
	if len(from) == 0 {
		return unknown
	}
	first := p.textOf(from[0], seen)
	for _, e := range from[1:] {
		// Any of several constants will do, for they are the program's own.
		if strings.Contains(p.textOf(e, seen), unknown) {
			return unknown
		}
	}
	return first
}

// elements are those of a list that is written out, where the expression is one
// or a variable that is nothing else.
func (p *program) elements(e ast.Expr) ([]ast.Expr, bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return e.Elts, true
	case *ast.Ident:
		if v, ok := p.info.Uses[e].(*types.Var); ok && !p.values.changed[v] && v.Kind() != types.ParamVar && len(p.values.assigned[v]) == 1 {
			if lit, ok := p.values.assigned[v][0].(*ast.CompositeLit); ok {
				return lit.Elts, true
			}
		}
	}
	return nil, false
}
