package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/cmd/virthook/internal/pack"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/spec"
)

// formatAnsible is the format that is a folder and no file.
const formatAnsible = "ansible"

type packageFlags struct {
	formats []string
	file    string
	dist    string
	out     string
	asJSON  bool
	version string
	options pack.Options
}

func newPackage() *cobra.Command {
	var f packageFlags
	cmd := &cobra.Command{
		Use:   "package [DIR | HOST]...",
		Short: "Make packages of what build has written",
		Long: `Make deb and rpm packages, or a role for Ansible, of what virthook build has written.

Each operand is a host's folder, such as dist/hv-1, or with -f a host's name. With -f
alone it is all hosts of that file, and their folders have to be as build makes them now.

Hosts with the same program share a package, named by the project and their sets. The
packages put the hook in place by copy, in one step, and reload libvirt's daemons where
they have to be; they never restart them.`,
		Example: `  virthook package --version 1.2.0 -f virthook.yaml
  virthook package --version 1.2.0 --format deb dist/hv-1 dist/hv-2
  virthook package --format ansible -o roles -f virthook.yaml`,
		RunE: action(func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.formats, "format", pack.Formats, "`FORMATS`, with commas: deb, rpm, ansible")
	flags.StringVarP(&f.out, "out", "o", "packages", "the folder `DIR` for them")
	flags.StringVar(&f.version, "version", "", "the packages' version `V`, such as 1.2.0 or 1.3.0~rc1")
	flags.StringVarP(&f.file, "file", "f", "", "the `FILE` that says which hosts there are, virthook.yaml")
	flags.StringVar(&f.dist, "dist", "", "where build has written to, `DIR`; default: dist beside the file")
	flags.BoolVar(&f.options.PerHost, "per-host", false, "a package for each host, named by it")
	flags.StringVar(&f.options.HooksDir, "hooks-dir", pack.DefaultHooksDir, "the hooks folder of the hosts, `DIR`")
	flags.StringVar(&f.options.Maintainer, "maintainer", "root <root@localhost>", "who answers for the packages, `\"NAME <ADDRESS>\"`")
	flags.StringVar(&f.options.License, "license", "unspecified", "the `LICENSE` of the hooks")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

// packaged is what package --json prints.
type packaged struct {
	Version  int           `json:"version"`
	Packages []packagedOne `json:"packages"`
}

type packagedOne struct {
	File    string   `json:"file"` // of the role: its folder
	Format  string   `json:"format"`
	Name    string   `json:"name"`
	Version string   `json:"package_version"`
	Arch    string   `json:"arch"` // GOARCH
	Hosts   []string `json:"hosts"`
}

func (f *packageFlags) run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	linux, err := f.check(args)
	if err != nil {
		return err
	}
	dirs, err := f.folders(ctx, stderr, args)
	if err != nil {
		return err
	}
	hosts, err := readHosts(dirs)
	if err != nil {
		return err
	}
	packages, err := pack.Packages(hosts, f.options)
	if err != nil {
		return err
	}
	files := map[string]pack.File{}
	done := packaged{Version: 1, Packages: []packagedOne{}}
	var problems []error
	for _, p := range packages {
		for _, format := range linux {
			name, content, err := p.Linux(format, f.options)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			if _, twice := files[name]; twice {
				problems = append(problems, fmt.Errorf("two packages would be the file %s", name))
			}
			files[name] = pack.File{Content: content, Mode: 0o644}
			done.Packages = append(done.Packages, packagedOne{filepath.Join(f.out, name), format, p.Name, p.Version, p.Arch(), p.Hosts})
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	var role *pack.Role
	if slices.Contains(f.formats, formatAnsible) {
		if role, err = pack.NewRole(packages, f.options); err != nil {
			return err
		}
		if err := role.CanWrite(filepath.Join(f.out, role.Name)); err != nil {
			return err
		}
	}
	for name := range files {
		if info, err := os.Stat(filepath.Join(f.out, name)); err == nil && info.IsDir() {
			return fmt.Errorf("%s: a folder is in the way", hookexec.Quote(filepath.Join(f.out, name)))
		}
	}
	for name, file := range files {
		if err := writeFile(filepath.Join(f.out, name), file.Content); err != nil {
			return err
		}
	}
	if role != nil {
		dir := filepath.Join(f.out, role.Name)
		if err := role.Write(dir); err != nil {
			return err
		}
		done.Packages = append(done.Packages, packagedOne{dir, formatAnsible, role.Name, f.options.Version, "", role.Hosts})
	}
	if f.asJSON {
		return writeJSON(stdout, done)
	}
	for _, p := range done.Packages {
		if _, err := fmt.Fprintf(stdout, "%s: %s, %s\n", hookexec.Quote(p.File), plural(len(p.Hosts), "host"), some(p.Hosts)); err != nil {
			return err
		}
	}
	return nil
}

// check looks at the flags; linux are the formats that are files.
func (f *packageFlags) check(args []string) (linux []string, err error) {
	for _, format := range f.formats {
		switch {
		case slices.Contains(pack.Formats, format):
			if !slices.Contains(linux, format) {
				linux = append(linux, format)
			}
		case format != formatAnsible:
			return nil, misusef("--format: unknown format %q: one of %s, %s", format, strings.Join(pack.Formats, ", "), formatAnsible)
		}
	}
	switch {
	case len(f.formats) == 0:
		return nil, misusef("--format: none given")
	case len(args) == 0 && f.file == "":
		return nil, misusef("package: DIR is missing, or -f FILE")
	case f.dist != "" && f.file == "":
		return nil, misusef("--dist: without -f FILE the operands are folders")
	case f.version == "" && linux != nil:
		return nil, misusef("package: --version is missing")
	}
	if f.version != "" {
		if f.options.Version, err = pack.Version(f.version); err != nil {
			return nil, misusef("--version: %w", err)
		}
	}
	for flag, value := range map[string]string{"--maintainer": f.options.Maintainer, "--license": f.options.License} {
		if strings.TrimSpace(value) == "" || strings.ContainsAny(value, "\r\n\x00") {
			return nil, misusef("%s: %q is not one line of text", flag, value)
		}
	}
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		f.options.SourceDate, err = strconv.ParseInt(epoch, 10, 64)
		if err != nil || f.options.SourceDate < 1 || f.options.SourceDate > 1<<32-1 {
			return nil, misusef("SOURCE_DATE_EPOCH: %q is no time in seconds since 1970", epoch)
		}
	}
	return linux, nil
}

// folders are the hosts' folders that the operands mean.
func (f *packageFlags) folders(ctx context.Context, stderr io.Writer, args []string) ([]string, error) {
	if f.file == "" {
		for _, dir := range args {
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return nil, misusef("package: %s is no host's folder; a host by its name needs -f FILE", hookexec.Quote(dir))
			}
		}
		return args, nil
	}
	s, err := spec.Builtin()
	if err != nil {
		return nil, err
	}
	fl, err := loadFleet(f.file, s, stderr)
	if err != nil {
		return nil, err
	}
	dist := f.dist
	if dist == "" {
		dist = filepath.Join(filepath.Dir(f.file), "dist")
	}
	var hosts []string
	for _, arg := range args {
		host := filepath.Base(arg)
		if host != arg && filepath.Clean(arg) != filepath.Join(dist, host) {
			return nil, misusef("package: %s is not in %s", hookexec.Quote(arg), hookexec.Quote(dist))
		}
		if !fl.Has(host) {
			return nil, misusef("package: %s has no host %s", f.file, hookexec.Quote(host))
		}
		hosts = append(hosts, host)
	}
	if len(args) == 0 {
		if hosts = fl.Hosts(); len(hosts) == 0 {
			return nil, misusef("package: all hosts of %s are patterns: name some, here or in an inventory", f.file)
		}
	}
	var dirs, missing []string
	for _, host := range hosts {
		dir := filepath.Join(dist, host)
		if _, err := os.Stat(dir); err != nil {
			missing = append(missing, host)
		}
		dirs = append(dirs, dir)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: %s not built: run virthook build -f %s", hookexec.Quote(dist), some(missing), f.file)
	}
	stale, err := fl.OutOfDate(ctx, s, dist, hosts)
	if err != nil {
		return nil, err
	}
	if len(stale) > 0 {
		return nil, fmt.Errorf("%s: %s not as %s and its packages are now: run virthook build -f %[3]s", hookexec.Quote(dist), some(stale), f.file)
	}
	return dirs, nil
}

// readHosts reads all folders, or says what is wrong with each.
func readHosts(dirs []string) (hosts []*pack.Host, err error) {
	var problems []error
	for _, dir := range dirs {
		h, err := pack.ReadHost(filepath.Clean(dir))
		if err != nil {
			problems = append(problems, err)
		}
		hosts = append(hosts, h)
	}
	return hosts, errors.Join(problems...)
}

// some are the first few of many names.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
