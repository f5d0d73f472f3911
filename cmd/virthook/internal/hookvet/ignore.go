package hookvet

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

const ignorePrefix = "//virthook:ignore"

// ignore is a comment that silences one check on its line or, where it stands
// alone, on the next.
type ignore struct {
	at     *ast.Comment
	file   *token.File
	line   int // that it silences
	name   string
	reason string
}

// silencers are comments that silenced a finding.
type silencers map[*ignore]bool

func (p *program) readIgnores(read func(name string) ([]byte, error)) (found []*ignore, err error) {
	for _, f := range p.files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				text, ok := strings.CutPrefix(c.Text, ignorePrefix)
				if !ok || text != "" && text[0] != ' ' && text[0] != '\t' {
					continue
				}
				text, _, _ = strings.Cut(text, "//") // a comment on the comment
				name, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
				file := p.fset.File(c.Pos())
				source, err := read(file.Name())
				if err != nil {
					return nil, err
				}
				line := file.Line(c.Pos())
				if start := file.Offset(file.LineStart(line)); len(bytes.TrimSpace(source[start:file.Offset(c.Pos())])) == 0 {
					line++ // it stands alone
				}
				found = append(found, &ignore{c, file, line, name, strings.TrimSpace(reason)})
			}
		}
	}
	return found, nil
}

// silencer is the comment that silences the check's findings there.
func (p *program) silencer(check string, at token.Pos) *ignore {
	file := p.fset.File(at)
	line := file.Line(at)
	for _, i := range p.ignores {
		if i.name == check && i.reason != "" && i.file == file && i.line == line {
			return i
		}
	}
	return nil
}

// ignoreAnalyzer reports comments that silence nothing, for a wrong one hides the
// next mistake on its line.
func ignoreAnalyzer() *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: "ignore",
		Doc: `find //virthook:ignore comments that silence nothing

//virthook:ignore NAME reason, at the end of a line or on the line above, silences
the check NAME there. The reason is required.`,
		Requires: append(checks[:len(checks):len(checks)], programs),
		Run:      runIgnore,
	}
}

func runIgnore(pass *analysis.Pass) (any, error) {
	used := silencers{}
	for _, c := range checks {
		for i := range pass.ResultOf[c].(silencers) {
			used[i] = true
		}
	}
	names := checkNames()
	for _, i := range pass.ResultOf[programs].(*program).ignores {
		switch {
		case i.name == "":
			pass.ReportRangef(i.at, "no check named: write %s NAME reason (ignore)", ignorePrefix)
		case !slices.Contains(names, i.name):
			pass.ReportRangef(i.at, "there is no check %q, only %s (ignore)", i.name, strings.Join(names, ", "))
		case i.reason == "":
			pass.ReportRangef(i.at, "no reason given: write %s %s reason (ignore)", ignorePrefix, i.name)
		case !used[i]:
			pass.ReportRangef(i.at, "this silences nothing: there is no finding of %s here (ignore)", i.name)
		}
	}
	return nil, nil
}

func checkNames() []string {
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.Name
	}
	return names
}
