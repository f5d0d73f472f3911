package xmldiff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/captures"
)

func diff(t *testing.T, before, after string) string {
	t.Helper()
	lines, err := xmldiff.Diff([]byte(before), []byte(after))
	require.NoError(t, err)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

const before = `<?xml version='1.0'?>
<domain type='kvm' xmlns:q='http://example.com/q'>
  <name>g1</name>
  <title>old &amp; gray</title>
  <memory unit='KiB'>1024</memory>
  <!-- two
       lines -->
  <devices>
    <disk type='file'><source file='/a.img'/></disk>
    <disk type='file'>
      <source file='/b.img'></source>
    </disk>
    <q:extra q:a='1' b='"x"'/>
  </devices>
</domain>
`

func TestSaysTheSame(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"as it is":       func(s string) string { return s },
		"quotes":         func(s string) string { return strings.NewReplacer(`'"x"'`, `"&quot;x&quot;"`, "'", `"`).Replace(s) },
		"indentation":    func(s string) string { return strings.ReplaceAll(s, "\n  <", "\n\n\t<") },
		"empty elements": func(s string) string { return strings.ReplaceAll(s, "></source>", "/>") },
		"no declaration": func(s string) string { return strings.TrimPrefix(s, "<?xml version='1.0'?>\n") },
		"references":     func(s string) string { return strings.ReplaceAll(s, "&amp;", "&#38;") },
		"CDATA":          func(s string) string { return strings.ReplaceAll(s, "old &amp; gray", "<![CDATA[old & gray]]>") },
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, diff(t, before, change(before))) })
	}
}

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"text", "old &amp; gray", "new", `@@ /domain
 <domain type="kvm" xmlns:q="http://example.com/q">
   <name>g1</name>
-  <title>old &amp; gray</title>
+  <title>new</title>
   <memory unit="KiB">1024</memory>
   <!-- two&#10;       lines -->
`},
		{"text with white space", "g1", "g1\n", `@@ /domain
 <domain type="kvm" xmlns:q="http://example.com/q">
-  <name>g1</name>
+  <name>g1&#10;</name>
   <title>old &amp; gray</title>
   <memory unit="KiB">1024</memory>
`},
		{"attribute", "/b.img", "/c.img", `@@ /domain/devices/disk
     </disk>
     <disk type="file">
-      <source file="/b.img"/>
+      <source file="/c.img"/>
     </disk>
     <q:extra q:a="1" b="&quot;x&quot;"/>
`},
		{"order of attributes", `q:a='1' b='"x"'`, `b='"x"' q:a='1'`, ""},
		{"order and value", `q:a='1' b='"x"'`, `b='"x"' q:a='2'`, `@@ /domain/devices
       <source file="/b.img"/>
     </disk>
-    <q:extra q:a="1" b="&quot;x&quot;"/>
+    <q:extra b="&quot;x&quot;" q:a="2"/>
   </devices>
 </domain>
`},
		{"element removed", "<name>g1</name>", "", `@@ /domain
 <domain type="kvm" xmlns:q="http://example.com/q">
-  <name>g1</name>
   <title>old &amp; gray</title>
   <memory unit="KiB">1024</memory>
`},
		{"element added", "</devices>", "</devices><seclabel type='none'><label/></seclabel>", `@@ /domain
     <q:extra q:a="1" b="&quot;x&quot;"/>
   </devices>
+  <seclabel type="none">
+    <label/>
+  </seclabel>
 </domain>
`},
		{"comment", "two", "2", `@@ /domain
   <title>old &amp; gray</title>
   <memory unit="KiB">1024</memory>
-  <!-- two&#10;       lines -->
+  <!-- 2&#10;       lines -->
   <devices>
     <disk type="file">
`},
		{"prefix", "q:extra", "p:extra", `@@ /domain/devices
       <source file="/b.img"/>
     </disk>
-    <q:extra q:a="1" b="&quot;x&quot;"/>
+    <p:extra q:a="1" b="&quot;x&quot;"/>
   </devices>
 </domain>
`},
		{"text becomes mixed", "g1<", "g1<b/><", `@@ /domain
 <domain type="kvm" xmlns:q="http://example.com/q">
-  <name>g1</name>
+  <name>
+    g1
+    <b/>
+  </name>
   <title>old &amp; gray</title>
   <memory unit="KiB">1024</memory>
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after := strings.Replace(before, tt.old, tt.new, 1)
			require.NotEqual(t, before, after)
			assert.Equal(t, tt.want, diff(t, before, after))
		})
	}
}

func TestNotADocument(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "no element",
		"  \n":                        "no element",
		"<!-- only -->":               "no element",
		"junk":                        `line 1: text outside of an element: "junk"`,
		"<a/>\n \njunk\n":             `line 3: text outside of an element: "junk"`,
		"<a/><b/>":                    "line 1: a second root element, <b>",
		"<a>\n<b>":                    "element <b> is not closed",
		"<a>\n</b>":                   "line 2: </b> closes nothing",
		"<a></a></a>":                 "line 1: </a> closes nothing",
		"<a>\n<b x=1/></a>":           "line 2: unquoted or missing attribute value in element",
		"<a>&nope;</a>":               "line 1: invalid character entity &nope;",
		"<a>\n<b":                     "line 2: unexpected EOF",
		"<x:a xmlns:x='u'></y:a>":     "line 1: </y:a> closes nothing",
		"<a>" + "\x00" + "</a>":       "line 1: illegal character code U+0000",
		"<?xml encoding='koi8'?><a/>": `line 1: xml: encoding "koi8" declared but Decoder.CharsetReader is nil`,
	} {
		_, err := xmldiff.Diff([]byte("<a/>"), []byte(in))
		assert.EqualError(t, err, want, "%q", in)
	}
	_, err := xmldiff.Diff([]byte("junk"), []byte("<a/>"))
	assert.ErrorContains(t, err, "the XML before: line 1")
}

// TestCaptures: what libvirt sends can be read, and says the same as itself.
func TestCaptures(t *testing.T) {
	for _, c := range captures.All() {
		if c.XML != nil {
			assert.Empty(t, diff(t, string(c.XML), string(c.XML)), c.Name)
		}
	}
}

func TestColoured(t *testing.T) {
	lines, err := xmldiff.Diff([]byte("<a>1</a>"), []byte("<a>2</a>"))
	require.NoError(t, err)
	var got []string
	for _, l := range lines {
		got = append(got, l.Coloured())
	}
	assert.Equal(t, []string{"\x1b[36m@@ /\x1b[m", "\x1b[31m-<a>1</a>\x1b[m", "\x1b[32m+<a>2</a>\x1b[m"}, got)
	assert.Equal(t, " x", xmldiff.Line{Text: " x"}.Coloured())
}
