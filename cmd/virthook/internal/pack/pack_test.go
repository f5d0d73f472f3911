package pack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/pack"
)

// built is a host's folder as virthook build writes it.
type built struct {
	Host    string
	Target  string // default linux/amd64
	Sets    []string
	Drivers []string // default qemu and network
	Program string   // its content
	Name    string   // its name, default my
}

func (b built) write(t *testing.T) string {
	t.Helper()
	if b.Target == "" {
		b.Target = "linux/amd64"
	}
	if b.Name == "" {
		b.Name = "my"
	}
	if b.Drivers == nil {
		b.Drivers = []string{"qemu", "network"}
	}
	if b.Sets == nil {
		b.Sets = []string{"base"}
	}
	dir := filepath.Join(t.TempDir(), b.Host)
	type file struct {
		Path   string `json:"path"`
		SHA256 string `json:"sha256"`
		Mode   string `json:"mode"`
	}
	var files []file
	write := func(name, content string) {
		to := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.WriteFile(to, []byte(content), 0o755))
		files = append(files, file{name, pack.SumOf([]byte(content)), "0755"})
	}
	write(b.Name, b.Program)
	for _, d := range b.Drivers {
		write("hooks/"+d+".d/50-"+b.Name, b.Program)
	}
	write("sbom.cdx.json", "{}\n")
	manifest, err := json.Marshal(map[string]any{
		"version": 1, "host": b.Host, "target": b.Target, "drivers": b.Drivers, "sets": b.Sets, "build": "0", "files": files,
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), manifest, 0o644))
	return dir
}

func (b built) read(t *testing.T) *pack.Host {
	t.Helper()
	h, err := pack.ReadHost(b.write(t))
	require.NoError(t, err)
	return h
}

var options = pack.Options{Version: "1.0.0", HooksDir: pack.DefaultHooksDir, Maintainer: "Ops <ops@example.com>", License: "MIT"}

func packages(t *testing.T, hosts []*pack.Host, o pack.Options) []string {
	t.Helper()
	all, err := pack.Packages(hosts, o)
	require.NoError(t, err)
	var lines []string
	for _, p := range all {
		lines = append(lines, fmt.Sprintf("%s %s: %s", p.Name, p.Arch(), strings.Join(p.Hosts, " ")))
	}
	return lines
}

func TestPackages(t *testing.T) {
	t.Parallel()
	read := func(all ...built) (hosts []*pack.Host) {
		for _, b := range all {
			hosts = append(hosts, b.read(t))
		}
		return hosts
	}
	perHost := options
	perHost.PerHost = true
	same := read(built{Host: "hv-2", Program: "a"}, built{Host: "hv-1", Program: "a"})
	assert.Equal(t, []string{"virthook-my-base amd64: hv-1 hv-2"}, packages(t, same, options))
	assert.Equal(t, []string{"virthook-my-hv-1 amd64: hv-1", "virthook-my-hv-2 amd64: hv-2"}, packages(t, same, perHost))

	// The same name in two architectures; other sets; names that Debian refuses.
	assert.Equal(t, []string{
		"virthook-my-hooks-base amd64: a",
		"virthook-my-hooks-base arm64: b",
		"virthook-my-hooks-base-gpu-x amd64: c",
	}, packages(t, read(
		built{Host: "a", Program: "a", Name: "My_hooks"},
		built{Host: "b", Program: "b", Name: "My_hooks", Target: "linux/arm64"},
		built{Host: "c", Program: "c", Name: "My_hooks", Sets: []string{"base", "GPU_x"}},
	), options))

	// The same sets with other settings, or for other drivers: what hosts are called tells.
	assert.Equal(t, []string{
		"virthook-my-base-db amd64: db1 db2",
		"virthook-my-base-web amd64: web-1 web-17",
		"virthook-my-base-x amd64: x",
	}, packages(t, read(
		built{Host: "web-1", Program: "a"}, built{Host: "web-17", Program: "a"},
		built{Host: "db1", Program: "b"}, built{Host: "db2", Program: "b"},
		built{Host: "x", Program: "b", Drivers: []string{"qemu"}},
	), options))
	_, err := pack.Packages(read(built{Host: "web-1", Program: "a"}, built{Host: "web-2", Program: "b"}), options)
	assert.EqualError(t, err, "the hosts web-1 and web-2 differ, and the packages of both would be named virthook-my-base-web: --per-host makes a package for each")
	_, err = pack.Packages(read(built{Host: "a_b", Program: "a"}, built{Host: "a-b", Program: "b"}), perHost)
	assert.EqualError(t, err, "the hosts a_b and a-b differ, and the packages of both would be named virthook-my-a-b")
	_, err = pack.Packages(append(same, read(built{Host: "hv-1", Program: "b"})...), options)
	assert.ErrorContains(t, err, "are both of the host hv-1")
	bad := options
	bad.HooksDir = "/etc/$(reboot)"
	_, err = pack.Packages(same, bad)
	assert.ErrorContains(t, err, "it is absolute, of letters")
}

func TestReadHostRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(dir string) error
		want string
	}{
		"no manifest":  {func(dir string) error { return os.Remove(dir + "/manifest.json") }, "no host's folder"},
		"other bytes":  {func(dir string) error { return os.WriteFile(dir+"/my", []byte("b"), 0o755) }, "my: is not what manifest.json says: run virthook build again"},
		"no program":   {func(dir string) error { return os.Remove(dir + "/my") }, "no such file or directory: run virthook build again"},
		"no JSON":      {func(dir string) error { return os.WriteFile(dir+"/manifest.json", []byte("{"), 0o644) }, "unexpected end of JSON input"},
		"new version":  {edit(`"version":1`, `"version":2`), "version 2; this virthook reads version 1"},
		"a shell word": {edit(`50-my`, `50-my'$(x)`), "no such file"},
		"outside":      {edit(`"path":"my"`, `"path":"../my"`), `"../my" leads out of the folder`},
		"no hooks":     {edit(`hooks/`, `hoks/`), "no such file"},
		"odd host":     {edit(`"host":"a"`, `"host":"a/b"`), `"a/b" is no host's name`},
		"odd target":   {edit(`linux/amd64`, `linux`), `target "linux" is not GOOS/GOARCH`},
	} {
		dir := built{Host: "a", Program: "a"}.write(t)
		require.NoError(t, c.harm(dir))
		_, err := pack.ReadHost(dir)
		if assert.ErrorContains(t, err, c.want, name) {
			assert.NotContains(t, err.Error(), "\n", name)
		}
	}
}

func edit(from, to string) func(string) error {
	return func(dir string) error {
		name := filepath.Join(dir, "manifest.json")
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, []byte(strings.ReplaceAll(string(text), from, to)), 0o644)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.2.0": "1.2.0", "v1.2.0": "1.2.0", "1.2.0-rc.1": "1.2.0~rc.1", "v1.2.0-beta2+git": "1.2.0~beta2+git",
		"20261123": "20261123", "1.2.0~rc1": "1.2.0~rc1", "1.2+x": "1.2+x",
	} {
		got, err := pack.Version(text)
		assert.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for text, want := range map[string]string{
		"": "is empty", "1.2-3": "- separates", "1:2": "epoch", "rc1": "begins with a digit", "v": "begins with a digit",
		"1 2": "begins with a digit", "1_2": "begins with a digit", "1.2.0-rc-1": "- separates", "1/2": "begins with", "1\n": "begins with",
	} {
		_, err := pack.Version(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

// The same content makes the same package, in every folder and at every time.
func TestReproducible(t *testing.T) {
	t.Parallel()
	for _, format := range pack.Formats {
		var first []byte
		for range 2 {
			all, err := pack.Packages([]*pack.Host{built{Host: "a", Program: strings.Repeat("a", 1<<20)}.read(t)}, options)
			require.NoError(t, err)
			_, content, err := all[0].Linux(format, options)
			require.NoError(t, err)
			if first == nil {
				first = content
			}
			assert.True(t, string(first) == string(content), format)
			dated := options
			dated.SourceDate = 1_700_000_000
			_, other, err := all[0].Linux(format, dated)
			require.NoError(t, err)
			assert.False(t, string(first) == string(other), "%s: the date is used", format)
		}
	}
}

func TestLinuxRefusesOtherSystems(t *testing.T) {
	t.Parallel()
	all, err := pack.Packages([]*pack.Host{built{Host: "a", Program: "a", Target: "freebsd/amd64"}.read(t)}, options)
	require.NoError(t, err)
	_, _, err = all[0].Linux("deb", options)
	assert.ErrorContains(t, err, "built for freebsd/amd64, and a deb is for linux")
	_, _, err = all[0].Linux("apk", options)
	assert.Error(t, err)
}
