package sdk_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/xmlscan"
	"github.com/virthook/virthook/sdk"
)

// attributes returns the spans of all attribute values but namespace declarations.
func attributes(t *testing.T, xml []byte) (spans []xmlscan.Span) {
	var s xmlscan.Scanner
	s.Reset(xml)
	for {
		kind, err := s.Next()
		require.NoError(t, err)
		if kind == xmlscan.EOF {
			return spans
		}
		if kind == xmlscan.Start {
			for _, a := range s.Attrs() {
				if !bytes.HasPrefix(xml[a.Name.From:a.Name.To], []byte("xmlns")) {
					spans = append(spans, a.Value)
				}
			}
		}
	}
}

// A libvirt of next year may give any attribute a value that nobody knows today.
// With each attribute of each document set to one, in turn, a filter is called all
// the same, its edit of something else is made, and not a byte else changes.
func TestEveryAttributeOfTheFuture(t *testing.T) {
	const title = "<title>edited</title>"
	filter := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		d.Title = "edited"
		return d, nil
	})
	documents, runs := 0, 0
	corpus(t, func(name, root string, content []byte) {
		var d libvirtxml.Domain
		if root != "domain" || d.Unmarshal(string(content)) != nil || d.Title != "" {
			return
		}
		documents++
		for _, span := range attributes(t, content) {
			runs++
			future := append(append(bytes.Clone(content[:span.From]), "future"...), content[span.To:]...)
			var stdout, stderr bytes.Buffer
			status := sdk.Run(context.Background(), []string{"hooks/qemu", "g", "migrate", "begin", "-"},
				bytes.NewReader(future), &stdout, &stderr, filter, sdk.CheckABI(false))
			if status != 0 {
				t.Errorf("%s, attribute at byte %d: status %d: %s", name, span.From, status, &stderr)
				continue
			}
			if !insertedOnly(stdout.String(), string(future), title) {
				t.Errorf("%s, attribute at byte %d: something else changed", name, span.From)
			}
		}
	})
	t.Logf("%d documents, %d attributes", documents, runs)
}

// insertedOnly says whether out is original with the element in it, white space
// around it aside, and with no other byte changed.
func insertedOnly(out, original, element string) bool {
	extra, at := len(out)-len(original), strings.Index(out, element)
	for from := at - (extra - len(element)); 0 <= from && from <= at; from++ {
		if out[:from]+out[from+extra:] == original && strings.TrimSpace(out[from:from+extra]) == element {
			return true
		}
	}
	return false
}
