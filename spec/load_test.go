package spec_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// What already fails while the YAML is decoded.
func decodeCases() []brokenCase {
	const quotes, yamlItself = "YAML's quotes", "what is no YAML"
	return []brokenCase{
		{name: "unknown key of the driver", old: "object: guest", new: "object: guest\nobjekt: guest",
			want: `qemu.yaml:3: unknown key "objekt"`},
		{name: "unknown key of an operation", old: "host: any", new: "host: any\n    hosts: any",
			want: `qemu.yaml:15: unknown key "hosts"`},
		{name: "unknown key of an input", old: "- kind: none", new: "- kind: none\n        when: never",
			want: `qemu.yaml:19: unknown key "when"`},
		{name: "unknown key of a failure", old: "- effect: ignored", new: "- effect: ignored\n        until: \"6.0.0\"",
			want: `qemu.yaml:25: unknown key "until"`},
		{name: "unknown key of extra", old: "enum: why", new: "enum: why\n      values: []",
			want: `qemu.yaml:30: unknown key "values"`},
		{name: "unknown key of verified", old: "      source: src/qemu/qemu_process.c\n", new: "      source: src/qemu/qemu_process.c\n      by: me\n",
			want: `qemu.yaml:39: unknown key "by"`},
		{name: "unknown key of enums.yaml", enums: true, old: "enums:", new: "enum: []\nenums:",
			want: `enums.yaml:1: unknown key "enum"`},
		{name: "unknown key of a value", enums: true, old: "- value: unknown", new: "- value: unknown\n        doc: x",
			want: `enums.yaml:9: unknown key "doc"`},
		{name: "duplicate key of the driver", old: "object: guest", new: "object: guest\nobject: network", unseen: yamlItself,
			want: `qemu.yaml:3: mapping key "object" already defined at line 2`},
		{name: "duplicate key of an operation", old: "sub_op: begin", new: "sub_op: begin\n    op: start", unseen: yamlItself,
			want: `qemu.yaml:8: mapping key "op" already defined at line 6`},
		{name: "unquoted version", old: `since: "2.0.0"`, new: "since: 2.0.0", unseen: quotes,
			want: `qemu.yaml:8: a version must be quoted: "2.0.0"`},
		{name: "unquoted version that is a number", old: `since: "2.0.0"`, new: "since: 10.10",
			want: `qemu.yaml:8: a version must be quoted: "10.10"`},
		{name: "unquoted version in a list", old: `seen: ["7.0.0"]`, new: `seen: ["7.0.0", 9.0.0]`, unseen: quotes,
			want: `qemu.yaml:23: a version must be quoted: "9.0.0"`},
		{name: "folded version", old: `since: "2.0.0"`, new: "since: >-\n      2.0.0", unseen: quotes,
			want: `qemu.yaml:8: a version must be quoted: "2.0.0"`},
		{name: "version of two numbers", old: `since: "2.0.0"`, new: `since: "2.0"`,
			want: `qemu.yaml:8: "2.0" is not a version such as "11.3.0"`},
		{name: "version of words", old: `until: "9.0.0"`, new: `until: "never"`,
			want: `qemu.yaml:9: "never" is not a version such as "11.3.0"`},
		{name: "empty version", old: `since: "2.0.0"`, new: `since: ""`,
			want: `qemu.yaml:8: "" is not a version such as "11.3.0"`},
		{name: "unquoted dash", old: `sub_op: "-"`, new: "sub_op: -", unseen: yamlItself,
			want: `qemu.yaml:40: a "-" must be quoted here`},
		{name: "list for a text", old: "host: any", new: "host: [any]",
			want: `qemu.yaml:14: a list where a text belongs`},
		{name: "mapping for a text", old: "host: any", new: "host: {any: 1}",
			want: `qemu.yaml:14: a mapping where a text belongs`},
		{name: "text for a list", old: "    failure:\n      - effect: refused\n    fault", new: "    failure: refused\n    fault",
			want: `qemu.yaml:45: a single value where a list belongs`},
		{name: "text for versions", old: `seen: ["7.0.0"]`, new: `seen: "7.0.0"`,
			want: `qemu.yaml:23: a single value where a list belongs`},
		{name: "text for a mapping", old: "    failure:\n      - effect: refused\n    fault", new: "    failure:\n      - refused\n    fault",
			want: `qemu.yaml:46: a single value where a mapping belongs`},
		{name: "empty operation", old: "operations:\n", new: "operations:\n  -\n",
			want: `qemu.yaml:6: operations has an empty item`},
		{name: "empty enum", enums: true, old: "enums:\n", new: "enums:\n  -\n",
			want: `enums.yaml:2: enums has an empty item`},
		{name: "list for the driver", old: baseDriver, new: "- driver: qemu\n",
			want: `qemu.yaml:1: a list where a mapping belongs`},
		{name: "text for the driver", old: baseDriver, new: "qemu\n",
			want: `qemu.yaml:1: a single value where a mapping belongs`},
		{name: "broken YAML", old: "host: any", new: "host: [any", unseen: yamlItself,
			want: `qemu.yaml:15: did not find expected ',' or ']'`},
		{name: "nested without end", old: "host: any", new: "host: " + strings.Repeat("[", 20000), unseen: yamlItself,
			want: "qemu.yaml:14: exceeded max depth of 10000"},
		{name: "not UTF-8", old: "doc: about it", new: "doc: \xff", unseen: yamlItself,
			want: "qemu.yaml: invalid leading UTF-8 octet (value: 255)"},
		{name: "empty file", old: baseDriver, new: "", unseen: yamlItself,
			want: "qemu.yaml: the file is empty"},
		{name: "only a comment", old: baseDriver, new: "# to do\n", unseen: yamlItself,
			want: "qemu.yaml: the file is empty"},
		{name: "two documents", old: baseDriver, new: baseDriver + "---\n" + baseDriver, unseen: yamlItself,
			want: "qemu.yaml: the file holds more than one document"},
	}
}

