package hookvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"
)

const (
	sdkPath      = "github.com/virthook/virthook/sdk"
	hooktestPath = sdkPath + "/hooktest"
)

// programs reads a package once for all checks.
var programs = &analysis.Analyzer{
	Name:       "hookprogram",
	Doc:        "find the handlers of a package and what they reach",
	ResultType: reflect.TypeFor[*program](),
	Run:        func(pass *analysis.Pass) (any, error) { return newProgram(pass) },
}

// program is what the checks know of a package.
type program struct {
	pkg    *types.Package
	info   *types.Info
	fset   *token.FileSet
	files  []*ast.File // without tests
	tree   *inspector.Inspector
	isHook bool // it imports the SDK or has handlers

	values  values
	ignores []*ignore

	handlers []handler
	reach    *reach // of all handlers
	filters  *reach // of those that are filters
}

func newProgram(pass *analysis.Pass) (_ *program, err error) {
	p := &program{pkg: pass.Pkg, info: pass.TypesInfo, fset: pass.Fset}
	for _, f := range pass.Files {
		if !strings.HasSuffix(p.fset.File(f.Pos()).Name(), "_test.go") {
			p.files = append(p.files, f)
		}
	}
	if p.ignores, err = p.readIgnores(pass.ReadFile); err != nil {
		return nil, err
	}
	for _, imported := range p.pkg.Imports() {
		p.isHook = p.isHook || ofSDK(imported)
	}
	// Not yet known to be a hook: a generated SDK may be all that it imports. To
	// see that takes the calls only.
	p.tree = inspector.New(p.files)
	if !p.isHook && !p.returnsOptions() {
		return p, nil
	}
	p.isHook = true
	p.values = p.readValues()
	p.handlers = p.findHandlers()
	var filters []handler
	for _, h := range p.handlers {
		if h.filter {
			filters = append(filters, h)
		}
	}
	p.reach, p.filters = p.reachOf(p.handlers), p.reachOf(filters)
	return p, nil
}

// ofSDK says whether the package is the SDK or one below it, but for the test kit.
func ofSDK(pkg *types.Package) bool {
	path := pkg.Path()
	return (path == sdkPath || strings.HasPrefix(path, sdkPath+"/")) &&
		path != hooktestPath && !strings.HasPrefix(path, hooktestPath+"/") && !strings.HasPrefix(path, sdkPath+"/internal/")
}

func (p *program) returnsOptions() bool {
	for call := range inspector.All[*ast.CallExpr](p.tree) {
		if isOption(p.info.TypeOf(call)) {
			return true
		}
	}
	return false
}

// isOption says whether the type is sdk.Option.
func isOption(t types.Type) bool { return isNamed(t, sdkPath, "Option") }

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}

// callee is the function or method that is called, as far as the types say.
func (p *program) callee(call *ast.CallExpr) *types.Func {
	f, _ := typeutil.Callee(p.info, call).(*types.Func)
	if f == nil {
		return nil
	}
	return f.Origin()
}

// calleeName is such as "os.Exit" or "(*os/exec.Cmd).Start"; "" where it is not known.
func (p *program) calleeName(call *ast.CallExpr) string {
	if f := p.callee(call); f != nil {
		return f.FullName()
	}
	return ""
}

// calls yields the calls in the package, wherever they are.
func (p *program) calls(yield func(*ast.CallExpr) bool) {
	for call := range inspector.All[*ast.CallExpr](p.tree) {
		if !yield(call) {
			return
		}
	}
}

// cursor is the place of a node in the tree.
func (p *program) cursor(n ast.Node) inspector.Cursor {
	c, _ := p.tree.Root().FindNode(n)
	return c
}
