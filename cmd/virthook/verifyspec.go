package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/spec"
)

func newVerifySpec() *cobra.Command {
	var specDir specFlag
	cmd := &cobra.Command{
		Use:   "verify-spec LIBVIRT-SOURCE",
		Short: "Compare the spec with a source tree of libvirt",
		Long: `Compare the spec with the operations in src/util/virhook.c of a source tree of
libvirt. Every difference is a line, and makes the exit status 1.`,
		Args: operands(1, "LIBVIRT-SOURCE"),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			s, err := specDir.load()
			if err != nil {
				return err
			}
			path := filepath.Join(args[0], "src", "util", "virhook.c")
			src, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("no source of libvirt: %w", err)
			}
			tables, err := spec.ParseVirhook(src)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			v := spec.SourceVersion(os.DirFS(args[0]))
			if diff := s.Compare(tables, v); len(diff) > 0 {
				return errors.New(strings.Join(diff, "\n"))
			}
			of := "libvirt " + string(v)
			if v == "" {
				of = "a libvirt of unknown version"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d operations agree with %s\n", tables.Count(), of)
			return err
		}),
	}
	specDir.add(cmd.Flags())
	return cmd
}
