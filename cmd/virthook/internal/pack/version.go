package pack

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	version    = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)
	prerelease = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+)-([0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*)((?:\+[0-9A-Za-z.]+)?)$`)
)

// Version makes a version that dpkg and rpm both take, and sort in the same way, of one
// as it is written on tags: v1.2.0-rc.1 is 1.2.0~rc.1, which is before 1.2.0.
func Version(text string) (string, error) {
	v := text
	if rest, ok := strings.CutPrefix(v, "v"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		v = rest
	}
	if m := prerelease.FindStringSubmatch(v); m != nil {
		v = m[1] + "~" + m[2] + m[3]
	}
	switch {
	case text == "":
		return "", fmt.Errorf("it is empty")
	case strings.Contains(v, "-"):
		return "", fmt.Errorf("%q: - separates the revision in dpkg and the release in rpm, and cannot be part of it", text)
	case strings.Contains(v, ":"):
		return "", fmt.Errorf("%q: an epoch cannot be part of it", text)
	case !version.MatchString(v):
		return "", fmt.Errorf("%q: it begins with a digit and is of letters, digits and . + ~, or dpkg and rpm refuse it", text)
	}
	return v, nil
}
