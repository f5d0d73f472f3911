package hookvet

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// Each check has a package of its name: mistakes with what is said of them, and good
// ways of doing the same without.
func TestChecks(t *testing.T) {
	t.Parallel()
	require.NoError(t, analysis.Validate(Analyzers()))
	of := map[string]*analysis.Analyzer{"nohandlers": libvirtClient, "reach": exit}
	for _, c := range checks {
		of[c.Name] = c
	}
	// One analyzer for all, since what takes time is to load the standard library.
	analysistest.Run(t, analysistest.TestData(), &analysis.Analyzer{
		Name:     "checks",
		Doc:      "run the check that the package is for",
		Requires: []*analysis.Analyzer{programs},
		Run: func(pass *analysis.Pass) (any, error) {
			if of[pass.Pkg.Path()] == nil { // the main package of reach's test
				return nil, nil
			}
			_, err := of[pass.Pkg.Path()].Run(pass)
			return nil, err
		},
	}, slices.Sorted(maps.Keys(of))...)
}

func TestIgnore(t *testing.T) {
	t.Parallel()
	analysistest.Run(t, analysistest.TestData(), ignoreAnalyzer(), "ignore")
}

// What is no hook program is left alone, except that nothing there can be silenced.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for _, r := range analysistest.Run(t, analysistest.TestData(), ignoreAnalyzer(), "elsewhere") {
		for _, c := range r.Action.Deps {
			assert.Empty(t, c.Diagnostics, c.Analyzer)
		}
	}
}

// An ignore silences its line alone: of the seven exits three stay silent.
func TestIgnoredLines(t *testing.T) {
	t.Parallel()
	var lines []int
	for _, r := range analysistest.Run(quiet{}, analysistest.TestData(), exit, "ignore") {
		for _, d := range r.Diagnostics {
			lines = append(lines, r.Action.Package.Fset.Position(d.Pos).Line)
		}
	}
	slices.Sort(lines)
	assert.Equal(t, []int{17, 20, 26, 29}, lines)
}

// quiet is a test that minds no findings: those of another check are wanted there.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}

func TestScriptPrograms(t *testing.T) {
	for script, want := range map[string][]string{
		"":                         nil,
		"a b c":                    {"a"},
		"a; b|c && d || e":         {"a", "b", "c", "d", "e"},
		"/usr/bin/a\n\tb":          {"a", "b"},
		"X=1 a $(b c) `d`":         {"a", "b", "d"},
		"sudo -n a; env X=1 b":     {"a", "b"},
		"if a; then b; else c; fi": {"a", "b", "c", "fi"},
		"! a":                      {"a"},
		"timeout 5s a":             {"a"},
		`a "b; c" 'd; e' "$(f)"`:   {"a", "f"},
		"a 2>&1 b; c &>x d":        {"a", "c"},
		"a " + unknown + "; b":     {"a", "b"},
		"'a b'; \"c\"":             {"a b", "c"},
		"(a; { b; }) >x":           {"a", "b"},
	} {
		names, _ := scriptPrograms(script)
		assert.Equal(t, want, names, script)
	}
	for script, want := range map[string]bool{
		"a &": true, "a & b": true, "(a)&": true, "a >x 2>&1 &": true,
		"a && b": false, "a 2>&1": false, "a &>x": false, "a <&3": false, "'a &'": false, `"a &"`: false,
	} {
		_, background := scriptPrograms(script)
		assert.Equal(t, want, background, script)
	}
}
