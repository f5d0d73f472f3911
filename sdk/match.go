package sdk

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/virthook/virthook/internal/document"
)

// Matcher says whether the handlers of a [For] are meant by a call. An error is a
// [Fault]. A function of the same type is a Matcher of one's own; it may run
// although no handler does, and like a handler it must not keep the call.
type Matcher func(*Call) (bool, error)

// Name matches calls whose object, the guest or network, has one of the names.
// A name is a pattern in which * stands for any text, ? for any one character and
// [abc], [a-z] or [^a] for one of a set; \ takes the meaning off the next
// character, and [QuoteName] off all of a name. The whole name must match. Only
// the arguments are read. Name panics when a pattern is malformed.
func Name(patterns ...string) Matcher {
	globs := make([]glob, len(patterns))
	for i, p := range patterns {
		g, err := parseGlob(p)
		if err != nil {
			panic(fmt.Sprintf("sdk.Name: pattern %q: %v", p, err))
		}
		globs[i] = g
	}
	return func(c *Call) (bool, error) {
		return slices.ContainsFunc(globs, func(g glob) bool { return g.match(c.Object) }), nil
	}
}

// QuoteName returns a pattern for [Name] that matches just that name.
func QuoteName(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// NameRegexp matches calls whose object's name the expression matches, a
// *regexp.Regexp as a rule. It matches anywhere in the name unless anchored.
// It is an interface so that only programs that use package regexp link it.
func NameRegexp(re interface{ MatchString(string) bool }) Matcher {
	if re == nil {
		panic("sdk.NameRegexp: nil expression")
	}
	return func(c *Call) (bool, error) { return re.MatchString(c.Object), nil }
}

// Driver matches the calls of the named drivers: qemu, lxc, …
func Driver(names ...string) Matcher {
	return func(c *Call) (bool, error) { return slices.Contains(names, c.Driver), nil }
}

// UUID matches calls whose guest or network has one of the UUIDs; case and dashes
// do not count. It reads the XML. A call whose XML has no UUID, or that has no
// XML (daemon, and bhyve before libvirt 9.7), is a fault. UUID panics when one is
// malformed.
func UUID(uuids ...string) Matcher {
	want := make([]string, len(uuids))
	for i, u := range uuids {
		want[i] = plainUUID(u)
		if len(want[i]) != 32 || strings.Trim(want[i], "0123456789abcdef") != "" {
			panic(fmt.Sprintf("sdk.UUID: %q is not a UUID", u))
		}
	}
	return func(c *Call) (bool, error) {
		raw, err := c.raw()
		if err != nil {
			return false, err
		}
		got, err := document.UUID(raw)
		if err != nil {
			return false, err
		}
		if got == "" {
			return false, errors.New("the XML has no UUID")
		}
		return slices.Contains(want, plainUUID(got)), nil
	}
}

func plainUUID(u string) string { return strings.ToLower(strings.ReplaceAll(u, "-", "")) }

// Metadata matches calls whose guest or network has, directly in its <metadata>,
// an element of that namespace and local name; an empty name stands for any. It
// reads the XML; a call without XML is a fault.
func Metadata(namespace, name string) Matcher {
	if namespace == "" {
		panic("sdk.Metadata: libvirt keeps no metadata without a namespace")
	}
	return func(c *Call) (bool, error) {
		raw, err := c.raw()
		if err != nil {
			return false, err
		}
		return document.HasMetadata(raw, namespace, name)
	}
}

// AllOf matches what every one of ms matches; it asks them in order, to the first that does not.
func AllOf(ms ...Matcher) Matcher { return combine("sdk.AllOf", ms, false) }

// AnyOf matches what at least one of ms matches; it asks them in order, to the first that does.
func AnyOf(ms ...Matcher) Matcher { return combine("sdk.AnyOf", ms, true) }

// combine asks until one answers decisive.
func combine(function string, ms []Matcher, decisive bool) Matcher {
	if slices.ContainsFunc(ms, func(m Matcher) bool { return m == nil }) {
		panic(function + ": nil matcher")
	}
	return func(c *Call) (bool, error) {
		for _, m := range ms {
			if ok, err := m(c); err != nil || ok == decisive {
				return ok, err
			}
		}
		return !decisive, nil
	}
}

// Not matches what m does not.
func Not(m Matcher) Matcher {
	if m == nil {
		panic("sdk.Not: nil matcher")
	}
	return func(c *Call) (bool, error) {
		ok, err := m(c)
		return !ok, err
	}
}
