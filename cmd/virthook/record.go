package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/recording"
	"github.com/virthook/virthook/spec"
)

func newRecord() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Store the calls that this host's libvirt makes",
		Long: `Store the calls of hooks that this host's libvirt makes, without the secrets in
their XML, to look at them or to replay them elsewhere.

start installs a copy of this program as a hook, which stores each call and decides
nothing: it prints nothing, never fails, and keeps nobody waiting. stop removes it.`,
		Example: `  virthook record start --driver qemu,network
  virthook record status
  virthook record stop
  virthook record show /var/lib/virthook/recordings/20261122T230555Z`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("record: unknown command %q: start, stop, status or show", args[0])
			}
			return errors.New("record: start, stop, status or show is missing")
		},
	}
	cmd.AddCommand(newRecordStart(), newRecordStop(), newRecordStatus(), newRecordShow())
	return cmd
}

// hooksFlags are where the hooks are.
type hooksFlags struct{ hooks, root string }

func (f *hooksFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.hooks, "hooks-dir", "/etc/libvirt/hooks", "the hooks folder `DIR`")
	cmd.Flags().StringVar(&f.root, "root", "", "the host is the one in the folder `DIR`, such as an image's")
}

// dir is the hooks folder as it is seen from here. It makes the root absolute.
func (f *hooksFlags) dir() (dir string, err error) {
	if f.root == "" {
		return filepath.Abs(f.hooks)
	}
	if !filepath.IsAbs(f.hooks) {
		return "", misusef("--hooks-dir: %s is not absolute, as it must be with --root", f.hooks)
	}
	f.root, err = filepath.Abs(f.root)
	return filepath.Join(f.root, f.hooks), err
}

// recordStart is what the command line of record start says.
type recordStart struct {
	at      hooksFlags
	to      string
	drivers []string
	limit   string
}

func newRecordStart() *cobra.Command {
	var f recordStart
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Begin to store calls",
		Long: `Begin to store calls: install this program in each driver's DRIVER.d, as
` + recorderName + `.

At the limit no more calls are stored. A user's own daemons (qemu:///session) store
into the user's .local/state/virthook/recordings, with a limit of their own.`,
		Args: operands(0),
		RunE: action(func(cmd *cobra.Command, _ []string) error { return f.run(cmd.OutOrStdout()) }),
	}
	f.at.add(cmd)
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.to, "to", "", "store into `DIR`, which is new or empty; default: one named by the time in /var/lib/virthook/recordings, or in ~/.local/state/virthook/recordings for a user")
	flags.StringSliceVar(&f.drivers, "driver", nil, "the `DRIVER`s, with commas or repeated; default: all")
	flags.StringVar(&f.limit, "limit", "256MiB", "store at most this `SIZE` in KiB, MiB or GiB; a plain number: so many calls")
	return cmd
}

