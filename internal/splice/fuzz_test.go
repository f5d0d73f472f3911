package splice

import (
	"encoding/xml"
	"reflect"
	"testing"
)

// FuzzEdits makes edits given by a seed, of any of the documents.
func FuzzEdits(f *testing.F) {
	var docs []document
	for _, root := range []string{"domain", "network", "networkport"} {
		docs = append(docs, documents(f, root)...)
	}
	for i := range uint64(20) {
		f.Add(uint16(i*37), i)
	}
	f.Fuzz(func(t *testing.T, which uint16, seed uint64) {
		doc := docs[int(which)%len(docs)]
		m, _, wrong, ok := tryMutation(kinds[rootOf(doc.src)], doc.src, seed)
		if ok && wrong != "" {
			t.Fatalf("%s: %s: %s", doc.name, m.what, wrong)
		}
	})
}

// FuzzBytes has three documents that need not have anything to do with each other.
func FuzzBytes(f *testing.F) {
	for i, doc := range recorded("domain") {
		if v, ok := decode(doc.src); ok && i%7 == 0 {
			before, _ := xml.MarshalIndent(v, "", "  ")
			mutate(rng(uint64(i)), reflect.ValueOf(v))
			after, _ := xml.MarshalIndent(v, "", "  ")
			f.Add(doc.src, before, after)
		}
	}
	f.Fuzz(func(t *testing.T, original, before, after []byte) {
		result, err := Apply(original, before, after, Options{})
		if err != nil && result != nil {
			t.Fatal("a result beside an error")
		}
		if result == nil {
			return
		}
		if _, err := parse(result); err != nil {
			t.Fatal(err)
		}
	})
}
