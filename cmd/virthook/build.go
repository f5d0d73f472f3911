package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/virthook/virthook/cmd/virthook/internal/fleet"
	"github.com/virthook/virthook/spec"
)

func newBuild() *cobra.Command {
	var file string
	var o fleet.Options
	cmd := &cobra.Command{
		Use:   "build [HOST…]",
		Short: "Build the hooks of each host of a fleet",
		Long: `Build the hooks of each host of a fleet, as virthook.yaml says: one static program
for each distinct combination of handler packages, settings and target, and for each
host a folder that is ready to copy:

  OUT/HOST/NAME                      the program; NAME is the module's
  OUT/HOST/hooks/DRIVER.d/50-NAME    the same, as the hook of each driver
  OUT/HOST/manifest.json             what it is made of, what it handles, hashes
  OUT/HOST/sbom.cdx.json             the modules in it (CycloneDX)

Without HOST these are the hosts that virthook.yaml or its inventory lists by name;
HOST may also be one that a pattern matches. The file must be in a Go module, and the
go command must be there. What is compiled is kept in OUT/.builds, to which the
hosts' files are hard links where the file system has them.

When anything is wrong nothing in the hosts' folders changes. docs/fleet.md
describes virthook.yaml.`,
		Example: `  virthook build
  virthook build -f fleet/virthook.yaml -o /srv/dist hv-1 hv-2
  virthook build --prune`,
		Args: cobra.ArbitraryArgs,
		RunE: action(func(cmd *cobra.Command, args []string) error {
			s, err := spec.Builtin()
			if err != nil {
				return err
			}
			for _, empty := range [][2]string{{"-f", file}, {"-o", o.Out}} {
				if empty[1] == "" {
					return misusef("%s: the path is empty", empty[0])
				}
			}
			stderr := cmd.ErrOrStderr()
			f, err := loadFleet(file, s, stderr)
			if err != nil {
				return err
			}
			o.Hosts = args
			line := newProgress(stderr)
			o.Progress = line.show
			o.Warn = func(format string, args ...any) {
				line.clear()
				fmt.Fprintf(stderr, "virthook: warning: "+format+"\n", args...)
			}
			r, err := f.Build(cmd.Context(), s, o)
			line.clear()
			var unknown *fleet.Unknown
			switch {
			case errors.As(err, &unknown):
				return misuse{unknown}
			case err != nil:
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), buildSummary(r))
			return err
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&file, "file", "f", "virthook.yaml", "the `FILE` that describes the fleet")
	flags.StringVarP(&o.Out, "out", "o", "dist", "the `FOLDER` that gets a folder for each host")
	flags.BoolVar(&o.Prune, "prune", false, "remove the folders of hosts that the file no longer has")
	return cmd
}

func buildSummary(r *fleet.Result) string {
	s := fmt.Sprintf("%s, %s: %d compiled; %d written, %d up to date",
		count(r.Hosts, "host"), count(r.Builds, "program"), r.Compiled, r.Written, r.Hosts-r.Written)
	if r.Removed > 0 {
		s += fmt.Sprintf(", %d removed", r.Removed)
	}
	return s
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// progress is a line on a terminal that tells how far the work is; elsewhere it is nothing.
type progress struct {
	to    io.Writer // nil: there is no terminal
	last  string    // what is being done
	shown time.Time
}

func newProgress(to io.Writer) *progress {
	if f, ok := to.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{to: to}
	}
	return &progress{}
}

func (p *progress) show(doing string, done, of int) {
	if p.to == nil || doing == p.last && time.Since(p.shown) < 50*time.Millisecond && done < of {
		return
	}
	p.last, p.shown = doing, time.Now()
	text := doing
	if of > 0 {
		text = fmt.Sprintf("%s: %d of %d", doing, done, of)
	}
	fmt.Fprintf(p.to, "\r%s\x1b[K", strings.ReplaceAll(text, "\n", " "))
}

func (p *progress) clear() {
	if p.to != nil && p.last != "" {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.last = ""
	}
}

// loadFleet reads the file that says which hosts there are, and prints what it warns of.
// That there is no such file is wrong use.
func loadFleet(file string, s *spec.Spec, stderr io.Writer) (*fleet.Fleet, error) {
	f, err := fleet.Load(file, s)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, misuse{err}
	}
	if err != nil {
		return nil, err
	}
	for _, w := range f.Warnings {
		fmt.Fprintln(stderr, "virthook: warning: "+w.Error())
	}
	return f, nil
}
