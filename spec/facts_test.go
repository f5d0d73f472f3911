package spec_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/spec"
)

const (
	// baseExample follows baseDriver.
	baseExample = `    example:
      summary: lets it start
      imports: [fmt]
      code: return d, nil
      prints: exit status 0
`
	baseFacts = `topics:
  - topic: process
    summary: how a hook is run
    facts:
      - fact: no-timeout
        summary: libvirt waits without end
        doc: more of it
        since: "0.8.0"
        until: "99.0.0"
        verified:
          seen: ["9.0.0"]
          source: src/util/virhook.c
          tests: TestWait
`
)

// One case for each rule about facts and examples, which the schema sees as well unless
// it says why not.
func TestFactsAndExamples(t *testing.T) {
	const two = "two items at once"
	for _, c := range []brokenCase{
		{name: "topic", old: "topic: process", new: "topic: A process",
			want: `facts.yaml:2: topic A process: the name is "A process", not lower-case words joined by -`},
		{name: "topic summary", old: "how a hook is run", new: "how a hook is run.",
			want: "facts.yaml:3: topic process: summary ends with a full stop"},
		{name: "no facts", old: baseFacts[strings.Index(baseFacts, "    facts:"):], new: "    facts: []\n",
			want: "facts.yaml:4: topic process: no facts"},
		{name: "empty fact", old: "    facts:\n", new: "    facts:\n      -\n",
			want: "facts.yaml:5: facts has an empty item"},
		{name: "fact", old: "fact: no-timeout", new: "fact: no_timeout",
			want: `facts.yaml:5: fact no_timeout: the name is "no_timeout", not lower-case words joined by -`},
		{name: "name twice", old: "fact: no-timeout", new: "fact: process", unseen: two,
			want: "facts.yaml:5: fact process: it is there twice"},
		{name: "fact summary", old: "libvirt waits without end", new: `""`,
			want: "facts.yaml:6: fact no-timeout: summary is missing"},
		{name: "fact doc", old: "        doc: more of it\n", new: "",
			want: "facts.yaml:5: fact no-timeout: doc is missing"},
		{name: "until", old: "99.0.0", new: "0.8.0", unseen: order,
			want: "facts.yaml:9: fact no-timeout: until 0.8.0 is not after since 0.8.0\nfacts.yaml:10: fact no-timeout: seen on 9.0.0, of which it is not true"},
		{name: "seen before", old: `since: "0.8.0"`, new: `since: "10.0.0"`, unseen: order,
			want: "facts.yaml:10: fact no-timeout: seen on 9.0.0, of which it is not true"},
		{name: "neither seen nor read", old: "          seen: [\"9.0.0\"]\n          source: src/util/virhook.c\n", new: "",
			want: "facts.yaml:10: fact no-timeout: verified names no file of libvirt's source"},
		{name: "source", old: "src/util/virhook.c", new: "virhook.c",
			want: `facts.yaml:10: fact no-timeout: "virhook.c" is not a path in libvirt's source`},
		{name: "test", old: "TestWait", new: "the wait",
			want: `facts.yaml:10: fact no-timeout: "the wait" is not the name of a test`},
		{name: "unknown key", old: "summary: libvirt", new: "sumary: libvirt",
			want: "facts.yaml:6: unknown key \"sumary\""},

		{name: "example summary", old: "lets it start", new: "lets it start.",
			want: "qemu.yaml:52: start/-: example: summary ends with a full stop"},
		{name: "example code", old: "      code: return d, nil\n", new: "",
			want: "qemu.yaml:52: start/-: example: code is missing"},
		{name: "example prints", old: "exit status 0", new: `""`,
			want: "qemu.yaml:52: start/-: example: prints is missing"},
		{name: "example of a word that is not passed", old: "      prints", new: "      extra: crashed\n      prints", unseen: reference,
			want: `qemu.yaml:52: start/-: example: "crashed" is nothing that libvirt passes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			driver, facts := baseDriver+baseExample, baseFacts
			file, doc, s := "facts.yaml", &facts, schema(t, "facts.schema.json")
			if strings.HasPrefix(c.want, "qemu") {
				file, doc, s = "qemu.yaml", &driver, schema(t, "driver.schema.json")
			}
			assert.NoError(t, s.Validate(plainDoc(t, []byte(*doc))), "the base")
			require.Contains(t, *doc, c.old)
			*doc = strings.Replace(*doc, c.old, c.new, 1)
			files := fstest.MapFS{"qemu.yaml": {Data: []byte(driver)}, "enums.yaml": {Data: []byte(baseEnums)}, "facts.yaml": {Data: []byte(facts)}}
			_, err := spec.Load(files)
			assert.EqualError(t, err, c.want)
			err = s.Validate(plainDoc(t, files[file].Data))
			if c.unseen == "" {
				assert.Error(t, err, "the schema takes what the loader refuses")
			} else {
				assert.NoError(t, err, "the schema sees it after all")
			}
		})
	}

	s, err := spec.Load(fstest.MapFS{
		"qemu.yaml": {Data: []byte(baseDriver + baseExample)}, "enums.yaml": {Data: []byte(baseEnums)}, "facts.yaml": {Data: []byte(baseFacts)},
	})
	require.NoError(t, err)
	assert.Equal(t, "no-timeout", s.Topics[0].Facts[0].Name)
	assert.Equal(t, spec.Strings{"TestWait"}, s.Topics[0].Facts[0].Verified.Tests)
	assert.Equal(t, "exit status 0", s.Driver("qemu").Ops[1].Example.Prints)
}
