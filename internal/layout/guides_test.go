package layout_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every fenced block of the README and the guides is executed, in its order and as it
// is printed, in a folder of the page's own beside a checkout of virthook:
//
//   - sh: each command has to succeed, unless a comment at its end says "status N", or
//     the text block after it shows how it fails. The folder and what is exported last
//     to the end of the page.
//   - text: what the block before has printed, but for what differs from run to run. A
//     line … stands for any lines.
//   - go, yaml, xml, json, bash: the file whose name, in backquotes, is in the paragraph
//     before. A block after it has to use it.
//   - go without a name: statements or declarations, which have to compile.
//
// HTML comments right before a block, which readers do not see, say more:
//
//	<!-- in: virthook -->       this block is run in that folder, and the next is not
//	<!-- given: … -->           commands that were run before, or declarations in Go
//	<!-- not run: why; TestX in FOLDER does -->
//
// The host is made up, as far as a page goes by the rules: testdata/host stands in for
// what would look at this one, and what is in /etc, /var and so on is looked for in a
// folder of the page's. What keeps root from this host, whatever a page does, is that
// [kit.exec] runs it apart.
func TestGuides(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	k := newKit(t)
	k.virthook = filepath.Join(t.TempDir(), "virthook")
	goCommand(t, nil, "build", "-buildvcs=false", "-o", k.virthook, "./cmd/virthook")
	run := func(t *testing.T, p *page) {
		p.run()
		for _, problem := range p.problems {
			t.Errorf("%s:%s", p.name, problem)
		}
		for _, why := range p.notRun {
			t.Logf("not run: %s", why)
		}
		t.Logf("%d commands, %d outputs, %d files, %d fragments of Go, %d blocks not run", p.commands, p.outputs, p.files, p.fragments, len(p.notRun))
	}
	for _, file := range append(pages, "../../README.md") {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if file == "../../docs/README.md" {
			name = "docs"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, k.open(t, file))
		})
	}
	// The reference, whose samples are the spec's: the tests of spec and gen have them.
	pages, err = filepath.Glob("../../docs/reference/*.md")
	require.NoError(t, err)
	for _, file := range pages {
		t.Run("reference/"+strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			t.Parallel()
			p := k.open(t, file)
			p.except = []string{"text", "xml", indented}
			run(t, p)
		})
	}
	// The README of a new project, whose Go is declarations without bodies.
	t.Run("new", func(t *testing.T) {
		t.Parallel()
		project := filepath.Join(t.TempDir(), "myhooks")
		cmd := exec.Command(k.virthook, "new", project)
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		p := k.open(t, filepath.Join(project, "README.md"))
		require.NoError(t, os.WriteFile(p.state+".folder", []byte(project), 0o644))
		p.except = []string{"go"}
		run(t, p)
	})
}

// What is wrong with a page is reported. The first line of each of these pages says all
// that is.
func TestGuidesReport(t *testing.T) {
	pages, err := filepath.Glob("testdata/guides/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	k := newKit(t)
	for _, file := range pages {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			t.Parallel()
			p := k.open(t, file)
			p.run()
			var got []string
			for _, problem := range p.problems {
				line, _, _ := strings.Cut(problem, "\n")
				got = append(got, line)
			}
			assert.Equal(t, p.lines[0], "<!-- problems: "+strings.Join(got, " | ")+" -->", strings.Join(p.problems, "\n"))
		})
	}
}

