package codec

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/xmlscan"
)

// sample is a document of one of the three types.
type sample struct {
	name string
	root string
	src  []byte
}

// corpusVariable names folders of documents to test with, separated as in PATH.
const corpusVariable = "VIRTHOOK_CORPUS"

// samples returns the documents of the captures and of the corpus, if there is one;
// each once.
func samples(t testing.TB) []sample {
	t.Helper()
	var all []sample
	seen := map[string]bool{}
	add := func(name string, src []byte) {
		for _, part := range parts(src) {
			if !seen[string(part.src)] {
				seen[string(part.src)] = true
				all = append(all, sample{name, part.root, part.src})
			}
		}
	}
	for _, c := range captures.All() {
		if c.XML != nil {
			add(c.Version+"/"+c.Name, c.XML)
		}
	}
	folders := filepath.SplitList(os.Getenv(corpusVariable))
	if len(folders) == 0 {
		t.Logf("%s names no folder: only the captures are tested", corpusVariable)
	}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(path, ".xml") {
				return err
			}
			src, err := os.ReadFile(path)
			add(path, src)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// parts returns the documents in a document: itself, or those that hookData wraps.
// What is not well-formed, or of no type, gives none.
func parts(src []byte) []sample {
	var s xmlscan.Scanner
	s.Reset(src)
	var out []sample
	for {
		kind, err := s.Next()
		if err != nil {
			return nil
		}
		if kind == xmlscan.EOF {
			return out
		}
		if kind != xmlscan.Start {
			continue
		}
		root := string(s.Bytes(s.Local()))
		switch depth := s.Depth(); {
		case decoders[root] == nil:
		case depth == 1:
			return []sample{{root: root, src: src}}
		case depth == 2:
			from := s.Span().From
			if s.SkipElement() != nil {
				return nil
			}
			out = append(out, sample{root: root, src: src[from:s.Span().To]})
		}
		if s.Depth() == 1 && root != "hookData" {
			return nil
		}
	}
}

// decoders decode a document of a root element into any of the three types.
var decoders = map[string]func([]byte) (any, *Report, error){
	"domain":      func(src []byte) (any, *Report, error) { return DecodeDomain(src) },
	"network":     func(src []byte) (any, *Report, error) { return DecodeNetwork(src) },
	"networkport": func(src []byte) (any, *Report, error) { return DecodeNetworkPort(src) },
}

func encodeAny(v any) ([]byte, error) {
	switch v := v.(type) {
	case *libvirtxml.Domain:
		return EncodeDomain(v)
	case *libvirtxml.Network:
		return EncodeNetwork(v)
	}
	return EncodeNetworkPort(v.(*libvirtxml.NetworkPort))
}

func zero(root string) any {
	switch root {
	case "domain":
		return new(libvirtxml.Domain)
	case "network":
		return new(libvirtxml.Network)
	}
	return new(libvirtxml.NetworkPort)
}

// unmarshal is what decoding is compared with. It reads to the end, so that it
// says as the decoder does whether all of the document is well-formed.
func unmarshal(root string, src []byte) (any, error) {
	v := zero(root)
	d := xml.NewDecoder(bytes.NewReader(src))
	if err := d.Decode(v); err != nil {
		return nil, err
	}
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return v, nil
		} else if err != nil {
			return nil, err
		}
	}
}
