package hookexec

import "bytes"

// captureLimit is how much of an output is kept: far more than libvirt could use,
// and little enough for a hook that prints for ever.
const captureLimit = 64 << 20

// capture keeps the start of what is written to it, and takes all of it.
type capture struct{ kept bytes.Buffer }

func (c *capture) Write(b []byte) (int, error) {
	if room := captureLimit - c.kept.Len(); len(b) > room {
		c.kept.Write(b[:room])
	} else {
		c.kept.Write(b)
	}
	return len(b), nil
}

// Bytes is what was kept.
func (c *capture) Bytes() []byte { return c.kept.Bytes() }
