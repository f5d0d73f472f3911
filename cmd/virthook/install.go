package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/internal/hookexec"
)

// installFlags are those that install and uninstall have in common.
type installFlags struct {
	hooks, root         string
	force, dryRun, json bool
}

func (f *installFlags) add(flags *pflag.FlagSet, force string) {
	flags.StringVar(&f.hooks, "hooks-dir", "", "the hooks folder `DIR`, with --root inside the image; default: the one of the host's libvirt")
	flags.StringVar(&f.root, "root", "", "the host is the one in the folder `DIR`, such as an image's; nothing in it is run")
	flags.BoolVar(&f.force, "force", false, force)
	flags.BoolVar(&f.dryRun, "dry-run", false, "change nothing, say what would be done")
	flags.BoolVar(&f.json, "json", false, "print JSON")
}

// print reports what was done, also when something failed after it.
func (f *installFlags) print(to io.Writer, r *install.Result, err error) error {
	err = useOf(err)
	if r == nil {
		return err
	}
	var printErr error
	if f.json {
		printErr = writeJSON(to, r)
	} else {
		_, printErr = io.WriteString(to, installText(r))
	}
	return errors.Join(err, printErr)
}

// useOf makes the package's errors of use the program's.
func useOf(err error) error {
	var use *install.UseError
	if errors.As(err, &use) {
		return misuse{err}
	}
	return err
}

func newInstall() *cobra.Command {
	var f installFlags
	var o install.Options
	var libvirt libvirtFlag
	cmd := &cobra.Command{
		Use:   "install PROGRAM",
		Short: "Put a hook in place",
		Long: `Put a copy of a hook where libvirt finds it, in one step: a libvirt that runs
meanwhile sees the old file or the new one, also when this command is killed.

With --root all paths but PROGRAM are the image's, also that of --hooks-dir; without a
libvirt and a hooks folder in the image it is /etc/libvirt/hooks there.

The place is DRIVER.d/50-PROGRAM, where hooks stand beside each other, or DRIVER for
a libvirt before 6.5.0, which runs nothing else. Without --driver and --as, a hook
that was built with virthook is asked what it handles.

What is not known as put there by this command is left alone. The version before, and
what --force has replaced, are kept: see virthook uninstall.

No daemon is ever restarted, which would call the hook reconnect for every running
guest. Whether one has to be reloaded is said, and done with --reload.`,
		Example: `  virthook install ./limits
  virthook install ./limits --driver qemu,network --reload
  virthook install ./limits --as qemu.d/20-limits
  virthook install ./limits --driver qemu --root /mnt/image`,
		Args: operands(1, "PROGRAM"),
		RunE: action(func(cmd *cobra.Command, args []string) (err error) {
			o.Program, o.HooksDir, o.Root, o.Force, o.DryRun = args[0], f.hooks, f.root, f.force, f.dryRun
			if o.Libvirt, err = libvirt.version(); err != nil {
				return err
			}
			r, err := install.Install(cmd.Context(), o)
			return f.print(cmd.OutOrStdout(), r, err)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&o.Drivers, "driver", nil, "the `DRIVER`s, with commas or repeated; default: those that the hook handles")
	flags.StringSliceVar(&o.As, "as", nil, "the `PLACE`: DRIVER.d/NAME or DRIVER; with commas or repeated for several drivers")
	libvirt.add(flags, "the host has libvirt `VERSION`; default: that of its library")
	flags.BoolVar(&o.Reload, "reload", false, "reload the daemons that have to be, if they run as services")
	f.add(flags, "replace hooks of others and changed ones too, and keep them")
	return cmd
}

func newUninstall() *cobra.Command {
	var f installFlags
	var o install.UninstallOptions
	cmd := &cobra.Command{
		Use:   "uninstall [PROGRAM | PLACE]…",
		Short: "Take a hook away, and put back what it replaced",
		Long: `Take away what virthook install has put in place, and put back what that replaced.
Nothing else is removed: not the hooks of others, and not a hook of ours that was
changed since, unless with --force.

Without an operand the only program that is installed is meant. PLACE is DRIVER.d/NAME
or DRIVER. No daemon has to be told: libvirt passes over a hook that is gone.`,
		Example: `  virthook uninstall
  virthook uninstall limits --driver network
  virthook uninstall qemu.d/50-limits
  virthook uninstall limits --previous`,
		Args: cobra.ArbitraryArgs,
		RunE: action(func(cmd *cobra.Command, args []string) error {
			o.Names, o.HooksDir, o.Root, o.Force, o.DryRun = args, f.hooks, f.root, f.force, f.dryRun
			r, err := install.Uninstall(cmd.Context(), o)
			return f.print(cmd.OutOrStdout(), r, err)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&o.All, "all", false, "every program that is installed")
	flags.StringSliceVar(&o.Drivers, "driver", nil, "only of these `DRIVER`s, with commas or repeated")
	flags.BoolVar(&o.Previous, "previous", false, "put the version before this one back, in place of removing all")
	f.add(flags, "take away what was changed too")
	return cmd
}

// would are the actions of a dry run, as far as they are any.
var would = map[install.Action]string{
	install.Installed: "would install",
	install.Replaced:  "would replace",
	install.Mended:    "would mend",
	install.Removed:   "would remove",
	install.PutBack:   "would put back",
}

// installText is the report for people.
func installText(r *install.Result) string {
	var b bytes.Buffer
	if r.DryRun {
		b.WriteString("dry run, nothing is changed:\n")
	}
	for _, file := range r.Files {
		action, kept := string(file.Action), "is kept"
		if would := would[file.Action]; r.DryRun && would != "" {
			action, kept = would, "would be kept"
		}
		fmt.Fprintf(&b, "%s %s", action, hookexec.Quote(file.Path))
		switch {
		case file.Kept != "":
			fmt.Fprintf(&b, ", what was there %s as %s", kept, file.Kept)
		case file.Why != "":
			fmt.Fprintf(&b, ": %s", file.Why)
		}
		b.WriteString("\n")
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if r.SHA256 == "" { // libvirt passes over what is gone
		return b.String()
	}
	var at []string // the drivers that work at once
	for _, file := range r.Files {
		due := r.Reload != nil && slices.Contains(r.Reload.Drivers, file.Driver)
		if file.Action != install.Unchanged && !due && !slices.Contains(at, file.Driver) {
			at = append(at, file.Driver)
		}
	}
	if len(at) > 0 && !r.Image {
		fmt.Fprintf(&b, "works at once: %s, whose hooks libvirt calls already\n", strings.Join(at, ", "))
	}
	if r.Reload != nil {
		b.WriteString(reloadText(r.Reload))
	}
	return b.String()
}

func reloadText(r *install.Reload) string {
	drivers := strings.Join(r.Drivers, ", ")
	switch {
	case r.Done:
		return fmt.Sprintf("works now: %s, after systemctl reload %s\n", drivers, strings.Join(r.Units, " "))
	case len(r.Commands) == 0:
		return fmt.Sprintf("works when libvirt starts: %s, of which no daemon runs\n", drivers)
	}
	unless := ""
	if r.Since != nil {
		unless = ", unless there was one since " + r.Since.Local().Format(time.DateTime)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "works after a reload%s: %s, which had no hook, so that libvirt does not look for one\n", unless, drivers)
	for _, c := range r.Commands {
		fmt.Fprintf(&b, "  %s\n", c)
	}
	b.WriteString("Reload, never restart: a restart calls the hook reconnect for every running guest.\n")
	return b.String()
}
