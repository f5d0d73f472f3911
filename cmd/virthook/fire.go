package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/spec"
)

// fire is what the command line says; what is empty was not given.
type fire struct {
	driver, op, subOp string
	givenSubOp        string // of --sub-op, which may name one that is newer than the spec
	object, extra     string
	bin, hooks        string
	xml               string
	libvirt           spec.Version
	timeout, slow     time.Duration
	json              bool
}

func newFire() *cobra.Command {
	var f fire
	var specDir specFlag
	var libvirt libvirtFlag
	cmd := &cobra.Command{
		Use:   "fire DRIVER OPERATION [SUB-OPERATION] --bin PROGRAM | --hooks DIR",
		Short: "Call a hook as libvirt does",
		Long: `Call a hook as libvirt does, and say what libvirt would make of it: with the
arguments, the XML on standard input, the environment and the working directory
that libvirt gives it, and nothing else. It waits as libvirt does, until the hook
has ended and nobody keeps its output open.

The operands are libvirt's own words, with blanks or slashes between them: qemu
release end, qemu/release/end and qemu release/end are the same, and the
sub-operation may be left out.

--bin calls one program, under the name that it would have in the hooks folder;
--hooks calls what libvirt would call from that folder, DRIVER and then DRIVER.d/*.

What is not given comes from the spec and from a call that was recorded from
libvirt: of release, that with the reason of --extra, and from the version of
--libvirt or the one before it. With --object the guest or network of the recorded
call has that name in its XML too; XML of --xml stays as it is. An operation that
the spec does not know needs a sub-operation. What libvirt would not pass is passed
all the same, and a note says so.

What a hypervisor or a host would refuse is not found: a filter's output is held
against what libvirt reads from the XML alone.

The exit status is 0 when libvirt goes on, also after a failure that it only logs,
1 when it does not go on or the wait was given up, and 2 when the command line is
wrong.`,
		Example: `  virthook fire qemu prepare --bin ./myhook
  virthook fire qemu prepare --bin ./myhook --object prod-1
  virthook fire qemu release end --bin ./myhook --extra crashed
  virthook fire qemu migrate --hooks /etc/libvirt/hooks --xml guest.xml
  virthook fire network started --bin ./myhook --libvirt 9.0.0 --json`,
		Args: operands(1, "DRIVER", "OPERATION", "SUB-OPERATION"),
		RunE: action(func(cmd *cobra.Command, args []string) (err error) {
			if err = f.operands(args); err != nil {
				return err
			}
			if (f.bin == "") == (f.hooks == "") {
				return misusef("fire: needs either --bin or --hooks")
			}
			if f.timeout < 0 {
				return misusef("--timeout: %s is negative", f.timeout)
			}
			if f.slow < 0 {
				return misusef("--slow: %s is negative", f.slow)
			}
			if f.libvirt, err = libvirt.version(); err != nil {
				return err
			}
			s, err := specDir.load()
			if err != nil {
				return err
			}
			call, o, notes, err := f.call(s, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), call, o, notes)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.bin, "bin", "", "call this `PROGRAM`")
	flags.StringVar(&f.hooks, "hooks", "", "call the hooks in this `DIR`")
	flags.StringVar(&f.givenSubOp, "sub-op", "", "the `SUB-OPERATION`; default: the spec's")
	flags.StringVar(&f.object, "object", "", "the `NAME` of the guest or network; default: the one in the XML")
	flags.StringVar(&f.extra, "extra", "", "the fourth `OPERAND`; default: what libvirt passes")
	flags.StringVar(&f.xml, "xml", "", "the `FILE` with the XML, - for standard input; default: a recorded one")
	libvirt.add(flags, "call as libvirt `VERSION` does; default: as the newest")
	specDir.add(flags)
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "give up after this `TIME`; 0: never, as libvirt")
	flags.DurationVar(&f.slow, "slow", time.Second, "mark what takes longer than this `TIME`; 0: nothing")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

// callWords are the words of the operands: DRIVER, OPERATION and SUB-OPERATION, as
// operands of their own or with slashes.
func callWords(args []string) []string { return strings.Split(strings.Join(args, "/"), "/") }

// operands takes DRIVER, OPERATION and perhaps SUB-OPERATION, beside --sub-op.
func (f *fire) operands(args []string) error {
	words := callWords(args)
	switch {
	case len(words) == 1:
		return misusef("fire: OPERATION is missing")
	case len(words) > 3 || slices.Contains(words, ""):
		return misusef("%q is not DRIVER OPERATION or DRIVER OPERATION SUB-OPERATION", strings.Join(args, " "))
	}
	f.driver, f.op, f.subOp = words[0], words[1], f.givenSubOp
	if len(words) == 2 {
		return nil
	}
	if f.subOp = words[2]; f.givenSubOp != "" && f.givenSubOp != f.subOp {
		return misusef("%s/%s and --sub-op %s contradict each other", f.op, f.subOp, f.givenSubOp)
	}
	return nil
}

// call is the call to make, what the spec says of it, nil when it does not know it,
// and what of the call no libvirt would pass.
func (f *fire) call(s *spec.Spec, stdin io.Reader) (call hookexec.Call, o *spec.Op, notes []string, err error) {
	if o, err = f.operation(s); err != nil {
		return call, nil, nil, err
	}
	call = hookexec.Call{Driver: f.driver, Op: f.op, SubOp: f.subOp}
	sample, sampled := f.sample()
	switch {
	case o != nil && o.InputAt(f.libvirt) == spec.InputNone:
		if f.xml != "" {
			return call, nil, nil, misusef("--xml: %s has nothing on standard input", o.ID())
		}
	case f.xml != "":
		if call.Input, err = f.readXML(stdin); err != nil {
			return call, nil, nil, err
		}
	case !sampled:
		return call, nil, nil, misusef("there is no sample of driver %s: give --xml", f.driver)
	case o != nil && f.op != o.Op:
		return call, nil, nil, misusef("there is no sample of %s/%s, which carried other XML: give --xml", f.driver, f.op)
	default:
		if call.Input = sample.XML; f.object != "" {
			call.Input = withName(sample.XML, f.object)
		}
	}

	named, malformed := "", error(nil)
	if call.Input != nil {
		named, _, malformed = objectName(call.Input)
	}
	switch d := s.Driver(f.driver); {
	case f.object != "":
		call.Object = f.object
	case d != nil && d.Object == "none":
		call.Object = "-"
	case f.xml == "":
		call.Object = sample.Object
	case malformed != nil:
		return call, nil, nil, misusef("--xml: %s is not well-formed, %w: give --object to fire it all the same", f.xml, malformed)
	case named == "":
		return call, nil, nil, misusef("the XML has no name: give --object")
	default:
		call.Object = named
	}
	call.Extra = f.extraOf(s, o, sample)

	notes = f.notes(s, o)
	switch {
	case call.Input == nil || call.Object == "-":
	case malformed != nil:
		notes = append(notes, fmt.Sprintf("the XML is not well-formed, %s: libvirt never sends that", malformed))
	case named == "":
		notes = append(notes, "the XML has no name: libvirt never sends that")
	case named != call.Object:
		notes = append(notes, fmt.Sprintf("it is %s in the arguments and %s in the XML: libvirt never sends that",
			hookexec.Quote(call.Object), hookexec.Quote(named)))
	}
	return call, o, notes, nil
}

// notes say what of the command line is not as the spec has it.
func (f *fire) notes(s *spec.Spec, o *spec.Op) (notes []string) {
	checked := checkedWith(s)
	if checked != "" && checked.Less(f.libvirt) {
		notes = append(notes, fmt.Sprintf("libvirt %s is newer than %s, the newest that the spec was checked with", f.libvirt, checked))
	}
	if o == nil {
		return append(notes, fmt.Sprintf("the spec does not know %s/%s/%s: called as by a libvirt that is newer", f.driver, f.op, f.subOp))
	}
	words := extraWords(s, o, f.libvirt)
	if f.extra == "" || slices.Contains(words, f.extra) {
		return notes
	}
	libvirt := "libvirt"
	if v := cmp.Or(f.libvirt, checked); v != "" {
		libvirt += " " + string(v)
	}
	but := words[0]
	if len(words) > 1 {
		but = "one of " + strings.Join(words, ", ")
	}
	return append(notes, fmt.Sprintf("%s does not pass %s here, but %s", libvirt, hookexec.Quote(f.extra), but))
}

// checkedWith is the newest libvirt that the spec was held against, "" when it says none.
func checkedWith(s *spec.Spec) (newest spec.Version) {
	for o := range s.All() {
		for _, v := range o.Verified.Seen {
			if newest.Less(v) {
				newest = v
			}
		}
	}
	return newest
}

// extraWords are what the given libvirt may pass as the fourth operand.
func extraWords(s *spec.Spec, o *spec.Op, v spec.Version) (words []string) {
	x := extraAt(o, v)
	switch {
	case x == nil:
		return []string{"-"}
	case x.Const != "":
		return []string{x.Const}
	}
	for _, value := range s.Enum(x.Enum).Values {
		words = append(words, value.Value)
	}
	return words
}

// sample is the recorded call that is most like the one to make: with the same
// fourth operand, of the same version or else of the one before it.
func (f *fire) sample() (captures.Capture, bool) {
	all := slices.DeleteFunc(captures.All(), func(c captures.Capture) bool {
		return c.Driver != f.driver || c.Op != f.op || c.SubOp != f.subOp
	})
	only := func(is func(captures.Capture) bool) {
		if slices.ContainsFunc(all, is) {
			all = slices.DeleteFunc(all, func(c captures.Capture) bool { return !is(c) })
		}
	}
	only(func(c captures.Capture) bool { return c.Extra == f.extra })
	only(func(c captures.Capture) bool { return f.libvirt == "" || !f.libvirt.Less(spec.Version(c.Version)) })
	if len(all) == 0 {
		return captures.Sample(f.driver, f.op, f.subOp)
	}
	version := all[len(all)-1].Version // they are sorted
	if f.libvirt.Less(spec.Version(version)) && f.libvirt != "" {
		version = all[0].Version
	}
	only(func(c captures.Capture) bool { return c.Version == version })
	only(func(c captures.Capture) bool { return c.Extra == "shutdown" })
	return all[0], true
}

// operation finds it in the spec; nil: the spec does not know it. It completes
// the sub-operation.
func (f *fire) operation(s *spec.Spec) (*spec.Op, error) {
	d := s.Driver(f.driver)
	if d == nil {
		if f.subOp == "" {
			return nil, misusef("unknown driver %q: one of %s, or give --sub-op for one that is newer than the spec",
				f.driver, strings.Join(driverNames(s), ", "))
		}
		return nil, nil
	}
	found := d.Find(f.op)
	for _, o := range d.Ops { // under the name that it had
		if f.libvirt != "" && o.Op != f.op && o.NameAt(f.libvirt) == f.op {
			found = append(found, o)
		}
	}
	var subOps []string
	for _, o := range found {
		subOps = append(subOps, o.SubOp)
	}
	if f.subOp != "" {
		found = slices.DeleteFunc(found, func(o *spec.Op) bool { return o.SubOp != f.subOp })
	}
	switch {
	case len(found) == 0 && len(subOps) > 0 && f.givenSubOp == "":
		return nil, misusef("the sub-operation of %s/%s is %s, not %q: --object names the guest or network, --sub-op a sub-operation newer than the spec",
			f.driver, f.op, strings.Join(subOps, " or "), f.subOp)
	case len(found) == 0 && f.subOp != "":
		return nil, nil
	case len(found) == 0:
		return nil, misusef("unknown operation %q of %s: one of %s, or give --sub-op for one that is newer than the spec",
			f.op, f.driver, strings.Join(opNames(d), ", "))
	case len(found) > 1:
		return nil, misusef("%s/%s has several sub-operations: give --sub-op", f.driver, f.op)
	}
	o := found[0]
	if f.libvirt != "" {
		if name := o.NameAt(f.libvirt); name != f.op {
			return nil, misusef("libvirt %s calls it %s/%s", f.libvirt, f.driver, name)
		}
		if !o.In(f.libvirt) {
			return nil, misusef("libvirt %s does not call %s: %s", f.libvirt, o.ID(), lifetime(o))
		}
	}
	f.subOp = o.SubOp
	return o, nil
}

func opNames(d *spec.Driver) []string {
	var names []string
	for _, o := range d.Ops {
		names = append(names, o.Op)
	}
	return names
}

func lifetime(o *spec.Op) string {
	if o.Until == "" {
		return "it is since " + string(o.Since)
	}
	return fmt.Sprintf("it is since %s and until %s", o.Since, o.Until)
}

// readXML reads the file of --xml. It need not be XML: a hook may be tried with anything.
func (f *fire) readXML(stdin io.Reader) (content []byte, err error) {
	if f.xml == "-" {
		content, err = io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("--xml: %w", err)
		}
		return content, nil
	}
	if content, err = os.ReadFile(f.xml); err != nil {
		return nil, misusef("--xml: %w", err)
	}
	return content, nil
}

