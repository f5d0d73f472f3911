package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

// base is right; the cases are edits of it.
const base = `version: 1
inventory: hosts.txt
sets:
  base: [./hooks/audit, example.com/other/limits]
  gpu: ./hooks/gpu
hosts:
  - name: [hv-gpu-1, "hv-gpu-2"]
    target: linux/arm64
    libvirt: "11.3.0"
    drivers: [qemu, network]
    sets: [base, gpu]
    settings:
      limits: {max: 4}
      gpu:
  - name: hv-*
    drivers: lxc
    sets: base
  - name: "[a-c]?-1"
    sets: base
`

const inventory = "hv-1 # the first\n\n# all\nhv-2\nab-1\n"

func builtin(t *testing.T) *spec.Spec {
	s, err := spec.Builtin()
	require.NoError(t, err)
	return s
}

// load reads the text as virthook.yaml, with an inventory beside it.
func load(t *testing.T, text, inventory string) (*Fleet, error) {
	dir := t.TempDir()
	file := filepath.Join(dir, "virthook.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hosts.txt"), []byte(inventory), 0o644))
	t.Chdir(dir)
	return Load("virthook.yaml", builtin(t))
}

func TestLoad(t *testing.T) {
	f, err := load(t, base, inventory)
	require.NoError(t, err)
	assert.Empty(t, f.Warnings)
	assert.Equal(t, []string{"hv-gpu-1", "hv-gpu-2", "hv-1", "hv-2", "ab-1"}, f.Hosts())
	for host, index := range map[string]int{"hv-gpu-1": 0, "hv-gpu-2": 0, "hv-gpu-3": 1, "hv-": 1, "ab-1": 2, "cz-1": 2} {
		require.NotNil(t, f.match(host), host)
		assert.Equal(t, index, f.match(host).index, host)
	}
	for _, host := range []string{"", "hv", "xhv-1", "dz-1"} {
		assert.Nil(t, f.match(host), host)
	}
	assert.True(t, f.Has("hv-1"))
	assert.False(t, f.Has("hv-3"), "with an inventory, all hosts are known")
	assert.Equal(t, "linux/arm64", f.entries[0].target())
	assert.Equal(t, "linux/amd64", f.entries[1].target())
	assert.Equal(t, []string{"lxc"}, f.entries[1].drivers())
	assert.Equal(t, []string{"qemu", "network"}, f.entries[2].drivers())

	f, err = load(t, strings.Replace(base, "inventory: hosts.txt\n", "", 1), "")
	require.NoError(t, err)
	assert.Equal(t, []string{"hv-gpu-1", "hv-gpu-2"}, f.Hosts())
	assert.True(t, f.Has("hv-3"))
	assert.False(t, f.Has("hv-/x"))
	assert.False(t, f.Has("xy"))
}

// wrongCase is an edit that makes the base wrong.
type wrongCase struct {
	name     string
	old, new string
	want     []string
	unseen   bool // by a schema, which sees one value at a time
}

