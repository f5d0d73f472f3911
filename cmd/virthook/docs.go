package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/mod/module"

	"github.com/virthook/virthook/gen"
	"github.com/virthook/virthook/gen/docs"
	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/spec"
)

//go:generate go run . docs --out ../../docs/reference

// sdkPath is the package that the built-in spec is generated to.
const sdkPath = "github.com/virthook/virthook/sdk"

func newDocs() *cobra.Command {
	var specDir specFlag
	var libvirt libvirtFlag
	var formats []string
	var out, sdk string
	var check bool
	cmd := &cobra.Command{
		Use:   "docs",
		Short: "Write the reference of all operations: Markdown, manual pages, HTML",
		Long: `Write the reference of all operations: Markdown, manual pages, HTML.

md is a page for each driver with pictures of what is called when, html one page
with search and a switch for versions that needs no network, man the manual
pages virthook-hooks(7) and virthook(1) with one for each command. They go to a
folder that may hold other files: one that was not generated is never
overwritten, and generated files that the spec no longer has are removed.

With --libvirt only what that version has is told, as it has it. With --spec the
operations are those of a spec of your own.

  virthook docs --format html -o .
  virthook docs --format man -o /usr/local/share
  virthook docs --libvirt 11.3.0 -o hooks-of-debian-13`,
		Args: operands(0),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			for _, f := range formats {
				if !slices.Contains(docs.Formats, f) {
					return misusef("--format: unknown format %q: one of %s", f, strings.Join(docs.Formats, ", "))
				}
			}
			if len(formats) == 0 {
				return misusef("--format names none of %s", strings.Join(docs.Formats, ", "))
			}
			if out == "" {
				return misusef("--out is missing: the folder to write to")
			}
			if err := module.CheckImportPath(sdk); err != nil {
				return misusef("--sdk: %w", err)
			}
			if _, err := gen.PackageName(sdk); err != nil {
				return misusef("--sdk: %w", err)
			}
			v, err := libvirt.version()
			if err != nil {
				return err
			}
			s, err := specDir.load()
			if err != nil {
				return err
			}
			if v != "" && !slices.ContainsFunc(slices.Collect(s.All()), func(o *spec.Op) bool { return o.In(v) }) {
				return fmt.Errorf("libvirt %s has none of the spec's operations", v)
			}
			files, err := documentation(cmd.Root(), s, formats, docs.Options{Libvirt: v, SDK: sdk, Sample: sampleFor(v)})
			if err != nil {
				return err
			}
			var also []string
			for _, format := range formats {
				also = append(also, docs.Places[format]...)
			}
			p, err := newPlan(out, files, also...)
			if err != nil {
				return err
			}
			if check {
				if lines := p.stale(); len(lines) > 0 {
					return errors.New(strings.Join(append(lines, "to bring them up to date: "+sameCommand(cmd)), "\n"))
				}
			} else if err := p.apply(); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), p.summary())
			return err
		}),
	}
	specDir.add(cmd.Flags())
	libvirt.add(cmd.Flags(), "only what libvirt `VERSION` has, as it has it")
	cmd.Flags().StringSliceVar(&formats, "format", docs.Formats, "the `FORMATS`, separated by commas")
	cmd.Flags().StringVarP(&out, "out", "o", "", "the `FOLDER` to write to")
	cmd.Flags().StringVar(&sdk, "sdk", sdkPath, "the `IMPORT PATH` of the package that the handlers are shown with")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, fail when a file is not up to date")
	return cmd
}

// sameCommand is the command line without --check.
func sameCommand(cmd *cobra.Command) string {
	words := []string{cmd.CommandPath()}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		if f.Name != "check" {
			words = append(words, "--"+f.Name, shellQuote(value))
		}
	})
	return strings.Join(words, " ")
}

// documentation is all files of the formats.
func documentation(root *cobra.Command, s *spec.Spec, formats []string, o docs.Options) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, format := range formats {
		of, err := docs.Render(format, s, o)
		if err != nil {
			return nil, err
		}
		maps.Copy(files, of)
		if format == "man" {
			commands, err := manPages(root)
			if err != nil {
				return nil, err
			}
			maps.Copy(files, commands)
		}
	}
	return files, nil
}

// sampleFor finds the call that an operation's example is run on: one that a real
// libvirt made, of the version or of the newest before it, or what stands in for one.
func sampleFor(v spec.Version) func(*spec.Op) (docs.Sample, bool) {
	all := captures.All()
	slices.Reverse(all) // newest first
	return func(o *spec.Op) (docs.Sample, bool) {
		if o.NameAt(v) != o.Op {
			return docs.Sample{}, false // none was recorded under a former name
		}
		c, ok := captures.Sample(o.Driver.Name, o.Op, o.SubOp)
		if none := o.InputAt(v) == spec.InputNone; !ok || none != (c.XML == nil) {
			return docs.Sample{}, false // a spec of one's own may have another input
		}
		if i := slices.IndexFunc(all, func(of captures.Capture) bool {
			return of.Driver == c.Driver && of.Op == c.Op && of.SubOp == c.SubOp && !v.Less(spec.Version(of.Version))
		}); v != "" && i >= 0 {
			c = all[i]
		}
		return call(c), true
	}
}

func call(c captures.Capture) docs.Sample {
	return docs.Sample{
		Argv:    []string{"hooks/" + c.Driver, c.Object, c.Op, c.SubOp, c.Extra},
		XML:     string(c.XML),
		Libvirt: spec.Version(c.Version),
	}
}
