package spec_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// baseDriver and baseEnums are a valid spec in which each key stands in a line of
// its own. Cases replace a part of it.
const (
	baseDriver = `driver: qemu
object: guest
summary: QEMU guests
doc: about it
operations:
  - op: prepare
    sub_op: begin
    since: "2.0.0"
    until: "9.0.0"
    replaces:
      - op: ready
        until: "3.0.0"
        doc: as it was
    host: any
    input:
      - kind: domain
        since: "5.0.0"
      - kind: none
    output: none
    failure:
      - effect: refused
        since: "6.0.0"
        seen: ["7.0.0"]
      - effect: ignored
        seen: ["5.0.0"]
    fault: fail
    extra:
      name: reason
      enum: why
      since: "3.0.0"
    after:
      - start
      - network/port-created
    summary: before it starts
    doc: more of it
    verified:
      seen: ["7.0.0"]
      source: src/qemu/qemu_process.c
  - op: start
    sub_op: "-"
    since: "0.8.0"
    host: destination
    input: domain
    output: filter
    failure:
      - effect: refused
    fault: fail
    summary: when it starts
    doc: more of it
    verified:
      source: [src/qemu/qemu_process.c, src/qemu/qemu_driver.c]
`
	baseEnums = `enums:
  - name: why
    since: "2.0.0"
    summary: why it is off
    doc: more of it
    source: src/conf/domain_conf.c
    values:
      - value: unknown
        summary: nobody knows
      - value: from snapshot
        summary: it was reverted
`
)

// brokenCase is an edit of the base that makes it wrong.
type brokenCase struct {
	name     string
	enums    bool   // the edit is of enums.yaml
	old, new string // the first old of the file becomes new
	want     string // the whole error
	unseen   string // why a schema cannot see it
}

func (c brokenCase) files(t *testing.T) fstest.MapFS {
	t.Helper()
	driver, enums := baseDriver, baseEnums
	doc := &driver
	if c.enums {
		doc = &enums
	}
	require.Contains(t, *doc, c.old)
	*doc = strings.Replace(*doc, c.old, c.new, 1)
	return fstest.MapFS{"qemu.yaml": {Data: []byte(driver)}, "enums.yaml": {Data: []byte(enums)}}
}

const reference, order = "what a name refers to", "the order of versions"

