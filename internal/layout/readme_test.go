package layout_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first hook of the README does what the README says, command by command.
func TestReadmeFirstHook(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)

	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Symlink(root, filepath.Join(dir, "virthook")))
	hook := filepath.Join(dir, "no-strangers")
	run := func(dir, script string) (string, error) {
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod", "GOWORK=off", "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}

	blocks := regexp.MustCompile("(?s)```(go|sh)\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 6, "the README's blocks are: a look, demo, set up, main.go, main_test.go, test and fire")
	setUp, program, test, fire := string(blocks[2][2]), blocks[3][2], blocks[4][2], string(blocks[5][2])

	out, err := run(dir, setUp)
	require.NoError(t, err, out)
	require.NoError(t, os.WriteFile(filepath.Join(hook, "main.go"), program, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(hook, "main_test.go"), test, 0o644))

	commands := regexp.MustCompile(`(?m)^[^#\n]+`).FindAllString(fire, -1)
	require.Len(t, commands, 5)
	for i, command := range commands {
		out, err := run(hook, command)
		if i == 3 { // the one that is refused
			assert.Error(t, err, out)
			assert.Contains(t, out, "g1 is no production guest")
			continue
		}
		require.NoError(t, err, "%s\n%s", command, out)
	}
}
