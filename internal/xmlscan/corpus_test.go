package xmlscan

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
)

// recorded returns the documents of the project's own captures.
func recorded() map[string][]byte {
	docs := map[string][]byte{}
	for _, c := range captures.All() {
		if c.XML != nil {
			docs[c.Version+"/"+c.Name] = c.XML
		}
	}
	return docs
}

// corpus returns all *.xml of the folder that VIRTHOOK_CORPUS names, such as
// libvirt's tests.
func corpus(t *testing.T) map[string][]byte {
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		t.Skip("VIRTHOOK_CORPUS names no folder with XML of libvirt")
	}
	docs := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		docs[strings.TrimPrefix(path, dir+"/")], err = os.ReadFile(path)
		return err
	}))
	require.NotEmpty(t, docs)
	return docs
}

func TestRecorded(t *testing.T) {
	docs := recorded()
	require.NotEmpty(t, docs)
	for name, src := range docs {
		_, err := scan(t, string(src))
		require.NoError(t, err, name)
		requireSameAsStdlib(t, src)
	}
}

// The files of libvirt's tests that are not XML, by design or for being several
// documents in one.
var notXML = map[string]string{
	"mdevctl-list-empty-array.out.xml": "line 1, column 1: document is empty",
	"mdevctl-list-empty.out.xml":       "line 1, column 1: document is empty",
	"mdevctl-list-multiple.out.xml":    "line 11, column 1: second root element <device>",
	"broken-xml-invalid.xml":           "line 1, column 1: tag <dom> is not closed",
}

func TestCorpus(t *testing.T) {
	docs := corpus(t)
	for name, src := range docs {
		_, err := scan(t, string(src))
		if want, ok := notXML[filepath.Base(name)]; ok {
			assert.EqualError(t, err, want, name)
			continue
		}
		if assert.NoError(t, err, name) {
			requireSameAsStdlib(t, src)
		}
	}
	t.Logf("%d documents", len(docs))
}
