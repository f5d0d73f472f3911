package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/virthook/virthook/spec"
)

func newEvents() *cobra.Command {
	var specDir specFlag
	var libvirt libvirtFlag
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "events [DRIVER]",
		Short: "List the operations that libvirt calls hooks for",
		Long: `List the operations that libvirt calls hooks for.

With --libvirt only those of that version are listed, with what that version
passes and does; without it, those of all versions.`,
		Args: operands(0, "DRIVER"),
		RunE: action(func(cmd *cobra.Command, args []string) error {
			v, err := libvirt.version()
			if err != nil {
				return err
			}
			s, err := specDir.load()
			if err != nil {
				return err
			}
			ops, err := selectOps(s, args, v)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), eventList{Version: 1, Libvirt: v, Events: describe(s, ops, v)})
			}
			return eventTable(cmd.OutOrStdout(), ops, v)
		}),
	}
	specDir.add(cmd.Flags())
	libvirt.add(cmd.Flags(), "only what libvirt `VERSION` has, as it has it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// selectOps returns the operations of the driver, or of all, that the version has.
func selectOps(s *spec.Spec, args []string, v spec.Version) ([]*spec.Op, error) {
	if len(args) > 0 && s.Driver(args[0]) == nil {
		return nil, misusef("unknown driver %q: one of %s", args[0], strings.Join(driverNames(s), ", "))
	}
	var ops []*spec.Op
	for o := range s.All() {
		if (len(args) == 0 || o.Driver.Name == args[0]) && (v == "" || o.In(v)) {
			ops = append(ops, o)
		}
	}
	return ops, nil
}

func eventTable(to io.Writer, ops []*spec.Op, v spec.Version) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "DRIVER\tOPERATION\tSUB-OP\tSINCE\tSTDIN\tFILTER\tWHEN IT FAILS\tSUMMARY")
	for _, o := range ops {
		since := string(o.Since)
		if o.Until != "" {
			since += " until " + string(o.Until)
		}
		filter := "-"
		if o.Filters() {
			filter = "yes"
		}
		fmt.Fprintln(w, strings.Join([]string{
			o.Driver.Name, o.NameAt(v), o.SubOp, since, o.InputAt(v), filter, effects(failuresAt(o, v)), o.Summary,
		}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := to.Write(b.Bytes())
	return err
}

// effects are what comes of a failure today, and in brackets what came of it in other
// versions: "refused (lost since 11.3.0 until 12.8.0)".
func effects(failures []spec.Failure) string {
	if len(failures) == 0 {
		return ""
	}
	now := failures[0]
	var others []string
	for i, f := range failures[1:] { // newest first
		if f.Effect == now.Effect {
			continue
		}
		text := f.Effect
		if f.Since != "" {
			text += " since " + string(f.Since)
		}
		others = append(others, text+" until "+string(failures[i].Since))
	}
	if len(others) == 0 {
		return now.Effect
	}
	return now.Effect + " (" + strings.Join(others, ", ") + ")"
}

// eventList is what events --json prints.
type eventList struct {
	Version int          `json:"version"`
	Libvirt spec.Version `json:"libvirt,omitempty"`
	Events  []event      `json:"events"`
}

type event struct {
	Driver   string       `json:"driver"`
	Op       string       `json:"op"` // as the version of libvirt calls it
	SubOp    string       `json:"sub_op"`
	Since    spec.Version `json:"since"`
	Until    spec.Version `json:"until,omitempty"`
	Replaces []former     `json:"replaces,omitempty"`
	Host     string       `json:"host"`
	Input    string       `json:"input"`            // of the version, or the newest
	Inputs   []input      `json:"inputs,omitempty"` // of all versions, where it changed
	Filter   bool         `json:"filter"`
	Failure  []effect     `json:"failure"` // newest first
	Fault    string       `json:"fault"`
	Extra    *extra       `json:"extra,omitempty"` // none: "-"
	After    []string     `json:"after,omitempty"`
	Summary  string       `json:"summary"`
	Doc      string       `json:"doc"`
	Go       goNames      `json:"go"`
}

type former struct {
	Op    string       `json:"op"`
	Until spec.Version `json:"until"`
}

type input struct {
	Kind  string       `json:"kind"`
	Since spec.Version `json:"since,omitempty"`
}

type effect struct {
	Effect string       `json:"effect"`
	Since  spec.Version `json:"since,omitempty"`
	Doc    string       `json:"doc,omitempty"`
}

type extra struct {
	Name   string       `json:"name,omitempty"`
	Const  string       `json:"const,omitempty"`
	Enum   string       `json:"enum,omitempty"`
	Values []string     `json:"values,omitempty"`
	Since  spec.Version `json:"since,omitempty"`
}

type goNames struct {
	Event   string `json:"event"`
	Handler string `json:"handler"`
}

func describe(s *spec.Spec, ops []*spec.Op, v spec.Version) []event {
	events := []event{}
	for _, o := range ops {
		e := event{
			Driver: o.Driver.Name, Op: o.NameAt(v), SubOp: o.SubOp,
			Since: o.Since, Until: o.Until, Host: o.Host,
			Input: o.InputAt(v), Filter: o.Filters(),
			Fault: o.Fault, After: o.After, Summary: o.Summary, Doc: o.Doc,
			Go: goNames{Event: o.GoName(), Handler: "On" + o.GoName()},
		}
		for _, f := range o.Replaces {
			e.Replaces = append(e.Replaces, former{f.Op, f.Until})
		}
		if v == "" && len(o.Input) > 1 {
			for _, in := range o.Input {
				e.Inputs = append(e.Inputs, input(in))
			}
		}
		for _, f := range failuresAt(o, v) {
			e.Failure = append(e.Failure, effect{f.Effect, f.Since, f.Doc})
		}
		if x := extraAt(o, v); x != nil {
			e.Extra = &extra{Name: x.Name, Const: x.Const, Enum: x.Enum, Since: x.Since}
			if en := s.Enum(x.Enum); en != nil {
				for _, value := range en.Values {
					e.Extra.Values = append(e.Extra.Values, value.Value)
				}
			}
		}
		events = append(events, e)
	}
	return events
}

// writeJSON prints a value for programs to read.
func writeJSON(to io.Writer, value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return err
	}
	_, err := to.Write(b.Bytes())
	return err
}