func TestDecode(t *testing.T) {
	for _, c := range decodeCases() {
		t.Run(c.name, func(t *testing.T) {
			_, err := spec.Load(c.files(t))
			assert.EqualError(t, err, c.want)
			var ps spec.Problems
			assert.ErrorAs(t, err, &ps)
		})
	}
}

// All that does not decode comes at once, and with it what other files have; what
// a file lacks that did not decode is not reported a second time.
func TestDecodeReportsAll(t *testing.T) {
	doc := strings.NewReplacer(
		"object: guest", "objekt: guest",
		`since: "2.0.0"`, "since: 2.0.0",
		"host: any", "host: [any]",
		"- effect: ignored", "- effekt: ignored",
		`since: "0.8.0"`, `since: "0.8"`,
	).Replace(baseDriver)
	_, err := spec.Load(fstest.MapFS{
		"qemu.yaml":    {Data: []byte(doc)},
		"enums.yaml":   {Data: []byte(strings.Replace(baseEnums, "name: why", "name: Why", 1))},
		"network.yml":  {Data: []byte("driver: network\n")},
		"libxl.yaml":   {Data: []byte("driver: libxl\nobject: guest\nsummary: Xen\ndoc: more\noperations: []\n")},
		"README":       {Data: []byte("not a spec\n")},
		"old/lxc.yaml": {Data: []byte("not a spec\n")},
	})
	assert.EqualError(t, err, `enums.yaml:2: enum Why: the name is "Why", not lower-case words joined by _
libxl.yaml:5: no operations
network.yml: spec files are named *.yaml
qemu.yaml:2: unknown key "objekt"
qemu.yaml:8: a version must be quoted: "2.0.0"
qemu.yaml:14: a list where a text belongs
qemu.yaml:24: unknown key "effekt"
qemu.yaml:41: "0.8" is not a version such as "11.3.0"`)
}

