package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/virthook/virthook/gen"
)

func newGenerate() *cobra.Command {
	var specDir specFlag
	var out string
	var check bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Generate the SDK from the spec",
		Long: `Generate the SDK from the spec.

Files that are up to date are not touched, generated files that the spec no
longer has are removed, and a file that was not generated is never overwritten.
The import path of the package comes from the go.mod above the folder.`,
		Args: operands(0),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			s, err := specDir.load()
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("out") {
				out = defaultOut()
			}
			importPath, err := importPathOf(out)
			if err != nil {
				return err
			}
			files, err := gen.Render(s, gen.Options{ImportPath: importPath})
			if err != nil {
				return err
			}
			p, err := newPlan(out, files)
			if err != nil {
				return err
			}
			if check {
				if lines := p.stale(); len(lines) > 0 {
					return errors.New(strings.Join(append(lines, "to bring them up to date: "+generateCommand(specDir.dir, out)), "\n"))
				}
			} else if err := p.apply(); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), p.summary())
			return err
		}),
	}
	specDir.add(cmd.Flags())
	cmd.Flags().StringVar(&out, "out", "", "the `FOLDER` of the package; default: sdk in the root of a module that has one, else the current folder")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, fail when a file is not up to date")
	return cmd
}

// importPathOf is the import path that a package in the folder, which need not
// exist yet, has in the module around it.
func importPathOf(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for root := dir; ; root = filepath.Dir(root) {
		file := filepath.Join(root, "go.mod")
		data, err := os.ReadFile(file)
		switch {
		case err == nil:
			name := modfile.ModulePath(data)
			if name == "" {
				return "", fmt.Errorf("%s: no module path", file)
			}
			rel, err := filepath.Rel(root, dir)
			if err != nil {
				return "", err
			}
			importPath := path.Join(name, filepath.ToSlash(rel))
			return importPath, module.CheckImportPath(importPath)
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		case root == filepath.Dir(root):
			return "", fmt.Errorf("%s: no go.mod here or above, so the package has no import path", dir)
		}
	}
}

// generateCommand is what to run to bring the files up to date.
func generateCommand(specDir, out string) string {
	words := []string{"virthook", "generate"}
	if specDir != "" {
		words = append(words, "--spec", shellQuote(specDir))
	}
	if out != "." {
		words = append(words, "--out", shellQuote(out))
	}
	return strings.Join(words, " ")
}

// shellQuote is for a line that people copy to their shell.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// defaultOut is where an SDK belongs: a package in the root of a module is not it.
func defaultOut() string {
	mod, errMod := os.Stat("go.mod")
	sdk, errSDK := os.Stat("sdk")
	if errMod == nil && errSDK == nil && mod.Mode().IsRegular() && sdk.IsDir() {
		return "sdk"
	}
	return "."
}
