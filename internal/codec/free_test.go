package codec

import (
	"bytes"

	"github.com/virthook/virthook/internal/xmlscan"
)

// isFree says whether a document is free of what encoding/xml reads in another way
// than libxml2, which the scanner follows.
func isFree(src []byte) bool {
	var s xmlscan.Scanner
	s.Reset(src)
	for {
		kind, err := s.Next()
		if err != nil {
			return false
		}
		switch kind {
		case xmlscan.EOF:
			return true
		case xmlscan.Start:
			// It undeclares prefixes, and takes x: and :x for names without one.
			for _, a := range s.Attrs() {
				if odd(s.Bytes(a.Name)) {
					return false
				}
			}
			if odd(s.Bytes(s.Name())) {
				return false
			}
		}
	}
}

func odd(name []byte) bool {
	i := bytes.IndexByte(name, ':')
	return i == 0 || i == len(name)-1 || bytes.Count(name, []byte(":")) > 1
}
