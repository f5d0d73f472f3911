package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/virthook/virthook/spec"
)

// specFlag is --spec, which several commands have.
type specFlag struct{ dir string }

func (f *specFlag) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.dir, "spec", "", "read the spec from the folder `DIR` instead of the built-in one")
}

// load reads the spec; problems in a folder are named with its path.
func (f *specFlag) load() (*spec.Spec, error) {
	if f.dir == "" {
		return spec.Builtin()
	}
	if _, err := os.ReadDir(f.dir); err != nil {
		return nil, fmt.Errorf("--spec: %w", err)
	}
	s, err := spec.Load(os.DirFS(f.dir))
	var problems spec.Problems
	if errors.As(err, &problems) {
		for i := range problems {
			problems[i].File = filepath.Join(f.dir, problems[i].File)
		}
		return nil, problems
	}
	if err != nil {
		return nil, fmt.Errorf("--spec %s: %w", f.dir, err)
	}
	return s, nil
}

// libvirtFlag is --libvirt.
type libvirtFlag struct{ text string }

func (f *libvirtFlag) add(flags *pflag.FlagSet, usage string) {
	flags.StringVar(&f.text, "libvirt", "", usage)
}

// version is empty when the flag is not given: the newest libvirt.
func (f *libvirtFlag) version() (spec.Version, error) {
	if f.text == "" {
		return "", nil
	}
	v, err := spec.ParseVersion(f.text)
	if err != nil {
		return "", misusef("--libvirt: %w", err)
	}
	return v, nil
}

// driverNames are for messages.
func driverNames(s *spec.Spec) []string {
	var names []string
	for _, d := range s.Drivers {
		names = append(names, d.Name)
	}
	return names
}

// extraAt is the fourth operand of the given libvirt; nil: it is "-".
func extraAt(o *spec.Op, v spec.Version) *spec.Extra {
	if o.Extra == nil || v != "" && v.Less(o.Extra.Since) {
		return nil
	}
	return o.Extra
}

// failuresAt is what the given libvirt does when the hook fails, or all versions'
// when v is empty.
func failuresAt(o *spec.Op, v spec.Version) []spec.Failure {
	if v == "" {
		return o.Failure
	}
	for _, f := range o.Failure {
		if f.Since == "" || !v.Less(f.Since) {
			return []spec.Failure{f}
		}
	}
	return nil
}
