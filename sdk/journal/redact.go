package journal

import "github.com/virthook/virthook/internal/redact"

// Redact replaces what looks like a secret in s by [redacted]. The text may be XML or
// JSON, also a part of it, cut off anywhere, or quoted within other text; of what is
// cut off within a secret, all is hidden to the end. Text without secrets stays as it
// is.
//
// A name says that something is a secret when it contains passw, passphrase, secret,
// token, credential, cookie, authorization, apikey or privatekey, whatever the case
// and whether or not there is - or _ between the words. Hidden are
//
//   - what is given to such a name, as name="value", name='value' or name=value
//     without spaces; as "name": "value"; and in a struct as fmt prints it, {Name:value …}
//   - the content of an element with such a name, and its attribute value
//   - the same of an element whose attribute name is such a name, as in
//     <qemu:env name='DB_PASSWORD' value='…'/>, <initenv name='API_TOKEN'>…</initenv>,
//     but of a disk's <source> and a network's <portgroup>, which have other names
//   - firmware configuration, which brings cloud-init or Ignition to the guest:
//     <entry name='opt/…'>…</entry>, and string= in QEMU's -fw_cfg name=opt/…
//   - data= in QEMU's -object secret,…
//   - the password in a URL with a user
//
// That holds both secrets that libvirt itself leaves out of a domain's XML unless it is
// asked for them: the passwd of graphics and the cookies of a disk. References are no
// secrets and stay: <secret type='…' uuid='…'/> and usage='…', a secret='UUID', an
// <auth username='…'>, passwdValidTo, the name of a key file. So do launchSecurity's
// dhCert and session, which only the processor can decrypt.
func Redact(s string) string { return redact.Text(s) }
