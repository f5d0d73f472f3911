package sdk

import (
	"errors"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/sdk/hookimpl"
	"github.com/virthook/virthook/sdk/xmledit"
)

// decode gives a handler a document of its own, and the call what that lacks.
func (c *Call) decode(op *hookimpl.Op) (doc hookimpl.Document, err error) {
	if op.Input == hookimpl.None {
		return doc, nil
	}
	raw, err := c.raw()
	if err != nil {
		return doc, err
	}
	switch op.Input {
	case hookimpl.Domain:
		var report *codec.Report
		doc.Domain, report, err = document.Domain(raw)
		if op.EmptyInput && errors.Is(err, document.ErrEmpty) {
			return hookimpl.Document{Domain: &libvirtxml.Domain{Name: c.Object}}, nil
		}
		if err == nil {
			c.identified(doc.Domain.UUID)
		}
		c.leftOut(report)
	case hookimpl.Network, hookimpl.NetworkPort:
		var data document.HookData
		data, err = document.Network(raw, op.Input == hookimpl.NetworkPort)
		doc.Network, doc.NetworkPort = data.Network, data.Port
		if err == nil {
			c.identified(data.Network.UUID)
		}
		c.leftOut(data.NetworkReport, data.PortReport)
	}
	return doc, err
}

func (c *Call) identified(uuid string) {
	if uuid != "" && c.known.uuid.Load() == nil {
		c.known.uuid.Store(&uuid)
	}
}

// Omitted returns what the decoded view of the call's input lacks, in the order of
// the document. A filter keeps all of it. It is empty where nothing was decoded,
// in the handlers of [OnAny] for one.
func (c *Call) Omitted() []xmledit.Omission {
	var list []xmledit.Omission
	for _, report := range c.omitted {
		for _, o := range report.Omissions() {
			list = append(list, xmledit.Omission{Path: o.Path, Value: o.Value, Reason: string(o.Reason), From: o.Span.From, To: o.Span.To})
		}
	}
	return list
}

// leftOut remembers what the decoded view lacks, and tells the log once a run.
func (c *Call) leftOut(reports ...*codec.Report) {
	for _, r := range reports {
		if r != nil && r.Len() > 0 {
			c.omitted = append(c.omitted, r)
		}
	}
	if len(c.omitted) == 0 {
		return
	}
	c.known.omitted.Do(func() {
		const most = 8
		var paths []string
		list := c.Omitted()
		for _, o := range list[:min(most, len(list))] {
			paths = append(paths, o.Path)
		}
		c.Logger().Warn("the decoded view lacks what is not understood; filters keep it",
			"count", len(list), "paths", strings.Join(paths, " "))
	})
}
