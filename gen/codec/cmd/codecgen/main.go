// Command codecgen regenerates package internal/codec in the working folder and
// says which types and fields changed.
package main

import (
	"fmt"
	"os"

	"github.com/virthook/virthook/gen/codec"
)

func main() {
	if err := codec.Write(".", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "codecgen:", err)
		os.Exit(1)
	}
}
