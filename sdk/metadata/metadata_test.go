package metadata_test

import (
	"encoding/xml"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirtxml"

	"github.com/virthook/virthook/sdk/metadata"
)

func guest(content string) *libvirtxml.Domain {
	if content == "" {
		return &libvirtxml.Domain{}
	}
	return &libvirtxml.Domain{Metadata: &libvirtxml.DomainMetadata{XML: content}}
}

func content(d *libvirtxml.Domain) string {
	if d.Metadata == nil {
		return ""
	}
	return d.Metadata.XML
}

const written = `<my:app xmlns:my="http://example.com/my"><my:role>db</my:role></my:app>`

// What is there before, what is read, and what is there after Set and after Delete.
func TestElement(t *testing.T) {
	for name, test := range map[string]struct{ before, role, set, deleted string }{
		"none":             {"", "-", written, ""},
		"white space":      {"\n  ", "-", written + "\n  ", "\n  "},
		"prefix":           {`<my:app xmlns:my="http://example.com/my"><my:role>web</my:role></my:app>`, "web", written, ""},
		"other prefix":     {` <x:app xmlns:x='http://example.com/my'><x:role>web</x:role></x:app> `, "web", " " + written + " ", "  "},
		"default":          {`<app xmlns="http://example.com/my"><role>web</role></app>`, "web", written, ""},
		"undeclared":       {`<my:app><my:role>web</my:role></my:app>`, "web", written, ""},
		"self-closing":     {`<a xmlns="b"/><my:app xmlns:my="http://example.com/my"/><c xmlns="d"/>`, "", `<a xmlns="b"/>` + written + `<c xmlns="d"/>`, `<a xmlns="b"/><c xmlns="d"/>`},
		"escaped space":    {`<my:app xmlns:my="http://example.com&#x2f;my"/>`, "", written, ""},
		"other space":      {`<my:app xmlns:my="http://other"/>`, "-", `<my:app xmlns:my="http://other"/>` + written, `<my:app xmlns:my="http://other"/>`},
		"other undeclared": {`<x:app/><app/>`, "-", `<x:app/><app/>` + written, `<x:app/><app/>`},
		"nested": {`<my:app xmlns:my="http://example.com/my"><my:app><my:role>in</my:role></my:app><my:role>web</my:role></my:app>`,
			"web", written, ""},
		"nested in another": {`<o xmlns="p"><my:app xmlns:my="http://example.com/my"/></o>`, "-",
			`<o xmlns="p"><my:app xmlns:my="http://example.com/my"/></o>` + written, `<o xmlns="p"><my:app xmlns:my="http://example.com/my"/></o>`},
		"CDATA and comments": {"\n <!-- <my:app/> -->\n<my:app xmlns:my='http://example.com/my'><!-- x --><my:role><![CDATA[a<b]]></my:role></my:app ><?p q?>\n", "a<b",
			"\n <!-- <my:app/> -->\n" + written + "<?p q?>\n", "\n <!-- <my:app/> -->\n<?p q?>\n"},
		"comment at the end": {`<!-- c --> `, "-", `<!-- c -->` + written + " ", `<!-- c --> `},
	} {
		d := guest(test.before)
		v := App{Role: "-"}
		found, err := metadata.Get(d, app, &v)
		require.NoError(t, err, name)
		assert.Equal(t, test.role != "-", found, name)
		if found {
			assert.Equal(t, test.role, strings.TrimPrefix(v.Role, "-"), name)
		}
		assert.Equal(t, test.before, content(d), name)

		require.NoError(t, metadata.Set(d, app, App{Role: "db"}), name)
		assert.Equal(t, test.set, content(d), name)
		found, err = metadata.Get(d, app, &v)
		assert.True(t, found && err == nil && v.Role == "db", name)

		require.NoError(t, metadata.Delete(d, app), name)
		assert.Equal(t, test.deleted, content(d), name)
		found, err = metadata.Get(d, app, nil)
		assert.True(t, !found && err == nil, name)
		require.NoError(t, metadata.Delete(d, app), name)
		assert.Equal(t, test.deleted, content(d), name)
	}
}

