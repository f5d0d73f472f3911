//go:build integration

package libvirtd_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/virthook/virthook/internal/verdict"
	"github.com/virthook/virthook/sdk/hooktest/libvirtd/internal/testhook/protocol"
)

// odd is one way of being a hook, tried on one operation.
type odd struct {
	name   string
	op     string          // such as "qemu/prepare"
	files  []file          // below hooks, beside the recorder, which is hooks/DRIVER
	rules  []protocol.Rule // for the compiled hook
	cause  verdict.Cause   // of a verdict that is not "continues": by default that the hook failed
	takes  string          // what the XML that libvirt takes has in it
	prints string          // what the hooks print, where that is not takes
	needs  string          // the interpreter, without which this shows little
	late   late            // what a child does that is left behind
	guest  string          // another guest than "web"
	logged bool            // libvirt logs it
	how    string          // "managed": the restore is that of a managed save
	// unequal is why fire's message cannot be libvirt's. Then it must not be.
	unequal string
	// reworded is that libvirt's words were others in 9.0: fire has the newer.
	reworded bool
}

// late says whether a child that is left behind keeps libvirt waiting.
type late int

const (
	noChild late = iota
	waited       // until the child has made the file lateFile
	alone        // nobody waits for it
)

const lateFile = "/run/virthook/late"

type file struct {
	name, content string
	mode          uint32 // 0: 0755
	link          string // it is a symbolic link to this
	folder, fifo  bool
	compiled      bool // the test hook
}

// script is one hook of a driver.
func script(driver, content string) []file {
	return []file{{name: driver + ".d/50-odd", content: content}}
}

// sh is a script of the shell.
func sh(body string) string { return "#!/bin/sh\n" + body + "\n" }

// only is a script that does it in one operation and succeeds in all others.
func only(op, body string) string { return sh(`[ "$2" = ` + op + ` ] || exit 0` + "\n" + body) }

