package spec

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Version is a version of libvirt, "11.3.0". The empty one means "not given".
type Version string

// Versions is a list of versions.
type Versions []Version

// ParseVersion reads a version of two or three numbers; a missing third is 0.
func ParseVersion(s string) (Version, error) {
	if strings.Count(s, ".") == 1 {
		s += ".0"
	}
	v := Version(s)
	if _, ok := v.numbers(); !ok {
		return "", fmt.Errorf("%q is not a version of libvirt such as 11.3.0", s)
	}
	return v, nil
}

func (v Version) numbers() (n [3]int, ok bool) {
	parts := strings.Split(string(v), ".")
	if len(parts) != len(n) {
		return n, false
	}
	for i, p := range parts {
		u, err := strconv.ParseUint(p, 10, 31)
		if err != nil || strconv.FormatUint(u, 10) != p { // no "01", no "+1"
			return [3]int{}, false
		}
		n[i] = int(u)
	}
	return n, true
}

// Less says whether v is older than w. What is not a version is older than all that are.
func (v Version) Less(w Version) bool {
	a, ok := v.numbers()
	b, wok := w.numbers()
	if !ok || !wok {
		return !ok && wok
	}
	for i := range a {
		if c := cmp.Compare(a[i], b[i]); c != 0 {
			return c < 0
		}
	}
	return false
}

// UnmarshalYAML refuses what is not a quoted string: 10.10 unquoted is a number, and then 10.1.
func (v *Version) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 {
		return fmt.Errorf("a version must be quoted: %q", n.Value)
	}
	*v = Version(n.Value)
	if _, ok := v.numbers(); !ok {
		return fmt.Errorf("%q is not a version such as \"11.3.0\"", n.Value)
	}
	return nil
}
