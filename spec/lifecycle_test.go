package spec_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

const (
	// baseLifecycles follows baseDriver and releaseOp.
	baseLifecycles = `lifecycles:
  - action: boot
    summary: a guest is booted
    from: "off"
    to: running
    destination: [start]
    calls: [start, prepare]
    ignored: [start]
    verified: {source: src/qemu/qemu_process.c}
  - action: end
    summary: a guest ends
    calls: [qemu/start, release]
    guests: boot
    reason: unknown
    fails: true
    refused:
      - {at: [release], since: "2.0.0", calls: [start]}
      - {calls: [release], reason: from snapshot, to: saved}
    verified: {source: src/qemu/qemu_process.c, seen: ["9.0.0"]}
`
	releaseOp = `  - op: release
    sub_op: end
    since: "0.8.0"
    host: any
    input: domain
    output: none
    failure: [{effect: ignored}]
    fault: fail
    after: [start]
    summary: when it is over
    doc: more of it
    verified: {source: src/qemu/qemu_process.c}
`
)

func TestValidateLifecycles(t *testing.T) {
	s := schema(t, "driver.schema.json")
	cases := []brokenCase{
		{name: "as it is"},
		{name: "action", old: "action: boot", new: "action: Boot", unseen: "",
			want: "qemu.yaml:65: action Boot: the action is \"Boot\", not lower-case words joined by -\nqemu.yaml:76: action end: no driver has the action \"boot\""},
		{name: "the same twice", old: "action: end", new: "action: boot", unseen: "two items at once",
			want: "qemu.yaml:73: action boot: it is there twice"},
		{name: "summary", old: "a guest ends", new: "a guest ends.",
			want: "qemu.yaml:74: action end: summary ends with a full stop"},
		{name: "state", old: "to: running", new: "to: paused",
			want: `qemu.yaml:68: action boot: to is "paused", not one of off, running, saved`},
		{name: "no calls", old: "    calls: [start, prepare]\n    ignored: [start]\n", new: "",
			want: "qemu.yaml:65: action boot: no calls"},
		{name: "an unknown call", old: "[start, prepare]", new: "[start, begun]", unseen: reference,
			want: `qemu.yaml:70: action boot: no operation "begun"`},
		{name: "an unknown call on the destination", old: "destination: [start]", new: "destination: [xen/start]", unseen: reference,
			want: `qemu.yaml:69: action boot: no operation "xen/start"`},
		{name: "an order that the operations do not have", old: "[start, prepare]", new: "[prepare, start]", unseen: reference,
			want: "qemu.yaml:70: action boot: start comes after prepare here, but not by its own after\n"},
		{name: "ignored of no call", old: "ignored: [start]", new: "ignored: [release]", unseen: reference,
			want: "qemu.yaml:71: action boot: release is not one of the calls"},
		{name: "guests that do what nobody does", old: "guests: boot", new: "guests: fly", unseen: reference,
			want: `qemu.yaml:76: action end: no driver has the action "fly"`},
		{name: "a reason for nothing", old: "[qemu/start, release]", new: "[qemu/start]", unseen: "two keys at once",
			want: "qemu.yaml:77: action end: the reason unknown is for release, which is not called\nqemu.yaml:80: action end: release is not one of the calls"},
		{name: "a reason that is none", old: "reason: unknown", new: "reason: bored", unseen: reference,
			want: `qemu.yaml:77: action end: the reason "bored" is not one of enum shutoff_reason`},
		{name: "fails, and then", old: baseLifecycles[strings.Index(baseLifecycles, "    refused:"):strings.LastIndex(baseLifecycles, "    verified:")], new: "", unseen: "two keys at once",
			want: "qemu.yaml:78: action end: what fails needs refused, which says what follows"},
		{name: "refused at no call", old: "at: [release]", new: "at: [prepare]", unseen: reference,
			want: "qemu.yaml:80: action end: prepare is not one of the calls"},
		{name: "an unknown call after a refusal", old: `since: "2.0.0", calls: [start]`, new: `since: "2.0.0", calls: [begun]`, unseen: reference,
			want: `qemu.yaml:80: action end: no operation "begun"`},
		{name: "a reason for nothing after a refusal", old: "calls: [release], reason", new: "calls: [start], reason", unseen: "two keys at once",
			want: "qemu.yaml:81: action end: the reason from snapshot is for release, which is not called"},
		{name: "no source", old: "verified: {source: src/qemu/qemu_process.c, seen: [\"9.0.0\"]}", new: "verified: {source: []}",
			want: "qemu.yaml:82: action end: verified names no file of libvirt's source"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, baseLifecycles, c.old)
			driver := strings.Replace(baseDriver, "enum: why", "enum: shutoff_reason", 1) + releaseOp + strings.Replace(baseLifecycles, c.old, c.new, 1)
			_, err := spec.Load(fstest.MapFS{
				"qemu.yaml":  {Data: []byte(driver)},
				"enums.yaml": {Data: []byte(strings.NewReplacer("name: why", "name: shutoff_reason").Replace(baseEnums))},
			})
			invalid := s.Validate(plainDoc(t, []byte(driver)))
			if c.want == "" {
				require.NoError(t, err)
				require.NoError(t, invalid)
				return
			}
			assert.ErrorContains(t, err, strings.TrimSuffix(c.want, "\n"))
			if c.unseen == "" {
				assert.Error(t, invalid, "the schema")
			} else {
				assert.NoError(t, invalid, "the schema sees it though it is said not to: %s", c.unseen)
			}
		})
	}
}

// Every driver with guests can start one, and every reference to a port is to one that is made.
func TestEveryDriverHasLifecycles(t *testing.T) {
	for _, d := range builtin(t).Drivers {
		require.NotEmpty(t, d.Lifecycles, d.Name)
		called := map[string]bool{}
		for _, l := range d.Lifecycles {
			for _, list := range [][]string{l.Destination, l.Calls} {
				for _, ref := range list {
					called[strings.TrimPrefix(ref, d.Name+"/")] = true
				}
			}
		}
		for _, o := range d.Ops {
			switch {
			case o.ID() == "qemu/attach/begin": // nothing calls it any more
			case strings.HasPrefix(o.Op, "port-"): // part of what guests do
			default:
				assert.True(t, called[o.Op], "%s is in no lifecycle", o.ID())
			}
		}
	}
}
