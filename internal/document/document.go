// Package document is what hooks do with the XML that libvirt gives them: it
// decodes it, carries edits of the decoded view back into the bytes, and looks up
// what matchers ask for.
package document

import (
	"errors"
	"fmt"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/codec"
	"github.com/virthook/virthook/internal/xmlscan"
)

// ErrEmpty is in the chain of the error for a document of nothing or white space.
var ErrEmpty = xmlscan.ErrEmpty

// Domain decodes a <domain>. The report says what the result lacks. The strings of the
// result are raw itself, which nobody may change from then on.
func Domain(raw []byte) (*libvirtxml.Domain, *codec.Report, error) {
	return codec.ViewDomain(raw)
}

// HookData is what the network driver passes.
type HookData struct {
	Network       *libvirtxml.Network
	NetworkReport *codec.Report
	Port          *libvirtxml.NetworkPort // nil where the operation has none
	PortReport    *codec.Report
}

// Network decodes the <network> of a <hookData> and the <networkport> beside it,
// where there is one; withPort says that there must be. The strings of the result are
// raw itself, as with [Domain].
func Network(raw []byte, withPort bool) (data HookData, err error) {
	err = walk(raw, func(s *xmlscan.Scanner) error {
		name := string(s.Bytes(s.Name()))
		switch {
		case s.Depth() == 1 && name != "hookData":
			return fmt.Errorf("the root element is <%s>, not <hookData>", name)
		case s.Depth() == 1:
			return nil
		case name == "network" && data.Network == nil:
			data.Network, data.NetworkReport, err = codec.DecodeNetworkAt(s)
			return err
		case name == "networkport" && data.Port == nil:
			data.Port, data.PortReport, err = codec.DecodeNetworkPortAt(s)
			return err
		}
		return s.SkipElement()
	})
	switch {
	case err != nil:
	case data.Network == nil:
		err = errors.New("<hookData> has no <network>")
	case withPort && data.Port == nil:
		err = errors.New("<hookData> has no <networkport>")
	}
	return data, err
}

// walk calls start at each start tag that is not passed over by start itself, and
// reads the document to its end.
func walk(raw []byte, start func(*xmlscan.Scanner) error) error {
	var s xmlscan.Scanner
	s.Reset(raw)
	for {
		kind, err := s.Next()
		if err == nil && kind == xmlscan.Start {
			err = start(&s)
		}
		if err != nil || kind == xmlscan.EOF {
			return err
		}
	}
}