// Whatever a page of root's does, nothing of it reaches this host.
func TestGuidesApart(t *testing.T) {
	k := newKit(t)
	if !k.apart {
		t.Skip("commands are not run apart: not root, not Linux, or not permitted")
	}
	t.Setenv("LANG", "C") // whose messages are below
	p := k.open(t, filepath.Join("testdata", "guides", "good.md"))
	// Paths that this test rewrites are spelled such that it does not.
	const readOnly = "Read-only file system"
	for command, want := range map[string]string{
		"touch //etc/virthook-guides":                          readOnly,
		"touch //usr/sbin/virthook-guides":                     readOnly,
		"touch //var/lib/virthook-guides":                      readOnly,
		"touch //root/virthook-guides":                         readOnly,
		"touch //tmp/virthook-guides":                          readOnly,
		"touch /virthook-guides":                               readOnly,
		"touch virthook/virthook-guides":                       readOnly, // the checkout
		"cat //proc/sys/kernel/panic >//proc/sys/kernel/panic": readOnly,
		"(cd virthook && touch virthook-guides)":               readOnly,
		"mknod disk b 8 0":                                     "Operation not permitted",
		"/bin/mount -o remount,bind,rw /":                      "permi", // permission denied, must be superuser
		"kill -9 " + strconv.Itoa(os.Getpid()):                 "No such process",
	} {
		out, status := p.command("", command)
		assert.Greater(t, status, 0, "%s\n%s", command, out)
		assert.Contains(t, out, want, command)
	}
	// Neither devices nor daemons nor networks of the host's.
	out, status := p.command("", "ls //dev; ls //run | grep -vx mount; grep -c : //proc/net/dev; touch here; touch \"$TMPDIR/here\"")
	assert.Equal(t, "fd\nfull\nnull\nrandom\nstderr\nstdin\nstdout\nurandom\nzero\ndev\n1\n", out)
	assert.Zero(t, status)
	assert.FileExists(t, filepath.Join(p.home, "here"))
	// What a command leaves behind is gone when it is over: who writes has a reader no more.
	out, status = p.command("", `mkfifo fifo && { setsid sh -c 'exec 3<>fifo; : >opened; exec sleep 1000' & } && until [ -e opened ]; do :; done`)
	require.Zero(t, status, out)
	fifo := filepath.Join(p.home, "fifo")
	opened, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		opened.Close()
	}
	assert.ErrorIs(t, err, syscall.ENXIO, "a process is left behind")
}

// kit is what pages have in common.
type kit struct {
	root, virthook, gopath, gocache, modcache string

	apart bool // commands are run apart from this host

	importing sync.Mutex
	importer  types.Importer
}

func newKit(t *testing.T) *kit {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	env := strings.Split(goCommand(t, nil, "env", "GOPATH", "GOCACHE", "GOMODCACHE"), "\n")
	require.Len(t, env, 3)
	compiled := map[string]string{} // the files of packages
	args := slices.AppendSeq([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, maps.Values(guidesImport))
	for line := range strings.Lines(goCommand(t, nil, args...)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		compiled[path] = file
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(compiled[path]) }
	k := &kit{root: root, virthook: os.DevNull, gopath: env[0], gocache: env[1], modcache: env[2], importer: importer.ForCompiler(token.NewFileSet(), "gc", open)}
	if os.Geteuid() == 0 {
		k.apart = true
		cmd := k.exec(t.Context(), t.TempDir(), "true")
		cmd.Env = append(os.Environ(), "PATH=:"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			k.apart = false
			t.Logf("pages are run as root, and not apart from this host: %v\n%s", err, out)
		}
	}
	return k
}

// apart lets a script, $1, run where it can do nothing to the host: in namespaces in
// which all is mounted read-only but the folders $2…, where there are no devices of the
// host's, no daemons' sockets and no network. sh stays, since the first process of a
// namespace has signals of its own; when it ends, all others do.
const apart = `
page=$PATH PATH=${PATH#*:} script=$1 # without stand-ins
shift
mount -t tmpfs -o mode=755 run /run
mkdir /run/dev
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
	ln -s "/proc/self/${link#*:}" "/run/dev/${link%:*}"
done
for device in null zero full random urandom; do
	: >"/run/dev/$device"
	mount --bind "/dev/$device" "/run/dev/$device"
done
mount --rbind /run/dev /dev
mounts=$(cat /proc/self/mountinfo)
printf '%s\n' "$mounts" | while read -r _ _ _ _ at options _; do
	case $at in /dev | /dev/* | /proc | /proc/* | /run | /run/*) continue ;; esac
	case $options in ro | ro,*) continue ;; esac
	at=$(printf %b "$at")
	mount -o remount,bind,ro "$at" || umount -l "$at"
done
for at in /proc/sys /proc/sysrq-trigger; do
	[ -e "$at" ] || continue # the second is not in every kernel
	mount --bind "$at" "$at"
	mount -o remount,bind,ro "$at"
done
for at; do
	mount --bind "$at" "$at"
	mount -o remount,bind,rw "$at"
done
cd "$PWD" # as it is mounted now
PATH=$page
set +e
setpriv --inh-caps=-all --bounding-set=-sys_admin,-sys_boot,-sys_module,-sys_rawio,-sys_time,-mknod sh -uc "$script"
exit $?
`

// exec makes a command that runs a script in the environment that it gets, of which PATH
// begins with the folder of stand-ins. Root's is run apart, where that is permitted; of
// a user's, only files of the user's are in danger, who has another HOME here.
func (k *kit) exec(ctx context.Context, dir, script string) *exec.Cmd {
	if !k.apart {
		return exec.CommandContext(ctx, "sh", "-uc", script)
	}
	return exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc",
		"sh", "-euc", apart, "apart", script, dir, k.gocache, k.modcache)
}

