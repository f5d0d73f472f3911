package sdk_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

// matches asks a matcher as For does.
func matches(t *testing.T, m sdk.Matcher, c hooktest.Call) bool {
	t.Helper()
	matched := false
	hooktest.Run(t, c, sdk.For(m, sdk.OnAny(func(context.Context, *sdk.Call) error { matched = true; return nil }))).OK()
	return matched
}

func named(name string) hooktest.Call {
	c := hooktest.QemuPrepareBegin()
	c.Object = name
	return c
}

func TestName(t *testing.T) {
	for _, x := range []struct {
		pattern string
		yes, no []string
	}{
		{"web", []string{"web"}, []string{"", "web1", "aweb", "Web"}},
		{"gpu-*", []string{"gpu-", "gpu-1", "gpu-a/b\nc"}, []string{"gpu", "xgpu-1"}},
		{"*", []string{"", "x", "..", ".hidden", "a/b", "\xff", "new\nline"}, nil},
		{"?", []string{"a", "ü", "\xff", "/", "\n"}, []string{"", "ab"}},
		{"a?c*e", []string{"abce", "abcde", "abcdede"}, []string{"ace", "abcd"}},
		{"*-*-*", []string{"--", "a-b-c", "a---b"}, []string{"-", "a-b"}},
		{"[ab]", []string{"a", "b"}, []string{"c", "ab", ""}},
		{"[a-c1-3]x", []string{"ax", "cx", "2x"}, []string{"dx", "-x", "x"}},
		{"[^a]", []string{"b", "^", "\xff"}, []string{"a", ""}},
		{"[]a]", []string{"]", "a"}, []string{"b"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{`[\]\-]`, []string{"]", "-"}, []string{`\`}},
		{`\*\?\[\\`, []string{`*?[\`}, []string{"a?[\\"}},
		{"a]b", []string{"a]b"}, []string{"ab"}},
		{"", []string{""}, []string{"x"}},
		{"日*", []string{"日本"}, []string{"本"}},
	} {
		m := sdk.Name(x.pattern)
		for _, name := range x.yes {
			assert.True(t, matches(t, m, named(name)), "%q %q", x.pattern, name)
		}
		for _, name := range x.no {
			assert.False(t, matches(t, m, named(name)), "%q %q", x.pattern, name)
		}
	}
	assert.True(t, matches(t, sdk.Name("a", "b*"), named("bc")))
	assert.False(t, matches(t, sdk.Name(), named("a")))
}

func TestQuoteName(t *testing.T) {
	ask := func(m sdk.Matcher, name string) bool {
		ok, err := m(&sdk.Call{Object: name})
		return ok && err == nil
	}
	for _, name := range []string{"*", "?", "[a]", `\`, "a\xff\xfe", "", "日本"} {
		assert.True(t, ask(sdk.Name(sdk.QuoteName(name)), name), "%q", name)
	}
	assert.False(t, ask(sdk.Name(sdk.QuoteName("*")), "a"))
	assert.False(t, ask(sdk.Name(sdk.QuoteName("\xff")), "\xfe"))
	require.NoError(t, quick.Check(func(name, other []byte) bool {
		m := sdk.Name(sdk.QuoteName(string(name)))
		return ask(m, string(name)) && ask(m, string(other)) == (string(name) == string(other))
	}, nil))
}

// FuzzName holds the glob against the same pattern as a regular expression.
func FuzzName(f *testing.F) {
	for _, s := range [][2]string{{"a*b?", "axxby"}, {"[^a-c]*", "dd"}, {`\*[]x]`, "*]"}, {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		var m sdk.Matcher
		if func() (malformed bool) {
			defer func() { malformed = recover() != nil }()
			m = sdk.Name(pattern)
			return
		}() {
			return
		}
		expr, ok := asRegexp(pattern)
		if !ok {
			return
		}
		got, err := m(&sdk.Call{Object: name})
		require.NoError(t, err)
		assert.Equal(t, regexp.MustCompile(expr).MatchString(name), got, "%q %q %q", pattern, expr, name)
	})
}

// asRegexp translates patterns without sets and of ASCII; the table above has the others.
func asRegexp(pattern string) (string, bool) {
	expr := `(?s)\A`
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '[' || c >= 0x80:
			return "", false
		case c == '*':
			expr += ".*"
		case c == '?':
			expr += "."
		case c == '\\':
			i++
			if pattern[i] >= 0x80 {
				return "", false
			}
			expr += regexp.QuoteMeta(pattern[i : i+1])
		default:
			expr += regexp.QuoteMeta(string(c))
		}
	}
	return expr + `\z`, true
}

func TestMatchers(t *testing.T) {
	qemu, lxc, net, daemon := hooktest.QemuPrepareBegin(), hooktest.LxcStartBegin(), hooktest.NetworkPortCreatedBegin(), hooktest.DaemonStart()
	yes, no := sdk.Name("*"), sdk.Not(sdk.Name("*"))
	app := hooktest.QemuMigrateBegin() // has <my:app xmlns:my="http://example.com/my"> in its metadata
	for name, x := range map[string]struct {
		m    sdk.Matcher
		call hooktest.Call
		want bool
	}{
		"driver":           {sdk.Driver("lxc", "qemu"), qemu, true},
		"other driver":     {sdk.Driver("lxc"), qemu, false},
		"regexp":           {sdk.NameRegexp(regexp.MustCompile(`^g\d$`)), qemu, true},
		"other regexp":     {sdk.NameRegexp(regexp.MustCompile(`^h`)), qemu, false},
		"uuid":             {sdk.UUID("11111111222233334444555555555555"), app, true},
		"uuid in capitals": {sdk.UUID("00000000-0000-0000-0000-00000000000A", "11111111-2222-3333-4444-555555555555"), app, true},
		"other uuid":       {sdk.UUID("00000000-0000-0000-0000-000000000000"), lxc, false},
		"network's uuid":   {sdk.UUID(networkUUID(t, net)), net, true},
		"metadata":         {sdk.Metadata("http://example.com/my", "app"), app, true},
		"any metadata":     {sdk.Metadata("http://example.com/my", ""), app, true},
		"nested metadata":  {sdk.Metadata("http://example.com/my", "role"), app, false},
		"other metadata":   {sdk.Metadata("http://example.com/other", ""), app, false},
		"no metadata":      {sdk.Metadata("http://example.com/my", ""), net, false},
		"all":              {sdk.AllOf(yes, yes), qemu, true},
		"not all":          {sdk.AllOf(yes, no), qemu, false},
		"all of none":      {sdk.AllOf(), qemu, true},
		"any":              {sdk.AnyOf(no, yes), qemu, true},
		"not any":          {sdk.AnyOf(no, no), qemu, false},
		"any of none":      {sdk.AnyOf(), qemu, false},
		"own":              {func(c *sdk.Call) (bool, error) { return c.Extra == "start", nil }, daemon, true},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, x.want, matches(t, x.m, x.call)) })
	}
}

func networkUUID(t *testing.T, c hooktest.Call) string {
	return regexp.MustCompile(`<network[^>]*>\s*<name>hk</name>\s*<uuid>(.*)</uuid>`).FindStringSubmatch(string(c.XML))[1]
}

// What reads XML and cannot is a fault, never a silent no-match.
func TestMatcherFaults(t *testing.T) {
	uuid, metadata := sdk.UUID("00000000-0000-0000-0000-000000000000"), sdk.Metadata("urn:x", "")
	any := sdk.OnAny(func(context.Context, *sdk.Call) error { return errors.New("ran") })
	with := func(c hooktest.Call, xml string) hooktest.Call { c.XML = []byte(xml); return c }
	prepare, reconnect := hooktest.QemuPrepareBegin(), hooktest.QemuReconnectBegin()
	own := func(*sdk.Call) (bool, error) { return true, errors.New("cannot tell") }
	boom := func(*sdk.Call) (bool, error) { panic("boom") }

	for _, m := range []sdk.Matcher{uuid, metadata, sdk.Not(uuid), sdk.AnyOf(metadata, uuid)} {
		hooktest.Run(t, with(prepare, ""), sdk.For(m, any)).Refused("input: matching the call: line 1, column 1: document is empty")
		hooktest.Run(t, with(prepare, "<domain>"), sdk.For(m, any)).Refused("<domain> of line 1 is not closed")
		hooktest.Run(t, hooktest.DaemonStart(), sdk.For(m, any)).Refused("document is empty")
		r := hooktest.Run(t, with(reconnect, ""), sdk.For(m, any)).OK()
		assert.Contains(t, r.Log, "matching the call")
	}
	hooktest.Run(t, with(prepare, "<domain/>"), sdk.For(uuid, any)).Refused("the XML has no UUID")
	hooktest.Run(t, prepare, sdk.For(own, any)).Refused("matching the call: cannot tell")
	hooktest.Run(t, prepare, sdk.For(boom, any)).Refused("panic: boom")
	hooktest.Run(t, prepare, sdk.For(own, sdk.OnFault(sdk.Pass), any)).OK()
}

// A matcher is asked when its group has a handler for the call, once, and not before.
func TestMatcherIsAskedWhenNeeded(t *testing.T) {
	asked := 0
	m := func(*sdk.Call) (bool, error) { asked++; return true, nil }
	g := sdk.For(m, sdk.OnQemuStartBegin(func(*libvirtxml.Domain) error { return nil }), sdk.Group(sdk.OnQemuStartBegin(func(*libvirtxml.Domain) error { return nil })))
	hooktest.Run(t, hooktest.QemuPrepareBegin(), g, sdk.For(m)).OK()
	assert.Zero(t, asked)
	hooktest.Run(t, hooktest.QemuStartBegin(), g).OK()
	assert.Equal(t, 1, asked)
}
