package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/virthook/virthook/cmd/virthook/internal/fleet"
	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/cmd/virthook/internal/pack"
	"github.com/virthook/virthook/cmd/virthook/internal/scenario"
	"github.com/virthook/virthook/gen/docs"
	"github.com/virthook/virthook/spec"
)

// Completions read what they complete and nothing else. They say nothing of what is wrong:
// there is then nothing to offer.

const (
	noFiles = cobra.ShellCompDirectiveNoFileComp
	inOrder = noFiles | cobra.ShellCompDirectiveKeepOrder
)

// addCompletions says what a shell offers for each operand and each flag of all commands.
func addCompletions(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range shown(root) {
		if words := operandWords[c.CommandPath()]; words != nil {
			c.ValidArgsFunction = words
		} else {
			c.ValidArgsFunction = none
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			for _, key := range []string{c.CommandPath() + " --" + f.Name, "--" + f.Name} {
				if words := flagWords[key]; words != nil {
					_ = c.RegisterFlagCompletionFunc(f.Name, words) // fails for what is not there
					return
				}
			}
		})
	}
	describeCompletion(root)
}

// operandWords are for the operands of commands; where there are none nothing is offered.
var operandWords = map[string]cobra.CompletionFunc{}

// flagWords are for the values of flags, of one command or of all.
var flagWords = map[string]cobra.CompletionFunc{}

func init() { // for help goes through all commands
	operandWords = map[string]cobra.CompletionFunc{
		"virthook build":       completeHosts,
		"virthook events":      first(completeDrivers),
		"virthook fire":        completeCall,
		"virthook help":        completeCommand,
		"virthook install":     first(aFile),
		"virthook new":         first(aFolder),
		"virthook package":     completeHostsOrFolders,
		"virthook record show": first(aFolder),
		"virthook replay":      completeScenario,
		"virthook uninstall":   completeInstalled,
		"virthook verify-spec": first(aFolder),
		"virthook vet":         completePackages,
	}
	flagWords = map[string]cobra.CompletionFunc{
		"--as":        completePlaces,
		"--bin":       aFile,
		"--checkout":  aFolder,
		"--dist":      aFolder,
		"--driver":    list(completeDrivers),
		"--extra":     completeExtra,
		"--file":      extensions("yaml", "yml"),
		"--hooks":     aFolder,
		"--hooks-dir": aFolder,
		"--html":      extensions("html"),
		"--libvirt":   completeVersions,
		"--out":       aFolder,
		"--recorded":  aFolder,
		"--root":      aFolder,
		"--spec":      aFolder,
		"--sub-op":    completeSubOps,
		"--to":        aFolder,
		"--xml":       extensions("xml"),

		"virthook docs --format":    list(words(docs.Formats...)),
		"virthook new --driver":     list(words(allSamples...)),
		"virthook package --format": list(words(append(slices.Clone(pack.Formats), formatAnsible)...)),

		// What only the user knows.
		"--license": none, "--limit": none, "--maintainer": none, "--module": none, "--object": none,
		"--sdk": none, "--slow": none, "--tags": none, "--timeout": none, "--version": none,
	}
}

func none(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nil, noFiles }

func aFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func aFolder(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func extensions(of ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return of, cobra.ShellCompDirectiveFilterFileExt
	}
}

func words(of ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return of, inOrder }
}

// first is for commands with a single operand.
func first(words cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, noFiles
		}
		return words(cmd, args, toComplete)
	}
}

// list is for values with commas, of which each word is given once.
func list(words cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		before := toComplete[:strings.LastIndex(toComplete, ",")+1]
		given := strings.Split(before, ",")
		var offered []string
		all, directive := words(cmd, args, strings.TrimPrefix(toComplete, before))
		for _, w := range all {
			if word, _, _ := strings.Cut(w, "\t"); !slices.Contains(given, word) {
				offered = append(offered, before+w)
			}
		}
		return offered, directive
	}
}

// patience is how long a user who has pressed a key waits for a file system.
const patience = 2 * time.Second

