package libvirtd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// StartPair starts two daemons between which guests migrate, with the same disks,
// as two hosts would be with shared storage. The options hold for both; what only
// one of them is to have is installed afterwards. It needs root.
func StartPair(t testing.TB, opts ...Option) (source, destination *Daemon) {
	t.Helper()
	shared, err := os.MkdirTemp("", "virthook") // short: sockets live in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(shared); err != nil {
			t.Error(err)
		}
	})
	start := func(name string) *Daemon {
		t.Helper()
		if err := os.Mkdir(filepath.Join(shared, name), 0o700); err != nil {
			t.Fatal(err)
		}
		return Start(t, append(opts[:len(opts):len(opts)], Name(name), func(s *settings) { s.shared = shared })...)
	}
	return start("source"), start("destination")
}

// socketFolder is where the sockets of a daemon of a pair are, which the other one
// connects to; "" for one that is alone.
func (d *Daemon) socketFolder() string {
	if d.shared == "" {
		return ""
	}
	return filepath.Join(d.shared, d.config.Name)
}

// Migrate migrates the guest live to the other daemon of the pair and returns
// libvirt's refusal.
func (g *Guest) Migrate(to *Daemon) (string, error) {
	uri := strings.Replace(to.URI("qemu"), "qemu:", "qemu+unix:", 1)
	stream := filepath.Join(g.d.shared, "migration")
	if err := os.RemoveAll(stream); err != nil {
		return "", err
	}
	return g.virsh("migrate", "--live", "--p2p", "--unsafe", g.Name, uri, "--migrateuri", "unix://"+stream)
}

// On is the same guest as another daemon has it.
func (g *Guest) On(d *Daemon) *Guest {
	other := *g
	other.d, other.uri = d, d.URI("qemu")
	return &other
}
