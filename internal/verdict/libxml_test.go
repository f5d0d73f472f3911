package verdict_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/internal/verdict"
)

// TestNotXML: what libvirt says of what is not XML, libxml2's words among it. Each was
// printed by libvirt 9.0.0, which differs from 11.3.0 in how it names the place
// and at the end of the document.
func TestNotXML(t *testing.T) {
	for _, tt := range notXML {
		v := filtered(t, "qemu", "migrate", "9.0.0", tt.doc)
		assert.Equal(t, verdict.Verdict{Word: verdict.MigrationRefused, Cause: verdict.NotXML, Message: tt.message}, v, tt.doc)
	}
}

var notXML = []struct{ doc, message string }{
	{"junk\n", "(domain_definition):1: Start tag expected, '<' not found\njunk\n^"},
	{"\n\n  {\"a\": 1}\n", "(domain_definition):3: Start tag expected, '<' not found\n  {\"a\": 1}\n--^"},
	{"\tdebug: <domain/>\n", "(domain_definition):1: Start tag expected, '<' not found\n\tdebug: <domain/>\n\t^"},
	{"<domain/>\ndone\n", "(domain_definition):2: Extra content at the end of the document\ndone\n^"},
	{"<domain/><domain/>", "(domain_definition):1: Extra content at the end of the document\n<domain/><domain/>\n---------^"},
	{"\n<?xml version='1.0'?>\n<domain/>", "(domain_definition):2: XML declaration allowed only at the start of the document\n<?xml version='1.0'?>\n-----^"},
	{"<domain/>\n<?xml version='1.0'?>\n<domain/>", "(domain_definition):2: XML declaration allowed only at the start of the document\n<?xml version='1.0'?>\n-----^"},
	{"<domain>\n  <name>x</nam>\n</domain>", "(domain_definition):2: Opening and ending tag mismatch: name line 2 and nam\n  <name>x</nam>\n---------------^"},
	{"<domain>\n  <name>x\n</domain>", "(domain_definition):3: Opening and ending tag mismatch: name line 2 and domain\n</domain>\n---------^"},
	{"<domain>\n<p:a>\n</p:b>", "(domain_definition):3: Opening and ending tag mismatch: a line 2 and b\n</p:b>\n------^"},
	{"<domain><p:a></q:a></domain>", "(domain_definition):1: Opening and ending tag mismatch: a line 1 and a\n<domain><p:a></q:a></domain>\n-------------------^"},
	{"<domain>\n  <name>x</name>\n", "(domain_definition):3: Premature end of data in tag domain line 1\n(null)\n^"},
	{"<domain>", "(domain_definition):1: Premature end of data in tag domain line 1\n<domain>\n--------^"},
	{"<domain><name>&nope;</name></domain>", "(domain_definition):1: Entity 'nope' not defined\n<domain><name>&nope;</name></domain>\n--------------------^"},
	{"<domain><name>a & b</name></domain>", "(domain_definition):1: xmlParseEntityRef: no name\n<domain><name>a & b</name></domain>\n-----------------^"},
	{"<domain><name>a&b</name></domain>", "(domain_definition):1: EntityRef: expecting ';'\n<domain><name>a&b</name></domain>\n-----------------^"},
	{"<domain><name>&#1;</name></domain>", "(domain_definition):1: xmlParseCharRef: invalid xmlChar value 1\n<domain><name>&#1;</name></domain>\n------------------^"},
	{"<domain><name>&#12a;</name></domain>", "(domain_definition):1: CharRef: invalid decimal value\n<domain><name>&#12a;</name></domain>\n------------------^"},
	{"<domain type=kvm/>", "(domain_definition):1: AttValue: \" or ' expected\n<domain type=kvm/>\n-------------^"},
	{"<domain type/>", "(domain_definition):1: Specification mandates value for attribute type\n<domain type/>\n------------^"},
	{"<domain a='1' b='2' a='3'/>", "(domain_definition):1: Attribute a redefined\n<domain a='1' b='2' a='3'/>\n-------------------------^"},
	{"<domain a='1'b='2'/>", "(domain_definition):1: attributes construct error\n<domain a='1'b='2'/>\n-------------^"},
	{"<domain a='<'/>", "(domain_definition):1: Unescaped '<' not allowed in attributes values\n<domain a='<'/>\n-----------^"},
	{"<domain a='1", "(domain_definition):1: AttValue: ' expected\n<domain a='1\n------------^"},
	{"<domain>\x1b[31m</domain>", "(domain_definition):1: PCDATA invalid Char value 27\n<domain>\x1b[31m</domain>\n--------^"},
	{"<domain>\xff\xfeab</domain>", "(domain_definition):1: Input is not proper UTF-8, indicate encoding !\nBytes: 0xFF 0xFE 0x61 0x62\n<domain>\xff\xfeab</domain>\n--------^"},
	{"<?xml version='1.0' encoding='ISO-8859-1'?><domain>\xe9abc</domain>", "(domain_definition):1: Input is not proper UTF-8, indicate encoding !\nBytes: 0xE9 0x61 0x62 0x63\n" +
		"<?xml version='1.0' encoding='ISO-8859-1'?><domain>\xe9abc</domain>\n---------------------------------------------------^"},
	{"< domain/>", "(domain_definition):1: StartTag: invalid element name\n< domain/>\n-^"},
	{"<domain", "(domain_definition):1: Couldn't find end of Start Tag domain line 1\n<domain\n-------^"},
	{"<domain></domain x>", "(domain_definition):1: expected '>'\n<domain></domain x>\n-----------------^"},
	{"<domain><!-- a -- b --></domain>", "(domain_definition):1: Double hyphen within comment: <!-- a \n<domain><!-- a -- b --></domain>\n---------------^"},
	{"<domain>a ]]> b</domain>", "(domain_definition):1: Sequence ']]>' not allowed in content\n<domain>a ]]> b</domain>\n--------^"},
}