func TestNetwork(t *testing.T) {
	n := &libvirtxml.Network{Name: "lan"}
	require.NoError(t, metadata.Set(n, app, App{Role: "db"}))
	out, err := n.Marshal()
	require.NoError(t, err)
	assert.Contains(t, out, "<metadata>"+written+"</metadata>")

	var again libvirtxml.Network
	require.NoError(t, again.Unmarshal(out))
	var v App
	found, err := metadata.Get(&again, app, &v)
	assert.True(t, found && err == nil)
	assert.Equal(t, "db", v.Role)

	require.NoError(t, metadata.Delete(n, app))
	assert.Nil(t, n.Metadata)
}

// What libvirtxml reads from a guest that declares the prefix on <metadata>.
func TestDeclaredOnMetadata(t *testing.T) {
	var d libvirtxml.Domain
	require.NoError(t, d.Unmarshal(`<domain><metadata xmlns:my="http://example.com/my"><my:app><my:role>web</my:role></my:app></metadata></domain>`))
	var v struct {
		Role string `xml:"http://example.com/my role"`
	}
	found, err := metadata.Get(&d, app, &v)
	assert.True(t, found && err == nil)
	assert.Equal(t, "web", v.Role)
}

// Values of other shapes, and names without a prefix.
func TestValues(t *testing.T) {
	d := guest("")
	plain := metadata.Name{Space: "urn:a&b", Local: "note"}
	require.NoError(t, metadata.Set(d, plain, "x < y"))
	assert.Equal(t, `<note xmlns="urn:a&amp;b">x &lt; y</note>`, content(d))
	var text string
	found, err := metadata.Get(d, plain, &text)
	assert.True(t, found && err == nil)
	assert.Equal(t, "x < y", text)

	// Names of other namespaces keep theirs.
	type mixed struct {
		XMLName xml.Name `xml:"ignored"`
		ID      int      `xml:"id,attr"`
		Own     *string  `xml:"own"`
		Other   struct {
			Leaf string `xml:"leaf"`
		} `xml:"urn:other other"`
		Raw string `xml:",innerxml"`
	}
	d = guest("")
	own := "1"
	v := mixed{ID: 7, Own: &own}
	v.Other.Leaf = "2"
	require.NoError(t, metadata.Set(d, app, v))
	assert.Equal(t, `<my:app xmlns:my="http://example.com/my" id="7"><my:own>1</my:own><other xmlns="urn:other"><leaf>2</leaf></other></my:app>`, content(d))
	require.NoError(t, metadata.Set(d, app, struct {
		Raw string `xml:",innerxml"`
	}{"<a/><b:c xmlns:b='d'/>"}))
	assert.Equal(t, `<my:app xmlns:my="http://example.com/my"><my:a/><b:c xmlns:b='d'/></my:app>`, content(d))
}

type badMarshaler struct{ name string }

func (b badMarshaler) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return e.EncodeElement("", xml.StartElement{Name: xml.Name{Local: b.name}})
}

// After an error nothing is changed, and the error names the element.
func TestErrors(t *testing.T) {
	const two = `<my:app xmlns:my="http://example.com/my"/><app xmlns="http://example.com/my"/>`
	for _, test := range []struct {
		content string
		name    metadata.Name
		value   any
		want    string
	}{
		{"<a>", app, App{}, "metadata: <my:app>: the metadata there is not well-formed: </metadata> does not close <a> of line 1"},
		{"</metadata><metadata>", app, App{}, "metadata: <my:app>: the metadata there is not well-formed: second root element <metadata>"},
		{"<a b=1/>", app, App{}, "metadata: <my:app>: the metadata there is not well-formed: value of attribute b is not quoted"},
		{"<!--", app, App{}, "metadata: <my:app>: the metadata there is not well-formed: comment is not closed"},
		{two, app, App{}, "metadata: <my:app>: there is more than one"},
		{"", metadata.Name{Prefix: "my", Local: "app"}, App{}, "metadata: <my:app>: no namespace given, without which libvirt drops it"},
		{"", app, nil, "metadata: <my:app>: value is not written as one element of that name: line 1, column 1: document is empty"},
		{"", app, (*App)(nil), "metadata: <my:app>: value is not written as one element of that name: line 1, column 1: document is empty"},
		{"", app, []App{{}, {}}, "metadata: <my:app>: value is not written as one element of that name: line 1, column 55: second root element <app>"},
		{"", app, badMarshaler{"other"}, "metadata: <my:app>: value is not written as one element of that name"},
		{"", app, make(chan int), "metadata: <my:app>: xml: unsupported type: chan int"},
		{"", metadata.Name{Prefix: "my", Space: "s", Local: "a b='c'"}, "", "metadata: <my:a b='c'>: value is not written as one element of that name"},
		{"", metadata.Name{Prefix: "m y", Space: "s", Local: "a"}, "", "metadata: <m y:a>: value is not written as one element of that name"},
		{"", metadata.Name{Prefix: "xml", Space: "s", Local: "a"}, "", "metadata: <xml:a>: value is not written as one element of that name"},
	} {
		d := guest(test.content)
		err := metadata.Set(d, test.name, test.value)
		if assert.Error(t, err, test.want) {
			assert.True(t, strings.HasPrefix(err.Error(), test.want), "%s\n%s", err, test.want)
		}
		assert.Equal(t, test.content, content(d))
		if test.content != "" {
			_, err = metadata.Get(d, test.name, nil)
			assert.EqualError(t, err, test.want)
			assert.EqualError(t, metadata.Delete(d, test.name), test.want)
			assert.Equal(t, test.content, content(d))
		}
	}

	found, err := metadata.Get(guest(`<my:app xmlns:my="http://example.com/my">x</my:app>`), app, new(int))
	assert.True(t, found)
	assert.ErrorContains(t, err, "metadata: <my:app>: strconv")
}

