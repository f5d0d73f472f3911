package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/templates"
)

const (
	ourModule = "github.com/virthook/virthook"
	ourGo     = "1.25.0" // what its go.mod asks for
)

func newNew() *cobra.Command {
	var modulePath, checkout string
	var drivers []string
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Start a hook project",
		Long: `Start a hook project in a new or empty folder: handler packages with tests, a main
package, virthook.yaml for many hosts, a Makefile, a workflow for GitHub and a README.
It builds, tests itself and fires as it is. The go command must be there.

On a terminal and without flags it asks for the module path.

The project uses this virthook: the release that it is, or the checkout that it was
built from, which go.mod then names in a replace line.`,
		Example: `  virthook new myhooks
  virthook new myhooks --module git.example.com/infra/myhooks --driver qemu`,
		Args: operands(1, "DIR"),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return misusef("new: DIR is empty")
			}
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			occupied, err := inspect(dir)
			if err != nil {
				return fmt.Errorf("%s: %w", hookexec.Quote(args[0]), err)
			}
			p := project{}
			if p.Drivers, err = sampleDrivers(drivers); err != nil {
				return err
			}
			if p.Version, p.Checkout, err = source(checkout); err != nil {
				return err
			}
			if cmd.Flags().NFlag() == 0 && isTerminal(cmd.InOrStdin()) {
				if modulePath, err = askModule(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), defaultModule(dir)); err != nil {
					return err
				}
			}
			if modulePath == "" {
				modulePath = defaultModule(dir)
			}
			if err := p.named(modulePath); err != nil {
				return err
			}
			files, err := p.files()
			if err != nil {
				return err
			}
			if isTerminal(cmd.ErrOrStderr()) {
				fmt.Fprintln(cmd.ErrOrStderr(), "go mod tidy …") // it may download
			}
			if err := create(cmd.Context(), dir, occupied, files); err != nil {
				return fmt.Errorf("%s: %w", hookexec.Quote(args[0]), err)
			}
			return p.report(cmd.Context(), cmd.OutOrStdout(), args[0], dir)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&modulePath, "module", "", "the module `PATH`; default: example.com/ and DIR's name")
	flags.StringSliceVar(&drivers, "driver", []string{"qemu", "network"}, "have handlers of these `DRIVERS`, with commas: "+strings.Join(allSamples, ", "))
	flags.StringVar(&checkout, "checkout", "", "use the virthook in this `DIR`, a checkout of its source")
	return cmd
}

// project is what the templates of a hook project get.
type project struct {
	Module   string
	Name     string   // of the binary
	Drivers  []string // in the order of allSamples
	Version  string   // of virthook, in go.mod
	Checkout string   // the folder that replaces it; "": none
}

// allSamples are the drivers that there are handlers of.
var allSamples = []string{"qemu", "lxc", "libxl", "bhyve", "network"}

// sampleDrivers puts what was asked for in order, each once.
func sampleDrivers(asked []string) (drivers []string, err error) {
	for _, d := range asked {
		if !slices.Contains(allSamples, d) {
			return nil, misusef("--driver: there is no sample for %s: one of %s", hookexec.Quote(d), strings.Join(allSamples, ", "))
		}
	}
	for _, d := range allSamples {
		if slices.Contains(asked, d) {
			drivers = append(drivers, d)
		}
	}
	if drivers == nil {
		return nil, misusef("--driver: one of %s is needed", strings.Join(allSamples, ", "))
	}
	return drivers, nil
}

// release is the version that a released binary is, set when linking:
// -ldflags "-X main.release=v1.2.3".
var release string