// One case for each rule of Validate.
func validateCases() []brokenCase {
	const (
		kinds   = "domain, network, network+port, none"
		effects = "refused, killed, forgotten, lost, ignored"
	)
	return []brokenCase{
		{name: "driver name", old: "driver: qemu", new: "driver: Qemu",
			want: `qemu.yaml:1: driver is "Qemu", not lower-case words joined by -`},
		{name: "driver missing", old: "driver: qemu\n", new: "",
			want: `qemu.yaml:1: driver is "", not lower-case words joined by -`},
		{name: "driver in another's file", old: "driver: qemu", new: "driver: lxc", unseen: "the file's name",
			want: `qemu.yaml:1: driver lxc belongs in lxc.yaml`},
		{name: "object", old: "object: guest", new: "object: host",
			want: `qemu.yaml:2: object is "host", not one of guest, network, none`},
		{name: "object missing", old: "object: guest\n", new: "",
			want: `qemu.yaml:1: object is missing: one of guest, network, none`},
		{name: "driver summary missing", old: "summary: QEMU guests\n", new: "",
			want: `qemu.yaml:1: summary is missing`},
		{name: "driver summary of two lines", old: "summary: QEMU guests", new: "summary: \"QEMU\\nguests\"",
			want: `qemu.yaml:3: summary is more than one line`},
		{name: "driver summary with a line's end", old: "summary: QEMU guests", new: "summary: |\n  QEMU guests",
			want: `qemu.yaml:3: summary is more than one line`},
		{name: "driver summary with a full stop", old: "summary: QEMU guests", new: "summary: QEMU guests.",
			want: `qemu.yaml:3: summary ends with a full stop`},
		{name: "driver doc missing", old: "doc: about it\n", new: "",
			want: `qemu.yaml:1: doc is missing`},
		{name: "driver doc blank", old: "doc: about it", new: `doc: " "`,
			want: `qemu.yaml:4: doc is missing`},
		{name: "no operations", old: baseDriver[strings.Index(baseDriver, "operations:"):], new: "operations: []\n",
			want: `qemu.yaml:5: no operations`},

		{name: "op", old: "op: prepare", new: "op: Prepare",
			want: `qemu.yaml:6: Prepare/begin: op is "Prepare", not lower-case words joined by -`},
		{name: "op missing", old: "op: prepare\n    sub_op", new: "sub_op",
			want: `qemu.yaml:6: /begin: op is "", not lower-case words joined by -`},
		{name: "sub_op", old: "sub_op: begin", new: "sub_op: be_gin",
			want: `qemu.yaml:7: prepare/be_gin: sub_op is "be_gin", neither "-" nor a lower-case word`},
		{name: "sub_op missing", old: "    sub_op: begin\n", new: "",
			want: `qemu.yaml:6: prepare/: sub_op is "", neither "-" nor a lower-case word`},
		{name: "operation twice", old: "- op: start\n    sub_op: \"-\"", new: "- op: prepare\n    sub_op: begin", unseen: "two items at once",
			want: "qemu.yaml:39: prepare/begin: operation qemu/prepare/begin gets the Go name QemuPrepareBegin, which operation qemu/prepare/begin has"},
		{name: "operations of one Go name", old: "- op: start\n    sub_op: \"-\"", new: "- op: start-a\n    sub_op: \"-\"\n    since: \"1.0.0\"\n    host: any\n    input: none\n    output: none\n    failure: [effect: ignored]\n    fault: fail\n    summary: one\n    doc: more\n    verified: {source: a/b}\n  - op: start\n    sub_op: a", unseen: "two items at once",
			want: "qemu.yaml:50: start/a: operation qemu/start/a gets the Go name QemuStartA, which operation qemu/start-a/- has"},
		{name: "since missing", old: "    since: \"2.0.0\"\n", new: "",
			want: "qemu.yaml:6: prepare/begin: since is missing"},
		{name: "until not after since", old: `until: "9.0.0"`, new: `until: "2.0.0"`, unseen: order,
			want: "qemu.yaml:9: prepare/begin: until 2.0.0 is not after since 2.0.0\nqemu.yaml:21: prepare/begin: seen on 7.0.0, which this item is not about\nqemu.yaml:24: prepare/begin: seen on 5.0.0, which this item is not about\nqemu.yaml:36: prepare/begin: seen on 7.0.0, which does not make the call"},
		{name: "former name", old: "op: ready", new: "op: rea_dy",
			want: `qemu.yaml:11: prepare/begin: the former name is "rea_dy", not lower-case words joined by -`},
		{name: "former name without until", old: "        until: \"3.0.0\"\n", new: "",
			want: "qemu.yaml:11: prepare/begin: ready: until must be a version after since 2.0.0"},
		{name: "former name before since", old: `until: "3.0.0"`, new: `until: "1.9.0"`, unseen: order,
			want: "qemu.yaml:11: prepare/begin: ready: until must be a version after since 2.0.0"},
		{name: "host", old: "host: any", new: "host: every",
			want: `qemu.yaml:14: prepare/begin: host is "every", not one of any, source, destination`},
		{name: "host missing", old: "    host: any\n", new: "",
			want: "qemu.yaml:6: prepare/begin: host is missing: one of any, source, destination"},
		{name: "output", old: "output: none", new: "output: all",
			want: `qemu.yaml:19: prepare/begin: output is "all", not one of none, filter`},
		{name: "output missing", old: "    output: none\n", new: "",
			want: "qemu.yaml:6: prepare/begin: output is missing: one of none, filter"},
		{name: "fault", old: "fault: fail", new: "fault: ignore",
			want: `qemu.yaml:26: prepare/begin: fault is "ignore", not one of fail, pass`},
		{name: "fault missing", old: "    fault: fail\n", new: "",
			want: "qemu.yaml:6: prepare/begin: fault is missing: one of fail, pass"},
		{name: "summary missing", old: "    summary: before it starts\n", new: "",
			want: "qemu.yaml:6: prepare/begin: summary is missing"},
		{name: "summary with a full stop", old: "before it starts", new: "before it starts.",
			want: "qemu.yaml:34: prepare/begin: summary ends with a full stop"},
		{name: "doc missing", old: "    doc: more of it\n", new: "",
			want: "qemu.yaml:6: prepare/begin: doc is missing"},
		{name: "verified missing", old: "    verified:\n      seen: [\"7.0.0\"]\n      source: src/qemu/qemu_process.c\n", new: "",
			want: "qemu.yaml:6: prepare/begin: verified names no file of libvirt's source"},
		{name: "source without a folder", old: "source: src/qemu/qemu_process.c", new: "source: qemu_process.c",
			want: `qemu.yaml:36: prepare/begin: "qemu_process.c" is not a path in libvirt's source`},
		{name: "source from the root", old: "source: src/qemu/qemu_process.c", new: "source: [/src/qemu/qemu_process.c]",
			want: `qemu.yaml:36: prepare/begin: "/src/qemu/qemu_process.c" is not a path in libvirt's source`},
		{name: "source like the news", old: "source: src/qemu/qemu_process.c", new: "source: NEWS.rst.in",
			want: `qemu.yaml:36: prepare/begin: "NEWS.rst.in" is not a path in libvirt's source`},
		{name: "seen before since", old: `seen: ["7.0.0"]` + "\n      source", new: `seen: ["7.0.0", "1.9.9"]` + "\n      source", unseen: order,
			want: "qemu.yaml:36: prepare/begin: seen on 1.9.9, which does not make the call"},

		{name: "input missing", old: "    input: domain\n    output: filter", new: "    output: none",
			want: "qemu.yaml:39: start/-: input is missing: one of " + kinds},
		{name: "input", old: "input: domain", new: "input: guest",
			want: "qemu.yaml:43: start/-: input is \"guest\", not one of " + kinds + "\nqemu.yaml:44: start/-: a filter needs a domain as input"},
		{name: "input of no kind", old: "      - kind: none\n", new: "      - since: \"3.0.0\"\n",
			want: "qemu.yaml:15: prepare/begin: input is missing: one of " + kinds},
		{name: "ABI check of no filter", old: "    output: none\n", new: "    output: none\n    abi_check: restore\n", unseen: "it is about two keys",
			want: "qemu.yaml:20: prepare/begin: abi_check is for filters"},
		{name: "ABI check of no kind", old: "    output: filter\n", new: "    output: filter\n    abi_check: always\n",
			want: "qemu.yaml:45: start/-: abi_check is \"always\", not one of migration, restore"},
		{name: "filter without input", old: "    input: domain\n", new: "",
			want: "qemu.yaml:39: start/-: input is missing: one of " + kinds + "\nqemu.yaml:43: start/-: a filter needs a domain as input"},
		{name: "filter of a network", old: "input: domain", new: "input: network",
			want: "qemu.yaml:44: start/-: a filter needs a domain as input"},
		{name: "filter of a network, as a list", old: "input: domain", new: "input: [{kind: network}]",
			want: "qemu.yaml:44: start/-: a filter needs a domain as input"},
		{name: "input that leaves out since too early", old: "        since: \"5.0.0\"\n", new: "", unseen: order,
			want: "qemu.yaml:15: prepare/begin: item 1 of input needs since: only the last, the oldest, may leave it out"},
		{name: "input before since", old: "kind: none", new: "kind: none\n        since: \"1.0.0\"", unseen: order,
			want: "qemu.yaml:15: prepare/begin: item 2 of input is since 1.0.0, before the operation's 2.0.0"},
		{name: "input oldest first", old: "kind: none", new: "kind: none\n        since: \"5.10.0\"", unseen: order,
			want: "qemu.yaml:15: prepare/begin: item 2 of input is since 5.10.0, not older than the one before it"},

		{name: "failure missing", old: "    failure:\n      - effect: refused\n    fault", new: "    fault",
			want: "qemu.yaml:39: start/-: failure is missing"},
		{name: "effect", old: "effect: ignored", new: "effect: nothing",
			want: `qemu.yaml:24: prepare/begin: effect is "nothing", not one of ` + effects},
		{name: "failure seen where another item holds", old: `seen: ["5.0.0"]`, new: `seen: ["6.0.0"]`, unseen: order,
			want: "qemu.yaml:24: prepare/begin: seen on 6.0.0, which this item is not about"},
		{name: "failure that leaves out since too early", old: "        since: \"6.0.0\"\n", new: "", unseen: order,
			want: "qemu.yaml:20: prepare/begin: item 1 of failure needs since: only the last, the oldest, may leave it out\nqemu.yaml:23: prepare/begin: seen on 5.0.0, which this item is not about"},
		{name: "fault that kills", old: "effect: ignored", new: "effect: killed",
			want: "qemu.yaml:26: prepare/begin: a fault must pass where a failing hook gets the guest killed"},
		{name: "fault that forgets", old: "effect: ignored", new: "effect: forgotten",
			want: "qemu.yaml:26: prepare/begin: a fault must pass where a failing hook gets the guest forgotten"},

		{name: "extra of enum and const", old: "enum: why", new: "enum: why\n      const: x",
			want: "qemu.yaml:27: prepare/begin: extra takes either enum or const"},
		{name: "extra of neither", old: "      enum: why\n", new: "",
			want: "qemu.yaml:27: prepare/begin: extra takes either enum or const"},
		{name: "extra without a name", old: "      name: reason\n", new: "",
			want: "qemu.yaml:27: prepare/begin: extra needs a name, lower-case words joined by -"},
		{name: "extra of an unknown enum", old: "enum: why", new: "enum: whence", unseen: reference,
			want: `qemu.yaml:27: prepare/begin: no enum "whence" in enums.yaml`},
		{name: "extra before since", old: `since: "3.0.0"`, new: `since: "1.9.0"`, unseen: order,
			want: "qemu.yaml:27: prepare/begin: extra is since 1.9.0, before the operation's 2.0.0"},
		{name: "after an unknown operation", old: "- start\n", new: "- begun\n", unseen: reference,
			want: `qemu.yaml:32: prepare/begin: no operation "begun"`},
		{name: "after an unknown operation of another driver", old: "network/port-created", new: "network/nothing", unseen: reference,
			want: `qemu.yaml:33: prepare/begin: no operation "network/nothing"`},
		{name: "after an operation of an unknown driver", old: "network/port-created", new: "vbox/start", unseen: reference,
			want: `qemu.yaml:33: prepare/begin: no operation "vbox/start"`},

		{name: "enum name", enums: true, old: "name: why", new: "name: why-not",
			want: "enums.yaml:2: enum why-not: the name is \"why-not\", not lower-case words joined by _\nqemu.yaml:27: prepare/begin: no enum \"why\" in enums.yaml"},
		{name: "enum without since", enums: true, old: "    since: \"2.0.0\"\n", new: "",
			want: "enums.yaml:2: enum why: since is missing"},
		{name: "enum summary", enums: true, old: "why it is off", new: "why it is off.",
			want: "enums.yaml:4: enum why: summary ends with a full stop"},
		{name: "enum doc missing", enums: true, old: "    doc: more of it\n", new: "",
			want: "enums.yaml:2: enum why: doc is missing"},
		{name: "enum source missing", enums: true, old: "    source: src/conf/domain_conf.c\n", new: "",
			want: "enums.yaml:2: enum why: source names no file of libvirt's source"},
		{name: "enum source", enums: true, old: "src/conf/domain_conf.c", new: "domain_conf.c",
			want: `enums.yaml:6: enum why: "domain_conf.c" is not a path in libvirt's source`},
		{name: "enum without values", enums: true, old: baseEnums[strings.Index(baseEnums, "    values:"):], new: "    values: []\n",
			want: "enums.yaml:7: enum why: no values"},
		{name: "value", enums: true, old: "value: unknown", new: "value: Un known",
			want: `enums.yaml:8: enum why: the value is "Un known", not lower-case words`},
		{name: "value summary missing", enums: true, old: "        summary: nobody knows\n", new: "",
			want: `enums.yaml:8: enum why: "unknown" has no summary`},
		{name: "value summary of two lines", enums: true, old: "summary: nobody knows", new: "summary: \"nobody\\nknows\"",
			want: `enums.yaml:8: enum why: the summary of "unknown" is more than one line`},
		{name: "value summary with a full stop", enums: true, old: "nobody knows", new: "nobody knows.",
			want: `enums.yaml:8: enum why: the summary of "unknown" ends with a full stop`},
		{name: "values of one Go name", enums: true, old: "value: unknown", new: "value: from-snapshot", unseen: "two items at once",
			want: `enums.yaml:10: enum why: why "from snapshot" gets the Go name WhyFromSnapshot, which why "from-snapshot" has`},
		{name: "enum and operation of one Go name", enums: true, old: "enums:\n", new: "enums:\n  - {name: qemu_start, since: \"1.0.0\", summary: s, doc: d, source: a/b, values: [{value: v, summary: s}]}\n", unseen: "two files at once",
			want: "qemu.yaml:39: start/-: operation qemu/start/- gets the Go name QemuStart, which enum qemu_start has"},
	}
}

