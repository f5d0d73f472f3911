package fleet

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/virthook/virthook/spec"
)

const sdkPath = "github.com/virthook/virthook/sdk"

// Package is a handler package, as it is for one target.
type Package struct {
	path, name string
	settings   *types.Named // of Hooks; nil: it takes none
	unfit      bool         // there are problems with Hooks or Settings
	sizes      types.Sizes
	fset       *token.FileSet
	relative   func(file string) string
	mentions   mentions
}

// mentions is what a package and those of the project that it imports name of the SDK.
type mentions struct {
	ops     map[string]mention // by the operation's ID
	reasons map[string]mention // by the enum's name, the first of its words
	any     bool               // OnAny: every call
	domains bool               // OnDomain: every guest operation
}

type mention struct {
	what string // OnQemuStartBegin
	file string
	line int
}

// goModule is the Go module of a project.
type goModule struct {
	root string // its folder
	path string
	from string // the folder of virthook.yaml, to which packages are relative
	cwd  string
}

// findModule looks for the go.mod of the project that the file belongs to.
func findModule(file string) (*goModule, error) {
	from, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	if from, err = filepath.EvalSymlinks(from); err != nil { // as the go command does
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for root := from; ; root = filepath.Dir(root) {
		data, err := os.ReadFile(filepath.Join(root, "go.mod"))
		switch {
		case err == nil:
			m := &goModule{root: root, path: modfile.ModulePath(data), from: from, cwd: cwd}
			if m.path == "" {
				return nil, fmt.Errorf("%s: no module path", filepath.Join(root, "go.mod"))
			}
			return m, nil
		case !errors.Is(err, os.ErrNotExist):
			return nil, err
		case root == filepath.Dir(root):
			return nil, fmt.Errorf("%s: no go.mod beside it or above: it belongs into the root of a Go module", file)
		}
	}
}

// importPath is that of a package as a set names it.
func (m *goModule) importPath(name string) string {
	if rel, ok := strings.CutPrefix(name, "./"); ok {
		below, _ := filepath.Rel(m.root, m.from)
		return path.Join(m.path, filepath.ToSlash(below), rel)
	}
	return path.Clean(name)
}

// folder is that of a package of the module; own: it is one.
func (m *goModule) folder(importPath string) (dir string, own bool) {
	rel, own := strings.CutPrefix(importPath, m.path+"/")
	return filepath.Join(m.root, filepath.FromSlash(rel)), own
}

// short is a file's path for messages.
func (m *goModule) short(file string) string {
	for _, dir := range []string{m.cwd, m.root} {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return file
}

// goEnv is the environment in which the go command builds for a target.
func goEnv(target string) []string {
	goos, goarch, _ := strings.Cut(target, "/")
	return append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
}

// buildFlags make that nothing of this machine gets into a program. All calls of the go
// command have them, so that they share what it has compiled.
var buildFlags = []string{"-trimpath", "-buildvcs=false"}

// loadPackages loads handler packages for a target. The wanted are import paths with the
// places that name them, to which problems belong that have no place in Go.
func loadPackages(ctx context.Context, m *goModule, s *spec.Spec, target string, wanted map[string]place, into *list) (map[string]*Package, error) {
	cfg := &packages.Config{
		Context:    ctx,
		Dir:        m.root,
		Env:        goEnv(target),
		BuildFlags: buildFlags,
		Mode:       packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedModule | packages.NeedFiles,
	}
	var paths []string
	for p := range wanted {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	before := len(into.problems)
	graph, err := packages.Load(cfg, paths...)
	if err != nil {
		return nil, err
	}
	own := map[string][]string{} // what else of the project a package imports
	load := map[string]bool{}
	for _, p := range graph {
		m.listProblems(p, wanted[p.PkgPath], into)
		packages.Visit([]*packages.Package{p}, nil, func(q *packages.Package) {
			if q.Module != nil && q.Module.Main && !ofSDK(q.PkgPath) || q == p {
				own[p.PkgPath] = append(own[p.PkgPath], q.PkgPath)
				load[q.PkgPath] = true
			}
		})
	}
	if len(into.problems) > before {
		return nil, nil
	}

	// Of these the source is read; of what they import the go command has what it takes.
	cfg.Fset = token.NewFileSet()
	cfg.Mode = packages.LoadSyntax | packages.NeedModule
	var all []string
	for p := range load {
		all = append(all, p)
	}
	slices.Sort(all)
	loaded, err := packages.Load(cfg, all...)
	if err != nil {
		return nil, err
	}
	byPath := map[string]*packages.Package{}
	for _, p := range loaded {
		byPath[p.PkgPath] = p
		m.listProblems(p, wanted[p.PkgPath], into)
	}
	if len(into.problems) > before {
		return nil, nil
	}
	out := map[string]*Package{}
	named := newNames(s)
	for _, path := range paths {
		p := &Package{path: path, name: byPath[path].Name, sizes: byPath[path].TypesSizes, fset: cfg.Fset, relative: m.short}
		for _, q := range own[path] {
			p.addMentions(byPath[q], named)
		}
		before := len(into.problems)
		p.checkHooks(byPath[path].Types, wanted[path], into)
		p.unfit = len(into.problems) > before
		out[path] = p
	}
	return out, nil
}

// place is where in a YAML file something is said.
type place struct {
	file string
	line int
	text string // how
}

// listProblems adds what the go command and the compiler have against a package. The go
// command repeats, as an error of listing, what the parser and the type checker say.
func (m *goModule) listProblems(p *packages.Package, at place, into *list) {
	listing := !slices.ContainsFunc(p.Errors, func(e packages.Error) bool { return e.Kind != packages.ListError })
	for _, e := range p.Errors {
		if (e.Kind == packages.ListError) != listing {
			continue
		}
		text := strings.TrimSpace(strings.ReplaceAll(e.Msg, "\n", " "))
		file, line := splitPosition(e.Pos)
		switch {
		case file != "":
			if !filepath.IsAbs(file) {
				file = filepath.Join(m.root, file)
			}
			into.in(m.short(file), line, "%s", text)
		case at.file != "":
			into.in(at.file, at.line, "package %s: %s", at.text, text)
		default:
			into.in(p.PkgPath, 0, "%s", text)
		}
	}
}

// splitPosition reads FILE:LINE:COLUMN.
func splitPosition(pos string) (file string, line int) {
	if pos == "" || pos == "-" {
		return "", 0
	}
	parts := strings.Split(pos, ":")
	for len(parts) > 1 {
		n, err := strconv.Atoi(parts[len(parts)-1])
		if err != nil {
			break
		}
		line, parts = n, parts[:len(parts)-1]
	}
	return strings.Join(parts, ":"), line
}

func ofSDK(path string) bool { return path == sdkPath || strings.HasPrefix(path, sdkPath+"/") }

func isNamed(t types.Type, path, name string) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}

// checkHooks finds Hooks, and Settings when it takes that.
func (p *Package) checkHooks(pkg *types.Package, at place, into *list) {
	const want = "it is func Hooks() sdk.Option, or with an exported struct Settings func Hooks(s Settings) sdk.Option"
	if p.name == "main" {
		into.in(at.file, at.line, "package %s is a program (package main), which cannot be imported: move Hooks into a package of its own", at.text)
		return
	}
	hooks := pkg.Scope().Lookup("Hooks")
	if hooks == nil {
		into.in(at.file, at.line, "package %s has no Hooks: %s", at.text, want)
		return
	}
	file, line := p.position(hooks.Pos())
	wrong := func() { into.in(file, line, "Hooks has the wrong type: %s", want) }
	f, ok := hooks.(*types.Func)
	if !ok {
		wrong()
		return
	}
	sig := f.Signature()
	if sig.TypeParams() != nil || sig.Variadic() || sig.Params().Len() > 1 || sig.Results().Len() != 1 || !isNamed(sig.Results().At(0).Type(), sdkPath, "Option") {
		wrong()
		return
	}
	if sig.Params().Len() == 0 {
		return
	}
	settings, ok := types.Unalias(sig.Params().At(0).Type()).(*types.Named)
	if !ok || settings.Obj().Name() != "Settings" || settings.Obj().Pkg() != pkg || settings.TypeParams() != nil {
		wrong()
		return
	}
	if _, ok := settings.Underlying().(*types.Struct); !ok {
		wrong()
		return
	}
	p.settings = settings
	p.checkTypes(into)
}

// names is what functions, event types and enums of the SDK stand for.
type names struct {
	events  map[string]*spec.Op   // by the name of the event type
	reasons map[string]*spec.Enum // by the name of the type
}

func newNames(s *spec.Spec) names {
	n := names{map[string]*spec.Op{}, map[string]*spec.Enum{}}
	for o := range s.All() {
		n.events[o.GoName()] = o
	}
	for _, e := range s.Enums {
		n.reasons[e.GoName()] = e
	}
	return n
}

// addMentions goes through the source in its order, so that the first place is kept.
func (p *Package) addMentions(pkg *packages.Package, n names) {
	m := &p.mentions
	if m.ops == nil {
		m.ops, m.reasons = map[string]mention{}, map[string]mention{}
	}
	info := pkg.TypesInfo
	add := func(to map[string]mention, key, what string, at ast.Node) {
		if _, known := to[key]; !known {
			file, line := p.position(at.Pos())
			to[key] = mention{what, file, line}
		}
	}
	event := func(t types.Type, at ast.Node) {
		pointer, ok := types.Unalias(t).(*types.Pointer)
		if !ok {
			return
		}
		if named, ok := types.Unalias(pointer.Elem()).(*types.Named); ok {
			if o := n.events[named.Obj().Name()]; o != nil && isEvent(named) {
				add(m.ops, o.ID(), named.Obj().Name(), at)
			}
		}
	}
	for _, f := range pkg.Syntax {
		ast.Inspect(f, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.Ident:
				switch obj := info.Uses[node].(type) {
				case *types.Func:
					p.mentionsFunction(obj, node, n, add)
					if isSDK(obj, "On") { // the type argument names the operation
						if args := info.Instances[node].TypeArgs; args.Len() == 1 {
							event(args.At(0), node)
						}
					}
				case *types.Const:
					if named, ok := types.Unalias(obj.Type()).(*types.Named); ok && isEnum(named) {
						if e := n.reasons[named.Obj().Name()]; e != nil {
							add(m.reasons, e.Name, obj.Name(), node)
						}
					}
				}
			case *ast.CallExpr:
				if to, ok := typeutil.Callee(info, node).(*types.Func); ok && isSDK(to, "OnEach") {
					for _, arg := range node.Args {
						event(info.TypeOf(arg), arg)
					}
				}
			}
			return true
		})
	}
}