// standIns are the programs that would look at this machine or change it, with what
// stands in for each, in testdata/host. They are for who goes by PATH, as package command
// of the SDK does not.
var standIns = func() map[string]string {
	all := map[string]string{"virthook": "virthook", "systemctl": "systemctl", "sudo": "sudo"}
	for _, name := range []string{
		"ansible-galaxy", "ansible-playbook", "apt", "apt-get", "brctl", "curl", "dnf", "dpkg", "fapolicyd-cli", "ip", "iptables", "journalctl", "logger", "modprobe", "mount",
		"nft", "qemu-img", "reboot", "restorecon", "rpm", "rsync", "scp", "service", "setsebool", "ssh", "sysctl", "tc", "umount", "virsh", "wget",
	} {
		all[name] = "asked"
	}
	return all
}()

// page is a page that is being run.
type page struct {
	*kit
	ctx    context.Context
	name   string
	lines  []string
	except []string // languages whose blocks are passed over

	dir   string // of all that it makes
	home  string // where it begins
	state string // a file: what the next command goes on from

	printed *string  // by the block before; nil: that was no sh
	unused  []string // files that no command comes after yet

	commands, outputs, files, fragments int
	notRun, problems                    []string
}

func (k *kit) open(t *testing.T, file string) *page {
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	p := &page{kit: k, ctx: t.Context(), name: strings.TrimPrefix(file, "../../"), lines: strings.Split(string(content), "\n"), dir: t.TempDir()}
	p.home, p.state = filepath.Join(p.dir, "home"), filepath.Join(p.dir, "state")
	for _, folder := range []string{"home", "tmp", "bin", "stand-ins"} {
		require.NoError(t, os.Mkdir(filepath.Join(p.dir, folder), 0o755))
	}
	for name, stands := range standIns {
		program := filepath.Join(k.root, "internal", "layout", "testdata", "host", stands)
		_, err := exec.LookPath(program)
		require.NoError(t, err, "the real one would be run")
		require.NoError(t, os.Symlink(program, filepath.Join(p.dir, "stand-ins", name)))
	}
	require.NoError(t, os.Symlink(k.virthook, filepath.Join(p.dir, "virthook")))
	require.NoError(t, os.Symlink(k.root, filepath.Join(p.home, "virthook")))
	require.NoError(t, os.WriteFile(p.state, nil, 0o644))
	require.NoError(t, os.WriteFile(p.state+".folder", []byte(p.home), 0o644))
	// Two hosts with libvirt 11.3.0, of which the second is an image.
	for _, host := range []string{p.host(), p.host() + "/mnt/image"} {
		for _, folder := range []string{"etc/libvirt/hooks", "srv/hooks", "tmp"} {
			require.NoError(t, os.MkdirAll(filepath.Join(host, folder), 0o755))
		}
		for name, content := range map[string]string{
			"usr/sbin/libvirtd": "", "bin/sh": "", "bin/bash": "", "usr/bin/env": "",
			"usr/lib/x86_64-linux-gnu/libvirt.so.0":                                        "\x00/etc/libvirt/hooks\x00",
			"usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so":    "",
			"usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_network.so": "",
		} {
			name = filepath.Join(host, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(content), 0o755))
		}
	}
	return p
}

// host is the folder of the made-up host.
func (p *page) host() string { return filepath.Join(p.dir, "host") }

func (p *page) problem(line int, format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf("%d: ", line)+fmt.Sprintf(format, args...))
}

// block is a fenced block with what is said about it right before.
type block struct {
	line              int // of the fence
	language, content string
	name              string // of a file
	in, notRun        string
	given             []string
}

