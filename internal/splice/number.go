package splice

import (
	"strconv"
	"strings"
)

// number reads a number; base 0 goes by its prefix.
func number(b []byte, base int) (uint64, bool) {
	if len(b) == 0 || len(b) > 24 {
		return 0, false
	}
	s := string(b)
	if base == 16 {
		s = strings.TrimPrefix(strings.ToLower(s), "0x")
	} else if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		base = 10 // libvirt's decimal numbers may have leading zeros
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}
