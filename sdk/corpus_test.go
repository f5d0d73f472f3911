package sdk_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk"
)

// corpus yields the XML files of libvirt's own test suite below the folder that
// VIRTHOOK_CORPUS names, with their root elements.
func corpus(t *testing.T, f func(name, root string, content []byte)) {
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		t.Skip("VIRTHOOK_CORPUS is not set: name a folder with the XML of libvirt's tests, such as tests/ of its source")
	}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".xml" {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f(name, rootOf(content), content)
		return nil
	}))
}

func rootOf(content []byte) string {
	for d := xml.NewDecoder(bytes.NewReader(content)); ; {
		switch tok, err := d.Token(); e := tok.(type) {
		case xml.StartElement:
			return e.Name.Local
		default:
			if err != nil {
				return ""
			}
		}
	}
}

// Each domain of libvirt's own tests reaches the handlers of every driver as
// libvirtxml decodes it, and a filter that changes nothing writes nothing. What
// libvirtxml cannot decode is refused in one line.
func TestCorpusDomains(t *testing.T) {
	total, refused := 0, 0
	corpus(t, func(name, root string, content []byte) {
		if root != "domain" {
			return
		}
		total++
		var want libvirtxml.Domain
		decodes := want.Unmarshal(string(content)) == nil
		for _, argv := range [][]string{
			{"hooks/qemu", "g", "migrate", "begin", "-"},
			{"hooks/libxl", "g", "prepare", "begin", "-"},
			{"hooks/bhyve", "g", "start", "begin", "-"},
			{"hooks/qemu", "g", "attach", "begin", "-"},
		} {
			var stdout, stderr bytes.Buffer
			var got *libvirtxml.Domain
			status := sdk.Run(context.Background(), argv, bytes.NewReader(content), &stdout, &stderr,
				sdk.OnDomain(func(_ context.Context, e sdk.DomainEvent) error { got = e.Guest(); return nil }))
			assert.Empty(t, stdout.String(), name)
			if decodes {
				assert.Zero(t, status, "%s: %s", name, &stderr)
				assert.Equal(t, &want, got, name)
			} else {
				refused++
				assert.Equal(t, 1, status, name)
				assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), name)
				assert.Nil(t, got, name)
			}
		}
	})
	require.Greater(t, total, 500, "the folder is not what it should be")
	t.Logf("%d domains, %d calls with what libvirtxml cannot decode", total, refused)
}

// So does each network, wrapped as libvirt wraps it.
func TestCorpusNetworks(t *testing.T) {
	total := 0
	corpus(t, func(name, root string, content []byte) {
		if root != "network" {
			return
		}
		var want libvirtxml.Network
		if want.Unmarshal(string(content)) != nil {
			return
		}
		total++
		input := "<hookData>\n" + string(content) + "<networkport><uuid>u</uuid></networkport></hookData>"
		if i := strings.Index(string(content), "?>"); i >= 0 {
			input = "<hookData>\n" + string(content[i+2:]) + "<networkport><uuid>u</uuid></networkport></hookData>"
		}
		var stdout, stderr bytes.Buffer
		var got *libvirtxml.Network
		status := sdk.Run(context.Background(), []string{"hooks/network", "n", "port-created", "begin", "-"}, strings.NewReader(input), &stdout, &stderr,
			sdk.OnNetworkPortCreatedBegin(func(n *libvirtxml.Network, p *libvirtxml.NetworkPort) error {
				got = n
				assert.Equal(t, "u", p.UUID)
				return nil
			}))
		assert.Zero(t, status, "%s: %s", name, &stderr)
		assert.Equal(t, &want, got, name)
	})
	require.Greater(t, total, 40, "the folder is not what it should be")
	t.Logf("%d networks", total)
}
