// Decode reads the guest with virthook's decoder and nothing else of it: no deadline,
// no streams taken, no handlers.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/virthook/virthook/internal/codec"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// buffer is more than the largest guest. Of a variable only what is used takes memory.
var buffer [2 << 20]byte

func run() error {
	n, err := io.ReadFull(os.Stdin, buffer[:])
	if err != io.ErrUnexpectedEOF {
		return fmt.Errorf("read %d bytes: %w", n, err)
	}
	_, _, err = codec.ViewDomain(buffer[:n])
	return err
}
