package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/unitchecker"
	"golang.org/x/tools/go/packages"

	"github.com/virthook/virthook/cmd/virthook/internal/hookvet"
)

func newVet() *cobra.Command {
	var tags string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "vet [PACKAGE…]",
		Short: "Find mistakes in hook programs",
		Long: `Find mistakes in hook programs that compile and that tests seldom show.

PACKAGE is as for the go command, which must be there; without one it is the
package of the current folder. Packages that do not use the SDK pass. Each finding
is a line on standard output, and makes the exit status 1. A comment silences one,
at the end of its line or on the line above:

  //virthook:ignore NAME reason

The checks run in go vet as well: go vet -vettool=$(which virthook) PACKAGE…

The checks, by name:

` + vetChecks() + `A handler is what a package passes to the SDK. In its reach are the functions and
function literals of the same package that it mentions, and so on. Not followed are
calls through interfaces and into other packages; tests are left out.`,
		Example: `  virthook vet ./...
  virthook vet --json --tags integration ./hooks`,
		Args: cobra.ArbitraryArgs,
		RunE: action(func(cmd *cobra.Command, args []string) error {
			findings, err := vet(cmd.Context(), tags, args)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), vetted{Version: 1, Findings: findings})
			} else {
				err = findingLines(cmd.OutOrStdout(), findings)
			}
			switch {
			case err != nil:
				return err
			case len(findings) == 1:
				return errors.New("1 finding")
			case len(findings) > 0:
				return fmt.Errorf("%d findings", len(findings))
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&tags, "tags", "", "build tags, a `LIST` with commas")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// vetChecks describes the checks, for the help.
func vetChecks() string {
	var b strings.Builder
	for _, a := range hookvet.Analyzers() {
		doc := strings.ReplaceAll(a.Doc, "\n", "\n    ")
		fmt.Fprintf(&b, "  %s: %s\n\n", a.Name, strings.ReplaceAll(doc, "    \n", "\n"))
	}
	return b.String()
}

// vetted is what vet --json prints.
type vetted struct {
	Version  int       `json:"version"`
	Findings []finding `json:"findings"` // by file and line
}

type finding struct {
	Path    string `json:"path"` // from the current folder, where it is below
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Check   string `json:"check"`
	Message string `json:"message"`
}

func findingLines(to io.Writer, findings []finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(to, "%s:%d:%d: %s\n", f.Path, f.Line, f.Column, f.Message); err != nil {
			return err
		}
	}
	return nil
}

// vet runs the checks on the packages that match the patterns.
func vet(ctx context.Context, tags string, patterns []string) ([]finding, error) {
	pkgs, err := packages.Load(&packages.Config{
		Context:    ctx,
		Mode:       packages.LoadSyntax | packages.NeedModule,
		BuildFlags: []string{"-tags=" + tags},
	}, patterns...)
	if err != nil {
		return nil, err
	}
	if problems := loadProblems(pkgs); len(problems) > 0 {
		return nil, errors.New(strings.Join(problems, "\n"))
	}
	if len(pkgs) == 0 {
		return nil, fmt.Errorf("no packages match %s", strings.Join(patterns, " "))
	}
	graph, err := checker.Analyze(hookvet.Analyzers(), pkgs, nil)
	if err != nil {
		return nil, err
	}
	return findings(graph)
}

// loadProblems says why packages cannot be looked at. The go command repeats, as an
// error of listing, what the parser and the type checker say.
func loadProblems(pkgs []*packages.Package) (problems []string) {
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		listing := !slices.ContainsFunc(p.Errors, func(e packages.Error) bool { return e.Kind != packages.ListError })
		for _, e := range p.Errors {
			switch {
			case (e.Kind == packages.ListError) != listing:
			case e.Pos == "" || e.Pos == "-":
				problems = append(problems, e.Msg)
			default:
				problems = append(problems, e.Error())
			}
		}
	})
	return problems
}

func findings(graph *checker.Graph) ([]finding, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	found := []finding{}
	for _, action := range graph.Roots {
		if action.Err != nil {
			return nil, fmt.Errorf("%s: %w", action, action.Err)
		}
		for _, d := range action.Diagnostics {
			at := action.Package.Fset.Position(d.Pos)
			if rel, err := filepath.Rel(dir, at.Filename); err == nil && filepath.IsLocal(rel) {
				at.Filename = rel
			}
			found = append(found, finding{at.Filename, at.Line, at.Column, action.Analyzer.Name, d.Message})
		}
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return found, nil
}

// vetTool is go vet's protocol, of which no call is a command line of ours: go vet
// asks for the version and the flags, and then passes a file a package.
func vetTool(args []string) bool {
	if len(args) == 1 && (args[0] == "-V=full" || args[0] == "-flags") {
		return true
	}
	return len(args) > 0 && strings.HasSuffix(args[len(args)-1], ".cfg") &&
		!slices.ContainsFunc(args[:len(args)-1], func(a string) bool { return !strings.HasPrefix(a, "-") })
}

// runVetTool answers go vet and exits.
func runVetTool() { unitchecker.Main(hookvet.Analyzers()...) }