// soon is what f returns, or nothing if that takes too long.
func soon[T any](f func() T) (value T) {
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case value = <-done:
	case <-time.After(patience):
	}
	return value
}

// flagValue is what was given for a flag on the command line so far.
func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

// specOf is the spec that the command line is about; nil: it cannot be read.
func specOf(cmd *cobra.Command) *spec.Spec {
	return soon(func() *spec.Spec {
		f := specFlag{dir: flagValue(cmd, "spec")}
		s, err := f.load()
		if err != nil {
			return nil
		}
		return s
	})
}

// libvirtOf is what --libvirt says; "": nothing that is a version.
func libvirtOf(cmd *cobra.Command) spec.Version {
	f := libvirtFlag{text: flagValue(cmd, "libvirt")}
	v, err := f.version()
	if err != nil {
		return ""
	}
	return v
}

func completeDrivers(cmd *cobra.Command, _ []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	if s := specOf(cmd); s != nil {
		for _, d := range s.Drivers {
			offered = append(offered, cobra.CompletionWithDesc(d.Name, d.Summary))
		}
	}
	return offered, inOrder
}

// operationsOf are those of the driver, of a version or "" for all. There may be no spec.
func operationsOf(s *spec.Spec, v spec.Version, driver string) (ops []*spec.Op) {
	if s == nil || s.Driver(driver) == nil {
		return nil
	}
	for _, o := range s.Driver(driver).Ops {
		if v == "" || o.In(v) {
			ops = append(ops, o)
		}
	}
	return ops
}

// completeCall offers the words of a call, in whichever of its forms they come.
func completeCall(cmd *cobra.Command, args []string, toComplete string) (offered []string, _ cobra.ShellCompDirective) {
	driver, rest, slash := strings.Cut(toComplete, "/")
	switch {
	case len(args) == 0 && !slash:
		return completeDrivers(cmd, args, toComplete)
	case len(args) == 0:
		for _, o := range offeredOperations(cmd, driver, rest) {
			offered = append(offered, driver+"/"+o)
		}
	case len(callWords(args)) == 1:
		offered = offeredOperations(cmd, args[0], toComplete)
	case len(callWords(args)) == 2:
		return completeSubOps(cmd, args, toComplete)
	}
	return offered, inOrder
}

// offeredOperations are those of the driver, with the sub-operation where it is asked
// for or needed.
func offeredOperations(cmd *cobra.Command, driver, toComplete string) (offered []string) {
	v := libvirtOf(cmd)
	seen := map[string]int{}
	ops := operationsOf(specOf(cmd), v, driver)
	for _, o := range ops {
		seen[o.NameAt(v)]++
	}
	for _, o := range ops {
		name := o.NameAt(v)
		if seen[name] > 1 || strings.Contains(toComplete, "/") {
			name += "/" + o.SubOp
		}
		offered = append(offered, cobra.CompletionWithDesc(name, o.Summary))
	}
	return offered
}

// called are the operations that the operands of fire mean.
func called(s *spec.Spec, v spec.Version, args []string) (ops []*spec.Op) {
	words := callWords(args)
	if len(words) < 2 {
		return nil
	}
	for _, o := range operationsOf(s, v, words[0]) {
		if o.NameAt(v) == words[1] && (len(words) == 2 || o.SubOp == words[2]) {
			ops = append(ops, o)
		}
	}
	return ops
}

func completeSubOps(cmd *cobra.Command, args []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	for _, o := range called(specOf(cmd), libvirtOf(cmd), args) {
		offered = append(offered, cobra.CompletionWithDesc(o.SubOp, o.Summary))
	}
	return offered, inOrder
}

func completeExtra(cmd *cobra.Command, args []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	s, v := specOf(cmd), libvirtOf(cmd)
	for _, o := range called(s, v, args) {
		x := extraAt(o, v)
		if x == nil {
			continue
		}
		if x.Const != "" {
			offered = append(offered, x.Const)
			continue
		}
		if e := s.Enum(x.Enum); e != nil {
			for _, word := range e.Values {
				offered = append(offered, cobra.CompletionWithDesc(word.Value, word.Summary))
			}
		}
	}
	return offered, inOrder
}