// References into a file that did not decode are not held against others.
func TestReferencesToBrokenFiles(t *testing.T) {
	_, err := spec.Load(fstest.MapFS{
		"qemu.yaml":    {Data: []byte(strings.Replace(baseDriver, "network/port-created", "network/port-moved", 1))},
		"network.yaml": {Data: []byte("driver: [network]\n")},
		"enums.yaml":   {Data: []byte("enum: why\nenums: [{name: Whence}]\n")},
	})
	assert.EqualError(t, err, "enums.yaml:1: unknown key \"enum\"\nnetwork.yaml:1: a list where a text belongs")
}

func TestFolders(t *testing.T) {
	const none = "no driver file (*.yaml) in the spec folder"
	for _, c := range []struct {
		name string
		dir  fs.FS
		want string
	}{
		{"empty", fstest.MapFS{}, none},
		{"only other files", fstest.MapFS{"README.md": {}, "sub/qemu.yaml": {Data: []byte(baseDriver)}}, none},
		{"only enums", fstest.MapFS{"enums.yaml": {Data: []byte(baseEnums)}}, none},
		{"only a .yml", fstest.MapFS{"qemu.yml": {Data: []byte(baseDriver)}}, "qemu.yml: spec files are named *.yaml"},
		{"unreadable", unreadable{fstest.MapFS{}, "."}, "cannot read the spec folder: open .: permission denied"},
		{"unreadable file", unreadable{fstest.MapFS{"qemu.yaml": {Data: []byte(baseDriver)}}, "qemu.yaml"}, "open qemu.yaml: permission denied"},
		{"a folder named like a file", fstest.MapFS{"qemu.yaml/x": {}}, "read qemu.yaml: invalid argument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := spec.Load(c.dir)
			assert.Nil(t, s)
			assert.EqualError(t, err, c.want)
		})
	}
}

// unreadable is a file system that does not let one name be opened. (Tests may run
// as root, whom no mode stops.)
type unreadable struct {
	fs.FS
	name string
}

func (u unreadable) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.FS.Open(name)
}

// A folder that only adds an operation refers to those of the built-in spec.
func TestOverlay(t *testing.T) {
	s, err := spec.Load(fstest.MapFS{"qemu.yaml": {Data: []byte(`driver: qemu
object: guest
summary: QEMU guests
doc: about it
operations:
  - op: thawed
    sub_op: begin
    since: "13.0.0"
    host: any
    input: domain
    output: none
    failure: [{effect: ignored}]
    fault: fail
    after: [started, daemon/start]
    summary: after it is warm again
    doc: more of it
    verified: {source: [src/qemu/qemu_process.c]}
`)}})
	require.NoError(t, err)
	require.Len(t, s.Drivers, 1)
	o := s.Driver("qemu").Find("thawed")[0]
	assert.Equal(t, "QemuThawedBegin", o.GoName())
	assert.Equal(t, "qemu.yaml", o.Driver.File)
	assert.Equal(t, spec.Inputs{{Kind: "domain"}}, o.Input)
	assert.Equal(t, []string{"started", "daemon/start"}, o.After)
	assert.Empty(t, s.Driver("qemu").Find("started"), "the built-in operations are not added")
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(baseDriver))
	for _, c := range append(validateCases(), decodeCases()...) {
		if !c.enums {
			f.Add([]byte(strings.Replace(baseDriver, c.old, c.new, 1)))
		}
	}
	for _, s := range []string{"a: &a [*a]", "<<: {driver: qemu}", "operations: [{op: !!binary x}]", "driver: &x qemu\nobject: *x", "operations: &o\n- *o"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := spec.Load(fstest.MapFS{"qemu.yaml": {Data: data}, "enums.yaml": {Data: []byte(baseEnums)}})
		if err != nil {
			require.Nil(t, s)
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, s.Validate())
		for o := range s.All() {
			require.NotEmpty(t, o.GoName())
			require.NotEmpty(t, o.InputAt(""))
			require.NotEmpty(t, o.FailureAt("").Effect)
		}
	})
}