var siblings = []string{
	"\n", "  ", "\t", "text", "&amp;&#65;", "<!-- <my:app/> -->", "<![CDATA[<my:app>]]>", "<?p <my:app/>?>",
	`<my:app xmlns:my="urn:other"><my:role>x</my:role></my:app>`, `<app/>`, `<x:app/>`,
	`<a:b xmlns:a='urn:a' c = "d>" ><a:b/></a:b >`, `<o xmlns="urn:o"><my:app xmlns:my="http://example.com/my"/></o>`,
	`<app xmlns="urn:p"/>`, `<my:other xmlns:my="http://example.com/my"/>`, "é\r\n",
}

func random(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteString(siblings[r.IntN(len(siblings))])
	}
	return b.String()
}

// With any siblings: Set then Get gives the value, the siblings' bytes stay, and Delete
// gives back what there was without the element.
func TestProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	forms := []string{"", written, `<x:app xmlns:x='http://example.com/my'/>`, `<app xmlns="http://example.com/my">z<app/></app>`, `<my:app a="1"/>`}
	for range 20000 {
		before, old, after := random(r), forms[r.IntN(len(forms))], random(r)
		d := guest(before + old + after)
		v := App{Role: siblings[r.IntN(len(siblings)-1)], Hosts: []string{"a", siblings[r.IntN(len(siblings)-1)]}}
		require.NoError(t, metadata.Set(d, app, v))
		var got App
		found, err := metadata.Get(d, app, &got)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, v, got)
		if old != "" {
			require.True(t, strings.HasPrefix(content(d), before) && strings.HasSuffix(content(d), after))
		}
		require.NoError(t, metadata.Delete(d, app))
		require.Equal(t, before+after, content(d))
	}
}

func FuzzSet(f *testing.F) {
	for _, s := range siblings {
		f.Add(s+written, "db")
		f.Add(s, "a<b")
	}
	f.Fuzz(func(t *testing.T, before, role string) {
		d := guest(before)
		had, err := metadata.Get(d, app, nil)
		if err := metadata.Set(d, app, App{Role: role}); err != nil {
			require.Equal(t, before, content(d))
			return
		}
		require.NoError(t, err)
		set := content(d)
		var v App
		found, err := metadata.Get(d, app, &v)
		require.NoError(t, err)
		require.True(t, found)
		if printable(role) {
			require.Equal(t, role, v.Role)
		}

		require.NoError(t, metadata.Delete(d, app))
		rest := content(d)
		if !had {
			require.Equal(t, before, rest)
		}
		// The same with the original: what is around the element is the same.
		original := guest(before)
		require.NoError(t, metadata.Delete(original, app))
		require.Equal(t, content(original), rest)

		// The result is well-formed for the standard library's reader as well, if
		// what was there is.
		if xml.Unmarshal([]byte("<m>"+before+"</m>"), new(struct{})) == nil {
			require.NoError(t, xml.Unmarshal([]byte("<m>"+set+"</m>"), new(struct{})))
		}
	})
}

// printable says whether XML can hold a text.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == 0xFFFD
	})
}
