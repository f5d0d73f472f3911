//go:build integration

package verdict_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/hookexec"
	"github.com/virthook/virthook/internal/verdict"
)

// The tests here ask libvirt itself: its test driver, which needs no daemon, reads a
// domain as the filters' callers do.

const testGuest = `<?xml version='1.0'?>
<domain type='test'>
  <name>a</name>
	<!-- c -->
  <title a="1" b='2'>x &amp; y</title>
  <memory unit='KiB'>1024</memory>
  <vcpu>1</vcpu>
  <os>
    <type>hvm</type>
  </os><![CDATA[ ]]>
  <?pi some?><p:q xmlns:p='u' p:a="&lt;"/>
</domain>
`

// libvirt returns what libvirt says of each document, "" where it takes it, and the
// version that says so.
func libvirt(t *testing.T, docs []string) (version string, said []string) {
	t.Helper()
	root := os.Getenv("VIRTHOOK_LIBVIRT_ROOT")
	dir, err := os.MkdirTemp(root+"/tmp", "verdict")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	virsh := func(args ...string) string {
		args = append([]string{"virsh", "-q", "-c", "test:///default"}, args...)
		if root != "" {
			args = append([]string{"chroot", root}, args...)
		}
		out, _ := exec.Command(args[0], args[1:]...).CombinedOutput()
		return string(out)
	}
	inside := strings.TrimPrefix(dir, root)
	var commands strings.Builder
	for i, doc := range docs {
		name := fmt.Sprintf("%d.xml", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(doc), 0o644))
		fmt.Fprintf(&commands, "echo --err @@@; define %s/%s; echo --err @@@; undefine a;", inside, name)
	}
	// Odd parts are what came of define, even ones of undefine.
	parts := strings.Split(virsh(commands.String()), "error: @@@\n")
	require.Len(t, parts, 2*len(docs)+1)
	for i := range docs {
		_, message, _ := strings.Cut(parts[2*i+1], fmt.Sprintf("/%d.xml\nerror: ", i))
		said = append(said, strings.TrimRight(message, "\n"))
	}
	return strings.TrimSpace(virsh("--version")), said
}

// compare holds libvirt's words against ours, which may be none only for what could be
// told with no certainty: there is none in these documents.
func compare(t *testing.T, docs []string) {
	t.Helper()
	version, said := libvirt(t, docs)
	if strings.HasPrefix(version, "12.") {
		t.Skip("its libxml2 has other words")
	}
	of := verdict.Operation{Driver: "libxl", Op: "migrate", Effect: "refused", Filter: true, Libvirt: version}
	for i, doc := range docs {
		assert.Equal(t, said[i], verdict.Judge(of, hookexec.Call{}, hookexec.Outcome{Output: []byte(doc)}, nil).Message, "%q", doc)
	}
}

// TestLibvirtSaysSo: the words of the tables are libvirt's.
func TestLibvirtSaysSo(t *testing.T) {
	var docs []string
	for _, tt := range notXML {
		docs = append(docs, tt.doc)
	}
	for _, edit := range [][2]string{
		{"", ""},
		{"<name>a</name>", ""}, {"<name>", "<name><!-- x -->"}, {"<name>", "<name/><name>"}, {">a<", ">a/b<"},
		{" type='test'", ""}, {"'test'", "'zap'"}, {"'test'", "''"}, {" type=", " xmlns:x='u' x:type="}, {"<domain ", "<domain xmlns='u' "},
		{"hvm", "bsd"}, {"<type>hvm</type>", ""}, {"<type>", "<type arch='pdp11'>"}, {">hvm", "> hvm"},
		{">1024<", ">abc<"}, {">1024<", ">12x<"}, {">1024<", ">-1<"}, {">1024<", "> 1024<"}, {">1024<", ">1024 <"}, {">1024<", ">0<"}, {">1024<", "><"},
		{">1024<", ">99999999999999999999<"}, {">1024<", ">9999999999999999<"}, {"<memory unit='KiB'>1024</memory>", ""},
		{"'KiB'", "'furlong'"}, {"'KiB'", "'kb'"}, {"'KiB'", "'MiB'"}, {"'KiB'", "'x'"},
		{"<vcpu>1", "<vcpu>x"}, {"<vcpu>1", "<vcpu>"}, {"<vcpu>1", "<vcpu>0"}, {"<vcpu>1", "<vcpu>1.5"}, {"<vcpu>1", "<vcpu> 2"},
		{">x &amp;", ">x\n"}, {"<os>", "<uuid>1</uuid><os>"}, {"<os>", "<uuid>5caf68c5-5b37-416b-9c9f442ff5b11508</uuid><os>"},
		{"<os>", "<uuid> 5caf68c55b37416b9c9f442ff5b11508 </uuid><os>"}, {"<os>", "<uuid>5caf68c55b37416b9c9f442ff5b115088</uuid><os>"},
		{"<os>", "<currentMemory>9zz</currentMemory><os>"}, {"<domain ", "<!DOCTYPE x><domain "}, {"<domain ", "\ufeff<domain "},
		{"?>\n<domain", " encoding='foo'?>\n<domain"}, {"?>\n<domain", " encoding='UTF-16'?>\n<domain"}, {"?>\n<domain", " encoding='9'?>\n<domain"},
		{"'1.0'", "'2.0'"}, {"'1.0'", "'1.1'"}, {"<os>", strings.Repeat("<a>", 300) + "<os>"},
	} {
		require.Contains(t, testGuest, edit[0])
		docs = append(docs, strings.Replace(testGuest, edit[0], edit[1], 1))
	}
	docs = append(docs, "<domain/>", "<network/>", "<x:domain xmlns:x='u'/>")
	compare(t, docs)
}

// TestLibvirtSaysSoOfDamage: documents with something put in, taken out or cut off
// at random, the same ones each time.
func TestLibvirtSaysSoOfDamage(t *testing.T) {
	bits := []string{
		"<", ">", "&", "'", "\"", "/", "</", "]]>", "--", "<!--", "&nope;", "&#x;", "&#1;", "&#12a;", "\x1b", "é", "\xff", "\xc3(", "\n", "=", " ",
		"<?xml version='1.0'?>", "<?", "?>", "<![CDATA[", "<a", "</a>", "<a>", "x=1", " a='3'", "a='1' a='2' ", "junk", "\t", "\r\n", "<1>", "\xed\xa0\x80", ":",
	}
	r := rand.New(rand.NewPCG(1, 2))
	var docs []string
	for len(docs) < 500 {
		at := r.IntN(len(testGuest))
		end := min(len(testGuest), at+1+r.IntN(6))
		put := bits[r.IntN(len(bits))]
		doc := [...]string{
			testGuest[:at] + put + testGuest[at:],
			testGuest[:at] + put + testGuest[end:],
			testGuest[:at] + testGuest[end:],
			testGuest[:at],
		}[r.IntN(4)]
		if sure(doc) {
			docs = append(docs, doc)
		}
	}
	compare(t, docs)
}

// sure leaves out what is still well-formed: of a device that is damaged libvirt has
// words that are not known here.
func sure(doc string) bool {
	v := verdict.Judge(verdict.Operation{Filter: true}, hookexec.Call{}, hookexec.Outcome{Output: []byte(doc)}, nil)
	return strings.TrimSpace(doc) != "" && v.Cause != verdict.NoCause
}
