package xmlscan_test

import (
	"fmt"
	"log"

	"github.com/virthook/virthook/internal/xmlscan"
)

func ExampleScanner() {
	var s xmlscan.Scanner
	s.Reset([]byte(`<disk type='file'><source file='/a&amp;b.img'/></disk>`))
	for {
		kind, err := s.Next()
		if err != nil {
			log.Fatal(err)
		}
		if kind == xmlscan.EOF {
			break
		}
		if kind != xmlscan.Start {
			continue
		}
		fmt.Printf("%d %s\n", s.Depth(), s.Bytes(s.Name()))
		for _, a := range s.Attrs() {
			value := xmlscan.AppendAttr(nil, s.Bytes(a.Value))
			fmt.Printf("  %s is %s, at %d\n", s.Bytes(a.Name), value, a.Value.From)
		}
	}
	// Output:
	// 1 disk
	//   type is file, at 12
	// 2 source
	//   file is /a&b.img, at 32
}

func ExampleSyntaxError() {
	var s xmlscan.Scanner
	s.Reset([]byte("<domain>\n  <name>demo</nmae>\n</domain>"))
	for {
		if _, err := s.Next(); err != nil {
			fmt.Println(err)
			break
		}
	}
	// Output: line 2, column 13: </nmae> does not close <name> of line 2
}
