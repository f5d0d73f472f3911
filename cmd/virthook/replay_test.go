package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/scenario"
)

// Every scenario that is built in goes through with every example.
func TestExamplesLiveThroughAll(t *testing.T) {
	dir := t.TempDir()
	rules, err := filepath.Abs("../../examples/relocate-disks/testdata/rules.json")
	require.NoError(t, err)
	build := exec.Command("go", "build", "-ldflags", "-X main.rulesFile="+rules, "-o", dir+"/", "./examples/...")
	build.Dir = "../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	examples, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, name := range scenario.Names() {
		for _, example := range examples {
			t.Run(name+"/"+example.Name(), func(t *testing.T) {
				t.Parallel()
				var stdout, stderr bytes.Buffer
				status := run(t.Context(), []string{"replay", name, "--bin", filepath.Join(dir, example.Name()), "--timeout", "0"}, nil, &stdout, &stderr)
				assert.Zero(t, status, "%s%s", stdout.String(), stderr.String())
				assert.Contains(t, stdout.String(), " 0 failures, ")
			})
		}
	}
}
