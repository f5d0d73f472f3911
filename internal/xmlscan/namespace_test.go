package xmlscan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spaces scans src and writes, for every Start and End, what the prefixes stand
// for there; "-" is for nothing.
func spaces(t *testing.T, src string, prefixes ...string) (got []string) {
	var s Scanner
	s.Reset([]byte(src))
	for {
		kind, err := s.Next()
		require.NoError(t, err)
		if kind == EOF {
			return got
		}
		if kind != Start && kind != End {
			continue
		}
		line := map[Kind]string{Start: "<", End: "</"}[kind] + string(s.Bytes(s.Name())) + ">"
		for _, prefix := range prefixes {
			uri, ok := s.Space([]byte(prefix))
			if !ok {
				require.Nil(t, uri)
				uri = []byte("-")
			}
			line += " " + string(uri)
		}
		got = append(got, line)
	}
}

func TestSpace(t *testing.T) {
	const src = `<a xmlns="d" xmlns:p='u&amp;v'><b xmlns:p="w" xmlns=""/><p:c><d xmlns:q="x"></d></p:c></a>`
	assert.Equal(t, []string{
		"<a> d u&v -",
		"<b>  w -",
		"</b>  w -",
		"<p:c> d u&v -",
		"<d> d u&v x",
		"</d> d u&v x",
		"</p:c> d u&v -",
		"</a> d u&v -",
	}, spaces(t, src, "", "p", "q"))

	// These two are what they are, whatever a document says.
	assert.Equal(t, []string{
		"<a> - http://www.w3.org/XML/1998/namespace http://www.w3.org/2000/xmlns/",
		"</a> - http://www.w3.org/XML/1998/namespace http://www.w3.org/2000/xmlns/",
	}, spaces(t, `<a xmlns:xml="u" xmlns:xmlns="v" xmlnsx="w" xmlns:="x"></a>`, "", "xml", "xmlns"))
}

// Above searchAll a map finds bindings: it must not be told from the search.
func TestSpaceOfMany(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<a xmlns="d">`)
	for range 2 { // what an element leaves is gone for the next one
		for i := range 3 * searchAll {
			fmt.Fprintf(&b, "<e xmlns:p%d='u%d' xmlns:q='v%d'>", i, i, i)
			if i%5 == 0 {
				b.WriteString(`<f xmlns="" xmlns:p0="w"/>`)
			}
		}
		b.WriteString(strings.Repeat("</e>", 3*searchAll))
	}
	b.WriteString("</a>")
	prefixes := []string{"", "q", "p0", "p17", "p40", "none"}
	got := spaces(t, b.String(), prefixes...)

	var want []string
	outside := []string{"<a>", "d", "-", "-", "-", "-", "-"}
	line := func(tag string, level int) string {
		fields := append([]string{tag}, outside[1:]...)
		if level >= 0 {
			fields[2] = fmt.Sprintf("v%d", level)
		}
		for k, first := range []int{0, 17, 40} {
			if level >= first {
				fields[3+k] = fmt.Sprintf("u%d", first)
			}
		}
		return strings.Join(fields, " ")
	}
	want = append(want, line("<a>", -1))
	for range 2 {
		for i := range 3 * searchAll {
			want = append(want, line("<e>", i))
			if i%5 == 0 {
				inner := strings.Fields(line("f", i))
				inner[1], inner[3] = "", "w"
				want = append(want, "<f> "+strings.Join(inner[1:], " "), "</f> "+strings.Join(inner[1:], " "))
			}
		}
		for i := 3*searchAll - 1; i >= 0; i-- {
			want = append(want, line("</e>", i))
		}
	}
	want = append(want, line("</a>", -1))
	assert.Equal(t, want, got)
}

// Two prefixes with one hash, which takes luck to meet, are told apart.
func TestSpaceOfEqualHashes(t *testing.T) {
	var h hasher
	b := bindings{list: make([]binding, searchAll+1)}
	b.mapped = len(b.list)
	b.list[0] = binding{prefix: []byte("p"), uri: []byte("u"), hash: h.sum([]byte("p")), outer: -1}
	b.list[1] = binding{prefix: []byte("q"), uri: []byte("v"), hash: h.sum([]byte("p"))}
	b.byHash = map[uint64]int{h.sum([]byte("p")): 1}
	uri, ok := b.find([]byte("p"), &h)
	assert.True(t, ok)
	assert.Equal(t, "u", string(uri))
	b.list[0].prefix = []byte("r")
	_, ok = b.find([]byte("p"), &h)
	assert.False(t, ok)
}
