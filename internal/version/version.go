// Package version orders versions of libvirt.
package version

import (
	"cmp"
	"strconv"
	"strings"
)

// Compare orders versions by their numbers: 9.0.0 is before 11.3.0, and 11.3 is 11.3.0.
// What is no number counts as 0.
func Compare(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(number(as, i), number(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func number(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i])
	return n
}
