package scenario_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/scenario"
	"github.com/virthook/virthook/internal/lifecycle"
)

// TestBuiltin: each loads, bears its file's name and says in a line what it is about.
func TestBuiltin(t *testing.T) {
	assert.Len(t, scenario.Names(), 10)
	for _, name := range scenario.Names() {
		s, err := scenario.Load(name)
		require.NoError(t, err)
		assert.Equal(t, name, s.Name)
		assert.NotEmpty(t, s.Summary)
	}
	all, err := scenario.Summaries()
	require.NoError(t, err)
	assert.Contains(t, all, [2]string{"boot", "a guest is started and switches itself off"})
}

// The actions in docs/testing.md are the spec's.
func TestActionsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/testing.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(doc), "| action | done to | what happens |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, of := range [][2]string{{"qemu", "guest"}, {"network", "network"}, {"daemon", "daemon"}} {
		for _, a := range lifecycle.Actions(of[0]) {
			if a.Name != "reconnect" { // part of the daemon's restart
				want = append(want, fmt.Sprintf("| `%s` | %s | %s |", a.Name, of[1], a.Summary))
			}
		}
	}
	assert.Equal(t, strings.Join(want, "\n"), strings.TrimSpace(table))
}

func write(t *testing.T, name, content string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func TestLoad(t *testing.T) {
	path := write(t, "mine.yaml", `scenario: mine
libvirt: "9.0"
guests:
  - {name: web, count: 2, networks: [lan]}
  - {name: box, driver: lxc}
steps:
  - daemon-start
  - start: web
  - start: [box]
  - {destroy: [web-1, box], expect: refused}
  - daemon-reload:
`)
	s, err := scenario.Load(path)
	require.NoError(t, err)
	assert.Equal(t, "9.0.0", s.Libvirt)
	var steps []string
	for _, st := range s.Steps {
		steps = append(steps, st.Name()+" "+st.Expect)
	}
	assert.Equal(t, []string{"daemon-start ", "start web-1, web-2 ", "start box ", "destroy web-1, box refused", "daemon-reload "}, steps)
	assert.NotEqual(t, s.Guests[0].UUID, s.Guests[1].UUID)
	assert.Equal(t, []string{"lan"}, s.Guests[1].Networks)
}

func TestXMLBesideTheScenario(t *testing.T) {
	path := write(t, "mine.yaml", "scenario: mine\nguests:\n  - {name: web, xml: web.xml}\nsteps: [start: web]\n")
	xml := filepath.Join(filepath.Dir(path), "web.xml")
	require.NoError(t, os.WriteFile(xml, []byte("<domain type='kvm'><name>old</name></domain>"), 0o644))
	s, err := scenario.Load(path)
	require.NoError(t, err)
	assert.Equal(t, "<domain type='kvm'><name>web</name></domain>", string(s.Guests[0].XML))

	require.NoError(t, os.Remove(xml))
	_, err = scenario.Load(path)
	assert.ErrorContains(t, err, `mine.yaml:3: guest "web": open `)
}

func TestMistakes(t *testing.T) {
	const head = "scenario: mine\nguests: [{name: web}]\n"
	for _, x := range []struct{ content, want string }{
		{"", "mine.yaml: the file is empty"},
		{"steps: [daemon-stop]\n", "mine.yaml:1: scenario is missing: it is the name"},
		{head, "mine.yaml:1: there are no steps"},
		{head + "stops: []\n", `mine.yaml:3: unknown key "stops"`},
		{head + "steps:\n  - start: web\n  - fly: web\n", `mine.yaml:5: fly web: there is no action "fly"`},
		{head + "steps:\n  - start: db\n", `mine.yaml:4: start db: there is no guest "db"`},
		{head + "steps:\n  - {start: web, stop: web}\n", "mine.yaml:4: a step has one action, not start and stop"},
		{head + "steps:\n  - {expect: refused}\n", "mine.yaml:4: a step without an action"},
		{head + "steps:\n  - [start, web]\n", "mine.yaml:4: a step is an action, or an action and to what it is done"},
		{head + "steps:\n  - {start: {web: yes}}\n", "mine.yaml:4: start: to what it is done is a name or a list of names"},
		{head + "steps:\n  - {start: web, expect: joy}\n", `mine.yaml:4: start web: expect "joy" is nothing that libvirt does`},
		{head + "libvirt: \"9\"\nsteps: [daemon-stop]\n", `mine.yaml:3: libvirt: "9" is not a version of libvirt such as 11.3.0`},
		{"scenario: mine\nguests:\n  - {name: web, count: -1}\nsteps: [daemon-stop]\n", `mine.yaml:3: guest "web": count is -1, not 1 to 10000`},
		{"scenario: mine\nguests:\n  - {name: web, colour: red}\nsteps: [daemon-stop]\n", `mine.yaml:3: unknown key "colour"`},
		{"scenario: mine\nguests:\n  - {name: web, driver: vbox}\nsteps: [daemon-stop]\n", `mine.yaml:3: guest "web": driver "vbox" has no guests`},
		{"scenario: mine\nguests:\n  - {name: a, count: 2}\n  - {name: a-1}\nsteps: [daemon-stop]\n", `mine.yaml:4: guest "a-1": it is there twice`},
		{head + "steps:\n  - {net-start: \"\"}\n", "mine.yaml:4: net-start : to what is missing"},
		{"scenario: a\nscenario: b\n", `mine.yaml:2: mapping key "scenario" already defined at line 1`},
	} {
		path := write(t, "mine.yaml", x.content)
		_, err := scenario.Load(path)
		if assert.Error(t, err, x.content) {
			assert.Equal(t, filepath.Dir(path)+"/"+x.want, err.Error(), x.content)
		}
	}
	_, err := scenario.Load("nothing")
	assert.EqualError(t, err, `no scenario "nothing": it is one of boot, container, crash, daemon-restart, destroy, failed-start, migrate, network, rush, save-restore, or a file`)
	_, err = scenario.Load("./nothing.yaml")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