// nameOf finds in a paragraph the names of files in a language.
var nameOf = map[string]*regexp.Regexp{
	"go":   regexp.MustCompile("`([\\w./-]+\\.go)`"),
	"yaml": regexp.MustCompile("`([\\w./-]+\\.ya?ml)`"),
	"xml":  regexp.MustCompile("`([\\w./-]+\\.xml)`"),
	"json": regexp.MustCompile("`([\\w./-]+\\.json)`"),
	"bash": regexp.MustCompile("`([\\w./-]+\\.sh|[\\w.-]*/[\\w./-]+)`"),
}

var (
	fence   = regexp.MustCompile("^([ \t>*+-]|\\d+[.)])*(```|~~~)")
	opening = regexp.MustCompile("^```([a-z]+)$")
	comment = regexp.MustCompile(`(?s)<!--\s*(in|given|not run):\s*((?:[^-]|-[^-]|--[^>])*?)\s*-->\s*$`)
)

// indented is the language, so to speak, of what Markdown takes for code without a fence.
const indented = "indented"

// blocks finds the blocks of the page. Whatever Markdown has for code, and this does
// not know, is a problem.
func (p *page) blocks() (all []block) {
	code := regexp.MustCompile(`^(    |\t)\s*[^\s*+\d-]`)
	var before []string
	for i := 0; i < len(p.lines); i++ {
		line := p.lines[i]
		if !fence.MatchString(line) {
			said := strings.Join(before, "\n")
			afterEmpty := len(before) > 0 && strings.TrimSpace(before[len(before)-1]) == ""
			inComment := strings.LastIndex(said, "<!--") > strings.LastIndex(said, "-->")
			if !inComment && !slices.Contains(p.except, indented) && (afterEmpty && code.MatchString(line) || strings.Contains(line, "<pre")) {
				p.problem(i+1, "code without a fence")
			}
			before = append(before, line)
			continue
		}
		b := block{line: i + 1}
		m := opening.FindStringSubmatch(line)
		if m == nil {
			p.problem(i+1, "a fence is ``` and a language, and nothing else: %q", line)
		} else {
			b.language = m[1]
		}
		end := slices.IndexFunc(p.lines[i+1:], fence.MatchString)
		if end < 0 {
			p.problem(i+1, "the fence is never closed")
			return all
		}
		if closing := p.lines[i+1+end]; closing != "```" {
			p.problem(i+2+end, "a fence is closed by ```, not by %q", closing)
		}
		b.content = strings.Join(p.lines[i+1:i+1+end], "\n") + "\n"
		i += 1 + end

		said := strings.Join(before, "\n")
		for m := comment.FindStringSubmatchIndex(said); m != nil; m = comment.FindStringSubmatchIndex(said) {
			value := said[m[4]:m[5]]
			switch said[m[2]:m[3]] {
			case "in":
				b.in = value
			case "given":
				b.given = append([]string{value}, b.given...)
			case "not run":
				b.notRun = value
			}
			said = said[:m[0]]
		}
		if name := nameOf[b.language]; name != nil {
			paragraphs := regexp.MustCompile(`\n\s*\n`).Split(strings.TrimSpace(said), -1)
			if names := name.FindAllStringSubmatch(paragraphs[len(paragraphs)-1], -1); names != nil {
				b.name = names[len(names)-1][1]
			}
		}
		before = nil
		if m != nil {
			all = append(all, b)
		}
	}
	return all
}

func (p *page) run() {
	blocks := p.blocks()
	for i, b := range blocks {
		printed := p.printed
		p.printed = nil
		if b.in != "" && b.language != "sh" || b.given != nil && b.language != "sh" && (b.language != "go" || b.name != "") {
			p.problem(b.line, "in is for commands, given for commands and for fragments of Go")
		}
		switch {
		case slices.Contains(p.except, b.language):
		case b.notRun != "":
			p.leaveOut(b)
		case b.language == "sh":
			shown := ""
			if i+1 < len(blocks) && blocks[i+1].language == "text" {
				shown = blocks[i+1].content
			}
			p.sh(b, shown)
		case b.language == "text":
			if printed == nil {
				p.problem(b.line, "no command has printed this")
			} else if p.outputs++; !same(b.content, p.onHost(*printed)) {
				p.problem(b.line, "another text is printed:\n%s", p.onHost(*printed))
			}
		case nameOf[b.language] == nil:
			p.problem(b.line, "language %s: neither run nor compared nor written to a file", b.language)
		case b.name != "":
			p.write(b)
		case b.language == "go":
			p.compile(b)
		default:
			p.problem(b.line, "which file is it? the paragraph before has no name in backquotes")
		}
	}
	if len(p.unused) > 0 {
		p.problem(len(p.lines), "no command comes after %s", strings.Join(p.unused, ", "))
	}
	p.checkAsked()
}

