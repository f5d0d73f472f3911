package xmlscan

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAppend(t *testing.T) {
	for _, test := range []struct{ raw, text, cdata string }{
		{"", "", ""},
		{"plain\n\ttext", "plain\n\ttext", "plain\n\ttext"},
		{"&lt;&gt;&amp;&apos;&quot;", `<>&'"`, "&lt;&gt;&amp;&apos;&quot;"},
		{"a&#65;&#x42;&#x0000e9;&#128512;z", "aABé😀z", "a&#65;&#x42;&#x0000e9;&#128512;z"},
		{"&amp;lt;", "&lt;", "&amp;lt;"},
		{"a\rb\r\nc\r\r\n\nd\r", "a\nb\nc\n\n\nd\n", "a\nb\nc\n\n\nd\n"},
		{"&#13;\n&#xD;&#10;\r&#10;", "\r\n\r\n\n\n", "&#13;\n&#xD;&#10;\n&#10;"},
		// Not valid, and left as it is.
		{"& &; &x; &#; &#x; &#0; &lt &#65", "& &; &x; &#; &#x; &#0; &lt &#65", "& &; &x; &#; &#x; &#0; &lt &#65"},
	} {
		assert.Equal(t, "dst"+test.text, string(AppendText([]byte("dst"), []byte(test.raw))), test.raw)
		assert.Equal(t, "dst"+test.text, string(AppendAttr([]byte("dst"), []byte(test.raw))), test.raw)
		assert.Equal(t, "dst"+test.cdata, string(AppendCDATA([]byte("dst"), []byte(test.raw))), test.raw)
		if !HasReference([]byte(test.raw)) {
			assert.Equal(t, test.raw, test.text)
		}
	}
	assert.True(t, HasReference([]byte("a&lt;")))
	assert.True(t, HasReference([]byte("a\r")))
	assert.False(t, HasReference([]byte("a;\n")))
}
