package redact_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/virthook/virthook/internal/captures"
	"github.com/virthook/virthook/internal/redact"
	"github.com/virthook/virthook/internal/xmlscan"
)

// wellFormed scans a document to its end.
func wellFormed(doc []byte) error {
	var s xmlscan.Scanner
	s.Reset(doc)
	for {
		if kind, err := s.Next(); err != nil || kind == xmlscan.EOF {
			return err
		}
	}
}

// As in TestText, | is before and after each secret.
func TestXML(t *testing.T) {
	for _, marked := range []string{
		// as in any text
		`<graphics type='vnc' port='5904' passwd='|s3cr3t|' passwdValidTo='2011-05-31T16:11:22'/>`,
		"<graphics passwd\n=\t'|a \"b\" > c|' x='y'/>",
		`<d><cookies>|<cookie name='a'>x</cookie><!-- c --><cookie name='b'>y</cookie>|</cookies><readahead/></d>`,
		`<d><entry name='opt/com.coreos/config'>|{"ignition": {}}|</entry></d>`,
		`<d><qemu:arg xmlns:qemu='u' value='-fw_cfg'/><arg value='name=opt/x,string=|{"a": 1,,"b": 2}|'/></d>`,
		`<d><arg value="secret,id=s0,data=|let me, in|"/><arg value='x'/></d>`,
		`<d><env name='DB_PASSWORD' value='|x y|'/><env name='A' value='b'/></d>`,
		`<d><initenv name='MY_SECRET'>|x|</initenv><initenv name='HOME'>/</initenv></d>`,
		`<d><entry>io.systemd.credential:passwd.plaintext=|a b, c|</entry></d>`,
		`<d><kernel>http://user:|pa:ss|@host/k?a=b@c:d</kernel></d>`,
		`<source dev='/x'><auth username='u'><secret type='ceph' usage='x'/></auth><identity token='|x|'/></source>`,
		`<app:password xmlns:app='u'>|<![CDATA[a</app:password>b]]>|</app:password>`,
		`<x><secret>|text <b/> more|</secret><secret><uuid>u</uuid><usage type='x'/></secret></x>`,
		`<x><secret><uuid>u</uuid>|text|</secret><y>password</y></x>`,
		`<x><secret>|<![CDATA[a]]>|</secret></x>`,
		// where XML is more than text
		`<password>|<password>a</password>b|</password>`,
		`<a><description>passwd="|abc |<b>x</b></description><c d='e'/></a>`,
		`<a><token>|<b c='/>'/><![CDATA[</token>]]>|</token></a>`,
		`<a><!-- <graphics passwd='|x|'/> password="|y |--><b c="d"/></a>`,
		`<a><![CDATA[{"password": "|x|]]><b c='"'/></a>`,
		`<a><?x password=|y|?><b/></a>`,
		`<a>{"token": "|abc|<b/>d"}</a>`,
		// references
		`<a><env name='DB_PASS&#87;ORD' value='|x|'/></a>`,
		`<a b='|pass&#119;ord=x|' c='a &amp; b'/>`,
		`<a>|pass&#119;ord=x|<b>a &lt; b</b></a>`,
		`<a b='{&quot;password&quot;:&quot;|x &amp; y|&quot;,&quot;n&quot;:1}'/>`,
		`<a b='password=|a&amp;b|, c'/>`,
		// options and what follows them
		`<d><initarg>--db-password</initarg><initarg>|x|</initarg><initarg>y</initarg></d>`,
		`<d xmlns:q='u'><q:arg value='-passwd'/><!-- here: --> <q:arg value='|x|'/><q:arg value='y'/></d>`,
		`<d><initarg>--password=|x|</initarg><initarg>y</initarg></d>`,
		`<d><initarg>--password</initarg><initarg>--verbose</initarg><initarg>y</initarg></d>`,
		`<d><initarg>--password</initarg><initdir>/</initdir><initarg>y</initarg></d>`,
		// queries
		`<source protocol='https' name='x' query='a=b&amp;X-Amz-Signature=|12|&amp;api_key=|3|&amp;c=d&amp;sig=|e|'/>`,
		// keys
		"<m><k>-----BEGIN RSA PRIVATE KEY-----|\nMIIE\n|-----END RSA PRIVATE KEY-----\n</k><c>-----BEGIN CERTIFICATE-----\nMIIE\n</c></m>",
		"<m><k>-----BEGIN PRIVATE KEY-----|MIIE|</k><k>-----BEGIN PRIVATE KEY----- </k></m>",
		// no document of libvirt's
		`<graphics passwd='|s3cr3t|'`,
		`<!DOCTYPE a><a><password>|x|</password></a>`,
		"<a passwd='|x|'>\xff</a>",
		`password=|x|`,
	} {
		var in, want strings.Builder
		for i, part := range strings.Split(marked, "|") {
			in.WriteString(part)
			if i%2 == 1 {
				part = redact.Mark
			}
			want.WriteString(part)
		}
		got := redact.XML([]byte(in.String()))
		assert.Equal(t, want.String(), string(got))
		assert.Equal(t, string(got), string(redact.XML(got)), "again")
		if wellFormed([]byte(in.String())) == nil {
			assert.NoError(t, wellFormed(got), "%s", got)
		}
	}
}

