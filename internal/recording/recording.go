// Package recording stores the calls of hooks that a host's libvirt makes, and reads
// them again.
//
// A recording is a folder with a file for each call:
//
//	20261122T230555.123456789Z-qemu-start-0badcafe.call
//
// The name has the time of arrival (UTC), the driver and the operation, and nothing
// that a guest's owner chooses. The first line of the file is JSON (version, at,
// driver, argv, uid, env, xml_bytes), all after it is the XML, byte for byte but for
// its secrets, see package redact. A file gets its name when it is whole, so that a
// recorder that is killed leaves no part of a call. The folder's mode is 0700, that of
// the files 0600.
//
// Beside them is errors.log, with a line for each call that could not be stored. Names
// that begin with a dot are the recorder's own.
package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Version is that of the format.
const Version = 1

const (
	ending   = ".call"
	errorLog = "errors.log"
)

// Call is a call of a hook as it was recorded.
type Call struct {
	At                               time.Time // of arrival, in UTC
	Driver, Object, Op, SubOp, Extra string

	XML []byte // without its secrets; nil: nothing came on standard input

	Program string   // as libvirt called the recorder
	UID     int      // of the user whose libvirt it is
	Env     []string // NAME=value
	File    string   // its path; of what [Open] returns
}

// Recording is what a folder holds.
type Recording struct {
	Dir   string
	Calls []Call // in the order of their arrival
}

// Open reads a recording, also one that is still written to. It fails, naming the
// file, when one is not whole or is not a recording's.
func Open(dir string) (*Recording, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	r := &Recording{Dir: dir}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || name == errorLog {
			continue
		}
		path := filepath.Join(dir, name)
		if !strings.HasSuffix(name, ending) || !e.Type().IsRegular() {
			return nil, fmt.Errorf("%s: not a file of a recording", path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		c, err := decode(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.File = path
		r.Calls = append(r.Calls, c)
	}
	// Those of one moment keep the order of their names.
	slices.SortStableFunc(r.Calls, func(a, b Call) int { return a.At.Compare(b.At) })
	return r, nil
}

// header is the first line of a file.
type header struct {
	Version  int       `json:"version"`
	At       time.Time `json:"at"`
	Driver   text      `json:"driver"`
	Argv     []text    `json:"argv"`
	UID      int       `json:"uid"`
	Env      []text    `json:"env"`
	XMLBytes *int      `json:"xml_bytes"`
}

// text is a string in JSON, also where it is not UTF-8: there {"base64": …}.
type text string

func (t text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(struct {
		Base64 []byte `json:"base64"`
	}{[]byte(t)})
}

func (t *text) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(b, []byte("{")) {
		return json.Unmarshal(b, (*string)(t))
	}
	var v struct {
		Base64 []byte `json:"base64"`
	}
	err := json.Unmarshal(b, &v)
	*t = text(v.Base64)
	return err
}

func texts[T, F ~string](from []F) []T {
	to := make([]T, len(from))
	for i, s := range from {
		to[i] = T(s)
	}
	return to
}

// encode is the content of a call's file.
func encode(c Call) ([]byte, error) {
	size := len(c.XML)
	line, err := json.Marshal(header{
		Version: Version, At: c.At.UTC(), Driver: text(c.Driver),
		Argv: texts[text]([]string{c.Program, c.Object, c.Op, c.SubOp, c.Extra}),
		UID:  c.UID, Env: texts[text](c.Env), XMLBytes: &size,
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(line, []byte("\n"), c.XML), nil
}

func decode(content []byte) (Call, error) {
	line, xml, whole := bytes.Cut(content, []byte("\n"))
	if !whole {
		return Call{}, errors.New("not a recorded call: the first line does not end")
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return Call{}, fmt.Errorf("not a recorded call: line 1: %w", err)
	}
	switch {
	case h.Version != Version:
		return Call{}, fmt.Errorf("recorded in version %d of the format, this virthook reads %d", h.Version, Version)
	case h.At.IsZero() || h.Driver == "" || len(h.Argv) != 5 || h.XMLBytes == nil:
		return Call{}, errors.New("not a recorded call: line 1 needs at, driver, argv of 5 and xml_bytes")
	case len(xml) != *h.XMLBytes:
		return Call{}, fmt.Errorf("damaged: it has %d bytes of XML and should have %d", len(xml), *h.XMLBytes)
	}
	if len(xml) == 0 {
		xml = nil
	}
	a := texts[string](h.Argv)
	return Call{
		At: h.At.UTC(), Driver: string(h.Driver), Program: a[0], Object: a[1], Op: a[2], SubOp: a[3], Extra: a[4],
		XML: xml, UID: h.UID, Env: texts[string](h.Env),
	}, nil
}

// Stats is what can be said of a recording without reading the calls.
type Stats struct {
	Calls    int
	Bytes    int64     // that their files have
	Last     time.Time // when the last one was stored; zero: there is none
	Problems []string  // the lines of errors.log
}

// Stat looks at a recording.
func Stat(dir string) (s Stats, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ending) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return s, err
		}
		s.Calls++
		s.Bytes += info.Size()
		if info.ModTime().After(s.Last) {
			s.Last = info.ModTime()
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, errorLog))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	for line := range strings.Lines(string(log)) {
		s.Problems = append(s.Problems, strings.TrimSuffix(line, "\n"))
	}
	return s, nil
}
