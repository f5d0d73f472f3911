package redact_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/virthook/virthook/internal/redact"
)

// Before the first | is what is before the secret, after the second what is after it;
// more secrets follow likewise.
func TestText(t *testing.T) {
	for _, marked := range []string{
		// libvirt's own
		`<graphics type='vnc' port='5904' passwd='|s3cr3t|' passwdValidTo='2011-05-31T16:11:22'/>`,
		`<graphics type="spice" passwd = "|it's|" connected="keep">`,
		"<graphics passwd\n=\t'|a \"b\" > c|' x='y'/>",
		`<graphics type='rdp' username='user' passwd='|päss ` + "\xff" + `|'>`,
		`<cookies>|<cookie name='a'>x</cookie><cookie name='b'>y</cookie>|</cookies><readahead/>`,
		`<cookie name='test'>|"blurb"|</cookie>`,
		`<entry name='opt/com.coreos/config'>|{"ignition": {}}|</entry>`,
		`<qemu:arg value='-fw_cfg'/><qemu:arg value='name=opt/x,string=|{"a": 1,,"b": 2}|'/>`,
		`<qemu:arg value="secret,id=s0,data=|let me, in|"/><qemu:arg value='x'/>`,
		`-object secret,id=s0,data=|letmein|`,
		`{"qom-type": "secret", "id": "s0", "data": "|let me in|"}, {"data": "x"}`,
		`{&quot;qom-type&quot;:&quot;secret&quot;,&quot;data&quot;:&quot;|let me in|&quot;}`,
		`<qemu:env name='DB_PASSWORD' value='|x y|'/><qemu:env name='A' value='b'/>`,
		`<qemu:env value='|x y|' name='API_TOKEN'/>`,
		`<initenv name='MY_SECRET'>|x|</initenv><initenv name='HOME'>/</initenv>`,
		`<entry>io.systemd.credential:passwd.plaintext=|a b, c|</entry>`,
		`<kernel>http://user:|pa:ss|@host/k?a=b@c:d</kernel>`,
		// others' in <metadata>, and text around XML
		`<app:password xmlns:app='u'>|<![CDATA[a</app:password>b]]>|</app:password>`,
		`<Password algo="x>y">|a<b>c</b>|</Password>`,
		`<x:secret>|text|</x:secret>`,
		`<apiKey value='|v|' id='1'/>`,
		`<a b="unbalanced><password>|x|</password>`,
		`<login user='u' admin-passwd='|x|' private_key="|y|" auth_token='|z|'/>`,
		`decoding "<graphics passwd=\"|a b|\" port=\"1\">"`,
		`decoding "\"<graphics passwd=\\\"|a b|\\\" port=1\""`,
		`&lt;graphics passwd=&quot;|a b|&quot; port=&quot;1&quot;`,
		`&lt;graphics passwd=&#39;|a b|&#39; port=&#39;1&#39;`,
		`run mount -o user=u,password=|a,,b|,ro x`,
		`password=|x| other=y`,
		`{"password": "|a\"b\\|", "n": 1, "token" : |12|, "secret": "|x|"}`,
		`"{\"password\":\"|a\\\"b|\",\"n\":1}"`,
		`{Port:1 Listeners:[{Type:x}] Passwd:|a b|} x`,
		`&{Port:1 Passwd:|a b`,
		"Authorization: |Bearer abc|\nX: y",
		// one within another
		`<password>|a token=b c|</password>`,
		// cut off
		`<graphics passwd='|s3cr3t`,
		`<graphics passwd=|s3cr3t`,
		`hics passwd='|s3cr3t|' port='1'/><a`,
		`asswd='x' passwd="|s3cr3t`,
		`<password>|s3cr3t`,
		`<password>|s3cr3t</passwor`,
		`<password>|<![CDATA[s3cr3t</password>`,
		`<entry name='opt/x'>|abc`,
		`<qemu:arg value='secret,id=x,data=|abc`,
		`{"token": "|abc`,
		`http://u:|p|@`,
	} {
		var in, want strings.Builder
		for i, part := range strings.Split(marked, "|") {
			in.WriteString(part)
			if i%2 == 1 {
				part = redact.Mark
			}
			want.WriteString(part)
		}
		got := redact.Text(in.String())
		assert.Equal(t, want.String(), got)
		assert.Equal(t, got, redact.Text(got), "again")
	}
}

// One secret that overlaps another is hidden with it.
func TestTextOverlap(t *testing.T) {
	assert.Equal(t, "<password>[redacted]'>d", redact.Text("<password>a passwd='b</password>c'>d"))
}