func wrongCases() []wrongCase {
	const f = "virthook.yaml:"
	return []wrongCase{
		{"version", "version: 1", "version: 2", []string{f + "1: version is 2; this virthook reads version 1"}, false},
		{"newer version", "version: 1", "version: 2\nnewer: 1", []string{f + "1: version is 2; this virthook reads version 1", f + `2: unknown key "newer"`}, false},
		{"no version", "version: 1\n", "", []string{f + "1: version is 0; this virthook reads version 1"}, false},
		{"unknown key", "version: 1", "version: 1\nverison: 1", []string{f + `2: unknown key "verison"`}, false},
		{"unknown key of a host", "target:", "tarket:", []string{f + `8: unknown key "tarket"`}, false},
		{"key twice", "    target: linux/arm64\n", "    target: linux/arm64\n    target: linux/arm64\n", []string{f + "9: "}, true},
		{"set twice", "  gpu: ./hooks/gpu\n", "  gpu: ./hooks/gpu\n  gpu: ./hooks/gpu\n", []string{f + "6: "}, true},
		{"number as a name", "name: hv-*", "name: 1e3", []string{f + "15: 1e3 is a number, and a text belongs here: quote it"}, false},
		{"mapping as a name", "name: hv-*", "name: [{}]", []string{f + "15: a mapping where a text belongs"}, false},
		{"empty name", "name: hv-*", "name: ''", []string{f + `15: "": a host's name is letters, digits, dots, - and _`}, false},
		{"null among names", `"hv-gpu-2"`, "~", []string{f + "7: empty where a text belongs"}, false},
		{"no name", "  - name: hv-*\n    drivers", "  - drivers", []string{f + "15: name is missing: which hosts is this for?"}, false},
		{"path as a name", "hv-gpu-1", "../x", []string{f + `7: "../x": a host's name is letters, digits, dots, - and _`}, false},
		{"dot as a name", "hv-gpu-1", ".builds", []string{f + `7: ".builds": a host's name is letters, digits, dots, - and _`}, false},
		{"bad pattern", `"[a-c]?-1"`, `"[a-c?-1"`, []string{f + `18: "[a-c?-1" is not a pattern`}, true},
		{"empty host", "  - name: hv-*", "  -\n  - name: hv-*", []string{f + "15: hosts has an empty item"}, false},
		{"no hosts", base[strings.Index(base, "hosts:\n"):], "hosts: []\n", []string{f + "6: there are no hosts"}, false},
		{"target", "linux/arm64", "linux", []string{f + `8: target "linux": it is GOOS/GOARCH, such as linux/arm64`}, false},
		{"target of three", "linux/arm64", "linux/arm/7", []string{f + `8: target "linux/arm/7": it is GOOS/GOARCH, such as linux/arm64`}, false},
		{"version not quoted", `"11.3.0"`, "11.3", []string{f + "9: 11.3 is a number, and a text belongs here: quote it"}, false},
		{"plain version", `"11.3.0"`, "11.3.0", []string{f + `9: libvirt: a version must be quoted: "11.3.0"`}, true},
		{"no version of libvirt", `"11.3.0"`, `"11.3.x"`, []string{f + `9: libvirt: "11.3.x" is not a version of libvirt such as 11.3.0`}, false},
		{"unknown driver", "[qemu, network]", "[qemu, xen]", []string{f + `10: unknown driver "xen": one of bhyve, daemon, libxl, lxc, network, qemu`}, false},
		{"driver twice", "[qemu, network]", "[qemu, qemu]", []string{f + "10: driver qemu is listed twice"}, false},
		{"no drivers", "[qemu, network]", "[]", []string{f + "10: drivers is empty: leave it out for qemu and network"}, false},
		{"no sets", "    sets: [base, gpu]\n", "", []string{f + "7: sets is missing: what do these hosts run?"}, false},
		{"empty sets", "[base, gpu]", "[]", []string{f + "11: sets is missing: what do these hosts run?"}, false},
		{"unknown set", "[base, gpu]", "[base, gpus]", []string{f + `11: there is no set "gpus"`}, true},
		{"same set twice", "[base, gpu]", "[base, base]", []string{f + "11: set base is listed twice"}, false},
		{"package in two sets", "./hooks/gpu", "[./hooks/gpu, ./hooks//audit/]",
			[]string{f + "11: ./hooks//audit/ is in the sets base and gpu: it would run twice, and in which place its filters run is not defined"}, true},
		{"package twice in a set", "[./hooks/audit,", "[./hooks/audit, ./hooks/audit,", []string{f + "4: package ./hooks/audit is in this set already, at line 4"}, false},
		{"pattern of packages", "./hooks/gpu", "./hooks/...", []string{f + `5: package "./hooks/...": a set names packages one by one, for their order counts`}, false},
		{"package outside", "./hooks/gpu", "../gpu", []string{f + `5: package "../gpu": it is outside of the project: a package is ./FOLDER or an import path`}, false},
		{"package far outside", "./hooks/gpu", "./a/../../gpu", []string{f + `5: package "./a/../../gpu": it is outside of the project: a package is ./FOLDER or an import path`}, false},
		{"absolute package", "./hooks/gpu", "/hooks/gpu", []string{f + `5: package "/hooks/gpu": it is outside of the project: a package is ./FOLDER or an import path`}, false},
		{"flag as a package", "./hooks/gpu", "-toolexec=x", []string{f + `5: package "-toolexec=x": a package is ./FOLDER or an import path`}, false},
		{"empty set", "gpu: ./hooks/gpu", "gpu: []", []string{f + `5: set "gpu" has no packages`}, false},
		{"null set", "gpu: ./hooks/gpu", "gpu:", []string{f + `5: set "gpu" has no packages`}, false},
		{"name of a set", "gpu: ./hooks/gpu", "gpu: ./hooks/gpu\n  'g p u': ./hooks/gpu", []string{f + `6: set "g p u": a name is letters, digits, _ and -`}, false},
		{"null as a package", "./hooks/gpu", "[~]", []string{f + "5: empty where a text belongs"}, false},
		{"settings", "      limits: {max: 4}\n      gpu:\n", "      - limits\n", []string{f + "13: a list where a mapping belongs"}, false},
		{"no inventory", "hosts.txt", "nowhere.txt", []string{f + "2: inventory nowhere.txt: no such file or directory"}, true},
		{"hosts that differ in case", `"hv-gpu-2"`, "HV-GPU-1", []string{f + "7: the hosts hv-gpu-1 and HV-GPU-1 differ in case only"}, true},
		{"all at once", "target: linux/arm64\n    libvirt: \"11.3.0\"\n    drivers: [qemu, network]", "target: x\n    libvirt: 1\n    drivers: [xen]",
			[]string{f + `8: target "x": it is GOOS/GOARCH, such as linux/arm64`, f + "9: 1 is a number", f + `10: unknown driver "xen"`}, false},
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range wrongCases() {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(base, c.old), "the edit is of one place")
			_, err := load(t, strings.Replace(base, c.old, c.new, 1), inventory)
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(c.want), "%v", err)
			for i, want := range c.want {
				assert.True(t, strings.HasPrefix(lines[i], want), "%q\n%q", lines[i], want)
			}
		})
	}
}

