package hooktest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/sdk"
	"github.com/virthook/virthook/sdk/hooktest"
)

func TestChanges(t *testing.T) {
	for name, x := range map[string]struct {
		before, after string
		want          []string
	}{
		"the same":                    {`<a b='1'>x</a>`, `<a b="1">x</a>`, nil},
		"only written in another way": {"<a><b/>\n <c x='1' y='&#65;'/></a>", `<?xml version="1.0"?><a><!-- c --><c y="A" x="1"></c><b> </b></a>`, nil},
		"CDATA and references":        {`<a>x &amp;amp; y</a>`, `<a><![CDATA[x &amp; ]]>y</a>`, nil},
		"prefixes":                    {`<a><m:b xmlns:m="urn:m" m:c="1"/></a>`, `<a xmlns:n="urn:m"><n:b n:c="1"/></a>`, nil},
		"a namespace":                 {`<a><b xmlns="urn:m"/></a>`, `<a><b xmlns="urn:n"/></a>`, []string{`/a/b: removed <b xmlns="urn:m"/>`, `/a/b: added <b xmlns="urn:n"/>`}},
		"text":                        {`<a><b>1</b></a>`, `<a><b>2</b></a>`, []string{`/a/b: 1 -> 2`}},
		"values that need quotes": {`<a><b> 1</b><c>x -> y</c></a>`, "<a><b/><c>\n\"</c></a>",
			[]string{`/a/b: " 1" -> ""`, `/a/c: "x -> y" -> "\n\""`}},
		"attributes": {`<a b="1" c="2" d="3"/>`, `<a d="3" x="5" b="4"/>`,
			[]string{`/a/@b: 1 -> 4`, `/a/@c: removed 2`, `/a/@x: added 5`}},
		"text between elements": {`<a> x <b/></a>`, `<a><b/>y</a>`, []string{`/a: x -> y`}},
		"added and removed":     {`<a><b/><c>x&lt;y</c><d/></a>`, `<a><b/><e f="&quot;"><g>1</g></e><d/></a>`, []string{`/a/c: removed <c>x&lt;y</c>`, `/a/e: added <e f="&quot;"><g>1</g></e>`}},
		"the first of several":  {`<a><b n="1"/><b n="2"/><b n="3"/></a>`, `<a><b n="2"/><b n="3"/></a>`, []string{`/a/b[1]: removed <b n="1"/>`}},
		"one among several":     {`<a><b n="1"/><b n="3"/></a>`, `<a><b n="1"/><b n="2"/><b n="3"/></a>`, []string{`/a/b[2]: added <b n="2"/>`}},
		"the second of two":     {`<a><b n="1"/><b n="2"><s f="x"/></b></a>`, `<a><b n="1"/><b n="2"><s f="y"/></b></a>`, []string{`/a/b[2]/s/@f: x -> y`}},
		"removed before, changed after": {`<a><b n="1" m="1"/><b n="2" m="2"><c/><d/></b></a>`, `<a><b n="2" m="3"><c/><d/></b></a>`,
			[]string{`/a/b[1]: removed <b n="1" m="1"/>`, `/a/b[2]/@m: 2 -> 3`}},
		"moved":          {`<a><b n="1"/><b n="2"/></a>`, `<a><b n="2"/><b n="1"/></a>`, []string{`/a/b[1]/@n: 1 -> 2`, `/a/b[2]/@n: 2 -> 1`}},
		"another root":   {`<a/>`, `<b/>`, []string{`/a: removed <a/>`, `/b: added <b/>`}},
		"document order": {`<a><z>1</z><b>1</b></a>`, `<a><z>2</z><b>2</b></a>`, []string{`/a/z: 1 -> 2`, `/a/b: 1 -> 2`}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, x.want, hooktest.ChangesOf(t, []byte(x.before), []byte(x.after)))
		})
	}
}

// Every document of a real libvirt is what it is, and no two of them are the same where
// their bytes say something else.
func TestChangesOfRealDocuments(t *testing.T) {
	for _, c := range captures.All() {
		if c.XML == nil {
			continue
		}
		assert.Empty(t, hooktest.ChangesOf(t, c.XML, c.XML))
		other := strings.Replace(string(c.XML), "</name>", "x</name>", 1)
		changes := hooktest.ChangesOf(t, c.XML, []byte(other))
		require.Len(t, changes, 1, c.Name)
		assert.Regexp(t, `^/(domain|hookData/network)/name: (\w+) -> (\w+)x$`, changes[0])
	}
}

