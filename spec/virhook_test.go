package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

const tables = `
#define VIR_FROM_THIS VIR_FROM_HOOK
static char quote = '"'; /* not code:
VIR_ENUM_IMPL(virHookOldOp, VIR_HOOK_OLD_OP_LAST, "gone"); */
VIR_ENUM_DECL(virHookDriver);
VIR_ENUM_IMPL(virHookDriver,
              VIR_HOOK_DRIVER_LAST,
              "qemu",
              /* "xen", */
              "cloud-hypervisor",
);
VIR_ENUM_IMPL(virHookSubop, VIR_HOOK_SUBOP_LAST, "-", "begin", "end");
VIR_ENUM_IMPL ( virHookQemuOp,VIR_HOOK_QEMU_OP_LAST,"start" , // the first
  "stopped", "port-created" )
VIR_ENUM_IMPL(virHookCloudHypervisorOp, VIR_HOOK_CLOUD_HYPERVISOR_OP_LAST,
              "start",);
`

func TestParseVirhook(t *testing.T) {
	got, err := spec.ParseVirhook([]byte(tables))
	require.NoError(t, err)
	assert.Equal(t, &spec.Tables{
		Drivers: []string{"qemu", "cloud-hypervisor"},
		SubOps:  []string{"-", "begin", "end"},
		Ops: map[string][]string{
			"qemu":             {"start", "stopped", "port-created"},
			"cloud-hypervisor": {"start"},
		},
	}, got)
	assert.Equal(t, 4, got.Count())

	// A driver's name may be spelt in capitals.
	got, err = spec.ParseVirhook([]byte(strings.ReplaceAll(tables, "virHookQemuOp", "virHookQEMUOp")))
	require.NoError(t, err)
	assert.Equal(t, []string{"start", "stopped", "port-created"}, got.Ops["qemu"])
}

func TestParseVirhookRefuses(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"no drivers", "(virHookDriver,", "(virHookDrivers,", "no VIR_ENUM_IMPL of virHookDriver"},
		{"no sub-operations", "virHookSubop", "virHookSubops", "no VIR_ENUM_IMPL of virHookSubop"},
		{"no operations", "virHookCloudHypervisorOp", "virCloudHypervisorOp", "no VIR_ENUM_IMPL of virHookCloudHypervisorOp, the operations of cloud-hypervisor"},
		{"no such driver", "virHookCloudHypervisorOp", "virHookChOp", "line 15: virHookChOp belongs to none of the drivers qemu, cloud-hypervisor"},
		{"a macro for a string", `"-", "begin"`, `"-", BEGIN`, `line 12: unexpected "BEGIN" in the VIR_ENUM_IMPL of line 12`},
		{"strings side by side", `"-", "begin"`, `"-" "begin"`, `line 12: unexpected "\"begin\"" in the VIR_ENUM_IMPL of line 12`},
		{"not closed", `"start",);`, `"start",`, `unexpected "" in the VIR_ENUM_IMPL of line 15`},
		{"a string that does not end", `"begin", "end"`, `"begin", "end`, `in the VIR_ENUM_IMPL of line 12`},
		{"a conditional", `/* "xen", */`, "#if WITH_XEN", `line 9: unexpected "#" in the VIR_ENUM_IMPL of line 6`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := strings.Replace(tables, tt.old, tt.new, 1)
			require.NotEqual(t, tables, src)
			_, err := spec.ParseVirhook([]byte(src))
			assert.ErrorContains(t, err, tt.want)
		})
	}
	_, err := spec.ParseVirhook(nil)
	assert.ErrorContains(t, err, "no VIR_ENUM_IMPL of virHookDriver")
}

// ops makes a driver; an operation is "op/sub_op since [until] [former<version]".
func ops(name string, list ...string) *spec.Driver {
	d := &spec.Driver{Name: name}
	for _, item := range list {
		f := strings.Fields(item)
		op, sub, _ := strings.Cut(f[0], "/")
		o := &spec.Op{Op: op, SubOp: sub, Since: spec.Version(f[1]), Driver: d}
		for _, extra := range f[2:] {
			if former, until, ok := strings.Cut(extra, "<"); ok {
				o.Replaces = append(o.Replaces, spec.Former{Op: former, Until: spec.Version(until)})
			} else {
				o.Until = spec.Version(extra)
			}
		}
		d.Ops = append(d.Ops, o)
	}
	return d
}

