package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Command regenerates package internal/codec, from anywhere in the module.
const Command = "go generate ./internal/codec"

// Write brings the generated files of the folder up to date with the libvirtxml
// that its module requires and tells out what changed.
func Write(dir string, out io.Writer) error {
	files, err := Render(dir)
	if err != nil {
		return err
	}
	before, err := os.ReadFile(filepath.Join(dir, inventoryName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	stale, err := stale(dir, files)
	if err != nil {
		return err
	}
	for _, name := range stale {
		path := filepath.Join(dir, name)
		done := "wrote"
		if content, ok := files[name]; ok {
			err = os.WriteFile(path, content, 0o666)
		} else {
			done, err = "removed", os.Remove(path)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, done, name)
	}
	for _, line := range changes(before, files[inventoryName]) {
		fmt.Fprintln(out, line)
	}
	return nil
}

// stale returns the names of files in the folder that are not, or no longer, as
// they are generated.
func stale(dir string, files map[string][]byte) ([]string, error) {
	var names []string
	for _, name := range sortedKeys(files) {
		have, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil || !bytes.Equal(have, files[name]) {
			names = append(names, name)
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.gen.go"))
	for _, path := range old {
		if name := filepath.Base(path); files[name] == nil {
			names = append(names, name)
		}
	}
	return names, err
}

// changes returns the lines of two inventories that are not in both, marked "-"
// and "+". Both are sorted by the name that a line begins with.
func changes(before, after []byte) []string {
	old, now := lines(before), lines(after)
	var out []string
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0] < now[0]:
			out = append(out, "- "+old[0])
			old = old[1:]
		case len(old) == 0 || now[0] < old[0]:
			out = append(out, "+ "+now[0])
			now = now[1:]
		default:
			old, now = old[1:], now[1:]
		}
	}
	return out
}

func lines(b []byte) []string {
	list := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(b) == 0 {
		return nil
	}
	return sorted(list)
}