func TestXMLLeavesTheRest(t *testing.T) {
	for _, s := range []string{
		"", " ", "<a/>", "no XML",
		`<graphics type='vnc' passwd='' passwdValidTo='2011-05-31T16:11:22'/>`,
		`<auth username='u'><secret type='iscsi' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80f6d'></secret></auth>`,
		"<secret ephemeral='no' private='yes'>\n <uuid>u</uuid>\n</secret>",
		`<encryption secret='32ee7e76-2178-47a1-ab7b-269e6e348015'/>`,
		`<a xmlns:token='urn:x' xmlns='password:x'><token:b c='d'>e</token:b></a>`,
		`<launchSecurity type='sev'><dhCert>AQAA</dhCert><session>IHAVE</session></launchSecurity>`,
		`<source protocol='rbd' name='secrets/web'><host name='a' port='1'/><snapshot name='x'/></source>`,
		`<source protocol='https' name='x' query='a=b&amp;c=d'/>`,
		`<network><portgroup name='tokens'><vlan><tag id='1'/></vlan></portgroup></network>`,
		"<password> \n</password>", "<password/>", "<a>the password is &lt;wrong&gt;</a>",
		`<d><qemu:arg xmlns:qemu='u' value='--password'/></d>`,
	} {
		assert.Equal(t, s, string(redact.XML([]byte(s))))
	}
}

// corpus calls f with each document of libvirt's hooks that was recorded and, where
// VIRTHOOK_CORPUS names a folder, with all XML in it.
func corpus(t *testing.T, f func(name string, doc []byte)) {
	for _, c := range captures.All() {
		if c.XML != nil {
			f(c.Version+"/"+c.Name, c.XML)
		}
	}
	dir := os.Getenv("VIRTHOOK_CORPUS")
	if dir == "" {
		t.Log("VIRTHOOK_CORPUS names no folder with XML of libvirt: the project's captures only")
		return
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".xml" {
			return err
		}
		doc, err := os.ReadFile(path)
		if err == nil && wellFormed(doc) == nil {
			f(path, doc)
		}
		return err
	}))
}

// passwords are the values that libvirt itself leaves out of XML unless it is asked
// for them, found in another way than package redact's.
func passwords(t *testing.T, doc []byte) (found []string) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = false
	inCookie := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			inCookie = token.Name.Local == "cookie"
			for _, a := range token.Attr {
				if a.Name.Local == "passwd" && a.Value != "" {
					found = append(found, "'"+a.Value+"'", `"`+a.Value+`"`)
				}
			}
		case xml.EndElement:
			inCookie = false
		case xml.CharData:
			if inCookie {
				found = append(found, ">"+string(token)+"<")
			}
		}
	}
}

// libvirt's own documents stay what they are, but for what is secret.
func TestXMLOfLibvirt(t *testing.T) {
	all, changed, secret := 0, 0, 0
	corpus(t, func(name string, doc []byte) {
		before := bytes.Clone(doc)
		got := redact.XML(doc)
		require.Equal(t, before, doc, "%s: the input was changed", name)
		require.NoError(t, wellFormed(got), name)
		found := passwords(t, doc)
		for _, p := range found {
			require.NotContains(t, string(got), p, name)
		}
		all++
		if len(found) > 0 {
			secret++
		}
		if bytes.Equal(doc, got) {
			require.Empty(t, found, name)
			return
		}
		changed++
		requireHidden(t, name, doc, got)
	})
	t.Logf("%d documents, %d changed, %d with passwords", all, changed, secret)
	require.NotZero(t, secret)
	assert.Less(t, changed, all/4, "most have no secret")
}

// requireHidden wants what is left of the document between the marks, in order, and
// each line that is changed to look like one with a secret.
func requireHidden(t *testing.T, name string, doc, got []byte) {
	rest := string(doc)
	for i, kept := range strings.Split(string(got), redact.Mark) {
		at := strings.Index(rest, kept)
		require.GreaterOrEqual(t, at, 0, "%s: %q was not there", name, kept)
		if i == 0 {
			require.Zero(t, at, name)
		}
		rest = rest[at+len(kept):]
	}
	for line := range strings.Lines(string(got)) {
		if strings.Contains(line, redact.Mark) && !strings.Contains(string(doc), line) {
			require.Regexp(t, `(?i)passw|cookie|secret|token|credential|opt/|://|key`, line, name)
		}
	}
}

// What takes quadratic time with any of these takes minutes.
func TestXMLIsLinear(t *testing.T) {
	start := time.Now()
	for _, unit := range []string{
		"<secret>x</secret>", "<secret/>x", "<password>x</password>", "<initarg>--password</initarg>", "<arg value='-passwd'/>",
		"-----BEGIN PRIVATE KEY-----", "-----END", "<s query='&amp;&amp;&amp;='/>", "<a b='&#119;'/>", "&#119;", "<!-- password=x -->", "<![CDATA[password=x]]>", "password=x ",
	} {
		for _, around := range [][2]string{{"<a>", "</a>"}, {"<secret>", "</secret>"}, {"<password>", "</password>"}} {
			_ = redact.XML([]byte(around[0] + strings.Repeat(unit, 1<<18/len(unit)) + around[1]))
		}
	}
	attributes := "<s query='" + strings.Repeat("a=b&amp;", 1<<15) + "' value='" + strings.Repeat("x=", 1<<17) + "'/>"
	_ = redact.XML([]byte(attributes))
	assert.Less(t, time.Since(start), 2*time.Minute)
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{
		`<graphics passwd='x'/>`, `<a>password=x]&gt;</a>`, `<!--passwd=x--><a><![CDATA[passwd=x]]></a>`, `<a b='pass&#119;ord="x"'/>`,
		`<secret>a<b/>c</secret>`, `<password><password>a</password>b</password>`, `<s query='sig=a&amp;b'/>`, `<a>http://u:p@h {"token":"a</a>`,
		"<k>-----BEGIN PRIVATE KEY-----x</k>", `<initarg>--password</initarg>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := redact.XML(doc)
		if wellFormed(doc) == nil {
			require.NoError(t, wellFormed(got), "%q becomes %q", doc, got)
		}
	})
}
