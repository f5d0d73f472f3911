package hookexec

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Outcome is what the hooks of a driver made of a call.
type Outcome struct {
	Results []Result // one for each hook, in the order of the calls; none: there is no hook
	Failed  bool     // a hook failed, which fails the call
	Output  []byte   // of filters: what libvirt takes in place of the input; nil: it keeps the input
}

// Chain calls all hooks of the driver in the hooks folder: the program DRIVER,
// then the executables in DRIVER.d in the order of their names, backups and
// hidden files included. All of them are called, even after one has failed.
//
// With filter each gets the output of those before it in place of the input, as
// long as there is any and none has failed.
//
// The error is one of [Run]'s, or a [FolderError]: the chain ends there and the
// Outcome holds what was done until then.
func Chain(ctx context.Context, hooksDir string, c Call, filter bool, opts ...Option) (Outcome, error) {
	if err := checkDriver(c.Driver); err != nil {
		return Outcome{}, err
	}
	var o Outcome
	main := filepath.Join(hooksDir, c.Driver)
	if executable(main) {
		if err := o.run(ctx, main, c, filter, opts); err != nil {
			return o, err
		}
	}
	// libvirt looks into the folder after it has run the program, not before.
	dir := main + ".d"
	entries, err := os.ReadDir(dir) // sorts by the bytes of the names, as strcmp does
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		o.fail()
		return o, &FolderError{dir, err}
	}
	var paths []string // found before the first is run: one that is removed meanwhile fails
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); executable(path) {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if err := o.run(ctx, path, c, filter, opts); err != nil {
			return o, err
		}
	}
	return o, nil
}

// run calls the next hook. Output is nil unless it is what the next one reads.
func (o *Outcome) run(ctx context.Context, path string, c Call, filter bool, opts []Option) error {
	if o.Output != nil {
		c.Input = o.Output
	}
	r, err := run(ctx, path, c, opts)
	if r.Path != "" {
		o.Results = append(o.Results, r)
	}
	if err != nil || r.Failed() {
		o.fail()
		return err
	}
	if output := r.Output(); filter && !o.Failed && output != nil {
		o.Output = output
	}
	return nil
}

func (o *Outcome) fail() { o.Failed, o.Output = true, nil }