// completeVersions offers those at which something changes and those that were run; any
// other is as good.
func completeVersions(cmd *cobra.Command, _ []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	if s := specOf(cmd); s != nil {
		for _, v := range docs.New(s, docs.Options{}).Versions {
			offered = append(offered, string(v))
		}
	}
	return offered, inOrder
}

func completeScenario(cmd *cobra.Command, args []string, toComplete string) (offered []string, _ cobra.ShellCompDirective) {
	if len(args) > 0 || flagValue(cmd, "recorded") != "" {
		return nil, noFiles
	}
	if all, err := scenario.Summaries(); err == nil {
		for _, s := range all {
			offered = append(offered, cobra.CompletionWithDesc(s[0], s[1]))
		}
	}
	found, directive := paths(toComplete, ".yaml", ".yml")
	return append(offered, found...), directive
}

// completePackages offers folders as the go command wants them: with a dot before them.
func completePackages(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if !strings.HasPrefix(toComplete, ".") && !strings.HasPrefix(toComplete, "/") {
		if toComplete != "" {
			return nil, noFiles // an import path
		}
		toComplete = "./"
	}
	found, directive := paths(toComplete)
	return append([]string{cobra.CompletionWithDesc("./...", "all packages from here on")}, found...), directive
}

// paths are the folders, with a slash, and the files of these extensions that begin so.
// They are for operands that may be something else as well: otherwise the shell does it.
func paths(toComplete string, extensions ...string) (found []string, _ cobra.ShellCompDirective) {
	directive := noFiles
	dir, base := filepath.Split(toComplete)
	entries := soon(func() []os.DirEntry {
		list, _ := os.ReadDir(cmp.Or(dir, "."))
		return list
	})
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && base == "" || strings.ContainsAny(name, "\t\n") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			found = append(found, dir+name+"/")
			directive |= cobra.ShellCompDirectiveNoSpace
		} else if slices.Contains(extensions, path.Ext(name)) {
			found = append(found, dir+name)
		}
	}
	return found, directive
}

// completeHosts offers the hosts of the file that -f names, or virthook.yaml.
func completeHosts(cmd *cobra.Command, args []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	hosts := soon(func() []string {
		file := flagValue(cmd, "file")
		s, err := spec.Builtin()
		if err != nil {
			return nil
		}
		f, err := fleet.Load(file, s)
		if err != nil {
			return nil
		}
		return f.Hosts()
	})
	for _, h := range hosts {
		if !slices.Contains(args, h) {
			offered = append(offered, h)
		}
	}
	return offered, inOrder
}

func completeHostsOrFolders(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if flagValue(cmd, "file") == "" {
		return aFolder(cmd, args, toComplete)
	}
	return completeHosts(cmd, args, toComplete)
}

// completeInstalled offers what virthook install has put in place, by program and by place.
func completeInstalled(cmd *cobra.Command, args []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	entries := soon(func() []install.Entry {
		host, err := install.OpenHost(flagValue(cmd, "root"))
		if err != nil {
			return nil
		}
		defer host.Close()
		dir := flagValue(cmd, "hooks-dir")
		if dir == "" {
			if dir, err = install.HooksDir(host); err != nil {
				return nil
			}
		} else if !host.IsImage() {
			if dir, err = filepath.Abs(dir); err != nil {
				return nil
			}
		}
		m, err := install.ReadManifest(host, dir)
		if err != nil {
			return nil
		}
		return m.Hooks
	})
	programs := map[string][]string{}
	for _, e := range entries {
		programs[e.Program] = append(programs[e.Program], e.Place)
	}
	for _, e := range entries {
		if places := programs[e.Program]; places[0] == e.Place && !slices.Contains(args, e.Program) {
			offered = append(offered, cobra.CompletionWithDesc(e.Program, strings.Join(places, ", ")))
		}
	}
	for _, e := range entries {
		if !slices.Contains(args, e.Place) {
			offered = append(offered, cobra.CompletionWithDesc(e.Place, e.Program))
		}
	}
	return offered, inOrder
}

