package timeline_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/virthook/virthook/cmd/virthook/internal/timeline"
	"github.com/virthook/virthook/cmd/virthook/internal/xmldiff"
	"github.com/virthook/virthook/internal/verdict"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// domain is a guest's XML.
func domain(name, disk string) string {
	return fmt.Sprintf(`<domain type="kvm">
  <name>%s</name>
  <memory unit="KiB">2097152</memory>
  <devices>
    <disk type="file" device="disk">
      <source file="%s"/>
      <target dev="vda" bus="virtio"/>
    </disk>
  </devices>
</domain>
`, name, disk)
}

// player makes the calls of a step one after the other.
type player struct {
	host, object string
	now          time.Duration
	calls        []timeline.Call
}

// call is one that takes so long and goes well; the changes make it another.
func (p *player) call(operation, object string, takes time.Duration, changes ...func(*timeline.Call)) {
	names := strings.Split(operation, "/")
	c := timeline.Call{
		Host: p.host, Driver: names[0], Object: object, Op: names[1], SubOp: names[2], Extra: "-",
		At: p.now, Duration: takes, Verdict: verdict.Verdict{Word: verdict.Continues},
		Input: []byte(domain(p.object, "/images/"+p.object+".qcow2")),
	}
	if len(names) > 3 {
		c.Extra = names[3]
	}
	path := "/etc/libvirt/hooks/" + c.Driver
	c.Hooks = []timeline.Hook{{
		Path: path, Argv: []string{path, c.Object, c.Op, c.SubOp, c.Extra}, At: p.now, Duration: takes, Exited: takes,
	}}
	for _, change := range changes {
		change(&c)
	}
	p.calls = append(p.calls, c)
	p.now += c.Duration + 60*us
}

func (p *player) step(action, outcome string, expected bool) timeline.Step {
	s := timeline.Step{Action: action, Host: p.host, Outcome: outcome, Expected: expected, Calls: p.calls}
	if len(p.calls) > 0 {
		s.At = p.calls[0].At - 100*us
		s.Duration = p.now - s.At
	}
	p.calls = nil
	return s
}

func fails(word verdict.Word, status int, stderr string) func(*timeline.Call) {
	return func(c *timeline.Call) {
		h := &c.Hooks[0]
		h.Status, h.Stderr = status, stderr
		c.Verdict = verdict.Verdict{Word: word, Cause: verdict.Failed, Message: fmt.Sprintf(
			"Hook script execution failed: internal error: Child process (LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root %s) unexpected exit status %d: %s",
			strings.Join(h.Argv, " "), status, stderr)}
	}
}

func prints(stderr string) func(*timeline.Call) {
	return func(c *timeline.Call) { c.Hooks[0].Stderr = stderr }
}

// samples are timelines as replay makes them, by name.
func samples() map[string]*timeline.Timeline {
	return map[string]*timeline.Timeline{
		"boot": boot(), "migrate": migrate(), "refused": refused(), "restore": restore(), "daemon-restart": daemonRestart(),
		"leaked": leaked(), "hundred": hundred(), "hostile": hostile(), "empty": {Scenario: "empty", Hooks: "./hook"},
	}
}

func finish(t timeline.Timeline) *timeline.Timeline {
	for _, s := range t.Steps {
		t.Duration = max(t.Duration, s.At+s.Duration)
	}
	return &t
}

func boot() *timeline.Timeline {
	p := &player{host: "host", object: "web", now: 200 * us}
	p.call("network/start/begin", "default", 1400*us)
	p.call("network/started/begin", "default", 1100*us)
	network := p.step("start network default", "", true)
	p.now += 800 * ms
	p.call("qemu/prepare/begin", "web", 12*ms, prints("bound 0000:01:00.0 to vfio-pci\n"))
	p.call("network/port-created/begin", "default", 3*ms)
	p.call("qemu/start/begin", "web", 4800*us)
	p.call("qemu/started/begin", "web", 31*ms, func(c *timeline.Call) {
		second := c.Hooks[0]
		second.Path = "/etc/libvirt/hooks/qemu.d/50-inventory"
		second.Argv = append([]string{second.Path}, second.Argv[1:]...)
		second.At, second.Duration, second.Exited = second.At+20*ms, 11*ms, 11*ms
		c.Hooks[0].Duration, c.Hooks[0].Exited = 20*ms, 20*ms
		c.Hooks = append(c.Hooks, second)
	})
	guest := p.step("start web", "", true)
	p.now += 5 * time.Second
	none := timeline.Step{Action: "suspend and resume web", Host: "host", At: p.now, Duration: 40 * us, Expected: true}
	return finish(timeline.Timeline{
		Scenario: "boot", Summary: "a guest with a network is started", Libvirt: "11.3.0",
		Hooks: "/etc/libvirt/hooks", Hosts: []string{"host"}, Steps: []timeline.Step{network, guest, none},
	})
}

