// Command hook reads a domain and writes it changed: what it links is what a hook
// pays for package codec.
package main

import (
	"io"
	"os"

	"github.com/virthook/virthook/internal/codec"
)

func main() {
	src, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	domain, report, err := codec.DecodeDomain(src)
	if err != nil || report.Len() > len(os.Args) {
		os.Exit(1)
	}
	domain.Title = "changed"
	values, ok, err := codec.CompareDomain(src, domain, nil)
	if err != nil || ok && len(values) == 0 {
		os.Exit(1)
	}
	out, err := codec.EncodeDomain(domain)
	if err != nil {
		os.Exit(1)
	}
	os.Stdout.Write(out)
}