// leaveOut holds what is said of a block that is not run against the tests.
func (p *page) leaveOut(b block) {
	m := regexp.MustCompile(`^\S.*; (Test\w+) in (\S+) does$`).FindStringSubmatch(b.notRun)
	if m == nil {
		p.problem(b.line, "not run: WHY; TestX in FOLDER does")
		return
	}
	files, _ := filepath.Glob(filepath.Join(p.root, m[2], "*_test.go"))
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && bytes.Contains(content, []byte("\nfunc "+m[1]+"(t *testing.T)")) {
			p.notRun = append(p.notRun, fmt.Sprintf("line %d, %s", b.line, b.notRun))
			return
		}
	}
	p.problem(b.line, "not run: there is no %s in %s", m[1], m[2])
}

// sh runs a block of commands.
func (p *page) sh(b block, shown string) {
	p.unused = nil
	for _, commands := range b.given {
		if out, status := p.command(b.in, commands); status != 0 {
			p.problem(b.line, "given: status %d: %s\n%s", status, commands, out)
		}
	}
	var printed strings.Builder
	commands, rest := split(b.content)
	if rest != "" {
		p.problem(b.line, "the shell takes this for no command: %s", rest)
	}
	for i, c := range commands {
		p.commands++
		out, status := p.command(b.in, c.text)
		printed.WriteString(out)
		want := c.status()
		last := i == len(commands)-1 // whose text is compared
		fails := status > 0 && status != 126 && status != 127
		switch {
		case last && failure.MatchString(shown):
			if !fails {
				p.problem(b.line+1+c.line, "status %d, and the text shows a failure: %s\n%s", status, strings.TrimSpace(c.text), out)
			}
		case status != want && !(last && fails && mayFail.MatchString(shown)):
			p.problem(b.line+1+c.line, "status %d, not %d: %s\n%s", status, want, strings.TrimSpace(c.text), out)
		}
	}
	out := printed.String()
	p.printed = &out
}

// failure is what is shown of a command that fails, and mayFail what one shows that
// fails or that only tells of another's failure. A program that was not run has not
// failed.
var (
	failure = regexp.MustCompile(`(?m)^FAIL|^virthook: `)
	mayFail = regexp.MustCompile(`: exit status [1-9]|refused`)
)

type command struct {
	line int // in its block
	text string
}

// status is the one that a comment at the command's end says.
func (c command) status() (want int) {
	if m := regexp.MustCompile(`#[^#\n]*\bstatus (\d+)[^#\n]*\n$`).FindStringSubmatch(c.text); m != nil {
		want, _ = strconv.Atoi(m[1])
	}
	return want
}

// split splits a script into commands: what the shell takes for a whole one, in as few
// lines as may be.
func split(script string) (all []command, rest string) {
	first := 0
	for i, line := range strings.SplitAfter(strings.TrimSuffix(script, "\n"), "\n") {
		line = strings.TrimSuffix(line, "\n") + "\n"
		if rest == "" {
			if first = i; strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
		}
		rest += line
		if strings.HasSuffix(line, "\\\n") {
			continue
		}
		if m := regexp.MustCompile(`<<-?\s*['"]?(\w+)`).FindStringSubmatch(rest); m != nil && strings.TrimSpace(line) != m[1] {
			continue
		}
		if exec.Command("sh", "-nc", rest).Run() == nil {
			all, rest = append(all, command{first, rest}), ""
		}
	}
	return all, rest
}

// ours are the paths that commands and scripts use, and that are the made-up host's, as
// pages write them. It protects nothing: [kit.exec] does.
var ours = regexp.MustCompile(`(^|[\s"'=(<>])(/(?:etc|var|srv|mnt|opt|run|tmp|root|home|usr/local|usr/lib|usr/sbin|proc/sys|sys)\b)`)