func TestInventoryRefuses(t *testing.T) {
	_, err := load(t, base, "hv-1\n\nhv-1\n-x\nzz\n")
	assert.EqualError(t, err, "hosts.txt:3: hv-1 is at line 1 already\n"+
		`hosts.txt:4: "-x": a host's name is letters, digits, dots, - and _`)
	_, err = load(t, base, "hv-1\nzz\n")
	assert.EqualError(t, err, "hosts.txt:2: zz: no entry of virthook.yaml matches this host")
}

func TestWarnings(t *testing.T) {
	text := func(names ...string) string {
		s := "version: 1\nsets: {a: ./a}\nhosts:\n"
		for _, n := range names {
			s += fmt.Sprintf("  - {name: %s, sets: a}\n", n)
		}
		return s
	}
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"a", "b", "'*'"}, ""},
		{[]string{"a", "a"}, "virthook.yaml:5: no host gets here: the entry at line 4 matches first"},
		{[]string{"x", "a*", "ab"}, "virthook.yaml:6: no host gets here: the entry at line 5 matches first"},
		{[]string{"ab", "a*"}, ""},
		{[]string{"a*", "[ab, c]"}, "virthook.yaml:5: ab never gets here: the entry at line 4 matches first"},
		{[]string{"[a*, c*]", "[ab, c1]"}, "virthook.yaml:5: ab never gets here: the entry at line 4 matches first\n" +
			"virthook.yaml:5: c1 never gets here: the entry at line 4 matches first\nvirthook.yaml:5: no host gets here: entries before match first"},
		{[]string{"'*'", "a*"}, "virthook.yaml:5: no host gets here: the entry at line 4 matches first"},
	} {
		f, err := load(t, text(c.names...), "")
		require.NoError(t, err)
		assert.Equal(t, c.want, f.Warnings.Error(), "%q", c.names)
	}

	f, err := load(t, base+"\n", "hv-1")
	require.NoError(t, err)
	assert.EqualError(t, f.Warnings, "virthook.yaml:18: no host of the inventory gets here")
	f, err = load(t, strings.Replace(base, "[base, gpu]", "base", 1), inventory)
	require.NoError(t, err)
	assert.EqualError(t, f.Warnings, "virthook.yaml:5: no host uses the set gpu")
}

// What covers says of two patterns holds for all names, and for those without sets of
// characters it says all that holds.
func TestCovers(t *testing.T) {
	const letters = "ab*?"
	var patterns, names []string
	var grow func(s, alphabet string, n int, to *[]string)
	grow = func(s, alphabet string, n int, to *[]string) {
		*to = append(*to, s)
		for _, c := range alphabet {
			if n > 0 {
				grow(s+string(c), alphabet, n-1, to)
			}
		}
	}
	grow("", letters, 3, &patterns)
	grow("", "abc", 6, &names)
	matched := map[string][]string{}
	for _, p := range patterns {
		for _, n := range names {
			if ok, _ := filepath.Match(p, n); ok {
				matched[p] = append(matched[p], n)
			}
		}
	}
	for _, a := range patterns {
		for _, b := range patterns {
			want := !slices.ContainsFunc(matched[b], func(n string) bool { _, in := slices.BinarySearch(matched[a], n); return !in })
			if got := covers(a, b); got != want {
				t.Fatalf("covers(%q, %q) = %v", a, b, got)
			}
		}
	}
	assert.True(t, covers("[a]", "[a]"))
	assert.False(t, covers("[a]", "[ab]"))
}