// parseLimit reads the value of --limit.
func parseLimit(text string) (recording.Limit, error) {
	number, factor := text, int64(0)
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if n, ok := strings.CutSuffix(text, unit); ok {
			number, factor = n, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	switch {
	case err != nil || n <= 0 || n > 1<<30:
		return recording.Limit{}, misusef("--limit: %q is neither a size such as 256MiB nor a number of calls", text)
	case factor == 0:
		return recording.Limit{Calls: n}, nil
	case n*factor < recording.Block:
		return recording.Limit{}, misusef("--limit: %s is less than one call takes, %s", text, size(recording.Block))
	}
	return recording.Limit{Bytes: n * factor}, nil
}

func (f *recordStart) run(stdout io.Writer) (err error) {
	c := recorderConfig{Version: 1, Since: time.Now().UTC().Truncate(time.Second), Created: []string{}}
	if c.Limit, err = parseLimit(f.limit); err != nil {
		return err
	}
	hooks, err := f.at.dir()
	if err != nil {
		return err
	}
	drivers, err := recordedDrivers(f.drivers)
	if err != nil {
		return err
	}
	if c.Dir, err = f.folder(c.Since); err != nil {
		return err
	}

	// All that can be in the way is looked for before anything is changed.
	if old, err := readRecorderConfig(hooks); err == nil {
		return fmt.Errorf("%s: already recording into %s: see virthook record stop", hooks, old.Dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there, err := recorders(hooks)
	if err != nil {
		return err
	}
	if err := ours(there); err != nil {
		return err
	}
	fresh := slices.DeleteFunc(slices.Clone(drivers), func(d string) bool { return install.Hooked(new(install.Host), hooks, d, recorderName) })

	// Each step adds how to take it back.
	var undo []func()
	defer func() {
		if err != nil {
			for _, back := range slices.Backward(undo) {
				back()
			}
		}
	}()
	dir := filepath.Join(f.at.root, c.Dir)
	if _, statErr := os.Lstat(dir); statErr != nil {
		undo = append(undo, func() { _ = os.Remove(dir) })
	}
	if err := recording.Create(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(hooks), 0o755); err != nil {
		return err
	}
	made, err := makeFolder(hooks)
	if made {
		undo = append(undo, func() { _ = os.Remove(hooks) })
	}
	if err != nil {
		return err
	}
	for _, d := range drivers {
		if _, err := os.Lstat(filepath.Join(hooks, d+".d")); errors.Is(err, fs.ErrNotExist) {
			c.Created = append(c.Created, d+".d")
		}
	}
	if err := c.write(hooks); err != nil { // who has written it has the drivers' folders
		return err
	}
	undo = append(undo, func() { _ = os.Remove(filepath.Join(hooks, recorderConfigName)) })
	for _, folder := range c.Created {
		path := filepath.Join(hooks, folder)
		made, err := makeFolder(path)
		if made {
			undo = append(undo, func() { _ = os.Remove(path) })
		}
		if err != nil {
			return err
		}
	}
	for _, d := range drivers {
		path := filepath.Join(hooks, d+".d", recorderName)
		undo = append(undo, func() { _ = os.Remove(path) })
	}
	if err := installRecorder(hooks, drivers); err != nil {
		return err
	}
	return f.report(stdout, c, hooks, drivers, fresh)
}

// makeFolder makes a folder of hooks, unless it is there, with mode 0755 whatever the
// umask is.
func makeFolder(path string) (made bool, err error) {
	err = os.Mkdir(path, 0o755)
	switch {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, os.Chmod(path, 0o755)
}

// folder is the one to store into, as hooks see it.
func (f *recordStart) folder(since time.Time) (string, error) {
	switch {
	case f.to != "" && f.at.root != "" && !filepath.IsAbs(f.to):
		return "", misusef("--to: %s is not absolute, as it must be with --root", f.to)
	case f.to != "":
		return filepath.Abs(f.to)
	case os.Geteuid() == 0 || f.at.root != "":
		return filepath.Join("/var/lib/virthook/recordings", recording.Stamp(since)), nil
	}
	return recording.UserDir(os.Getenv("HOME"), since)
}

// recordedDrivers are those that were asked for, or all.
func recordedDrivers(asked []string) ([]string, error) {
	s, err := spec.Builtin()
	if err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return driverNames(s), nil
	}
	for _, d := range asked {
		if s.Driver(d) == nil {
			return nil, misusef("unknown driver %q: one of %s", d, strings.Join(driverNames(s), ", "))
		}
	}
	slices.Sort(asked)
	return slices.Compact(asked), nil
}

// ours says, of files with the recorder's name, which one is not the recorder.
func ours(paths []string) error {
	for _, path := range paths {
		if is, err := isRecorder(path); err != nil {
			return err
		} else if !is {
			return fmt.Errorf("%s: not installed by virthook record, so it is left as it is", path)
		}
	}
	return nil
}

// write puts the configuration in place, unless there is one.
func (c recorderConfig) write(hooks string) error {
	content, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	temp, err := tempFile(hooks, bytes.NewReader(append(content, '\n')), 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	err = os.Link(temp, filepath.Join(hooks, recorderConfigName))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: another start of virthook record was faster", hooks)
	}
	return err
}

// tempFile writes a new file into the folder.
func tempFile(dir string, content io.Reader, mode fs.FileMode) (path string, err error) {
	f, err := os.CreateTemp(dir, ".virthook-record-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// installRecorder puts this program into each DRIVER.d. It is written into the hooks
// folder itself, where libvirt looks at no file but DRIVER: in DRIVER.d it would run
// whatever is executable. The drivers share the one copy.
func installRecorder(hooks string, drivers []string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for i, d := range drivers {
		from, to := filepath.Join(hooks, drivers[0]+".d", recorderName), filepath.Join(hooks, d+".d", recorderName)
		temp := filepath.Join(hooks, fmt.Sprintf(".virthook-record-%d-%s", os.Getpid(), d))
		if i == 0 || os.Link(from, temp) != nil {
			f, err := os.Open(program)
			if err != nil {
				return err
			}
			temp, err = tempFile(hooks, f, 0o755)
			_ = f.Close()
			if err != nil {
				return err
			}
		}
		if err := os.Rename(temp, to); err != nil {
			_ = os.Remove(temp)
			return err
		}
	}
	return nil
}

// report says what was done and what is to do.
func (f *recordStart) report(stdout io.Writer, c recorderConfig, hooks string, drivers, fresh []string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "recording into %s, up to %s\n", c.Dir, limitText(c.Limit))
	for _, d := range drivers {
		fmt.Fprintf(&b, "installed %s\n", filepath.Join(hooks, d+".d", recorderName))
	}
	if had := slices.DeleteFunc(slices.Clone(drivers), func(d string) bool { return slices.Contains(fresh, d) }); len(had) > 0 {
		fmt.Fprintf(&b, "recorded from now on: %s, whose hooks libvirt calls already\n", strings.Join(had, ", "))
	}
	if len(fresh) > 0 && f.at.root == "" {
		fmt.Fprintf(&b, `recorded after a reload: %s, which had no hook
  systemctl reload libvirtd, or with modular daemons: systemctl reload %s
Reload, never restart: a restart calls the hook reconnect for every running guest.
`, strings.Join(fresh, ", "), strings.Join(modularDaemons(fresh), " "))
	}
	_, err := stdout.Write(b.Bytes())
	return err
}

// modularDaemons are the services that call the drivers' hooks.
func modularDaemons(drivers []string) []string {
	daemons := map[string]string{"qemu": "virtqemud", "lxc": "virtlxcd", "libxl": "virtxend", "bhyve": "virtbhyved", "network": "virtnetworkd"}
	var names []string
	for _, d := range drivers {
		if name, ok := daemons[d]; ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 { // the driver daemon is each one's
		names = []string{"virtqemud", "virtnetworkd"}
	}
	return names
}

func limitText(l recording.Limit) string {
	if l.Calls > 0 {
		return plural(int(l.Calls), "call")
	}
	return size(l.Bytes)
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return strconv.FormatFloat(float64(n*10>>30)/10, 'f', -1, 64) + " GiB"
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n*10>>20)/10, 'f', -1, 64) + " MiB"
	case n >= 1<<10:
		return strconv.FormatInt(n>>10, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

func newRecordStop() *cobra.Command {
	var at hooksFlags
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "Stop storing calls, and keep the recording",
		Args:  operands(0),
		RunE: action(func(cmd *cobra.Command, _ []string) error {
			hooks, err := at.dir()
			if err != nil {
				return err
			}
			return recordStop(cmd.OutOrStdout(), hooks, at.root)
		}),
	}
	at.add(cmd)
	return cmd
}

func recordStop(stdout io.Writer, hooks, root string) error {
	c, configErr := readRecorderConfig(hooks)
	paths, err := recorders(hooks)
	if err != nil {
		return err
	}
	if errors.Is(configErr, fs.ErrNotExist) && len(paths) == 0 {
		return fmt.Errorf("%s: nothing is recorded", hooks)
	}
	if err := ours(paths); err != nil {
		return err
	}
	var b bytes.Buffer
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			return err
		}
		fmt.Fprintf(&b, "removed %s\n", path)
	}
	if err := os.Remove(filepath.Join(hooks, recorderConfigName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, folder := range c.Created {
		if filepath.IsLocal(folder) {
			_ = os.Remove(filepath.Join(hooks, folder)) // which fails when others put hooks there
		}
	}
	if configErr == nil {
		dir := filepath.Join(root, c.Dir)
		if stats, err := recording.Stat(dir); err == nil {
			fmt.Fprintf(&b, "kept %s: %s, %s\n", dir, plural(stats.Calls, "call"), size(stats.Bytes))
		}
	}
	_, err = stdout.Write(b.Bytes())
	return err
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// recordStatus is what record status --json prints.
type recordStatus struct {
	Version   int              `json:"version"`
	Recording bool             `json:"recording"`
	Since     *time.Time       `json:"since,omitempty"`
	Dir       string           `json:"dir,omitempty"`
	Limit     *recording.Limit `json:"limit,omitempty"`
	Full      bool             `json:"full"`
	Installed []string         `json:"installed"` // the paths of the hooks
	Calls     int              `json:"calls"`
	Bytes     int64            `json:"bytes"`
	Last      *time.Time       `json:"last,omitempty"` // when a call was stored
	Errors    []string         `json:"errors"`
}

func newRecordStatus() *cobra.Command {
	var at hooksFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether calls are stored, and how many",
		Args:  operands(0),
		RunE: action(func(cmd *cobra.Command, _ []string) error {
			hooks, err := at.dir()
			if err != nil {
				return err
			}
			s, err := statusOf(hooks, at.root)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), s.text())
			return err
		}),
	}
	at.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func statusOf(hooks, root string) (*recordStatus, error) {
	s := &recordStatus{Version: 1, Installed: []string{}, Errors: []string{}}
	paths, err := recorders(hooks)
	if err != nil {
		return nil, err
	}
	s.Installed = append(s.Installed, paths...)
	c, err := readRecorderConfig(hooks)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.Recording, s.Since, s.Limit = len(paths) > 0, &c.Since, &c.Limit
	s.Dir = filepath.Join(root, c.Dir)
	stats, err := recording.Stat(s.Dir)
	if errors.Is(err, fs.ErrPermission) { // root's: what there is for this user is the user's own
		dir, homeErr := recording.UserDir(os.Getenv("HOME"), c.Since)
		if homeErr != nil {
			return nil, err
		}
		s.Dir = dir
		if stats, err = recording.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return s, nil
		}
	}
	if err != nil {
		return nil, err
	}
	s.Calls, s.Bytes = stats.Calls, stats.Bytes
	s.Errors = append(s.Errors, stats.Problems...)
	if !stats.Last.IsZero() {
		s.Last = &stats.Last
	}
	s.Full, err = recording.Reached(s.Dir, c.Limit)
	return s, err
}

func (s *recordStatus) text() string {
	var b strings.Builder
	switch {
	case s.Since == nil && len(s.Installed) == 0:
		return "nothing is recorded\n"
	case s.Since == nil:
		b.WriteString("nothing is recorded: the recorder's configuration is gone, see virthook record stop\n")
	case !s.Recording:
		b.WriteString("nothing is recorded: the recorder is gone from the hooks, see virthook record stop\n")
	}
	for _, path := range s.Installed {
		fmt.Fprintf(&b, "installed %s\n", path)
	}
	if s.Since == nil {
		return b.String()
	}
	fmt.Fprintf(&b, "recording into %s since %s\n", s.Dir, s.Since.Local().Format(time.DateTime))
	fmt.Fprintf(&b, "%s, %s of files, up to %s", plural(s.Calls, "call"), size(s.Bytes), limitText(*s.Limit))
	if s.Full {
		b.WriteString(": the limit is reached, no more are stored")
	}
	b.WriteString("\n")
	if n := len(s.Errors); n > 0 {
		fmt.Fprintf(&b, "%s in %s, the last: %s\n", plural(n, "line"), filepath.Join(s.Dir, "errors.log"), s.Errors[n-1])
	}
	return b.String()
}

// recordedCalls is what record show --json prints.
type recordedCalls struct {
	Version int            `json:"version"`
	Calls   []recordedCall `json:"calls"` // in the order of arrival
}

type recordedCall struct {
	At     time.Time `json:"at"`
	Driver string    `json:"driver"`
	Object string    `json:"object"`
	Op     string    `json:"op"`
	SubOp  string    `json:"sub_op"`
	Extra  string    `json:"extra"`
	UID    int       `json:"uid"`
	Env    []string  `json:"env"`
	File   string    `json:"file"`
	Bytes  int       `json:"xml_bytes"`
}

func newRecordShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DIR",
		Short: "List the calls of a recording",
		Long: `List the calls of a recording. The first line of a call's file is JSON, all after
it is the XML: sed 1d FILE`,
		Args: operands(1, "DIR"),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			r, err := recording.Open(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), listCalls(r))
			}
			return callTable(cmd.OutOrStdout(), r)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func listCalls(r *recording.Recording) recordedCalls {
	list := recordedCalls{Version: 1, Calls: []recordedCall{}}
	for _, c := range r.Calls {
		list.Calls = append(list.Calls, recordedCall{
			At: c.At, Driver: c.Driver, Object: c.Object, Op: c.Op, SubOp: c.SubOp, Extra: c.Extra,
			UID: c.UID, Env: c.Env, File: c.File, Bytes: len(c.XML),
		})
	}
	return list
}

func callTable(to io.Writer, r *recording.Recording) error {
	if len(r.Calls) == 0 {
		_, err := fmt.Fprintf(to, "%s: no calls\n", r.Dir)
		return err
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIME\tDRIVER\tOPERATION\tOBJECT\tEXTRA\tXML")
	for _, c := range r.Calls {
		xml := "-"
		if c.XML != nil {
			xml = size(int64(len(c.XML)))
		}
		fmt.Fprintln(w, strings.Join([]string{
			c.At.Local().Format("2006-01-02 15:04:05.000"), hookexec.Quote(c.Driver), hookexec.Quote(c.Op) + "/" + hookexec.Quote(c.SubOp), hookexec.Quote(c.Object), hookexec.Quote(c.Extra), xml,
		}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := to.Write(b.Bytes())
	return err
}
