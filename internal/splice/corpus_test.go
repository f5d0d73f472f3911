package splice

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
)

// document is one of libvirt's.
type document struct {
	name string
	src  []byte
}

// recorded returns the documents of the project's own captures with a root of a name.
func recorded(root string) (docs []document) {
	for _, c := range captures.All() {
		if c.XML != nil && rootOf(c.XML) == root {
			docs = append(docs, document{c.Version + "/" + c.Name, c.XML})
		}
	}
	return docs
}

// documents returns the captures and, where VIRTHOOK_CORPUS names a folder, all
// distinct documents in it.
func documents(t testing.TB, root string) []document {
	docs := recorded(root)
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		t.Log("VIRTHOOK_CORPUS names no folder with XML of libvirt: the project's captures only")
		return docs
	}
	seen := map[string]bool{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" || e.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err == nil && rootOf(src) == root && !seen[string(src)] {
			seen[string(src)] = true
			docs = append(docs, document{strings.TrimPrefix(path, dir+"/"), src})
		}
		return err
	}))
	sort.Slice(docs, func(i, j int) bool { return docs[i].name < docs[j].name })
	return docs
}

func rootOf(src []byte) string {
	t, err := parse(src)
	if err != nil || bytes.Contains(src, []byte("<!DOCTYPE")) {
		return ""
	}
	return string(t.root.name())
}
