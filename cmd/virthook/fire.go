package main

import (
	"context"
	"encoding/xml"
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
		Use:   "fire DRIVER OPERATION[/SUB-OPERATION] --bin PROGRAM | --hooks DIR",
		Short: "Call a hook as libvirt does",
		Long: `Call a hook as libvirt does, and say what libvirt would make of it: with the
arguments, the XML on standard input, the environment and the working directory
that libvirt gives it, and nothing else. It waits as libvirt does, until the hook
has ended and nobody keeps its output open.

--bin calls one program, under the name that it would have in the hooks folder;
--hooks calls what libvirt would call from that folder, DRIVER and then DRIVER.d/*.

What is not given comes from the spec and from a call that was recorded from
libvirt: of release, that with the reason of --extra, and from the version of
--libvirt or the one before it. An operation that the spec does not know needs
--sub-op.

What a hypervisor or a host would refuse is not found: a filter's output is held
against what libvirt reads from the XML alone.

The exit status is 0 when libvirt goes on, also after a failure that it only logs,
1 when it does not go on or the wait was given up, and 2 when the command line is
wrong.`,
		Example: `  virthook fire qemu prepare --bin ./myhook
  virthook fire qemu release/end --bin ./myhook --extra crashed
  virthook fire qemu migrate --hooks /etc/libvirt/hooks --xml guest.xml
  virthook fire network started --bin ./myhook --libvirt 9.0.0 --json`,
		Args: operands(2, "DRIVER", "OPERATION"),
		RunE: action(func(cmd *cobra.Command, args []string) (err error) {
			if (f.bin == "") == (f.hooks == "") {
				return misusef("fire: needs either --bin or --hooks")
			}
			if f.driver = args[0]; strings.Contains(f.driver, "/") {
				return misusef("%q is not the name of a driver", f.driver)
			}
			if f.op, f.subOp, err = splitOp(args[1], f.subOp); err != nil {
				return err
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
			call, o, err := f.call(s, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), call, o)
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.bin, "bin", "", "call this `PROGRAM`")
	flags.StringVar(&f.hooks, "hooks", "", "call the hooks in this `DIR`")
	flags.StringVar(&f.subOp, "sub-op", "", "the `SUB-OPERATION`; default: the spec's")
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

// splitOp takes OP or OP/SUB-OP, and the value of --sub-op.
func splitOp(operand, flag string) (op, subOp string, err error) {
	op, subOp, both := strings.Cut(operand, "/")
	if !both {
		subOp = flag
	}
	switch {
	case op == "" || both && subOp == "" || strings.Contains(subOp, "/"):
		return "", "", misusef("%q is not OPERATION or OPERATION/SUB-OPERATION", operand)
	case both && flag != "" && flag != subOp:
		return "", "", misusef("%s and --sub-op %s contradict each other", operand, flag)
	}
	return op, subOp, nil
}

// call is the call to make, and what the spec says of it, nil when it does not
// know it.
func (f *fire) call(s *spec.Spec, stdin io.Reader) (call hookexec.Call, o *spec.Op, err error) {
	if o, err = f.operation(s); err != nil {
		return call, nil, err
	}
	call = hookexec.Call{Driver: f.driver, Op: f.op, SubOp: f.subOp}
	sample, sampled := f.sample()
	object := sample.Object
	switch {
	case o != nil && o.InputAt(f.libvirt) == spec.InputNone:
		if f.xml != "" {
			return call, nil, misusef("--xml: %s has nothing on standard input", o.ID())
		}
	case f.xml != "":
		if call.Input, object, err = f.readXML(stdin); err != nil {
			return call, nil, err
		}
	case !sampled:
		return call, nil, misusef("there is no sample of driver %s: give --xml", f.driver)
	case o != nil && f.op != o.Op:
		return call, nil, misusef("there is no sample of %s/%s, which carried other XML: give --xml", f.driver, f.op)
	default:
		call.Input = sample.XML
	}

	switch d := s.Driver(f.driver); {
	case f.object != "":
		object = f.object
	case d != nil && d.Object == "none":
		object = "-"
	case object == "":
		return call, nil, misusef("the XML has no name: give --object")
	}
	call.Object = object
	call.Extra = f.extraOf(s, o, sample)
	return call, o, nil
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
	if f.subOp != "" {
		found = slices.DeleteFunc(found, func(o *spec.Op) bool { return o.SubOp != f.subOp })
	}
	switch {
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

// readXML reads the file of --xml, and the object's name in it, if there is one.
func (f *fire) readXML(stdin io.Reader) (content []byte, object string, err error) {
	if f.xml == "-" {
		if content, err = io.ReadAll(stdin); err != nil {
			return nil, "", fmt.Errorf("--xml: %w", err)
		}
	} else if content, err = os.ReadFile(f.xml); err != nil {
		return nil, "", misusef("--xml: %w", err)
	}
	var doc struct {
		XMLName xml.Name
		Name    string `xml:"name"`
		Network struct {
			Name string `xml:"name"`
		} `xml:"network"`
	}
	// It need not be XML: a hook may be tried with anything.
	if err := xml.Unmarshal(content, &doc); err != nil {
		return content, "", nil
	}
	if doc.XMLName.Local == "hookData" {
		return content, doc.Network.Name, nil
	}
	return content, doc.Name, nil
}

// extraOf is the fourth operand.
func (f *fire) extraOf(s *spec.Spec, o *spec.Op, sample captures.Capture) string {
	if f.extra != "" {
		return f.extra
	}
	if o == nil {
		return "-"
	}
	x := extraAt(o, f.libvirt)
	switch {
	case x == nil:
		return "-"
	case x.Const != "":
		return x.Const
	}
	// Any of the words will do; the sample's goes with its XML.
	var words []string
	for _, v := range s.Enum(x.Enum).Values {
		words = append(words, v.Value)
	}
	for _, word := range []string{sample.Extra, "shutdown"} {
		if slices.Contains(words, word) {
			return word
		}
	}
	return words[0]
}

// run makes the call and reports it. o is what the spec says of it.
func (f *fire) run(ctx context.Context, out, errOut io.Writer, call hookexec.Call, o *spec.Op) error {
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
	r := fired{call: call, filter: of.Filter, slow: f.slow, libvirt: f.libvirt, start: time.Now()}
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