// says is a script that fails with a text on its standard error, byte by byte.
func says(text string) string {
	var octal strings.Builder
	for _, b := range []byte(text) {
		octal.WriteString(`\` + strconv.FormatInt(int64(b)|1<<9, 8)[1:])
	}
	return sh("printf '" + octal.String() + "' >&2; exit 1")
}

// odds are all, by the host that they are tried on.
func odds() map[string][]odd {
	programs := programs()
	half := len(programs) / 2
	return map[string][]odd{
		"programs":  programs[:half],
		"more":      programs[half:],
		"filters":   filters(),
		"others":    others(),
		"compiled":  compiled(),
		"migration": migrations(),
	}
}

// programs are hooks that are odd as programs. What they are called for does not
// matter: it is a guest's first operation that sees them.
func programs() (odds []odd) {
	prepare := func(name, content string, edits ...func(*odd)) {
		o := odd{name: name, op: "qemu/prepare", files: script("qemu", content)}
		for _, edit := range edits {
			edit(&o)
		}
		odds = append(odds, o)
	}
	needs := func(program string) func(*odd) { return func(o *odd) { o.needs = program } }

	prepare("silent", sh("exit 0"))
	prepare("only a comment", "#!/bin/sh\n")
	prepare("no end of line", "#!/bin/sh")
	prepare("empty line of the interpreter", "#!\nexit 0\n")
	prepare("exit 1", sh("exit 1"))
	prepare("exit 2 and a line", sh("echo no >&2; exit 2"))
	prepare("exit 126", sh("exit 126"))
	prepare("exit 127", sh("echo 'not found, says the script' >&2; exit 127"))
	prepare("exit 137, as if killed", sh("exit 137"))
	prepare("exit 255", sh("exit 255"))
	prepare("exit 256", sh("exec perl -e 'exit 256'"), needs("/usr/bin/perl"))
	for _, signal := range []string{"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "PIPE", "ALRM", "TERM", "SYS"} {
		prepare("ends itself with "+signal, sh("ulimit -c 0; echo bye >&2; kill -"+signal+" $$"))
	}
	prepare("killed and silent", sh("kill -KILL $$"))

	prepare("closes stdin", sh("exec <&-; exit 0"))
	prepare("closes all three and succeeds", sh("exec <&- >&- 2>&-; exit 0"))
	prepare("closes all three and fails", sh("exec <&- >&- 2>&-; exit 3"))
	prepare("reads nothing of a megabyte", sh("exit 0"), func(o *odd) { o.guest = "big" })
	prepare("closes stdin before a megabyte, fails", sh("exec <&-; echo closed >&2; exit 1"), func(o *odd) { o.guest = "big" })
	prepare("reads one line of a megabyte, fails", sh("read line; echo \"$line\" >&2; exit 1"), func(o *odd) { o.guest = "big" })
	prepare("counts what it reads of a megabyte", sh("wc -c >&2; exit 1"), func(o *odd) { o.guest = "big" })
	prepare("prints what it reads", sh("cat"))
	prepare("prints XML of another kind", sh("echo '<network/>'"))
	prepare("a megabyte on stdout", sh("head -c 1000000 /dev/zero"))
	prepare("a megabyte on stderr", sh("head -c 1000000 /dev/zero | tr '\\0' x >&2"))
	prepare("a megabyte on stderr, fails", sh("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1"))
	prepare("both outputs at once", sh("for i in 1 2 3 4 5 6 7 8 9; do head -c 70000 /dev/zero; echo $i >&2; done; exit 1"))

	texts := map[string]string{
		"one line":              "no\n",
		"many lines":            "one\ntwo\n\nthree\n",
		"no end of line":        "no",
		"only ends of lines":    "\n\n",
		"blanks around":         "  \t no \t \n \n",
		"control characters":    "a\tb\rc\x1b[31md\x07\x08e\x7f\n",
		"UTF-8":                 "größer, 日本, 🙂\n",
		"bytes that no text is": "a\xff\xfe\xc3(\n",
		"a NUL in it":           "before\x00after\n",
		"only a NUL":            "\x00\n",
		"formats":               "100% %s %n %1$s %%\n",
		"quotes and XML":        "it's \"so\" & <b>$HOME</b> `id` \\n\n",
		"like libvirt's log":    "error : virRunScript:1 : internal error: not this\n",
		"1023 characters":       strings.Repeat("1", 1022) + "\n",
		"1024 characters":       strings.Repeat("2", 1023) + "\n",
		"5000 of two bytes":     strings.Repeat("é", 5000) + "\n",
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		prepare("stderr: "+name, says(texts[name]))
	}
	prepare("stdout is not in the message", sh("echo out; exit 1"))
	prepare("stderr is dropped", sh("echo err >&2; exit 0"))
	prepare("both in order", sh("echo out; echo err >&2; echo out; echo err again >&2; exit 1"))

	prepare("CRLF after the interpreter", "#!/bin/sh\r\nexit 0\r\n")
	prepare("CRLF after the interpreter's argument", "#!/bin/sh -e\r\nexit 0\r\n")
	prepare("CRLF in the script", "#!/bin/sh\nexit 0\r\n")
	prepare("no interpreter given", "exit 0\n")
	prepare("empty", "")
	prepare("a byte order mark", "\xef\xbb\xbf#!/bin/sh\nexit 0\n")
	prepare("a blank first line", "\n#!/bin/sh\nexit 0\n")
	prepare("XML", "<?xml version='1.0'?>\n<hook/>\n")
	prepare("interpreter is missing", "#!/no/such/interpreter\n")
	prepare("interpreter is a folder", "#!/usr\n")
	prepare("interpreter is not executable", "#!/etc/passwd\n")
	prepare("interpreter by env is missing", "#!/usr/bin/env no-such-interpreter\n")
	prepare("half an ELF file", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	prepare("another machine's ELF file", "\x7fELF\x02\x02\x01"+strings.Repeat("\x00", 9)+"\x00\x02\x00\x16"+strings.Repeat("\x00", 44))
	prepare("a mistake in the shell", sh("if true; then echo"))
	prepare("a command that is missing", sh("no-such-command"))
	prepare("sh -e", "#!/bin/sh -e\necho before >&2\nfalse\necho after >&2\n")

	prepare("bash: unset variable", "#!/bin/bash\nset -u\necho \"$guest\"\n", needs("/bin/bash"))
	prepare("bash: pipefail", "#!/bin/bash\nset -euo pipefail\nfalse | cat\n", needs("/bin/bash"))
	prepare("bash: process substitution", "#!/bin/bash\nread -r line < <(cat)\n[[ $line == '<domain'* ]] || exit 1\n", needs("/bin/bash"))
	prepare("perl: dies", "#!/usr/bin/perl\ndie \"from perl\\n\";\n", needs("/usr/bin/perl"))
	prepare("perl: dies with the line of its input", "#!/usr/bin/perl\nmy $l = <STDIN>; die 'from perl';\n", needs("/usr/bin/perl"))
	prepare("awk: exits", "#!/usr/bin/awk -f\nBEGIN { print \"from awk\" > \"/dev/stderr\"; exit 4 }\n", needs("/usr/bin/awk"))
	prepare("python: silent", "#!/usr/bin/python3\nimport sys\nsys.stdin.read()\n", needs("/usr/bin/python3"))
	prepare("python: an exception", "#!/usr/bin/python3\nraise ValueError('from python')\n", needs("/usr/bin/python3"))
	prepare("python: sys.exit with a text", "#!/usr/bin/python3\nimport sys\nsys.exit('from python')\n", needs("/usr/bin/python3"))

	// What a hook finds of the world is in its message: a difference shows there.
	prepare("tells its arguments", sh(`printf '%s|' "$#" "$0" "$@" >&2; exit 1`))
	prepare("tells its environment", "#!/usr/bin/perl\nprint STDERR map { \"$_=$ENV{$_}\\n\" } sort keys %ENV; exit 1;\n", needs("/usr/bin/perl"))
	prepare("tells its folder and umask", sh("pwd >&2; umask >&2; exit 1"))
	prepare("tells its signals", sh("grep Sig[BIC] /proc/self/status >&2; exit 1"))
	prepare("tells its limits", sh("ulimit -a >&2; exit 1"))
	prepare("tells its descriptors", sh(`exec perl -e 'opendir(my $d, "/proc/self/fd"); my $own = fileno($d) // -1; for (sort { $a <=> $b } grep { /\d/ } readdir $d) { my $l = readlink "/proc/self/fd/$_"; next if $l =~ m{^/proc/}; $l =~ s/\d+/N/g; print STDERR "$_ $l\n" } exit 1'`), needs("/usr/bin/perl"))
	prepare("tells a quoted name", sh(`printf '%s' "$1" >&2; exit 1`), func(o *odd) { o.guest = quoted })

	// A child that has an output open holds libvirt up until it ends.
	child := "(sleep 1; echo late >&2; echo >" + lateFile + ")"
	lately := func(l late) func(*odd) { return func(o *odd) { o.late = l } }
	prepare("child keeps both outputs", only("prepare", child+" & exit 0"), lately(waited))
	prepare("child keeps stdout", only("prepare", child+" 2>/dev/null & exit 0"), lately(waited))
	prepare("child keeps stderr and adds to it", only("prepare", child+" >/dev/null & echo early >&2; exit 1"), lately(waited))
	prepare("child in a session of its own", only("prepare", "setsid sh -c '"+child+"' </dev/null & echo early >&2; exit 1"), lately(waited))
	prepare("child of a killed hook", only("prepare", child+" & echo early >&2; kill -KILL $$"), lately(waited))
	// The hook lets go before the child begins: for a moment that one would hold them.
	prepare("child keeps only stdin", sh("exec 3<&0 >/dev/null 2>&1; (sleep 1000; echo >"+lateFile+") <&3 & exit 0"), lately(alone))
	prepare("child keeps nothing, the hook fails", sh("echo no >&2; exec </dev/null >/dev/null 2>&1; (sleep 1000; echo >"+lateFile+") & exit 1"), lately(alone))
	prepare("changes and removes itself", sh("echo 'exit 0' >\"$0\"; rm -- \"$0\"; echo gone >&2; exit 1"))
	return append(odds, folders()...)
}

const quoted = "it's \"web\" $HOME é"

// folders are hooks that are odd as files.
func folders() (odds []odd) {
	prepare := func(name string, files ...file) {
		for i, f := range files {
			if f.content == "" && f.link == "" && !f.folder && !f.fifo {
				files[i].content = says(f.name + "\n")
			}
		}
		odds = append(odds, odd{name: name, op: "qemu/prepare", files: files})
	}
	good := sh("exit 0")
	prepare("not executable", file{name: "qemu.d/50-odd", mode: 0o644})
	prepare("executable by its group alone", file{name: "qemu.d/50-odd", mode: 0o654})
	prepare("executable by others alone", file{name: "qemu.d/50-odd", mode: 0o645})
	prepare("without read permission", file{name: "qemu.d/50-odd", mode: 0o111})
	prepare("setuid", file{name: "qemu.d/50-odd", mode: 0o4755})
	prepare("setgid and sticky", file{name: "qemu.d/50-odd", mode: 0o3755})
	prepare("a folder", file{name: "qemu.d/50-odd", folder: true})
	prepare("a folder with a hook in it", file{name: "qemu.d/50-odd/10-inner"})
	prepare("a pipe", file{name: "qemu.d/50-odd", fifo: true})
	prepare("a link to nothing", file{name: "qemu.d/50-odd", link: "/no/such/hook"})
	prepare("a link to itself", file{name: "qemu.d/50-odd", link: "50-odd"})
	prepare("a link to a folder", file{name: "qemu.d/50-odd", link: "/usr"})
	prepare("a link to a program", file{name: "qemu.d/50-odd", link: "/bin/false"})
	prepare("a relative link", file{name: "store/hook"}, file{name: "qemu.d/50-odd", link: "../store/hook"})
	prepare("a link to what is not executable", file{name: "store/hook", mode: 0o600}, file{name: "qemu.d/50-odd", link: "../store/hook"})
	prepare("the folder is a link", file{name: "store/50-odd"}, file{name: "qemu.d", link: "store"})
	prepare("the folder is a file", file{name: "qemu.d"})
	prepare("the folder is a link to nothing", file{name: "qemu.d", link: "/no/such/folder"})
	prepare("the folder is empty", file{name: "qemu.d", folder: true})
	prepare("hidden", file{name: "qemu.d/.50-odd"})
	prepare("a backup", file{name: "qemu.d/50-odd~"})
	prepare("a package's leftover", file{name: "qemu.d/50-odd.dpkg-old"})
	prepare("a name with spaces, quotes and more", file{name: "qemu.d/50 odd's \"é\" $HOME;*"})
	prepare("a name with an end of line", file{name: "qemu.d/50\nodd"})
	prepare("a name of bytes", file{name: "qemu.d/50-\xff\xfe"})
	prepare("a name that begins with a minus", file{name: "qemu.d/-e"})
	prepare("the longest name", file{name: "qemu.d/" + strings.Repeat("o", 255)})
	prepare("another driver's folder", file{name: "lxc.d/50-odd"}, file{name: "qemu.c/50-odd"})

	prepare("two fail", file{name: "qemu.d/1"}, file{name: "qemu.d/2"})
	prepare("the first fails", file{name: "qemu.d/1"}, file{name: "qemu.d/2", content: good})
	prepare("the second fails", file{name: "qemu.d/1", content: good}, file{name: "qemu.d/2"})
	prepare("the order is that of bytes", file{name: "qemu.d/a"}, file{name: "qemu.d/Z"}, file{name: "qemu.d/é"}, file{name: "qemu.d/.z"}, file{name: "qemu.d/10"}, file{name: "qemu.d/9"})
	prepare("a failure, and one that is killed", file{name: "qemu.d/1"}, file{name: "qemu.d/2", content: sh("kill -TERM $$")})
	prepare("a failure, and one that cannot be run", file{name: "qemu.d/1"}, file{name: "qemu.d/2", content: "exit 0\n"})
	prepare("what is skipped between", file{name: "qemu.d/1", mode: 0o600}, file{name: "qemu.d/2", folder: true}, file{name: "qemu.d/3", link: "/no"}, file{name: "qemu.d/4"})
	prepare("a hook that removes the next", file{name: "qemu.d/1", content: sh(`[ "$2" != prepare ] || rm -f "${0%/*}/2"; exit 0`)}, file{name: "qemu.d/2"})
	return odds
}

// filters are what a filter of a restore may print. The edits are made with sed, of
// the XML that libvirt sends.
func filters() (odds []odd) {
	restore := func(name, body string, cause verdict.Cause, edits ...func(*odd)) {
		o := odd{name: name, op: "qemu/restore", files: script("qemu", only("restore", body)), cause: cause}
		for _, edit := range edits {
			edit(&o)
		}
		odds = append(odds, o)
	}
	takes := func(text string) func(*odd) { return func(o *odd) { o.takes = text } }
	reworded := func(o *odd) { o.reworded = true }
	prints := func(text string) func(*odd) { return func(o *odd) { o.prints = text } }
	unequal := func(reason string) func(*odd) { return func(o *odd) { o.unequal = reason } }
	chain := func(name string, cause verdict.Cause, bodies ...string) {
		o := odd{name: name, op: "qemu/restore", cause: cause}
		for i, body := range bodies {
			o.files = append(o.files, file{name: "qemu.d/" + strconv.Itoa(i), content: only("restore", body)})
		}
		odds = append(odds, o)
	}
	const mark = "sed 's|</name>|&<description>marked</description>|'"

	restore("silent filter", "exit 0", "")
	restore("reads all, prints nothing", "cat >/dev/null", "")
	restore("prints what it reads", "cat", "")
	restore("an edit", mark, "", takes("<description>marked"))
	restore("an edit and stderr", "echo note >&2; "+mark, "", takes("<description>marked"))
	restore("an edit and a failure", mark+"; echo no >&2; exit 1", verdict.Failed)
	restore("an edit, then killed", mark+"; kill -KILL $$", verdict.Failed)
	restore("a failure", "echo no >&2; exit 1", verdict.Failed)
	restore("an edit by a child that is late", "exec 3<&0; (sleep 1; "+mark+"; echo >"+lateFile+") <&3 &", "", takes("<description>marked"), func(o *odd) { o.late = waited })
	restore("stderr alone", "echo '<domain/>' >&2", "")

	restore("an end of line", "echo", "")
	restore("white space", `printf ' \t\r\n\f \n'`, "")
	restore("a vertical tab", `printf '\v\n'`, verdict.NotXML)
	restore("white space in front", `printf '\n \t\n'; `+mark, "", takes("<description>marked"))
	restore("white space in front of a declaration", `printf '\n<?xml version="1.0"?>\n'; `+mark, verdict.NotXML)
	restore("a declaration", `printf '<?xml version="1.0" encoding="UTF-8"?>\n'; `+mark, "", takes("<description>marked"))
	restore("no-break spaces", `printf '\302\240\n'`, verdict.NotXML)
	restore("a byte order mark", `printf '\357\273\277'; `+mark, "", takes("<description>marked"))
	restore("a byte order mark alone", `printf '\357\273\277'`, verdict.NotXML)
	restore("garbage", "echo debugging output", verdict.NotXML)
	restore("garbage in front", "echo debugging output; cat", verdict.NotXML)
	restore("garbage after", "cat; echo debugging output", verdict.NotXML)
	restore("a comment after", "cat; echo '<!-- that was it -->'", "")
	restore("a comment in front", "echo '<!-- this is it -->'; cat", "")
	restore("a comment alone", "echo '<!-- nothing -->'", verdict.NotXML)
	restore("a declaration alone", `echo '<?xml version="1.0"?>'`, verdict.NotXML)
	restore("two documents", "tee /run/virthook/odd.xml; cat /run/virthook/odd.xml", verdict.NotXML)
	restore("half of it", "head -c 300", verdict.NotXML)
	restore("without its last line", "sed '$d'", verdict.NotXML)
	restore("a NUL in the middle", `head -c 300; printf '\000'; cat`, verdict.NotXML)
	restore("a NUL at the end", mark+`; printf '\000and more'`, "", takes("<description>marked"))
	restore("a NUL in front", `printf '\000'; cat`, "")
	restore("CRLF", mark+` | sed 's/$/\r/'`, "", takes("<description>marked"))
	restore("one line", mark+` | tr -d '\n'`, "", takes("<description>marked"))
	restore("invalid UTF-8", `sed "s|</name>|&<description>$(printf '\377')</description>|"`, verdict.NotXML)
	restore("Latin-1 that says so", `printf '<?xml version="1.0" encoding="ISO-8859-1"?>\n'; LC_ALL=C sed "s|</name>|&<description>marked $(printf '\351')</description>|"`, verdict.NotXML)
	restore("an encoding that is unknown", `printf '<?xml version="1.0" encoding="none-such"?>\n'; cat`, verdict.NotXML)
	restore("UTF-16", `printf '\377\376<\000d\000/\000>\000'`, verdict.NotXML)
	restore("a control character", `sed "s|</name>|&<description>$(printf '\001')</description>|"`, verdict.NotXML)
	restore("a DOCTYPE", "echo '<!DOCTYPE domain>'; cat", "")
	restore("a DOCTYPE with an entity", `echo '<!DOCTYPE domain [<!ENTITY e "marked">]>'; sed 's|</name>|&<description>\&e;</description>|'`, "", takes("<description>marked"), prints("<description>&e;"))
	restore("an unknown entity", `sed 's|</name>|&<description>\&nbsp;</description>|'`, verdict.NotXML)
	restore("a bare ampersand", `sed 's|</name>|&<description>a \& b</description>|'`, verdict.NotXML)
	restore("an attribute without quotes", `sed 's|<name>|<description x=1/>&|'`, verdict.NotXML)
	restore("an attribute twice", `sed 's|<name>|<description a="1" a="2"/>&|'`, verdict.NotXML)
	restore("an undeclared prefix", `sed 's|<name>|<x:y/>&|'`, "")
	restore("tags that do not match", `sed 's|</name>|</nam>|'`, verdict.NotXML)
	restore("HTML", "echo '<!DOCTYPE html><html><body>no<br></body></html>'", verdict.NotXML)
	restore("JSON", `echo '{"domain": {}}'`, verdict.NotXML)

	restore("another root", "echo '<network/>'", verdict.WrongRoot)
	restore("another root with a namespace", `echo '<x:domain xmlns:x="urn:x" type="qemu"/>'`, verdict.NotAGuest)
	restore("hookData", "echo '<hookData>'; cat; echo '</hookData>'", verdict.WrongRoot)
	restore("upper case", "sed 's|<domain|<DOMAIN|; s|</domain|</DOMAIN|'", verdict.WrongRoot)
	restore("an empty root", "echo '<domain/>'", verdict.NotAGuest)
	restore("nothing but the type", `echo "<domain type='qemu'/>"`, verdict.NotAGuest)
	restore("an unknown type", `sed "s|<domain type='qemu'|<domain type='none'|"`, verdict.ABIBroken, unequal("libvirt asks the emulator first whether it can do it"))
	restore("no name", "sed '/<name>/d'", verdict.NotAGuest)
	restore("a name with a slash", "sed 's|<name>.*</name>|<name>a/b</name>|'", verdict.NotAGuest)
	restore("a memory that is no number", "sed 's|<memory.*</memory>|<memory>much</memory>|'", verdict.NotAGuest)
	restore("a uuid that is none", "sed 's|<uuid>.*</uuid>|<uuid>1</uuid>|'", verdict.NotAGuest)

	restore("another name", "sed 's|<name>.*</name>|<name>other</name>|'", verdict.ABIBroken)
	restore("another uuid", "sed 's|<uuid>.*</uuid>|<uuid>11111111-2222-3333-4444-555555555555</uuid>|'", verdict.ABIBroken)
	restore("no uuid", "sed '/<uuid>/d'", verdict.ABIBroken, unequal("libvirt makes one up, another each time"))
	restore("another memory", "sed 's|>32768<|>65536<|'", verdict.ABIBroken)
	restore("another unit of memory", `sed "s|unit='KiB'>32768<|unit='MiB'>32<|"`, "")
	restore("another MAC", `sed "s|<mac address='.*'/>|<mac address='52:54:00:00:00:99'/>|"`, verdict.ABIBroken)
	restore("another count of processors", "sed 's|\\(<vcpu[^>]*>\\)1<|\\12<|'", verdict.ABIBroken)
	restore("another machine", `sed "s|machine='[^']*'|machine='pc-i440fx-6.2'|"`, verdict.ABIBroken)
	restore("a machine with other buses", `sed "s|machine='[^']*'|machine='q35'|"`, verdict.ABIBroken, unequal("libvirt looks first whether the devices have a place in the machine"))
	restore("another path of the disk", "sed 's|[a-z]*[.]qcow2|moved.qcow2|'", "", takes("moved.qcow2"))
	restore("another target of the disk", `sed "s|<target dev='hda'|<target dev='hdb'|"`, verdict.ABIBroken)
	restore("no interface", "sed '/<interface/,/<\\/interface>/d'", verdict.ABIBroken)
	restore("another model of the interface", `sed "s|<model type='[^']*'/>|<model type='e1000'/>|"`, verdict.ABIBroken)
	restore("no clock", "sed '/<clock/d'", "")
	restore("another end on a crash", "sed 's|<on_crash>.*</on_crash>|<on_crash>restart</on_crash>|'", "", takes("<on_crash>restart"))
	restore("an unknown element", "sed 's|</name>|&<none-such/>|'", "")
	restore("an unknown device", "sed 's|<devices>|&<none-such/>|'", "")

	device := func(xml string) string { return `sed "s|</devices>|` + xml + `&|"` }
	restore("another processor", "sed 's|qemu64|qemu32|'", verdict.ABIBroken)
	restore("a feature of the processor", `sed "s|</cpu>|<feature policy='disable' name='svm'/>&|"`, verdict.ABIBroken)
	restore("no ACPI", "sed '/<acpi/d'", verdict.ABIBroken)
	restore("one more disk", device("<disk type='file' device='disk'><source file='/x'/><target dev='hdb' bus='ide'/></disk>"), verdict.ABIBroken)
	restore("a disk that is read only", "sed 's|</disk>|<readonly/>&|'", verdict.ABIBroken, unequal("libvirt looks first whether the bus has such disks"))
	restore("a disk with a serial number", "sed 's|</disk>|<serial>s</serial>&|'", verdict.ABIBroken)
	restore("a CD in place of the disk", `sed "s|device='disk'|device='cdrom'|"`, verdict.ABIBroken)
	restore("no panic device", "sed '/<panic/d'", verdict.ABIBroken)
	restore("no balloon", `sed "s|<memballoon model='virtio'|<memballoon model='none'|"`, verdict.ABIBroken)
	restore("one more serial port", device("<serial type='null'/>"), verdict.ABIBroken)
	restore("one more console", device("<console type='null'/>"), verdict.ABIBroken)
	restore("VNC", device("<graphics type='vnc' autoport='yes' listen='127.0.0.1'/>"), verdict.ABIBroken)
	restore("a sound card", device("<sound model='ac97'/>"), verdict.ABIBroken)
	restore("a watchdog", device("<watchdog model='i6300esb'/>"), verdict.ABIBroken, reworded)
	restore("a random number generator", device("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"), verdict.ABIBroken)
	restore("a thread for disks", "sed 's|</vcpu>|&<iothreads>1</iothreads>|'", "")
	restore("another place of the interface", "sed '/<interface/,/<\\/interface/s|slot=.0x[0-9a-f]*.|slot=\"0x09\"|'", verdict.ABIBroken, reworded)
	restore("an interface that is disconnected", "sed 's|</interface>|<link state=\"down\"/>&|'", "", takes("<link state='down'/>"), prints(`<link state="down"/>`))
	restore("another clock", "sed 's|offset=.utc.|offset=\"localtime\"|'", "", takes("offset='localtime'"), prints(`offset="localtime"`))
	restore("metadata", `sed 's|</name>|&<metadata><v:m xmlns:v="urn:v">kept</v:m></metadata>|'`, "", takes("kept</v:m>"))
	restore("less current memory", "sed 's|\\(<currentMemory[^>]*>\\)32768|\\116384|'", verdict.ABIBroken)
	restore("more current memory", "sed 's|\\(<currentMemory[^>]*>\\)32768|\\165536|'", "")

	chain("the second prints", "", "exit 0", mark)
	chain("both edit", "", mark, "sed 's|marked|marked twice|'")
	chain("garbage, put right by the next", "", "tee /run/virthook/odd.xml >/dev/null; echo garbage", "cat /run/virthook/odd.xml")
	chain("garbage, and a silent one", verdict.NotXML, "echo garbage", "exit 0")
	chain("an edit, then white space", "", mark, "echo")
	chain("an edit, then a failure", verdict.Failed, mark, "echo no >&2; exit 1")
	chain("a failure, then an edit", verdict.Failed, "echo no >&2; exit 1", mark)
	chain("garbage, then a failure", verdict.Failed, "echo garbage", "exit 1")
	chain("a failure with garbage, then an edit", verdict.Failed, "echo garbage; exit 1", mark)
	chain("what the second reads is in the message", verdict.Failed, mark, "grep description >&2; exit 1")
	chain("what the second reads after a failure", verdict.Failed, "echo no; exit 1", "head -c 7 >&2; exit 1")

	restore("managed: a failure", "echo no >&2; exit 1", verdict.Failed, func(o *odd) { o.how = managed })
	restore("managed: garbage", "echo garbage", verdict.NotXML, func(o *odd) { o.how = managed })
	restore("managed: another memory", "sed 's|>32768<|>65536<|'", verdict.ABIBroken, func(o *odd) { o.how = managed })
	restore("managed: an edit", mark, "", takes("<description>marked"), func(o *odd) { o.how = managed })
	for i := range odds {
		if odds[i].takes == "" && strings.HasPrefix(odds[i].name, "both edit") {
			odds[i].takes = "<description>marked twice"
		}
	}
	return odds
}

const managed = "managed"

// others are operations other than a guest's first.
func others() (odds []odd) {
	for _, op := range []string{
		"qemu/prepare", "qemu/start", "qemu/started", "qemu/stopped", "qemu/release", "qemu/reconnect", "qemu/restore",
		"lxc/prepare", "lxc/start", "lxc/started", "lxc/stopped", "lxc/release", "lxc/reconnect",
		"network/start", "network/started", "network/stopped", "network/updated", "network/port-created", "network/port-deleted",
		"daemon/start", "daemon/shutdown", "daemon/reload",
	} {
		odds = append(odds, failures(op)...)
	}
	return odds
}

// failures are hooks that are tried on every operation, and more on some.
func failures(op string) (odds []odd) {
	driver, word, _ := strings.Cut(op, "/")
	try := func(name, content string, logged bool) {
		odds = append(odds, odd{name: op + ": " + name, op: op, files: script(driver, content), logged: logged})
	}
	try("fails", only(word, "echo no >&2; exit 3"), true)
	switch op {
	case "qemu/stopped", "qemu/reconnect", "lxc/prepare", "lxc/reconnect", "network/start", "network/updated", "daemon/start", "daemon/reload":
		try("silent", only(word, "exit 0"), false)
		try("killed", only(word, "kill -KILL $$"), true)
	}
	switch op {
	case "qemu/reconnect", "lxc/reconnect", "network/start", "daemon/start":
		try("prints garbage", only(word, "echo garbage; exit 0"), false)
	}
	switch op {
	case "qemu/reconnect", "network/start", "lxc/prepare":
		try("no interpreter given", "exit 0\n", true)
		try("interpreter is missing", "#!/no/such\n", true)
	}
	return odds
}

// compiled are hooks written with the SDK.
func compiled() (odds []odd) {
	for _, op := range []string{"qemu/prepare", "qemu/restore", "qemu/stopped"} {
		driver, _, _ := strings.Cut(op, "/")
		for _, rule := range []protocol.Rule{
			{Do: protocol.Fail, Text: "an error\nof two lines"},
			{Do: protocol.Panic, Text: "a bug"},
			{Do: protocol.Hang},
			{Do: protocol.Print, Text: "<domain>debugging output"},
			{Do: protocol.StartAndHang},
		} {
			rule.Op = op
			odds = append(odds, odd{
				name: op + ": compiled: " + rule.Do, op: op, rules: []protocol.Rule{rule},
				files: []file{{name: driver + ".d/50-odd", compiled: true}}, cause: "",
			})
		}
	}
	for _, do := range []string{protocol.Mark, protocol.Memory} {
		odds = append(odds, odd{
			name: "qemu/restore: compiled: " + do, op: "qemu/restore", rules: []protocol.Rule{{Op: "qemu/restore", Do: do, Text: "marked"}},
			files: []file{{name: "qemu.d/50-odd", compiled: true}},
		})
	}
	return odds
}

// migrations are few: a migration takes long.
func migrations() []odd {
	migrate := func(name, body string, cause verdict.Cause) odd {
		return odd{name: "migrate: " + name, op: "qemu/migrate", files: script("qemu", only("migrate", body)), cause: cause}
	}
	return []odd{
		migrate("silent", "exit 0", ""),
		migrate("an edit", "sed 's|</name>|&<description>marked</description>|'", ""),
		migrate("fails", "echo no >&2; exit 1", verdict.Failed),
		migrate("killed", "kill -KILL $$", verdict.Failed),
		migrate("garbage", "echo garbage", verdict.NotXML),
		migrate("half of it", "head -c 300", verdict.NotXML),
		migrate("another root", "echo '<network/>'", verdict.WrongRoot),
		migrate("an empty root", "echo '<domain/>'", verdict.NotAGuest),
		migrate("another name", "sed 's|<name>.*</name>|<name>other</name>|'", verdict.ABIBroken),
		migrate("another uuid", "sed 's|<uuid>.*</uuid>|<uuid>11111111-2222-3333-4444-555555555555</uuid>|'", verdict.ABIBroken),
		migrate("another memory", "sed 's|>32768<|>65536<|'", verdict.ABIBroken),
		migrate("another MAC", `sed "s|<mac address='.*'/>|<mac address='52:54:00:00:00:99'/>|"`, verdict.ABIBroken),
		migrate("another path of the disk", "sed 's|[a-z]*[.]qcow2|moved.qcow2|'", ""),
	}
}
