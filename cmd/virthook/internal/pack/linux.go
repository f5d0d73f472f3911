package pack

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// Formats are those of [Package.Linux].
var Formats = []string{"deb", "rpm"}

// defaultDate stands in files where there is no SOURCE_DATE_EPOCH: a fixed one, so that
// the same build makes the same package. The year is the first that every tool takes.
const defaultDate = 315532800 // 1980-01-01

// Linux makes the package and says what its file is to be called. The same host's
// folder and options make the same bytes.
func (p *Package) Linux(format string, o Options) (name string, content []byte, err error) {
	if p.host.System != "linux" {
		return "", nil, fmt.Errorf("%s: built for %s/%s, and a %s is for linux", p.host.Dir, p.host.System, p.host.Arch, format)
	}
	work, err := os.MkdirTemp("", "virthook-package-*")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(work)
	scripts, err := p.scripts()
	if err != nil {
		return "", nil, err
	}
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o755); err != nil {
			return "", nil, err
		}
	}
	date := time.Unix(cmp.Or(o.SourceDate, defaultDate), 0).UTC()
	info := &nfpm.Info{
		Name: p.Name, Version: p.Version, VersionSchema: "none",
		Arch: arch(p.host.Arch), Platform: "linux",
		Section: "admin", Priority: "optional",
		Maintainer:  o.Maintainer,
		Description: p.description(),
		License:     o.License,
		MTime:       date,
		Overridables: nfpm.Overridables{
			// Another package of this hook has the same places: a host has one of them.
			Provides:  []string{p.family},
			Conflicts: []string{p.family},
			Scripts: nfpm.Scripts{
				PreInstall:  filepath.Join(work, "preinst"),
				PostInstall: filepath.Join(work, "postinst"),
				PreRemove:   filepath.Join(work, "prerm"),
			},
			RPM: nfpm.RPM{BuildHost: "localhost", Group: "System Environment/Base", Summary: p.summary()},
		},
	}
	add := func(source, to string, mode os.FileMode) {
		info.Contents = append(info.Contents, &files.Content{
			Source: source, Destination: to,
			FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: date},
		})
	}
	add(p.host.program(), p.payload(), 0o755)
	if p.host.sbom != "" {
		add(p.host.sbom, path.Join("/usr/share/doc", p.Name, sbomFile), 0o644)
	}
	var packager nfpm.Packager
	switch format {
	case "deb":
		packager = deb.Default
	case "rpm":
		info.Depends = []string{"/bin/sh", "coreutils"} // to be there before the scripts run
		// Empty folders stay otherwise.
		for _, folder := range []string{path.Dir(p.folder()), p.folder(), path.Join("/usr/share/doc", p.Name)} {
			info.Contents = append(info.Contents, &files.Content{
				Destination: folder, Type: files.TypeDir,
				FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: 0o755, MTime: date},
			})
		}
		packager = rpm.DefaultRPM
	default:
		return "", nil, fmt.Errorf("no format %q: one of %s", format, strings.Join(Formats, ", "))
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return "", nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	name = packager.ConventionalFileName(info)
	var b bytes.Buffer
	if err := packager.Package(info, &b); err != nil {
		return "", nil, fmt.Errorf("%s: %w", name, err)
	}
	return name, b.Bytes(), nil
}

// arch is GOARCH in the words of nfpm, which knows Debian's and Red Hat's.
func arch(goarch string) string {
	if goarch == "arm" {
		return "arm7" // what Go compiles for without GOARM
	}
	return goarch
}

// Arch is the GOARCH of the hosts.
func (p *Package) Arch() string { return p.host.Arch }

func (p *Package) summary() string { return "hooks of libvirt: " + p.host.Program }

func (p *Package) description() string {
	return fmt.Sprintf("%s\nHook of %s, put into DRIVER.d of %s by copy.\nFor hosts of: %s.",
		p.summary(), strings.Join(p.host.Drivers, ", "), p.hooksDir, strings.Join(p.host.Sets, ", "))
}