// command runs one command from where the one before it has ended. In a folder other
// than "" nothing is left of it for the next.
func (p *page) command(in, text string) (printed string, status int) {
	text = ours.ReplaceAllString(text, "${1}"+p.host()+"${2}")
	folder, err := os.ReadFile(p.state + ".folder")
	if err != nil {
		return err.Error(), -1
	}
	script := `. "$STATE"` + "\n"
	dir := strings.TrimSuffix(string(folder), "\n")
	if in == "" {
		script += `trap 'export -p >"$STATE"; pwd >"$STATE.folder"' EXIT` + "\n"
	} else {
		dir = filepath.Join(p.home, in)
	}
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Minute)
	defer cancel()
	cmd := p.exec(ctx, filepath.Dir(p.dir), script+text) // of all folders of the test's
	cmd.Dir = dir
	// Nothing but this of the environment, in which MAKEFLAGS and the like may be.
	for _, name := range []string{"CC", "CGO_ENABLED", "GOARCH", "GOEXPERIMENT", "GOOS", "GOROOT", "GOTOOLCHAIN", "LANG", "LOGNAME", "SHELL", "USER"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, "STATE="+p.state, "PWD="+cmd.Dir, "HOME="+p.home, "TMPDIR="+filepath.Join(p.dir, "tmp"),
		"PATH="+strings.Join([]string{filepath.Join(p.dir, "stand-ins"), filepath.Join(p.dir, "bin"), os.Getenv("PATH")}, ":"),
		"GOBIN="+filepath.Join(p.dir, "bin"), "GOPATH="+p.gopath, "GOCACHE="+p.gocache, "GOMODCACHE="+p.modcache, "GOWORK=off",
		// No network: what the checkout needs is there, and is all that pages need.
		"GOPROXY=off", "GOSUMDB=off",
		// The checkout may belong to somebody else, of whom git wants to know nothing.
		"GOFLAGS="+os.Getenv("GOFLAGS")+" -buildvcs=false",
		// make test would run this test again.
		"GOTEST=go list")
	// Into a file: who is left behind and keeps it open is not waited for.
	output, err := os.CreateTemp(p.dir, "output")
	if err != nil {
		return err.Error(), -1
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	err = cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	out, readErr := os.ReadFile(output.Name())
	if err = errors.Join(err, readErr); err == nil {
		return string(out), 0
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		return string(out), exit.ExitCode()
	}
	return string(out) + err.Error(), -1
}

// onHost is an output as it would be on a host, of a user who is named me.
func (p *page) onHost(output string) string {
	for _, r := range [][2]string{{p.host(), ""}, {p.home, "/home/me"}, {p.root, "/home/me/virthook"}, {filepath.Join(p.dir, "tmp"), "/tmp"}} {
		output = strings.ReplaceAll(output, r[0], r[1])
	}
	return output
}

// anyRun are what differs between outputs of the same command.
var anyRun = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(?m)^go: .*\n`), ""},                      // what go mod tidy finds and downloads
	{regexp.MustCompile(`(LC_ALL=C )(?:[A-Z_]+=\S+ )+`), "${1}… "}, // libvirt's, and here the user's
	{regexp.MustCompile(`\S*/virthook-\d+/`), "/tmp/virthook-1/"},  // temporary folders
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`), "2026-01-01 00:00:00"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "00:00:00"},
	{regexp.MustCompile(` *\b\d+(\.\d+)? ?(µs|ms|s)\b`), " 1 s"}, // times
	{regexp.MustCompile(`slowest \S+ of \S+`), "slowest … of …"}, // and what follows from them
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},                      // which nobody sees
	{regexp.MustCompile(`(process |\[)\d+`), "${1}1"},            // numbers of processes
	{regexp.MustCompile(`-[0-9a-f]{16}\b`), "-0"},                // what programs are kept as
	{regexp.MustCompile(`calls?, \d+ KiB`), "calls, 4 KiB"},      // with the environment
}

// same holds an output against what a page shows of it.
func same(shown, printed string) bool {
	for _, r := range anyRun {
		shown, printed = r.what.ReplaceAllString(shown, r.by), r.what.ReplaceAllString(printed, r.by)
	}
	pattern := regexp.QuoteMeta(strings.Trim(shown, "\n"))
	pattern = regexp.MustCompile(`(?m)^…$`).ReplaceAllString(pattern, "(?:.*\n?)*?")
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*?\n", "*?") + "$").MatchString(strings.Trim(printed, "\n"))
}