func migrate() *timeline.Timeline {
	p := &player{host: "destination", object: "web", now: 300 * us}
	p.call("qemu/migrate/begin", "web", 18*ms, func(c *timeline.Call) {
		c.Output = []byte(domain("web", "/mnt/fast/web.qcow2"))
		c.Hooks[0].Stdout = string(c.Output)
		c.Diff, _ = xmldiff.Diff(c.Input, c.Output)
		c.Verdict.Changed, c.Verdict.Tainted = true, true
	})
	p.call("qemu/prepare/begin", "web", 6*ms)
	p.call("network/port-created/begin", "default", 3*ms)
	p.call("qemu/start/begin", "web", 2500*us)
	p.call("qemu/started/begin", "web", 2400*us)
	p.host, p.now = "source", p.now+time.Second*3/2
	p.call("qemu/stopped/end", "web", 4*ms)
	p.call("network/port-deleted/begin", "default", 2*ms, fails(verdict.FailureLogged, 1, "no lease of web\n"))
	p.call("qemu/release/end/migrated", "web", 5*ms)
	return finish(timeline.Timeline{
		Scenario: "migrate", Summary: "a live migration, seen on both hosts", Hooks: "./dist/hook",
		Hosts: []string{"source", "destination"}, Steps: []timeline.Step{p.step("migrate web to destination", "", true)},
	})
}

func refused() *timeline.Timeline {
	p := &player{host: "host", object: "db", now: 150 * us}
	p.call("qemu/prepare/begin", "db", 22*ms, fails(verdict.StartRefused, 1,
		"cannot bind 0000:01:00.0 to vfio-pci: it is the console's only adapter; set VGA_ALLOW=1 to give it away all the same\n"))
	p.call("qemu/stopped/end", "db", 3*ms)
	p.call("qemu/release/end/failed", "db", 2700*us)
	first := p.step("start db", "start refused", true)
	p.now += 400 * ms
	p.call("qemu/prepare/begin", "db", 2*ms)
	p.call("qemu/start/begin", "db", 21*ms, func(c *timeline.Call) {
		fails(verdict.StartRefused, -1, "")(c)
		c.Hooks[0].Signal = 9
		c.Verdict.Message = "Hook script execution failed: internal error: Child process (LC_ALL=C /etc/libvirt/hooks/qemu db start begin -) unexpected fatal signal 9"
	})
	p.call("qemu/stopped/end", "db", 3*ms)
	p.call("qemu/release/end/failed", "db", 3*ms)
	second := p.step("start db", "start refused", false)
	return finish(timeline.Timeline{
		Scenario: "failed-start", Summary: "a guest that a hook refuses, then one that should start", Libvirt: "9.0.0",
		Hooks: "/etc/libvirt/hooks", Hosts: []string{"host"}, Steps: []timeline.Step{first, second},
	})
}

func restore() *timeline.Timeline {
	p := &player{host: "host", object: "web", now: 100 * us}
	p.call("qemu/restore/begin", "web", 3*ms, func(c *timeline.Call) {
		c.Hooks[0].Stdout, c.Output = "hello\n", []byte("hello\n")
		c.Verdict = verdict.Verdict{Word: verdict.RestoreRefused, Cause: verdict.NotXML, Message: "(domain_definition):1: Start tag expected, '<' not found\nhello\n^"}
	})
	first := p.step("restore web", "restore refused", true)
	p.call("qemu/restore/begin", "web", 3*ms, func(c *timeline.Call) {
		c.Output = []byte(strings.Replace(string(c.Input), "2097152", "65536", 1))
		c.Hooks[0].Stdout = string(c.Output)
		c.Diff, _ = xmldiff.Diff(c.Input, c.Output)
		c.Verdict = verdict.Verdict{Word: verdict.RestoreRefused, Cause: verdict.ABIBroken, Message: "Target domain max memory 65536 does not match source 2097152"}
	})
	return finish(timeline.Timeline{
		Scenario: "restore", Summary: "what a filter prints is no guest, or another",
		Hooks: "./hook", Hosts: []string{"host"}, Steps: []timeline.Step{first, p.step("restore web", "restore refused", true)},
	})
}

func daemonRestart() *timeline.Timeline {
	p := &player{host: "host", object: "web", now: 100 * us}
	p.call("daemon/shutdown/-/shutdown", "-", 3*ms, fails(verdict.FailureLogged, 3, "the bus is gone\n"))
	p.call("daemon/start/-/start", "-", 2*ms)
	for _, guest := range []string{"web", "db"} {
		p.call("network/port-created/begin", "default", 1*ms, func(c *timeline.Call) { c.Hooks = nil })
		p.call("qemu/reconnect/begin", guest, 7*ms, func(c *timeline.Call) {
			if guest == "db" {
				fails(verdict.GuestKilled, 1, strings.Repeat("state of db: no such file\n", 20))(c)
			}
		})
	}
	p.call("qemu/stopped/end", "db", 2*ms)
	p.call("qemu/release/end/daemon", "db", 2*ms)
	return finish(timeline.Timeline{
		Scenario: "daemon-restart", Summary: "the daemon restarts with two guests running",
		Hooks: "/etc/libvirt/hooks", Hosts: []string{"host"}, Steps: []timeline.Step{p.step("restart the daemon", "guest killed", false)},
	})
}

