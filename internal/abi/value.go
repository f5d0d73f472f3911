package abi

import (
	"strconv"
	"strings"
)

// fixed is a value that libvirt takes as it is.
func fixed(text string) value { return value{text: text} }

// filled is a value that libvirt may fill in when it is not given.
func filled(text string) value { return value{text: text, open: text == ""} }

// or is a value with a default that is always the same.
func or(text, byDefault string) value {
	if text == "" {
		text = byDefault
	}
	return fixed(text)
}

// null is a text that may be missing, which libvirt prints in its own way.
func null(text string) value { return or(text, "<null>") }

// tristate is yes or no, on or off, or not given.
func tristate(text string) value { return or(text, "default") }

func number[N ~int | ~uint | ~uint64](n N) value { return fixed(strconv.FormatInt(int64(n), 10)) }

// filledNumber is a number that libvirt may fill in when it is not given.
func filledNumber[N ~int | ~uint | ~uint64](n N) value {
	v := number(n)
	v.open = n == 0
	return v
}

func flag(set bool) value { return fixed(strconv.FormatBool(set)) }

// deref returns what p points to, the zero value for nil.
func deref[T any](p *T) T {
	if p == nil {
		p = new(T)
	}
	return *p
}

// kib is a size in KiB, rounded up as libvirt does. A size in an unknown unit, which
// libvirt does not parse, is open.
func kib[N ~uint | ~uint64](n N, unit string) value {
	size, ok := scale(uint64(n), unit, 1024)
	if !ok {
		return value{open: true}
	}
	return fixed(strconv.FormatUint(size, 10))
}

// scale returns a number of units in KiB. Without a unit it counts byDefault bytes.
func scale(n uint64, unit string, byDefault uint64) (uint64, bool) {
	factor, ok := bytesOf(unit, byDefault)
	if !ok || n > (1<<63)/factor {
		return 0, false
	}
	return (n*factor + 1023) / 1024, true
}

// bytesOf is libvirt's virScaleInteger: the first letter scales, "iB" or nothing
// after it is binary, "B" decimal.
func bytesOf(unit string, byDefault uint64) (uint64, bool) {
	unit = strings.ToLower(unit)
	switch unit {
	case "":
		return byDefault, true
	case "b", "byte", "bytes":
		return 1, true
	}
	power := strings.IndexByte("kmgtpe", unit[0]) + 1
	base := map[string]uint64{"": 1024, "ib": 1024, "b": 1000}[unit[1:]]
	if power == 0 || base == 0 {
		return 0, false
	}
	factor := uint64(1)
	for range power {
		factor *= base
	}
	return factor, true
}
