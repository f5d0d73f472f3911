package fleet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/virthook/virthook/spec"
)

const (
	hooksFolder  = "hooks"
	manifestFile = "manifest.json"
	oldSuffix    = ".old" // of a folder that is being replaced
)

// manifest says what is in a host's folder.
type manifest struct {
	Version    int          `json:"version"`
	Host       string       `json:"host"`
	Target     string       `json:"target"`
	Libvirt    spec.Version `json:"libvirt,omitempty"`
	Drivers    []string     `json:"drivers"`
	Sets       []string     `json:"sets"`
	Packages   []string     `json:"packages"` // import paths, in the order in which they run
	Main       string       `json:"main_sha256"`
	Build      string       `json:"build"`
	Go         string       `json:"go"`
	SDK        string       `json:"sdk"`
	LibvirtXML string       `json:"libvirtxml"`
	Handles    []handled    `json:"handles"`
	Any        bool         `json:"any"`
	Files      []file       `json:"files"`
}

// content is what the folders of an entry's hosts have.
type content struct {
	manifest
	build *build
}

func (p *planner) content(pl *plan) content {
	b, e := pl.build, pl.entry
	sum := sha256.Sum256(b.source)
	c := content{build: b, manifest: manifest{
		Version: 1, Target: b.target, Libvirt: e.Libvirt, Drivers: e.drivers(), Sets: e.Sets.values(),
		Main: hex.EncodeToString(sum[:]), Build: b.key,
		Go: b.Go, SDK: b.Describes.SDK, LibvirtXML: b.Describes.LibvirtXML,
		Handles: p.handles(pl), Any: b.Describes.Any,
		Files: []file{b.Program},
	}}
	for _, pkg := range pl.packages {
		c.Packages = append(c.Packages, pkg.path)
	}
	for _, d := range b.links(e) {
		hook := b.Program
		hook.Path = path.Join(hooksFolder, d+".d", "50-"+b.Program.Path)
		c.Files = append(c.Files, hook)
	}
	c.Files = append(c.Files, b.SBOM)
	return c
}

// in is where the store has the file.
func (c *content) in(f file) string {
	if f.Path == c.build.SBOM.Path {
		return filepath.Join(c.build.dir, f.Path)
	}
	return filepath.Join(c.build.dir, c.build.Program.Path)
}

// write makes the host's folder, or leaves it alone when it is as it should be.
func (c content) write(out, host string) (written bool, err error) {
	c.Host = host
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c.manifest); err != nil {
		return false, err
	}
	dir := filepath.Join(out, host)
	if c.upToDate(dir, b.Bytes()) {
		return false, nil
	}
	if _, ok := ours(dir); !ok {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("%s: virthook build has not made this, so it does not replace it", dir)
		}
	}
	fresh, err := os.MkdirTemp(out, newPrefix)
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil {
		return false, err
	}
	for _, f := range c.Files {
		to := filepath.Join(fresh, filepath.FromSlash(f.Path))
		if err := makeFolders(fresh, path.Dir(f.Path)); err != nil {
			return false, err
		}
		if err := linkOrCopy(c.in(f), to); err != nil {
			return false, err
		}
	}
	if err := writeFile(filepath.Join(fresh, manifestFile), b.Bytes()); err != nil {
		return false, err
	}
	return true, ReplaceFolder(fresh, dir)
}

// makeFolders makes those on the way from dir, for all to read whatever the umask is.
func makeFolders(dir, name string) error {
	if name == "." {
		return nil
	}
	if err := makeFolders(dir, path.Dir(name)); err != nil {
		return err
	}
	dir = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// writeFile writes a file for all to read, whatever the umask is.
func writeFile(name string, content []byte) error {
	if err := os.WriteFile(name, content, 0o644); err != nil {
		return err
	}
	return os.Chmod(name, 0o644)
}

// linkOrCopy makes a hard link, and a copy where there can be none.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, in); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// ReplaceFolder puts one folder into the place of another. No file of the old one is ever
// seen beside one of the new; for a moment there is neither. When it fails the old one is
// back.
func ReplaceFolder(fresh, dir string) error {
	old := fresh + oldSuffix
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	had := err == nil
	if err := os.Rename(fresh, dir); err != nil {
		if had {
			return errors.Join(err, os.Rename(old, dir))
		}
		return err
	}
	return os.RemoveAll(old)
}

// upToDate says whether the folder has these files, as they should be, and no others.
func (c *content) upToDate(dir string, manifest []byte) bool {
	have, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil || !bytes.Equal(have, manifest) {
		return false
	}
	want := []string{manifestFile}
	for _, f := range c.Files {
		want = append(want, f.Path)
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || fmt.Sprintf("%04o", info.Mode().Perm()) != f.Mode {
			return false
		}
		stored, err := os.Lstat(c.in(f))
		if err != nil || !os.SameFile(info, stored) && !f.isIn(dir) {
			return false
		}
	}
	var found []string
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, name)
		}
		return err
	})
	slices.Sort(want)
	slices.Sort(found)
	return err == nil && slices.Equal(want, found)
}

// ours reads the host's name from a folder's manifest.
func ours(dir string) (host string, ok bool) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return "", false
	}
	var m struct {
		Version int    `json:"version"`
		Host    string `json:"host"`
		Build   string `json:"build"`
	}
	if json.Unmarshal(data, &m) != nil || m.Version == 0 || m.Build == "" || m.Host != filepath.Base(dir) {
		return "", false
	}
	return m.Host, true
}

// stale are the hosts in the output that the fleet has no more.
func (f *Fleet) stale(out string) ([]string, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return nil, err
	}
	var hosts []string
	for _, e := range entries {
		if host, ok := ours(filepath.Join(out, e.Name())); ok && e.IsDir() && !f.Has(host) {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

// removeLeftovers removes what a run left behind that was killed. Where it was about to
// replace a host's folder, the old one is put back.
func removeLeftovers(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), newPrefix) {
			continue
		}
		dir := filepath.Join(out, e.Name())
		var m manifest
		data, err := os.ReadFile(filepath.Join(dir, manifestFile))
		if filepath.Ext(dir) == oldSuffix && err == nil && json.Unmarshal(data, &m) == nil && hostName.MatchString(m.Host) {
			if host := filepath.Join(out, m.Host); !exists(host) {
				if err := os.Rename(dir, host); err != nil {
					return err
				}
				continue
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
