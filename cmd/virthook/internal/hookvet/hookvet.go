// Package hookvet finds mistakes in hook programs that compile and that tests
// seldom show: what deadlocks libvirt, loses the exit status or runs a guest's
// name in a shell.
//
// A package is looked at when it imports the SDK. Its handlers are the functions
// that it passes to functions of the SDK, or to functions of other packages that
// return an sdk.Option, as those of a generated SDK do. Most checks are about what
// handlers reach: themselves, the functions of the same package that they mention,
// whether they call them or pass them on, and the function literals in variables,
// fields and tables that they mention.
//
// What is not followed: calls through interfaces, functions that reflection finds,
// and other packages, of which only those that import the SDK are looked at, each on
// its own. Nor does the order of statements count: a variable stands for all that it
// is ever set to. Test files are left out.
package hookvet

import (
	"fmt"
	"go/ast"
	"reflect"

	"golang.org/x/tools/go/analysis"
)

// checks find mistakes; Analyzers has one more.
var checks = []*analysis.Analyzer{
	libvirtClient, exit, stdout, leftBehind, droppedError, goroutine, shell,
}

// Analyzers returns the checks, and the one that finds comments that silence nothing.
func Analyzers() []*analysis.Analyzer {
	return append(checks[:len(checks):len(checks)], ignoreAnalyzer())
}

// report is a finding at a place. The message need not name the check.
type report func(at ast.Node, format string, args ...any)

// check makes an analyzer whose findings comments can silence. Its result are
// the comments that did.
func check(name, doc string, run func(*program, report)) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name:       name,
		Doc:        doc,
		Requires:   []*analysis.Analyzer{programs},
		ResultType: reflect.TypeFor[silencers](),
		Run: func(pass *analysis.Pass) (any, error) {
			p := pass.ResultOf[programs].(*program)
			used := silencers{}
			if !p.isHook {
				return used, nil
			}
			run(p, func(at ast.Node, format string, args ...any) {
				if i := p.silencer(name, at.Pos()); i != nil {
					used[i] = true
					return
				}
				// go vet does not print the name, which the comment needs.
				pass.ReportRangef(at, "%s (%s)", fmt.Sprintf(format, args...), name)
			})
			return used, nil
		},
	}
}