// source says where a project gets virthook from: the module proxy, or the checkout in
// a folder. The version that the go command stamps does not tell: a checkout has one too.
// Only a module from the proxy has a checksum.
func source(checkout string) (version, folder string, err error) {
	const any = "v0.0.0" // it is replaced
	if checkout != "" {
		if folder, err = filepath.Abs(checkout); err != nil {
			return "", "", err
		}
		if !isCheckout(folder) {
			return "", "", misusef("--checkout: %s is no checkout of %s", hookexec.Quote(checkout), ourModule)
		}
		return any, folder, nil
	}
	if release != "" {
		if !semver.IsValid(release) || release != semver.Canonical(release) {
			return "", "", fmt.Errorf("this virthook was linked as release %s, which is no version: give --checkout", hookexec.Quote(release))
		}
		return release, "", nil
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Sum != "" {
		return info.Main.Version, "", nil
	}
	if _, file, _, ok := runtime.Caller(0); ok { // with -trimpath it is no folder
		if folder = filepath.Join(filepath.Dir(file), "..", ".."); filepath.IsAbs(file) && isCheckout(folder) {
			return any, folder, nil
		}
	}
	if program, err := os.Executable(); err == nil { // built into the checkout
		for folder = filepath.Dir(program); ; folder = filepath.Dir(folder) {
			if isCheckout(folder) {
				return any, folder, nil
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return "", "", fmt.Errorf("this virthook is no release, and the checkout that it was built from is not known: give --checkout DIR, or install a release with go install %s/cmd/virthook@latest", ourModule)
}

func isCheckout(folder string) bool {
	mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	return err == nil && modfile.ModulePath(mod) == ourModule
}

// defaultModule is "" where the folder's name cannot be part of a module path.
func defaultModule(dir string) string {
	name := "example.com/" + filepath.Base(dir)
	if module.CheckImportPath(name) != nil {
		return ""
	}
	return name
}

// askModule asks for the module path. An empty answer takes the default, if there is one.
func askModule(ctx context.Context, from io.Reader, to io.Writer, byDefault string) (string, error) {
	question := "module path"
	if byDefault != "" {
		question += " [" + byDefault + "]"
	}
	fmt.Fprint(to, question+": ")
	var line string
	read := make(chan error, 1)
	go func() { // which an interrupt does not end
		var err error
		line, err = bufio.NewReader(from).ReadString('\n')
		read <- err
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case err := <-read:
		if err != nil {
			fmt.Fprintln(to)
			return "", errors.New("no module path was given")
		}
		return strings.TrimSpace(line), nil
	}
}

// named sets the module path, and the binary's name, which the go command makes of it.
func (p *project) named(modulePath string) error {
	if modulePath == "" {
		return misusef("DIR's name cannot be part of a module path: give --module")
	}
	if err := module.CheckImportPath(modulePath); err != nil {
		return misusef("--module: %s: %w", hookexec.Quote(modulePath), errors.Unwrap(err))
	}
	if strings.HasPrefix(ourModule+"/", modulePath+"/") {
		return misusef("--module: %s is where virthook is", modulePath)
	}
	p.Module = modulePath
	p.Name = path.Base(modulePath)
	if prefix, version, _ := module.SplitPathVersion(modulePath); strings.HasPrefix(version, "/") {
		p.Name = path.Base(prefix)
	}
	return nil
}

// The methods below are for the templates.

// Go is the version of Go that the project needs.
func (project) Go() string { return ourGo }

// GoInstall installs the tool.
func (p project) GoInstall() string { return "go install " + ourModule + "/cmd/virthook@" + p.Version }

// Has says whether the driver is one of the project's.
func (p project) Has(driver string) bool { return slices.Contains(p.Drivers, driver) }

// Guests are the drivers that have guests.
func (p project) Guests() []string {
	return slices.DeleteFunc(slices.Clone(p.Drivers), func(d string) bool { return d == "network" })
}

// Packages are the handler packages.
func (p project) Packages() (names []string) {
	if len(p.Guests()) > 0 {
		names = append(names, "limits")
	}
	if p.Has("qemu") || p.Has("libxl") {
		names = append(names, "consoles")
	}
	if p.Has("network") {
		names = append(names, "multicast")
	}
	return names
}

// Target is that of the hosts.
func (p project) Target() string {
	if p.Has("bhyve") {
		return "freebsd/amd64"
	}
	return "linux/amd64"
}

// Daemons are those that serve the drivers where each has its own.
func (p project) Daemons() string {
	var daemons []string
	for _, d := range p.Drivers {
		daemons = append(daemons, install.Daemon(d))
	}
	return strings.Join(daemons, " ")
}

// wants says whether the project has this file.
func (p project) wants(name string) bool {
	if of, ok := strings.CutPrefix(path.Dir(name), "hooks/"); ok {
		return slices.Contains(p.Packages(), of)
	}
	switch name {
	case "testdata/arriving.xml":
		return slices.Contains(p.Packages(), "consoles")
	case "testdata/boot.yaml":
		return p.Has("libxl") || p.Has("bhyve")
	}
	return true
}

// files renders the project, without go.sum. The names have slashes.
func (p project) files() (map[string][]byte, error) {
	all, err := fs.Sub(templates.New, "new")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = fs.WalkDir(all, ".", func(file string, e fs.DirEntry, err error) error {
		name := strings.TrimSuffix(file, ".tmpl")
		if err != nil || e.IsDir() || !p.wants(name) {
			return err
		}
		text, err := fs.ReadFile(all, file)
		if err != nil {
			return err
		}
		t, err := template.New(file).Funcs(template.FuncMap{
			"join":  func(words []string) string { return strings.Join(words, ", ") },
			"path":  modfile.AutoQuote,
			"title": func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
		}).Parse(string(text))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, p); err != nil {
			return err
		}
		files[name] = b.Bytes()
		if path.Ext(name) == ".go" {
			files[name], err = format.Source(b.Bytes())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return files, p.checkName(files)
}

// checkName fails when a plain go build, which writes the binary into the project, could
// not, or would take it for source later.
func (p project) checkName(files map[string][]byte) error {
	taken := map[string]bool{"go.sum": true, "bin": true, "dist": true}
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		taken[top] = true
	}
	if taken[p.Name] || path.Ext(p.Name) == ".go" {
		return misusef("the binary of %s would be %q, which the project has another use for: give --module, such as example.com/my-hooks", p.Module, p.Name)
	}
	return nil
}

// gitFolder may be there already in an empty folder.
const gitFolder = ".git"

// inspect says whether the folder is there, and fails unless it is empty or missing.
func inspect(dir string) (exists bool, err error) {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(dir); err == nil {
			return false, errors.New("is a link to nothing")
		}
		return false, nil
	case err != nil:
		return false, bare(err)
	}
	for _, e := range entries {
		if e.Name() != gitFolder {
			return true, fmt.Errorf("is not empty: %s is in the way", hookexec.Quote(e.Name()))
		}
	}
	return true, nil
}

// bare is a system's error without the path, which may be that of a temporary file.
func bare(err error) error {
	var onPath *fs.PathError
	var onLink *os.LinkError
	switch {
	case errors.As(err, &onPath):
		return onPath.Err
	case errors.As(err, &onLink):
		return onLink.Err
	}
	return err
}

// create makes the folder with the files and go.sum, whole or not at all: it is made
// beside its place. One that exists stays, and what becomes its content is made in it:
// a shell may be there, and what holds it may not be ours.
func create(ctx context.Context, dir string, exists bool, files map[string][]byte) error {
	beside := filepath.Dir(dir)
	if exists {
		beside = dir
	} else if _, err := os.Stat(beside); err != nil {
		return fmt.Errorf("the folder for it: %w", bare(err))
	}
	work, err := os.MkdirTemp(beside, ".virthook-new-*")
	if err != nil {
		return bare(err)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "project") // the temporary one is its owner's alone
	for name, content := range files {
		to := filepath.Join(made, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return bare(err)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return bare(err)
		}
	}
	if err := tidy(ctx, made); err != nil {
		return err
	}
	if !exists {
		return bare(os.Rename(made, dir))
	}
	return moveInto(dir, made)
}

// moveInto moves what is in a folder, all or nothing.
func moveInto(dir, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return bare(err)
	}
	var moved []string
	for _, e := range entries {
		to := filepath.Join(dir, e.Name())
		if _, err = os.Lstat(to); err == nil {
			err = fmt.Errorf("%s is in the way", e.Name())
		} else {
			err = os.Rename(filepath.Join(from, e.Name()), to)
		}
		if err != nil {
			for _, done := range moved {
				_ = os.RemoveAll(done)
			}
			return bare(err)
		}
		moved = append(moved, to)
	}
	return nil
}

// tidy writes go.sum, and into go.mod what is still missing. Then the go command must be
// able to load the project: not every module path serves.
func tidy(ctx context.Context, dir string) error {
	flags, err := goCommand(ctx, dir, nil, "env", "GOFLAGS")
	if err != nil {
		return err
	}
	// Flags are the user's, but for those with which go.mod could not change.
	env := []string{"GOWORK=off", "GO111MODULE=on", "GOFLAGS=" + strings.TrimSpace(flags+" -mod=mod")}
	if _, err = goCommand(ctx, dir, env, "mod", "tidy"); err == nil {
		_, err = goCommand(ctx, dir, env, "list", "-buildvcs=false", "-deps", "-test", "./...")
	}
	return err
}

// goCommand runs the go command and returns what it printed.
func goCommand(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second // for what git and the like hold
	err := cmd.Run()
	switch {
	case err == nil:
		return strings.TrimSpace(out.String()), nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the go command is needed, and is not in PATH")
	}
	return "", fmt.Errorf("go %s: %s", strings.Join(args, " "), firstProblem(said.String(), err))
}

// firstProblem makes one line of the first error that the go command printed.
func firstProblem(said string, err error) string {
	var words []string
	for line := range strings.Lines(said) {
		text, starts := strings.CutPrefix(line, "go: ")
		switch first, _, _ := strings.Cut(text, " "); {
		case first == "downloading" || first == "finding" || first == "found":
			continue
		case starts && len(words) > 0:
			return strings.Join(words, " ")
		}
		words = append(words, strings.Fields(text)...)
	}
	if len(words) == 0 {
		return err.Error()
	}
	return strings.Join(words, " ")
}

// report says what there is now and what to do with it.
func (p project) report(ctx context.Context, to io.Writer, asGiven, dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: module %s, with handlers of %s\n", hookexec.Quote(asGiven), p.Module, strings.Join(p.Drivers, ", "))
	if p.Checkout != "" {
		fmt.Fprintf(&b, "go.mod replaces %s with the checkout in %s\n", ourModule, hookexec.Quote(p.Checkout))
	}
	// Not in the environment of make, which has its own.
	if work, err := goCommand(ctx, dir, nil, "env", "GOWORK"); err == nil && work != "" && work != "off" {
		fmt.Fprintf(&b, "it is below the workspace %s: outside of make, go needs go work use, or GOWORK=off\n", hookexec.Quote(work))
	}
	if filepath.Clean(asGiven) != "." {
		fmt.Fprintf(&b, "\n  cd %s", shellWord(asGiven))
	}
	b.WriteString("\n  make test\n  make fire\n  make help\n")
	_, err := io.WriteString(to, b.String())
	return err
}

// shellWord quotes for a shell what it would not take as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._+-", r)
	}
	if strings.HasPrefix(s, "-") {
		s = "./" + s
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
