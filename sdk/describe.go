package sdk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"text/tabwriter"
)

// selfDescription is what the program prints when flag is its only argument, nil
// when flag is none of those that ask for it.
func (p *program) selfDescription(flag string) func(name string, w io.Writer) error {
	switch flag {
	case "--help":
		return p.help
	case "--version":
		return p.version
	case "--describe":
		return p.describe
	}
	return nil
}

// description is the JSON of --describe.
type description struct {
	Version    int       `json:"version"`
	SDK        string    `json:"sdk"`
	LibvirtXML string    `json:"libvirtxml"`
	Handles    []handled `json:"handles"`
	Any        bool      `json:"any"` // a handler takes every call
}

type handled struct {
	Driver string `json:"driver"`
	Op     string `json:"op"`
	SubOp  string `json:"sub_op"`
	Filter bool   `json:"filter"`
}

func (p *program) description() description {
	d := description{Version: 1, Handles: []handled{}}
	d.SDK, d.LibvirtXML = moduleVersions()
	p.root.each(func(h *handler) {
		d.Any = d.Any || h.runAny != nil
		for _, e := range h.events {
			op := e.HookOp()
			d.Handles = append(d.Handles, handled{op.Driver, op.Op, op.SubOp, op.Filter})
		}
	})
	slices.SortFunc(d.Handles, func(a, b handled) int {
		return cmp.Or(cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Op, b.Op), cmp.Compare(a.SubOp, b.SubOp))
	})
	d.Handles = slices.Compact(d.Handles)
	return d
}

func (p *program) describe(_ string, w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(p.description())
}

func (p *program) version(name string, w io.Writer) error {
	sdk, xml := moduleVersions()
	_, err := fmt.Fprintf(w, "%s, a libvirt hook (virthook %s, libvirtxml %s)\n", name, sdk, xml)
	return err
}

func (p *program) help(name string, w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s is a libvirt hook: libvirt runs it, people install it. Put it at hooks/DRIVER or\n"+
		"hooks/DRIVER.d/NAME below /etc/libvirt and reload the daemon of that driver (never restart it).\n\n"+
		"  %[1]s OBJECT OPERATION SUB-OPERATION EXTRA   as libvirt calls it, XML on standard input\n"+
		"  %[1]s --describe | --version | --help\n\nIt handles:\n", name)
	d := p.description()
	for _, h := range d.Handles {
		filter := ""
		if h.Filter {
			filter = "filter"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", h.Driver, h.Op, h.SubOp, filter)
	}
	if d.Any {
		fmt.Fprintln(t, "  every call of every driver")
	}
	return t.Flush()
}

// moduleVersions are the versions of this module and of libvirtxml that were linked.
func moduleVersions() (sdk, xml string) {
	sdk, xml = "unknown", "unknown"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		switch m.Path {
		case "github.com/virthook/virthook":
			sdk = cmp.Or(m.Version, sdk)
		case "libvirt.org/go/libvirtxml":
			xml = cmp.Or(m.Version, xml)
		}
	}
	return sdk, xml
}