// write writes a block to the file that it is.
func (p *page) write(b block) {
	p.files++
	folder, err := os.ReadFile(p.state + ".folder")
	if err == nil {
		name := filepath.Join(strings.TrimSuffix(string(folder), "\n"), b.name)
		if strings.HasPrefix(b.name, "/") {
			name = filepath.Join(p.host(), b.name)
		}
		if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
			content := b.content
			if b.language == "bash" {
				content = ours.ReplaceAllString(content, "${1}"+p.host()+"${2}")
			}
			err = os.WriteFile(name, []byte(content), 0o644)
		}
	}
	if err != nil {
		p.problem(b.line, "%v", err)
	}
	p.unused = append(p.unused, b.name)
	if b.language == "go" {
		p.gofmt(b)
	}
}

// gofmt says whether a block is Go.
func (p *page) gofmt(b block) bool {
	formatted, err := format.Source([]byte(b.content))
	if err != nil {
		p.problem(b.line, "not Go:\n%v", err)
	} else if string(formatted) != b.content {
		p.problem(b.line, "not as gofmt has it:\n%s", formatted)
	}
	return err == nil
}

// guidesImport are the packages that fragments of Go may use without saying so, by name.
var guidesImport = func() map[string]string {
	all := map[string]string{}
	for _, path := range []string{
		"context", "encoding/json", "errors", "fmt", "io", "io/fs", "log", "log/slog", "net", "net/netip", "os", "path", "path/filepath", "slices", "strconv", "strings",
		"sync", "testing", "time", libvirtxml, module + "/sdk", module + "/sdk/command", module + "/sdk/hooktest", module + "/sdk/hooktest/libvirtd",
		module + "/sdk/journal", module + "/sdk/lock", module + "/sdk/metadata", module + "/sdk/pair", module + "/sdk/state", module + "/sdk/xmledit",
	} {
		all[path[strings.LastIndex(path, "/")+1:]] = path
	}
	return all
}()

// check compiles a file, as far as to know whether it is right.
func (k *kit) check(files *token.FileSet, file *ast.File) error {
	k.importing.Lock()
	defer k.importing.Unlock()
	_, err := (&types.Config{Importer: k.importer}).Check("fragment", files, []*ast.File{file}, nil)
	return err
}

// compile compiles a fragment of Go: declarations, or else statements.
func (p *page) compile(b block) {
	p.fragments++
	if !p.gofmt(b) {
		return
	}
	const header = "package fragment\n"
	source := b.content
	if _, err := parser.ParseFile(token.NewFileSet(), "", header+source, parser.SkipObjectResolution); err != nil {
		source = "func _() {\n" + source + "}\n"
	}
	for _, g := range b.given {
		if strings.HasPrefix(g, "func ") && !strings.HasSuffix(g, "}") {
			g += ` { panic("") }`
		}
		source += g + "\n"
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", header+source, 0)
	if err != nil {
		p.problem(b.line, "neither declarations nor statements:\n%v", err)
		return
	}
	var imports []string
	for _, x := range file.Unresolved {
		if path := guidesImport[x.Name]; path != "" {
			imports = append(imports, fmt.Sprintf("import %q\n", path))
		}
	}
	slices.Sort(imports)
	files := token.NewFileSet()
	file, err = parser.ParseFile(files, "", header+strings.Join(slices.Compact(imports), "")+"//line :1\n"+source, 0)
	if err == nil {
		err = p.check(files, file)
	}
	if err != nil {
		p.problem(b.line, "does not compile\n%v", err)
	}
}

// checkAsked looks at what the host was asked for. A page that installs a hook reloads
// the daemon; nobody ever restarts one.
func (p *page) checkAsked() {
	asked, _ := os.ReadFile(filepath.Join(p.host(), "asked"))
	daemon := regexp.MustCompile(`^(systemctl|service) .*\b(libvirt|virt\w+)d\b`)
	for line := range strings.Lines(string(asked)) {
		if daemon.MatchString(line) && regexp.MustCompile(` (\w+-)?(restart|start|stop|kill)\b`).MatchString(line) {
			p.problem(len(p.lines), "the host is asked for %s", strings.TrimSpace(line))
		}
	}
	installs := regexp.MustCompile(`(?m)^virthook install `).Match(asked)
	if reloads := regexp.MustCompile(`(?m)^systemctl reload `).Match(asked); installs && !reloads {
		p.problem(len(p.lines), "a hook is installed, and the daemon is not reloaded")
	}
}
