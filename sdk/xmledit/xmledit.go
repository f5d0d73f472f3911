// Package xmledit edits libvirt's XML and loses nothing of it.
//
// The types of libvirtxml are a lossy mirror of the documents: decoding one,
// editing it and encoding it again drops comments, unknown elements and
// attributes, and rewrites the rest. Here the decoded document is what is edited,
// never what is written: the difference between before and after is carried over
// into the original bytes, and all else stays byte for byte.
//
//	out, err := xmledit.Domain(original, func(d *libvirtxml.Domain) error {
//		d.Devices.Disks[0].Source.File.File = "/srv/images/disk.qcow2"
//		return nil
//	})
//
// This is what the filters of package sdk do; it is here for programs that are
// not hooks.
package xmledit

import (
	"errors"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/document"
	"github.com/virthook/virthook/internal/splice"
)

// ErrNoEffect is the error of an edit of which the XML shows nothing, so that
// there is nothing to write: a number set to 0 that libvirtxml leaves out, say.
var ErrNoEffect = document.ErrNoEffect

// Domain calls edit with the decoded <domain> and returns original with what edit
// changed in it, or nil when it changed nothing.
//
// The error is edit's own, [ErrNoEffect], of type [*RefusedError] when an edit
// cannot be carried over without a loss, or says why original cannot be read.
// Nothing is returned with it.
func Domain(original []byte, edit func(*libvirtxml.Domain) error, opts ...Option) ([]byte, error) {
	return apply(original, edit, opts, codec.DecodeDomain, document.ApplyDomain)
}

// Network is [Domain] for a <network>.
func Network(original []byte, edit func(*libvirtxml.Network) error, opts ...Option) ([]byte, error) {
	return apply(original, edit, opts, codec.DecodeNetwork, document.ApplyNetwork)
}

// NetworkPort is [Domain] for a <networkport>.
func NetworkPort(original []byte, edit func(*libvirtxml.NetworkPort) error, opts ...Option) ([]byte, error) {
	return apply(original, edit, opts, codec.DecodeNetworkPort, document.ApplyNetworkPort)
}

func apply[T any](original []byte, edit func(*T) error, opts []Option,
	decode func([]byte) (*T, *codec.Report, error), carryOver func([]byte, *T) (document.Edit[T], error)) ([]byte, error) {
	var o options
	for _, set := range opts {
		set(&o)
	}
	v, report, err := decode(original)
	if err != nil {
		return nil, err
	}
	if o.strict && report.Len() > 0 {
		return nil, &OmittedError{omissions(report)}
	}
	if err := edit(v); err != nil {
		return nil, err
	}
	result, err := carryOver(original, v)
	return result.XML, refused(err)
}

// Option chooses how a document is edited.
type Option func(*options)

type options struct{ strict bool }

// Strict refuses a document of which the decoded view lacks something, with an
// error of type [*OmittedError], before it is edited. Without it such a document
// is edited all the same: what the view lacks is kept.
func Strict() Option { return func(o *options) { o.strict = true } }

// Omission is something of a document that the decoded view of it lacks, because
// libvirtxml has no field for it or cannot take its value.
type Omission struct {
	Path     string // e.g. "/domain/devices/disk[2]/@type"
	Value    string // of an attribute or text; "…" for what may be secret
	Reason   string
	From, To int // where it is in the document, in bytes
}

// OmittedError is that of [Strict].
type OmittedError struct{ Omissions []Omission }

func (e *OmittedError) Error() string {
	paths := make([]string, len(e.Omissions))
	for i, o := range e.Omissions {
		paths[i] = o.Path + " (" + o.Reason + ")"
	}
	return "not understood: " + strings.Join(paths, ", ")
}

// Refusal is an edit that cannot be carried over into the document without a
// loss, such as one of something that stands there twice.
type Refusal struct{ Path, Reason string }

// RefusedError says which edits were refused; none was made then.
type RefusedError struct{ Refusals []Refusal }

func (e *RefusedError) Error() string {
	texts := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		texts[i] = r.Path + ": " + r.Reason
	}
	return "the edit cannot be carried over: " + strings.Join(texts, "; ")
}

func omissions(report *codec.Report) []Omission {
	list := make([]Omission, 0, report.Len())
	for _, o := range report.Omissions() {
		list = append(list, Omission{o.Path, o.Value, string(o.Reason), o.Span.From, o.Span.To})
	}
	return list
}

// refused makes a [*RefusedError] of an error that is one, and leaves others as they are.
func refused(err error) error {
	var refusals splice.Refusals
	if !errors.As(err, &refusals) {
		return err
	}
	e := &RefusedError{}
	for _, r := range refusals {
		e.Refusals = append(e.Refusals, Refusal(r))
	}
	return e
}