// One value changed anywhere in a real document is one line, and one element removed too.
func TestOneChangeIsOneLine(t *testing.T) {
	values := regexp.MustCompile(`[a-z]='([^'&]*)'`)
	leaves := regexp.MustCompile(`(?m)^ *<(\w+)( [^<>]*)?/>\n`)
	tried := map[string]bool{}
	for _, c := range captures.All() {
		if c.XML == nil || tried[c.Driver+c.Op] {
			continue
		}
		tried[c.Driver+c.Op] = true
		raw := string(c.XML)
		for _, at := range values.FindAllStringSubmatchIndex(raw, -1) {
			if old := raw[at[2]:at[3]]; !strings.Contains(old, "://") { // a namespace is a name
				changes := hooktest.ChangesOf(t, c.XML, []byte(raw[:at[3]]+"~"+raw[at[3]:]))
				require.Len(t, changes, 1, "%s: %q", c.Name, old)
				if old != "" {
					assert.True(t, strings.HasSuffix(changes[0], ": "+old+" -> "+old+"~"), changes[0])
				}
			}
		}
		for _, at := range leaves.FindAllStringSubmatchIndex(raw, -1) {
			without := raw[:at[0]] + raw[at[1]:]
			removed := hooktest.ChangesOf(t, c.XML, []byte(without))
			require.Len(t, removed, 1, "%s: %s", c.Name, raw[at[0]:at[1]])
			assert.Contains(t, removed[0], ": removed <"+raw[at[2]:at[3]])
			added := hooktest.ChangesOf(t, []byte(without), c.XML)
			require.Len(t, added, 1, "%s: %s", c.Name, raw[at[0]:at[1]])
			assert.Contains(t, added[0], ": added <"+raw[at[2]:at[3]])
		}
	}
	assert.Greater(t, len(tried), 15)
}

// A guest with very many devices does not take very long.
func TestManyChanges(t *testing.T) {
	var before, after strings.Builder
	const many = 400
	for i := range many {
		fmt.Fprintf(&before, `<disk><source file="/a/%d"/></disk>`, i)
		fmt.Fprintf(&after, `<disk><source file="/b/%d"/></disk>`, i)
	}
	changes := hooktest.ChangesOf(t, []byte("<d>"+before.String()+"</d>"), []byte("<d>"+after.String()+"</d>"))
	require.Len(t, changes, many)
	assert.Equal(t, "/d/disk[400]/source/@file: /a/399 -> /b/399", changes[many-1])

	// What says the same is the same, however many there are.
	before.Reset()
	after.Reset()
	for i := range many {
		fmt.Fprintf(&before, `<disk a="1" b="%d"/>`, i)
		if i > 0 {
			fmt.Fprintf(&after, `<disk b="%d" a="1"/>`, i)
		}
	}
	assert.Equal(t, []string{`/d/disk[1]: removed <disk a="1" b="0"/>`},
		hooktest.ChangesOf(t, []byte("<d>"+before.String()+"</d>"), []byte("<d>"+after.String()+"</d>")))
}

func TestChanged(t *testing.T) {
	call := hooktest.QemuMigrateBegin(hooktest.WithDisk("vdb", "/old/b.qcow2"))
	move := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) {
		d.Devices.Disks[1].Source.File.File = "/new/b.qcow2"
		d.Title = "moved"
		return d, nil
	})
	file := "/domain/devices/disk[2]/source/@file: /old/b.qcow2 -> /new/b.qcow2"
	title := "/domain/title: added <title>moved</title>"
	hooktest.Run(t, call, move).Changed(title, file)
	hooktest.Run(t, call).Changed()
	assert.Nil(t, hooktest.Run(t, call).Changes())

	assert.Equal(t, "qemu/migrate/begin of \"m1\": other changes than wanted (- wanted, + made):\n- /domain/name: m1 -> web\n+ "+title+"\n  "+file+"\n",
		failure(t, func(t testing.TB) { hooktest.Run(t, call, move).Changed("/domain/name: m1 -> web", file) }))
	refuse := sdk.OnQemuMigrateBegin(func(d *libvirtxml.Domain) (*libvirtxml.Domain, error) { return nil, assert.AnError })
	assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Run(t, call, refuse).Changed() }), "exit status 1: "+assert.AnError.Error())

	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nsed s/m1/m2/\n"), 0o755))
	hooktest.Exec(t, program, hooktest.QemuMigrateBegin()).Changed("/domain/name: m1 -> m2", "/domain/devices/disk/source/@file: /var/lib/libvirt/images/m1.qcow2 -> /var/lib/libvirt/images/m2.qcow2")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho hello\n"), 0o755))
	assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Exec(t, program, call).Changes() }), "reading the XML that was printed: ")
	assert.Contains(t, failure(t, func(t testing.TB) { hooktest.Exec(t, program, hooktest.DaemonStart()).Changes() }), "reading the XML of the call: ")
}
