package sdk

import (
	"fmt"
	"io"
	"sync"
)

// MaxInput is how much XML is read from libvirt, in bytes; more is a [Fault].
const MaxInput = 64 << 20

// input is libvirt's end of standard input, read when somebody wants it.
type input struct {
	r    io.Reader
	once sync.Once
	data []byte
	err  error
}

func (in *input) read() ([]byte, error) {
	in.once.Do(func() {
		in.data, in.err = io.ReadAll(io.LimitReader(in.r, MaxInput+1))
		switch {
		case in.err != nil:
			in.err = fmt.Errorf("reading the XML: %w", in.err)
		case len(in.data) > MaxInput:
			in.err = fmt.Errorf("the XML is longer than %d MiB", MaxInput>>20)
		}
		if in.err != nil {
			in.data = nil
		}
	})
	return in.data, in.err
}