// extraOf is the fourth operand.
func (f *fire) extraOf(s *spec.Spec, o *spec.Op, sample captures.Capture) string {
	if f.extra != "" {
		return f.extra
	}
	if o == nil {
		return "-"
	}
	// Any of the words will do; the sample's goes with its XML.
	words := extraWords(s, o, f.libvirt)
	for _, word := range []string{sample.Extra, "shutdown"} {
		if slices.Contains(words, word) {
			return word
		}
	}
	return words[0]
}

// run makes the call and reports it. o is what the spec says of it.
func (f *fire) run(ctx context.Context, out, errOut io.Writer, call hookexec.Call, o *spec.Op, notes []string) error {
	hooks := f.hooks
	if f.bin != "" {
		link, cleanup, err := hookexec.Link(f.bin, f.driver)
		if err != nil {
			return misusef("--bin: %w", err)
		}
		defer cleanup()
		hooks = filepath.Dir(link)
	} else if _, err := os.ReadDir(hooks); err != nil {
		return misusef("--hooks: %w", err)
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("no end within %s", f.timeout))
		defer cancel()
	}
	var opts []hookexec.Option
	if isTerminal(errOut) {
		opts = append(opts, hookexec.OnWait(time.Second, func(w hookexec.Waiting) { fmt.Fprintln(errOut, waiting(w)) }))
	}
	of := operationOf(o, f.driver, f.op, f.subOp, f.libvirt)
	r := fired{call: call, filter: of.Filter, slow: f.slow, libvirt: f.libvirt, notes: notes, start: time.Now()}
	var err error
	r.outcome, err = hookexec.Chain(ctx, hooks, call, of.Filter, opts...)
	r.verdict = verdict.Judge(of, call, r.outcome, err)
	_ = errors.As(err, &r.unended)
	if o != nil && (r.verdict.Cause != verdict.NoCause && r.verdict.Word != verdict.Hangs) {
		r.then = strings.TrimSpace(o.FailureAt(f.libvirt).Doc)
	}
	if f.json {
		err = writeJSON(out, r.json())
	} else {
		err = r.print(out)
	}
	if err != nil {
		return err
	}
	if !r.verdict.GoesOn() {
		return fmt.Errorf("%s: %s", r.verdict.Word, r.verdict.Cause)
	}
	return nil
}