func TestTextLeavesTheRest(t *testing.T) {
	for _, s := range []string{
		"", "no secret", "password", "the password is wrong", "passwd=", "passwd= x", "invalid token: EOF",
		"virSecretGetValue:67 : internal error: x",
		`<graphics type='vnc' passwd='' passwdValidTo='2011-05-31T16:11:22'/>`,
		`<auth username='u'><secret type='iscsi' usage='mycluster_myname'/></auth>`,
		`<auth username='u'><secret type='iscsi' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80f6d'></secret></auth>`,
		"<secret ephemeral='no' private='yes'>\n <uuid>u</uuid></secret>",
		"<secret>\n</secret>",
		`<encryption secret='32ee7e76-2178-47a1-ab7b-269e6e348015'/>`,
		`<a xmlns:token='urn:x'><token:b c='d'>e</token:b></a>`,
		`<launchSecurity type='sev'><dhCert>AQAA</dhCert><session>IHAVE</session></launchSecurity>`,
		`<entry name='opt/com.coreos/config' file='/tmp/provision.ign'/>`,
		`<entry name='serial'>1</entry>`,
		`<identity username='u' keyfile='/root/.ssh/id'/>`,
		`<qemu:arg value='if=none,data=x,string=y'/>`,
		"<password> \n</password>", "<password/>x", "a < b > c", "http://host/a@b:c", "http://user@host",
		`{"data": "x"}`,
		`<source protocol='rbd' name='secrets/web'><host name='a'/></source>`, `<portgroup name='tokens'><vlan/></portgroup>`,
	} {
		assert.Equal(t, s, redact.Text(s))
	}
}

// What takes quadratic time with any of these takes minutes.
func TestTextIsLinear(t *testing.T) {
	start := time.Now()
	for _, unit := range []string{
		"=", "a=", "a:", "a: ", " ", "passwd=", "passwd='", `passwd=\"`, "<a ", "<a '", "<a b=\"", "<secret>", "<secret> ", "<password>", "</password",
		"<password></password>", `"data":`, `"qom-type":"`, `"password":\`, "http://", "http://a:b@", "://@:", "{Passwd:", "{", `\`, `"`, "&quot;", "&quot;:",
		"secret,data=", "name=opt/,string=", "secret='32ee7e76-2178-47a1-ab7b-269e6e348015'", "authorization:", "<!", "<![CDATA[", "<a name='opt/", "\"\":\"", "\xff=", ",,", "password=,,",
	} {
		for _, before := range []string{"", "<password>", "password='", `"token":\\\"`} {
			_ = redact.Text(before + strings.Repeat(unit, 1<<18/len(unit)))
		}
	}
	assert.Less(t, time.Since(start), 2*time.Minute)
}

func FuzzText(f *testing.F) {
	f.Add("<graphics passwd='", "s3cr3t", "' port='1'/>", uint8(0))
	f.Add("a <![CDATA[ & ; {", "x", "<", uint8(1))
	f.Add(`"\`, `\`, `"`, uint8(2))
	f.Add(`it's <a b="`, "x", ">", uint8(3))
	f.Add("&quot;", "x", "", uint8(4))
	f.Fuzz(func(t *testing.T, before, secret, after string, form uint8) {
		plain := strings.Map(func(r rune) rune {
			if strings.ContainsRune("=:<", r) {
				return '.'
			}
			return r
		}, before)
		assert.Equal(t, plain, redact.Text(plain), "nothing is secret without = : or <")

		// A secret that is found nowhere else, as it may stand in each form.
		forms := []struct{ open, close, never string }{
			{` passwd="`, `"`, `"`},
			{` passwd='`, `'`, `'`},
			{"<password>", "</password>", "<"},
			{" passwd=", " ", "\"'<>, \t\r\n=&\\"},
			{` passwd=&quot;`, `&quot;`, `&`},
			{` passwd=\"`, `\"`, `"\`},
			{"<cookie name='a'>", "</cookie>", "<"},
		}
		v := forms[int(form)%len(forms)]
		secret = "\u2603" + strings.Map(func(r rune) rune {
			if strings.ContainsRune(v.never, r) {
				return -1
			}
			return r
		}, secret) + "\u2603"
		before = strings.ReplaceAll(before, "\u2603", "")
		after = strings.ReplaceAll(after, "\u2603", "")
		for _, in := range []string{before + v.open + secret + v.close + after, before + v.open + secret} {
			if got := redact.Text(in); strings.Contains(got, "\u2603") {
				t.Errorf("Text(%q) = %q", in, got)
			}
		}
	})
}