// completePlaces offers DRIVER.d/, of which the rest is the user's, and DRIVER.
func completePlaces(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	places := func(*cobra.Command, []string, string) (offered []string, _ cobra.ShellCompDirective) {
		if s := specOf(cmd); s != nil {
			for _, d := range driverNames(s) {
				offered = append(offered, d+".d/", d)
			}
		}
		return offered, inOrder | cobra.ShellCompDirectiveNoSpace
	}
	return list(places)(cmd, args, toComplete)
}

func completeCommand(cmd *cobra.Command, args []string, _ string) (offered []string, _ cobra.ShellCompDirective) {
	about, rest, err := cmd.Root().Find(args)
	if err != nil || len(rest) > 0 {
		return nil, noFiles
	}
	for _, c := range shown(about)[1:] {
		if c.Parent() == about && c != cmd {
			offered = append(offered, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	return offered, noFiles
}

// describeCompletion has cobra's command say in our words how to use what it prints.
func describeCompletion(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		// Cobra shows its help then, and succeeds.
		c.RunE = func(*cobra.Command, []string) error { return errors.New("completion: SHELL is missing") }
		c.Short = "Print a shell's completion script"
		c.Long = `Print the script with which a shell completes virthook's command lines: commands,
flags, drivers, operations, scenarios, hosts and files. The help of each shell says
where the script goes.`
		c.Example = `  source <(virthook completion bash)`
		for _, sub := range c.Commands() {
			sub.Short = "Print the script for " + sub.Name()
			if text := completionHelp[sub.Name()]; text != "" {
				sub.Long = text
			}
			if sub.Name() == "bash" {
				sub.RunE = printBash
			}
		}
	}
}

// Lines of cobra's script for bash that make a word safe to insert.
var (
	escapesWord = regexp.MustCompile(`(?m)^( *)printf -v comp "%q".*$`)
	escapesOnly = regexp.MustCompile(`(?m)^( *)COMPREPLY\[0\]=\$\(printf "%q".*$`)
)

// printBash prints cobra's script, which escapes commas as well and then does not find
// what was typed before one: lists would end there.
func printBash(cmd *cobra.Command, _ []string) error {
	without, err := cmd.Flags().GetBool("no-descriptions")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := cmd.Root().GenBashCompletionV2(&b, !without); err != nil {
		return err
	}
	script := escapesWord.ReplaceAllString(b.String(), "$0\n${1}comp=$${comp//\\\\,/,}")
	script = escapesOnly.ReplaceAllString(script, "$0\n${1}COMPREPLY[0]=$${COMPREPLY[0]//\\\\,/,}")
	_, err = io.WriteString(cmd.OutOrStdout(), script)
	if err != nil {
		return &failure{err}
	}
	return nil
}

// completionHelp says where each shell looks for scripts.
var completionHelp = map[string]string{
	"bash": `Print the completion script for bash, which needs the package bash-completion.

For this shell only:

  source <(virthook completion bash)

For all of yours from now on:

  mkdir -p ~/.local/share/bash-completion/completions
  virthook completion bash >~/.local/share/bash-completion/completions/virthook

For everybody, as root:

  virthook completion bash >/etc/bash_completion.d/virthook`,
	"zsh": `Print the completion script for zsh.

For this shell only, in which compinit has run:

  source <(virthook completion zsh)

For all of yours from now on:

  mkdir -p ~/.zsh/completions
  virthook completion zsh >~/.zsh/completions/_virthook

and in ~/.zshrc

  fpath=(~/.zsh/completions $fpath)
  autoload -U compinit && compinit

For everybody, as root, where zsh has this folder in its fpath:

  virthook completion zsh >/usr/local/share/zsh/site-functions/_virthook`,
	"fish": `Print the completion script for fish.

For this shell only:

  virthook completion fish | source

For all of yours from now on:

  mkdir -p ~/.config/fish/completions
  virthook completion fish >~/.config/fish/completions/virthook.fish

For everybody, as root:

  virthook completion fish >/etc/fish/completions/virthook.fish`,
}