func leaked() *timeline.Timeline {
	p := &player{host: "host", object: "web", now: 100 * us}
	p.call("qemu/prepare/begin", "web", 4*ms)
	p.call("qemu/start/begin", "web", 3*ms)
	p.call("qemu/started/begin", "web", 12400*ms, func(c *timeline.Call) {
		c.Hooks[0].Exited = 6 * ms
		c.Hooks[0].Left = []timeline.Process{{PID: 4242, Command: "sleep 12", Holds: "stdout and stderr"}}
	})
	first := p.step("start web", "", true)
	p.now += 50 * ms
	p.call("qemu/stopped/end", "web", 5*ms)
	p.call("qemu/release/end/shutdown", "web", 60*time.Second, func(c *timeline.Call) {
		c.Verdict = verdict.Verdict{Word: verdict.Hangs, Cause: verdict.NeverEnded, Message: "/etc/libvirt/hooks/qemu: exited, but libvirt would wait on for process 4243 (ssh -N monitor), which keeps stderr open: the wait was given up"}
		c.Hooks[0].Exited = 9 * ms
		c.Hooks[0].Left = []timeline.Process{{PID: 4243, Command: "ssh -N monitor", Holds: "stderr"}}
	})
	return finish(timeline.Timeline{
		Scenario: "boot-and-shutdown", Summary: "hooks that leave processes behind",
		Hooks: "/etc/libvirt/hooks", Hosts: []string{"host"}, Steps: []timeline.Step{first, p.step("shut down web", "libvirt hangs", false)},
	})
}

func hundred() *timeline.Timeline {
	var all []timeline.Call
	var end time.Duration
	for i := range 100 {
		guest := fmt.Sprintf("guest-%03d", i)
		takes := func(n int) time.Duration { return time.Duration(2000+(i*7919+n*104729)%9000) * us }
		p := &player{host: "host", object: guest, now: 100*us + time.Duration(i)*2*ms}
		refused := i%40 == 17 // 3 of them
		switch {
		case refused:
			p.call("qemu/prepare/begin", guest, takes(1), fails(verdict.StartRefused, 1, "no huge pages are left\n"))
			p.call("qemu/stopped/end", guest, takes(2))
			p.call("qemu/release/end/failed", guest, takes(3))
		default:
			p.call("qemu/prepare/begin", guest, takes(1))
			p.call("network/port-created/begin", "default", takes(2))
			p.call("qemu/start/begin", guest, takes(3))
			p.call("qemu/started/begin", guest, takes(4))
		}
		all, end = append(all, p.calls...), max(end, p.now)
	}
	return finish(timeline.Timeline{
		Scenario: "hundred-guests", Summary: "100 guests are started at once", Libvirt: "12.8.0",
		Hooks: "/etc/libvirt/hooks", Hosts: []string{"host"}, Steps: []timeline.Step{
			{Action: "start 100 guests", Host: "host", Duration: end, Outcome: "3 starts refused", Calls: all},
		},
	})
}

func hostile() *timeline.Timeline {
	const script = `</script><script>alert("owned")</script>`
	const long = "a-guest-with-a-very-long-name-as-some-clouds-make-them-6f1d0c1e-3f53-4f0e-9d0b-2f7c5a8e4b11"
	p := &player{host: `<b>here</b>`, object: script, now: 100 * us}
	p.call("qemu/prepare/begin", script, 3*ms, fails(verdict.StartRefused, 1, "</pre><img src=x onerror=alert(1)>\x1b[2J\x07\n"))
	p.call("qemu/start/begin", "line\nbreak\t\x1b[31mred", 2*ms)
	p.call("qemu/start/begin", long, 2*ms)
	p.host = "zwei größte\u202e hosts"
	p.call("qemu/start/begin", "仮想マシン", 2*ms)
	p.call("qemu/start/begin", "a\u0301e\u0301i\u0301 combining", 2*ms)
	p.call("qemu/release/end/from snapshot", `javascript:alert(1)" onclick="x`, 2*ms)
	p.call("qemu/start/begin", "bad\xffutf8", 4*ms, prints("\xfe\xff\x00 -->"))
	p.call("qemu/a-new-op/begin", "{{.Title}} ${x}", 2*ms, func(c *timeline.Call) {
		c.Input = []byte("<!-- --></style>" + script)
		c.Diff = []xmldiff.Line{{Kind: xmldiff.Place, Text: "@@ /" + script}, {Kind: xmldiff.Added, Text: "+  <x>\x1b[1m&amp;</x>"}}
		c.Verdict.Changed = true
	})
	s := p.step(script, "</section>", false)
	return finish(timeline.Timeline{
		Scenario: script, Summary: `"><svg onload=alert(1)>`, Libvirt: "<i>1</i>", Hooks: "/tmp/\x1b]0;title\x07",
		Hosts: []string{`<b>here</b>`, "zwei größte\u202e hosts"}, Steps: []timeline.Step{s},
	})
}