// TestNotXMLSince: newer versions say "at line", and show the last line where 9.0.0
// has none.
func TestNotXMLSince(t *testing.T) {
	const doc = "<domain>\n  <name>x</name>\n"
	const now = "at line 3: Premature end of data in tag domain line 1\n  <name>x</name>\n----------------^"
	for version, want := range map[string]string{
		"9.0.0":  "(domain_definition):3: Premature end of data in tag domain line 1\n(null)\n^",
		"11.3.0": now, "12.8.0": now, "": now,
	} {
		assert.Equal(t, want, filtered(t, "qemu", "restore", version, doc).Message, version)
	}
}

// TestXMLAfterAll: what other readers of XML refuse and libvirt takes.
func TestXMLAfterAll(t *testing.T) {
	doc := sample(t, "qemu", "migrate")
	for name, output := range map[string]string{
		"line feeds around":   "\n\n" + doc + "\n\n",
		"comments around":     "<!-- a -->" + doc + "<!-- b --><?c d?>",
		"byte order mark":     "\ufeff" + doc,
		"declaration":         "<?xml version=\"1.0\" encoding='UTF-8' standalone='yes' ?>\n" + doc,
		"another encoding":    "<?xml version='1.0' encoding='UTF-16'?>" + doc,
		"document type":       "<!DOCTYPE domain [<!ENTITY a 'b'>]>" + doc,
		"entity of its own":   "<!DOCTYPE domain [<!ENTITY a 'b'>]>" + strings.Replace(doc, "<metadata>", "<title>&a;</title><metadata>", 1),
		"prefix that is none": strings.Replace(doc, "<metadata>", "<metadata><p:x p:a='1'/>", 1),
		"line ends of DOS":    strings.ReplaceAll(doc, "\n", "\r\n"),
		"deep":                strings.Replace(doc, "<metadata>", "<metadata>"+strings.Repeat("<a>", 250)+strings.Repeat("</a>", 250), 1),
	} {
		assert.Equal(t, changed, filtered(t, "qemu", "migrate", "", output), name)
	}
	deep := strings.Replace(doc, "<metadata>", "<metadata>"+strings.Repeat("<a>", 260)+strings.Repeat("</a>", 260), 1)
	assert.Contains(t, filtered(t, "qemu", "migrate", "", deep).Message, "Excessive depth in document: 256 use XML_PARSE_HUGE option")
}