func isSDK(f *types.Func, name string) bool {
	return f.Pkg() != nil && f.Pkg().Path() == sdkPath && f.Name() == name
}

// mentionsFunction knows the functions of generated SDKs, ours or another: they bear the
// operation's name and return an sdk.Option.
func (p *Package) mentionsFunction(f *types.Func, at ast.Node, n names, add func(map[string]mention, string, string, ast.Node)) {
	switch {
	case isSDK(f, "OnAny"):
		p.mentions.any = true
	case isSDK(f, "OnDomain"):
		p.mentions.domains = true
	}
	results := f.Signature().Results()
	if name, ok := strings.CutPrefix(f.Name(), "On"); ok && results.Len() == 1 && isNamed(results.At(0).Type(), sdkPath, "Option") {
		if o := n.events[name]; o != nil {
			add(p.mentions.ops, o.ID(), f.Name(), at)
		}
	}
}

// isEvent says whether the type is an event of a generated SDK: it embeds an *sdk.Call.
func isEvent(t *types.Named) bool {
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range st.Fields() {
		if pointer, ok := types.Unalias(f.Type()).(*types.Pointer); ok && f.Embedded() && isNamed(pointer.Elem(), sdkPath, "Call") {
			return true
		}
	}
	return false
}

// isEnum says whether the type may be an enum of a generated SDK.
func isEnum(t *types.Named) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.String && t.Obj().Pkg() != nil && ofSDK(t.Obj().Pkg().Path())
}