func TestValidate(t *testing.T) {
	for _, c := range validateCases() {
		t.Run(c.name, func(t *testing.T) {
			_, err := spec.Load(c.files(t))
			assert.EqualError(t, err, c.want)
			var ps spec.Problems
			require.ErrorAs(t, err, &ps)
			assert.Len(t, ps, 1+strings.Count(c.want, "\n"))
		})
	}
}

// All of a document's problems come at once, in the order of its lines.
func TestValidateReportsAll(t *testing.T) {
	doc := strings.NewReplacer(
		"object: guest", "object: host",
		"summary: QEMU guests", "summary: QEMU guests.",
		"host: any", "host: every",
		"effect: ignored", "effect: nothing",
		"- start\n", "- begun\n",
		"      source: src/qemu/qemu_process.c\n", "      source: process.c\n",
		"output: filter", "output: filtered",
	).Replace(baseDriver)
	_, err := spec.Load(fstest.MapFS{
		"qemu.yaml":  {Data: []byte(doc)},
		"enums.yaml": {Data: []byte(strings.Replace(baseEnums, "why it is off", "why it is off.", 1))},
		"xen.yaml":   {Data: []byte("driver: xen\n")},
	})
	assert.EqualError(t, err, `enums.yaml:4: enum why: summary ends with a full stop
qemu.yaml:2: object is "host", not one of guest, network, none
qemu.yaml:3: summary ends with a full stop
qemu.yaml:14: prepare/begin: host is "every", not one of any, source, destination
qemu.yaml:24: prepare/begin: effect is "nothing", not one of refused, killed, forgotten, lost, ignored
qemu.yaml:32: prepare/begin: no operation "begun"
qemu.yaml:36: prepare/begin: "process.c" is not a path in libvirt's source
qemu.yaml:44: start/-: output is "filtered", not one of none, filter
xen.yaml:1: object is missing: one of guest, network, none
xen.yaml:1: summary is missing
xen.yaml:1: doc is missing
xen.yaml:1: no operations`)
}

// A spec that was not read from files is checked too; there is no line to name.
func TestValidateInMemory(t *testing.T) {
	s := builtin(t)
	require.NoError(t, s.Validate())
	s.Driver("qemu").Find("start")[0].Host = "every"
	assert.Regexp(t, `^qemu\.yaml:\d+: start/begin: host is "every", not one of any, source, destination$`, s.Validate())

	d := &spec.Driver{Name: "xen", Object: "guest", Summary: "Xen", Doc: "more"}
	d.Ops = []*spec.Op{{
		Op: "start", SubOp: "begin", Host: "any", Input: spec.Inputs{{Kind: "none"}}, Output: "none",
		Failure: []spec.Failure{{Effect: "ignored"}}, Fault: "fail", Summary: "s", Doc: "d",
		Verified: spec.Verified{Source: spec.Strings{"src/xen.c"}}, Driver: d,
	}}
	memory := &spec.Spec{Drivers: []*spec.Driver{d}}
	assert.EqualError(t, memory.Validate(), "xen.yaml: start/begin: since is missing")
	d.Ops[0].Since = "1.0.0"
	assert.NoError(t, memory.Validate())
}
