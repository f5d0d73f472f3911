package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/spec"
)

// Xen, FreeBSD and libvirt before 5.5 are out of the integration tests' reach. Their
// operations are fired with the XML of libvirt's own tests.
func TestFireOnLibvirtsOwnXML(t *testing.T) {
	corpus := os.Getenv("VIRTHOOK_CORPUS")
	if corpus == "" {
		t.Skip("VIRTHOOK_CORPUS names no folder with the XML of libvirt's tests")
	}
	hook := filepath.Join(t.TempDir(), "teller")
	build := exec.Command("go", "build", "-o", hook, "./testdata/teller")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	s, err := spec.Builtin()
	require.NoError(t, err)
	for _, driver := range s.Drivers {
		for _, op := range driver.Ops {
			if driver.Name != "libxl" && driver.Name != "bhyve" && op.Op != "attach" {
				continue
			}
			t.Run(driver.Name+"/"+op.Op, func(t *testing.T) {
				t.Parallel()
				fired := 0
				for _, file := range domainsOf(t, corpus, driver.Name) {
					var d libvirtxml.Domain
					content, err := os.ReadFile(file)
					require.NoError(t, err)
					if d.Unmarshal(string(content)) != nil {
						continue // no oracle
					}
					disks, interfaces := 0, 0
					if d.Devices != nil {
						disks, interfaces = len(d.Devices.Disks), len(d.Devices.Interfaces)
					}
					want := fmt.Sprintf("%s/%s/%s: %s %q, %d disks, %d interfaces\n", driver.Name, op.Op, op.SubOp, d.Type, d.Name, disks, interfaces)

					var stdout, stderr bytes.Buffer
					run(t.Context(), []string{"fire", driver.Name, op.Op, "--bin", hook, "--xml", file, "--json"}, nil, &stdout, &stderr)
					var report struct {
						Calls []struct {
							Status         int
							Stdout, Stderr string
						}
					}
					require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), "%s: %s", file, &stderr)
					require.Len(t, report.Calls, 1)
					assert.Equal(t, 1, report.Calls[0].Status, file)
					assert.Empty(t, report.Calls[0].Stdout, file)
					assert.Equal(t, want, report.Calls[0].Stderr, file)
					fired++
				}
				assert.Positive(t, fired)
				t.Logf("%d domains", fired)
			})
		}
	}
}

// folders are those of libvirt's tests with a driver's domains, by their beginning.
var folders = map[string]*regexp.Regexp{
	"libxl": regexp.MustCompile("^(libxl|xlconfig|xmconfig)"),
	"bhyve": regexp.MustCompile("^bhyve"),
	"qemu":  regexp.MustCompile("^qemuxml"),
}

// domainsOf are the domains of libvirt's tests of one driver; of qemu every tenth.
func domainsOf(t *testing.T, corpus, driver string) (files []string) {
	t.Helper()
	every := 1
	if driver == "qemu" {
		every = 10
	}
	n := 0
	err := filepath.WalkDir(corpus, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".xml" {
			return err
		}
		// The corpus may be libvirt's tests folder or a flat copy with the folder in the name.
		rel, err := filepath.Rel(corpus, path)
		rel = strings.TrimPrefix(rel, "domain/")
		if !folders[driver].MatchString(rel) {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte("<domain ")) {
			if n%every == 0 {
				files = append(files, path)
			}
			n++
		}
		return err
	})
	require.NoError(t, err)
	return files
}
