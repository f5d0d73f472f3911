package hookvet

import (
	"slices"
	"strconv"
	"strings"
)

var libvirtClient = check("libvirtclient", `find calls of libvirt in programs with handlers

libvirt waits for its hooks and holds locks meanwhile, so that a hook that calls
libvirt, by a client library, virsh or one of the virt programs, waits for
itself, for ever. What must be done with libvirt has to happen when the hook is
over: hand it to Detach of package sdk/command, or to a program of your own, in
a package of its own. All that a handler needs to know of the
guest is in the XML that it gets.`, runLibvirtClient)

var clients = []string{
	"libvirt.org/go/libvirt",
	"libvirt.org/libvirt-go",
	"github.com/libvirt/libvirt-go",
	"github.com/digitalocean/go-libvirt",
	"github.com/rgbkrk/libvirt-go",
	"github.com/alexzorin/libvirt-go",
	"gopkg.in/alexzorin/libvirt-go.v1",
	"gopkg.in/alexzorin/libvirt-go.v2",
}

// harmless are the virt programs that do not talk to libvirt.
var harmless = []string{"virt-what", "virt-host-validate", "virt-xml-validate", "virt-pki-validate", "virt-pki-query-dn", "virt-qemu-run"}

const deadlock = "libvirt waits for the hook, so that a hook that calls libvirt never ends; use the XML that the handler gets, and leave the rest to a program that runs after the hook (command.Detach)"

func runLibvirtClient(p *program, report report) {
	if len(p.handlers) == 0 {
		return
	}
	for _, f := range p.files {
		for _, spec := range f.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); isClient(path) {
				report(spec, "%s: %s", path, deadlock)
			}
		}
	}
	for c := range p.commands {
		if c.detached {
			continue
		}
		for _, name := range p.programsOf(c) {
			if callsLibvirt(name) {
				report(c.at, "%s: %s", name, deadlock)
				break
			}
		}
	}
}

func isClient(path string) bool {
	return slices.ContainsFunc(clients, func(c string) bool { return path == c || strings.HasPrefix(path, c+"/") })
}

func callsLibvirt(program string) bool {
	return program == "virsh" || strings.HasPrefix(program, "virt-") && !slices.Contains(harmless, program)
}

// programsOf are the names of those that the command runs, by a shell or not.
func (p *program) programsOf(c command) []string {
	if script := p.script(c); script != nil {
		names, _ := scriptPrograms(p.text(script))
		return names
	}
	name, _ := p.program(c.words)
	return []string{name}
}
