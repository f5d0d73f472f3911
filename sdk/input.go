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
	own  process // r too, where this process has it for its own; nil in [Run]
	once sync.Once
	data []byte
	err  error
}

func (in *input) read() ([]byte, error) {
	in.once.Do(func() {
		in.data, in.err = in.readAll()
		switch {
		case in.err != nil:
			in.err = fmt.Errorf("reading the XML: %w", in.err)
		case len(in.data) > MaxInput:
			in.err = fmt.Errorf("the XML is longer than %d MiB", MaxInput>>20)
		}
		if in.err != nil {
			in.data = nil
		}
		if in.own != nil && len(in.data) > firstRead {
			in.own.collectLess(len(in.data))
		}
	})
	return in.data, in.err
}

// firstRead is nearly every guest, and as much as a pipe holds unless it is widened. Of
// a buffer from a fresh heap only what is read into takes memory.
const firstRead = 64 << 10

// readAll reads to the end, or a byte more than is allowed. It reads in larger pieces
// than io.ReadAll does, because each is a system call.
func (in *input) readAll() ([]byte, error) {
	var data []byte
	if in.own != nil {
		data = in.own.buffer()
	} else {
		data = make([]byte, 0, firstRead)
	}
	widened := false
	for len(data) <= MaxInput {
		if len(data) >= firstRead && in.own != nil && !widened {
			in.own.widen()
			widened = true
		}
		if len(data) == cap(data) {
			data = append(make([]byte, 0, min(4*cap(data), MaxInput+1)), data...)
		}
		n, err := in.r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

// process is what Main has for the input, and does to its process for a large one. An
// assertion to it would build the table of its methods anew in each process.
type process interface {
	buffer() []byte       // for the input
	widen()               // the pipe
	collectLess(size int) // of the garbage
}

func widen(end any) {
	if p, ok := end.(process); ok {
		p.widen()
	}
}
