package sdk

import (
	"errors"
	"unicode/utf8"
)

// glob is a parsed pattern of [Name]. Unlike path.Match it gives no character of
// the name a meaning of its own.
type glob []globPart

type globPart struct {
	star   bool
	negate bool
	ranges [][2]rune // of one character; none: any
}

func parseGlob(pattern string) (glob, error) {
	var g glob
	var rs []rune
	for len(pattern) > 0 {
		r, n := decodeRune(pattern)
		rs = append(rs, r)
		pattern = pattern[n:]
	}
	for i := 0; i < len(rs); i++ {
		switch rs[i] {
		case '*':
			g = append(g, globPart{star: true})
		case '?':
			g = append(g, globPart{})
		case '[':
			part, n, err := parseSet(rs[i+1:])
			if err != nil {
				return nil, err
			}
			g = append(g, part)
			i += n
		case '\\':
			if i++; i == len(rs) {
				return nil, errors.New(`ends with \`)
			}
			fallthrough
		default:
			g = append(g, globPart{ranges: [][2]rune{{rs[i], rs[i]}}})
		}
	}
	return g, nil
}

// parseSet parses what follows [ and says how long it is, ] included.
func parseSet(rs []rune) (part globPart, n int, err error) {
	one := func() (rune, bool) {
		if n < len(rs) && rs[n] == '\\' {
			n++
		}
		if n >= len(rs) {
			return 0, false
		}
		n++
		return rs[n-1], true
	}
	if n < len(rs) && rs[n] == '^' {
		part.negate = true
		n++
	}
	for {
		if n < len(rs) && rs[n] == ']' && len(part.ranges) > 0 {
			return part, n + 1, nil
		}
		lo, ok := one()
		hi := lo
		if ok && n+1 < len(rs) && rs[n] == '-' && rs[n+1] != ']' {
			n++
			hi, ok = one()
		}
		if !ok {
			return part, n, errors.New("[ without ]")
		}
		if hi < lo {
			return part, n, errors.New("a range in [] runs backwards")
		}
		part.ranges = append(part.ranges, [2]rune{lo, hi})
	}
}

func (p globPart) one(r rune) bool {
	if len(p.ranges) == 0 {
		return true
	}
	for _, x := range p.ranges {
		if x[0] <= r && r <= x[1] {
			return !p.negate
		}
	}
	return p.negate
}

// match tries the last * again with one character more whenever it gets stuck:
// the names are hostile, so it must not try all ways to share them out.
func (g glob) match(name string) bool {
	i, star, retry := 0, -1, 0
	for at := 0; at < len(name) || i < len(g); {
		if i < len(g) && g[i].star {
			star, retry = i, at
			i++
			continue
		}
		if i < len(g) && at < len(name) {
			r, n := decodeRune(name[at:])
			if g[i].one(r) {
				i++
				at += n
				continue
			}
		}
		if star < 0 || retry >= len(name) {
			return false
		}
		_, n := decodeRune(name[retry:])
		retry += n
		i, at = star+1, retry
	}
	return true
}

// decodeRune tells bytes that are not UTF-8 apart: each is a rune of its own beyond Unicode.
func decodeRune(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		r = utf8.MaxRune + 1 + rune(s[0])
	}
	return r, n
}
