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
	"github.com/virthook/virthook/spec"
)

// fire is what the command line says; what is empty was not given.
type fire struct {
	driver, op, subOp string
	object, extra     string
	bin, hooks        string
	xml               string
	libvirt           spec.Version
	timeout           time.Duration
	json              bool
}

func newFire() *cobra.Command {
	var f fire
	var specDir specFlag
	var libvirt libvirtFlag
	cmd := &cobra.Command{
		Use:   "fire DRIVER OPERATION[/SUB-OPERATION] --bin PROGRAM | --hooks DIR",
		Short: "Call a hook as libvirt does",
		Long: `Call a hook as libvirt does: with the arguments, the XML on standard input, the
environment and the working directory that libvirt gives it, and nothing else.

--bin calls one program, under the name that it would have in the hooks folder;
--hooks calls what libvirt would call from that folder, DRIVER and then DRIVER.d/*.

What is not given comes from the spec and from a call that was recorded from
libvirt. An operation that the spec does not know needs --sub-op.

The exit status is 0 when libvirt would take the call for a success, 1 when it
would not, and 2 when the command line is wrong.`,
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
			if f.libvirt, err = libvirt.version(); err != nil {
				return err
			}
			s, err := specDir.load()
			if err != nil {
				return err
			}
			call, filter, err := f.call(s, cmd.InOrStdin())
			if err != nil {
				return err
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), call, filter)
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
	flags.DurationVar(&f.timeout, "timeout", 0, "give up after this `TIME`; default: never, as libvirt")
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

// call is the call to make, and whether libvirt reads what the hook prints.
func (f *fire) call(s *spec.Spec, stdin io.Reader) (call hookexec.Call, filter bool, err error) {
	o, err := f.operation(s)
	if err != nil {
		return call, false, err
	}
	call = hookexec.Call{Driver: f.driver, Op: f.op, SubOp: f.subOp}
	sample, sampled := captures.Sample(f.driver, f.op, f.subOp)
	object := sample.Object
	switch {
	case o != nil && o.InputAt(f.libvirt) == spec.InputNone:
		if f.xml != "" {
			return call, false, misusef("--xml: %s has nothing on standard input", o.ID())
		}
	case f.xml != "":
		if call.Input, object, err = f.readXML(stdin); err != nil {
			return call, false, err
		}
	case !sampled:
		return call, false, misusef("there is no sample of driver %s: give --xml", f.driver)
	default:
		call.Input = sample.XML
	}

	switch d := s.Driver(f.driver); {
	case f.object != "":
		object = f.object
	case d != nil && d.Object == "none":
		object = "-"
	case object == "":
		return call, false, misusef("the XML has no name: give --object")
	}
	call.Object = object
	call.Extra = f.extraOf(s, o, sample)
	return call, o != nil && o.Filters(), nil
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
		if name := o.NameAt(f.libvirt); name != o.Op {
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

// run makes the call and reports it.
func (f *fire) run(ctx context.Context, out io.Writer, call hookexec.Call, filter bool) error {
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
	outcome, err := hookexec.Chain(ctx, hooks, call, filter)
	problems := judge(ctx, outcome, err)
	if f.json {
		err = writeJSON(out, jsonReport(call, outcome, len(problems) == 0))
	} else {
		err = report(out, call, outcome, filter)
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	return nil
}
