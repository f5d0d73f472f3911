package xmlscan

import (
	"math/rand/v2"
	"slices"
)

// fragments are put into documents: what is right in some places and wrong in
// most, and each rule's trespass.
var fragments = []string{
	"<", ">", "/", "/>", "</", "&", ";", "'", "\"", "=", " ", "\n", "\r", "\t", "]", "]]>", "-", "--", "-->", "?", "?>", "!", ":", "x", "1",
	"&amp;", "&lt", "&#65;", "&#x1F600;", "&#0;", "&#xD800;", "&#x110000;", "&nbsp;", "&#x;", "&;",
	"<x/>", "<x>", "</x>", "<x:y/>", "<x:y:z/>", "<:x/>", "<x:/>", "<é/>", "<·/>", "<x·/>", "< x/>", "<x / >",
	" x='1'", " x='1' x='2'", " p:x='1'", " x=1", " x", "x='1'", " x = \"'\"", " x='<'", " xmlns='u'", " xmlns:p='u'", " xmlns:p=''", " p:q:r=''",
	"<!-- x -->", "<!---->", "<!--->", "<!-- -- -->", "<!-- x --->", "<!--", "<![CDATA[<&]]>", "<![CDATA[", "<![CDATA[]]>",
	"<?p?>", "<?p i?>", "<?p?i?>", "<?p:q?>", "<?xml version='1.0'?>", "<?XML?>", "<?xmlx?>", "<?", "<!DOCTYPE x>", "<!ENTITY x 'y'>",
	"\x00", "\x01", "\x1F", "\x7F", "\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\u0080", "\uFFFD", "\uFFFE", "\uFFFF", "\U0001FFFE", "\U0010FFFF", "\uFEFF", "é", "×",
}

// prologs are put before documents.
var prologs = []string{
	"\uFEFF", " ", "\n", "x", "\uFEFF\n", "<!-- x -->\n", "<?p?>", "<!DOCTYPE domain>\n", "<!DOCTYPE domain [<!ENTITY x 'y'>]>\n",
	"<?xml version='1.0'?>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "\uFEFF<?xml version='1.0' encoding='utf-8'?>", " <?xml version='1.0'?>",
	"<?xml version='1.0' encoding='us-ascii'?>", "<?xml version='1.0' encoding='ISO-8859-1'?>", "<?xml version='1.0' encoding='UTF8'?>", "<?xml version='1.0' encoding=''?>",
	"<?xml version='1.0' standalone='yes'?>", "<?xml version='1.0' standalone='maybe'?>", "<?xml version='1.0' standalone='no' encoding='utf-8'?>",
	"<?xml version='1.0'encoding='utf-8'?>", "<?xml version='1.1'?>", "<?xml version='2.0'?>", "<?xml version='1.'?>", "<?xml?>", "<?xml encoding='utf-8'?>", "<?xml version = '1.0' ?>", "<?xml version='1.0' x='y'?>",
}

// epilogs are put after documents.
var epilogs = []string{" \n", "<!-- x -->", "<?p?>", "<x/>", "x", "&amp;", "<![CDATA[]]>", "\x00", "\uFEFF", "</domain>", "<!-- ", "<"}

// mutate returns src with one or two changes.
func mutate(r *rand.Rand, src []byte) []byte {
	out := slices.Clone(src)
	for range 1 + r.IntN(2) {
		at := r.IntN(len(out) + 1)
		if r.IntN(2) == 0 {
			at = boundary(r, out)
		}
		switch r.IntN(20) {
		case 0, 1, 2, 3, 4, 5, 6, 7:
			out = slices.Insert(out, at, []byte(fragments[r.IntN(len(fragments))])...)
		case 8, 9, 10: // one character becomes another one of the document
			if at < len(out) {
				out[at] = out[r.IntN(len(out))]
			}
		case 11: // one bit
			if at < len(out) {
				out[at] ^= 1 << r.IntN(8)
			}
		case 12, 13, 14: // a few bytes go
			out = slices.Delete(out, at, min(len(out), at+1+r.IntN(8)))
		case 15: // a part comes twice
			end := min(len(out), at+1+r.IntN(40))
			out = slices.Insert(out, end, slices.Clone(out[at:end])...)
		case 16: // the rest goes
			out = out[:at]
		case 17: // a part is elsewhere
			end := min(len(out), at+1+r.IntN(40))
			part := slices.Clone(out[at:end])
			out = slices.Delete(out, at, end)
			out = slices.Insert(out, boundary(r, out), part...)
		case 18:
			out = append([]byte(prologs[r.IntN(len(prologs))]), out...)
		case 19:
			out = append(out, epilogs[r.IntN(len(epilogs))]...)
		}
		if len(out) == 0 {
			return out
		}
	}
	return out
}

// boundary returns an offset next to something that means something in XML.
func boundary(r *rand.Rand, src []byte) int {
	if len(src) == 0 {
		return 0
	}
	at := r.IntN(len(src))
	for k := range src {
		i := (at + k) % len(src)
		switch src[i] {
		case '<', '>', '/', '=', '\'', '"', ' ':
			return i + r.IntN(2)
		}
	}
	return at
}
