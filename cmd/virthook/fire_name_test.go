package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/internal/captures"
)

func TestObjectName(t *testing.T) {
	for doc, want := range map[string]string{
		"<domain><name>a</name></domain>":                                "a",
		"<?xml version='1.0'?><!-- x --><domain><name>a</name></domain>": "a",
		"<domain><name>a</name><name>b</name></domain>":                  "a",
		"<domain><os><name>b</name></os><name>a</name></domain>":         "a",
		"<domain><name>a&amp;<![CDATA[<b>]]><!-- c --></name></domain>":  "a&<b>",
		"<domain><x:name xmlns:x='y'>b</x:name></domain>":                "",
		"<domain><network><name>b</name></network></domain>":             "",
		"<domain><name/></domain>":                                       "",
		"<domain/>":                                                      "",
		"<hookData><network><name>n</name></network></hookData>":         "n",
		"<hookData><name>b</name><network><ip/><name>n</name></network><networkport><owner><name>b</name></owner></networkport></hookData>": "n",
	} {
		name, _, err := objectName([]byte(doc))
		assert.NoError(t, err, doc)
		assert.Equal(t, want, name, doc)
	}
	_, _, err := objectName([]byte("<domain>\n<name>a</name>"))
	assert.EqualError(t, err, "line 2, column 15: <domain> of line 1 is not closed")
}

// Every recorded call can be had of another guest or network.
func TestWithName(t *testing.T) {
	for _, c := range captures.All() {
		if c.XML == nil {
			continue
		}
		changed := withName(c.XML, "a&b")
		name, at, err := objectName(changed)
		assert.NoError(t, err, c.Name)
		assert.Equal(t, "a&b", name, c.Name)
		assert.Equal(t, "a&amp;b", string(changed[at.From:at.To]), c.Name)
		assert.Equal(t, string(c.XML), string(withName(changed, c.Object)), c.Name)
	}
	for _, doc := range []string{"<domain/>", "<domain><name/></domain>", "no XML", ""} {
		assert.Equal(t, doc, string(withName([]byte(doc), "a")))
	}
	doc := "<domain><name>a</name></domain>"
	assert.Equal(t, doc, string(withName([]byte(doc), "\x01")), "XML cannot hold it")
}
