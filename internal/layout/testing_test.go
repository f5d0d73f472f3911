package layout_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// docs/testing.md does what it says, command by command, and shows what is printed.
func TestTutorial(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	doc, err := os.ReadFile(filepath.Join(root, "docs", "testing.md"))
	require.NoError(t, err)
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Symlink(root, filepath.Join(dir, "virthook")))
	goCommand(t, []string{"GOBIN=" + bin}, "install", "./cmd/virthook")

	var printed string
	shown := 0
	at := dir
	run := func(script string) string {
		if folder := regexp.MustCompile(`^mkdir (\w+) && cd \w+\n`).FindStringSubmatch(script); folder != nil {
			at = filepath.Join(dir, folder[1])
			require.NoError(t, os.Mkdir(at, 0o755))
			script = script[len(folder[0]):]
		}
		cmd := exec.Command("sh", "-uc", script)
		cmd.Dir = at
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "PATH="+bin+":"+os.Getenv("PATH"), "HOME=/root", "GOPATH="+goCommand(t, nil, "env", "GOPATH"), "GOCACHE="+goCommand(t, nil, "env", "GOCACHE"))
		out, _ := cmd.CombinedOutput() // some are to fail: what they print says so
		return string(out)
	}
	blocks := regexp.MustCompile("(?s)(.*?)```(\\w+)\n(.*?)```")
	for _, m := range blocks.FindAllStringSubmatch(string(doc), -1) {
		before, language, content := m[1], m[2], m[3]
		switch language {
		case "sh":
			printed = run(content)
		case "text":
			shown++
			assert.Equal(t, sameEverywhere(content), sameEverywhere(printed))
		default:
			names := regexp.MustCompile("`(\\w+\\.(?:go|yaml|xml))`").FindAllStringSubmatch(before, -1)
			require.NotEmpty(t, names, "a file without a name: %s", content)
			require.NoError(t, os.WriteFile(filepath.Join(at, names[len(names)-1][1]), []byte(content), 0o644))
		}
	}
	assert.Equal(t, 4, shown)
}

// sameEverywhere takes out of an output what differs between machines and runs.
func sameEverywhere(output string) string {
	for _, r := range [][2]string{
		{`(?m)^go: .*\n`, ""},                      // what go mod tidy finds and downloads
		{`(LC_ALL=C )(?:[A-Z_]+=\S+ )+`, "${1}… "}, // libvirt's, and here the user's
		{`\S*/virthook-\d+/`, "/tmp/virthook-1/"},  // temporary folders
		{` *\b\d+(\.\d+)? ?(µs|ms|s)\b`, " 1 s"},   // times
		{`slowest \S+ of`, "slowest … of"},         // and what follows from them
	} {
		output = regexp.MustCompile(r[0]).ReplaceAllString(output, r[1])
	}
	return strings.TrimSpace(output)
}
