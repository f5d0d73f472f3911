package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/cmd/virthook/internal/doctor"
	"github.com/virthook/virthook/spec"
)

func newDoctor() *cobra.Command {
	var hooks, root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say why a hook would not run",
		Long: `Say why a hook would not run: look at the hooks folder, at the hooks, at libvirt and
at its daemons, and say what is wrong, why it matters and what mends it.

Nothing is changed, and no hook is run but those of virthook's SDK, with --describe;
with --root none at all.
Run it as root: others cannot see all of it. The exit status is 1 when there is a
problem or a warning; notes are no fault.`,
		Args: operands(0),
		RunE: action(func(cmd *cobra.Command, _ []string) error {
			host, err := examined(root, hooks)
			if err != nil {
				return err
			}
			report, err := doctor.Examine(cmd.Context(), host)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = writeDiagnosis(cmd.OutOrStdout(), report)
			}
			if err == nil && !report.OK {
				err = errors.New(counts(report))
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&hooks, "hooks-dir", "", "the hooks folder `DIR`; default: the one that this host's libvirt reads")
	cmd.Flags().StringVar(&root, "root", "", "the host is the one in the folder `DIR`, such as an image's; nothing in it is run")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// examined is the host that the command line means.
func examined(root, hooks string) (h doctor.Host, err error) {
	if root != "" {
		if root, err = filepath.Abs(root); err != nil {
			return h, err
		}
		if info, err := os.Stat(root); err != nil || !info.IsDir() {
			return h, misusef("--root: %s is no folder", root)
		}
	}
	if hooks != "" && !filepath.IsAbs(hooks) {
		if root != "" {
			return h, misusef("--hooks-dir: %s is not absolute, as it must be with --root", hooks)
		}
		if hooks, err = filepath.Abs(hooks); err != nil {
			return h, err
		}
	}
	h = doctor.Host{Root: root, HooksDir: hooks}
	if root == "" {
		h.Run, h.Unprivileged = runTool, os.Geteuid() != 0
	}
	h.Spec, err = spec.Builtin()
	return h, err
}

// runTool runs a program of this host, which is to say something at once.
func runTool(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	return cmd.Output()
}

// writeDiagnosis prints the report for people.
func writeDiagnosis(to io.Writer, r *doctor.Report) error {
	var b bytes.Buffer
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s  %s: %s (%s)\n", f.Severity, escaped(f.Place), escaped(f.What), f.ID)
		fmt.Fprintf(&b, "         %s\n", f.Why)
		if f.Mend != "" {
			fmt.Fprintf(&b, "         $ %s\n", escaped(f.Mend))
		}
		b.WriteByte('\n')
	}
	for _, d := range r.Drivers {
		daemon := "no daemon"
		if d.Daemon != "" {
			daemon = d.Daemon
			if d.Running {
				daemon += ", running"
			}
		}
		run := 0
		for _, h := range d.Hooks {
			if h.Runs {
				run++
			}
		}
		logged := ""
		if d.Logged != nil {
			logged = ", last heard in the journal " + d.Logged.Format(time.DateTime+" UTC")
		}
		fmt.Fprintf(&b, "%s: %s; %s%s\n", d.Driver, daemon, plural(run, "hook"), logged)
	}
	version := ""
	if r.Libvirt != "" {
		version = "libvirt " + r.Libvirt + ", "
	}
	fmt.Fprintf(&b, "%s%s: %s\n", version, escaped(r.HooksDir), counts(r))
	_, err := to.Write(b.Bytes())
	return err
}

// escaped is a text on one line: names of files may hold anything.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// counts are the findings in a few words.
func counts(r *doctor.Report) string {
	var parts []string
	for _, s := range []doctor.Severity{doctor.Problem, doctor.Warning, doctor.Note} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, plural(n, string(s)))
		}
	}
	if len(parts) == 0 {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}
