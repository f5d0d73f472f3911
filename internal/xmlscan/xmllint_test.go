package xmlscan

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// libxmlDeviation is something that libxml2 accepts and the scanner does not.
type libxmlDeviation struct {
	says, because string // part of the scanner's error, and why
	after         bool   // only after the root element
	example       string
}

// There is nothing that the scanner accepts and libxml2 does not.
var libxmlAccepts = []libxmlDeviation{
	{"DOCTYPE is refused", "libvirt writes none, and what one may declare is unbounded", false,
		"<!DOCTYPE a><a/>"},
	{"encoding \"", "libxml2 converts what libvirt never writes", false,
		"<?xml version='1.0' encoding='ISO-8859-1'?><a/>"},
	{"a second \":\" in a name", "only a namespace error there, but the name means nothing", false,
		"<a:b:c/>"},
	{"XML version \"1.\" is not supported", "a version without its last digits", false,
		"<?xml version='1.'?><a/>"},
	{"character U+0000 is not allowed", "libxml2 takes it for the end", true,
		"<a/>\x00"},
	{"in a document declared US-ASCII", "libxml2 takes it for the end", true,
		"<?xml version='1.0' encoding='us-ascii'?><a/>\uFEFF"},
	{"elements nest deeper than 256", "libxml2 stops one element later", false,
		strings.Repeat("<x>", MaxDepth+1) + strings.Repeat("</x>", MaxDepth+1)},
}

// deviation returns the entry of the list for a document, -1 if there is none.
func deviation(src []byte, err error) int {
	return slices.IndexFunc(libxmlAccepts, func(d libxmlDeviation) bool {
		return strings.Contains(err.Error(), d.says) && (!d.after || afterRoot(src))
	})
}

// afterRoot says whether the error in src is after the root element.
func afterRoot(src []byte) bool {
	var s Scanner
	s.Reset(src)
	for {
		if kind, err := s.Next(); err != nil || kind == EOF {
			return s.rooted && s.Depth() == 0
		}
	}
}

// libxml2 says what is well-formed: that is who reads what a hook gives to libvirt.
func TestXmllint(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("xmllint is not installed")
	}
	docs := corpus(t)
	maps.Copy(docs, recorded())
	// Small documents say as much, and have more of their bytes changed.
	maps.DeleteFunc(docs, func(_ string, src []byte) bool { return len(src) == 0 || len(src) > 16<<10 })
	names := slices.Sorted(maps.Keys(docs))

	const seed, mutations, batch = 3, 6000, 300
	r := rand.New(rand.NewPCG(seed, seed))
	// The limit of both, and what is beyond both.
	all := [][]byte{
		[]byte(strings.Repeat("<x>", MaxDepth) + strings.Repeat("</x>", MaxDepth)),
		[]byte(strings.Repeat("<x>", MaxDepth+2) + strings.Repeat("</x>", MaxDepth+2)),
	}
	for _, d := range libxmlAccepts {
		all = append(all, []byte(d.example))
	}
	for range mutations {
		all = append(all, mutate(r, docs[names[r.IntN(len(names))]]))
	}

	var both, neither int
	deviations := map[string]int{}
	dir := t.TempDir()
	for part := range slices.Chunk(all, batch) {
		wellFormed := xmllint(t, dir, part)
		for i, src := range part {
			_, err := scan(t, string(src))
			switch {
			case err == nil && wellFormed[i]:
				both++
			case err != nil && !wellFormed[i]:
				neither++
			case err == nil:
				assert.Fail(t, "accepted, but not by libxml2", "%q", src)
			default:
				known := deviation(src, err)
				if known < 0 {
					assert.Fail(t, "refused, but not by libxml2", "%v\n%q", err, src)
					continue
				}
				deviations[libxmlAccepts[known].says]++
			}
		}
	}
	for _, d := range libxmlAccepts {
		assert.NotZero(t, deviations[d.says], "not needed in the list of deviations: %s", d.says)
	}
	t.Logf("%d documents, %d well-formed and %d malformed to both, deviations: %v", len(all), both, neither, deviations)
}

// xmllint says which documents are well-formed. Namespace errors and warnings do
// not make one malformed.
func xmllint(t *testing.T, dir string, docs [][]byte) []bool {
	args := []string{"--noout", "--nonet"}
	for i, src := range docs {
		path := filepath.Join(dir, strconv.Itoa(i)+".xml")
		require.NoError(t, os.WriteFile(path, src, 0o600))
		args = append(args, path)
	}
	output, err := exec.Command("xmllint", args...).CombinedOutput()
	wellFormed := make([]bool, len(docs))
	refused := 0
	for i := range docs {
		// The lines are FILE:LINE: parser error : …; an excerpt of the document
		// follows, which cannot pass for another file's line.
		wellFormed[i] = !hasParserError(output, filepath.Join(dir, strconv.Itoa(i)+".xml"))
		if !wellFormed[i] {
			refused++
		}
	}
	require.Equal(t, refused > 0, err != nil, "xmllint's status and what it says differ")
	return wellFormed
}

func hasParserError(output []byte, path string) bool {
	prefix := []byte(path + ":")
	for line := range bytes.Lines(output) {
		if rest, ok := bytes.CutPrefix(line, prefix); ok && bytes.Contains(rest, []byte(": parser error :")) {
			return true
		}
	}
	return false
}