func TestCompare(t *testing.T) {
	libvirt, err := spec.ParseVirhook([]byte(tables))
	require.NoError(t, err)
	same := []*spec.Driver{
		ops("cloud-hypervisor", "start/- 10.0.0"),
		ops("qemu", "start/begin 1.0.0", "stopped/end 1.0.0", "port-created/begin 1.0.0 plugged<6.0.0"),
	}
	qemu := func(list ...string) []*spec.Driver {
		return []*spec.Driver{same[0], ops("qemu", append([]string{"start/begin 1.0.0", "stopped/end 1.0.0"}, list...)...)}
	}
	for _, tt := range []struct {
		name    string
		drivers []*spec.Driver
		libvirt spec.Version
		want    []string
	}{
		{"the same", same, "11.3.0", nil},
		{"the same, version unknown", same, "", nil},
		{"an operation is missing from the spec", qemu(), "11.3.0",
			[]string{"operation qemu/port-created: in libvirt, not in the spec"}},
		{"an operation has another name", qemu("port-made/begin 1.0.0"), "11.3.0", []string{
			"operation qemu/port-made: in the spec, not in libvirt",
			"operation qemu/port-created: in libvirt, not in the spec"}},
		{"newer operations are not missed", qemu("port-created/begin 1.0.0", "reset/begin 11.4.0"), "11.3.0", nil},
		{"from their version on they are", qemu("port-created/begin 1.0.0", "reset/begin 11.3.0"), "11.3.0",
			[]string{"operation qemu/reset: in the spec, not in libvirt"}},
		{"of an unknown version all are", qemu("port-created/begin 1.0.0", "reset/begin 11.4.0"), "",
			[]string{"operation qemu/reset: in the spec, not in libvirt"}},
		{"what is no longer called may be in the table", qemu("port-created/begin 1.0.0 2.0.0"), "11.3.0", nil},
		{"or not", qemu("port-created/begin 1.0.0", "attach/begin 1.0.0 2.0.0"), "11.3.0", nil},
		{"but was there before", qemu("port-created/begin 1.0.0", "attach/begin 1.0.0 12.0.0"), "11.3.0",
			[]string{"operation qemu/attach: in the spec, not in libvirt"}},
		{"a former name is expected of an old version", same, "5.0.0", []string{
			"operation qemu/plugged: in the spec, not in libvirt",
			"operation qemu/port-created: in libvirt, not in the spec"}},
		{"a driver is missing from the spec", same[1:], "11.3.0", []string{
			"driver cloud-hypervisor: in libvirt, not in the spec",
			"sub-operation -: in libvirt, not in the spec"}},
		{"a driver is missing from libvirt", append([]*spec.Driver{ops("vz", "start/begin 1.0.0", "stopped/end 1.0.0")}, same...), "11.3.0",
			[]string{"driver vz: in the spec, not in libvirt"}},
		{"a newer driver is not missed", append([]*spec.Driver{ops("vz", "start/begin 12.0.0")}, same...), "11.3.0", nil},
		{"a sub-operation is missing from libvirt", append([]*spec.Driver{same[0]}, ops("qemu", "start/begin 1.0.0", "stopped/finally 1.0.0", "port-created/end 1.0.0")), "11.3.0",
			[]string{"sub-operation finally: in the spec, not in libvirt"}},
		{"a newer sub-operation is not missed", qemu("port-created/begin 1.0.0", "reset/finally 12.0.0"), "11.3.0", nil},
		{"a sub-operation of a newer operation is known", []*spec.Driver{ops("cloud-hypervisor", "start/begin 1.0.0", "reload/- 12.0.0"), same[1]}, "11.3.0", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &spec.Spec{Drivers: tt.drivers}
			assert.Equal(t, tt.want, s.Compare(libvirt, tt.libvirt))
		})
	}
}

func TestNameAt(t *testing.T) {
	o := ops("network", "third/begin 1.0.0 first<4.0.0 second<6.0.0").Ops[0]
	for v, want := range map[spec.Version]string{
		"": "third", "6.0.0": "third", "5.9.0": "second", "4.0.0": "second", "3.9.9": "first",
	} {
		assert.Equal(t, want, o.NameAt(v), v)
	}
}

func TestSourceVersion(t *testing.T) {
	for _, tt := range []struct {
		build string
		want  spec.Version
	}{
		{"project(\n  'libvirt', 'c',\n  version: '11.3.0',\n  license: 'LGPLv2+',\n  meson_version: '>= 0.56.0',\n)\n", "11.3.0"},
		{"# libvirt's build\n\nproject ('libvirt', meson_version: '0.54.0', version : '6.7.0')\n", "6.7.0"},
		{"project('libvirt', meson_version: '0.54.0')\ndependency('x', version: '1.0.0')\n", ""},
		{"project('libvirt', version: run_command('v'))\n", ""},
		{"project('libvirt', version: 'next')\n", ""},
		{"# project(version: '1.0.0')\n", ""},
		{"", ""},
	} {
		assert.Equal(t, tt.want, spec.SourceVersion(fstest.MapFS{"meson.build": {Data: []byte(tt.build)}}), tt.build)
	}
	assert.Empty(t, spec.SourceVersion(fstest.MapFS{}))
}

// TestLibvirtSource compares the spec with a real source tree.
func TestLibvirtSource(t *testing.T) {
	dir := os.Getenv("VIRTHOOK_LIBVIRT_SRC")
	if dir == "" {
		t.Skip("VIRTHOOK_LIBVIRT_SRC does not name a libvirt source tree")
	}
	src, err := os.ReadFile(filepath.Join(dir, "src/util/virhook.c"))
	require.NoError(t, err)
	libvirt, err := spec.ParseVirhook(src)
	require.NoError(t, err)
	version := spec.SourceVersion(os.DirFS(dir))
	assert.NotEmpty(t, version)
	s, err := spec.Builtin()
	require.NoError(t, err)
	assert.Empty(t, s.Compare(libvirt, version))
}
