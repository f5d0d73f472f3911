package main

import "strings"

// contestant is a program and how it is called.
type contestant struct {
	key     string
	title   string // of its row
	program string // below testdata: a folder is a Go program
	op      string
	reads   bool     // it reads the guest: its costs grow with it
	edits   bool     // it moves the guest's disks
	needs   []string // commands
	tree    bool     // a folder qemu.d/g1/OP/begin is there …
	script  bool     // … with a script in it
}

// The keys that something else than the tables refers to.
const (
	bare      = "bare"
	unhandled = "unhandled"
	readOnly  = "read"
	edited    = "edit"
	decode    = "decode"
	sed       = "sed"
	python    = "python"
	remarshal = "remarshal"
)

// contestants are in the order of the tables. virthook's own are one program that
// is called for four operations.
var contestants = []contestant{
	{key: "c", title: "static C, exit", program: "scripts/exit.c", op: "prepare", needs: []string{"cc"}},
	{key: bare, title: "bare Go, exit", program: "bare", op: "prepare"},
	{key: "linked", title: "Go with libvirtxml linked, exit", program: "linked", op: "prepare"},
	{key: "bash", title: "bash, exit", program: "scripts/exit.sh", op: "prepare", needs: []string{"bash"}},
	{key: unhandled, title: "**virthook**, no handler for the operation", program: "hook", op: "started"},
	{key: readOnly, title: "**virthook**, handler that only reads", program: "hook", op: "prepare", reads: true},
	{key: "keep", title: "**virthook**, filter that changes nothing", program: "hook", op: "restore", reads: true},
	{key: edited, title: "**virthook**, filter that moves the disks", program: "hook", op: "migrate", reads: true, edits: true},
	{key: decode, title: "the decoder of virthook alone, without the SDK", program: "decode", op: "prepare", reads: true},
	{key: sed, title: "bash and sed, filter", program: "scripts/sed.sh", op: "migrate", reads: true, edits: true, needs: []string{"bash", "sed"}},
	{key: "xmlstarlet", title: "bash and xmlstarlet, filter", program: "scripts/xmlstarlet.sh", op: "migrate", reads: true, edits: true, needs: []string{"bash", "xmlstarlet"}},
	{key: "unmarshal", title: "libvirtxml: Unmarshal", program: "unmarshal", op: "prepare", reads: true},
	{key: remarshal, title: "libvirtxml: Unmarshal, edit, Marshal", program: "remarshal", op: "migrate", reads: true, edits: true},
	{key: python, title: "Python ElementTree, filter", program: "scripts/filter.py", op: "migrate", reads: true, edits: true, needs: []string{"python3"}},
	{key: "dispatch-none", title: "bash dispatcher, no script", program: "scripts/dispatch.sh", op: "prepare", needs: []string{"bash", "find", "sort"}, tree: true},
	{key: "dispatch-one", title: "bash dispatcher, one script", program: "scripts/dispatch.sh", op: "prepare", needs: []string{"bash", "find", "sort"}, tree: true, script: true},
}

// name is the title without Markdown.
func (c contestant) name() string { return strings.ReplaceAll(c.title, "*", "") }

// ours says that it is virthook.
func (c contestant) ours() bool { return c.program == "hook" }

// pick are the contestants with these keys.
func pick(from []contestant, keys ...string) []contestant {
	var picked []contestant
	for _, key := range keys {
		for _, c := range from {
			if c.key == key {
				picked = append(picked, c)
			}
		}
	}
	return picked
}
