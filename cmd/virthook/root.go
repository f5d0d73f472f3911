package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "virthook",
		Short:         "Write libvirt hooks in Go",
		Version:       version(),
		Args:          cobra.ArbitraryArgs, // what is no command is told apart in RunE
		SilenceErrors: true,
		SilenceUsage:  true,

		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no command given: see virthook --help")
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.SetVersionTemplate("virthook {{.Version}}\n")
	root.AddCommand(
		newNew(), newFire(), newReplay(), newRecord(), newVet(),
		newBuild(), newPackage(), newInstall(), newUninstall(), newDoctor(),
		newEvents(), newDocs(), newGenerate(), newVerifySpec(),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	addCompletions(root)
	return root
}

// version is the release, or that of this module in the build: a tag, a commit or "(devel)".
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func unknownCommand(root *cobra.Command, name string) error {
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("unknown command %q: did you mean %s?", name, strings.Join(near, " or "))
	}
	return fmt.Errorf("unknown command %q: see virthook --help", name)
}

// newHelp replaces cobra's own, which takes an unknown command for success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// action makes errors failures unless they say that they are misuse.
func action(f func(cmd *cobra.Command, args []string) error) func(cmd *cobra.Command, args []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd, args)
		if err == nil || errors.As(err, &misuse{}) {
			return err
		}
		return &failure{err}
	}
}

// operands checks the number of operands, of which the last few may be left out.
func operands(required int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < required:
			return fmt.Errorf("%s: %s is missing", cmd.Name(), names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("%s: unexpected operand %q", cmd.Name(), args[len(names)])
		}
		return nil
	}
}
