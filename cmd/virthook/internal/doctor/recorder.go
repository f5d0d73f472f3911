package doctor

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/virthook/virthook/cmd/virthook/internal/install"
)

// What virthook record installs.
const (
	recorderName   = "00-virthook-record"
	recorderConfig = "virthook-record.json"
)

// folderFlags have a command of virthook work in the folder that is examined.
func (e *exam) folderFlags() (flags string) {
	if e.Root != "" {
		flags += " --root " + quoted(e.Root)
	}
	if e.hooks != knownFolders[0] {
		flags += " --hooks-dir " + quoted(e.hooks)
	}
	return flags
}

// checkRecorder says that calls are recorded, and finds half a recorder.
func (e *exam) checkRecorder() {
	config := path.Join(e.hooks, recorderConfig)
	var there []string
	for _, f := range e.files {
		if f.inFolder && path.Base(f.path) == recorderName {
			there = append(there, f.driver)
		}
	}
	mend := "virthook record stop" + e.folderFlags()
	switch configured := e.exists(config); {
	case configured && len(there) > 0:
		e.add("recording", e.shown(config), mend, "virthook record stores the calls of %s", strings.Join(there, ", "))
	case configured:
		e.add("recorder-left", e.shown(config), mend, "it configures a recorder, but none is installed")
	case len(there) > 0:
		e.add("recorder-left", e.shown(path.Join(e.hooks, there[0]+".d", recorderName)), mend, "it is a recorder without its %s: it runs at each call and stores nothing", recorderConfig)
	}
}

// checkInstalled holds what virthook install has noted against what is there.
func (e *exam) checkInstalled() {
	var m install.Manifest
	manifest := path.Join(e.hooks, install.ManifestName)
	content := e.read(manifest)
	if content == nil {
		return
	}
	if err := json.Unmarshal(content, &m); err != nil || m.Version != 1 {
		e.add("install-changed", e.shown(manifest), "mv "+quoted(e.shown(manifest))+" "+quoted(e.shown(manifest)+".moved"), "it is not a list of installed hooks of version 1")
		return
	}
	for _, h := range m.Hooks {
		at := path.Join(e.hooks, h.Place)
		i := slices.IndexFunc(e.files, func(f *file) bool { return f.path == at })
		switch {
		case i < 0:
			e.add("install-changed", e.shown(at), "", "virthook install has put a hook here, and it is gone")
		case e.files[i].sum != h.SHA256:
			e.add("install-changed", e.shown(at), "", "virthook install has put a hook here, and now there is another file")
		}
	}
}
