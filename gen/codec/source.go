package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// libvirtxmlPath is the package whose types are coded.
const libvirtxmlPath = "libvirt.org/go/libvirtxml"

// source is libvirtxml as the compiler sees it.
type source struct {
	version string
	pkg     *types.Package
	// bodies is a digest of the text of each custom XML method, by
	// "Type.Method": the table of unions describes that text, so that a change of
	// it has to be looked at.
	bodies map[string]string
}

// load type-checks the libvirtxml of the module that dir is in.
func load(dir string) (*source, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}\n{{.Version}}", libvirtxmlPath)
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", libvirtxmlPath, err)
	}
	folder, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	s := &source{version: version, bodies: map[string]string{}}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
		if err := s.digest(fset, file); err != nil {
			return nil, err
		}
	}
	config := types.Config{
		Importer:         importer.ForCompiler(fset, "source", nil),
		IgnoreFuncBodies: true,
	}
	s.pkg, err = config.Check(libvirtxmlPath, fset, files, nil)
	return s, err
}

// digest records the custom XML methods of a file.
func (s *source) digest(fset *token.FileSet, file *ast.File) error {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Name.Name != "UnmarshalXML" && f.Name.Name != "MarshalXML" {
			continue
		}
		star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
		if !ok {
			return fmt.Errorf("%s: %s has no pointer receiver", fset.Position(f.Pos()), f.Name.Name)
		}
		var text bytes.Buffer
		if err := printer.Fprint(&text, fset, f.Body); err != nil {
			return err
		}
		sum := sha256.Sum256(text.Bytes())
		s.bodies[star.X.(*ast.Ident).Name+"."+f.Name.Name] = hex.EncodeToString(sum[:4])
	}
	return nil
}
